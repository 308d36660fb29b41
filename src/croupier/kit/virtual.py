"""Virtual time: an event loop whose clock stands still while real work is outstanding, and jumps when nothing is.

Owns: the loop and its clock, for the simulator and for tests of the whole hub. Never: used in production.
While `busy()` says that a database answer is awaited, no timer fires; when nothing is runnable and nothing
outstanding, the time is that of the next timer. Thirty days take as long as the work in them.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

LOOK_S = 0.02
"""How long, in real time, one look at outstanding sockets may block."""


class _Jumping:
    """A selector that answers a wait by moving the loop's clock."""

    def __init__(self, inner: selectors.BaseSelector, busy: Callable[[], bool], jump: Callable[[float], None]) -> None:
        self._inner = inner
        self._busy = busy
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return self._inner.select(0)
        if timeout is None or self._busy():
            return self._inner.select(LOOK_S)
        ready = self._inner.select(0)
        if not ready:
            self._jump(timeout)
        return ready

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - everything else is the real selector's
        return getattr(self._inner, name)


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop. `busy` may be set once the database is there."""

    def __init__(self) -> None:
        self._virtual_s = 0.0
        self.busy: Callable[[], bool] = lambda: False
        selector = _Jumping(selectors.DefaultSelector(), lambda: self.busy(), self._jump)
        super().__init__(selector)  # type: ignore[arg-type]

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual_s

    def _jump(self, seconds: float) -> None:
        self._virtual_s += seconds


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
