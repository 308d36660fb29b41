"""The times at which draws begin, and the lengths of their phases.

Owns: the durations of each game type, and the instants that follow from them. Never: a clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.sandbox.draws.crash import Crash
from croupier.sandbox.draws.keno import Keno
from croupier.sandbox.draws.poker_draw import PokerDraw
from croupier.sandbox.draws.wheel import Wheel

_MS = 1000


@dataclass(frozen=True, slots=True)
class Schedule:
    """The schedule of one game type, in milliseconds."""

    every_ms: int
    """Draws begin at multiples of this; 0 begins each `rest_ms` after the one before."""
    rest_ms: int
    """From the announcement of a draw to its start, at least."""
    betting_ms: int
    action_ms: int
    """How long the game is shown. A crash game lasts until its crash instead."""
    results_ms: int
    """How long the results are shown."""
    grace_ms: int = 8000
    """How long stakes under way may take after betting has closed; what takes longer is refunded."""
    pace: int = 1
    """How many times as fast as usual the curve of a crash game rises."""

    def next_start(self, now_ms: int) -> int:
        """Return when the next draw begins."""
        earliest = now_ms + self.rest_ms
        return earliest if not self.every_ms else -(-earliest // self.every_ms) * self.every_ms

    def faster(self, pace: int) -> Schedule:
        """Return the same schedule `pace` times as fast. The grace stays: it waits for peers, not for players."""
        return Schedule(
            every_ms=self.every_ms // pace,
            rest_ms=self.rest_ms // pace,
            betting_ms=self.betting_ms // pace,
            action_ms=self.action_ms // pace,
            results_ms=self.results_ms // pace,
            grace_ms=self.grace_ms,
            pace=self.pace * pace,
        )


SCHEDULES: dict[int, Schedule] = {
    PokerDraw.game_type: Schedule(45 * _MS, 4 * _MS, 25 * _MS, 6 * _MS, 6 * _MS),
    Keno.game_type: Schedule(60 * _MS, 5 * _MS, 38 * _MS, 8 * _MS, 6 * _MS),
    Wheel.game_type: Schedule(30 * _MS, 3 * _MS, 15 * _MS, 6 * _MS, 4 * _MS),
    Crash.game_type: Schedule(0, 4 * _MS, 10 * _MS, 0, 4 * _MS),
}
"""Game type to schedule."""
