"""The parts of every draw game: its number, its result, its bets, and the multiplier of each bet.

Owns: the protocol of a game, the grammar of multipliers, and the only rounding of a win. Never: a float.

A multiplier is an integer of hundredths: 250 is 2.50 times the stake. A win is the stake in minor units times the multiplier,
rounded down to a whole minor unit. A loss is a multiplier of 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

UNIT = 100
"""Hundredths of a multiplier of 1.00."""
STAKE_BACK = UNIT
Results = tuple[int | str, ...]
_MULTIPLIER = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,2}))?")


class BadChoice(ValueError):
    """The bet is none of this game. The text says what a bet looks like."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a paytable: with this bet, this outcome has this exact chance and pays this multiplier in hundredths."""

    bet: str
    outcome: str
    chance: Fraction
    multiplier: int


class DrawGame(Protocol):
    """One draw game. It is pure: the results follow from the numbers, the wins from the results."""

    @property
    def game_type(self) -> int:
        """The number under which the feed knows the game."""
        ...

    @property
    def game_id(self) -> str:
        """The game's id in the catalogue."""
        ...

    @property
    def name(self) -> str:
        """The game's name in the catalogue."""
        ...

    def results(self, numbers: Numbers) -> Results:
        """Return the results of a draw."""
        ...

    def choice(self, text: str) -> str:
        """Return the bet in its one spelling. Raises BadChoice."""
        ...

    def multiplier(self, choice: str, results: Results) -> int:
        """Return the hundredths that a bet pays on these results; 0 is a loss."""
        ...

    def lines(self) -> Sequence[Line]:
        """Return the paytable: every outcome that pays, with its exact chance."""
        ...


class Numbers(Protocol):
    """The numbers that decide a draw; `fairness.Stream` in production."""

    def below(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1."""
        ...

    def sample(self, population: int, size: int) -> tuple[int, ...]:
        """Return different numbers from 0 to `population` - 1, in the order of drawing."""
        ...


def win_of(stake: int, multiplier: int) -> int:
    """Return the win in minor units, rounded down to a whole one. Both are integers and not negative."""
    if stake < 0 or multiplier < 0:
        raise ValueError("neither a stake nor a multiplier is negative")
    return stake * multiplier // UNIT


def multiplier_text(multiplier: int) -> str:
    """Return hundredths as decimal text: 250 is 2.50."""
    whole, rest = divmod(multiplier, UNIT)
    return f"{whole}.{rest:02d}"


def multiplier_of(text: str) -> int:
    """Return decimal text as hundredths: 2.5 is 250. Raises BadChoice."""
    matched = _MULTIPLIER.fullmatch(text)
    if matched is None:
        raise BadChoice("a multiplier is digits, and at most two decimals after a point")
    return int(matched[1]) * UNIT + int((matched[2] or "").ljust(2, "0"))
