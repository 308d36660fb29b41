"""The auditor finds nothing wrong with any state the core can write, and finds every kind of damage done behind it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from croupier.core import cashback_effects, person
from croupier.core.bet import BORN, Bet, BetState
from croupier.core.bet_requests import CannotDo
from croupier.core.cashback import Cashback, CashbackState
from croupier.core.counterparty import LateAccept
from croupier.core.draft import Draft
from croupier.store.db import Db
from croupier.views.audit import auditor as audit_module
from croupier.views.audit import life_cycles
from croupier.views.audit.auditor import INVARIANTS, InvariantResult, audit
from croupier.views.audit.slices import FIRST, LAST, plan_by_parts, set_plan_for
from croupier.views.audit.violations import QueryScope, SubjectRange, SubjectSet
from tests.core.samples import CASINO, NOT_ADDED, K
from tests.core.test_walks import DEEDS, act
from tests.views.world import BY_PERSON, Kept, World, everything


def broken(found: list[InvariantResult]) -> dict[str, list[int | None]]:
    return {f.name: [v.subject_id for v in f.violations] for f in found if f.violations}


@pytest.mark.slow
async def test_every_state_that_the_core_writes_holds(world: World) -> None:
    stories = everything(world)
    await world.keep(*stories.values())
    assert broken(await audit(world.db)) == {}
    kept = await world.db.fetchval("select (select count(*) from bets) + (select count(*) from cashbacks)")
    assert kept == 30 + len(BY_PERSON)
    states = {s.subject.state.value for s in stories.values() if s.subject_id < 1025}
    assert states == {state.value for state in BetState}, "a state is missing from the world"


@pytest.mark.slow
async def test_every_step_on_the_way_holds(world: World) -> None:
    """Not only where stories end: after each decision, all of them being cut there."""
    stories = everything(world)
    for step in range(max(len(s.decisions) for s in stories.values())):
        for story in stories.values():
            for decision in story.decisions[step : step + 1]:
                assert await world.group_commit.commit(decision)
        assert broken(await audit(world.db)) == {}, step


async def test_an_empty_database_holds(db: Db) -> None:
    told: list[str] = []
    assert broken(await audit(db, tell=lambda what, *_: told.append(what))) == {}
    assert told[0] == "Checking I1, 0 bets done"
    assert len(told) == sum(one.query is not None for one in INVARIANTS)


async def test_what_rows_do_not_show_is_said(db: Db) -> None:
    found = await audit(db)
    assert [f.name for f in found[:20]] == [f"I{n}" for n in range(1, 21)]
    unasked = {f.name for f in found if not f.checked}
    assert unasked == {"I2", "I12", "I16", "I17", "I18", "I19"}
    assert all(f.unseen for f in found if not f.checked)


async def test_at_most_as_many_violations_as_asked_for(world: World) -> None:
    await world.keep(*[world.story().on() for _ in range(4)])
    await world.break_by("update bets set state = 'refused'")
    found = await audit(world.db, most=3)
    assert {len(f.violations) for f in found if f.violations} == {3}


async def test_the_law_it_knows_is_the_law_of_the_triggers(db: Db) -> None:
    """Two lists written apart must say the same, or one of them is out of date."""
    listed = life_cycles._I11.split("legal(thing, was, became) as (values", 1)[1].split("subjects as", 1)[0]
    rows = await db.fetch("select thing, from_state, to_state from state_moves where thing <> 'payment'")
    for row in rows:
        assert f"('{row['thing']}', '{row['from_state']}', '{row['to_state']}')" in listed
    assert listed.count("('") == len(rows) + len(BORN) + 1


# --- damage -----------------------------------------------------------------------------------------------

LEDGER = "insert into ledger (subject_id, source, target, amount, currency, why, version, at_ms)"

DAMAGES: list[tuple[str, str, str]] = [
    # I1
    ("on", "update ledger set currency = 'USD' where subject_id = {id}", "I1"),
    ("on", "update ledger set version = 99 where subject_id = {id}", "I1"),
    ("on", "update ledger set at_ms = at_ms + 1 where subject_id = {id}", "I1"),
    ("on", "update ledger set author = 'eve' where subject_id = {id}", "I1"),
    ("on", "update ledger set why = 'won' where subject_id = {id}", "I1"),
    ("on", "update ledger set source = 'wallets/12' where subject_id = {id}", "I1"),
    ("on", "update ledger set target = 'open-bets/11/23' where subject_id = {id}", "I1"),
    ("on", "update ledger set subject_id = 5 where subject_id = {id}", "I1"),
    ("on", "update ledger set why = 'correction' where subject_id = {id}", "I1"),
    ("paying", "update ledger set why = 'correction' where subject_id = {id} and why = 'settled'", "I1"),
    ("given up", "update ledger set author = null where subject_id = {id} and author is not null", "I1"),
    ("settled by a person", "update ledger set why = 'settled' where subject_id = {id} and target like 'ggr/%'", "I1"),
    ("settled by a person", "update ledger set source = 'suspense/11' where subject_id = {id} and source like 'open%'",
     "I1"),
    ("settled by a person", ("with a as (update ledger set author = null where subject_id = {id})"
     " update events set author = null where subject_id = {id}"), "I1"),
    ("settled by a person", "update ledger set why = 'ended_unpaid' where subject_id = {id} and target like 'ggr/%'",
     "I1"),
    # I3
    ("on", "update bets set pay_in_answer = 'not_enough_funds' where bet_id = {id}", "I3"),
    ("refused", "update bets set pay_in_answer = null where bet_id = {id}", "I3"),
    ("settled", "update bets set pay_out_answer = null where bet_id = {id}", "I3"),
    ("returned", "update bets set refund_answer = 'conflict' where bet_id = {id}", "I3"),
    ("unwanted", "update bets set refund_answer = null where bet_id = {id}", "I3"),
    ("tombstone", "update bets set pay_in_answer = 'ok' where bet_id = {id}", "I3"),
    ("settled", "update bets set refund_answer = 'ok' where bet_id = {id}", "I3"),
    # I4
    ("returning", "delete from payments where subject_id = {id} and kind = 'bet_return'", "I4"),
    ("asked", "update payments set state = 'accepted' where subject_id = {id}", "I4"),
    ("unclaimed", "delete from calls where subject_id = {id}", "I4"),
    ("undoing", "update payments set state = 'accepted' where subject_id = {id}", "I4"),
    ("settled", "delete from payments where subject_id = {id} and kind = 'payout'", "I4"),
    ("parked", "delete from incidents where subject_id = {id}", "I4"),
    ("cashback", "delete from payments where subject_id = {id}", "I4"),
    # I5
    ("settled", "delete from ledger where subject_id = {id} and why = 'paid'", "I5"),
    ("settled", "update payments set state = 'parked' where subject_id = {id} and kind = 'payout'", "I5"),
    ("returned", LEDGER + " select subject_id, source, target, amount, currency, why, version, at_ms from ledger"
     " where subject_id = {id} and why = 'returned'", "I5"),
    ("returned", "update payments set amount = 999 where subject_id = {id} and kind = 'bet_return'", "I5"),
    ("paid cashback", "update payments set amount = 501 where subject_id = {id}", "I5"),
    ("settled by a person", "delete from ledger where subject_id = {id} and target like 'wallets/%'", "I5"),
    ("returned by a person", "delete from ledger where subject_id = {id} and target like 'wallets/%'", "I5"),
    ("late return by a person", LEDGER + " select subject_id, source, target, amount, currency, why, version, at_ms"
     " from ledger where subject_id = {id} and target like 'wallets/%'", "I5"),
    ("returned by a person", ("update events set detail = replace(detail, 'bet_return', 'payout') where subject_id = {id}"
     " and detail like '%bet_return%'"), "I5"),
    # I6
    ("on", "update payments set state = 'refused' where subject_id = {id}", "I6"),
    ("on", "delete from payments where subject_id = {id}", "I6"),
    # I7
    ("returned", "update payments set state = 'refused' where subject_id = {id} and kind = 'bet_return'", "I7"),
    ("refused", "update payments set state = 'accepted' where subject_id = {id}", "I7"),
    # I8
    ("settled", "update payments set state = 'refused' where subject_id = {id} and kind = 'stake'", "I8"),
    ("settled", "update ledger set version = 9 where subject_id = {id} and why = 'stake_accepted'", "I8"),
    ("returned", LEDGER + " values ({id}, 'ggr/11/22', 'owed/11', 5, 'EUR', 'won', 9, 0)", "I8"),
    ("returned", LEDGER + " values ({id}, 'owed/11', 'wallets/11', 5, 'EUR', 'paid', 9, 0)", "I8"),
    ("tombstone", LEDGER + " values ({id}, 'owed/11', 'wallets/11', 5, 'EUR', 'paid', 0, 0)", "I8"),
    ("on by a person", "update payments set state = 'refused' where subject_id = {id} and kind = 'stake'", "I6"),
    ("settled by a person", "update ledger set version = 9 where subject_id = {id} and target like 'open-bets/%'", "I8"),
    ("returned by a person", LEDGER + " values ({id}, 'ggr/11/22', 'owed/11', 5, 'EUR', 'won', 9, 0)", "I8"),
    ("undone by a person", LEDGER + " values ({id}, 'owed/11', 'wallets/11', 5, 'EUR', 'paid', 9, 0)", "I8"),
    # I10
    ("asked", "delete from calls where subject_id = {id}", "I10"),
    ("settled", "delete from calls where subject_id = {id}", "I10"),
    ("asked", "update payments set state = 'accepted', decided_ms = 1 where subject_id = {id}", "I10"),
    ("asked", "update calls set casino_id = 12 where subject_id = {id}", "I10"),
    ("asked", "update calls set step = 'close' where subject_id = {id}", "I10"),
    ("unclaimed", "update bets set state = 'on' where bet_id = {id}", "I10"),
    ("cashback", "delete from calls where subject_id = {id}", "I10"),
    # I11
    ("on", "update bets set state = 'refused' where bet_id = {id}", "I11"),
    ("settled", "update events set state = 'tombstone' where subject_id = {id} and version = 1", "I11"),
    ("settled", "delete from events where subject_id = {id} and version = 0", "I11"),
    ("on", "delete from events where subject_id = {id}", "I11"),
    ("on", "update bets set version = 0 where bet_id = {id}", "I11"),
    ("settled", "update payments set state = 'expired' where subject_id = {id} and kind = 'payout'", "I11"),
    ("settled", "update payments set decided_ms = null where subject_id = {id} and kind = 'payout'", "I11"),
    ("paid cashback", "update cashbacks set state = 'given_up' where cashback_id = {id}", "I11"),
    # I13
    ("on", "delete from ledger where subject_id = {id}", "I13"),
    ("on", "update bets set stake = 999 where bet_id = {id}", "I13"),
    ("settled", "delete from ledger where subject_id = {id} and why = 'settled'", "I13"),
    ("on by a person", "delete from ledger where subject_id = {id}", "I13"),
    # I14
    ("on", "update bets set casino_id = 12 where bet_id = {id}", "I14"),
    ("on", "update bets set currency = 'USD' where bet_id = {id}", "I14"),
    ("on", "update bets set player_ref = 'bob' where bet_id = {id}", "I14"),
    ("cashback", "update cashbacks set player_ref = 'bob' where cashback_id = {id}", "I14"),
    ("on", "update payments set player_id = 34 where subject_id = {id}", "I14"),
    # I20 and the sums
    ("settled", "update bets set win = 2499 where bet_id = {id}", "I20"),
    ("settled", "delete from ledger where subject_id = {id} and why in ('settled', 'won')", "I20"),
    ("settled by a person", "update bets set win = 2499 where bet_id = {id}", "I20"),
    ("both by a person", "delete from ledger where subject_id = {id} and target like 'ggr/%'", "I20"),
    ("paying", "delete from ledger where subject_id = {id} and why = 'won'", "owed"),
    ("returning", "delete from ledger where subject_id = {id} and why = 'return_decided'", "owed"),
    ("waiting return", "delete from ledger where subject_id = {id} and why = 'return_decided'", "owed"),
    ("cashback", "delete from ledger where subject_id = {id}", "owed"),
    ("undoing", "update payments set state = 'sent' where subject_id = {id} and kind = 'payout'", "owed"),
    ("late", "delete from ledger where subject_id = {id}", "suspense"),
    ("late", "update payments set state = 'expired' where subject_id = {id} and kind = 'stake'", "suspense"),
]  # fmt: skip


@pytest.mark.one_in(16)
@pytest.mark.parametrize(("name", "sql", "invariant"), DAMAGES)
async def test_damage_is_found(world: World, name: str, sql: str, invariant: str) -> None:
    stories = everything(world)
    hurt, other = stories[name], stories["both"]
    await world.keep(hurt, other)
    await world.break_by(sql.format(id=hurt.subject_id))
    found = broken(await audit(world.db))
    assert invariant in found
    assert set(found[invariant]) <= {hurt.subject_id, 5}, "a bet that is in order was named"
    await part_by_part_is_the_same(world, found, hurt.subject_id)


async def part_by_part_is_the_same(world: World, whole: dict[str, list[int | None]], hurt: int) -> None:
    """Asked of the hurt bet alone, or of all numbers around it, the same is found; asked of others, nothing is."""
    async with world.db.transaction(snapshot=True) as tx:
        await plan_by_parts(tx)
        for part in (SubjectRange(hurt, hurt), SubjectSet(frozenset({hurt, 5})), SubjectRange(FIRST, LAST)):
            found = {
                i.name: [v.subject_id for v in await i.query(tx, QueryScope(100, part))] for i in INVARIANTS if i.query
            }
            if not isinstance(part, SubjectRange) or part.low == FIRST:
                assert {name: set(ids) for name, ids in found.items() if ids} == {n: set(i) for n, i in whole.items()}
            others = SubjectRange(hurt + 1, LAST)
            for invariant in INVARIANTS:
                await set_plan_for(tx, invariant.name)
                assert invariant.query is None or not await invariant.query(tx, QueryScope(100, others)), invariant.name


@pytest.mark.slow
async def test_a_big_database_is_asked_part_by_part(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several parts, all are asked, and what hangs on no subject belongs to one of them."""
    monkeypatch.setattr(audit_module, "PART", 7)
    stories = everything(world)
    await world.keep(*stories.values())
    assert broken(await audit(world.db)) == {}
    for name in ("on", "both by a person"):
        await world.break_by(f"update bets set stake = 999 where bet_id = {stories[name].subject_id}")
    for number in (-3, 5, 2**60):
        await world.break_by(LEDGER + f" values ({number}, 'ggr/11/22', 'owed/11', 5, 'EUR', 'won', 9, 0)")
    found = broken(await audit(world.db))
    assert {stories["on"].subject_id, stories["both by a person"].subject_id} <= set(found["I5"])
    assert set(found["I1"]) == {-3, 5, 2**60}


