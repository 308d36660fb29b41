"""A map with a largest number of entries: the one that was put longest ago makes room for a new one.

Owns: the bound. Never: the age of an entry, or whether it is still true.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class RecentMap(Generic[K, V]):
    """The last `most` entries that were put."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._entries: dict[K, V] = {}
        self.get: Callable[[K], V | None] = self._entries.get
        """The value, or None if there is none. The dictionary's own method: each bet asks several times."""

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def put(self, key: K, value: V) -> None:
        """Add the entry, or replace the one of this key."""
        entries = self._entries
        if key in entries:
            del entries[key]
        entries[key] = value
        if len(entries) > self._most:
            del entries[next(iter(entries))]

    def drop(self, key: K) -> None:
        """Remove the entry if there is one."""
        self._entries.pop(key, None)
