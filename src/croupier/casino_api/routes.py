"""The routes of this API: let in, read, work, answer; every error is a problem of RFC 9457.

Owns: the routes, entity tags, CORS of the frame's calls, and the answer to what fails. Never: a call's work.
Spec: casino.md 3.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from croupier.casino_api import bodies, books, catalogue, frame, players, sessions, why
from croupier.casino_api.calls import Call, Handler, Reply
from croupier.casino_api.door import ROOT, SCOPE, Door
from croupier.casino_api.operations import CASINO_API
from croupier.casino_api.problems import MEDIA, Problem, ProblemCode
from croupier.casino_api.records import Token
from croupier.flows.inbound_limits import RateExceeded
from croupier.flows.ports import Unauthorized
from croupier.kit import etags
from croupier.kit.inbound import TooLarge, WrongType, address_of, read_body, require_json
from croupier.kit.log import get
from croupier.kit.measured_routes import measured_routes
from croupier.kit.openapi import Operation
from croupier.kit.strictjson import BadField, BadJson
from croupier.store.db import DbDown, DbError

log = get("casino_api")

ANSWER_S: Final = 25.0
"""So long after it was read a request is answered, whatever the database or a peer does."""
_MAX_AGE_S: Final = 600
_UNLIMITED: Final = frozenset(
    {
        "casino-api/delete/sessions/{sessionId}",
        "casino-api/put/players/{playerId}/exclusion",
        "casino-api/put/players/{playerId}/limits",
    }
)
"""Calls that protect a player are never refused for their number."""

Admission = Callable[[Door, Request], Awaitable[Call]]


def routes(door: Door) -> list[Route]:
    """Return the routes: the operations, each with what does its work, and the preflights of the frame's calls."""
    made = measured_routes(CASINO_API.operations, partial(_answer_to, door), side="casino_api", measures=door.hub)
    frames = sorted({o.path for o in CASINO_API.operations if o.path.startswith(f"{ROOT}/frame/")})

    async def preflight(request: Request) -> Response:
        return await _preflight(door, request)

    return made + [Route(path, preflight, methods=["OPTIONS"]) for path in frames]


def not_found(status: int) -> Response:
    """Return the answer to an unknown path or method under this API."""
    code = ProblemCode.METHOD_NOT_ALLOWED if status == 405 else ProblemCode.NOT_FOUND
    return _problem(Problem(code, "see /openapi.json for what there is"))


async def _token(call: Call) -> Reply:
    casino_id, secret = bodies.read_token_request(call.body)
    tokens = call.door.tokens[SCOPE]
    issued = await tokens.issue(casino_id, secret, address_of(call.request))
    told = Token(accessToken=issued, tokenType="Bearer", expiresIn=tokens.token_s, scope=SCOPE)
    return Reply(told, headers={"Cache-Control": "no-store"})


HANDLERS: Final[Mapping[str, Handler]] = {
    "casino-api/post/auth/token": _token,
    "casino-api/games": catalogue.games,
    "casino-api/games/{gameId}": catalogue.game,
    "casino-api/games/{gameId}/why": why.game,
    "casino-api/bets/{betId}/why": why.bet,
    "casino-api/post/sessions": sessions.open_session,
    "casino-api/sessions": sessions.sessions,
    "casino-api/sessions/{sessionId}": sessions.session,
    "casino-api/delete/sessions/{sessionId}": sessions.close_session,
    "casino-api/bets": books.bets,
    "casino-api/bets/{betId}": books.bet,
    "casino-api/payments": books.payments,
    "casino-api/statements/{day}": books.day,
    "casino-api/players/{playerId}/exclusion": players.exclusion,
    "casino-api/put/players/{playerId}/exclusion": players.exclude,
    "casino-api/delete/players/{playerId}/exclusion": players.readmit,
    "casino-api/players/{playerId}/limits": players.limits,
    "casino-api/put/players/{playerId}/limits": players.limit,
    "casino-api/post/frame/session": frame.enter,
    "casino-api/post/frame/session/renew": frame.renew,
    "casino-api/frame/session": frame.state,
    "casino-api/frame/games": frame.lobby,
    "casino-api/post/frame/games/{gameId}/launch": frame.launch_game,
}


async def _answer_to(door: Door, operation: Operation, request: Request) -> Response:
    handle, admit = HANDLERS[operation.name], _admission(operation)
    bounded = operation.method == "GET"
    response = await _answer(door, operation, work=lambda: _work(door, request, admit, handle=handle, bounded=bounded))
    if operation.path.startswith(f"{ROOT}/frame/"):
        await _allow_origin(door, request, response)
    return response


