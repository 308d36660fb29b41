"""How often a browser may call: one bucket per address and per player, in each process.

Owns: the buckets. Never: an answer. A full bucket is the same as none, so that those are forgotten first.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from croupier.kit.clock import Clock

MOST: Final = 50_000
"""Buckets at once. Beyond it, full ones are forgotten; without a full one, all are."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many calls may come at once, and how many a second after that."""

    at_once: int
    per_s: float


class RateLimit:
    """The buckets of one pace."""

    def __init__(self, clock: Clock, pace: Pace) -> None:
        self._clock = clock
        self._pace = pace
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def wait_s(self, about: Hashable) -> int:
        """Take one call of this key. Return 0, or the whole seconds to wait if none is left."""
        now_s = self._clock.monotonic_s()
        left = self._left(about, now_s)
        if left < 1:
            return max(1, math.ceil((1 - left) / self._pace.per_s))
        if len(self._buckets) >= MOST and about not in self._buckets:
            self._forget(now_s)
        self._buckets[about] = (left - 1, now_s)
        return 0

    def _left(self, about: Hashable, now_s: float) -> float:
        left, since_s = self._buckets.get(about, (float(self._pace.at_once), now_s))
        return min(float(self._pace.at_once), left + (now_s - since_s) * self._pace.per_s)

    def _forget(self, now_s: float) -> None:
        kept = {key: told for key, told in self._buckets.items() if self._left(key, now_s) < self._pace.at_once}
        self._buckets = kept if len(kept) < MOST else {}
