"""HTTP connections of a load side: blocking sockets behind one epoll, so that a message costs little more than its system calls.

Owns: the loop of a load side, whole messages of HTTP/1.1 with a Content-Length. Never: TLS, chunked bodies, what a message means.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable

PIECE = 65_536
_LENGTH = b"content-length:"


class BadMessage(Exception):
    """A peer sent what is no HTTP message with a Content-Length."""


class Loop:
    """Calls the function of each socket that has something to read, until `end`."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._functions: dict[int, Callable[[], None]] = {}
        self._going = True
        self.due: Callable[[], float] | None = None
        """Does what is due, and returns the seconds until it must be called again."""

    def watch(self, descriptor: int, function: Callable[[], None]) -> None:
        """Call `function` whenever the descriptor is readable."""
        self._functions[descriptor] = function
        self._epoll.register(descriptor, select.EPOLLIN)

    def forget(self, descriptor: int) -> None:
        """Watch the descriptor no longer."""
        if self._functions.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def end(self) -> None:
        """Leave `run` after the events of this turn."""
        self._going = False

    def run(self) -> None:
        """Serve until `end`."""
        while self._going:
            if self.due is not None:
                # A timeout of epoll has whole milliseconds, one of select has microseconds.
                select.select([self._epoll], [], [], self.due())
            for descriptor, _ in self._epoll.poll(None if self.due is None else 0):
                function = self._functions.get(descriptor)
                if function is not None:
                    function()


class Line:
    """One connection. `heard` gets the line, the first line of the message in bytes, and its body."""

    __slots__ = ("_buffer", "_heard", "_loop", "_lost", "_socket", "began_s", "owed")

    def __init__(
        self,
        loop: Loop,
        connected: socket.socket,
        heard: Callable[[Line, bytes, bytes], None],
        *,
        lost: Callable[[Line], None] | None = None,
    ) -> None:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop = loop
        self._socket = connected
        self._heard = heard
        self._lost = lost
        self._buffer = b""
        self.began_s = 0.0
        """When the request in flight was due, by the monotonic clock."""
        self.owed: object = None
        """What the request in flight is about; None if there is none."""
        loop.watch(connected.fileno(), self._ready)

    @classmethod
    def to(
        cls,
        loop: Loop,
        port: int,
        heard: Callable[[Line, bytes, bytes], None],
        *,
        lost: Callable[[Line], None] | None = None,
    ) -> Line:
        """Return a new connection to a port of this machine."""
        return cls(loop, socket.create_connection(("127.0.0.1", port)), heard, lost=lost)

    def send(self, message: bytes) -> None:
        """Send a whole message. A connection that has just been closed is noticed by its next read."""
        try:
            self._socket.sendall(message)
        except (BrokenPipeError, ConnectionResetError):
            return

    def close(self) -> None:
        """Close the connection."""
        self._loop.forget(self._socket.fileno())
        self._socket.close()

    def _ready(self) -> None:
        try:
            data = self._socket.recv(PIECE)
        except ConnectionResetError:
            data = b""
        if not data:
            self.close()
            if self._lost is not None:
                self._lost(self)
            return
        self._buffer = self._buffer + data if self._buffer else data
        while self._buffer and (cut := message_end(self._buffer)):
            head_end, end = cut
            whole, self._buffer = self._buffer, self._buffer[end:]
            self._heard(self, whole[: whole.index(b"\r\n")], whole[head_end:end])


def message_end(data: bytes) -> tuple[int, int] | None:
    """Return where the body begins and where the message ends, or None if it is not whole. Raises BadMessage."""
    head_end = data.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    head = data[:head_end].lower()
    at = head.find(_LENGTH)
    if at < 0:
        if head.startswith(b"get "):
            return head_end + 4, head_end + 4
        raise BadMessage(head.decode("latin-1"))
    stop = head.find(b"\r", at)
    end = head_end + 4 + int(head[at + len(_LENGTH) : stop if stop > 0 else None])
    return (head_end + 4, end) if end <= len(data) else None


def listen(loop: Loop, heard: Callable[[Line, bytes, bytes], None]) -> int:
    """Take connections on a free port of this machine and return the port."""
    server = socket.create_server(("127.0.0.1", 0), backlog=1024)
    loop.watch(server.fileno(), lambda: _take(loop, server, heard))
    return int(server.getsockname()[1])


def _take(loop: Loop, server: socket.socket, heard: Callable[[Line, bytes, bytes], None]) -> None:
    Line(loop, server.accept()[0], heard)


class Orders:
    """The orders of the benchmark to a load side: one line on standard input for each, one line of JSON as the answer.

    The load side ends with the benchmark, however that ends: then standard input is at its end. `orphaned` is called where no order to end
    came before.
    """

    def __init__(self, loop: Loop, obey: Callable[[bytes], None], orphaned: Callable[[], None] | None = None) -> None:
        self._loop = loop
        self._obey = obey
        self._orphaned = orphaned
        self._buffer = b""
        loop.watch(0, self._ready)

    def _ready(self) -> None:
        data = os.read(0, PIECE)
        if not data:
            self._loop.end()
            if self._orphaned is not None:
                self._orphaned()
            return
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._obey(line)


def answer(text: bytes) -> None:
    """Answer an order."""
    os.write(1, text + b"\n")
