"""The times at which bets stood unclaimed: a stake was accepted, and no request waited for it.

Owns: these spans, read from the committed rows, and the time that a provider has. Never: reads a rule of the hub.
Times are virtual seconds. Spec: money.md 3.5.
"""

from __future__ import annotations

from typing import Any

CLAIM_S = 15.0
"""Time in which a provider may claim such a bet."""
OVER = ("taken_up", "returned")
"""Event and state of a bet that nobody claimed."""


class Claims:
    """The spans of all bets of a world."""

    def __init__(self) -> None:
        self.exact = True
        """Whether the clocks of all processes are right."""
        self._since_s: dict[int, float] = {}
        self._spans: dict[tuple[int, str], list[tuple[float, float]]] = {}
        self._ended: dict[int, tuple[float, float]] = {}

    def stands(self, row: dict[str, Any], now_s: float) -> None:
        """Take in a row of a bet."""
        if "bet_ref" not in row:
            return
        bet_id = row["bet_id"]
        if row["state"] == "unclaimed":
            self._since_s.setdefault(bet_id, now_s)
        elif bet_id in self._since_s:
            span = self._ended[bet_id] = self._since_s.pop(bet_id), now_s
            self._spans.setdefault((row["provider_id"], row["bet_ref"]), []).append(span)

    def ended_early(self, row: dict[str, Any], late_s: float) -> bool:
        """Return whether this event ended a claim before its time was over. `late_s`: how late commits may be seen."""
        span = self._ended.pop(row["subject_id"], None)
        if span is None or not self.exact or (row["event"], row["state"]) != OVER:
            return False
        return span[1] - span[0] < CLAIM_S - late_s - 0.01

    def covers(self, bet: tuple[int, str], span_s: tuple[float, float]) -> bool:
        """Return whether the bet of this provider and betId stood unclaimed from a request to its answer."""
        asked_s, answered_s = span_s
        return any(since < asked_s and answered_s < until for since, until in self._spans.get(bet, ()))
