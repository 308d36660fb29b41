"""The routes of the admin API: let in, read the parameters, record the use, work, answer; every error is a problem of RFC 9457.

Owns: the routes and the answer to what fails. Never: a command's work. Spec: decision 0102.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from croupier.admin_api import problems
from croupier.admin_api.command import ROOT, Command
from croupier.admin_api.door import Door
from croupier.admin_api.errors import BUG, USAGE, BadParameter, code_of, sentence
from croupier.admin_api.operations import ADMIN_API, name_of, openapi
from croupier.admin_api.table import COMMANDS
from croupier.admin_api.words import for_the_books
from croupier.core.account import Account
from croupier.flows.inbound_limits import RateExceeded
from croupier.kit.inbound import TooLarge, WrongType, address_of, read_body, require_json
from croupier.kit.log import get
from croupier.kit.measured_routes import measured_routes
from croupier.kit.openapi import Operation
from croupier.kit.strictjson import BadField, BadJson, loads, record
from croupier.store.db import DbDown, DbError
from croupier.store.parties.switchings import acting

log = get("admin_api")

ANSWER_S: Final = 60.0
"""So long after it was read a request is answered. What a command has committed stays; the next one tells."""
MOST_ROWS: Final = 1000
"""The most rows of a page: a longer one would hold up the payments of this process while it is written."""
_AMBIGUOUS: Final = "several fit: give the id"
"""Said to a person who may not see all that fit."""
_BY_NAME: Final = {name_of(one): one for one in COMMANDS.values()}


def routes(door: Door) -> list[Route]:
    """Return a route for each command, and that of the API's own document."""
    made = measured_routes(ADMIN_API.operations, partial(_answer_to, door), side="admin_api", measures=door.hub)

    async def document(_: Request) -> Response:
        return Response(msgspec.json.encode(openapi()), media_type="application/json")

    made.sort(key=_rank)
    return [
        Route(f"{ROOT}/openapi.json", document),
        *(_RawRoute(one.path, one.endpoint, methods=sorted(one.methods or ())) for one in made),
    ]


def _rank(route: Route) -> int:
    """Return the place of a route: one with fixed words comes before one that takes any."""
    return route.path.count("{")


class _RawRoute(Route):
    """A route that is matched on the path as it was sent, so that a parameter may hold `%2F`, as `provider/gameId` does."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether the path fits segment by segment, and the parameters, decoded."""
        told, mine = scope["raw_path"].decode("ascii", "replace").split("/"), self.path.split("/")
        if scope["type"] != "http" or len(told) != len(mine):
            return Match.NONE, {}
        params = dict(scope.get("path_params", {}))
        for said, wanted in zip(told, mine, strict=True):
            if wanted.startswith("{"):
                params[wanted.strip("{}")] = unquote(said)
            elif said != wanted:
                return Match.NONE, {}
        child: Scope = {"endpoint": self.endpoint, "path_params": params}
        fits = self.methods is None or scope["method"] in self.methods
        return (Match.FULL if fits else Match.PARTIAL), child


def not_found(status: int) -> Response:
    """Return the answer to an unknown path or method under this API."""
    code = problems.METHOD if status == 405 else "not_found"
    return _problem(code, f"see {ROOT}/openapi.json for what there is")


async def _answer_to(door: Door, operation: Operation, request: Request) -> Response:
    asked = _BY_NAME[operation.name]
    try:
        async with asyncio.timeout(ANSWER_S):
            account = await door.admit(request)
            async with door.places:
                return await _work(door, asked, request, account=account)
    except RateExceeded as busy:
        return _problem(problems.TOO_MANY, f"ask again in {busy.wait_s} s", headers={"Retry-After": str(busy.wait_s)})
    except (TooLarge, WrongType, BadJson, ClientDisconnect, BadField) as unreadable:
        return _unreadable(unreadable)
    except DbError as error:
        door.hub.database_health.record(error)
        return _failed(error)
    except TimeoutError:
        door.hub.database_health.log_trouble(
            DbDown(f"`{asked.words}` over the admin API was not through in {ANSWER_S:.0f} s")
        )
        return _problem(problems.UNAVAILABLE, "not through in time: look whether it was done, before you ask again")
    except Exception as error:  # noqa: BLE001 - no traceback ever reaches a peer
        return _failed(error)


async def _work(door: Door, asked: Command[Any, Any], request: Request, *, account: Account) -> Response:
    params = _read(asked, request.path_params, await _given(asked, request))
    desk = await door.desk_of(account, asked, params, address=address_of(request))
    try:
        with acting(account.name, getattr(params, "reason", None)):
            result = await asked.run(desk, params)
    except Exception as error:
        if code_of(error) == "ambiguous" and not account.scope.whole:
            return _problem("ambiguous", _AMBIGUOUS)
        raise
    return Response(msgspec.json.encode(result), media_type="application/json", headers={"Cache-Control": "no-store"})


async def _given(asked: Command[Any, Any], request: Request) -> Mapping[str, Any]:
    """Return the parameters of the query or the body. Raises BadParameter, TooLarge, WrongType, BadJson."""
    if asked.reads:
        names = list(request.query_params.keys())
        twice = next((name for name in names if len(request.query_params.getlist(name)) > 1), None)
        if twice is not None:
            raise BadParameter(twice[:40], "must be given once")
        return dict(request.query_params)
    body = await read_body(request)
    if not body:
        return {}
    require_json(request)
    return record(loads(body))


def _read(asked: Command[Any, Any], path: Mapping[str, Any], given: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the command's own
    """Return the parameters. Raises BadParameter."""
    twice = next((name for name in path if name in given), None)
    if twice is not None:
        raise BadParameter(twice, "is part of the path: it cannot be given again")
    try:
        params = msgspec.convert({**given, **path}, asked.params, strict=False)
    except msgspec.ValidationError as wrong:
        raise _as_parameter(str(wrong)) from wrong
    if getattr(params, "reason", None) is not None:
        params = msgspec.structs.replace(params, reason=for_the_books(params.reason))
    if getattr(params, "limit", 0) > MOST_ROWS:
        raise BadParameter("limit", f"must be at most {MOST_ROWS} over the admin API")
    params.check()
    return params


def _as_parameter(text: str) -> BadParameter:
    """Return the library's words about a value as an error that names the field."""
    said, _, place = text.partition(" - at `$.")
    name = place.strip("`").partition(".")[0].partition("[")[0] if place else text.partition("`")[2].partition("`")[0]
    return BadParameter(name[:40] or "body", said[:1].lower() + said[1:])


def _unreadable(wrong: Exception) -> Response:
    match wrong:
        case TooLarge():
            return _problem(problems.TOO_LARGE, "the body is longer than 64 KB")
        case WrongType():
            return _problem(problems.WRONG_TYPE, "Content-Type must be application/json, once")
        case _:
            return _problem(USAGE, str(wrong) or "the request broke off")


def _failed(error: Exception) -> Response:
    code, text = code_of(error), sentence(error)
    if text is None:
        log.error("admin_api.not_answered", exc_info=error)
        return _problem(BUG, "the hub has a bug: its log shows where")
    headers = {"WWW-Authenticate": "Bearer"} if code == "not_signed_in" else {}
    return _problem(code, text, field=error.field if isinstance(error, BadParameter) else None, headers=headers)


def _problem(code: str, detail: str, *, field: str | None = None, headers: Mapping[str, str] = {}) -> Response:
    status, body = problems.problem(code, detail, field=field)
    return Response(body, status, media_type=problems.MEDIA, headers={"Cache-Control": "no-store", **headers})
