"""The SignalR hub on the network: negotiate and the WebSocket, who may come in, and the calls of clients.

Owns: the ASGI endpoints under both paths. Never: the connections' lives (connections), the protocol (signalr), what is in a
snapshot. Access tokens and connection tokens are never logged. Contract: feed.md 3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from croupier.feed import connection_tokens, origins
from croupier.feed.client import Client, Socket
from croupier.feed.connections import Connections
from croupier.feed.signalr import negotiate
from croupier.feed.signalr.connection import Call
from croupier.feed.subscriptions import SubscriptionRefused, change
from croupier.flows.ports import Admitted, Tokens, Unauthorized
from croupier.kit.inbound import bearer_of
from croupier.kit.log import get
from croupier.store.db import DbError

log = get("feed")

PATHS: Final = ("/signalrhub-livefeed-service/hubs", "/signalrhub-integration-service/hubs")
"""The hub's path, and the older one."""
SOCKET: Final = "croupier.socket"
"""The key of an ASGI scope's extensions: the `Socket`."""
KEY_PURPOSE: Final = "feed connections"
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,8192}=*", re.ASCII)
_RETRY: Final = {"Retry-After": "2"}


def routes(connections: Connections, tokens: Tokens) -> list[BaseRoute]:
    """Both paths of the hub."""
    admission = SocketAdmission(connections, tokens)
    asked = [Route(f"{path}/negotiate", admission.negotiate, methods=["POST", "OPTIONS"]) for path in PATHS]
    return [*asked, *(WebSocketRoute(path, SocketEndpoint(admission)) for path in PATHS)]


class ConnectionRefused(Exception):
    """A request that gets no connection: the status, and headers that say why to the peer."""

    def __init__(self, status: int, problem: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem)
        self.status = status
        self.headers = {"X-Problem": problem, "Cache-Control": "no-store", **(headers or {})}


class SocketAdmission:
    """Admission of requests to the hub."""

    def __init__(self, connections: Connections, tokens: Tokens) -> None:
        self.connections = connections
        self._hub = connections.hub
        self._tokens = tokens
        self._origins = origins.Origins(connections.hub)

    async def admit(self, asked: HTTPConnection) -> tuple[Admitted, str]:
        """Return the casino whose access token came by header or query, and the token. Raises ConnectionRefused."""
        token = _token_of(asked)
        try:
            return await self._tokens.admit(token or ""), token or ""
        except Unauthorized as stranger:
            log.info("feed.unauthorized", path=asked.url.path, client=stranger.client, why=stranger.why)
            raise ConnectionRefused(401, "no good bearer", {"WWW-Authenticate": "Bearer"}) from None
        except DbError as error:
            self._hub.database_health.log_trouble(error)
            raise ConnectionRefused(503, "not now: try again", _RETRY) from None

    def check_room(self, admitted: Admitted) -> None:
        """Raises ConnectionRefused where one connection more would be too many, or the worker stops."""
        why = self.connections.no_room(admitted.casino.casino_id)
        if why is not None:
            log.info("feed.full", casino=admitted.casino.casino_id, why=why)
            raise ConnectionRefused(503, why, _RETRY)

    async def negotiate(self, request: Request) -> Response:
        """`POST …/negotiate`, and the question that a browser asks before it."""
        origin = request.headers.get("origin")
        try:
            if request.method == "OPTIONS":
                return await self._preflight(origin)
            return await self._negotiated(request, origin)
        except ConnectionRefused as refused:
            readable = origin is not None and refused.status != 403 and await self._known(origin)
            allowed = origins.answer_headers(origin if readable else None)
            return JSONResponse({"error": str(refused)}, refused.status, {**refused.headers, **allowed})

    async def _preflight(self, origin: str | None) -> Response:
        if origin is None or not await self._known(origin):
            raise ConnectionRefused(403, "this origin is on no casino's list")
        return Response(status_code=204, headers=origins.preflight_headers(origin))

    async def _negotiated(self, request: Request, origin: str | None) -> Response:
        try:
            version = negotiate.version(request.query_params.get("negotiateVersion"))
        except ValueError as problem:
            raise ConnectionRefused(400, str(problem)) from None
        admitted, _ = await self.admit(request)
        casino_id = admitted.casino.casino_id
        if not origins.allows(admitted.casino, origin):
            log.info("feed.origin_refused", casino=casino_id, origin=str(origin)[:200])
            raise ConnectionRefused(403, "this origin is not on the casino's list")
        self.check_room(admitted)
        connection_id = self._hub.chance.hex(connection_tokens.ID_BYTES)
        key = self._hub.store.keys.secret_of_all(KEY_PURPOSE)
        now_s = self._hub.clock.now_ms() // 1000
        token = connection_tokens.issue(key, connection_id, casino_id, now_s=now_s)
        headers = {"Cache-Control": "no-store", **origins.answer_headers(origin)}
        return JSONResponse(negotiate.answer(version, connection_id, token), headers=headers)

    async def _known(self, origin: str) -> bool:
        try:
            return await self._origins.any_allows(origin)
        except DbError:
            return False

    def connection_id(self, asked: HTTPConnection, admitted: Admitted) -> str:
        """The id that negotiate gave, or a new one: a socket without a good `id` is a new connection."""
        key = self._hub.store.keys.secret_of_all(KEY_PURPOSE)
        known = connection_tokens.connection_id(
            key, asked.query_params.get("id", ""), admitted.casino.casino_id, now_s=self._hub.clock.now_ms() // 1000
        )
        return known or self._hub.chance.hex(connection_tokens.ID_BYTES)


