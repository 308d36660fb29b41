"""`POST /v1/sessions/{sessionId}/bets/pay-out`: a bet is settled, and the win is paid until the casino has it."""

import asyncio

import pytest

from tests.journeys.peers import JACKPOT_GAME, accept_behind, acknowledge, book_inline, in_turn, say
from tests.journeys.stage import HOLDS_WITHIN_S, Seat, Stage, Table, fresh


async def test_a_win_reaches_the_wallet_and_the_bet_is_closed(stage: Stage, seat: Seat) -> None:
    bet = fresh("b")
    assert (await seat.call("pay-in", bet, amount="10.00")).code == 1
    assert (await seat.call("pay-out", bet, win="25.00")).outcome == (200, 1)
    row = await stage.bet_in(bet, "settled")
    await stage.paid(row["bet_id"], "payout")
    assert (await seat.wallet())["change"] == "15"
    assert await stage.ledger(row["bet_id"]) == {"wallets": 1500, "ggr": -1500}

    async def closed() -> bool:
        return (await stage.bet(bet) or {})["closing"] == "closed"

    await stage.until(closed)


async def test_a_loss_is_told_to_the_casino_as_a_payout_of_nothing(stage: Stage, table: Table) -> None:
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    assert (await table.line.pay_out(table.session, bet, "0")).outcome == (200, 1)
    assert (await table.make(1))["Amount"] == "0.00"
    row = await table.state(bet, "settled")
    await stage.paid(row["bet_id"], "payout")
    assert await stage.ledger(row["bet_id"]) == {"wallets": -1000, "ggr": 1000}


async def test_a_pay_out_is_once_per_bet(table: Table) -> None:
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    first = await table.line.pay_out(table.session, bet, "25.00")
    again = await table.line.pay_out(table.session, bet, "25.0")
    odd = await table.line.bet(
        "pay-out", table.session, betId=bet, gameRoundId="r-1", winAmount=25, winOdd="2.5", sessionId=table.session
    )
    assert [first.outcome, again.outcome, odd.outcome] == [(200, 1)] * 3
    assert first.raw == again.raw == odd.raw
    assert (await table.line.pay_out(table.session, bet, "25.01")).outcome == (409, 7)
    assert (await table.line.pay_out(table.session, bet, "25.00", round_id="r-2")).outcome == (409, 7)
    await table.make(1)
    await asyncio.sleep(0.3)
    assert len(table.casino.made(1)) == 1


@pytest.mark.slow
async def test_the_hub_answers_as_soon_as_it_owes_and_pays_until_it_is_taken(stage: Stage, table: Table) -> None:
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    no = (say(102823), say(500, status=500), say(103802), acknowledge, say(103753), say(102145), say(999))
    table.casino.says["payments/make"] = in_turn(*no, book_inline)
    assert (await table.line.pay_out(table.session, bet)).outcome == (200, 1)
    row = await table.state(bet, "settled")
    assert (await stage.ledger(row["bet_id"]))["owed"] == 2500
    await stage.paid(row["bet_id"], "payout", within_s=20)
    tries = [h for h in table.casino.heard if h.path == "payments/make" and h.data["TransactionType"] == 1]
    assert len(tries) == 8
    assert len({h.text for h in tries}) == 1, "the same data"
    assert len({h.raw for h in tries}) > 1, "in new envelopes"
    assert "not_accepted" in await stage.incidents(row["bet_id"])
    assert "owed" not in await stage.ledger(row["bet_id"])


async def test_a_pay_out_without_a_bet_is_refused(table: Table) -> None:
    assert (await table.line.pay_out(table.session, fresh("b"))).outcome == (404, 5)
    assert table.casino.made() == []


