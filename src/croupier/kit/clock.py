"""The clock port. All code reads the time, or sleeps, through it.

Owns: the port and the real clock. Never: the meaning of a deadline. Instants are integer milliseconds since the Unix
epoch (`_ms`), durations are float seconds (`_s`). The simulator has a clock of its own.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Time as the hub uses it."""

    def now_ms(self) -> int:
        """Return database time in milliseconds since the Unix epoch."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds from an arbitrary start; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Sleep for `seconds`."""
        ...

    def shift(self, offset_ms: int) -> None:
        """Add `offset_ms`, the lead of the database's clock over `now_ms`."""
        ...


def monotonic_s() -> float:
    """Return seconds of the real monotonic clock, for the socket server, which runs before any clock port."""
    return time.monotonic()


class SystemClock:
    """The machine's clock plus an offset read from the database (money.md 3.10: "database time")."""

    def __init__(self) -> None:
        self.offset_ms = 0

    def now_ms(self) -> int:
        """Return milliseconds since the Unix epoch, by the database's clock."""
        return time.time_ns() // 1_000_000 + self.offset_ms

    monotonic_s = staticmethod(time.monotonic)
    """Seconds from an arbitrary start. The function itself: a bet reads it two dozen times."""

    async def sleep(self, seconds: float) -> None:
        """Sleep on the running event loop."""
        await asyncio.sleep(seconds)

    def shift(self, offset_ms: int) -> None:
        """Add to the offset of the database's clock."""
        self.offset_ms += offset_ms
