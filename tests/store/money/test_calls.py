"""The queue of next actions among several processes: each call goes to one, and taking it outdates what was read before.

Real connections to a real PostgreSQL: what the simulator's one connection cannot show.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from croupier.core.bet import Bet
from croupier.core.bet_requests import open_bet
from croupier.core.draft import Decision, Draft
from croupier.core.payment import SLOT_CLAIM, SLOT_CLOSE, Step
from croupier.core.pursuit import apply_make_answer
from croupier.core.work import Work, work_of
from croupier.kit.clock import SystemClock
from croupier.kit.metrics import Metrics
from croupier.store.db import Db
from croupier.store.money.bets import Bets
from croupier.store.money.calls import _TAKE, Calls, Taken
from croupier.store.money.group_commit import GroupCommit
from tests.core.samples import SILENCE, T0, K, new_bet, terms

PROCESSES = 6
BETS = 40
MANY = 1000
LATER_MS = T0 + 60_000
"""When the leases of all that was planned have run out."""


@pytest.fixture
async def connections(database_url: str) -> AsyncIterator[list[Db]]:
    """One of each process, as processes have them."""
    async with AsyncExitStack() as stack:
        opened = [await Db.connect(database_url, size=2) for _ in range(PROCESSES)]
        for db in opened:
            stack.push_async_callback(db.close)
        yield opened


def train_of(db: Db) -> GroupCommit:
    return GroupCommit(db, SystemClock(), "p1", metrics=Metrics())


async def bets(db: Db, number: int) -> list[Bet]:
    """So many new bets, each with its make planned."""
    group_commit = train_of(db)
    born = [new_bet(bet_id=n, bet_ref=f"b{n}", payments={}, calls={}) for n in range(1, number + 1)]
    decisions = [open_bet(bet, terms()) for bet in born]
    assert all(await asyncio.gather(*map(group_commit.commit, decisions)))
    return [decision.after for decision in decisions]


async def reach_for(db: Db, name: str, at_ms: int, most: int) -> list[Taken]:
    taken, _ = await Calls(db, name).take(at_ms, at_ms + 15_000, most, busy={}, each=MANY)
    return taken


async def test_a_call_goes_to_one_of_all_who_reach_for_it(connections: list[Db]) -> None:
    """Money law: a call is performed by who has its lease. Two leases of one call would be two makes under one fence."""
    await bets(connections[0], BETS)
    for turn in range(1, 6):
        at_ms = T0 + turn * 60_000
        all_at_once = [reach_for(db, f"p{n}", at_ms, BETS) for n, db in enumerate(connections)]
        taken = [call for part in await asyncio.gather(*all_at_once) for call in part]
        assert len({(call.subject_id, call.slot) for call in taken}) == len(taken) > 0


async def test_what_a_train_holds_is_skipped_and_not_waited_for(connections: list[Db]) -> None:
    await bets(connections[0], 3)
    async with connections[0].transaction() as tx:
        await tx.execute("update bets set version = version where bet_id = 2")
        taken = await asyncio.wait_for(reach_for(connections[1], "p2", LATER_MS, 10), 10)
    assert [call.subject_id for call in taken] == [1, 3]


async def test_a_decision_from_before_a_takeover_is_not_written(connections: list[Db]) -> None:
    """A process that slept through its lease wakes with what it read then: it changes no row."""
    ours, theirs = connections[:2]
    (bet,) = await bets(ours, 1)
    (taken,) = await reach_for(theirs, "p2", LATER_MS, 10)
    assert taken.fence > bet.calls[K.STAKE.value].fence

    draft: Draft[Bet] = Draft(bet, terms(60))
    apply_make_answer(draft, K.STAKE, SILENCE)
    assert not await train_of(ours).commit(draft.finish("stake_make_answered"))

    stored = await Bets(ours).by_id(bet.bet_id)
    assert stored is not None
    assert stored.calls[K.STAKE.value].lease_owner == "p2"
    assert stored.payments[K.STAKE] == replace(bet.payments[K.STAKE], unanswered=True), "whoever had it is not heard of"
    assert replace(stored, version=0, calls={}, payments={}) == replace(bet, version=0, calls={}, payments={})


async def test_a_call_that_is_leased_is_not_due(connections: list[Db]) -> None:
    await bets(connections[0], 1)
    assert await reach_for(connections[1], "p2", LATER_MS, 10)
    assert await reach_for(connections[2], "p3", LATER_MS + 14_999, 10) == []
    (again,) = await reach_for(connections[2], "p3", LATER_MS + 15_000, 10)
    assert again.fence == 3


async def test_a_casino_that_is_full_is_left_out_and_waited_for_by_nobody(connections: list[Db]) -> None:
    """When the next one is ready is no answer then: whoever looks would look for ever."""
    (bet,) = await bets(connections[0], 1)
    full = {(bet.casino_id, Work.STAKE.value): 40}
    assert await Calls(connections[1], "p2").take(LATER_MS, LATER_MS + 1, 10, busy=full, each=40) == ([], None)
    almost = {(bet.casino_id, Work.STAKE.value): 39}
    taken, _ = await Calls(connections[1], "p2").take(LATER_MS, LATER_MS + 1, 10, busy=almost, each=40)
    assert len(taken) == 1


async def test_each_line_has_its_own_places_and_what_needs_no_casino_has_no_bound(connections: list[Db]) -> None:
    await bets(connections[0], 12)
    for step, numbers in (("info", "4, 5, 6"), ("claim_due", "7, 8, 9")):
        await connections[0].execute(f"update calls set step = '{step}' where subject_id in ({numbers})")
    await connections[0].execute("update calls set slot = 'payout' where subject_id in (10, 11, 12)")
    taken, ready = await Calls(connections[1], "p2").take(LATER_MS, LATER_MS + 1, 50, busy={}, each=2)
    assert Counter(call.work for call in taken) == {"stake": 2, "ask": 2, "none": 3, "owed": 2}
    assert ready is None


async def test_the_database_and_the_core_agree_on_kinds_of_work(connections: list[Db]) -> None:
    await bets(connections[0], 1)
    for step in Step:
        for slot in (*(kind.value for kind in K), SLOT_CLOSE, SLOT_CLAIM):
            await connections[0].execute("update calls set step = $1, slot = $2", step.value, slot)
            assert await connections[0].fetchval("select work from calls") == work_of(step, slot).value


async def test_when_the_next_call_is_ready_is_told(connections: list[Db]) -> None:
    await bets(connections[0], 3)
    await connections[0].execute("update calls set due_ms = $1 + subject_id, lease_until_ms = 0", LATER_MS)
    assert await Calls(connections[1], "p2").take(LATER_MS, 0, 10, busy={}, each=40) == ([], LATER_MS + 1)


async def test_a_look_costs_the_same_however_many_wait(connections: list[Db]) -> None:
    """Counted in pages read: 20,000 due calls of a full casino beside one free call of another."""
    ours = connections[0]
    await bets(ours, 1)
    await ours.execute("update calls set due_ms = 0, lease_until_ms = 0, casino_id = 2")

    async def pages(busy: dict[tuple[int, str], int]) -> int:
        await ours.execute("vacuum analyze calls")
        args = (T0, "p2", T0, 50, 40, [c for c, _ in busy], [w for _, w in busy], list(busy.values()))
        plan = await ours.batch_fetch("explain (analyze, buffers, format json) " + _TAKE, *args)
        whole = json.loads(plan[0][0])[0]["Plan"]
        return int(whole["Shared Hit Blocks"] + whole["Shared Read Blocks"])

    few = await pages({})
    await ours.execute(
        "insert into calls (subject_id, slot, casino_id, step, due_ms, failures, acked, crashes, fence, lease_until_ms)"
        " select 10 + n, 'payout', 1 + 2 * (n % 2), 'make', n, 0, false, 0, 1, 0 from generate_series(1, 20000) n"
    )
    await ours.execute("update calls set lease_owner = null, lease_until_ms = 0 where subject_id = 1")
    full = {(1, "owed"): 40, (3, "owed"): 40}
    assert await pages(full) <= few + 60
    await ours.execute("update calls set lease_owner = null, lease_until_ms = 0 where subject_id = 1")
    assert await pages({(1, "owed"): 0, (3, "owed"): 38}) <= few + 600


async def test_a_call_that_was_let_go_is_taken_again_and_counts_as_no_crash(connections: list[Db]) -> None:
    """The database was away for a moment: nobody crashed, so five such moments quarantine nothing."""
    await bets(connections[0], 1)
    for turn in range(1, 7):
        at_ms = T0 + turn * 60_000
        (call,) = await reach_for(connections[1], "p2", at_ms, 10)
        let_go = Calls(connections[1], "p2").let_go
        assert await let_go(call.subject_id, call.slot, call.fence, until_ms=at_ms + 1000, left=turn % 2 > 0)
        assert not await let_go(call.subject_id, call.slot, call.fence, until_ms=at_ms + 1000, left=True)
        assert await reach_for(connections[2], "p3", at_ms + 999, 10) == []
    assert await connections[0].fetchval("select crashes from calls") <= 1


@pytest.mark.parametrize("left", [True, False])
async def test_what_was_let_go_after_it_may_have_left_is_remembered_as_unanswered(
    connections: list[Db], left: bool
) -> None:
    """Its answer is lost with whoever let it go: a refusal of the next try is no proof, and what was read before is old."""
    (bet,) = await bets(connections[0], 1)
    await train_of(connections[0]).commit(_let_go(bet))
    (call,) = await reach_for(connections[1], "p2", LATER_MS, 10)
    before = await Bets(connections[0]).by_id(bet.bet_id)
    assert await Calls(connections[1], "p2").let_go(call.subject_id, call.slot, call.fence, until_ms=0, left=left)
    after = await Bets(connections[0]).by_id(bet.bet_id)
    assert before is not None
    assert after is not None
    assert not before.payments[K.STAKE].unanswered
    assert after.payments[K.STAKE].unanswered is left
    assert (after.version > before.version) is left


def _let_go(bet: Bet) -> Decision[Bet]:
    """Nobody holds its make any more."""
    draft: Draft[Bet] = Draft(bet, terms())
    draft.call_later(K.STAKE.value, Step.MAKE, T0)
    return draft.finish("planned")


async def test_a_make_whose_process_died_is_remembered_as_unanswered(connections: list[Db]) -> None:
    (bet,) = await bets(connections[0], 1)
    assert bet.calls[K.STAKE.value].lease_owner is not None
    await reach_for(connections[1], "p2", LATER_MS, 10)
    stored = await Bets(connections[0]).by_id(bet.bet_id)
    assert stored is not None
    assert stored.payments[K.STAKE].unanswered


async def test_a_make_that_nobody_held_is_not(connections: list[Db]) -> None:
    (bet,) = await bets(connections[0], 1)
    await train_of(connections[0]).commit(_let_go(bet))
    await reach_for(connections[1], "p2", LATER_MS, 10)
    stored = await Bets(connections[0]).by_id(bet.bet_id)
    assert stored is not None
    assert not stored.payments[K.STAKE].unanswered


async def test_nobody_lets_go_of_what_another_holds(connections: list[Db]) -> None:
    await bets(connections[0], 1)
    (call,) = await reach_for(connections[1], "p2", LATER_MS, 10)
    key, when = (call.subject_id, call.slot), {"until_ms": LATER_MS, "left": True}
    assert not await Calls(connections[2], "p3").let_go(*key, call.fence, **when)
    assert not await Calls(connections[1], "p2").let_go(*key, call.fence - 1, **when)
    assert await reach_for(connections[3], "p4", LATER_MS + 1, 10) == []
