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
        self._now_s = clock.monotonic_s
        self._kept: dict[K, tuple[float, V]] = {}
        self._changes = 0
        self._batcher: ReadBatcher[K, V] = ReadBatcher(self._ask)

    def at_hand(self, key: K) -> V | None:
        """Return the value of `key` if it was read in the last half second, else None: then `get` reads it.

        A bet needs a dozen such values, and a coroutine for each costs more than the value.
        """
        kept = self._kept.get(key)
        return kept[1] if kept is not None and self._now_s() - kept[0] < KEPT_S else None

    async def get(self, key: K) -> V | None:
        """Return the value of `key`, or None if there is no such row."""
        kept = self.at_hand(key)
        return await self._batcher.one(key) if kept is None else kept

    def forget(self) -> None:
        """Drop everything that was read before now, because this process has changed a row."""
        self._changes += 1
        self._kept.clear()

    async def _ask(self, keys: Sequence[K]) -> Mapping[K, V]:
        # The age counts from before the query, and a change made meanwhile voids the result for later callers.
        asked_s, changes = self._now_s(), self._changes
        found = await self._read(keys)
        if changes == self._changes:
            for key in keys:
                self._kept.pop(key, None)
            self._kept.update({key: (asked_s, value) for key, value in found.items()})
        return found