async def test_a_jackpot_game_may_win_without_a_bet(stage: Stage) -> None:
    table = await stage.table(studio=await stage.new_studio(), game=JACKPOT_GAME)
    game = await stage.desk.store.games.find(f"{table.line.provider_id}/{JACKPOT_GAME}")
    assert game is not None
    bet = fresh("b")
    assert (await table.line.pay_out(table.session, bet, "777.00")).outcome == (404, 5)
    await stage.desk.store.games.set(game.game_id, jackpot_wins=True)
    await asyncio.sleep(HOLDS_WITHIN_S)
    assert (await table.line.pay_out(table.session, bet, "777.00")).outcome == (200, 1)
    assert (await table.line.pay_out(table.session, bet, "777.00")).outcome == (200, 1)
    assert (await table.line.pay_out(table.session, bet, "778.00")).outcome == (409, 7)
    made = await table.make(4)
    assert made["Amount"] == "777.00"
    row = await table.state(bet, "settled")
    await stage.paid(row["bet_id"], "jackpot")
    assert await stage.ledger(row["bet_id"]) == {"wallets": 77700, "jackpot": -77700}
    assert (await table.line.refund(table.session, bet)).outcome == (409, 7)


@pytest.mark.slow
async def test_a_pay_out_waits_for_the_stake_and_claims_it(table: Table) -> None:
    table.casino.says["payments/make"] = acknowledge
    bet = fresh("b")
    stake = asyncio.create_task(table.line.pay_in(table.session, bet))
    made = await table.make(-1)
    early = asyncio.create_task(table.line.pay_out(table.session, bet))
    assert (await stake).outcome == (504, 99)
    assert (await early).outcome == (504, 99)
    table.casino.says["payments/make"] = accept_behind
    await table.casino.line.accept(made)
    await table.state(bet, "unclaimed")
    assert (await table.line.pay_out(table.session, bet)).outcome == (200, 1)
    assert (await table.line.pay_in(table.session, bet)).outcome == (200, 1)
    await table.make(1)


async def test_a_pay_out_of_what_was_never_on_or_is_undone_is_a_conflict(stage: Stage, table: Table) -> None:
    refused, refunded, tombstone, on = (fresh("b") for _ in range(4))
    assert (await table.line.pay_in(table.session, refunded)).code == 1
    assert (await table.line.refund(table.session, refunded)).code == 1
    assert (await table.line.refund(table.session, tombstone)).code == 1
    assert (await table.line.pay_in(table.session, on)).code == 1
    table.casino.says["payments/make"] = say(103802)
    assert (await table.line.pay_in(table.session, refused)).code == 3
    told = [await table.line.pay_out(table.session, bet) for bet in (refused, refunded, tombstone)]
    assert [t.outcome for t in told] == [(409, 7)] * 3
    stranger = await stage.table(table.casino)
    assert (await table.line.pay_out(stranger.session, on)).outcome == (409, 7)
    assert table.casino.made(1) == []


async def test_a_session_that_is_over_still_takes_pay_outs(stage: Stage, table: Table) -> None:
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    await stage.desk.store.db.execute("update sessions set expires_ms = opened_ms where session_id = $1", table.session)
    assert (await table.line.pay_out(table.session, bet)).outcome == (200, 1)
    assert (await table.line.pay_out(table.session, fresh("b"))).outcome == (404, 5)


@pytest.mark.slow
async def test_a_provider_may_want_the_hub_to_wait_for_the_casino(stage: Stage) -> None:
    table = await stage.table(studio=await stage.new_studio(pay_out_waits=True))
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    table.casino.says["payments/make"] = acknowledge
    asked = asyncio.create_task(table.line.pay_out(table.session, bet))
    made = await table.make(1)
    assert (await asked).outcome == (504, 99)
    await table.casino.line.accept(made)
    assert (await table.line.pay_out(table.session, bet)).outcome == (200, 1)


async def test_a_large_win_knows_no_limit(table: Table) -> None:
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    assert (await table.line.pay_out(table.session, bet, "999999999999999.99")).outcome == (200, 1)
    assert (await table.make(1))["Amount"] == "999999999999999.99"
