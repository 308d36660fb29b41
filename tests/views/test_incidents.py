"""What a person must look at stands in exactly one list, with what is done about it next."""

from __future__ import annotations

import pytest

from croupier.views.incidents import ReviewLists, review_lists
from tests.core.samples import NOT_ADDED, T0, K
from tests.views.world import World, everything

LATER = T0 + 60_000


async def look(world: World, on_before_ms: int = LATER, most: int = 100) -> ReviewLists:
    return await review_lists(world.db, on_before_ms, most)


@pytest.mark.slow
async def test_bets_that_are_on_are_incomplete_games(world: World) -> None:
    stories = everything(world)
    await world.keep(*stories.values())
    found = await look(world)
    on = ("on", "unclaimed", "on by a person")
    assert {g.bet_id for g in found.incomplete} == {stories[name].subject_id for name in on}
    game = found.incomplete[0]
    assert (game.casino, game.provider, game.stake, game.currency) == ("Aurora", "Fable", "10.00", "EUR")


async def test_a_bet_made_only_now_is_no_incomplete_game_yet(world: World) -> None:
    await world.keep(world.story().on())
    assert (await look(world, T0)).incomplete == ()


async def test_payments_without_outcome_are_listed_with_their_next_action(world: World) -> None:
    story = world.story()
    story.settled(paid=False).hear(K.PAYOUT, NOT_ADDED)
    await world.keep(story)
    (payment,) = (await look(world)).unknown
    call = story.subject.calls["payout"]
    assert (payment.payment, payment.state, payment.amount) == (f"{story.subject_id}:payout", "created", "25.00")
    assert (payment.next_step, payment.next_ms, payment.failures) == ("make", call.due_ms, 1)
    assert payment.said == "102823 Error adding transaction"


async def test_an_unclaimed_stake_is_listed_too(world: World) -> None:
    story = world.story()
    story.opened().at(10).accept(K.STAKE)
    await world.keep(story)
    (payment,) = (await look(world)).unknown
    assert (payment.payment, payment.state, payment.next_step) == (
        f"{story.subject_id}:stake", "unclaimed", "claim_due",
    )  # fmt: skip


async def test_a_parked_payment_waits_for_a_person_and_has_its_incident(world: World) -> None:
    story = world.story()
    story.settled(paid=False).exists(K.PAYOUT, amount="1.00")
    await world.keep(story)
    found = await look(world)
    assert [(p.payment, p.state, p.next_step) for p in found.parked] == [(f"{story.subject_id}:payout", "parked", None)]
    assert found.unknown == ()
    assert [(i.subject_id, i.name, i.casino) for i in found.incidents] == [(story.subject_id, "parked", "Aurora")]


async def test_a_cashback_is_listed_like_a_bet(world: World) -> None:
    story = world.story()
    await world.keep(story.cashback())
    (payment,) = (await look(world)).unknown
    assert (payment.payment, payment.amount, payment.casino) == (f"{story.subject_id}:cashback", "5.00", "Aurora")


async def test_closed_incidents_are_not_listed_and_those_of_no_bet_are(world: World) -> None:
    await world.db.execute(
        "insert into incidents (subject_id, name, note, first_ms, last_ms, closed_ms)"
        " values (0, 'a', 'n', 1, 1, null), (0, 'b', 'n', 1, 2, null), (0, 'c', 'n', 1, 3, 4)"
    )
    assert [(i.name, i.casino) for i in (await look(world)).incidents] == [("b", None), ("a", None)]


@pytest.mark.slow
async def test_an_undecided_payment_of_every_kind_is_in_one_of_the_lists(world: World) -> None:
    stories = everything(world)
    await world.keep(*stories.values())
    found = await look(world)
    open_ones = {
        f"{s.subject_id}:{kind.value}"
        for s in stories.values()
        for kind, payment in s.subject.payments.items()
        if payment.undecided
    }
    unclaimed = {f"{stories['unclaimed'].subject_id}:stake"}
    assert {p.payment for p in found.unknown} == open_ones | unclaimed


async def test_lists_are_cut_where_asked(world: World) -> None:
    await world.keep(*[world.story().on() for _ in range(3)])
    assert len((await look(world, most=2)).incomplete) == 2
