"""`GET /v1/sessions/{sessionId}/balance`: the casino is asked anew, and its word is told in the currency's decimals."""

import asyncio

import pytest
from aiohttp import web

from tests.journeys.peers import Casino, Heard, Script, acknowledge, in_turn, say
from tests.journeys.stage import HOLD_S, Seat, Stage, Table, fresh


async def test_every_call_asks_the_casino_anew(stage: Stage, seat: Seat) -> None:
    for held in ("1000.00", "3.07", "0.00"):
        await stage.casino("balance", {"player": seat.player, "balance": held})
        told = await seat.call("balance")
        assert told.outcome == (200, 1)
        assert (told.said["balance"], told.said["currency"]) == (held, "EUR")
    assert len(await seat.heard("users/data")) == 3


@pytest.mark.parametrize(
    ("currency", "held", "told"),
    [
        ("EUR", "7100.5", b"7100.50"),
        ("JPY", 500, b"500"),
        ("KWD", "1.5", b"1.500"),
        ("mBTC", "0.00001", b"0.00001"),
        ("EUR", "999999999999999.99", b"999999999999999.99"),
    ],
)
async def test_a_balance_is_a_json_number_with_the_currencys_decimals(
    stage: Stage, currency: str, held: object, told: bytes
) -> None:
    casino = await stage.new_casino(currencies=(currency,))
    table = await stage.table(casino, currency=currency)
    casino.says["users/data"] = say(200, {"Balance": held})
    answer = await table.line.balance(table.session)
    assert answer.raw == b'{"_responseCode":1,"balance":' + told + b',"currency":"' + currency.encode() + b'"}'


@pytest.mark.slow
async def test_a_casino_that_does_not_say_makes_it_99_within_the_hold_time(table: Table) -> None:
    async def hang(_casino: Casino, _heard: Heard) -> object:
        await asyncio.sleep(HOLD_S * 2)
        return web.Response()

    wrong = [
        say(500, status=500), say(102145), say(31337), say("200", {"Balance": "1.00"}), hang,
    ]  # fmt: skip
    table.casino.says["users/data"] = in_turn(*wrong)
    told = [await table.line.balance(table.session) for _ in wrong]
    assert [t.outcome for t in told] == [(504, 99)] * len(wrong)


def as_written(body: bytes) -> Script:
    """These very bytes."""

    async def script(_casino: Casino, _heard: Heard) -> object:
        return web.Response(body=body, content_type="application/json")

    return script


async def test_a_balance_that_is_no_amount_of_the_currency_keeps_no_game_shut(table: Table) -> None:
    """It informs: finer is rounded down, below nothing is nothing, and what cannot be read is left out."""
    left_out = b'{"_responseCode":1,"currency":"EUR"}'
    odd: dict[str, bytes] = {
        '"1.005"': b'{"_responseCode":1,"balance":1.00,"currency":"EUR"}',
        "7.509999999999998": b'{"_responseCode":1,"balance":7.50,"currency":"EUR"}',
        '"-5"': b'{"_responseCode":1,"balance":0.00,"currency":"EUR"}',
        "-0.01": b'{"_responseCode":1,"balance":0.00,"currency":"EUR"}',
        '"1,234.50"': left_out,
        '"1e-7"': left_out,
        "null": left_out,
        "true": left_out,
        "[]": left_out,
    }
    for balance, told in odd.items():
        body = b'{"ErrorCode":200,"Message":"","Value":{"Balance":' + balance.encode() + b"}}"
        table.casino.says["users/data"] = as_written(body)
        assert (balance, (await table.line.balance(table.session)).raw) == (balance, told)
    for value in (None, [], [1], "5.00"):
        table.casino.says["users/data"] = say(200, value)
        assert (value, (await table.line.balance(table.session)).raw) == (value, left_out)


async def test_sessions_that_are_not_there_or_over_are_not_found(stage: Stage, table: Table) -> None:
    assert (await table.line.balance("0" * 32)).outcome == (404, 2)
    await stage.desk.store.db.execute("update sessions set expires_ms = opened_ms where session_id = $1", table.session)
    assert (await table.line.balance(table.session)).outcome == (404, 2)
    assert table.casino.calls("users/data") == []


async def test_what_the_casino_says_while_a_stake_is_undecided_is_told_as_it_came(table: Table) -> None:
    assert (await table.line.balance(table.session)).raw.count(b"500.00") == 1
    table.casino.says["payments/make"] = acknowledge
    stake = asyncio.create_task(table.line.pay_in(table.session, fresh("b")))
    made = await table.make(-1)
    table.casino.says["users/data"] = say(200, {"Balance": "490.00"})
    told = await table.line.balance(table.session)
    await table.casino.line.accept(made)
    await stake
    assert b'"balance":490.00' in told.raw


async def test_accepted_payments_move_what_the_casino_last_said(table: Table) -> None:
    assert b'"balance":500.00' in (await table.line.balance(table.session)).raw
    bet = fresh("b")
    assert b'"balance":490.00' in (await table.line.pay_in(table.session, bet)).raw
    row = await table.row(bet)
    assert row is not None
    await table.line.pay_out(table.session, bet, "25.00")
    await table.stage.paid(row["bet_id"], "payout")
    assert b'"balance":513.00' in (await table.line.pay_in(table.session, fresh("b"), "2.00")).raw


async def test_a_balance_in_an_inline_outcome_is_the_casinos_last_word(table: Table) -> None:
    assert b'"balance":500.00' in (await table.line.balance(table.session)).raw

    async def book(_casino: Casino, heard: Heard) -> object:
        value = {**heard.data, "PartnerTransactionId": "t-1", "Balance": "123.45"}
        return {"ErrorCode": 200, "Message": "Success", "Value": value}

    table.casino.says["payments/make"] = book
    assert b'"balance":123.45' in (await table.line.pay_in(table.session, fresh("b"))).raw


async def test_a_balance_in_an_accept_is_the_casinos_last_word(table: Table) -> None:
    assert b'"balance":500.00' in (await table.line.balance(table.session)).raw
    table.casino.says["payments/make"] = acknowledge
    stake = asyncio.create_task(table.line.pay_in(table.session, fresh("b")))
    made = await table.make(-1)
    assert (await table.casino.line.accept(made, Balance="77.70")).code == 200
    assert b'"balance":77.70' in (await stake).raw
