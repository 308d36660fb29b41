"""`POST /v1/sessions/{sessionId}/bets/refund`: undo a bet, whatever state it is in."""

import asyncio

import pytest

from tests.journeys.peers import acknowledge, book_inline, in_turn, say
from tests.journeys.stage import Seat, Stage, Table, fresh


async def test_the_stake_of_a_bet_that_is_on_goes_back(stage: Stage, seat: Seat) -> None:
    bet = fresh("b")
    assert (await seat.call("pay-in", bet, amount="8.00")).code == 1
    assert (await seat.call("refund", bet)).outcome == (200, 1)
    assert (await seat.call("refund", bet)).outcome == (200, 1)
    row = await stage.bet_in(bet, "returned")
    await stage.paid(row["bet_id"], "bet_return")
    wallet = await seat.wallet()
    assert wallet["change"] == "0"
    assert [b["TransactionType"] for b in wallet["bookings"]] == [-1, 2]
    assert await stage.ledger(row["bet_id"]) == {}
    assert (await seat.call("pay-in", bet, amount="8.00")).outcome == (409, 7)
    assert (await seat.call("pay-out", bet, win="1.00")).outcome == (409, 7)


async def test_a_refund_before_its_bet_leaves_a_tombstone(stage: Stage, table: Table) -> None:
    bet = fresh("b")
    assert (await table.line.refund(table.session, bet)).outcome == (200, 1)
    assert (await table.line.refund(table.session, bet)).outcome == (200, 1)
    assert (await table.line.pay_in(table.session, bet)).outcome == (409, 7)
    row = await table.row(bet)
    assert row is not None
    assert row["state"] == "tombstone"
    assert await stage.payments(row["bet_id"]) == {}
    assert table.casino.made() == []


@pytest.mark.slow
async def test_a_refund_in_flight_is_answered_at_once_and_returns_what_the_casino_takes(
    stage: Stage, table: Table
) -> None:
    table.casino.says["payments/make"] = in_turn(acknowledge, acknowledge, book_inline)
    bet = fresh("b")
    patient = await stage.table(table.casino)
    longer = asyncio.create_task(patient.line.pay_in(patient.session, fresh("b")))
    await table.make(-1)
    stake = asyncio.create_task(table.line.pay_in(table.session, bet))
    made = await table.make(-1, count=2)
    assert (await table.line.refund(table.session, bet)).outcome == (200, 1)
    assert (await stake).outcome == (504, 99), "whoever waits learns nothing"
    assert not longer.done(), "and learns it at once: who came before still waits"
    await longer
    assert (await table.line.pay_in(table.session, bet)).outcome == (409, 7)
    assert (await table.casino.line.accept(made)).outcome == (200, 200)
    row = await table.state(bet, "returned")
    await stage.paid(row["bet_id"], "bet_return")
    assert [m["TransactionType"] for m in table.casino.made(bet=row["bet_id"])] == [-1, 2]
    assert await stage.ledger(row["bet_id"]) == {}


async def test_a_refund_in_flight_of_what_the_casino_refuses_returns_nothing(stage: Stage, table: Table) -> None:
    table.casino.says["payments/make"] = acknowledge
    bet = fresh("b")
    stake = asyncio.create_task(table.line.pay_in(table.session, bet))
    made = await table.make(-1)
    assert (await table.line.refund(table.session, bet)).outcome == (200, 1)
    await stake
    assert (await table.casino.line.accept(made, 103802)).outcome == (200, 200)
    row = await table.state(bet, "cancelled")
    await asyncio.sleep(0.3)
    assert [m["TransactionType"] for m in table.casino.made()] == [-1]
    assert await stage.ledger(row["bet_id"]) == {}


async def test_a_refund_of_a_refused_stake_has_nothing_to_return(table: Table) -> None:
    table.casino.says["payments/make"] = say(103802)
    bet = fresh("b")
    assert (await table.line.pay_in(table.session, bet)).code == 3
    assert (await table.line.refund(table.session, bet)).outcome == (200, 1)
    await asyncio.sleep(0.3)
    assert len(table.casino.made()) == 1
    assert (await table.line.pay_in(table.session, bet)).outcome == (409, 7)


