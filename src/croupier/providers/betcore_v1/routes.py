"""The HTTP API for providers: the five wallet calls of a session, and the feed's.

Owns: the routes and the order of their checks: size, signature, replay, content type, contents. Never: rules.
Spec: provider.md 1, 2, 4 and 5.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from starlette.requests import ClientDisconnect
from starlette.responses import Response

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
from croupier.kit.clock import TimeIsUp, TimeLimit
from croupier.kit.inbound import HotRequest, TooLarge, WrongType
from croupier.kit.json_reply import JsonReply
from croupier.kit.log import get
from croupier.kit.measured_routes import HotAnswer, HotRoute, hot_routes
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


@dataclass(frozen=True, slots=True)
class Call:
    """One of the calls of a provider."""

    name: str
    handle: ProviderHandler
    bet_call: bool
    """A used request id with the same body is accepted as a retry."""
    crediting: bool
    """It credits a player: a refused one raises an incident, and no limit delays it."""


@dataclass(slots=True)
class InboundRequest:
    """One request and what is known of it so far."""

    request: HotRequest
    call: Call
    whole_s: float = 0.0
    """Monotonic second at which its body was here."""
    body: bytes = b""
    provider: Provider = field(init=False)
    session_id: str = ""
    verified: bool = False
    """The provider has signed it, so `provider` is set."""
    begun: bool = False
    """The flow has started, so something may have been written."""


class Refused(Exception):
    """The request is refused before any flow starts."""

    def __init__(self, reply: codec.ProviderReply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def routes(hub: Hub) -> list[HotRoute]:
    """Return the routes of this protocol: one for each operation."""
    handles: dict[str, ProviderHandler] = {
        "balance": _balance,
        "pay-in": _pay_in,
        "pay-out": _pay_out,
        "pay-in-out": _pay_in_out,
        "refund": _refund,
        "feed/draws": _feed_draws,
    }

    def answer_of(operation: Operation) -> HotAnswer:
        bet_call = operation.method == "POST" and operation.name != "feed/draws"
        crediting = operation.name in CREDITING_CALLS
        return partial(_answer, hub, Call(operation.name, handles[operation.name], bet_call, crediting))

    return hot_routes(PROVIDERS.operations, answer_of, side="provider", measures=hub)


def not_found(status: int) -> Response:
    """Return the answer to an unknown path or method of this API."""
    fault = RequestFault.WRONG_METHOD if status == 405 else RequestFault.UNKNOWN_PATH
    return _respond(codec.encode_fault(fault))


# Each of these reads its request at once and returns what the flow will answer: a coroutine of its own would be one more to
# enter whenever the request waits.


def _balance(hub: Hub, inbound: InboundRequest) -> Awaitable[Answer]:
    return balance(hub, inbound.provider.provider_id, inbound.session_id)


def _pay_in(hub: Hub, inbound: InboundRequest) -> Awaitable[Answer]:
    provider_id, session_id = inbound.provider.provider_id, inbound.session_id
    return pay_in(hub, codec.read_pay_in(provider_id, session_id, inbound.body, arrived_s=inbound.request.arrived_s))


def _pay_in_out(hub: Hub, inbound: InboundRequest) -> Awaitable[Answer]:
    provider_id, session_id = inbound.provider.provider_id, inbound.session_id
    return pay_in(
        hub, codec.read_pay_in_out(provider_id, session_id, inbound.body, arrived_s=inbound.request.arrived_s)
    )


def _pay_out(hub: Hub, inbound: InboundRequest) -> Awaitable[Answer]:
    provider_id, session_id = inbound.provider.provider_id, inbound.session_id
    return pay_out(hub, codec.read_pay_out(provider_id, session_id, inbound.body, arrived_s=inbound.request.arrived_s))


def _refund(hub: Hub, inbound: InboundRequest) -> Awaitable[Answer]:
    provider_id, session_id = inbound.provider.provider_id, inbound.session_id
    return refund(hub, codec.read_refund(provider_id, session_id, inbound.body, arrived_s=inbound.request.arrived_s))


async def _feed_draws(hub: Hub, inbound: InboundRequest) -> Answer:
    publication = feed_codec.read_publication(inbound.provider.provider_id, inbound.body)
    answer = await publish_draws(hub, publication)
    return answer if answer.field is None else evolve(answer, field=feed_codec.spelt(answer.field))


async def _answer(hub: Hub, call: Call, request: HotRequest) -> Response:
    """Return the flow's answer, in time. A decision that is already in the group commit then is still committed."""
    inbound = InboundRequest(request, call)
    try:
        inbound.body = await request.read_body() if request.whole_body is None else request.whole_body
        inbound.whole_s = hub.clock.monotonic_s()
        # The deadline and the freshness are counted from the first byte.
        usual_s = request.arrived_s + hub.store.providers.usual_hold_s + ANSWER_GRACE_S
        with TimeLimit(usual_s - inbound.whole_s) as limit:
            inbound.provider = await _verify_request(hub, inbound)
            inbound.verified = True
            _keep_to_its_hold(hub, inbound, limit)
            try:
                flow = _begin_flow(hub, inbound)
            except (WrongType, BadJson, BadField) as problem:
                await _report_refused_win(hub, inbound, inbound.provider, why=str(problem))
                raise
            answer = await flow
            if answer.refusal is Refusal.WRONG_DATA:
                await _report_refused_win(hub, inbound, inbound.provider, why=f"{answer.field} {answer.why}")
            reply = codec.encode(answer)
    except asyncio.CancelledError:
        if not hub.state.closing:
            raise
        # The worker is stopping: the request is answered anyway, in the form of this protocol.
        reply = _cut_off(inbound)
    except Exception as problem:  # noqa: BLE001 - no traceback ever reaches a peer
        reply = _reply_to(hub, inbound, problem)
    if inbound.verified:
        took_s = hub.clock.monotonic_s() - request.arrived_s
        hub.metrics.observe("croupier_provider_request_seconds", took_s, f"{inbound.provider.provider_id}", call.name)
    return _respond(reply)


