"""Ports of this machine: a free one, and waiting until somebody listens on one."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

LISTENS_S = 30.0


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


async def reachable(port: int, within_s: float = LISTENS_S) -> None:
    """Wait until somebody listens on it."""
    async with asyncio.timeout(within_s):
        while True:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            await asyncio.sleep(0.05)
