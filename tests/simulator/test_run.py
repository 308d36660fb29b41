"""The course of a run: which worlds are steady, and that a player at times places two bets in one instant."""

from __future__ import annotations

from dataclasses import dataclass, field
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


@dataclass
class Placed:
    """A provider that notes which bets it is told to play, when, and by which session."""

    clock: Any
    bets: list[tuple[str, float, str, float]] = field(default_factory=list)

    async def play(self, ref: str, session: str, chance: SeededChance) -> None:
        self.bets.append((ref, self.clock.monotonic_s(), session, chance.fraction()))
        await self.clock.sleep(1)

    async def jackpot(self, *_: object) -> None:
        return


def placed(volleys: float, bets: int = 60) -> list[list[tuple[str, float, str, float]]]:
    """What is placed for each number of a bet."""
    told: list[list[tuple[str, float, str, float]]] = []

    async def play(clock: Any) -> None:
        provider = Placed(clock)
        scene: Any = SimpleNamespace(
            dials=dials_of(volleys=volleys, placed_s=9.0),
            chance=SeededChance(1),
            stage=SimpleNamespace(clock=clock),
            providers={22: provider},
            sessions={22: ["of ann", "of bob"]},
        )
        for n in range(bets):
            await run._one_bet(scene, n)
            told.append(provider.bets[:])
            provider.bets.clear()

    in_virtual_time(play)
    return told


def test_a_player_places_a_bet_of_a_volley_beside_another_one_in_the_same_instant() -> None:
    for n, (one, beside) in enumerate(placed(1.0)):
        assert (one[0], beside[0]) == (f"b{n}", f"b{n}-beside")
        assert one[1:3] == beside[1:3], "the same instant and session"
        assert one[3] != beside[3], "its contents are its own"


def test_as_many_bets_are_placed_beside_others_as_the_dial_says() -> None:
    assert [len(bets) for bets in placed(0.0)] == [1] * 60
    assert sum(len(bets) == 2 for bets in placed(0.4)) == pytest.approx(24, abs=10)


def test_a_volley_changes_no_other_bet() -> None:
    assert [bets[0][2:] for bets in placed(0.4)] == [bets[0][2:] for bets in placed(0.0)]