class SocketEndpoint:
    """The WebSocket, as an ASGI app: starlette's own wrapping would cost memory for each client."""

    def __init__(self, admission: SocketAdmission) -> None:
        self._admission = admission
        self._connections = admission.connections

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """One connection, from its request to its end."""
        await receive()
        asked = HTTPConnection(scope)
        try:
            admitted, token = await self._admission.admit(asked)
            self._admission.check_room(admitted)
        except ConnectionRefused as refused:
            await _deny(send, refused)
            return
        connection_id = self._admission.connection_id(asked, admitted)
        await send({"type": "websocket.accept"})
        socket: Socket = scope["extensions"][SOCKET]
        client = Client(socket, admitted, token, connection_id=connection_id, now_s=self._now_s())
        self._connections.join(client)
        try:
            await self._serve(client, receive)
        finally:
            self._connections.leave(client)

    async def _serve(self, client: Client, receive: Any) -> None:  # noqa: ANN401 - ASGI
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            data = message.get("bytes")
            now_s = self._now_s()
            for call in client.receive(message["text"].encode() if data is None else data, now_s):
                self._call(client, call, now_s)

    def _call(self, client: Client, call: Call, now_s: float) -> None:
        try:
            wanted = change(call, client.admitted.casino.casino_id)
            if wanted.wanted:
                self._connections.check_subscriptions(client, wanted.game_type)
        except SubscriptionRefused as problem:
            client.answer(call, now_s, str(problem))
            return
        client.answer(call, now_s)
        if wanted.wanted:
            self._connections.fan_out.subscribe(client, wanted.game_type, wanted.count)
        else:
            self._connections.fan_out.unsubscribe(client, wanted.game_type)

    def _now_s(self) -> float:
        return self._connections.hub.clock.monotonic_s()


def _token_of(asked: HTTPConnection) -> str | None:
    """By `Authorization: Bearer`, or else by the query: a browser's socket has no headers of its own."""
    token = bearer_of(asked)
    if token is not None or "authorization" in asked.headers:
        return token
    told = asked.query_params.getlist("access_token")
    return told[0] if len(told) == 1 and _TOKEN.fullmatch(told[0]) else None


async def _deny(send: Any, refused: ConnectionRefused) -> None:  # noqa: ANN401 - ASGI
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in refused.headers.items()]
    await send({"type": "websocket.http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b""})