def _keep_to_its_hold(hub: Hub, inbound: InboundRequest, limit: TimeLimit) -> None:
    """Go by the hold time of the provider from now on. Raises NotTaken if it is over."""
    hold_s = inbound.provider.hold_s
    left_s = inbound.request.arrived_s + hold_s + ANSWER_GRACE_S - hub.clock.monotonic_s()
    if left_s <= 0:
        raise NotTaken
    if hold_s != hub.store.providers.usual_hold_s:
        limit.prolong(left_s)


def _begin_flow(hub: Hub, inbound: InboundRequest) -> Awaitable[Answer]:
    """Read a verified request and return its flow. Raises WrongType, BadJson and BadField."""
    request = inbound.request
    if request.method == "POST":
        request.require_json()
    if "session_id" in request.path_params:
        inbound.session_id = codec.read_session_id(request.path_params["session_id"])
    inbound.begun = True
    return inbound.call.handle(hub, inbound)


async def _report_refused_win(hub: Hub, inbound: InboundRequest, provider: Provider, *, why: str) -> None:
    """Report a pay-out or refund that was refused before any flow (flows.refused_win)."""
    bet_ref = codec.read_bet_ref(inbound.body) if inbound.call.crediting else None
    if bet_ref is not None:
        await refused_win(hub, provider, bet_ref, verb=inbound.call.name, why=why)


def _reply_to(hub: Hub, inbound: InboundRequest, problem: Exception) -> codec.ProviderReply:
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
        case TimeIsUp():
            # 99 at the deadline: 503 if nothing was written, 504 if that is not known.
            hub.database_health.log_trouble(DbDown("a request was not finished within its hold time"))
            reply = _cut_off(inbound)
        case _:
            # Whether something was written is not known: the provider retries or refunds.
            _log_failure(hub, problem)
            reply = codec.encode(Answer(Refusal.OUTCOME_UNKNOWN))
    return reply


def _cut_off(inbound: InboundRequest) -> codec.ProviderReply:
    """Return the answer to a request that is not finished."""
    return codec.encode(Answer(Refusal.OUTCOME_UNKNOWN if inbound.begun else Refusal.NOT_TAKEN))


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
    request = inbound.request
    try:
        provider, request_id = await _verify_signature(hub, inbound)
        digest = hashlib.sha256(f"{request.method} {request.path}\n".encode() + inbound.body).digest()
        seen = await hub.store.replay_guard.claim(provider.provider_id, request_id, digest)
    except DbError as error:
        raise NotTaken from error
    except Refused:
        await hub.clock.sleep(max(0.0, inbound.whole_s + REFUSAL_DELAY_S - hub.clock.monotonic_s()))
        raise
    if seen == "other" or (seen == "same" and not inbound.call.bet_call):
        raise _unauthorized(inbound, "the request id was used before", provider=provider.name)
    return provider


async def _verify_signature(hub: Hub, inbound: InboundRequest) -> tuple[Provider, str]:
    """Return the provider that signed the request and the request id. Freshness is judged at the first byte's arrival."""
    claim, address = signing.read_claim(inbound.request.headers), inbound.request.address
    who = None if isinstance(claim, signing.Unverified) else claim.counterparty_id
    wait_s = 0 if inbound.call.crediting else hub.inbound_limits.guess_wait_s("provider", who, address)
    if wait_s:
        raise Refused(codec.encode(Answer(Refusal.RATE_LIMITED, retry_after_s=wait_s)))
    if isinstance(claim, signing.Unverified):
        hub.inbound_limits.failed(address)
        raise _unauthorized(inbound, claim.why)
    came_ms = hub.clock.now_ms() - round((inbound.whole_s - inbound.request.arrived_s) * 1000)
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
    log.info("provider.unauthorized", why=why, path=ascii(inbound.request.path)[1:-1][:MAX_PATH_CHARS], **facts)
    return Refused(codec.encode(Answer(Refusal.UNAUTHORIZED)))


def _respond(reply: codec.ProviderReply) -> Response:
    return JsonReply(reply.body, reply.status, reply.headers)