def test_every_question_has_its_damage() -> None:
    elsewhere = {"I9", "I15", "I21"}
    asked = {i.name for i in INVARIANTS if i.query is not None}
    assert asked == {invariant for _, _, invariant in DAMAGES} | elsewhere


async def test_a_second_bet_of_one_id_is_found(world: World) -> None:
    await world.keep(world.story().on(), world.story().on())
    await world.break_by("drop index bets_by_ref; update bets set bet_ref = 'b-1'")
    found = await audit(world.db)
    assert broken(found) == {"I9": [1001, None]}, "the two bets, and that the index is gone"


async def test_a_float_column_is_found(world: World) -> None:
    async with world.lawless() as connection:
        await connection.execute("create table odd (approx double precision)")
    found = await audit(world.db)
    assert [v.what for f in found for v in f.violations] == ["odd.approx is of type double precision"]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("sql", ["drop trigger moves on payments", "alter table ledger disable trigger append_only"])
async def test_a_law_that_is_switched_off_is_found(world: World, sql: str) -> None:
    async with world.lawless() as connection:
        await connection.execute(sql)
    assert broken(await audit(world.db)) == {"I11": [None]}


# --- any order of anything --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.slow
async def test_no_order_of_events_looks_like_damage(world: World, seed: int) -> None:
    """Walks of the kind that the core is tested with, written by the group commit: no question calls any of them wrong."""
    dice = Random(seed)
    walks = [
        wander(world.story(casino=replace(CASINO, late_accept=dice.choice(list(LateAccept)))), dice) for _ in range(40)
    ]
    await world.keep(*walks)
    found = await audit(world.db)
    assert {f.name: f.violations for f in found if f.violations} == {}
    assert await world.db.fetchval("select count(*) from ledger") > 20, "nothing happened"


