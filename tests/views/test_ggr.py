"""GGR counts what was settled in a period less what was undone in it, off the entries, by whatever one asks for."""

from __future__ import annotations

from croupier.views.ggr import GgrRow, ggr
from tests.core.samples import T0, K
from tests.views.world import DAY_MS, World

DAY = T0 - T0 % DAY_MS


async def one(world: World, day: int = 0, days: int = 1, by: tuple[str, ...] = ("casino",)) -> GgrRow:
    rows = await ggr(world.db, DAY + day * DAY_MS, DAY + (day + days) * DAY_MS, by=by)
    assert len(rows) == 1
    return rows[0]


async def test_stakes_minus_wins_of_settled_bets(world: World) -> None:
    await world.keep(world.story().settled(2500), world.story().settled(0), world.story().on())
    row = await one(world)
    assert (row.stakes, row.wins, row.ggr) == ("20.00", "25.00", "-5.00")
    assert (row.jackpots, row.cashback, row.corrections) == ("0.00", "0.00", "0.00")


async def test_a_bet_counts_on_the_day_it_was_settled_and_again_when_it_is_undone(world: World) -> None:
    story = world.story()
    story.settled(700)
    await world.keep(story)
    before = len(story.decisions)
    story.refund()
    story.accept(K.PAYOUT_RETURN)
    world.clock.at_ms += DAY_MS
    await world.keep(story, from_decision=before)
    assert (await one(world)).ggr == "3.00"
    assert (await one(world, 1)).ggr == "-3.00"
    both = await one(world, 0, 2)
    assert (both.stakes, both.wins, both.ggr) == ("0.00", "0.00", "0.00")


async def test_the_last_day_is_not_counted(world: World) -> None:
    world.clock.at_ms = DAY + DAY_MS
    await world.keep(world.story().settled())
    assert await ggr(world.db, DAY, DAY + DAY_MS) == []
    assert len(await ggr(world.db, DAY + DAY_MS, DAY + 2 * DAY_MS)) == 1


async def test_jackpots_and_cashback_stand_beside_it(world: World) -> None:
    taken_back = world.story()
    taken_back.cashback().accept(K.CASHBACK)
    taken_back.cancel().accept(K.CASHBACK_CANCEL)
    paid, jackpot, settled = world.story(), world.story(), world.story()
    await world.keep(paid.cashback(), jackpot.jackpot(90_000), settled.settled(0), taken_back)
    row = await one(world)
    assert (row.ggr, row.jackpots, row.cashback) == ("10.00", "900.00", "5.00")


async def test_what_a_person_decided_is_named(world: World) -> None:
    story = world.story()
    story.settled(700, paid=False).give_up(K.PAYOUT)
    await world.keep(story)
    row = await one(world)
    assert (row.stakes, row.wins, row.corrections, row.ggr) == ("10.00", "7.00", "7.00", "10.00")


async def test_a_bet_that_a_person_settled_or_undid_counts_as_a_correction(world: World) -> None:
    settled, undone = world.story(), world.story()
    settled.on()
    undone.settled(700)
    await world.keep(settled.settled_by_person(2500), undone.returned_by_person().accepted_by_person(K.PAYOUT_RETURN))
    row = await one(world)
    assert (row.stakes, row.wins, row.corrections, row.ggr) == ("10.00", "7.00", "-18.00", "-15.00")


async def test_a_cashback_that_a_person_ended_costs_nothing(world: World) -> None:
    given_up, taken_back = world.story(), world.story()
    given_up.cashback().give_up(K.CASHBACK)
    taken_back.cashback().accept(K.CASHBACK)
    taken_back.cancel()
    await world.keep(given_up, taken_back.accepted_by_person(K.CASHBACK_CANCEL), world.story().cashback())
    row = await one(world)
    assert (row.cashback, row.corrections, row.ggr) == ("5.00", "0.00", "0.00")


async def test_lines_are_split_by_what_one_asks_for(world: World) -> None:
    await world.keep(world.story().settled(0), world.story().cashback())
    rows = await ggr(world.db, DAY, DAY + DAY_MS)
    assert [(r.casino, r.provider, r.game, r.game_ref, r.ggr, r.cashback) for r in rows] == [
        ("Aurora", "Fable", "Fifty Owls", "g-1", "10.00", "0.00"),
        ("Aurora", None, None, None, "0.00", "5.00"),
    ]
    assert [(r.casino, r.game, r.ggr, r.cashback) for r in await ggr(world.db, DAY, DAY + DAY_MS, by=())] == [
        (None, None, "10.00", "5.00")
    ]


async def test_currencies_are_never_added(world: World) -> None:
    await world.keep(world.story().settled(0), world.story().settled(0, paid=False))
    await world.break_by("update ledger set currency = 'JPY' where subject_id = 1002")
    rows = await ggr(world.db, DAY, DAY + DAY_MS, by=())
    assert {(r.currency, r.ggr) for r in rows} == {("EUR", "10.00"), ("JPY", "1000")}
