"""The HTTP API for casinos: token, jwks, verify and the two accepts.

Owns: the routes and their answers. Never: rules of money, or the verification of a bearer token (access_tokens). Spec: casino.md 1.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from croupier.casinos.betcore_v2 import codec, messages, signing
from croupier.casinos.betcore_v2.access_tokens import AccessTokens
from croupier.casinos.betcore_v2.messages import BETS, CASHBACKS, Subject
from croupier.casinos.betcore_v2.operations import CASINOS
from croupier.casinos.betcore_v2.outcomes import (
    NOT_ACCEPTED,
    NOT_NOW,
    NOT_VERIFIED,
    OK,
    RATE_LIMITED,
    TOO_LARGE,
    UNAUTHORIZED,
    UNREADABLE,
    WRONG_TYPE,
    HubAnswer,
)
from croupier.core.pursuit import Verdict
from croupier.flows.accept_payment import accept_payment
from croupier.flows.hub import Hub
from croupier.flows.inbound_limits import RateExceeded
from croupier.flows.ports import Unauthorized
from croupier.kit.clock import TimeLimit
from croupier.kit.inbound import MAX_BODY, HotRequest, TooLarge, WrongType
from croupier.kit.json_reply import JsonReply
from croupier.kit.jwt import BadToken
from croupier.kit.log import get
from croupier.kit.measured_routes import HotAnswer, HotRoute, hot_routes
from croupier.kit.openapi import Operation
from croupier.kit.strictjson import BadField, BadJson
from croupier.store.db import DbDown, DbError

log = get("casino")

CasinoHandler = Callable[["AccessTokens", HotRequest, bytes], Awaitable[Response]]
JWKS_CACHE_CONTROL = "max-age=0, must-revalidate"
"""A cache in between would keep serving a revoked key."""
ANSWER_TIMEOUT_S = 5.0
"""Seconds after which a request is answered even if the database has not answered."""
NOBODY = 0
"""The subject id of an incident without a bet."""
MAX_PROBLEM_CHARS = 200
"""Characters of the X-Problem header."""


def routes(hub: Hub, issuer: str) -> list[HotRoute]:
    """Return the routes of this protocol: one for each operation."""
    tokens = AccessTokens(hub, issuer, signing.SCOPE)
    handles: dict[str, CasinoHandler] = {
        "auth/token": _token,
        "auth/jwks": _jwks,
        "auth/verify": _verify,
        "payments/accept": partial(_accept, subject=BETS),
        "cashback-payments/accept": partial(_accept, subject=CASHBACKS),
    }

    def answer_of(operation: Operation) -> HotAnswer:
        return partial(_answer, tokens, handles[operation.name])

    return hot_routes(CASINOS.operations, answer_of, side="casino", measures=hub)


def not_found(status: int) -> Response:
    """Return the answer to an unknown path or method of this API."""
    why = "no such method of this path" if status == 405 else "no such path"
    return _respond(HubAnswer(status, UNREADABLE.code, UNREADABLE.message), headers=_problem(why))


async def _token(tokens: AccessTokens, request: HotRequest, body: bytes) -> Response:
    request.require_json()
    casino_id, secret = messages.read_token_request(body)
    token = await tokens.issue(casino_id, secret, request.address)
    return _respond(
        OK, messages.token_value(token, signing.SCOPE, signing.TOKEN_LIFETIME_S), {"Cache-Control": "no-store"}
    )


async def _jwks(tokens: AccessTokens, request: HotRequest, _: bytes) -> Response:
    """Return the public keys. A request with a bearer records that this casino has these keys (casino.md 1.4)."""
    keys = tokens.hub.store.keys
    # Always reload: another process may already sign with a new key, or have revoked one.
    await keys.load()
    whose = "private" if any(name == b"authorization" for name, _ in request.headers) else "public"
    if whose == "private":
        casino = await tokens.authenticate(request)
        await tokens.hub.store.casinos.saw_keys(casino.casino_id, keys.newest_kid(casino.alg))
    body = json.dumps(keys.jwk_set(), separators=(",", ":")).encode()
    return Response(body, media_type="application/json", headers={"Cache-Control": f"{whose}, {JWKS_CACHE_CONTROL}"})


async def _verify(tokens: AccessTokens, request: HotRequest, body: bytes) -> Response:
    casino = await tokens.authenticate(request)
    request.require_json()
    token = messages.read_verify_request(body)
    await tokens.hub.store.keys.refresh_if_stale()
    try:
        sent = signing.verify_sent(
            token,
            tokens.hub.store.keys.verify_keys(),
            casino_id=casino.casino_id,
            issuer=tokens.issuer,
            now_s=tokens.now_s(),
        )
    except signing.SentToAnother as other:
        await _report_mixed_up_credentials(tokens, sent_to=other.casino_id, asked_by=casino.casino_id)
        return _respond(NOT_VERIFIED)
    except BadToken:
        return _respond(NOT_VERIFIED)
    return _respond(OK, messages.sent_value(sent.data, sent.client_id))


async def _report_mixed_up_credentials(tokens: AccessTokens, *, sent_to: int, asked_by: int) -> None:
    """Raise the incident that a casino's server uses another casino's credentials, so it will accept no call of the hub."""
    says = f"token for client {sent_to} verified as {asked_by}"
    log.warning("casino.mixed_up", says=says)
    todo = (
        f"the address of casino {sent_to} answers with the credentials of casino {asked_by}; put right one of the two"
    )
    await tokens.hub.store.incidents.raise_new(NOBODY, "mixed_up", f"{says}: {todo}")


async def _accept(tokens: AccessTokens, request: HotRequest, body: bytes, *, subject: Subject) -> Response:
    casino = await tokens.authenticate(request)
    request.require_json()
    accept = codec.read_accept(body, casino, subject)
    heard = await accept_payment(
        tokens.hub, casino.casino_id, accept.subject_id, kind=accept.kind, outcome=accept.outcome
    )
    if heard.verdict is Verdict.OK:
        return _respond(OK)
    return _respond(NOT_ACCEPTED, headers=_problem(f"final, do not send it again: {heard.why}"))


async def _answer(tokens: AccessTokens, handle: CasinoHandler, request: HotRequest) -> Response:
    try:
        body = await request.read_body() if request.whole_body is None else request.whole_body
        with TimeLimit(ANSWER_TIMEOUT_S):
            return await handle(tokens, request, body)
    except Unauthorized as stranger:
        log.info("casino.unauthorized", path=request.path, client=stranger.client, why=stranger.why)
        told = "no good id and secret" if handle is _token else "no good bearer"
        return _respond(UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer", **_problem(told)})
    except RateExceeded as busy:
        told = f"too many requests for a token from this address: ask again in {busy.wait_s} s"
        return _respond(RATE_LIMITED, headers={"Retry-After": str(busy.wait_s), **_problem(told)})
    except (TooLarge, WrongType, BadJson, BadField) as problem:
        return _unreadable(request, problem)
    except asyncio.CancelledError:
        if not tokens.hub.state.closing:
            raise
        # The worker is stopping: the request is answered anyway, in the form of this protocol.
    except ClientDisconnect:
        return _respond(UNREADABLE)
    except DbError as error:
        tokens.hub.database_health.record(error)
    except TimeoutError:
        tokens.hub.database_health.log_trouble(DbDown("a casino's request was not finished within its time limit"))
    except Exception:  # no traceback ever reaches a peer
        log.exception("casino.not_answered")
    # Whether it was processed is not known: casinos retry after an error answer.
    return _respond(NOT_NOW, headers=_problem("not taken in now: send it again"))


def _unreadable(request: HotRequest, problem: Exception) -> Response:
    match problem:
        case TooLarge():
            answer, why = TOO_LARGE, f"the body is larger than {MAX_BODY} bytes"
        case WrongType():
            answer, why = WRONG_TYPE, "Content-Type must be application/json, once"
        case _:
            answer, why = UNREADABLE, str(problem)
    log.info("casino.unreadable", path=request.path, problem=why)
    return _respond(answer, headers=_problem(why))


def _problem(text: str) -> dict[str, str]:
    """Return the reason as a header, because the contract fixes the text of the envelope."""
    return {"X-Problem": ascii(text)[1:-1][:MAX_PROBLEM_CHARS]}


def _respond(
    answer: HubAnswer, value: dict[str, object] | None = None, headers: dict[str, str] | None = None
) -> Response:
    body = messages.write_envelope(answer, value)
    return JsonReply(body, answer.status, headers)