def wander(story: Kept, dice: Random) -> Kept:
    def pick(options: Any) -> Any:
        return dice.choice(list(options))

    if story.subject_id % 4 == 0:
        story.cashback()
    elif pick([True, False]):
        story.opened_both(pick([0, 2500]))
    else:
        story.opened(stake=pick([1000, 0]))
    for _ in range(dice.randrange(25)):
        if isinstance(story.subject, Bet):
            if pick(range(10)):
                act(story, pick(DEEDS), pick)
            else:
                end_by_person(story, pick)
        elif story.subject.state in (CashbackState.OWED, CashbackState.PAID) and pick([True, False, False]):
            story.cancel()
        else:
            act(story, pick(["later", "accept", "due", "person"]), pick)
    return story


def end_by_person(story: Kept, pick: Any) -> None:
    with suppress(CannotDo):
        if pick([True, False]):
            story.returned_by_person()
        else:
            story.settled_by_person(700)


# --- what may look like damage and is none ------------------------------------------------------------------


async def one_holds(world: World, story: Any) -> None:
    assert isinstance(story, Kept)
    await world.keep(story)
    assert broken(await audit(world.db)) == {}


async def test_a_refused_cashback_that_somebody_cancels_is_no_violation(world: World) -> None:
    story = world.story()
    story.cashback().hear(K.CASHBACK, NOT_ADDED)
    draft: Draft[Cashback] = Draft(story.subject, story.terms())
    cashback_effects.cancel(draft)
    story.take(draft.finish("cancelled_by_person", author="mia"))
    assert [entry.why for entry in story.entries] == ["cashback_decided", "ended_unpaid"]
    await one_holds(world, story)


