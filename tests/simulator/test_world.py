"""A world is told in one line and read back the same."""

from __future__ import annotations

import pytest

from croupier.simulator.world import EVERY, HARSH, LARGE, MIDDLE, SMALL, World, world_of

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


def test_every_fourth_seed_is_a_crowd_and_every_fourth_is_harsh() -> None:
    worlds = [world_of(seed) for seed in range(1, 2 * EVERY + 1)]
    assert [world.payments for world in worlds] == [SMALL, MIDDLE, SMALL, LARGE] * 2
    assert [world.harsh for world in worlds] == [False, True, False, False] * 2
    assert not World(HARSH, LARGE).harsh
