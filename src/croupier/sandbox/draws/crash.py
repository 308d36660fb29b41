"""The crash game: a multiplier rises from 1.00 until it crashes; a bet is the multiplier at which a player leaves.

Owns: the crash point, the curve over time, and what a bet pays. Never: a float. The curve is a polynomial of integers.

The crash point in hundredths is `97 * 1,000,000 // u` with `u` drawn from 1 to 1,000,000, but from 1.00 to 100.00. A bet wins if the
crash point is at least its multiplier. At every multiplier the chance is thus 0.97 divided by it, rounded down to a millionth.
"""

from __future__ import annotations

from fractions import Fraction

from croupier.sandbox.draws.game import UNIT, BadChoice, Line, Numbers, Results, multiplier_of, multiplier_text

OUTCOMES = 1_000_000
SHARE = 97
"""Hundredths of the stakes that are returned, but for rounding."""
LOWEST, HIGHEST = 101, 10_000
"""The multipliers at which a player may leave, in hundredths."""
STAYS = "stays"
"""The bet of a player who has not chosen a multiplier yet. It loses if it stays."""

_SHOWN = (101, 120, 150, 200, 300, 500, 1000, 2500, 5000, 10_000)
"""The multipliers of the paytable; between them every hundredth may be chosen."""
_STEADY_MS, _CURVE = 8000, 200_000


class Crash:
    """Game type 25. The result is the crash point in hundredths."""

    game_type = 25
    game_id = "heron-crash"
    name = "Heron Crash"

    def results(self, numbers: Numbers) -> Results:
        """Return the crash point."""
        return (crash_point(numbers.below(OUTCOMES) + 1),)

    def choice(self, text: str) -> str:
        """Return the multiplier to leave at, or `stays` for a player who chooses later. Raises BadChoice."""
        if text == STAYS:
            return text
        chosen = multiplier_of(text)
        if not LOWEST <= chosen <= HIGHEST:
            lowest, highest = multiplier_text(LOWEST), multiplier_text(HIGHEST)
            raise BadChoice(f"a bet is a multiplier from {lowest} to {highest}, or {STAYS}")
        return multiplier_text(chosen)

    def multiplier(self, choice: str, results: Results) -> int:
        """Return the chosen multiplier if the crash came no earlier."""
        if choice == STAYS:
            return 0
        chosen = multiplier_of(choice)
        return chosen if crash_point_of(results) >= chosen else 0

    def lines(self) -> list[Line]:
        """Return the paytable at some multipliers."""
        return [Line(f"leaves at {multiplier_text(m)}", "no crash before", chance(m), m) for m in _SHOWN]


def crash_point_of(results: Results) -> int:
    """Return the crash point that the results hold."""
    point = results[0]
    assert isinstance(point, int)
    return point


def crash_point(outcome: int) -> int:
    """Return the crash point in hundredths for an outcome from 1 to OUTCOMES."""
    return max(UNIT, min(HIGHEST, SHARE * OUTCOMES // outcome))


def chance(multiplier: int) -> Fraction:
    """Return the chance that the crash point is at least this multiplier, from LOWEST to HIGHEST."""
    return Fraction(SHARE * OUTCOMES // multiplier, OUTCOMES)


def multiplier_after(elapsed_ms: int) -> int:
    """Return the multiplier in hundredths that is shown after this time of play: 2.00 after 2 s, 100.00 after 41 s."""
    return min(HIGHEST, UNIT + elapsed_ms * (elapsed_ms + _STEADY_MS) // _CURVE)


def ms_until(multiplier: int) -> int:
    """Return the first millisecond at which the curve shows this multiplier, at most HIGHEST."""
    low, high = 0, 60_000
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if multiplier_after(middle) >= multiplier else (middle + 1, high)
    return low
