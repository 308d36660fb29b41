"""Whether a new bet is taken on: breaker, bulkhead and load, judged before anything is written.

Owns: what this process knows of each casino's health. Never: touches a known bet, a payout, a return or owed
money: those go by their schedule whatever the gates say. Spec: money.md 4.3.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from croupier.kit.clock import Clock
from croupier.kit.metrics import Metrics

IN_A_ROW = 20
WINDOW_S = 10.0
WINDOW_LEAST = 50
PROBE_S = 2.0


@dataclass(slots=True)
class _Line:
    """One casino as this process sees it."""

    in_flight: int = 0
    silent_row: int = 0
    recent: deque[tuple[float, bool]] = field(default_factory=deque)
    open_since_s: float | None = None
    probed_s: float = 0.0


class Admission:
    """Admission of new bets, per casino and over all."""

    def __init__(self, clock: Clock, metrics: Metrics, most: int) -> None:
        self._clock = clock
        self._metrics = metrics
        self._most = most
        self._lines: dict[int, _Line] = {}
        self._all = 0

    def admit(self, casino_id: int, in_flight: int) -> bool:
        """Whether one more stake may go to this casino, which takes `in_flight` at once. Pair with `leave`."""
        line = self._line(casino_id)
        full = self._all >= self._most and line.in_flight >= self._share(line)
        if full or line.in_flight >= in_flight or not self._breaker_lets(line):
            return False
        line.in_flight += 1
        self._all += 1
        return True

    def leave(self, casino_id: int) -> None:
        """A stake that was admitted has its outcome, or nobody waits for it any more."""
        self._line(casino_id).in_flight -= 1
        self._all -= 1

    def answered(self, casino_id: int) -> None:
        """A sign of life: any answer to a call that could be understood, or an accept."""
        line = self._line(casino_id)
        line.silent_row = 0
        self._remember(line, ok=True)
        if line.open_since_s is not None:
            line.open_since_s = None
            line.recent.clear()
            self._metrics.put("croupier_breaker_open", 0, str(casino_id))

    def unanswered(self, casino_id: int) -> None:
        """A call without an answer that could be understood."""
        line = self._line(casino_id)
        line.silent_row += 1
        self._remember(line, ok=False)
        if line.open_since_s is None and (line.silent_row >= IN_A_ROW or self._half_failed(line)):
            line.open_since_s = line.probed_s = self._clock.monotonic_s()
            self._metrics.put("croupier_breaker_open", 1, str(casino_id))

    def is_open(self, casino_id: int) -> bool:
        """Whether new bets for this casino are held off."""
        return self._line(casino_id).open_since_s is not None

    def open_ones(self) -> list[int]:
        """Casinos whose new bets are held off now."""
        return [casino_id for casino_id, line in self._lines.items() if line.open_since_s is not None]

    def _share(self, line: _Line) -> int:
        """What a casino may have in flight even where others hold all the rest: they must not shut it out."""
        busy = sum(1 for other in self._lines.values() if other.in_flight and other is not line)
        return self._most // (2 * (busy + 1))

    def _line(self, casino_id: int) -> _Line:
        return self._lines.setdefault(casino_id, _Line())

    def _breaker_lets(self, line: _Line) -> bool:
        """Closed, or time for a probe."""
        now = self._clock.monotonic_s()
        if line.open_since_s is None:
            return True
        if now - line.probed_s < PROBE_S:
            return False
        line.probed_s = now
        return True

    def _remember(self, line: _Line, *, ok: bool) -> None:
        now = self._clock.monotonic_s()
        line.recent.append((now, ok))
        while line.recent and (line.recent[0][0] < now - WINDOW_S or len(line.recent) > 1000):
            line.recent.popleft()

    @staticmethod
    def _half_failed(line: _Line) -> bool:
        failed = sum(not ok for _, ok in line.recent)
        return len(line.recent) >= WINDOW_LEAST and failed * 2 >= len(line.recent)
