"""The trace tells everything that one bet or cashback did, in order, whoever asks for it by whatever name."""

from __future__ import annotations

import pytest

from croupier.views.subjects import SubjectAmbiguous
from croupier.views.trace import trace
from tests.core.samples import K
from tests.views.world import Kept, World


async def settled(world: World) -> Kept:
    story = world.story()
    story.settled().refund()
    await world.keep(story)
    return story


async def test_moments_come_in_order_with_their_entries(world: World) -> None:
    story = await settled(world)
    found = await trace(world.db, str(story.subject_id))
    assert found is not None
    assert [m.event for m in found.moments] == story.events
    assert [m.version for m in found.moments] == sorted(m.version for m in found.moments)
    told = [(e.source, e.target, e.amount) for m in found.moments for e in m.entries]
    assert told == [
        ("wallets/11", "open-bets/11/22", "10.00"),
        ("open-bets/11/22", "ggr/11/22", "10.00"),
        ("ggr/11/22", "owed/11", "25.00"),
        ("owed/11", "wallets/11", "25.00"),
    ]
    heard = found.moments[1].detail
    assert (heard["heard"], heard["kind"]) == ("Yes", "stake")


async def test_both_sides_are_told(world: World) -> None:
    story = await settled(world)
    await world.db.execute("update bets set pay_in_balance = 99000, pay_out_balance = 101500")
    found = await trace(world.db, str(story.subject_id))
    assert found is not None
    assert [(t.request, t.answer, t.balance) for t in found.told] == [
        ("pay_in", "ok", "990.00"), ("pay_out", "ok", "1015.00"), ("refund", "ok", None),
    ]  # fmt: skip
    assert [(p.payment, p.amount, p.state) for p in found.payments if p.kind != "payout_return"] == [
        (f"{story.subject_id}:payout", "25.00", "accepted"),
        (f"{story.subject_id}:stake", "10.00", "accepted"),
    ]
    assert [(c.slot, c.step) for c in found.calls] == [("payout_return", "reopen")]


async def test_who_and_what_it_is_about(world: World) -> None:
    story = await settled(world)
    found = await trace(world.db, str(story.subject_id))
    assert found is not None
    about = found.subject
    assert (about.thing, about.casino, about.provider, about.game) == ("bet", "Aurora", "Fable", "Fifty Owls")
    assert (about.amount, about.win, about.currency, about.state) == ("10.00", "25.00", "EUR", "undoing")


@pytest.mark.parametrize("name", ["Fable:{ref}", "22:{ref}", "cp:{ref}"])
async def test_a_bet_is_found_by_its_provider_and_its_own_id(world: World, name: str) -> None:
    story = await settled(world)
    found = await trace(world.db, name.format(ref=story.subject.bet_ref))
    assert found is not None
    assert found.subject.subject_id == story.subject_id


async def test_names_and_ids_may_hold_colons(world: World) -> None:
    story = await settled(world)
    await world.db.execute("update providers set name = 'Fable: the second'")
    await world.break_by("update bets set bet_ref = 'round:7:a'")
    found = await trace(world.db, "Fable: the second:round:7:a")
    assert found is not None
    assert found.subject.subject_id == story.subject_id


async def test_a_name_that_fits_two_bets_is_refused_with_both(world: World) -> None:
    """A money command that picked one of them would move the money of the other."""
    one, other = await settled(world), await settled(world)
    await world.db.execute(
        "insert into providers (provider_id, counterparty_id, name, protocol, url, secret, created_ms)"
        " values (23, 'cp2', 'Fable:b', 'betcore_v1', 'http://studio.test', '', 0)"
    )
    await world.break_by(f"update bets set bet_ref = 'b:7' where bet_id = {one.subject_id}")
    await world.break_by(f"update bets set bet_ref = '7', provider_id = 23 where bet_id = {other.subject_id}")
    with pytest.raises(SubjectAmbiguous, match="give the BetId") as caught:
        await trace(world.db, "Fable:b:7")
    assert set(caught.value.bet_ids) == {one.subject_id, other.subject_id}
    assert all(str(bet_id) in str(caught.value) for bet_id in caught.value.bet_ids)


async def test_a_cashback_has_a_trace_too(world: World) -> None:
    story = world.story()
    story.cashback().accept(K.CASHBACK)
    await world.keep(story)
    found = await trace(world.db, str(story.subject_id))
    assert found is not None
    assert (found.subject.thing, found.subject.amount, found.subject.state) == ("cashback", "5.00", "paid")
    assert found.told == ()
    assert [m.state for m in found.moments] == ["owed", "paid"]


async def test_incidents_and_authors_are_in_it(world: World) -> None:
    story = world.story()
    story.settled(paid=False).exists(K.PAYOUT, amount="1.00")
    story.give_up(K.PAYOUT)
    await world.keep(story)
    found = await trace(world.db, str(story.subject_id))
    assert found is not None
    assert [i.name for i in found.incidents] == ["parked"]
    last = found.moments[-1]
    assert (last.event, last.author, last.entries[0].why, last.entries[0].author) == (
        "given_up_by_person", "mia", "correction", "mia",
    )  # fmt: skip
    assert last.detail["reason"] == "asked the casino"


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", ["7", "Fable:nothing", "Nobody:b-1", "", ":", "99999999999999999999", "\0", "b-1001"])
async def test_what_is_not_there_is_none(world: World, name: str) -> None:
    await settled(world)
    assert await trace(world.db, name) is None
