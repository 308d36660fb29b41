"""The simulator plays pots, and its judge knows what they hold: worlds with pots are clean, and a forged book is not."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest

from croupier.simulator.arena import Arena
from croupier.simulator.judge import Judgement
from croupier.simulator.pots import PotModel, _judge_commitments, _judge_pot, judge_pot_accounts
from croupier.simulator.world import World

SECRET = "00" * 32
WORLDS = (World(10_002, 40), World(10_030, 40), pytest.param(World(10_008, 600), marks=pytest.mark.slow))
"""A harsh world and a mild one with pots that are fed, and a crowd, whose pots are won twenty times."""


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_worlds_with_pots_hold(ring: Arena, world: World) -> None:
    result = ring.play(world)
    assert result.verdict.violations == []
    assert result.dials.pots > 0
    assert result.seen["pot fed"] > 0
    assert result.seen["pot won"] > 0 or world.seed != 10_030


def test_a_world_without_pots_has_none(ring: Arena) -> None:
    result = ring.play(World(10_002, 40, only=frozenset({1}), without=frozenset({"pots"})))
    assert (result.dials.pots, result.seen["pot fed"]) == (0, 0)


def model(**changes: Any) -> PotModel:
    return replace(PotModel(Fraction(1, 100), 1_000, 5_000, {}, 7), **changes)


def test_the_model_keeps_exact_shares() -> None:
    pot = model()
    for n in range(1, 8):
        pot.settled(n, 50)
    assert (pot.amount, pot.carry) == (1_003, Fraction(1, 2))
    pot.settled(7, 50)
    pot.returned(1)
    pot.returned(1)
    assert pot.amount + pot.carry == 1_003


def test_the_model_knows_who_wins() -> None:
    pot = model(secrets={1: SECRET})
    for n in range(1, 5):
        pot.settled(n, 200_000)
    (amount, bet_id), number = pot.won[0], pot.number
    assert amount <= 5_000
    assert number == 2
    pot.returned(bet_id)
    assert len(pot.won) == 1, "a share of a round that was won stays with the winner"


@pytest.mark.parametrize(
    "changes",
    [{"contributed": 1}, {"carried": "1"}, {"won": [(1_100, 9)]}],
    ids=["holds more", "carries more", "was won by nobody"],
)
def test_a_forged_book_is_seen(changes: dict[str, Any]) -> None:
    row = {"name": "pot0", "round_seed": 1_000, "contributed": 0, "carried": "0", **changes}
    rounds = [{"state": "won", "seed": 1_000, "contributed": 100, "won_by": 9} for _ in changes.get("won", ())]
    verdict = Judgement()
    _judge_pot(row, rounds, model(), verdict=verdict)
    assert len(verdict.violations) == 1


def test_a_secret_without_its_commitment_is_seen() -> None:
    told = f"croupier-jackpot-v1:7:1:1000:5000:EUR:{SECRET}"
    right = {"pot_id": 7, "number": 1, "seed": 1_000, "ceiling": 5_000, "secret": SECRET}
    for commitment, wrong in ((sha256(told.encode()).hexdigest(), 0), ("00" * 32, 1)):
        verdict = Judgement()
        _judge_commitments({"name": "pot0", "currency": "EUR"}, [{**right, "commitment": commitment}], verdict)
        assert len(verdict.violations) == wrong


@pytest.mark.parametrize(("given_up", "wrong"), [(505, 0), (0, 1)])
async def test_a_win_that_was_given_up_is_in_the_account_of_its_pot(given_up: int, wrong: int) -> None:
    class Books:
        async def fetch(self, _: str) -> list[dict[str, Any]]:
            return [{"name": "pot1", "booked": 1_005, "held": 500, "given_up": given_up}]

    verdict, scene = Judgement(), SimpleNamespace(stage=SimpleNamespace(db=Books()))
    await judge_pot_accounts(scene, verdict)  # type: ignore[arg-type] # what it touches
    assert len(verdict.violations) == wrong
