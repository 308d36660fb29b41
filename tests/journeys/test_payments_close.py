"""`POST {casino}/payments/close`: said once when a bet is over, taken back before a later payment."""

import asyncio

import pytest

from tests.journeys.peers import in_turn, say
from tests.journeys.stage import Seat, Stage, Table, fresh


@pytest.mark.slow
async def test_a_settled_bet_is_closed_once_after_its_last_outcome(table: Table) -> None:
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    await asyncio.sleep(0.3)
    assert table.casino.calls("payments/close") == [], "a bet that is on is not closed"
    await table.line.pay_out(table.session, bet)
    closed = await table.call("payments/close")
    row = await table.row(bet)
    assert row is not None
    assert closed == {"BetId": row["bet_id"], "IsClosed": True}
    paths = [h.path for h in table.casino.heard if h.path.startswith("payments/")]
    assert paths == ["payments/make", "payments/make", "payments/close"]
    await asyncio.sleep(0.5)
    assert len(table.casino.calls("payments/close")) == 1


async def test_a_returned_bet_is_closed_in_the_sandbox_casino_too(stage: Stage, seat: Seat) -> None:
    bet = fresh("b")
    await seat.call("pay-in", bet, amount="1.00")
    await seat.call("refund", bet)

    async def closed() -> bool:
        return (await stage.bet(bet) or {})["closing"] == "closed"

    await stage.until(closed)


@pytest.mark.slow
async def test_a_close_is_pursued_and_blocks_nothing(stage: Stage, table: Table) -> None:
    table.casino.says["payments/close"] = in_turn(say(500, status=500), say(102823), say(31337), say(200))
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    assert (await table.line.pay_out(table.session, bet)).code == 1
    await table.call("payments/close", count=4)
    assert (await table.line.pay_in(table.session, fresh("b"))).code == 1
    row = await table.row(bet)
    assert row is not None
    assert (await stage.payments(row["bet_id"])) == {"stake": "accepted", "payout": "accepted"}


async def test_a_payment_after_the_close_waits_for_the_reopening(table: Table) -> None:
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    await table.line.pay_out(table.session, bet)
    await table.call("payments/close")

    async def closed() -> bool:
        return (await table.row(bet) or {})["closing"] == "closed"

    await table.stage.until(closed)
    table.casino.says["payments/close"] = in_turn(say(500), say(102823), say(200))
    await table.line.refund(table.session, bet)
    again = await table.call("payments/close", count=4)
    assert again["IsClosed"] is False
    await table.make(-2)
    await table.make(2)
    tries = [h.data["IsClosed"] for h in table.casino.heard if h.path == "payments/close"]
    assert tries[:4] == [True, False, False, False]


async def test_a_bet_without_an_accepted_payment_is_not_closed(table: Table) -> None:
    table.casino.says["payments/make"] = say(103802)
    bet = fresh("b")
    assert (await table.line.pay_in(table.session, bet)).code == 3
    await table.line.refund(table.session, bet)
    await table.line.refund(table.session, fresh("b"))
    await asyncio.sleep(0.4)
    assert table.casino.calls("payments/close") == []


async def test_a_casino_may_have_no_close(stage: Stage) -> None:
    table = await stage.table(await stage.new_casino(close=False))
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    await table.line.pay_out(table.session, bet)
    await table.make(1)
    await table.line.refund(table.session, bet)
    await table.make(2)
    await asyncio.sleep(0.3)
    assert table.casino.calls("payments/close") == []