async def test_a_late_question_after_an_expired_stake_is_no_violation(world: World) -> None:
    story = world.story()
    story.opened().expired()
    assert story.call(K.STAKE) is not None
    await one_holds(world, story)


async def test_a_person_who_tries_a_parked_payment_again_is_no_violation(world: World) -> None:
    story = world.story()
    story.settled(paid=False).exists(K.PAYOUT, amount="1.00")
    story.by_person(person.retry, K.PAYOUT)
    assert story.call(K.PAYOUT) is not None
    await one_holds(world, story)


async def test_a_stake_of_nothing_that_is_not_sent_is_no_violation(world: World) -> None:
    story = world.story(casino=replace(CASINO, skip_zero=True))
    story.opened_both(700, stake=0)
    await one_holds(world, story)


async def test_a_return_that_the_casino_refuses_again_and_again_is_no_violation(world: World) -> None:
    story = world.story()
    story.on().refund()
    for _ in range(7):
        story.hear(K.BET_RETURN, NOT_ADDED)
    await one_holds(world, story)


async def test_an_open_incident_alone_is_no_violation(world: World) -> None:
    story = world.story()
    story.on().accept(K.STAKE, partner_tx="another")
    assert story.incidents["contradiction"] == 1
    await one_holds(world, story)


async def test_a_version_that_a_lease_raised_is_no_violation(world: World) -> None:
    await world.keep(world.story().opened())
    await world.db.execute("update bets set version = version + 1")
    assert broken(await audit(world.db)) == {}
