"""Restrictions: a change takes effect within a second, and never before."""

from __future__ import annotations

import pytest

from croupier.simulator.restrictions import Restriction

MINE = {"player_id": 7, "game": (1, 2), "session_id": "s"}


@pytest.mark.parametrize(
    ("at_s", "holds"), [(9.9, False), (10.0, False), (10.9, False), (11.0, True), (19.9, True), (20.0, False)]
)
def test_it_holds_a_second_after_it_was_switched_until_it_is_switched_back(at_s: float, *, holds: bool) -> None:
    assert Restriction("", 10.0, 20.0).holds(at_s) == holds
    assert Restriction("", 10.0).holds(at_s) == (at_s >= 11.0)


@pytest.mark.parametrize(
    ("span_s", "touches"), [((0, 9), False), ((0, 10), True), ((12, 13), True), ((21, 30), True), ((21.5, 30), False)]
)
def test_it_excuses_what_was_asked_while_it_may_have_held(span_s: tuple[float, float], *, touches: bool) -> None:
    assert Restriction("", 10.0, 20.0).touches(*span_s) == touches


def test_it_is_about_what_it_names() -> None:
    assert Restriction("", 0).concerns(**MINE)  # type: ignore[arg-type] # a dict
    for other in (Restriction("", 0, player_id=8), Restriction("", 0, game=(1, 3)), Restriction("", 0, session_id="t")):
        assert not other.concerns(**MINE)  # type: ignore[arg-type] # a dict
    assert Restriction("", 0, player_id=7, game=(1, 2), session_id="s").concerns(**MINE)  # type: ignore[arg-type] # a dict
