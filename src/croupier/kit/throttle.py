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
        self._reported_s: dict[Hashable, float] = {}

    def allows(self, about: Hashable) -> bool:
        """Return whether to report this key now."""
        now = self._clock.monotonic_s()
        last_s = self._reported_s.get(about)
        if last_s is not None and now - last_s < self._every_s:
            return False
        if len(self._reported_s) >= MOST:
            self._reported_s.clear()
        self._reported_s[about] = now
        return True
