"""The paytable of a draw game with its exact return to player.

Owns: the computation and its text. Never: a float, or a chance that is no exact fraction.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from croupier.sandbox.draws.game import UNIT, DrawGame, multiplier_text

_HUNDREDTHS_OF_PERCENT = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """One bet with all that it may pay. `returned` is the share of the stakes that comes back on average."""

    bet: str
    pays: tuple[tuple[str, str], ...]
    """Outcome and multiplier as decimal text."""
    returned: Fraction

    @property
    def percent(self) -> str:
        """The return to player in percent, cut after two decimals."""
        return percent(self.returned)


def paytable(game: DrawGame) -> list[Row]:
    """Return the rows of a game, in the order of its lines."""
    bets: dict[str, list[tuple[str, str]]] = {}
    returned: dict[str, Fraction] = {}
    for line in game.lines():
        bets.setdefault(line.bet, []).append((line.outcome, multiplier_text(line.multiplier)))
        returned[line.bet] = returned.get(line.bet, Fraction(0)) + line.chance * Fraction(line.multiplier, UNIT)
    return [Row(bet, tuple(pays), returned[bet]) for bet, pays in bets.items()]


def percent(share: Fraction) -> str:
    """Return a share as percent with two decimals, cut and not rounded: never more than it is."""
    whole, rest = divmod(share.numerator * _HUNDREDTHS_OF_PERCENT // share.denominator, 100)
    return f"{whole}.{rest:02d} %"


def markdown(game: DrawGame) -> str:
    """Return the paytable as a table of a page: bet, multipliers, return to player."""
    rows = [f"| {row.bet} | {', '.join(f'{o}: {m}' for o, m in row.pays)} | {row.percent} |" for row in paytable(game)]
    return "\n".join(["| bet | pays, times the stake | return to player |", "| --- | --- | --- |", *rows])
