"""The short way of a request of the payment path that came whole: from the parser to its route, and back to the socket.

It passes neither uvicorn's cycle nor an ASGI scope, and no coroutine stands between the event loop and the route: each would
be entered again whenever the request waits (decision 0106). Whatever is only slightly unusual goes the usual way: a header
that is there twice, an expectation, an upgrade, a chunked or large body, an escaped path, a request before the answer of the
one before it.

Owns: which requests are plain, and what uvicorn and http_guard ask of one under way. Never: an answer, or a limit.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from croupier.apps.hot_routes import HubApp
from croupier.kit.inbound import HotRequest, RawHeaders, declares_too_much
from croupier.kit.json_reply import JsonReply
from croupier.kit.measured_routes import HotRoute

_PLAIN_PATH: Final = re.compile(rb"/[A-Za-z0-9/_-]+")
_UNUSUAL: Final = frozenset({b"transfer-encoding", b"expect", b"upgrade"})
_FORWARDED_FOR: Final = b"x-forwarded-for"
_NOBODY_WAITS: Final = asyncio.Event()
"""Who has the whole request waits for no message of its connection."""

Client = tuple[str, int] | None


class ShortWay:
    """The choice of the requests that go the short way to the hot routes of one app."""

    def __init__(self, app: HubApp, proxies: ProxyHeadersMiddleware | None) -> None:
        self._app = app
        self._proxies = proxies

    @classmethod
    def of(cls, config: Config) -> ShortWay | None:
        """Return it, or None where uvicorn is told to do with each request what the short way does not do."""
        app: Any = config.loaded_app
        proxies = app if isinstance(app, ProxyHeadersMiddleware) else None
        app = app if proxies is None else proxies.app
        unusual = config.root_path or config.limit_concurrency is not None or config.reset_contextvars
        return cls(app, proxies) if isinstance(app, HubApp) and not unusual else None

    def take(
        self, method: str, url: bytes, headers: RawHeaders, *, client: Client, arrived_s: float
    ) -> tuple[HotRoute, HotRequest] | None:
        """Return the route of a plain request of HTTP/1.1 and what its handlers need, or None."""
        once = dict(headers)
        if len(once) != len(headers) or not _UNUSUAL.isdisjoint(once) or not _PLAIN_PATH.fullmatch(url):
            return None
        path = url.decode("ascii")
        found = self._app.find(method, path)
        if found is None or declares_too_much(once.get(b"content-length", b"0")):
            return None
        address = client[0] if client else ""
        if self._proxies is not None and _FORWARDED_FOR in once:
            address = self._named_by_proxy(client, once) or address
        return found[0], HotRequest(method, path, headers, once, address, arrived_s, found[1], b"")

    def _named_by_proxy(self, client: Client, once: Mapping[bytes, bytes]) -> str:
        """Return the address that a trusted proxy names, by uvicorn's own rule, or ""."""
        assert self._proxies is not None
        trusted = self._proxies.trusted_hosts
        if (client[0] if client else None) not in trusted:
            return ""
        return trusted.get_trusted_client_address(once[_FORWARDED_FOR].decode("latin1"))[0]


class Server(Protocol):
    """What a cycle needs of its connection."""

    def answer(self, status: int, head: bytes, body: bytes, *, cycle: WholeCycle) -> bool:
        """Write a whole response at once. False: send it the usual way."""
        ...

    def framed(self, cycle: WholeCycle) -> RequestResponseCycle:
        """Return uvicorn's cycle for the rest of this request, which has its body."""
        ...


class WholeCycle:
    """One whole request and its response, in place of uvicorn's cycle, for whoever asks the connection for that."""

    scope: None = None
    message_event = _NOBODY_WAITS

    __slots__ = (
        "_server",
        "default_headers",
        "disconnected",
        "keep_alive",
        "request",
        "response_complete",
        "response_started",
        "route",
        "waiting_for_100_continue",
    )

    def __init__(
        self, server: Server, route: HotRoute, request: HotRequest, *, default_headers: RawHeaders, keep_alive: bool
    ) -> None:
        self._server = server
        self.route = route
        self.request = request
        self.default_headers = default_headers
        self.keep_alive = keep_alive
        self.disconnected = self.response_started = self.response_complete = self.waiting_for_100_continue = False

    async def run_asgi(self, _: object) -> None:
        """Answer the request. What cannot be written in one piece, and what breaks, is uvicorn's cycle's to send."""
        request, meter = self.request, self.route.meter
        rest: ASGIApp
        try:
            answering = self.route.answer(request)
            if meter.tracer is None:  # without one more coroutine around it
                rest = response = await answering
                meter.note(response, request.arrived_s)
            else:
                rest = response = await meter.measured(answering, request.arrived_s, request.headers)
        except BaseException as problem:  # noqa: BLE001 - uvicorn logs and answers it
            rest = _raising(problem)
        else:
            if isinstance(response, JsonReply):
                head = response.whole_head
                if head is not None and self._server.answer(response.status_code, head, response.body, cycle=self):
                    return
        await self._server.framed(self).run_asgi(rest)  # type: ignore[arg-type] # Starlette's and uvicorn's ASGI


def _raising(problem: BaseException) -> Callable[[Scope, Receive, Send], Any]:
    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise problem

    return app
