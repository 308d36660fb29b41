"""What may happen thousands of times a second is told once in a while, by whoever it is about.

Owns: that judgement for one process. Never: what is told.
"""

from __future__ import annotations

from collections.abc import Hashable

from croupier.kit.clock import Clock

MOST = 10_000
"""So many things are remembered; then all are forgotten and may be told again."""


class Throttle:
    """Lets each thing through once in `every_s` seconds."""

    def __init__(self, clock: Clock, every_s: float = 60.0) -> None:
        self._clock = clock
        self._every_s = every_s
        self._told: dict[Hashable, float] = {}

    def may(self, about: Hashable) -> bool:
        """Whether to tell of it now."""
        now = self._clock.monotonic_s()
        told = self._told.get(about)
        if told is not None and now - told < self._every_s:
            return False
        if len(self._told) >= MOST:
            self._told.clear()
        self._told[about] = now
        return True
