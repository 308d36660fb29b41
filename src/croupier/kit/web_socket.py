"""One outgoing WebSocket of a command: text frames out, whole messages in.

Owns: the connection, and the translation of every failure into a PeerError. Never: what a message says, or the check of an address
against private networks: the address comes from the person at the keyboard.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from croupier.kit.wire import PeerError

OPEN_S: Final = 10.0
CLOSE_S: Final = 2.0


class WebSocket:
    """An open WebSocket. Its methods raise PeerError once it has ended."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line

    async def send(self, text: str) -> None:
        """Send one message."""
        try:
            await self._line.send(text)
        except ConnectionClosed as ended:
            raise PeerError(_ended(ended)) from None

    async def receive(self, within_s: float) -> bytes | None:
        """Return the next message; None if none came in time."""
        try:
            async with asyncio.timeout(within_s):
                message = await self._line.recv()
        except TimeoutError:
            return None
        except ConnectionClosed as ended:
            raise PeerError(_ended(ended)) from None
        return message.encode() if isinstance(message, str) else message


@asynccontextmanager
async def open_web_socket(url: str, headers: Mapping[str, str], *, max_bytes: int) -> AsyncIterator[WebSocket]:
    """Connect, and close at the end of the block. Raises PeerError if the peer cannot be reached or refuses."""
    connecting = connect(
        url,
        additional_headers=dict(headers),
        compression=None,
        proxy=None,
        open_timeout=OPEN_S,
        close_timeout=CLOSE_S,
        ping_interval=None,
        max_size=max_bytes,
    )
    try:
        line = await connecting
    except InvalidStatus as refused:
        raise PeerError(f"the WebSocket was refused with HTTP {refused.response.status_code}") from None
    except (OSError, TimeoutError, WebSocketException, ValueError) as problem:
        raise PeerError(f"no WebSocket: {problem}", sent=False) from None
    try:
        yield WebSocket(line)
    finally:
        await line.close()


def _ended(ended: ConnectionClosed) -> str:
    """Return why a connection ended."""
    close = ended.rcvd
    if close is None:
        return "the connection was cut"
    return f"the hub closed the connection with code {close.code}{f' ({close.reason})' if close.reason else ''}"
