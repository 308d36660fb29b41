"""Limits of time and size for one HTTP request, enforced at the socket before any other code sees it.

Owns: the limits for the head and the whole of a request, which uvicorn does not have. Without them a peer that sends one
byte a minute keeps a connection for ever, and an endless header fills the memory. And the parting of the two ways: what
whole_request takes goes to its route, everything else goes to uvicorn's cycle. Never: the meaning of a request; each
protocol answers a body that is too large itself.
"""

from __future__ import annotations

import asyncio
import resource
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from croupier.apps.bare_answer import bare_answer
from croupier.apps.whole_request import ShortWay, WholeCycle
from croupier.feed.sockets import PATHS
from croupier.kit.clock import monotonic_s
from croupier.kit.inbound import ARRIVED
from croupier.kit.json_reply import ANSWER

FIRST_BYTE_S: Final = 75.0
"""The time to the first byte of a new connection. Between two requests uvicorn's own keep-alive applies."""
HEAD_S: Final = 10.0
"""The time from the first byte of a request to the end of its headers."""
BODY_S: Final = 20.0
"""The time from there to the end of its body."""
MAX_HEAD: Final = 65_536
"""The most bytes of request line and headers together."""
MAX_REQUEST: Final = 1_048_576
"""The most bytes of a request on the wire: 64 KB of body in chunks of one byte fit in."""

RESERVED: Final = 256
"""Descriptors reserved for the database, the casinos and files; incoming connections never use them."""
MOST_CONNECTIONS: Final = 20_000
_SOCKETS: Final = frozenset(path.encode("ascii") for path in PATHS)
"""The paths that answer an upgrade to a WebSocket; everywhere else the request is served as if it asked for none."""

_TOO_MANY = "503 Service Unavailable"
_TOO_LARGE = "431 Request Header Fields Too Large"
_TOO_SLOW = "408 Request Timeout"


def raise_descriptors() -> None:
    """Raise the limit of open files to what this process may have: the usual soft limit is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, min(hard, 65_536) if hard != resource.RLIM_INFINITY else 65_536)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_connections() -> int:
    """Return the most connections at once, so that the money path always has descriptors left."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(8, min(MOST_CONNECTIONS, soft - min(RESERVED, soft // 2)))


