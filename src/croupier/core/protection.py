"""Limits that a casino sets on a player's play: of one session, or of every session of the player.

Owns: the record, and which of two limits holds: the narrower. Never: a limit of the operator (core.session), or the sums
(store.parties.session_stakes). Spec: casino.md 3.5, webframe.md 2.5.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

FOREVER_MS = 253_402_300_800_000
"""The end of an exclusion without an end: the year 10000."""


@dataclass(frozen=True, slots=True)
class PlayLimits:
    """Limits of one session of play. Amounts are minor units of the player's currency; None is no limit."""

    max_bet: int | None = None
    """The largest stake of one bet."""
    max_stakes: int | None = None
    """The sum of all stakes."""
    max_loss: int | None = None
    """Stakes less wins."""
    session_s: int | None = None
    """How long the session lives."""
    reality_check_s: int | None = None
    """How often the player is shown the time played and the result."""


NO_LIMITS = PlayLimits()


def narrower(one: PlayLimits, other: PlayLimits) -> PlayLimits:
    """Return the limits of which each is the smaller of the two."""
    told = {f.name: (getattr(one, f.name), getattr(other, f.name)) for f in fields(PlayLimits)}
    return PlayLimits(**{name: min((x for x in pair if x is not None), default=None) for name, pair in told.items()})


def passes(limits: PlayLimits, *, staked: int, won: int, stake: int) -> bool:
    """Return whether a bet of `stake` keeps the session within its sums. A stake without an outcome counts as lost."""
    if limits.max_stakes is not None and staked + stake > limits.max_stakes:
        return False
    return limits.max_loss is None or stake == 0 or staked + stake - won <= limits.max_loss
