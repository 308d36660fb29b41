"""Keno: 20 of 80 numbers are drawn, a bet is on 1 to 10 of them.

Owns: its rules and its paytable. Never: a number of its own; `fairness.Stream` draws them.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import comb

from croupier.sandbox.draws.game import BadChoice, Line, Numbers, Results

NUMBERS, DRAWN, MOST_PICKS = 80, 20, 10

PAYS: dict[int, dict[int, int]] = {
    1: {1: 380},
    2: {1: 100, 2: 950},
    3: {2: 200, 3: 4500},
    4: {2: 200, 3: 500, 4: 9500},
    5: {3: 400, 4: 2000, 5: 50_000},
    6: {3: 200, 4: 800, 5: 7000, 6: 150_000},
    7: {3: 100, 4: 300, 5: 2500, 6: 30_000, 7: 700_000},
    8: {4: 200, 5: 1500, 6: 9000, 7: 100_000, 8: 2_000_000},
    9: {4: 100, 5: 500, 6: 5000, 7: 30_000, 8: 400_000, 9: 3_000_000},
    10: {0: 300, 5: 400, 6: 2000, 7: 13_000, 8: 80_000, 9: 500_000, 10: 5_000_000},
}
"""Numbers picked, to numbers hit, to the multiplier in hundredths. Other hits lose."""

_CHOICE = re.compile(r"[0-9]{1,2}(?:,[0-9]{1,2})*")


class Keno:
    """Game type 23. The results are the 20 numbers in the order of drawing."""

    game_type = 23
    game_id = "pebble-keno"
    name = "Pebble Keno"

    def results(self, numbers: Numbers) -> Results:
        """Return 20 different numbers from 1 to 80."""
        return tuple(number + 1 for number in numbers.sample(NUMBERS, DRAWN))

    def choice(self, text: str) -> str:
        """Return the picks in ascending order, commas between. Raises BadChoice."""
        picks = {int(pick) for pick in text.split(",")} if _CHOICE.fullmatch(text) else set()
        if not picks or not picks <= set(range(1, NUMBERS + 1)) or len(picks) != text.count(",") + 1:
            raise BadChoice(f"a bet is different numbers from 1 to {NUMBERS}, commas between, such as 4,18,77")
        if len(picks) > MOST_PICKS:
            raise BadChoice(f"a bet has at most {MOST_PICKS} numbers")
        return ",".join(str(pick) for pick in sorted(picks))

    def multiplier(self, choice: str, results: Results) -> int:
        """Return what the hits pay."""
        picks = {int(pick) for pick in choice.split(",")}
        return PAYS[len(picks)].get(len(picks & set(results)), 0)

    def lines(self) -> list[Line]:
        """Return the paytable."""
        return [
            Line(f"{picks} picks" if picks > 1 else "1 pick", f"{hits} hit", chance(picks, hits), multiplier)
            for picks, pays in PAYS.items()
            for hits, multiplier in pays.items()
        ]


def chance(picks: int, hits: int) -> Fraction:
    """Return the chance that `hits` of `picks` numbers are among the 20 of 80 (hypergeometric)."""
    return Fraction(comb(picks, hits) * comb(NUMBERS - picks, DRAWN - hits), comb(NUMBERS, DRAWN))
