"""Virtual time: an event loop whose clock stands still while real work is outstanding, and jumps when nothing is.

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
"""How long, in real time, one look at outstanding sockets may block."""


class _Jumping:
    """A selector that answers a wait by moving the loop's clock."""

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
    """The loop. `busy` is set once the database is there."""

    def __init__(self) -> None:
        self._virtual_s = 0.0
        self.tick_s = 0.0
        """Timers fire at multiples of this only (0: at any instant), so that much happens in one instant."""
        self.busy: Callable[[], bool] = _always
        """Time stands still while this is true: from the start, until somebody knows better."""
        self._settling: list[asyncio.Future[None]] = []
        self._scheduled: list[asyncio.TimerHandle]
        selector = _Jumping(selectors.DefaultSelector(), self._is_busy, self._nothing_runs)
        super().__init__(selector)  # type: ignore[arg-type]
        # Instants that differ only by what floats lose are one instant.
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
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
        """Compute it here and now: a thread would be done at another place among everything else each time."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - the caller's
            done.set_exception(error)
        return done

    def _is_busy(self) -> bool:
        return self.busy()

    def renew(self) -> None:
        """Another world begins: its time starts at 0, stands still, and nothing of the one before goes on."""
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
        """Tell who waits for stillness; otherwise let the time of the next timer come."""
        if not self._settling:
            self._virtual_s += seconds
            return
        waiting, self._settling = self._settling, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class VirtualClock:
    """The clock of a virtual loop, starting at a given instant, with a skew of its own if wanted."""

    def __init__(self, loop: VirtualLoop, start_ms: int) -> None:
        self._loop = loop
        self._start_ms = start_ms
        self.skew_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        return self._start_ms + round(self._loop.time() * 1000) + self.skew_ms

    def monotonic_s(self) -> float:
        """Seconds since the loop was made."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        await asyncio.sleep(seconds)

    def shift(self, offset_ms: int) -> None:
        """There is one time in a virtual world; a skew given on purpose stays."""


def run(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run `main` on a virtual loop of its own."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main(loop))
