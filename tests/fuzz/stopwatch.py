"""The processor time of the hub's reading alone: not of the second reader, and turn by turn where others may run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Stopwatch:
    """One for the process: it is looked at after every input."""

    def __init__(self) -> None:
        self._began = self._aside = 0.0
        self._inside = False
        self._longest = 0.0

    def start(self) -> None:
        """A new input."""
        self._longest = self._aside = 0.0
        self._began = time.thread_time()

    def turn(self) -> None:
        """Others run now: what comes is counted anew."""
        now = time.thread_time()
        self._longest = max(self._longest, now - self._began - self._aside)
        self._began, self._aside = time.thread_time(), 0.0

    def longest_ms(self) -> float:
        """The longest time without a turn of others."""
        self.turn()
        return self._longest * 1000

    def not_counted(self, work: Callable[P, T]) -> Callable[P, T]:
        """Work that is not the hub's, however often it calls itself."""

        def aside(*args: P.args, **kwargs: P.kwargs) -> T:
            if self._inside:
                return work(*args, **kwargs)
            self._inside = True
            began = time.thread_time()
            try:
                return work(*args, **kwargs)
            finally:
                self._inside = False
                self._aside += time.thread_time() - began

        return aside


WATCH = Stopwatch()
not_counted = WATCH.not_counted
