"""uvicorn's WebSocket protocol with bounds, and with direct writes for the feed's fan-out. One per connection.

Owns: the way around ASGI for frames that are the same for thousands of clients, how many frames a peer may send, and that no
line of the log holds a request's query, where access tokens stand. Never: what a frame says. Contract: feed.md 3.3, 3.7.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio.transports import BaseTransport
from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.protocol import State

from croupier.apps.bare_answer import bare_answer
from croupier.feed.sockets import SOCKET
from croupier.kit.clock import monotonic_s

FULL: Final = 64 * 1024
"""Bytes that wait for a peer from which on pushes are skipped."""
PIECE: Final = 2048
"""Bytes of the network that are read at a time, so that a peer that sends too many frames is cut off in the middle of them."""
WINDOW_S: Final = 1.0
FRAMES: Final = 500
"""Frames that a peer may send in one window."""
CLOSE_S: Final = 5.0
POLICY: Final = 1008

# uvicorn tells of every connection with its whole query, where tokens stand. Only faults are told.
_log = logging.getLogger("uvicorn.websocket")
_log.setLevel(logging.WARNING)


class SocketGuard(WebSocketsSansIOProtocol):
    """The server's end of one WebSocket. It is the `Socket` of a feed's client."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own, handed on
        super().__init__(*args, **kwargs)
        self.logger = _log
        self.conn.logger = _log
        self.conn.debug = False
        self.full = False
        self._room: Callable[[], None] | None = None
        self._window_s = 0.0
        self._frames = 0

    # --- what uvicorn calls -------------------------------------------------------------------------------------------

    def connection_made(self, transport: BaseTransport) -> None:
        """The HTTP request asks for a WebSocket."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=FULL, low=FULL // 4)

    def data_received(self, data: bytes) -> None:
        """Some bytes. They are read piece by piece."""
        for start in range(0, len(data), PIECE):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + PIECE])
            if self.conn.handshake_exc is not None and not self.handshake_initiated:
                self._refuse_request()
                return
            if self._frames > FRAMES:
                self._refuse_flood()
                return

    def handle_connect(self, event: Request) -> None:
        """The request is whole."""
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"][SOCKET] = self

    def handle_cont(self, event: Frame) -> None:
        """A part of a message."""
        self._count()
        super().handle_cont(event)

    def handle_text(self, event: Frame) -> None:
        """A message, or its first part."""
        self._count()
        super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        """The same in binary."""
        self._count()
        super().handle_bytes(event)

    def handle_ping(self) -> None:
        """A ping of the transport."""
        self._count()
        if self.full:
            self.conn.data_to_send()  # a pong that nobody reads is thrown away
            return
        super().handle_ping()

    def pause_writing(self) -> None:
        """The peer does not read as fast as we write."""
        self.full = True
        super().pause_writing()

    def resume_writing(self) -> None:
        """It reads again."""
        self.full = False
        super().resume_writing()
        if self._room is not None:
            self._room()

    def shutdown(self) -> None:
        """The server stops. The feed sends its clients away by itself, spread over seconds."""
        if not self.handshake_complete or self._room is None:
            super().shutdown()

    # --- what the feed calls ------------------------------------------------------------------------------------------

    def write(self, framed: bytes) -> None:
        """Send one whole frame. Does nothing once the socket is closing."""
        if self.conn.state is State.OPEN and not self.transport.is_closing():
            self.transport.write(framed)

    def unsent(self) -> int:
        """Bytes that wait for the peer."""
        return self.transport.get_write_buffer_size()

    def when_room(self, call: Callable[[], None]) -> None:
        """Call this whenever `full` becomes false."""
        self._room = call

    def close(self, code: int) -> None:
        """Begin the closing handshake, once; a peer that does not take part is cut off after 5 s."""
        if self.close_sent or self.transport.is_closing() or self.conn.state is not State.OPEN:
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
        self.conn.send_close(code)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(CLOSE_S, self.transport.abort)

    def abort(self) -> None:
        """Cut the connection; what waits is thrown away."""
        if self.transport is not None:
            self.transport.abort()

    def _refuse_request(self) -> None:
        """Send the parser's answer to a request that it does not read (414, 431), which uvicorn leaves unsent."""
        self.transport.write(b"".join(self.conn.data_to_send()) or bare_answer("400 Bad Request"))
        self.handshake_complete = self.close_sent = True
        self.transport.close()

    # --- floods -------------------------------------------------------------------------------------------------------

    def _count(self) -> None:
        now_s = monotonic_s()
        if now_s - self._window_s >= WINDOW_S:
            self._window_s, self._frames = now_s, 0
        self._frames += 1

    def _refuse_flood(self) -> None:
        self.conn.fail(POLICY, "too many messages")
        self.handle_parser_exception()
        asyncio.get_running_loop().call_later(CLOSE_S, self.transport.abort)
