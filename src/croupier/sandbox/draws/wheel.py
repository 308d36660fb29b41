"""The wheel: 50 segments in five colours, a bet is on a colour.

Owns: the order of the segments and what each colour pays. Never: a number of its own; `fairness.Stream` draws it.
"""

from __future__ import annotations

from fractions import Fraction

from croupier.sandbox.draws.game import BadChoice, Line, Numbers, Results

PAYS: dict[str, int] = {"grey": 200, "blue": 300, "green": 800, "gold": 1600, "violet": 4800}
"""Colour to multiplier in hundredths."""

_LETTERS = {"y": "grey", "b": "blue", "n": "green", "g": "gold", "v": "violet"}
SEGMENTS: tuple[str, ...] = tuple(_LETTERS[letter] for letter in "vybybynbybygybybnybybynybygbybynybyybnybybygybynyy")
"""The colour of each segment, from number 1 on, clockwise."""


class Wheel:
    """Game type 24. The results are the segment's number and its colour."""

    game_type = 24
    game_id = "harbour-lights"
    name = "Harbour Lights"

    def results(self, numbers: Numbers) -> Results:
        """Return one of the 50 segments."""
        place = numbers.below(len(SEGMENTS))
        return (place + 1, SEGMENTS[place])

    def choice(self, text: str) -> str:
        """Return the colour. Raises BadChoice."""
        if text not in PAYS:
            raise BadChoice(f"a bet is one of {', '.join(PAYS)}")
        return text

    def multiplier(self, choice: str, results: Results) -> int:
        """Return what the colour pays if it was drawn."""
        return PAYS[choice] if results[1] == choice else 0

    def lines(self) -> list[Line]:
        """Return the paytable."""
        return [
            Line(colour, "drawn", Fraction(SEGMENTS.count(colour), len(SEGMENTS)), multiplier)
            for colour, multiplier in PAYS.items()
        ]