async def test_a_refund_of_a_paid_bet_takes_the_payout_first_and_opens_a_closed_bet(stage: Stage, table: Table) -> None:
    bet = fresh("b")
    assert (await table.line.pay_in(table.session, bet)).code == 1
    assert (await table.line.pay_out(table.session, bet)).code == 1
    await table.call("payments/close")
    assert (await table.line.refund(table.session, bet)).outcome == (200, 1)
    row = await table.state(bet, "returned")
    await stage.paid(row["bet_id"], "bet_return")
    await table.call("payments/close", count=3)
    order = [
        (h.path, h.data.get("TransactionType", h.data.get("IsClosed")))
        for h in table.casino.heard
        if h.path in {"payments/make", "payments/close"}
    ]
    assert order == [
        ("payments/make", -1),
        ("payments/make", 1),
        ("payments/close", True),
        ("payments/close", False),
        ("payments/make", -2),
        ("payments/make", 2),
        ("payments/close", True),
    ]
    assert [m["Amount"] for m in table.casino.made()] == ["10.00", "25.00", "25.00", "10.00"]
    assert await stage.ledger(row["bet_id"]) == {}
    assert (await table.line.pay_out(table.session, bet)).outcome == (409, 7)


async def test_a_lost_bet_has_no_payout_to_take_back(stage: Stage, table: Table) -> None:
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    await table.line.pay_out(table.session, bet, "0")
    row = await table.state(bet, "settled")
    await stage.paid(row["bet_id"], "payout")
    assert (await table.line.refund(table.session, bet)).outcome == (200, 1)
    await stage.paid(row["bet_id"], "bet_return")
    assert [m["TransactionType"] for m in table.casino.made()] == [-1, 1, 2]
    assert await stage.ledger(row["bet_id"]) == {}


async def test_a_refund_waits_for_the_payout_in_flight(stage: Stage, table: Table) -> None:
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    table.casino.says["payments/make"] = in_turn(acknowledge, book_inline)
    await table.line.pay_out(table.session, bet)
    made = await table.make(1)
    assert (await table.line.refund(table.session, bet)).outcome == (200, 1)
    await asyncio.sleep(0.3)
    assert table.casino.made(-2) == []
    await table.casino.line.accept(made)
    row = await table.state(bet, "returned")
    await stage.paid(row["bet_id"], "bet_return")
    assert [m["TransactionType"] for m in table.casino.made()] == [-1, 1, -2, 2]
    assert await stage.ledger(row["bet_id"]) == {}


async def test_a_payout_that_the_casino_keeps_leaves_the_bet_settled_and_calls_a_person(
    stage: Stage, table: Table
) -> None:
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    await table.line.pay_out(table.session, bet)
    row = await table.state(bet, "settled")
    await stage.paid(row["bet_id"], "payout")
    table.casino.says["payments/make"] = say(103802)
    assert (await table.line.refund(table.session, bet)).outcome == (200, 1)
    row = await table.state(bet, "disputed")
    await asyncio.sleep(0.3)
    assert table.casino.made(2) == []
    assert "payout_kept" in await stage.incidents(row["bet_id"])
    assert (await table.line.refund(table.session, bet)).outcome == (200, 1), "the provider keeps its answer"
    assert await stage.ledger(row["bet_id"]) == {"wallets": 1500, "ggr": -1500}


async def test_a_session_that_is_over_still_takes_refunds_but_a_strangers_does_not(stage: Stage, table: Table) -> None:
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    stranger = await stage.table(table.casino)
    assert (await table.line.refund(stranger.session, bet)).outcome == (409, 7)
    later = await stage.table(table.casino, player=table.player)
    await stage.desk.store.db.execute("update sessions set expires_ms = opened_ms where session_id = $1", later.session)
    assert (await table.line.refund(later.session, bet)).outcome == (200, 1)
    await table.make(2)


@pytest.mark.slow
async def test_a_refund_that_the_casino_refuses_is_owed_until_it_is_taken(stage: Stage, table: Table) -> None:
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    table.casino.says["payments/make"] = in_turn(say(103805), say(102823), say(500, status=503), book_inline)
    assert (await table.line.refund(table.session, bet)).outcome == (200, 1)
    row = await table.state(bet, "returned")
    assert (await stage.ledger(row["bet_id"]))["owed"] == 1000
    await stage.paid(row["bet_id"], "bet_return")
    assert len(table.casino.made(2)) == 4
    assert await stage.ledger(row["bet_id"]) == {}
