"""Passing WebSockets from the workers to the process of the live feed, over a Unix socket.

A worker reads the request, as HttpGuard bounds it. Then the connection itself moves: the kernel gives the other process a
descriptor of it, and the request travels along. The client notices nothing. A snapshot for ten thousand clients then never
delays a payment, because another process writes it (decision 0091).

Owns: the two ends and what is between them. Never: who may connect (feed.sockets).
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from typing import Any, Final, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from croupier.apps.bare_answer import bare_answer
from croupier.apps.socket_guard import SocketGuard
from croupier.kit.log import get

log = get("feed")

MOST: Final = 2 * 65_536
"""Bytes of a request, which HttpGuard limits to half."""
_BUSY: Final = bare_answer("503 Service Unavailable", "retry-after: 2")
AT_ONCE: Final = 50
"""Connections taken in one turn of the event loop."""


def pair() -> tuple[socket.socket, socket.socket]:
    """Return the workers' end and the feed's end. Each message stays whole, whoever sends at the same time."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (here, there):
        end.setblocking(False)  # noqa: FBT003 - the socket's own
    return here, there


class HandingOver(asyncio.Protocol):
    """The `ws` protocol of a worker that hands its WebSockets over. `end` is set by `handing_over`."""

    end: socket.socket

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
        del config, server_state, app_state
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The HTTP request asks for a WebSocket. What follows is for the other process to read."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class
        self._transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """The request is whole: hand it over with its connection. Where that is full, the client is told to come again."""
        assert self._transport is not None
        try:
            descriptor = self._transport.get_extra_info("socket").fileno()
            socket.send_fds(self.end, [data], [descriptor])
        except OSError as error:
            log.warning("feed.not_handed_over", problem=str(error))
            self._transport.write(_BUSY)
            self._transport.close()
        else:
            # Closing ends this process's part alone. Later, since the caller still gives the transport its protocol.
            asyncio.get_running_loop().call_soon(self._transport.abort)


def handing_over(end: socket.socket) -> type[HandingOver]:
    """Return the protocol that hands over to this end."""
    return type("HandingOver", (HandingOver,), {"end": end})


class Taking:
    """The feed's end: it takes connections and serves them with the app of `config`."""

    def __init__(self, end: socket.socket, config: Config) -> None:
        self._end = end
        self._config = config
        self._state = ServerState()
        self._joining: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Take from now on."""
        if not self._config.loaded:
            self._config.load()
        asyncio.get_running_loop().add_reader(self._end, self._take)

    def end(self) -> None:
        """Take no more. What still waits there goes to the next process of the feed."""
        asyncio.get_running_loop().remove_reader(self._end)

    def _take(self) -> None:
        for _ in range(AT_ONCE):
            try:
                data, descriptors, _, _ = socket.recv_fds(self._end, MOST, 1)
            except BlockingIOError:
                return
            for descriptor in descriptors:
                self._join(descriptor, data)

    def _join(self, descriptor: int, request: bytes) -> None:
        try:
            connection = socket.socket(fileno=descriptor)
        except OSError:  # the client has gone
            with suppress(OSError):
                os.close(descriptor)
            return
        task = asyncio.get_running_loop().create_task(self._serve(connection, request))
        self._joining.add(task)
        task.add_done_callback(self._joining.discard)

    async def _serve(self, connection: socket.socket, request: bytes) -> None:
        connection.setblocking(False)  # noqa: FBT003 - the socket's own
        try:
            _, protocol = await asyncio.get_running_loop().connect_accepted_socket(
                lambda: SocketGuard(self._config, self._state, {}), connection
            )
        except OSError:
            connection.close()
            return
        protocol.data_received(request)