def _admission(operation: Operation) -> Admission:
    """Return who is let in to an operation, and how often."""
    with_body, limited = bool(operation.bodies), operation.name not in _UNLIMITED

    async def by_casino(door: Door, request: Request) -> Call:
        casino = await door.casino_of(request)
        if limited:
            door.limit_casino(casino)
        return Call(door, request, await _body(request, with_body=with_body), casino)

    async def by_player(door: Door, request: Request) -> Call:
        door.limit_address(request)
        player = await door.player_of(request)
        door.limit_player(player)
        return Call(door, request, await _body(request, with_body=with_body), player.casino, player)

    async def by_body(door: Door, request: Request) -> Call:
        door.limit_address(request)
        body = await _body(request, with_body=True)
        asked = bodies.read_entry(body)
        casino = await door.hub.store.casinos.get(asked.casino_id)
        if casino is None or casino.closed:
            raise frame.of_no_casino(asked)
        door.check_origin(request, casino)
        return Call(door, request, body, casino)

    if operation.path.endswith("/auth/token"):
        return _by_address
    if operation.path == f"{ROOT}/frame/session" and operation.method == "POST":
        return by_body
    return by_player if operation.path.startswith(f"{ROOT}/frame/") else by_casino


async def _by_address(door: Door, request: Request) -> Call:
    door.limit_address(request)
    nobody: None = None
    return Call(door, request, await _body(request, with_body=True), nobody)  # type: ignore[arg-type]


async def _body(request: Request, *, with_body: bool) -> bytes:
    if not with_body:
        return b""
    body = await read_body(request)
    require_json(request)
    return body


async def _work(door: Door, request: Request, admit: Admission, *, handle: Handler, bounded: bool) -> Response:
    call = await admit(door, request)
    if not bounded:
        return _good(request, await handle(call), tagged=False)
    async with door.places:
        return _good(request, await handle(call), tagged=True)


def _good(request: Request, reply: Reply, *, tagged: bool) -> Response:
    body = _json(reply.body)
    answer = Response(body, reply.status, headers=dict(reply.headers), media_type="application/json")
    if not tagged:
        return answer
    tag = etags.tag_of(body if reply.tagged is None else _json(reply.tagged))
    kept = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if etags.is_current(request, tag):
        return Response(status_code=304, headers=kept)
    answer.headers.update(kept)
    return answer


async def _answer(door: Door, operation: Operation, *, work: Callable[[], Awaitable[Response]]) -> Response:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await work()
    except Problem as problem:
        return _problem(problem)
    except RateExceeded as busy:
        told = f"ask again in {busy.wait_s} s"
        return _problem(Problem(ProblemCode.TOO_MANY_REQUESTS, told, retry_after_s=busy.wait_s))
    except Unauthorized as stranger:
        log.info("casino_api.unauthorized", route=operation.name, client=stranger.client, why=stranger.why)
        return _problem(Problem(ProblemCode.UNAUTHORIZED, "no good bearer for this call, or a wrong id or secret"))
    except (TooLarge, WrongType, BadJson, BadField, ClientDisconnect) as unreadable:
        return _problem(_unreadable(unreadable))
    except DbError as error:
        door.hub.database_health.record(error)
    except TimeoutError:
        door.hub.database_health.log_trouble(
            DbDown("a request of the casino API was not through within the time for it")
        )
    except Exception:  # no traceback ever reaches a peer
        log.exception("casino_api.not_answered")
    return _problem(Problem(ProblemCode.NOT_NOW, "not available now: ask again", retry_after_s=1))


def _unreadable(wrong: Exception) -> Problem:
    match wrong:
        case TooLarge():
            return Problem(ProblemCode.TOO_LARGE, "the body is longer than 64 KB")
        case WrongType():
            return Problem(ProblemCode.WRONG_TYPE, "Content-Type must be application/json, once")
        case BadField():
            return Problem(ProblemCode.BAD_REQUEST, str(wrong), wrong.field)
        case _:
            return Problem(ProblemCode.BAD_REQUEST, str(wrong) or "the request broke off")


def _problem(problem: Problem) -> Response:
    return Response(problem.body(), problem.status, headers=problem.headers(), media_type=MEDIA)


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()


async def _allow_origin(door: Door, request: Request, response: Response) -> None:
    """Let a page of a known origin read the answer. Whether it may ask for this casino was decided in the call."""
    origin = request.headers.get("origin")
    if origin is not None and await _is_known(door, request, origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "ETag, Retry-After"
        response.headers["Vary"] = "Origin, Authorization"


async def _preflight(door: Door, request: Request) -> Response:
    """Answer what a browser asks before a call. Which casino is meant stands in the call itself."""
    origin = request.headers.get("origin")
    if origin is None or not await _is_known(door, request, origin):
        return _problem(Problem(ProblemCode.FORBIDDEN_ORIGIN, "this origin is on no casino's list"))
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "authorization, content-type, if-none-match",
        "Access-Control-Max-Age": str(_MAX_AGE_S),
        "Vary": "Origin",
    }
    return Response(status_code=204, headers=headers)


async def _is_known(door: Door, request: Request, origin: str) -> bool:
    try:
        return await door.known_origin(request, origin)
    except DbError as error:
        door.hub.database_health.record(error)
        return False
