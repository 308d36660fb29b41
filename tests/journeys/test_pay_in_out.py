"""`POST /v1/sessions/{sessionId}/bets/pay-in-out`: stake and win in one request, one after the other at the casino."""

import asyncio
from typing import Any

import pytest

from tests.journeys.by_hand import Told
from tests.journeys.peers import acknowledge, book_inline, in_turn, say
from tests.journeys.stage import Seat, Stage, Table, fresh


async def play(table: Table, bet: str, **changes: Any) -> Told:
    fields = {"betId": bet, "gameRoundId": "r-1", "betAmount": "10.00", "winAmount": "25.00", **changes}
    return await table.line.bet("pay-in-out", table.session, **fields)


async def test_stake_and_win_reach_the_wallet(stage: Stage, seat: Seat) -> None:
    bet = fresh("b")
    assert (await seat.call("pay-in-out", bet, amount="10.00", win="7.50")).outcome == (200, 1)
    row = await stage.bet_in(bet, "settled")
    await stage.paid(row["bet_id"], "payout")
    wallet = await seat.wallet()
    assert wallet["change"] == "-2.5"
    assert [b["TransactionType"] for b in wallet["bookings"]] == [-1, 1]
    assert await stage.ledger(row["bet_id"]) == {"wallets": -250, "ggr": 250}


async def test_the_win_goes_out_only_after_the_stake_was_taken(table: Table) -> None:
    table.casino.says["payments/make"] = in_turn(acknowledge, book_inline)
    bet = fresh("b")
    asked = asyncio.create_task(play(table, bet))
    made = await table.make(-1)
    await asyncio.sleep(0.3)
    assert table.casino.made(1) == []
    await table.casino.line.accept(made)
    assert (await asked).outcome == (200, 1)
    assert (await table.make(1))["Amount"] == "25.00"


async def test_if_the_stake_is_refused_nothing_else_happens(stage: Stage, table: Table) -> None:
    table.casino.says["payments/make"] = say(103802)
    bet = fresh("b")
    assert (await play(table, bet)).outcome == (402, 3)
    assert (await play(table, bet)).outcome == (402, 3)
    await asyncio.sleep(0.3)
    assert [m["TransactionType"] for m in table.casino.made()] == [-1]
    row = await table.row(bet)
    assert row is not None
    assert await stage.ledger(row["bet_id"]) == {}


async def test_a_repeat_must_say_the_same_and_other_verbs_are_conflicts(table: Table) -> None:
    bet = fresh("b")
    first = await play(table, bet)
    again = await play(table, bet, winOdd=2.5, sessionId=table.session, betAmount=10)
    assert (first.outcome, again.outcome, first.raw == again.raw) == ((200, 1), (200, 1), True)
    told = [
        await play(table, bet, winAmount="25.01"),
        await play(table, bet, betAmount="10.01"),
        await play(table, bet, gameRoundId="r-2"),
        await table.line.pay_in(table.session, bet),
        await table.line.pay_out(table.session, bet),
    ]
    assert [t.outcome for t in told] == [(409, 7)] * 5
    await table.make(1)
    assert [m["TransactionType"] for m in table.casino.made()] == [-1, 1]


@pytest.mark.slow
async def test_the_win_is_owed_when_the_late_stake_is_claimed(stage: Stage, table: Table) -> None:
    table.casino.says["payments/make"] = in_turn(acknowledge, book_inline)
    bet = fresh("b")
    assert (await play(table, bet)).outcome == (504, 99)
    await table.casino.line.accept(await table.make(-1))
    row = await table.state(bet, "unclaimed")
    assert await stage.payments(row["bet_id"]) == {"stake": "accepted"}
    assert (await play(table, bet)).outcome == (200, 1)
    await stage.paid(row["bet_id"], "payout")
    assert await stage.ledger(row["bet_id"]) == {"wallets": 1500, "ggr": -1500}


@pytest.mark.slow
async def test_the_win_of_what_nobody_claims_is_never_owed(stage: Stage, table: Table) -> None:
    table.casino.says["payments/make"] = in_turn(acknowledge, book_inline)
    bet = fresh("b")
    assert (await play(table, bet)).outcome == (504, 99)
    await table.casino.line.accept(await table.make(-1))
    row = await table.state(bet, "returned")
    await stage.paid(row["bet_id"], "bet_return")
    assert await stage.payments(row["bet_id"]) == {"stake": "accepted", "bet_return": "accepted"}
    assert await stage.ledger(row["bet_id"]) == {}
    assert (await play(table, bet)).outcome == (409, 7)


async def test_a_refund_takes_the_win_back_and_returns_the_stake(stage: Stage, seat: Seat) -> None:
    bet = fresh("b")
    assert (await seat.call("pay-in-out", bet, amount="10.00", win="25.00")).code == 1
    assert (await seat.call("refund", bet)).outcome == (200, 1)
    row = await stage.bet_in(bet, "returned")
    await stage.paid(row["bet_id"], "bet_return")
    wallet = await seat.wallet()
    assert wallet["change"] == "0"
    assert [b["TransactionType"] for b in wallet["bookings"]] == [-1, 1, -2, 2]
    assert await stage.ledger(row["bet_id"]) == {}
