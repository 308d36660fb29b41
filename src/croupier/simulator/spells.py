"""Spells: when a player was blocked, a game switched off, a session over, as the operator made it so.

Owns: the record, and which bets one is about. Never: makes one (operator, people), judges (judge_spells).
"""

from __future__ import annotations

from dataclasses import dataclass

HOLDS_AFTER_S = 1.0
"""What is switched holds within a second, in every process (operate.md 3)."""


@dataclass(slots=True)
class Spell:
    """From when to when something was not allowed; virtual seconds. What is None is of everybody."""

    what: str
    since_s: float
    until_s: float | None = None
    """None: it never ended."""
    player_id: int | None = None
    game: tuple[int, int] | None = None
    """Casino and game."""
    session_id: str | None = None

    def concerns(self, *, player_id: int, game: tuple[int, int], session_id: str) -> bool:
        """Whether a bet of these is meant."""
        return (
            self.player_id in (None, player_id) and self.game in (None, game) and self.session_id in (None, session_id)
        )

    def holds(self, at_s: float) -> bool:
        """Whether nobody may open a bet at this instant any more."""
        return self.since_s + HOLDS_AFTER_S <= at_s and (self.until_s is None or at_s < self.until_s)

    def touches(self, since_s: float, until_s: float) -> bool:
        """Whether it lasted at any time between these, with the second in which it may still hold."""
        return self.since_s <= until_s and (self.until_s is None or self.until_s + HOLDS_AFTER_S >= since_s)
