"""A world is told in one line and read back the same."""

from __future__ import annotations

from itertools import islice

import pytest

from croupier.simulator.dials import WorldKind
from croupier.simulator.world import EVERY, HARSH, LARGE, LEAST, SMALL, STRIDE, World, world_of, worlds_of

WORLDS = [
    World(1, 50),
    World(7, 4000, only=frozenset({3, 17})),
    World(7, 50, without=frozenset({"loss", "skew"})),
    World(0, 1, frozenset({0}), frozenset({"late-refuse"})),
]


@pytest.mark.parametrize("world", WORLDS, ids=lambda w: w.shape)
def test_what_is_told_is_read_back(world: World) -> None:
    words = world.command.split()
    assert words[:3] == ["croupier", "simulate", "--seed"]
    assert World.parse(int(words[3]), words[5]) == world


@pytest.mark.parametrize("shape", ["", "0", "x", "50:a", "50:3,:loss", "50::luck", "50:3:loss:4", "-5"])
def test_other_texts_are_refused(shape: str) -> None:
    with pytest.raises(ValueError, match=r"SIZE|turned off"):
        World.parse(1, shape)


def test_three_of_eight_seeds_are_harsh_two_are_thin_and_one_is_a_crowd() -> None:
    worlds = [world_of(seed) for seed in range(1, 2 * EVERY + 1)]
    assert [world.payments for world in worlds] == [*[SMALL] * 7, LARGE] * 2
    mild, harsh = WorldKind.MILD, WorldKind.HARSH
    assert [world.kind for world in worlds] == [
        mild,
        harsh,
        WorldKind.THIN,
        harsh,
        WorldKind.LATE,
        harsh,
        WorldKind.THIN,
        WorldKind.CROWD,
    ] * 2
    assert World(HARSH[0], LARGE).kind is WorldKind.CROWD


@pytest.mark.parametrize(("payments", "crowd"), [(1, LEAST), (500, LEAST), (1000, 125), (20_000, 2500), (10**6, LARGE)])
def test_a_run_is_mixed_whatever_its_size(payments: int, crowd: int) -> None:
    worlds = list(islice(worlds_of(3, payments), EVERY))
    assert [world.payments for world in worlds] == [SMALL] * 7 + [crowd]
    assert [world.seed for world in worlds] == [3 * STRIDE + n for n in range(1, EVERY + 1)]
    assert [world.kind is WorldKind.CROWD for world in worlds] == [False] * 7 + [True]
    assert next(worlds_of(3, payments, after=5)) == worlds[5]
