"""Admission control for new bets: circuit breaker, limit per casino and overall limit, checked before anything is written.

Owns: this process's record of each casino's health. Never: delays a known bet, a payout, a return or owed money. Those
follow their schedule whatever admission control decides. Spec: money.md 4.3.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field

from croupier.kit.clock import Clock
from croupier.kit.metrics import Metrics

IN_A_ROW = 20
WINDOW_S = 10.0
WINDOW_LEAST = 50
PROBE_S = 2.0


@dataclass(slots=True)
class _CasinoHealth:
    """The health of one casino as this process has observed it."""

    in_flight: int = 0
    unanswered_in_a_row: int = 0
    recent: deque[tuple[float, bool]] = field(default_factory=deque)
    open_since_s: float | None = None
    probed_s: float = 0.0


class Admission:
    """Admission control for new bets, per casino and overall."""

    def __init__(self, clock: Clock, metrics: Metrics, max_in_flight: int) -> None:
        self._clock = clock
        self._metrics = metrics
        self._max_in_flight = max_in_flight
        self._casinos: defaultdict[int, _CasinoHealth] = defaultdict(_CasinoHealth)
        self._in_flight = 0

    def admit(self, casino_id: int, in_flight: int) -> bool:
        """Admit one more stake to this casino, or return False. Pair each admission with `leave`.

        `in_flight`: the most stakes that the casino takes at once.
        """
        health = self._casinos[casino_id]
        full = self._in_flight >= self._max_in_flight and health.in_flight >= self._share(health)
        if full or health.in_flight >= in_flight or not self.allows(casino_id):
            return False
        health.in_flight += 1
        self._in_flight += 1
        return True

    def leave(self, casino_id: int) -> None:
        """Release an admitted stake: it has its outcome, or its request no longer waits."""
        self._casinos[casino_id].in_flight -= 1
        self._in_flight -= 1

    def answered(self, casino_id: int) -> None:
        """Record an answer that could be read, or an accept. It closes the breaker."""
        health = self._casinos[casino_id]
        health.unanswered_in_a_row = 0
        self._remember(health, ok=True)
        if health.open_since_s is not None:
            health.open_since_s = None
            health.recent.clear()
            self._metrics.put("croupier_breaker_open", 0, str(casino_id))

    def unanswered(self, casino_id: int) -> None:
        """Record a call that got no readable answer. It opens the breaker when there are too many."""
        health = self._casinos[casino_id]
        health.unanswered_in_a_row += 1
        self._remember(health, ok=False)
        if health.open_since_s is None and (health.unanswered_in_a_row >= IN_A_ROW or self._half_failed(health)):
            health.open_since_s = health.probed_s = self._clock.monotonic_s()
            self._metrics.put("croupier_breaker_open", 1, str(casino_id))

    def allows(self, casino_id: int) -> bool:
        """Return whether a call may leave: the breaker is closed, or it is time for a probe, which this call is then."""
        health = self._casinos[casino_id]
        if health.open_since_s is None:
            return True
        now = self._clock.monotonic_s()
        if now - health.probed_s < PROBE_S:
            return False
        health.probed_s = now
        return True

    def open_breakers(self) -> list[int]:
        """Return the ids of the casinos whose circuit breaker is open."""
        return [casino_id for casino_id, health in self._casinos.items() if health.open_since_s is not None]

    def _share(self, health: _CasinoHealth) -> int:
        """The number of stakes that a casino may always have in flight, so that busy casinos cannot shut it out."""
        busy = sum(1 for other in self._casinos.values() if other.in_flight and other is not health)
        return self._max_in_flight // (2 * (busy + 1))

    def _remember(self, health: _CasinoHealth, *, ok: bool) -> None:
        now = self._clock.monotonic_s()
        health.recent.append((now, ok))
        while health.recent and (health.recent[0][0] < now - WINDOW_S or len(health.recent) > 1000):
            health.recent.popleft()

    @staticmethod
    def _half_failed(health: _CasinoHealth) -> bool:
        failed = sum(not ok for _, ok in health.recent)
        return len(health.recent) >= WINDOW_LEAST and failed * 2 >= len(health.recent)
