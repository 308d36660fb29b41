"""The checks of the verdict itself: leases, claims and cashbacks of a world at rest, true ones and forged ones."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from croupier.kit.chance import SeededChance
from croupier.simulator.arena import Arena
from croupier.simulator.dials import CasinoCharacter
from croupier.simulator.faults import Weather
from croupier.simulator.judge import Case, Judgement
from croupier.simulator.sim_provider import ProviderBet
from croupier.simulator.verdict import _cashbacks, _claims, _leases
from croupier.simulator.watch import Watch
from croupier.simulator.world import World
from tests.core.samples import new_cashback
from tests.simulator.test_sim_casino import casino_of


def world(**forged: Any) -> Any:
    """A world in which all is right until a test forges something."""
    watch = Watch()
    watch.names[7] = "b-1"
    plain = {"weather": Weather(), "stage": SimpleNamespace(badly_stopped=[]), "watch": watch, "odd": []}
    return SimpleNamespace(**{**plain, "asked_cashbacks": {(11, "week 12"): 500}, **forged})


def test_two_tries_under_way_and_an_orderly_stop_that_was_none_are_violations() -> None:
    verdict, scene = Judgement(), world()
    _leases(scene, verdict)
    assert verdict.violations == []
    scene.weather.twice_under_way.append((7, -1))
    scene.stage.badly_stopped.append("hub-2 left calls leased")
    _leases(scene, verdict)
    assert verdict.violations == [
        "I17: b-1 type -1 was sent while another try of it was under way",
        "I17: at its orderly stop hub-2 left calls leased",
    ]


@pytest.mark.parametrize(
    ("denied_s", "wrong"), [([], 0), ([(1.0, 2.0), (9.0, 11.0)], 0), ([(1.0, 2.0), (11.0, 12.0)], 1)]
)
def test_a_provider_that_asks_for_its_unclaimed_bet_is_not_told_that_it_is_over(
    denied_s: list[tuple[float, float]], wrong: int
) -> None:
    scene, verdict = world(), Judgement()
    for state, at_s in (("unclaimed", 10.0), ("undoing", 25.0)):
        scene.watch.claims.stands({"bet_id": 7, "provider_id": 22, "bet_ref": "b-1", "state": state}, at_s)
    bet = ProviderBet("b-1", "s-1", 1_000, SeededChance(1), denied_s=denied_s)
    _claims(scene, {(23, "b-1"): bet}, verdict)
    assert verdict.violations == [], "another provider's bet"
    _claims(scene, {(22, "b-1"): bet}, verdict)
    assert verdict.violations == ["I3: b-1 stood unclaimed, and its provider was told 7"] * wrong


@pytest.mark.parametrize(
    ("changes", "wrong"), [({}, 0), ({"amount": 501}, 1), ({"ref": "week 13"}, 1), ({"casino_id": 12}, 1)], ids=str
)
def test_a_cashback_is_what_a_command_asked_for(changes: dict[str, Any], wrong: int) -> None:
    row, verdict = new_cashback(**changes), Judgement()
    _cashbacks(world(), [Case(row, casino_of(CasinoCharacter.HONEST), None, frozenset())], verdict)
    assert verdict.violations == [f"I9: {row.ref} is a cashback of {row.amount} that nobody asked for"] * wrong


def test_what_the_run_found_odd_is_in_the_verdict() -> None:
    verdict = Judgement()
    _cashbacks(world(odd=["I9: c1 was taken with another amount"]), [], verdict)
    assert verdict.violations == ["I9: c1 was taken with another amount"]


@pytest.mark.slow
def test_a_world_has_returns_and_expired_stakes_to_judge(ring: Arena) -> None:
    result = ring.play(World(27, 30))
    assert result.verdict.violations == []
    assert result.seen["return judged"] > 0
    assert result.seen["expired for an hour"] > 0
