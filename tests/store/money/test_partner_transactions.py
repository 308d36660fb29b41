"""A PartnerTransactionId names one payment of a casino, whoever commits it and when (casino.md 1.2)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from croupier.core.bet import Bet
from croupier.core.bet_requests import open_bet
from croupier.core.draft import Decision, Draft
from croupier.core.payment import PaymentState
from croupier.core.pursuit import apply_outcome
from croupier.core.readings import Contents, PaymentKind, Yes
from croupier.core.remembered import Verdict
from croupier.flows.accept_payment import accept_payment
from croupier.kit.clock import SystemClock
from croupier.kit.metrics import Metrics
from croupier.store.db import Db, DbViolation
from croupier.store.money.bets import Bets
from croupier.store.money.group_commit import GroupCommit
from croupier.store.money.partner_transactions import Holder, Number, PartnerTransactions
from tests.core.samples import CASINO, K, new_bet, terms
from tests.flows.desk import Desk, make_desk


def train_of(db: Db, name: str = "p1") -> GroupCommit:
    return GroupCommit(db, SystemClock(), name, metrics=Metrics())


async def bets(db: Db, number: int) -> list[Bet]:
    group_commit = train_of(db)
    born = [new_bet(bet_id=n, bet_ref=f"b{n}", payments={}, calls={}) for n in range(1, number + 1)]
    decisions = [open_bet(bet, terms()) for bet in born]
    assert all(await asyncio.gather(*map(group_commit.commit, decisions)))
    return [decision.after for decision in decisions]


def said(bet: Bet, partner_tx: str, kind: PaymentKind = K.STAKE) -> Yes:
    return Yes(Contents(bet.bet_id, bet.player_ref, kind, "10.00", None, partner_tx))


def accepted(bet: Bet, partner_tx: str, **of_terms: Any) -> Decision[Bet]:
    """The decision of who read the bet and knows of nobody else with that id."""
    draft: Draft[Bet] = Draft(bet, terms(1, **of_terms))
    apply_outcome(draft, K.STAKE, said(bet, partner_tx))
    return draft.finish("stake_heard")


async def states(db: Db, number: int) -> list[PaymentState]:
    found = [await Bets(db).by_id(n) for n in range(1, number + 1)]
    return [bet.payments[K.STAKE].state for bet in found if bet is not None]


async def test_of_two_in_one_group_commit_one_is_written(db: Db) -> None:
    """And those who travel with them lose nothing by it."""
    some = await bets(db, 5)
    group_commit = train_of(db)
    ids = ["t-1", "t-2", "t-1", "t-3", "t-1"]
    won = await asyncio.gather(*(group_commit.commit(accepted(bet, tx)) for bet, tx in zip(some, ids, strict=True)))
    assert [one is not None for one in won] == [True, True, False, True, False]
    A, C = PaymentState.ACCEPTED, PaymentState.CREATED
    assert await states(db, 5) == [A, A, C, A, C]


async def test_of_two_workers_one_is_written(database_url: str, db: Db) -> None:
    some = await bets(db, 40)
    other = await Db.connect(database_url, size=2)
    try:
        ours, theirs = train_of(db, "p1"), train_of(other, "p2")
        pairs = list(zip(some[:20], some[20:], strict=True))
        won = await asyncio.gather(
            *(t.commit(accepted(b, f"t-{n}")) for n, pair in enumerate(pairs)
              for t, b in zip((ours, theirs) if n % 2 else (theirs, ours), pair, strict=True))
        )  # fmt: skip
    finally:
        await other.close()
    assert [(won[2 * n] is not None) + (won[2 * n + 1] is not None) for n in range(20)] == [1] * 20
    assert (await states(db, 40)).count(PaymentState.ACCEPTED) == 20


async def test_another_casino_and_one_that_reuses_them_may_say_the_same(db: Db) -> None:
    reuses = replace(CASINO, reuses_transaction_ids=True)
    first, second, third = await bets(db, 3)
    group_commit = train_of(db)
    assert await group_commit.commit(accepted(first, "t-1"))
    assert await group_commit.commit(accepted(second, "t-1", casino=reuses))
    assert not await group_commit.commit(accepted(third, "t-1"))
    found = await PartnerTransactions(db).holders([Number(11, "t-1"), Number(12, "t-1")])
    assert found == {Number(11, "t-1"): Holder(1, "stake")}


@pytest.mark.parametrize("verb", ["update partner_transactions set kind = ''", "delete from partner_transactions"])
async def test_an_id_that_was_given_stays_given(db: Db, verb: str) -> None:
    (bet,) = await bets(db, 1)
    assert await train_of(db).commit(accepted(bet, "t-1"))
    with pytest.raises(DbViolation):
        await db.execute(verb)


@pytest.fixture
async def desk(db: Db) -> Any:
    made = await make_desk(db)
    yield made
    await made.line.close()


async def tell(desk: Desk, bet: Bet, partner_tx: str) -> Verdict:
    words = Yes(Contents(bet.bet_id, bet.player_ref, K.STAKE, "10.00", None, partner_tx))
    return (await accept_payment(desk.hub, bet.casino_id, bet.bet_id, kind=K.STAKE, outcome=words)).verdict


@pytest.mark.parametrize("at_once", [True, False])
async def test_an_accept_with_the_id_of_another_payment_is_a_contradiction(desk: Desk, at_once: bool) -> None:
    """102823, no money moved, one incident; its own id is taken afterwards (casino.md 1.2)."""
    first, second = await desk.bet(1001), await desk.bet(1002)
    if at_once:
        told = list(await asyncio.gather(tell(desk, first, "t-1"), tell(desk, second, "t-1")))
    else:
        told = [await tell(desk, first, "t-1"), await tell(desk, second, "t-1")]
    assert sorted(verdict.value for verdict in told) == ["conflict", "ok"]
    winner, loser = (first, second) if told[0] is Verdict.OK else (second, first)
    assert await desk.open_incidents() == {"contradiction"}
    before = await desk.again(loser)
    assert before.payments[K.STAKE].state is PaymentState.CREATED
    assert await tell(desk, loser, "t-1") is Verdict.CONFLICT
    assert await desk.again(loser) == before, "the same again changes not even the version"
    assert await tell(desk, winner, "t-1") is Verdict.OK
    assert await tell(desk, loser, "t-2") is Verdict.OK


async def test_a_contradiction_that_is_resent_reopens_nothing(desk: Desk) -> None:
    """What a person has closed stays closed until the casino says something new (casino.md 1.2)."""
    bet = await desk.bet()
    assert await tell(desk, bet, "t-1") is Verdict.OK
    assert await tell(desk, bet, "t-2") is Verdict.CONFLICT
    (incident,) = await desk.hub.store.incidents.open_ones()
    assert await desk.hub.store.incidents.close([incident], "mia", "asked the casino")
    before = await desk.again(bet)
    for _ in range(3):
        assert await tell(desk, bet, "t-2") is Verdict.CONFLICT
    assert await desk.again(bet) == before
    assert await desk.open_incidents() == set()
    assert await tell(desk, bet, "t-3") is Verdict.CONFLICT
    assert await desk.open_incidents() == {"contradiction"}
