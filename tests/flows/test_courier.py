"""Calls that leave, and what comes back, by a whole hub: leases that were lost, times that were over."""

from __future__ import annotations

import asyncio

from croupier.core.bet import BetState
from croupier.core.payment import PaymentState
from croupier.core.readings import PaymentKind
from croupier.sandbox.behaviour import Rule, parse
from tests.flows.hall import Hall, in_a_hall

STAKE, PAYOUT = PaymentKind.STAKE, PaymentKind.PAYOUT


def turn(hall: Hall, words: str, path: str | None = None, remaining: int | None = None) -> None:
    """From now on the casino behaves so."""
    hall.casino.dial.turn(Rule(parse(words), path=path, remaining=remaining))


async def another_takes_over(hall: Hall, ref: str) -> None:
    """Another worker takes up every call of this bet, and never comes back."""
    bet, db = await hall.bet(ref), hall.stage.db
    until_ms = hall.stage.clock.now_ms() + 3_600_000
    await db.execute("update bets set version = version + 1 where bet_id = $1", bet.bet_id)
    sql = "update calls set fence = fence + 1, lease_owner = 'another', lease_until_ms = $2 where subject_id = $1"
    await db.execute(sql, bet.bet_id, until_ms)


def test_an_inline_yes_under_an_outdated_lease_is_taken_in(database_url: str) -> None:
    """An accept with the same words would be: money facts count, whoever has the call by now (money.md 2)."""

    async def play(hall: Hall) -> None:
        turn(hall, "inline+slow:4")
        asked = asyncio.ensure_future(hall.pay_in("b-1"))
        await hall.wait(1)
        await another_takes_over(hall, "b-1")
        assert await asked == "1"
        assert (await hall.bet("b-1")).state is BetState.ON

    in_a_hall(database_url, play)


def test_an_inline_no_under_an_outdated_lease_is_taken_in(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        turn(hall, "refuse:103802+slow:4")
        asked = asyncio.ensure_future(hall.pay_in("b-1"))
        await hall.wait(1)
        await another_takes_over(hall, "b-1")
        assert await asked == "3"

    in_a_hall(database_url, play)


def test_no_answer_under_an_outdated_lease_plans_nothing(database_url: str) -> None:
    """What is tried next is for whoever has the call now."""

    async def play(hall: Hall) -> None:
        await hall.pay_in("b-1")
        turn(hall, "lost:cut+slow:4")
        await hall.pay_out("b-1")
        await another_takes_over(hall, "b-1")
        before = await hall.bet("b-1")
        await hall.wait(20)
        after = await hall.bet("b-1")
        assert (after.version, after.calls) == (before.version, before.calls)
        assert after.payments[PAYOUT].state is PaymentState.CREATED

    in_a_hall(database_url, play)
