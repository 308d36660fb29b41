"""`POST {casino}/payments/make`: what the hub asks a casino to book, in which envelope, and how often."""

import asyncio
import json
from decimal import Decimal

import pytest

from croupier.flows.launch import LaunchRequest, launch
from tests.journeys.peers import GAME, acknowledge, book_inline, in_turn, say
from tests.journeys.stage import HOLD_S, Stage, Table, fresh


async def test_the_data_are_exactly_the_documented_fields_as_strings_and_numbers(table: Table) -> None:
    bet = fresh("b")
    assert (await table.line.pay_in(table.session, bet, "12.5")).code == 1
    (heard,) = (h for h in table.casino.heard if h.path == "payments/make")
    row = await table.row(bet)
    assert row is not None
    assert json.loads(heard.text) == {
        "BetId": row["bet_id"], "PartnerUserId": table.player, "TransactionType": -1, "Amount": "12.50",
    }  # fmt: skip
    assert 10**12 < row["bet_id"] < 2**53
    assert heard.claims["client_id"] == f"PartnerClient-{table.casino.line.client_id}"
    assert heard.claims["exp"] == heard.claims["nbf"] + 10
    assert heard.header["alg"] == "RS256"


@pytest.mark.slow
async def test_tax_is_told_only_where_the_casino_has_a_rate_and_half_a_cent_goes_to_the_even(stage: Stage) -> None:
    table = await stage.table(await stage.new_casino(tax_bp=1050))
    wins = {"10.00": "1.05", "0.10": "0.01", "1.00": "0.10", "3.00": "0.32", "0": "0.00"}
    for count, (win, tax) in enumerate(wins.items(), 1):
        bet = fresh("b")
        await table.line.pay_in(table.session, bet)
        await table.line.pay_out(table.session, bet, win)
        made = await table.make(1, count=count)
        assert (made["TaxAmount"], Decimal(made["Amount"])) == (tax, Decimal(win))
        row = await table.row(bet)
        assert row is not None
        await stage.paid(row["bet_id"], "payout")
    assert all("TaxAmount" not in stake for stake in table.casino.made(-1))
    assert await stage.ledger(row["bet_id"]) == {"wallets": -1000, "ggr": 1000}


async def test_the_tag_of_the_session_travels_with_every_payment(stage: Stage, table: Table) -> None:
    casino = await stage.desk.store.casinos.get(table.casino.line.client_id)
    game = await stage.desk.store.games.find(f"{table.line.provider_id}/{GAME}")
    assert casino is not None
    assert game is not None
    tagged = await launch(stage.desk, casino, LaunchRequest(table.player, "EUR", game.game_id, tag_id=4711))
    bet = fresh("b")
    await table.line.pay_in(tagged.session_id, bet)
    await table.line.pay_out(table.session, bet)
    await table.make(1)
    assert [made["TagId"] for made in table.casino.made()] == [4711, 4711]


@pytest.mark.slow
async def test_a_stake_is_sent_again_only_while_nothing_was_acknowledged(table: Table) -> None:
    table.casino.says["payments/make"] = in_turn(say(500), acknowledge)
    bet = fresh("b")
    assert (await table.line.pay_in(table.session, bet)).outcome == (504, 99)
    await asyncio.sleep(0.5)
    assert len(table.casino.made(-1)) == 2
    await table.casino.line.accept(table.casino.made(-1)[0], 102823)
    row = await table.row(bet)
    assert row is not None
    assert row["state"] == "asked", "the first try went unanswered: a refusal after it proves nothing"


@pytest.mark.slow
async def test_a_stake_is_never_sent_after_its_hold_time(table: Table) -> None:
    table.casino.says["payments/make"] = say(500)
    bet = fresh("b")
    begun = asyncio.get_running_loop().time()
    assert (await table.line.pay_in(table.session, bet)).outcome == (504, 99)
    sent = len(table.casino.made(-1))
    await asyncio.sleep(max(0.0, begun + HOLD_S + 0.7 - asyncio.get_running_loop().time()))
    assert 1 < len(table.casino.made(-1)) == sent
    assert len({h.text for h in table.casino.heard if h.path == "payments/make"}) == 1
    row = await table.row(bet)
    assert row is not None
    await table.casino.line.accept(table.casino.made(-1)[0], 103805)


@pytest.mark.slow
async def test_what_is_owed_is_sent_again_when_its_accept_does_not_come(stage: Stage, table: Table) -> None:
    bet = fresh("b")
    await table.line.pay_in(table.session, bet)
    table.casino.says["payments/make"] = in_turn(acknowledge, acknowledge, book_inline)
    await table.line.pay_out(table.session, bet)
    row = await table.state(bet, "settled")
    await stage.paid(row["bet_id"], "payout")
    assert len(table.casino.made(1)) == 3


async def test_an_inline_outcome_that_contradicts_the_make_is_not_believed(stage: Stage, table: Table) -> None:
    async def other(_casino: object, heard: object) -> object:
        told = await book_inline(_casino, heard)  # type: ignore[arg-type]
        return {**told, "Value": {**told["Value"], "Amount": "9.99"}}

    table.casino.says["payments/make"] = in_turn(other, book_inline)
    bet = fresh("b")
    assert (await table.line.pay_in(table.session, bet)).outcome == (200, 1), "the make was sent again"
    row = await table.row(bet)
    assert row is not None
    assert "contradiction" in await stage.incidents(row["bet_id"])
    assert len(table.casino.made(-1)) == 2


async def test_a_bare_103804_lets_info_decide(stage: Stage, table: Table) -> None:
    async def listed(_casino: object, heard: object) -> object:
        (made,) = table.casino.made(-1)
        line = {**made, "DateTime": 1_760_000_000, "PartnerTransactionId": "t-9"}
        return {"ErrorCode": 200, "Message": "", "Value": [line]}

    table.casino.says["payments/make"] = say(103804)
    table.casino.says["payments/info"] = listed
    assert (await table.line.pay_in(table.session, fresh("b"))).outcome == (200, 1)
    assert len(table.casino.made(-1)) == 1
