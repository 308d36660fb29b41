"""store.money.jackpots: the wins that are due come in one order, which does not depend on where their rows are stored."""

from __future__ import annotations

import pytest

from croupier.flows.jackpots import gather_all
from tests.flows.pots import PotTable
from tests.views.conftest import world
from tests.views.world import World

__all__ = ["world"]

STAKE, CEILING = 10_000, 1_100
"""Each stake feeds a pot up to its ceiling, so that it wins a round."""
POTS = (500, 501, 502)


async def won(table: PotTable, stakes: int) -> None:
    """Let each pot be won by each of these stakes, in one instant. Nothing is awarded."""
    await table.settled(*[STAKE] * stakes)
    while await table.hub.store.trail.bind():
        pass
    await gather_all(table.hub)


async def due(table: PotTable) -> list[tuple[int, int]]:
    return [(win.pot_id, win.number) for win in await table.hub.store.jackpots.due()]


@pytest.mark.parametrize("moved", [(), (1,), (1, 2), (3, 2, 1)], ids=str)
async def test_wins_of_one_instant_are_due_by_pot_and_number(world: World, moved: tuple[int, ...]) -> None:
    table = PotTable(world)
    for pot_id in reversed(POTS):
        await table.open(pot_id, ceiling=CEILING)
    await won(table, 4)
    for number in moved:
        # A row that is written again stands behind the others in its table.
        await world.db.execute("update jackpot_rounds set awarded = awarded where number = $1", number)
    # A table that is known to be small is read as it stands, without its index.
    await world.db.execute("analyze jackpot_rounds")
    assert await due(table) == [(pot_id, number) for pot_id in POTS for number in range(1, 5)]


async def test_the_wins_of_an_earlier_instant_are_due_first(world: World) -> None:
    table = PotTable(world)
    await table.open(POTS[1], ceiling=CEILING)
    await won(table, 2)
    world.clock.at_ms += 1
    await table.open(POTS[0], ceiling=CEILING)
    await won(table, 1)
    assert await due(table) == [(POTS[1], 1), (POTS[1], 2), (POTS[0], 1), (POTS[1], 3)]


async def test_a_win_is_due_until_its_bet_is_open(world: World) -> None:
    table = PotTable(world)
    await table.open(POTS[0], ceiling=CEILING)
    await won(table, 2)
    first, _ = await table.hub.store.jackpots.due()
    await table.hub.store.jackpots.awarded(first)
    assert await due(table) == [(POTS[0], 2)]
