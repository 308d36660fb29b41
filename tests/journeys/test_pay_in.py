"""`POST /v1/sessions/{sessionId}/bets/pay-in`: from the provider's request to the casino's wallet and back."""

import asyncio
from decimal import Decimal

import pytest

from croupier.core.refusals import CasinoNo
from tests.journeys.by_hand import compact
from tests.journeys.peers import acknowledge, book_inline, in_turn, say
from tests.journeys.stage import HOLD_S, Seat, Stage, Table, fresh


async def test_a_stake_leaves_the_wallet_and_the_answer_tells_the_balance(seat: Seat) -> None:
    told = await seat.call("pay-in", fresh("b"), amount="12.5")
    assert told.outcome == (200, 1)
    wallet = await seat.wallet()
    assert wallet["change"] == "-12.5"
    assert [b["TransactionType"] for b in wallet["bookings"]] == [-1]
    assert (await seat.call("balance")).said["balance"] == "987.50"


async def test_the_answer_is_exactly_code_balance_and_currency(table: Table) -> None:
    told = await table.line.pay_in(table.session, fresh("b"), "10.00")
    assert told.outcome == (200, 1)
    assert told.headers["content-type"] == "application/json"
    # The hand-made casino says 500.00 whenever it is asked.
    assert told.raw in {
        b'{"_responseCode":1,"balance":500.00,"currency":"EUR"}',
        b'{"_responseCode":1,"balance":490.00,"currency":"EUR"}',
    }


@pytest.mark.parametrize("written", [b"12.5", b'"12.5"', b'"12.50"', b"12.500", b'"12.50000000"'])
async def test_an_amount_is_read_exactly_however_it_is_written(table: Table, written: bytes) -> None:
    bet = fresh("b")
    body = b'{"betAmount": ' + written + b', "gameRoundId": "r", "betId": "' + bet.encode() + b'"}'
    told = await table.line.send("POST", f"/v1/sessions/{table.session}/bets/pay-in", body)
    assert told.outcome == (200, 1)
    assert (await table.make(-1))["Amount"] == "12.50"


async def test_a_repeat_gets_the_first_answer_and_moves_nothing(table: Table) -> None:
    bet = fresh("b")
    first = await table.line.pay_in(table.session, bet)
    again = await table.line.pay_in(table.session, bet)
    spelt = await table.line.bet(
        "pay-in", table.session, sessionId=table.session, betId=bet, gameRoundId="r-1", betAmount=10
    )
    elsewhere = await table.stage.table(table.casino, player=table.player)
    other_session = await table.line.pay_in(elsewhere.session, bet)
    assert {first.outcome, again.outcome, spelt.outcome, other_session.outcome} == {(200, 1)}
    assert {first.raw, again.raw, spelt.raw} == {first.raw}
    assert len(table.casino.made(-1)) == 1


async def test_other_contents_under_a_known_bet_id_change_nothing(table: Table) -> None:
    bet = fresh("b")
    assert (await table.line.pay_in(table.session, bet)).code == 1
    stranger = await table.stage.table(table.casino)
    before = await table.row(bet)
    asked = [
        table.line.pay_in(table.session, bet, "10.01"),
        table.line.pay_in(table.session, bet, round_id="r-2"),
        table.line.pay_in(stranger.session, bet),
        table.line.bet("pay-in-out", table.session, betId=bet, gameRoundId="r-1", betAmount="10.00", winAmount="0"),
    ]
    assert [t.outcome for t in await asyncio.gather(*asked)] == [(409, 7)] * 4
    assert await table.row(bet) == before
    assert len(table.casino.made()) == 1


async def test_an_unknown_outcome_is_99_and_a_repeat_claims_the_stake(stage: Stage, table: Table) -> None:
    table.casino.says["payments/make"] = acknowledge
    bet = fresh("b")
    begun = asyncio.get_running_loop().time()
    told = await table.line.pay_in(table.session, bet)
    waited_s = asyncio.get_running_loop().time() - begun
    assert told.outcome == (504, 99)
    assert waited_s > HOLD_S * 0.9, "it was not given up before"
    made = await table.make(-1)
    assert (await table.casino.line.accept(made)).outcome == (200, 200)
    unclaimed = await table.state(bet, "unclaimed")
    assert await stage.ledger(unclaimed["bet_id"]) == {"wallets": -1000, "open-bets": 1000}
    assert (await table.line.pay_in(table.session, bet)).outcome == (200, 1)
    assert (await table.row(bet) or {})["state"] == "on"
    assert len(table.casino.made(-1)) == 1


