"""Rate limits by token buckets, one for each key, in one process.

Owns: the count, and when to ask again. Never: the answer to who asks too often. Time is the caller's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable

MOST = 50_000
"""The largest number of keys; beyond it the full buckets are forgotten, and then all."""


class TokenBuckets:
    """Allow each key `per_s` requests a second, and `burst` at once. A key with a rate of its own has its burst in proportion."""

    def __init__(self, now_s: Callable[[], float], per_s: float, burst: float) -> None:
        self._now_s = now_s
        self._per_s = per_s
        self._burst = burst
        self._left: dict[Hashable, tuple[float, float]] = {}

    def wait_s(self, key: Hashable, per_s: float | None = None) -> int:
        """Take a token and return 0, or the whole seconds after which there is one. `per_s` is the key's own rate."""
        now_s = self._now_s()
        rate, burst = self._per_s, self._burst
        if per_s is not None:
            rate, burst = per_s, max(self._burst / self._per_s * per_s, 1.0)
        left, since_s = self._left.get(key, (burst, now_s))
        left = min(left + (now_s - since_s) * rate, burst)
        if left < 1:
            self._left[key] = left, now_s
            return max(math.ceil((1 - left) / rate), 1)
        if key not in self._left and len(self._left) >= MOST:
            self._forget(now_s)
        self._left[key] = left - 1, now_s
        return 0

    def empty_for_s(self, key: Hashable) -> int:
        """Return the whole seconds until the key has a token, 0 if it has one. Takes none."""
        entry = self._left.get(key)
        if entry is None:
            return 0
        left = entry[0] + (self._now_s() - entry[1]) * self._per_s
        return 0 if left >= 1 else max(math.ceil((1 - left) / self._per_s), 1)

    def _forget(self, now_s: float) -> None:
        full = [
            key for key, (left, since_s) in self._left.items() if left + (now_s - since_s) * self._per_s >= self._burst
        ]
        for key in full or list(self._left):
            del self._left[key]
