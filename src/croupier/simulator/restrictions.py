"""Restrictions of a run: a blocked player, a disabled game, an ended session, each with its time.

Owns: the record, and which bets it concerns. Never: creates one (operator, people), checks one (judge_restrictions).
"""

from __future__ import annotations

from dataclasses import dataclass

HOLDS_AFTER_S = 1.0
"""A change takes effect within a second, in every process (operate.md 3)."""


@dataclass(slots=True)
class Restriction:
    """A restriction and its time in virtual seconds. A field that is None matches everything."""

    what: str
    since_s: float
    until_s: float | None = None
    """None: it never ended."""
    player_id: int | None = None
    game: tuple[int, int] | None = None
    """Casino and game."""
    session_id: str | None = None

    def concerns(self, *, player_id: int, game: tuple[int, int], session_id: str) -> bool:
        """Return whether it concerns a bet of this player, game and session."""
        return (
            self.player_id in (None, player_id) and self.game in (None, game) and self.session_id in (None, session_id)
        )

    def holds(self, at_s: float) -> bool:
        """Return whether it surely prevents a new bet at this time."""
        return self.since_s + HOLDS_AFTER_S <= at_s and (self.until_s is None or at_s < self.until_s)

    def touches(self, since_s: float, until_s: float) -> bool:
        """Return whether it may be in effect at any time in this interval, including the second after its end."""
        return self.since_s <= until_s and (self.until_s is None or self.until_s + HOLDS_AFTER_S >= since_s)
