"""When an open loop sends, and the percentiles of waits.

Owns: the schedule and the percentiles, as pure functions of time. A wait is counted from the moment at which its request was due: a
load side that is late counts its own delay too, and a slow answer delays no later request (no coordinated omission).
"""

from __future__ import annotations

import math
from collections.abc import Sequence


class Schedule:
    """The instants at which requests are due: `rate` in a second, at equal distances from `start_s` on."""

    def __init__(self, rate: float, start_s: float) -> None:
        self._rate = rate
        self._start_s = start_s
        self._taken = 0

    def take_due(self, now_s: float) -> list[float]:
        """Return the instants that are due and were not taken yet, the earliest first."""
        due = max(math.floor((now_s - self._start_s) * self._rate) + 1, self._taken)
        instants = [self._start_s + number / self._rate for number in range(self._taken, due)]
        self._taken = due
        return instants

    def next_in_s(self, now_s: float) -> float:
        """Return the seconds until the next instant; 0 if it is past."""
        return max(self._start_s + self._taken / self._rate - now_s, 0.0)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed; 0 if there are none."""
    if not ordered:
        return 0.0
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def waits_ms(waits_s: Sequence[float]) -> dict[str, float]:
    """Return p50, p99, p99.9 and the longest of some waits, in milliseconds."""
    ordered = sorted(waits_s)
    shares = {"p50_ms": 0.5, "p99_ms": 0.99, "p999_ms": 0.999, "max_ms": 1.0}
    return {name: round(percentile(ordered, share) * 1000, 2) for name, share in shares.items()}
