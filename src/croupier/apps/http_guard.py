"""How long and how large one request may be on the socket, before any of our code sees it.

Owns: bounds of time and size for the head and the whole of a request, which uvicorn leaves open: without them a peer
that sends one byte a minute keeps a connection for ever, and an endless header keeps everything it sent in memory.
Never: what a request means; a body that is too large is each protocol's own to answer.
"""

from __future__ import annotations

import asyncio
import resource
from contextlib import suppress
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from croupier.kit.clock import monotonic_s
from croupier.kit.inbound import ARRIVED

FIRST_BYTE_S: Final = 75.0
"""So long a new connection may wait with its first byte; between two requests it is uvicorn's own keep-alive."""
HEAD_S: Final = 10.0
"""From the first byte of a request to the end of its headers."""
BODY_S: Final = 20.0
"""From there to the end of its body."""
MAX_HEAD: Final = 65_536
"""Bytes of the request line and the headers together."""
MAX_REQUEST: Final = 1_048_576
"""Bytes of a whole request as they travel: 64 KB of body in chunks of one byte fit in."""

RESERVED: Final = 256
"""Descriptors that incoming connections never get: they are for the database, the casinos and the files."""
MOST_CONNECTIONS: Final = 20_000

_TOO_MANY = "503 Service Unavailable"
_TOO_LARGE = "431 Request Header Fields Too Large"
_TOO_SLOW = "408 Request Timeout"


def raise_descriptors() -> None:
    """Take as many descriptors as this process may have: the usual soft limit is made for other programs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, min(hard, 65_536) if hard != resource.RLIM_INFINITY else 65_536)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_connections() -> int:
    """How many connections may stand at once, so that the money path always has descriptors left."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(8, min(MOST_CONNECTIONS, soft - min(RESERVED, soft // 2)))


class HttpGuard(HttpToolsProtocol):
    """uvicorn's protocol on httptools, with bounds. One per connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own, handed on
        super().__init__(*args, **kwargs)
        self._taken = 0
        self._ended = self._in_body = self._begun = self._in_head = False
        self._idle_since_s = 0.0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """A peer is there."""
        super().connection_made(transport)
        self._idle_since_s = monotonic_s()
        self._within(FIRST_BYTE_S)
        if len(self.connections) > most_connections():
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone."""
        self._cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes. What one piece of the network holds is read before it is counted."""
        self._ended = False
        super().data_received(data)
        self._taken = 0 if self._ended else self._taken + len(data)
        if self._taken > (MAX_REQUEST if self._in_body else MAX_HEAD):
            self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._in_head = True
        self.scope[ARRIVED] = monotonic_s()  # type: ignore[literal-required] # ours, for our own routes
        self._within(HEAD_S)

    def on_headers_complete(self) -> None:
        """The head is whole: the work begins, unless there is too much of it."""
        self._in_body = True
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MAX_HEAD:
            self._refuse(_TOO_LARGE)
            return
        super().on_headers_complete()
        self._begun = True
        self._within(BODY_S)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._cancel()
        self._ended, self._in_body, self._in_head = True, False, False
        if not self.transport.is_closing():
            super().on_message_complete()

    def _make_room(self) -> None:
        """The connection that has been idle for longest goes; where none is idle this one does."""
        idle = [c for c in self.connections if isinstance(c, HttpGuard) and c is not self and c.is_idle]
        if idle:
            min(idle, key=lambda c: c._idle_since_s).transport.close()  # noqa: SLF001 - same class
        else:
            self._refuse(_TOO_MANY)

    @property
    def is_idle(self) -> bool:
        """Nothing is asked on it at this moment, and nothing is being answered."""
        between = getattr(self.cycle, "response_complete", True)
        return between and not self._in_head and not self.transport.is_closing()

    def on_response_complete(self) -> None:
        """It may be idle from here on."""
        self._idle_since_s = monotonic_s()
        super().on_response_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """An upgrade is not done here, and what a peer asks for is no line in our log."""

    def _within(self, seconds: float) -> None:
        self._cancel()
        self._deadline = self.loop.call_later(seconds, self._refuse, _TOO_SLOW)

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: str) -> None:
        """Say so if nothing else is being said on this connection, and close it."""
        if self.transport.is_closing():
            return
        if not self._begun or self.cycle.response_complete:
            self.transport.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        self.transport.close()
