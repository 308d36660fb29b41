"""What providers call: the five wallet calls of a session. Read, verify, decode, call the flow, encode.

Owns: the routes and the order of their checks: size, signature, replay, content type, contents. Never: rules.
Spec: provider.md sections 1, 2 and 4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from croupier.core.commands import Answer
from croupier.core.counterparty import Provider
from croupier.core.refusals import Refusal
from croupier.flows.asking import NotTaken
from croupier.flows.balance import balance
from croupier.flows.hub import Hub
from croupier.flows.pay_in import pay_in
from croupier.flows.pay_out import pay_out
from croupier.flows.refund import refund
from croupier.kit.inbound import TooLarge, WrongType, read_body, require_json
from croupier.kit.log import get
from croupier.kit.openapi import Operation
from croupier.kit.strictjson import BadField, BadJson
from croupier.providers.betcore_v1 import codec, signing
from croupier.providers.betcore_v1.operations import PROVIDERS
from croupier.providers.betcore_v1.outcomes import Fault
from croupier.store.db import DbError
from croupier.store.train import Broken

log = get("provider")

Handle = Callable[[Hub, Provider, str, bytes], Awaitable[Answer]]
FAILED_S = 0.05
"""What is not believed is answered so long after it came: longer than the questions about a counterparty that exists."""


class Refused(Exception):
    """The request is answered before any flow sees it."""

    def __init__(self, reply: codec.Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def routes(hub: Hub) -> list[Route]:
    """The routes of this protocol: its operations, each with what does its work."""
    handles: dict[str, Handle] = {
        "balance": _balance,
        "pay-in": _pay_in,
        "pay-out": _pay_out,
        "pay-in-out": _pay_in_out,
        "refund": _refund,
    }
    return [_route(hub, operation, handles[operation.name]) for operation in PROVIDERS.operations]


def not_found(status: int) -> Response:
    """The answer to an unknown path or method under this half."""
    fault = Fault.WRONG_METHOD if status == 405 else Fault.UNKNOWN_PATH
    return _respond(codec.encode_fault(fault))


async def _balance(hub: Hub, provider: Provider, session_id: str, _: bytes) -> Answer:
    return await balance(hub, provider.provider_id, session_id)


async def _pay_in(hub: Hub, provider: Provider, session_id: str, body: bytes) -> Answer:
    return await pay_in(hub, codec.read_pay_in(provider.provider_id, session_id, body))


async def _pay_in_out(hub: Hub, provider: Provider, session_id: str, body: bytes) -> Answer:
    return await pay_in(hub, codec.read_pay_in_out(provider.provider_id, session_id, body))


async def _pay_out(hub: Hub, provider: Provider, session_id: str, body: bytes) -> Answer:
    return await pay_out(hub, codec.read_pay_out(provider.provider_id, session_id, body))


async def _refund(hub: Hub, provider: Provider, session_id: str, body: bytes) -> Answer:
    return await refund(hub, codec.read_refund(provider.provider_id, session_id, body))


def _route(hub: Hub, operation: Operation, handle: Handle) -> Route:
    """One route. Of a bet call a repeated request id with the same body is answered as the repeat it is."""
    name, bet_call = operation.name, operation.method == "POST"

    async def endpoint(request: Request) -> Response:
        started = hub.clock.monotonic_s()
        reply = await _answer(hub, request, handle, bet_call=bet_call)
        hub.metrics.observe("croupier_request_seconds", hub.clock.monotonic_s() - started, "provider", name)
        hub.metrics.count("croupier_requests_total", "provider", name, str(reply.status))
        return _respond(reply)

    return Route(operation.path, endpoint, methods=[operation.method])


async def _answer(hub: Hub, request: Request, handle: Handle, *, bet_call: bool) -> codec.Reply:
    try:
        body = await read_body(request)
        provider = await _verified(hub, request, body, bet_call=bet_call)
        if request.method == "POST":
            require_json(request)
        session_id = codec.read_session_id(request.path_params["session_id"])
        return codec.encode(await handle(hub, provider, session_id, body))
    except Exception as problem:  # noqa: BLE001 - no traceback ever reaches a peer
        return _reply_to(problem)


def _reply_to(problem: Exception) -> codec.Reply:
    """The answer to a request that no flow answered."""
    match problem:
        case Refused():
            reply = problem.reply
        case TooLarge():
            reply = codec.encode_fault(Fault.TOO_LARGE)
        case WrongType():
            reply = codec.encode_fault(Fault.WRONG_TYPE)
        case BadJson() | BadField():
            reply = codec.encode_bad_request(problem)
        case NotTaken():
            reply = codec.encode(Answer(Refusal.NOT_TAKEN))
        case _:
            # It is not known what was written: the provider repeats or refunds.
            if not isinstance(problem, ClientDisconnect):
                log.error("provider.not_answered", problem=str(problem), exc_info=_bug(problem))
            reply = codec.encode(Answer(Refusal.OUTCOME_UNKNOWN))
    return reply


def _bug(problem: Exception) -> Exception | None:
    """The traceback is for our log, and only where it tells more than the words."""
    return None if isinstance(problem, DbError | Broken) else problem


async def _verified(hub: Hub, request: Request, body: bytes, *, bet_call: bool) -> Provider:
    """The provider that signed this, or Refused with the one answer to every failure."""
    came_s = hub.clock.monotonic_s()
    try:
        provider, request_id = await _signer(hub, request, body)
        digest = hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + body).digest()
        seen = await hub.store.seen.claim(provider.provider_id, request_id, digest)
    except DbError as error:
        raise NotTaken from error
    except Refused:
        await hub.clock.sleep(max(0.0, came_s + FAILED_S - hub.clock.monotonic_s()))
        raise
    if seen == "other" or (seen == "same" and not bet_call):
        raise _unauthorized("the request id was used before")
    return provider


async def _signer(hub: Hub, request: Request, body: bytes) -> tuple[Provider, str]:
    """Who signed the request, and its id in one spelling."""
    claim = signing.read_claim(request.scope["headers"])
    if isinstance(claim, signing.Unverified):
        raise _unauthorized(claim.why)
    provider = await hub.store.providers.by_counterparty(claim.counterparty_id)
    secrets = await hub.store.providers.secrets(provider.provider_id) if provider else ()
    if provider is not None and provider.closed:
        secrets = ()  # it is judged like a counterparty that is not there, at the same cost
    fresh_s = provider.fresh_s if provider else 30.0
    verdict = signing.verify(secrets, claim, body or None, now_ms=hub.clock.now_ms(), fresh_s=fresh_s)
    if provider is None or isinstance(verdict, signing.Unverified):
        raise _unauthorized(getattr(verdict, "why", "unknown counterparty"))
    return provider, verdict.request_id


def _unauthorized(why: str) -> Refused:
    log.info("provider.unauthorized", why=why)
    return Refused(codec.encode(Answer(Refusal.UNAUTHORIZED)))


def _respond(reply: codec.Reply) -> Response:
    return Response(reply.body, reply.status, headers=reply.headers, media_type="application/json")
