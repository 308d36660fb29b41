"""A failing world is made small and goes on failing in the same way; what is told of it plays it again."""

from __future__ import annotations

import pytest

from croupier.core import effects
from croupier.simulator.arena import Arena
from croupier.simulator.run import RunResult
from croupier.simulator.shrink import TRACE_LINES, Shrinking, laws, trace
from croupier.simulator.world import World

FAILS = 1


def _failing(ring: Arena) -> RunResult:
    """The first world in which the planted bug shows; which one that is, test_simulate finds out."""
    outcome = ring.play(World(FAILS, 30))
    assert outcome.verdict.violations
    return outcome


@pytest.mark.slow
def test_few_bets_and_few_faults_are_left(ring: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "owe_return", lambda _: None)
    failed = _failing(ring)
    small = Shrinking(ring.play, failed, plays=40).search()
    assert laws(small) & laws(failed)
    assert small.world.only is not None
    assert len(small.world.only) <= 2
    assert small.world.without
    assert ring.play(small.world).log == small.log
    assert 0 < len(trace(small)) <= TRACE_LINES


@pytest.mark.slow
def test_what_does_not_fail_is_never_taken_for_smaller(ring: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as planted:
        planted.setattr(effects, "owe_return", lambda _: None)
        failed = _failing(ring)
    assert Shrinking(ring.play, failed, plays=4).search() is failed


@pytest.mark.slow
def test_the_search_keeps_to_its_budget(ring: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "owe_return", lambda _: None)
    failed = _failing(ring)
    plays: list[World] = []

    def play(world: World) -> RunResult:
        plays.append(world)
        return ring.play(world)

    Shrinking(play, failed, plays=4).search()
    assert len(plays) <= 4
