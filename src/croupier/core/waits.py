"""Timeouts and retry schedule of the money path, in one record.

Owns: the numbers, and the instants computed from them. Never: reads a clock. Durations are seconds, instants integer
milliseconds since the Unix epoch. Spec: money.md 2.3, 2.4 and 2.8.
"""

from __future__ import annotations

from dataclasses import dataclass

MS = 1000


@dataclass(frozen=True, slots=True)
class Waits:
    """The schedule of money.md 2.4 and 2.8. The demo and the tests shorten it, production does not."""

    info_at_s: tuple[float, ...] = (30.0, 45.0, 60.0)
    """Times of the info queries for a stake without an outcome, counted from its commit."""
    late_info_at_s: tuple[float, ...] = (120.0, 600.0, 3600.0, 86400.0)
    """Times of the info queries for an expired stake, counted from its commit."""
    accept_wait_s: float = 30.0
    """Seconds that an acknowledged payment waits for its accept before it is sent again."""
    ladder_s: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
    then_every_s: float = 300.0
    then_for_s: float = 86400.0
    later_every_s: float = 3600.0
    park_after_s: float = 30 * 86400.0
    envelope_s: float = 10.0
    """Seconds that a signed make stays valid (casino.md 2: exp = nbf + 10)."""
    skew_s: float = 10.0
    incident_after: int = 5
    lease_s: float = 15.0
    """Seconds of a call's lease; longer than any timeout of a whole call."""

    def retry_ms(self, *, created_ms: int, now_ms: int, failures: int, luck: float) -> int | None:
        """Return the instant of the next attempt after `failures` failures; None when the schedule is used up.

        `luck` in [0, 1) is the jitter: full for early attempts, up to a tenth of the interval for late ones. It keeps
        retries from reaching a recovered casino all at once.
        """
        age_s = (now_ms - created_ms) / MS
        if age_s >= self.park_after_s:
            return None
        if failures <= len(self.ladder_s):
            return now_ms + round(self.ladder_s[max(failures, 1) - 1] * luck * MS)
        every_s = self.then_every_s if age_s < self.then_for_s else self.later_every_s
        return now_ms + round(every_s * (1 - luck / 10) * MS)

    def after_ms(self, start_ms: int, seconds: float) -> int:
        """Return the instant `seconds` after `start_ms`."""
        return start_ms + round(seconds * MS)

    def next_info_ms(self, created_ms: int, now_ms: int, *, late: bool) -> int | None:
        """Return the instant of the next scheduled info query for a stake after `now_ms`, or None."""
        times = self.late_info_at_s if late else self.info_at_s
        return next((at for s in times if (at := self.after_ms(created_ms, s)) > now_ms), None)

    def not_there_proves(self, created_ms: int, asked_ms: int, hold_s: float) -> bool:
        """Return whether a stake missing from a list can no longer be booked by a make in flight.

        `asked_ms` is the instant at which the query left. The list may be as old as that, however late it arrived.
        """
        return asked_ms > self.after_ms(created_ms, hold_s + self.envelope_s + self.skew_s)

    def last_info_reached(self, created_ms: int, asked_ms: int) -> bool:
        """Return whether a query that left at `asked_ms` was the last regular one (60 s)."""
        return asked_ms >= self.after_ms(created_ms, self.info_at_s[-1])
