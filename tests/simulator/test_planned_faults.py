"""Every named point of the hub's code is one where a simulated process may die."""

from __future__ import annotations

from croupier.simulator.planned_faults import POINTS
from tests.chaos.points import named_points


def test_every_named_point_is_in_the_list_and_no_other() -> None:
    assert set(POINTS) == set(named_points())
    assert len(POINTS) == len(named_points())
