"""What monitoring reads: money that is not through by casino, currency and side, open incidents, pots."""

from __future__ import annotations

from croupier.views.gauges import Gauges, OpenMoney, gauges
from tests.core.samples import NOT_ADDED, T0, K
from tests.views.world import World


async def now(world: World) -> Gauges:
    return await gauges(world.db)


async def test_an_idle_hub_has_nothing_open(world: World) -> None:
    assert await now(world) == Gauges((), {}, ())


async def test_what_is_through_is_not_counted(world: World) -> None:
    await world.keep(world.story().settled(), world.story().on())
    assert (await now(world)).money == ()


async def test_money_on_the_way_is_told_apart_by_its_side(world: World) -> None:
    """One stake is being taken, two wins of 25.00 are owed, one stake was taken late and nobody has claimed it."""
    taking, unclaimed = world.story(), world.story()
    taking.opened()
    owed = [world.story(), world.story()]
    for story in owed:
        story.settled(paid=False).hear(K.PAYOUT, NOT_ADDED)
    unclaimed.opened().at(10).accept(K.STAKE)
    await world.keep(taking, *owed, unclaimed)
    told = {one.what: one for one in (await now(world)).money}
    assert set(told) == {"credit", "debit", "unclaimed"}
    assert told["credit"] == OpenMoney("Aurora", "EUR", "credit", 2, 5_000, told["credit"].oldest_ms)
    assert (told["debit"].payments, told["debit"].amount) == (1, 1_000)
    assert (told["unclaimed"].payments, told["unclaimed"].amount) == (1, 1_000)
    assert all(one.oldest_ms >= T0 for one in told.values())


async def test_a_parked_payment_is_open_until_a_person_decides(world: World) -> None:
    story = world.story()
    story.settled(paid=False).exists(K.PAYOUT, amount="1.00")
    await world.keep(story)
    found = await now(world)
    assert [(one.what, one.payments, one.amount) for one in found.money] == [("parked", 1, 2_500)]
    assert found.incidents == {"parked": 1}