class HttpGuard(HttpToolsProtocol):
    """uvicorn's httptools protocol with limits. One per connection."""

    _defaults: ClassVar[list[tuple[bytes, bytes]]] = []
    """The headers of every response that were joined last."""
    _usual: ClassVar[bytes] = b""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own, handed on
        super().__init__(*args, **kwargs)
        self._taken = 0
        self._ended = self._in_body = self._begun = self._in_head = self._reading = False
        self._idle_since_s = 0.0
        self._deadline: asyncio.TimerHandle | None = None
        self._limit_s: float | None = None
        """The limit of the part that is being read; None between two requests."""
        self._piece = 0
        self._arrived_s = 0.0
        self._short_way = ShortWay.of(self.config)
        self._held: WholeCycle | None = None
        """A request that goes the short way, if its body comes with the piece of its head."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Start the timeout of a new connection."""
        super().connection_made(transport)
        self._idle_since_s = monotonic_s()
        self._limit_s = FIRST_BYTE_S
        self._within(FIRST_BYTE_S)
        if len(self.connections) > most_connections():
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timeout of a closed connection."""
        self._cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes and refuse a request that is too large. One piece from the network is parsed before it is counted.

        A timeout starts where a piece leaves a request unfinished: most requests are one piece and need none.
        """
        self._ended, self._piece = False, len(data)
        self._reading = True
        super().data_received(data)
        self._reading = False
        if self._held is not None:
            self._let_go(self._held)
        if self._limit_s is None:
            if self._deadline is not None:
                self._cancel()
        elif self._deadline is None:
            self._within(self._limit_s)
        self._taken = 0 if self._ended else self._taken + len(data)
        if self._taken > (MAX_REQUEST if self._in_body else MAX_HEAD):
            self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Note the arrival of a request, and start the timeout of its head. Its scope is made where it is needed."""
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._in_head = True
        self._arrived_s = monotonic_s()
        self._limit_s = HEAD_S
        if self._deadline is not None:
            self._cancel()

    def on_headers_complete(self) -> None:
        """Check the size of the head, which is no larger than what came of the request, and limit the body's time."""
        self._in_body = True
        came = self._taken + self._piece
        if (
            came > MAX_HEAD
            and len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MAX_HEAD
        ):
            self._refuse(_TOO_LARGE)
            return
        self._begun = True
        self._limit_s = BODY_S
        if self._deadline is not None:
            self._cancel()
        self._held = self._plain()
        if self._held is None:
            self._go_the_usual_way()

    def _plain(self) -> WholeCycle | None:
        """Return the cycle of a request that goes the short way, or None."""
        before: RequestResponseCycle | None = self.cycle
        between = before is None or before.response_complete
        if self._short_way is None or not between or self.parser.get_http_version() != "1.1":
            return None
        method = self.parser.get_method().decode("ascii")
        taken = self._short_way.take(method, self.url, self.headers, client=self.client, arrived_s=self._arrived_s)
        if taken is None:
            return None
        keep_alive = self.parser.should_keep_alive()
        return WholeCycle(self, *taken, default_headers=self.server_state.default_headers, keep_alive=keep_alive)

    def _go_the_usual_way(self) -> None:
        """Begin uvicorn's cycle for the request whose head is here."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        self.scope[ARRIVED] = self._arrived_s  # type: ignore[literal-required] # ours, for our own routes
        super().on_headers_complete()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and cycle.scope is self.scope:  # it is none where the connection becomes a WebSocket
            self.scope[ANSWER] = partial(self.answer, cycle=cycle)  # type: ignore[typeddict-unknown-key] # kit.json_reply

    def _let_go(self, held: WholeCycle) -> None:
        """The rest of the body comes later: that is uvicorn's to wait for."""
        self._held = None
        if not self.transport.is_closing():
            self._go_the_usual_way()
            if held.request.whole_body:
                super().on_body(held.request.whole_body)

    def on_body(self, body: bytes) -> None:
        """Pass on a piece of the body."""
        held = self._held
        if held is not None:
            held.request.whole_body = (held.request.whole_body or b"") + body
        elif not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End the timeouts of a complete request."""
        self._limit_s = None
        if self._deadline is not None:
            self._cancel()
        self._ended, self._in_body, self._in_head = True, False, False
        held, self._held = self._held, None
        if self.transport.is_closing():
            return
        if held is None:
            super().on_message_complete()
        else:
            self.cycle = held  # type: ignore[assignment] # it is like uvicorn's where others look
            self._start_asgi_task(self.cycle, self.app)

    def _should_upgrade(self) -> bool:
        """Return whether this request becomes a WebSocket."""
        here = self.url.partition(b"?")[0] in _SOCKETS and self.scope.get("method") == "GET"
        return here and super()._should_upgrade()

    def handle_websocket_upgrade(self) -> None:
        """From here on the connection is another protocol's."""
        self._limit_s = None
        self._cancel()
        super()._unset_keepalive_if_required()
        super().handle_websocket_upgrade()

    def answer(self, status: int, head: bytes, body: bytes, *, cycle: RequestResponseCycle | WholeCycle) -> bool:
        """Write a whole response at once, with what uvicorn's cycle would note. False: send it the usual way."""
        if cycle.disconnected or self.flow.write_paused or cycle.response_started:
            return False
        if cycle.scope is not None and cycle.scope["method"] == "HEAD":
            return False  # the answer to a HEAD has no body, and the short way takes none
        cycle.response_started, cycle.waiting_for_100_continue = True, False
        defaults = cycle.default_headers
        if defaults is not HttpGuard._defaults:  # uvicorn makes the list once a second, with the date
            HttpGuard._defaults, HttpGuard._usual = defaults, b"".join(b"%b: %b\r\n" % header for header in defaults)
        ends = b"" if cycle.keep_alive else b"connection: close\r\n"
        self.transport.write(b"".join((STATUS_LINE[status], self._usual, head, ends, b"\r\n", body)))
        cycle.response_complete = True
        if cycle.scope is not None:
            cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()
        return True

    def framed(self, cycle: WholeCycle) -> RequestResponseCycle:
        """Return uvicorn's cycle for the rest of a request that went the short way and whose response cannot."""
        request = cycle.request
        scope: Any = {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "path": request.path,
            "query_string": b"",
            "headers": request.headers,
            "client": self.client,
        }
        made = RequestResponseCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=cycle.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=cycle.keep_alive,
            on_response=self.on_response_complete,
        )
        made.more_body, made.disconnected = False, cycle.disconnected
        before: Any = self.cycle
        if before is cycle:
            self.cycle = made
        return made

    def _make_room(self) -> None:
        """Close the connection that has been idle longest; without an idle one, refuse this connection."""
        idle = [c for c in self.connections if isinstance(c, HttpGuard) and c is not self and c.is_idle]
        if idle:
            min(idle, key=lambda c: c._idle_since_s).transport.close()  # noqa: SLF001 - same class
        else:
            self._refuse(_TOO_MANY)

    @property
    def is_idle(self) -> bool:
        """Return whether no request is being read or answered on this connection."""
        between = getattr(self.cycle, "response_complete", True)
        return between and not self._in_head and not self.transport.is_closing()

    def on_response_complete(self) -> None:
        """Note the time from which the connection may be idle. One timer for many requests looks at that when it ends."""
        self._idle_since_s = monotonic_s()
        if self.timeout_keep_alive_task is None or self.pipeline or self.flow.read_paused:
            super().on_response_complete()
        else:
            self.server_state.total_requests += 1

    def _unset_keepalive_if_required(self) -> None:
        """Cancel the timer, but for data: it will find that the connection is not idle, or not for long."""
        if not self._reading:
            super()._unset_keepalive_if_required()

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if it has been idle for as long as uvicorn keeps one; else look again when that may be."""
        self.timeout_keep_alive_task = None
        if self.transport.is_closing():
            return
        since_s = self._idle_since_s if self.is_idle else monotonic_s()
        left_s = since_s + self.timeout_keep_alive - monotonic_s()
        if left_s > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left_s, self.timeout_keep_alive_handler)
        else:
            self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Log nothing: upgrades are not supported, and a request for one is not worth a log line."""

    def _within(self, seconds: float) -> None:
        self._cancel()
        self._deadline = self.loop.call_later(seconds, self._refuse, _TOO_SLOW)

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: str) -> None:
        """Send the status if no response is in progress, and close the connection."""
        if self.transport.is_closing():
            return
        if not self._begun or self.cycle.response_complete:
            self.transport.write(bare_answer(status))
        self.transport.close()
