"""Name resolution with a cache per peer, so that a slow name of one peer delays no other.

A system look-up cannot be cancelled. Each runs in a daemon thread of its own, one per name at a time and at most
`MOST_AT_ONCE` per peer. A result is cached for `FRESH_S`. After that the name is looked up again, and the older result
is used if the new one is late or fails.

Owns: look-ups and their cache. Never: checks an address (addresses), connects to one (http).
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from croupier.kit.os_words import os_words

Address = tuple[int, int, int, tuple[str, int] | tuple[str, int, int, int]]
"""Family, type, protocol and socket address."""

FRESH_S = 10.0
PATIENCE_S = 0.3
"""Seconds that a caller waits for a new look-up while an older result is known."""
MOST_AT_ONCE = 2
_LITERAL = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


@dataclass(frozen=True, slots=True)
class _Known:
    addresses: tuple[Address, ...]
    since_s: float


class Lookup:
    """Name look-ups of one peer."""

    def __init__(self, ask: Callable[[str, int], Awaitable[tuple[Address, ...]]] | None = None) -> None:
        self._ask = ask
        self._known: dict[tuple[str, int], _Known] = {}
        self._running: dict[tuple[str, int], tuple[asyncio.Task[tuple[Address, ...]], float]] = {}

    async def addresses(self, host: str, port: int) -> tuple[Address, ...]:
        """Return the addresses of a host, possibly from the cache; raises OSError. The caller sets the timeout."""
        literal = _literal(host, port)
        if literal:
            return literal
        key, now = (host, port), asyncio.get_running_loop().time()
        known = self._known.get(key)
        if known is not None and now - known.since_s < FRESH_S:
            return known.addresses
        task, since_s = self._task(key, now)
        patience = None if known is None else max(since_s + PATIENCE_S - now, 0)
        await asyncio.wait({task}, timeout=patience)
        if task.done() and (known is None or task.exception() is None):
            return task.result()
        assert known is not None
        return known.addresses

    def _task(self, key: tuple[str, int], now: float) -> tuple[asyncio.Task[tuple[Address, ...]], float]:
        """Return the running look-up of this name, or start one."""
        if key not in self._running:
            if len(self._running) >= MOST_AT_ONCE:
                msg = f"other names of this peer are still being looked up: {', '.join(host for host, _ in self._running)}"
                raise OSError(msg)
            self._running[key] = (asyncio.get_running_loop().create_task(self._look(key)), now)
            self._running[key][0].add_done_callback(lambda done: done.cancelled() or done.exception())
        return self._running[key]

    async def _look(self, key: tuple[str, int]) -> tuple[Address, ...]:
        try:
            found = await (self._ask or system_lookup)(*key)
            self._known[key] = _Known(found, asyncio.get_running_loop().time())
            return found
        finally:
            self._running.pop(key, None)


async def system_lookup(host: str, port: int) -> tuple[Address, ...]:
    """Look a name up by the system, in a daemon thread; raises OSError."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[Address, ...]] = loop.create_future()

    def tell(found: tuple[Address, ...] | None, problem: Exception | None) -> None:
        if answer.done():
            return
        if found is None:
            answer.set_exception(problem or OSError(f"the name {host} has no address"))
        else:
            answer.set_result(found)

    def look() -> None:
        found, problem = None, None
        try:
            found = _asked(host, port, socket.AI_ADDRCONFIG)
        except (OSError, UnicodeError) as error:
            why = os_words(error) if isinstance(error, OSError) else "it is no name of a host; check its spelling"
            problem = OSError(f"{host}: {why}")
        try:
            loop.call_soon_threadsafe(tell, found, problem)
        except RuntimeError:
            return  # the loop has ended, and no caller waits

    threading.Thread(target=look, name=f"lookup {host}", daemon=True).start()
    return await answer


def _literal(host: str, port: int) -> tuple[Address, ...]:
    """Return the address if the host is one in text form; empty for a name."""
    try:
        return _asked(host, port, _LITERAL)
    except (OSError, UnicodeError):
        return ()


def _asked(host: str, port: int, flags: int) -> tuple[Address, ...]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return tuple((family, kind, protocol, place) for family, kind, protocol, _, place in found)  # type: ignore[misc]
