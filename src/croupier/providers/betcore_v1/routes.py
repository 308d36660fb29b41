"""The HTTP API for providers: the five wallet calls of a session, and the feed's.

Owns: the routes and the order of their checks: size, signature, replay, content type, contents. Never: rules.
Spec: provider.md 1, 2, 4 and 5.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from croupier.core.commands import Answer
from croupier.core.counterparty import Provider
from croupier.core.records import evolve
from croupier.core.refusals import Refusal
from croupier.flows.balance_query import balance
from croupier.flows.hub import Hub
from croupier.flows.pay_in import pay_in
from croupier.flows.pay_out import pay_out
from croupier.flows.provider_request import NotTaken
from croupier.flows.publish_draws import publish_draws
from croupier.flows.refund import refund
from croupier.flows.refused_win import refused_win
from croupier.kit.inbound import TooLarge, WrongType, address_of, arrived_s, read_body, require_json
from croupier.kit.json_reply import JsonReply
from croupier.kit.log import get
from croupier.kit.measured_routes import measured_routes
from croupier.kit.networks import may_call
from croupier.kit.openapi import Operation
from croupier.kit.strictjson import BadField, BadJson
from croupier.providers.betcore_v1 import codec, feed_codec, signing
from croupier.providers.betcore_v1.operations import PROVIDERS
from croupier.providers.betcore_v1.outcomes import RequestFault
from croupier.store.db import DbDown, DbError
from croupier.store.money.group_commit import Broken

log = get("provider")

ProviderHandler = Callable[[Hub, "InboundRequest"], Awaitable[Answer]]
ANSWER_GRACE_S = 0.15
"""Seconds after the hold time until a request is answered even if the database has not answered."""
CREDITING_CALLS = frozenset({"pay-out", "refund"})
"""Calls that credit a player: a refused one raises an incident."""
MAX_PATH_CHARS = 200
"""Characters of a path in the log."""
REFUSAL_DELAY_S = 0.05
"""Seconds after which a failed verification is answered: longer than any lookup, so timing discloses nothing."""


@dataclass(slots=True)
class InboundRequest:
    """One request and what is known of it so far."""

    request: Request
    bet_call: bool
    arrived_s: float
    """Monotonic second of its first byte. Freshness and deadline are counted from here."""
    body: bytes = b""
    provider: Provider = field(init=False)
    session_id: str = ""
    verified: bool = False
    """The provider has signed it, so `provider` is set."""
    begun: bool = False
    """The flow has started, so something may have been written."""

    @property
    def verb(self) -> str:
        """Return the last part of the path."""
        return str(self.request.scope["path"]).rpartition("/")[2]

    def left_s(self, hub: Hub, hold_s: float) -> float:
        """Return the seconds until the request must be answered."""
        return max(0.0, self.arrived_s + hold_s + ANSWER_GRACE_S - hub.clock.monotonic_s())


class Refused(Exception):
    """The request is refused before any flow starts."""

    def __init__(self, reply: codec.ProviderReply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def routes(hub: Hub) -> list[Route]:
    """Return the routes of this protocol: one for each operation."""
    handles: dict[str, ProviderHandler] = {
        "balance": _balance,
        "pay-in": _pay_in,
        "pay-out": _pay_out,
        "pay-in-out": _pay_in_out,
        "refund": _refund,
        "feed/draws": _feed_draws,
    }

    async def answer_to(operation: Operation, request: Request) -> Response:
        # A bet call with a used request id and the same body is accepted as a retry.
        bet_call = operation.method == "POST" and operation.name != "feed/draws"
        inbound = InboundRequest(request, bet_call, arrived_s(request, hub.clock))
        reply = await _answer(hub, inbound, handles[operation.name])
        if inbound.verified:
            took_s = hub.clock.monotonic_s() - inbound.arrived_s
            provider = str(inbound.provider.provider_id)
            hub.metrics.observe("croupier_provider_request_seconds", took_s, provider, operation.name)
        return _respond(reply)

    return measured_routes(PROVIDERS.operations, answer_to, side="provider", measures=hub)


def not_found(status: int) -> Response:
    """Return the answer to an unknown path or method of this API."""
    fault = RequestFault.WRONG_METHOD if status == 405 else RequestFault.UNKNOWN_PATH
    return _respond(codec.encode_fault(fault))


async def _balance(hub: Hub, inbound: InboundRequest) -> Answer:
    return await balance(hub, inbound.provider.provider_id, inbound.session_id)


async def _pay_in(hub: Hub, inbound: InboundRequest) -> Answer:
    provider_id, session_id = inbound.provider.provider_id, inbound.session_id
    return await pay_in(hub, codec.read_pay_in(provider_id, session_id, inbound.body, arrived_s=inbound.arrived_s))


async def _pay_in_out(hub: Hub, inbound: InboundRequest) -> Answer:
    provider_id, session_id = inbound.provider.provider_id, inbound.session_id
    return await pay_in(hub, codec.read_pay_in_out(provider_id, session_id, inbound.body, arrived_s=inbound.arrived_s))


async def _pay_out(hub: Hub, inbound: InboundRequest) -> Answer:
    provider_id, session_id = inbound.provider.provider_id, inbound.session_id
    return await pay_out(hub, codec.read_pay_out(provider_id, session_id, inbound.body, arrived_s=inbound.arrived_s))


async def _refund(hub: Hub, inbound: InboundRequest) -> Answer:
    provider_id, session_id = inbound.provider.provider_id, inbound.session_id
    return await refund(hub, codec.read_refund(provider_id, session_id, inbound.body, arrived_s=inbound.arrived_s))


async def _feed_draws(hub: Hub, inbound: InboundRequest) -> Answer:
    publication = feed_codec.read_publication(inbound.provider.provider_id, inbound.body)
    answer = await publish_draws(hub, publication)
    return answer if answer.field is None else evolve(answer, field=feed_codec.spelt(answer.field))


async def _answer(hub: Hub, inbound: InboundRequest, handle: ProviderHandler) -> codec.ProviderReply:
    try:
        inbound.body = await read_body(inbound.request)
        return await _answer_in_time(hub, inbound, handle)
    except asyncio.CancelledError:
        if not hub.state.closing:
            raise
        # The worker is stopping: the request is answered anyway, in the form of this protocol.
        return codec.encode(Answer(Refusal.OUTCOME_UNKNOWN if inbound.begun else Refusal.NOT_TAKEN))
    except Exception as problem:  # noqa: BLE001 - no traceback ever reaches a peer
        return _reply_to(hub, problem)


async def _run_flow(hub: Hub, inbound: InboundRequest, handle: ProviderHandler) -> Answer:
    """Run the flow of a verified request. A refused win or refund also raises an incident."""
    try:
        if inbound.request.method == "POST":
            require_json(inbound.request)
        if "session_id" in inbound.request.path_params:
            inbound.session_id = codec.read_session_id(inbound.request.path_params["session_id"])
        inbound.begun = True
        answer = await handle(hub, inbound)
    except WrongType:
        await _report_refused_win(hub, inbound, inbound.provider, why="the body is not declared as application/json")
        raise
    except (BadJson, BadField) as problem:
        await _report_refused_win(hub, inbound, inbound.provider, why=str(problem))
        raise
    if answer.refusal is Refusal.WRONG_DATA:
        await _report_refused_win(hub, inbound, inbound.provider, why=f"{answer.field} {answer.why}")
    return answer


async def _report_refused_win(hub: Hub, inbound: InboundRequest, provider: Provider, *, why: str) -> None:
    """Report a pay-out or refund that was refused before any flow (flows.refused_win)."""
    bet_ref = codec.read_bet_ref(inbound.body) if inbound.verb in CREDITING_CALLS else None
    if bet_ref is not None:
        await refused_win(hub, provider, bet_ref, verb=inbound.verb, why=why)


async def _answer_in_time(hub: Hub, inbound: InboundRequest, handle: ProviderHandler) -> codec.ProviderReply:
    """Return the flow's answer, or 99 at the deadline: 503 if nothing was written, 504 if that is not known.

    A decision that is already in the group commit is still committed.
    """
    now_s = asyncio.get_running_loop().time
    limit = asyncio.timeout(inbound.left_s(hub, hub.store.providers.usual_hold_s))
    try:
        async with limit:
            inbound.provider = await _verify_request(hub, inbound)
            inbound.verified = True
            left_s = inbound.left_s(hub, inbound.provider.hold_s)
            if not left_s:
                raise NotTaken
            if inbound.provider.hold_s != hub.store.providers.usual_hold_s:
                limit.reschedule(now_s() + left_s)
            return codec.encode(await _run_flow(hub, inbound, handle))
    except TimeoutError:
        if not limit.expired():
            raise
    late = DbDown("a request was not finished within its hold time")
    hub.database_health.log_trouble(late)
    return codec.encode(Answer(Refusal.OUTCOME_UNKNOWN if inbound.begun else Refusal.NOT_TAKEN))


def _reply_to(hub: Hub, problem: Exception) -> codec.ProviderReply:
    """Return the answer to a request that no flow answered."""
    match problem:
        case Refused():
            reply = problem.reply
        case TooLarge():
            reply = codec.encode_fault(RequestFault.TOO_LARGE)
        case WrongType():
            reply = codec.encode_fault(RequestFault.WRONG_TYPE)
        case BadJson() | BadField():
            reply = codec.encode_bad_request(problem)
        case NotTaken():
            if isinstance(problem.__cause__, DbError):
                hub.database_health.record(problem.__cause__)
            reply = codec.encode(Answer(Refusal.NOT_TAKEN))
        case _:
            # Whether something was written is not known: the provider retries or refunds.
            _log_failure(hub, problem)
            reply = codec.encode(Answer(Refusal.OUTCOME_UNKNOWN))
    return reply


def _log_failure(hub: Hub, problem: Exception) -> None:
    """Log the failure: database trouble once for many requests, a bug with its traceback."""
    if isinstance(problem, DbError):
        hub.database_health.record(problem)
    elif not isinstance(problem, ClientDisconnect):
        log.error("provider.not_answered", problem=str(problem), exc_info=_traceback_of(problem))


def _traceback_of(problem: Exception) -> Exception | None:
    """Return the exception to log with its traceback, or None if the message says enough."""
    return None if isinstance(problem, Broken) else problem


async def _verify_request(hub: Hub, inbound: InboundRequest) -> Provider:
    """Return the provider that signed the request. Raises Refused with the same answer for every failure."""
    came_s, request = hub.clock.monotonic_s(), inbound.request
    try:
        provider, request_id = await _verify_signature(hub, inbound)
        digest = hashlib.sha256(f"{request.method} {request.scope['path']}\n".encode() + inbound.body).digest()
        seen = await hub.store.replay_guard.claim(provider.provider_id, request_id, digest)
    except DbError as error:
        raise NotTaken from error
    except Refused:
        await hub.clock.sleep(max(0.0, came_s + REFUSAL_DELAY_S - hub.clock.monotonic_s()))
        raise
    if seen == "other" or (seen == "same" and not inbound.bet_call):
        raise _unauthorized(inbound, "the request id was used before", provider=provider.name)
    return provider


async def _verify_signature(hub: Hub, inbound: InboundRequest) -> tuple[Provider, str]:
    """Return the provider that signed the request and the request id. Freshness is judged at the first byte's arrival."""
    claim, address = signing.read_claim(inbound.request.scope["headers"]), address_of(inbound.request)
    who = None if isinstance(claim, signing.Unverified) else claim.counterparty_id
    wait_s = 0 if inbound.verb in CREDITING_CALLS else hub.inbound_limits.guess_wait_s("provider", who, address)
    if wait_s:
        raise Refused(codec.encode(Answer(Refusal.RATE_LIMITED, retry_after_s=wait_s)))
    if isinstance(claim, signing.Unverified):
        hub.inbound_limits.failed(address)
        raise _unauthorized(inbound, claim.why)
    came_ms = hub.clock.now_ms() - round((hub.clock.monotonic_s() - inbound.arrived_s) * 1000)
    provider = await hub.store.providers.by_counterparty(claim.counterparty_id)
    secrets = await hub.store.providers.secrets(provider.provider_id) if provider else ()
    if provider is not None and provider.closed:
        secrets = ()  # a closed provider is treated as unknown, at the same cost
    fresh_s = provider.fresh_s if provider else 30.0
    verdict = signing.verify(secrets, claim, inbound.body or None, now_ms=came_ms, fresh_s=fresh_s)
    if provider is None or isinstance(verdict, signing.Unverified):
        why = getattr(verdict, "why", "unknown counterparty")
        if provider is not None and getattr(verdict, "signed", False):
            await _report_refused_win(hub, inbound, provider, why=why)
            raise _unauthorized(inbound, why, provider=provider.name)
        hub.inbound_limits.failed(address)
        raise _unauthorized(inbound, why, counterparty=claim.counterparty_id)
    if not may_call(provider.addresses, address):
        why = f"the address {address} is none of the provider's"
        await _report_refused_win(hub, inbound, provider, why=why)
        raise _unauthorized(inbound, why, provider=provider.name)
    hub.inbound_limits.proved("provider", who, address)
    return provider, verdict.request_id


def _unauthorized(inbound: InboundRequest, why: str, **facts: str) -> Refused:
    """Log the refusal and return it. `facts` name the provider, or the counterparty that it claims to be."""
    # The path comes from the peer, so it is escaped and bounded.
    log.info("provider.unauthorized", why=why, path=ascii(inbound.request.url.path)[1:-1][:MAX_PATH_CHARS], **facts)
    return Refused(codec.encode(Answer(Refusal.UNAUTHORIZED)))


def _respond(reply: codec.ProviderReply) -> Response:
    return JsonReply(reply.body, reply.status, reply.headers)
