"""Throttle of repeated reports: at most one per key and interval, in one process.

Owns: the decision. Never: the report.
"""

from __future__ import annotations

from collections.abc import Hashable

from croupier.kit.clock import Clock

MOST = 10_000
"""The largest number of keys; beyond it all are forgotten."""


class Throttle:
    """Allow each key once in `every_s` seconds."""

    def __init__(self, clock: Clock, every_s: float = 60.0) -> None:
        self._clock = clock
        self._every_s = every_s
        self._told: dict[Hashable, float] = {}

    def allows(self, about: Hashable) -> bool:
        """Return whether to report this key now."""
        now = self._clock.monotonic_s()
        told = self._told.get(about)
        if told is not None and now - told < self._every_s:
            return False
        if len(self._told) >= MOST:
            self._told.clear()
        self._told[about] = now
        return True
