"""Virtual time: an event loop whose clock stands still during real work and jumps to the next timer otherwise.

Owns: the loop and its clock, for the simulator and for tests of the whole hub. Never: used in production.
While `busy()` says that a database answer is awaited, no timer fires; when nothing is runnable and nothing
outstanding, the time is that of the next timer. Thirty days take as long as the work in them.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

RESOLUTION_S = 1e-6
LOOK_S = 0.02
"""Longest real time for which one poll of outstanding sockets may block."""


class _Jumping:
    """A selector that advances the loop's clock instead of waiting."""

    def __init__(self, inner: selectors.BaseSelector, busy: Callable[[], bool], idle: Callable[[float], None]) -> None:
        self._inner = inner
        self._busy = busy
        self._idle = idle

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout < RESOLUTION_S / 2:
            # Something is runnable. Answers from outside are heard only when nothing is, so that they always come
            # at the same place among everything else, however fast they were.
            return []
        if self._busy():
            return self._inner.select(LOOK_S)
        ready = self._inner.select(0 if timeout is not None else LOOK_S)
        if not ready:
            self._idle(timeout or 0.0)
        return ready

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - everything else is the real selector's
        return getattr(self._inner, name)


def _always() -> bool:
    return True


class VirtualLoop(asyncio.SelectorEventLoop):
    """The event loop. `busy` is set once the database is connected."""

    def __init__(self) -> None:
        self._virtual_s = 0.0
        self.tick_s = 0.0
        """Timers fire only at multiples of this (0: at any instant), so that many events share one instant."""
        self.busy: Callable[[], bool] = _always
        """Time stands still while this returns true, which it does from the start until it is replaced."""
        self._settling: list[asyncio.Future[None]] = []
        self._scheduled: list[asyncio.TimerHandle]
        selector = _Jumping(selectors.DefaultSelector(), self._is_busy, self._nothing_runs)
        super().__init__(selector)  # type: ignore[arg-type]
        # Instants that differ only by what floats lose are one instant.
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        """Return virtual seconds since the loop was created."""
        return self._virtual_s

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call at this virtual time, or at the next instant of the grid."""
        if self.tick_s:
            when = math.ceil(when / self.tick_s - RESOLUTION_S) * self.tick_s
        return super().call_at(when, callback, *args, context=context)

    def run_in_executor(
        self,
        executor: Executor | None,  # noqa: ARG002 - the base's
        func: Callable[[*Ts], T],
        *args: *Ts,
    ) -> asyncio.Future[T]:
        """Run the function here and now: a thread would finish at another place in the order of events each time."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - the caller's
            done.set_exception(error)
        return done

    def _is_busy(self) -> bool:
        return self.busy()

    def renew(self) -> None:
        """Reset the loop for another world: time starts at 0 and stands still, and no earlier task continues."""
        self._virtual_s = 0.0
        self.tick_s = 0.0
        self.busy = _always
        self._settling.clear()
        for handle in self._scheduled:
            handle.cancel()
        self._scheduled.clear()
        self._timer_cancelled_count = 0

    async def settled(self) -> None:
        """Return when nothing more happens in this instant, before the clock moves."""
        future = self.create_future()
        self._settling.append(future)
        await future

    def _nothing_runs(self, seconds: float) -> None:
        """Notify those who wait for the end of the instant; if there are none, advance to the next timer."""
        if not self._settling:
            self._virtual_s += seconds
            return
        waiting, self._settling = self._settling, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class VirtualClock:
    """The clock of a virtual loop, starting at a given instant, optionally with a skew."""

    def __init__(self, loop: VirtualLoop, start_ms: int) -> None:
        self._loop = loop
        self._start_ms = start_ms
        self.skew_ms = 0

    def now_ms(self) -> int:
        """Return milliseconds since the Unix epoch."""
        return self._start_ms + round(self._loop.time() * 1000) + self.skew_ms

    def monotonic_s(self) -> float:
        """Return seconds since the loop was created."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        await asyncio.sleep(seconds)

    def shift(self, offset_ms: int) -> None:
        """Do nothing: a virtual world has one time, and an intended skew stays."""


def run(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run `main` on a virtual loop of its own."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main(loop))