@pytest.mark.slow
async def test_a_stake_that_nobody_claims_goes_back(stage: Stage, table: Table) -> None:
    table.casino.says["payments/make"] = in_turn(acknowledge, book_inline)
    bet = fresh("b")
    assert (await table.line.pay_in(table.session, bet)).code == 99
    await table.casino.line.accept(await table.make(-1))
    returned = await table.make(2)
    assert returned["Amount"] == "10.00"
    row = await table.state(bet, "returned")
    await stage.paid(row["bet_id"], "bet_return")
    assert await stage.ledger(row["bet_id"]) == {}
    assert (await table.line.pay_in(table.session, bet)).outcome == (409, 7)
    assert (await table.line.pay_out(table.session, bet)).outcome == (409, 7)


async def test_a_repeat_in_flight_joins_and_both_get_the_outcome(table: Table) -> None:
    table.casino.says["payments/make"] = acknowledge
    bet = fresh("b")
    first = asyncio.create_task(table.line.pay_in(table.session, bet))
    made = await table.make(-1)
    joined = [asyncio.create_task(table.line.pay_in(table.session, bet)) for _ in range(4)]
    await asyncio.sleep(0.2)
    assert (await table.casino.line.accept(made)).code == 200
    answers = await asyncio.gather(first, *joined)
    assert [t.outcome for t in answers] == [(200, 1)] * 5
    assert len({t.raw for t in answers}) == 1
    assert len(table.casino.made()) == 1


@pytest.mark.slow
async def test_the_later_of_two_waits_for_its_own_hold_time(table: Table) -> None:
    table.casino.says["payments/make"] = acknowledge
    bet = fresh("b")
    first = asyncio.create_task(table.line.pay_in(table.session, bet))
    made = await table.make(-1)
    await asyncio.sleep(HOLD_S / 2)
    second = asyncio.create_task(table.line.pay_in(table.session, bet))
    assert (await first).outcome == (504, 99)
    await table.casino.line.accept(made)
    assert (await second).outcome == (200, 1)
    assert (await table.row(bet) or {})["state"] == "on"


@pytest.mark.parametrize("way", ["by acknowledgement", "by accept"])
async def test_what_a_casino_refuses_is_refused_by_the_table(table: Table, way: str) -> None:
    wanted = {
        103802: (402, 3), 102145: (403, 4), 103779: (403, 4), 103801: (400, 6), 103753: (400, 6),
        102823: (403, 4), 103805: (403, 4),
    }  # fmt: skip
    if way == "by accept":
        wanted[777] = (403, 4)  # any code is the casino's last word there

    async def one(code: int) -> tuple[int, int]:
        seat = await table.stage.table(await table.stage.new_casino())
        seat.casino.says["payments/make"] = say(code) if way == "by acknowledgement" else acknowledge
        asked = asyncio.create_task(seat.line.pay_in(seat.session, bet := fresh("b")))
        if way == "by accept":
            made = await seat.make(-1)
            assert (await seat.casino.line.accept(made, code)).outcome == (200, 200)
        told = await asked
        again = await seat.line.pay_in(seat.session, bet)
        assert again.outcome == told.outcome
        assert len(seat.casino.made()) == 1
        if code == 103802:
            assert told.said["balance"] == Decimal("500.00")
        return told.outcome

    codes = list(wanted)
    assert dict(zip(codes, await asyncio.gather(*map(one, codes)), strict=True)) == wanted


async def test_a_casino_may_have_numbers_of_its_own(stage: Stage) -> None:
    casino = await stage.new_casino(codes={CasinoNo.NOT_ENOUGH_FUNDS: 4242})
    table = await stage.table(casino)
    casino.says["payments/make"] = say(4242)
    assert (await table.line.pay_in(table.session, fresh("b"))).outcome == (402, 3)


async def test_answers_that_say_nothing_are_asked_again_with_the_same_bytes(table: Table) -> None:
    table.casino.says["payments/make"] = in_turn(say(500, status=500), say(500), say(31337), book_inline)
    told = await table.line.pay_in(table.session, fresh("b"))
    assert told.outcome == (200, 1)
    tries = [heard for heard in table.casino.heard if heard.path == "payments/make"]
    assert len(tries) == 4
    assert len({heard.text for heard in tries}) == 1


@pytest.mark.slow
async def test_the_limits_of_now_judge_new_bets_alone(table: Table) -> None:
    stage, line = table.stage, table.line
    bet = fresh("b")
    assert (await line.pay_in(table.session, bet, "10000.00")).code == 1
    assert (await line.pay_in(table.session, fresh("b"), "10000.01")).outcome == (403, 4)
    await stage.desk.store.casinos.change(table.casino.line.client_id, {"min_bet": "1.00", "max_bet": "5.00"})
    narrow = await stage.table(table.casino, player=table.player)
    await asyncio.sleep(1.0)  # so long after it was set it holds at every worker
    wanted = {"0.99": 4, "1.00": 1, "5.00": 1, "5.01": 4, "0": 1, "0.00": 1}
    for session in (table.session, narrow.session):
        told = {amount: (await line.pay_in(session, fresh("b"), amount)).code for amount in wanted}
        assert told == wanted
        assert (await line.pay_in(session, bet, "10000.00")).code == 1, "a known bet is judged by no limit"
    assert {m["Amount"] for m in table.casino.made(-1)} == {"10000.00", "1.00", "5.00", "0.00"}


