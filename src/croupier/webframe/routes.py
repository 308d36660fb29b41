"""The routes of the frame: its files, its document, and the calls of its own script.

Owns: HTTP requests and responses, and the limits of how often a browser may call. Never: a cookie. Every call carries its token in a header
that no other page can set, so no other page can act for a player. Spec: webframe.md 2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from croupier.core.counterparty import Casino
from croupier.flows.hub import Hub
from croupier.flows.ports import Unauthorized
from croupier.kit import strictjson
from croupier.kit.inbound import TooLarge, WrongType, bearer_of, read_body, require_json
from croupier.kit.log import get
from croupier.kit.strictjson import BadField, BadJson, Record
from croupier.store.db import DbError
from croupier.webframe import shell
from croupier.webframe.client_files import StaticFile, client_files
from croupier.webframe.lobby import Lobby
from croupier.webframe.page_files import LAST_RESORT, language_of, page_files
from croupier.webframe.player_session import GameWish, PlayerSessions, Refused
from croupier.webframe.player_tokens import Bearer, PlayerTokens
from croupier.webframe.rate_limit import Pace, RateLimit

log = get("frame")

ANSWER_S: Final = 15.0
"""A launch waits for the provider at most this long."""
MAX_BODY: Final = 16_384
MAX_TOKEN: Final = 4096
MAX_ID: Final = 2**53
PER_ADDRESS: Final = Pace(300, 30.0)
"""Many players may share one address."""
PER_CALLER: Final = Pace(40, 4.0)
BEGINNINGS: Final = Pace(60, 2.0)
"""Sessions and launches of one address: each is a call on a casino or a provider."""
NO_STORE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_OWN: Final = (None, "same-origin", "none")
"""What a browser says in Sec-Fetch-Site of a call of our own page."""

Handler = Callable[[Request], Awaitable[dict[str, Any]]]


class FrameSide:
    """This part's state in one process."""

    def __init__(self, hub: Hub, issuer: str, *, plain_http: bool) -> None:
        self._hub = hub
        self._plain_http = plain_http
        self._tokens = PlayerTokens(hub, issuer)
        self._lobby = Lobby(hub)
        self._sessions = PlayerSessions(hub, self._tokens, self._lobby)
        self._files: dict[str, StaticFile] = {**client_files(), **page_files()}
        self._limits: dict[str, RateLimit] | None = None

    def routes(self) -> list[Route]:
        """Return the routes."""
        calls: list[tuple[str, str, Handler]] = [
            ("POST", "session", self._session),
            ("GET", "lobby", self._games),
            ("GET", "live", self._live),
            ("POST", "launch", self._launch),
            ("GET", "balance", self._balance),
        ]
        return [
            Route("/assets/{name:path}", self._file, methods=["GET"]),
            Route("/", self._document, methods=["GET"]),
            Route("/frame", self._document, methods=["GET"]),
            *(
                Route(f"/frame/api/{name}", self._answering(name, call), methods=[method])
                for method, name, call in calls
            ),
        ]

    # --- files and the document -----------------------------------------------------------------------------------

    async def _file(self, request: Request) -> Response:
        found = self._files.get(request.url.path)
        if found is None:
            return JSONResponse({"code": "no_file"}, 404, headers=NO_STORE)
        told = {"ETag": found.tag, "Cache-Control": found.cached, "X-Content-Type-Options": "nosniff"}
        told["Cross-Origin-Resource-Policy"] = "cross-origin" if found.shared else "same-origin"
        if found.shared:
            told["Access-Control-Allow-Origin"] = "*"
        if found.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=told)
        return Response(found.body, headers=told, media_type=found.media_type)

    async def _document(self, request: Request) -> Response:
        """Answer the shell. It never shows what the query says; the page's script reads it."""
        if request.url.path == "/" and "clientId" not in request.query_params:
            raise HTTPException(404)  # only pages of the ancestor's kind name the hub without a path
        language = language_of(request.query_params.get("lng", LAST_RESORT)[:35])
        try:
            casino = await self._casino(request.query_params.get("clientId", ""))
        except DbError as error:
            self._hub.database_health.record(error)
            return Response("The games cannot answer now. Reload the page in a minute.", 503, headers=NO_STORE)
        known = casino is not None and not casino.closed
        origins = casino.origins if known and casino is not None else ()
        page = shell.document(casino if known else None, language)
        headers = shell.headers(origins, plain_http=self._plain_http)
        return HTMLResponse(page, 200 if known else 404, headers=headers)

    async def _casino(self, text: str) -> Casino | None:
        good = text.isascii() and text.isdecimal() and len(text) <= 15
        return await self._hub.store.casinos.get(int(text)) if good else None

    # --- calls ----------------------------------------------------------------------------------------------------

    def _answering(self, name: str, call: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            clock, metrics = self._hub.clock, self._hub.metrics
            started_s = clock.monotonic_s()
            response = await self._answer(name, call, request)
            metrics.observe("croupier_request_seconds", clock.monotonic_s() - started_s, "frame", name)
            metrics.count("croupier_requests_total", "frame", name, str(response.status_code))
            return response

        return endpoint

    async def _answer(self, name: str, call: Handler, request: Request) -> Response:
        try:
            self._limit(name, request)
            async with asyncio.timeout(ANSWER_S):
                return JSONResponse(await call(request), headers=NO_STORE)
        except _TooMany as limited:
            return JSONResponse({"code": "too_many"}, 429, headers={**NO_STORE, "Retry-After": str(limited.wait_s)})
        except Unauthorized as stranger:
            log.info("frame.unauthorized", path=request.url.path, why=stranger.why)
            return _say(401, "access")
        except Refused as refused:
            return _say(refused.status, refused.code)
        except (TooLarge, WrongType, BadJson, BadField, ClientDisconnect):
            return _say(400, "unreadable")
        except DbError as error:
            self._hub.database_health.record(error)
        except TimeoutError:
            log.info("frame.slow", path=request.url.path)
        except Exception:  # no traceback ever reaches a browser
            log.exception("frame.not_answered")
        return _say(503, "not_now")

    def _limit(self, name: str, request: Request) -> None:
        """Count the call for its address, and a beginning also as such. Raises _TooMany, Refused."""
        if request.headers.get("sec-fetch-site") not in _OWN:
            raise Refused(403, "unreadable")
        address = request.client.host if request.client else ""
        self._count("address", address)
        if name in ("session", "launch"):
            self._count("beginning", address)

    def _count(self, limit: str, about: object) -> None:
        if self._limits is None:
            paces = {"address": PER_ADDRESS, "caller": PER_CALLER, "beginning": BEGINNINGS}
            self._limits = {name: RateLimit(self._hub.clock, pace) for name, pace in paces.items()}
        wait_s = self._limits[limit].wait_s(about)
        if wait_s:
            raise _TooMany(wait_s)

    async def _bearer(self, request: Request) -> Bearer:
        token = bearer_of(request)
        if token is None:
            raise Unauthorized("no bearer")
        bearer = await self._tokens.read(token)
        if bearer.player_id is not None:
            self._count("caller", bearer.player_id)
        return bearer

    async def _session(self, request: Request) -> dict[str, Any]:
        asked = await _body(request)
        casino_id = strictjson.integer(asked, "clientId", low=1, high=MAX_ID)
        tag_id = strictjson.integer(asked, "tagId", low=0, high=MAX_ID) if asked.get("tagId") is not None else None
        casino = await self._hub.store.casinos.get(casino_id)
        if casino is None or casino.closed:
            raise Refused(404, "unknown_casino")
        before = None
        if bearer_of(request) is not None:
            try:
                before = await self._bearer(request)
            except Unauthorized:
                before = None  # an expired session is begun anew
        refresh_token = strictjson.optional_text(asked, "token", MAX_TOKEN)
        return await self._sessions.begin(casino, refresh_token, tag_id=tag_id, before=before)

    async def _games(self, request: Request) -> dict[str, Any]:
        bearer = await self._bearer(request)
        return {"games": await self._lobby.games(bearer.casino)}

    async def _live(self, request: Request) -> dict[str, Any]:
        await self._bearer(request)
        return await self._lobby.live()

    async def _launch(self, request: Request) -> dict[str, Any]:
        bearer, asked = await self._bearer(request), await _body(request)
        wish = GameWish(
            game_id=strictjson.integer(asked, "gameId", low=1, high=MAX_ID),
            demo=strictjson.boolean(asked, "demo"),
            language=strictjson.text(asked, "language", 35),
            mobile=strictjson.boolean(asked, "mobile"),
            tag_id=strictjson.integer(asked, "tagId", low=0, high=MAX_ID) if asked.get("tagId") is not None else None,
        )
        return await self._sessions.launch(bearer, wish)

    async def _balance(self, request: Request) -> dict[str, Any]:
        bearer, query = await self._bearer(request), request.query_params
        return await self._sessions.balance(bearer, query.get("session"), fresh="fresh" in query)


class _TooMany(Exception):
    def __init__(self, wait_s: int) -> None:
        super().__init__(wait_s)
        self.wait_s = wait_s


async def _body(request: Request) -> Record:
    body = await read_body(request, MAX_BODY)
    require_json(request)
    return strictjson.record(strictjson.loads(body))


def _say(status: int, code: str) -> Response:
    return JSONResponse({"code": code}, status, headers=NO_STORE)
