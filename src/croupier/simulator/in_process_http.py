"""`kit.wire` without a network: the request goes straight into an ASGI app of this process, as real bytes.

Owns: the translation between a wire request and an ASGI call, for the simulator and for tests. Never: start-up and
shut-down of the apps (no lifespan), streaming, WebSockets.

A call that times out does not stop the app: a real peer continues too, and this is where the interesting faults are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from croupier.kit.clock import Clock
from croupier.kit.wire import PeerError, WireAnswer, WireRequest

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]


class InProcessWire:
    """Sends requests to mounted apps. The whole-call limit is measured by the clock given."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._apps: dict[str, ASGIApp] = {}
        self._running: set[asyncio.Task[None]] = set()

    def mount(self, origin: str, app: ASGIApp) -> None:
        """Serve this origin, for example `http://casino.test`, from now on by this app."""
        self._apps[origin.rstrip("/").lower()] = app

    async def send(self, request: WireRequest) -> WireAnswer:
        """Return the app's answer; raise PeerError if nothing is mounted, or if it is too late or too large."""
        target = urlsplit(request.url)
        app = self._apps.get(f"{target.scheme}://{target.netloc}".lower())
        if app is None:
            raise PeerError("nobody is at this address", sent=False)
        call = _AppCall(request.leaving(), target)
        task = asyncio.create_task(call.run(app))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await self._in_time(call, request.total_s)

    async def close(self) -> None:
        """Stop the apps' work for calls that timed out."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _in_time(self, call: _AppCall, total_s: float) -> WireAnswer:
        limit = asyncio.ensure_future(self._clock.sleep(total_s))
        ends: tuple[asyncio.Future[Any], ...] = (call.answer, limit)
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if call.answer.done():
                return call.answer.result()
            raise PeerError("no whole answer in time")
        finally:
            limit.cancel()
            call.leave()


class _AppCall:
    """One request to an app."""

    def __init__(self, request: WireRequest, target: SplitResult) -> None:
        self.answer: asyncio.Future[WireAnswer] = asyncio.get_running_loop().create_future()
        self._request = request
        self._scope = _scope(request, target)
        self._left = asyncio.Event()
        self._body_given = False
        self._status: int | None = None
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    async def run(self, app: ASGIApp) -> None:
        """Run the app like a server: an exception before the answer began is a 500, a later one cuts the answer."""
        try:
            await app(self._scope, self._receive, self._send)
            self._settle(PeerError("the answer broke off"))
        except asyncio.CancelledError:
            self._settle(PeerError("the peer stopped"))
            raise
        except Exception as problem:  # noqa: BLE001 - a server survives whatever an app raises
            self._settle(WireAnswer(500, {}, b"") if self._status is None else PeerError(f"{type(problem).__name__}"))

    def leave(self) -> None:
        """Drop the rest of the answer, because the caller has left. An app that listens is notified."""
        if not self.answer.cancel() and not self.answer.cancelled():
            self.answer.exception()  # looked at, so that asyncio does not report it as lost
        self._left.set()

    async def _receive(self) -> Message:
        if not self._body_given:
            self._body_given = True
            return {"type": "http.request", "body": self._request.body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = _joined(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self._take(message.get("body", b""), more=message.get("more_body", False))

    def _take(self, chunk: bytes, *, more: bool) -> None:
        if self.answer.done() or self._status is None:
            return
        self._body += chunk
        if len(self._body) > self._request.max_bytes:
            self._settle(PeerError(f"an answer of more than {self._request.max_bytes} bytes"))
        elif not more:
            self._settle(WireAnswer(self._status, self._headers, bytes(self._body)))

    def _settle(self, outcome: WireAnswer | PeerError) -> None:
        if self.answer.done():
            return
        if isinstance(outcome, PeerError):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


def _scope(request: WireRequest, target: SplitResult) -> Message:
    path = target.path or "/"
    port = target.port or (443 if target.scheme == "https" else 80)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method.upper(),
        "scheme": target.scheme,
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": target.query.encode("ascii"),
        "root_path": "",
        "headers": _raw_headers(request, target.netloc),
        "client": ("127.0.0.1", 1),
        "server": (target.hostname, port),
    }


def _raw_headers(request: WireRequest, host: str) -> list[tuple[bytes, bytes]]:
    given = {name.lower(): value for name, value in request.headers.items()}
    headers = {"host": host, "content-length": str(len(request.body)), **given}
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def _joined(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        joined[key] = f"{joined[key]}, {text}" if key in joined else text
    return joined
