"""A cache of rows that every request reads and that change rarely: a row is kept for half a second.

Owns: the cached values. A change by another process is seen within that time (operate.md 3: 1 s); a change by this
process is seen at once if it calls `forget`. A missing row is never cached, so a new one is found at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from croupier.kit.clock import Clock
from croupier.store.read_batcher import ReadBatcher

K = TypeVar("K")
V = TypeVar("V")

KEPT_S = 0.5


class TtlCache(Generic[K, V]):
    """A cache whose `get(key)` returns a value that was in the database at most half a second ago."""

    def __init__(self, read: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._kept: dict[K, tuple[float, V]] = {}
        self._changes = 0
        self._batcher: ReadBatcher[K, V] = ReadBatcher(self._ask)

    async def get(self, key: K) -> V | None:
        """Return the value of `key`, or None if there is no such row."""
        kept = self._kept.get(key)
        if kept is not None and self._clock.monotonic_s() - kept[0] < KEPT_S:
            return kept[1]
        return await self._batcher.one(key)

    def forget(self) -> None:
        """Drop everything that was read before now, because this process has changed a row."""
        self._changes += 1
        self._kept.clear()

    async def _ask(self, keys: Sequence[K]) -> Mapping[K, V]:
        # The age counts from before the query, and a change made meanwhile voids the result for later callers.
        asked_s, changes = self._clock.monotonic_s(), self._changes
        found = await self._read(keys)
        if changes == self._changes:
            for key in keys:
                self._kept.pop(key, None)
            self._kept.update({key: (asked_s, value) for key, value in found.items()})
        return found
