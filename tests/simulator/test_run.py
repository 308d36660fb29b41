"""The course of a run: which worlds are steady, and that a player at times places two bets in one instant."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from croupier.kit.chance import SeededChance
from croupier.simulator import run
from croupier.simulator.arena import Arena
from croupier.simulator.dials import Dials, WorldKind, draw
from croupier.simulator.faults import BRIEF_S
from croupier.simulator.judge import Judgement
from croupier.simulator.run import APART_S
from croupier.simulator.scene import Scene
from croupier.simulator.world import World
from tests.simulator.test_dials import dials_of, in_virtual_time

STEADY: dict[str, Any] = {
    "crash_every_s": 0.0, "pause_every_s": 0.0, "lost_commits": 0.0, "restart_every_s": 0.0, "slow_db_s": 0.0, "tick_s": 0.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("turned", "steady"),
    [
        ({}, True),
        ({"slow_db_s": 0.2}, True),
        ({"slow_db_s": BRIEF_S}, True),
        ({"slow_db_s": 6.0}, False),
        ({"slow_db_s": 0.2, "tick_s": APART_S + 0.05}, False),
        ({"tick_s": APART_S + 0.05}, True),
        ({"crash_every_s": 15.0}, False),
        ({"pause_every_s": 60.0}, False),
        ({"lost_commits": 0.1}, False),
        ({"restart_every_s": 12.0}, False),
    ],
    ids=str,
)
def test_a_world_is_steady_if_no_process_ends_and_none_waits_long_for_the_database(
    ring: Arena, monkeypatch: pytest.MonkeyPatch, turned: dict[str, Any], *, steady: bool
) -> None:
    begun: list[Scene] = []

    async def course(scene: Scene, _world: World) -> Judgement:
        begun.append(scene)
        return Judgement()

    monkeypatch.setattr(run, "draw", lambda *_, **__: dials_of(**{**STEADY, **turned}))
    monkeypatch.setattr(run, "_course", course)
    ring.play(World(1, 5))
    assert [scene.watch.steady for scene in begun] == [steady]


# --- volleys

SEEDS = 300


def drawn(kind: WorldKind, *without: str) -> list[Dials]:
    return [draw(SeededChance(seed), 50, without, kind=kind) for seed in range(SEEDS)]


@pytest.mark.parametrize(
    ("kind", "share", "worlds"),
    [(WorldKind.CROWD, 0.4, 2 / 3), *((kind, 0.7, 1 / 3) for kind in WorldKind if kind is not WorldKind.CROWD)],
)
def test_in_most_crowds_and_in_some_other_worlds_bets_come_in_volleys(
    kind: WorldKind, share: float, worlds: float
) -> None:
    volleys = [dials.volleys for dials in drawn(kind)]
    assert set(volleys) == {0.0, share}
    assert volleys.count(share) == pytest.approx(SEEDS * worlds, rel=0.15)


@pytest.mark.parametrize("kind", [WorldKind.MILD, WorldKind.CROWD])
def test_volleys_can_be_turned_off_and_no_other_dial_changes(kind: WorldKind) -> None:
    for dials, calm in zip(drawn(kind), drawn(kind, "volleys"), strict=True):
        assert calm.volleys == 0.0
        assert {name for name in Dials.__slots__ if getattr(dials, name) != getattr(calm, name)} <= {"volleys"}


Bet = tuple[int, str, float, str, float]
"""Provider, betId, when it was placed, session, and a number of its own randomness."""


@dataclass
class Provider:
    """A provider that notes which bets it is told to play."""

    provider_id: int
    clock: Any
    bets: list[Bet]

    async def play(self, ref: str, session: str, chance: SeededChance) -> None:
        self.bets.append((self.provider_id, ref, self.clock.monotonic_s(), session, chance.fraction()))
        await self.clock.sleep(1)

    async def jackpot(self, *_: object) -> None:
        return


def placed(volleys: float, bets: int = 60) -> list[list[Bet]]:
    """What is placed for each number of a bet."""
    told: list[list[Bet]] = []

    async def play(clock: Any) -> None:
        noted: list[Bet] = []
        scene: Any = SimpleNamespace(
            dials=dials_of(volleys=volleys, placed_s=9.0),
            chance=SeededChance(1),
            stage=SimpleNamespace(clock=clock),
            providers={provider_id: Provider(provider_id, clock, noted) for provider_id in (22, 23)},
            sessions={provider_id: [f"{provider_id} ann", f"{provider_id} bob"] for provider_id in (22, 23)},
        )
        for n in range(bets):
            began_s = clock.monotonic_s()
            await run._one_bet(scene, n)
            told.append([(*bet[:2], bet[2] - began_s, *bet[3:]) for bet in noted])
            noted.clear()

    in_virtual_time(play)
    return told


def _beside(bets: list[Bet]) -> list[Bet]:
    return [bet for bet in bets if bet[1].endswith("-beside")]


def test_a_player_places_a_bet_of_a_volley_beside_another_one_in_the_same_instant() -> None:
    for n, (one, beside, *_) in enumerate(placed(1.0)):
        assert (one[1], beside[1]) == (f"b{n}", f"b{n}-beside")
        assert (one[0], *one[2:4]) == (beside[0], *beside[2:4]), "the same provider, instant and session"
        assert one[4] != beside[4], "its contents are its own"


@pytest.mark.parametrize(("volleys", "bets"), [(0.0, 0), (0.4, 24)])
def test_as_many_bets_are_placed_beside_others_as_the_dial_says(volleys: float, bets: int) -> None:
    assert sum(bool(_beside(one)) for one in placed(volleys)) == pytest.approx(bets, abs=bets * 0.4)


def test_a_volley_changes_no_other_bet() -> None:
    calm = placed(0.0)
    assert {len(bets) for bets in calm} == {1, 2}, "some betIds are used by both providers"
    for bets, alone in zip(placed(0.4), calm, strict=True):
        assert [bet[:2] + bet[3:] for bet in bets if bet not in _beside(bets)] == [bet[:2] + bet[3:] for bet in alone]
        assert [bet[2] for bet in bets if bet not in _beside(bets)] == pytest.approx([bet[2] for bet in alone])