async def test_a_casino_may_want_no_payments_of_nothing(stage: Stage) -> None:
    table = await stage.table(await stage.new_casino(skip_zero=True))
    bet = fresh("b")
    assert (await table.line.pay_in(table.session, bet, "0.00")).outcome == (200, 1)
    assert (await table.line.pay_out(table.session, bet, "3.00")).outcome == (200, 1)
    assert (await table.make(1))["Amount"] == "3.00"
    assert table.casino.made(-1) == []


@pytest.mark.slow
async def test_what_is_switched_off_takes_no_new_bet_but_goes_on_with_known_ones(stage: Stage) -> None:
    table = await stage.table(studio=await stage.new_studio())
    bet = fresh("b")
    assert (await table.line.pay_in(table.session, bet)).code == 1
    await stage.desk.store.casinos.disable(table.casino.line.client_id)
    await asyncio.sleep(0.7)  # what a command changes holds within a second
    assert (await table.line.pay_in(table.session, fresh("b"))).outcome == (403, 4)
    await stage.desk.store.casinos.enable(table.casino.line.client_id)
    await stage.desk.store.providers.disable(table.line.provider_id)
    await asyncio.sleep(0.7)
    assert (await table.line.pay_in(table.session, fresh("b"))).outcome == (403, 4)
    assert (await table.line.pay_in(table.session, bet)).outcome == (200, 1)
    assert (await table.line.pay_out(table.session, bet)).outcome == (200, 1)
    assert (await table.line.refund(table.session, bet)).outcome == (200, 1)


async def test_a_session_that_is_over_or_never_was_takes_no_bet(table: Table) -> None:
    assert (await table.line.pay_in("0" * 32, fresh("b"))).outcome == (404, 2)
    await _expire(table)
    assert (await table.line.pay_in(table.session, fresh("b"))).outcome == (404, 2)
    assert table.casino.made() == []


async def test_an_existing_transaction_is_believed_only_with_its_first_contents(stage: Stage, table: Table) -> None:
    def exists(**changes: object) -> object:
        async def script(_casino: object, heard: object) -> object:
            told = await book_inline(_casino, heard)  # type: ignore[arg-type]
            return {"ErrorCode": 103804, "Message": "Transaction already exists", "Value": {**told["Value"], **changes}}

        return script

    table.casino.says["payments/make"] = exists(Amount="10.0")  # type: ignore[assignment]
    assert (await table.line.pay_in(table.session, fresh("b"))).outcome == (200, 1)
    table.casino.says["payments/make"] = exists(Amount="10.01")  # type: ignore[assignment]
    odd = fresh("b")
    assert (await table.line.pay_in(table.session, odd)).outcome == (504, 99)
    row = await table.row(odd)
    assert row is not None
    assert await stage.payments(row["bet_id"]) == {"stake": "parked"}
    assert "parked" in await stage.incidents(row["bet_id"])
    assert (await table.line.pay_in(table.session, odd)).outcome == (504, 99)
    assert (await table.line.refund(table.session, odd)).outcome == (200, 1)
    assert (await table.line.pay_in(table.session, odd)).outcome == (409, 7)


async def test_an_accept_may_come_before_the_answer(seat: Seat) -> None:
    await seat.behave("early")
    assert (await seat.call("pay-in", fresh("b"), amount="10.00")).outcome == (200, 1)
    await seat.behave("twice")
    assert (await seat.call("pay-in", fresh("b"), amount="10.00")).outcome == (200, 1)
    assert (await seat.wallet())["change"] == "-20"


async def test_many_bets_at_once_over_all_workers_are_all_taken_once(stage: Stage, seat: Seat) -> None:
    await stage.casino("balance", {"player": seat.player, "balance": "5000.00"})
    bets = [fresh("b") for _ in range(40)]
    told = await asyncio.gather(*(seat.call("pay-in", bet, amount="1.25") for bet in bets))
    assert {t.outcome for t in told} == {(200, 1)}
    wallet = await seat.wallet()
    assert wallet["balance"] == "4950"
    assert len(wallet["bookings"]) == 40


async def test_a_body_signed_before_a_proxy_wrote_it_anew_is_the_same_bet(table: Table) -> None:
    document = {"betId": fresh("b"), "gameRoundId": "r-1", "betAmount": "10.00"}
    spread = b'{ "gameRoundId" : "r-1",\n "betAmount":"10.00", "betId":"' + document["betId"].encode() + b'" }'
    headers = table.line.signed(compact(document))
    told = await table.line.send("POST", f"/v1/sessions/{table.session}/bets/pay-in", spread, headers=headers)
    assert told.outcome == (200, 1)


async def _expire(table: Table) -> None:
    await table.stage.desk.store.db.execute(
        "update sessions set expires_ms = opened_ms where session_id = $1", table.session
    )
