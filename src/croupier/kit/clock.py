"""The seam to time. Everything that asks what time it is, or waits, asks here.

Owns: the port and the real clock. Never: a deadline's meaning. Times are integer milliseconds since the
Unix epoch (`_ms`), durations are float seconds (`_s`). The simulator brings its own clock.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the hub may ask of time."""

    def now_ms(self) -> int:
        """Database time: milliseconds since the Unix epoch."""
        ...

    def monotonic_s(self) -> float:
        """Seconds from an arbitrary start, never going back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let other work run for so long."""
        ...

    def shift(self, offset_ms: int) -> None:
        """The database's clock is so far ahead of `now_ms`: follow it."""
        ...


def monotonic_s() -> float:
    """Seconds of the real monotonic clock, for what stands before every seam: the socket."""
    return time.monotonic()


class SystemClock:
    """The machine's clock plus an offset read from the database (money.md 3.10: "database time")."""

    def __init__(self) -> None:
        self.offset_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, by the database's clock."""
        return time.time_ns() // 1_000_000 + self.offset_ms

    def monotonic_s(self) -> float:
        """Seconds from an arbitrary start."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep on the running event loop."""
        await asyncio.sleep(seconds)

    def shift(self, offset_ms: int) -> None:
        """Follow the database's clock."""
        self.offset_ms += offset_ms
