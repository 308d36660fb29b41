"""The clock port. All code reads the time, or sleeps, through it.

Owns: the port and the real clock. Never: the meaning of a deadline. Instants are integer milliseconds since the Unix
epoch (`_ms`), durations are float seconds (`_s`). The simulator has a clock of its own.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol, Self


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


monotonic_s = time.monotonic
"""Return seconds of the real monotonic clock, for the socket server, which runs before any clock port."""


class TimeIsUp(TimeoutError):
    """A `TimeLimit` has ended its block."""


class TimeLimit:
    """What `asyncio.timeout` does, for the one block around a whole request: with half of its calls, since each request pays them.

    It cancels the task and raises TimeIsUp instead. A cancellation from elsewhere goes on. It starts when it is made.
    """

    __slots__ = ("_task", "_timer", "_up")

    def __init__(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(loop)
        self._up = False
        self._timer = loop.call_later(seconds, self._end)

    def prolong(self, seconds: float) -> None:
        """Count anew, from now on."""
        self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._end)

    def __enter__(self) -> Self:
        """Begin the block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        """Stop counting. The cancellation that this limit asked for becomes TimeIsUp."""
        self._timer.cancel()
        if self._up and self._task is not None and not self._task.uncancel() and kind is asyncio.CancelledError:
            raise TimeIsUp from error

    def _end(self) -> None:
        self._up = True
        if self._task is not None:
            self._task.cancel()


class SystemClock:
    """The machine's clock plus an offset read from the database (money.md 3.10: "database time")."""

    def __init__(self) -> None:
        self.offset_ms = 0

    def now_ms(self) -> int:
        """Return milliseconds since the Unix epoch, by the database's clock."""
        return time.time_ns() // 1_000_000 + self.offset_ms

    monotonic_s = staticmethod(time.monotonic)
    """Return seconds from an arbitrary start. No function of ours is around it: it is asked some forty times a bet."""

    async def sleep(self, seconds: float) -> None:
        """Sleep on the running event loop."""
        await asyncio.sleep(seconds)

    def shift(self, offset_ms: int) -> None:
        """Add to the offset of the database's clock."""
        self.offset_ms += offset_ms
