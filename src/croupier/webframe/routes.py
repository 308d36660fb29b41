"""The routes of the frame: its files, its document, and what is live now.

Owns: HTTP requests and responses. Never: a cookie, or a player: the document's script makes the calls of casino.md 3.3, and each
carries its token in a header that no other page can set. Spec: webframe.md 2.
"""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from croupier.core.counterparty import Casino
from croupier.flows.hub import Hub
from croupier.kit.token_buckets import TokenBuckets
from croupier.store.db import DbError
from croupier.webframe import shell
from croupier.webframe.client_files import StaticFile, client_files
from croupier.webframe.live import Live
from croupier.webframe.page_files import LAST_RESORT, language_of, page_files

PER_ADDRESS_PER_S: Final = 30.0
"""Requests for what is live, a second and address; many players may share one."""
AT_ONCE: Final = 300.0
NO_STORE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class FrameSide:
    """This part's state in one process."""

    def __init__(self, hub: Hub, *, plain_http: bool) -> None:
        self._hub = hub
        self._plain_http = plain_http
        self._live = Live(hub)
        self._files: dict[str, StaticFile] = {**client_files(), **page_files()}
        self._addresses = TokenBuckets(self._now_s, PER_ADDRESS_PER_S, AT_ONCE)

    def _now_s(self) -> float:
        return self._hub.clock.monotonic_s()

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/assets/{name:path}", self._file, methods=["GET"]),
            Route("/", self._document, methods=["GET"]),
            Route("/frame", self._document, methods=["GET"]),
            Route("/frame/live", self._live_now, methods=["GET"]),
        ]

    async def _file(self, request: Request) -> Response:
        found = self._files.get(request.url.path)
        if found is None:
            return JSONResponse({"code": "not_found"}, 404, headers=NO_STORE)
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

    async def _live_now(self, request: Request) -> Response:
        wait_s = self._addresses.wait_s(request.client.host if request.client else "")
        if wait_s:
            headers = {**NO_STORE, "Retry-After": str(wait_s)}
            return JSONResponse({"code": "too_many_requests"}, 429, headers=headers)
        try:
            casino = await self._casino(request.query_params.get("clientId", ""))
            told = await self._live.now(0 if casino is None or casino.closed else casino.casino_id)
            return JSONResponse(told, headers=NO_STORE)
        except DbError as error:
            self._hub.database_health.record(error)
            return JSONResponse({"code": "not_now"}, 503, headers=NO_STORE)
