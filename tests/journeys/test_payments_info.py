"""`POST {casino}/payments/info`: what becomes of a stake whose outcome nobody told."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from croupier.core.counterparty import LateAccept
from tests.journeys.peers import Casino, Heard, Script, acknowledge, in_turn, say
from tests.journeys.stage import Stage, Table, fresh


def listing(change: Callable[[dict[str, Any]], dict[str, Any]] = lambda line: line) -> Script:
    """Info that knows of the stake, with one thing changed."""

    async def script(casino: Casino, heard: Heard) -> object:
        made = casino.made(-1, bet=heard.data["BetId"])[0]
        line = {"DateTime": "2026-03-01T12:00:00Z", **made, "PartnerTransactionId": f"tx-{made['BetId']}--1"}
        return {"ErrorCode": 200, "Message": "Success", "Value": [change(line)]}

    return script


async def mute_about_stakes(casino: Casino, heard: Heard) -> object:
    """A stake is acknowledged and nothing more; a return is followed by its accept."""
    if heard.data["TransactionType"] != -1:
        casino.later(heard.data)
    return {"ErrorCode": 200, "Message": "Success"}


async def silent(stage: Stage, info: Script, **profile: Any) -> tuple[Table, str]:
    """A stake that was acknowledged and never heard of again, at a casino whose info answers so."""
    table = await stage.table(await stage.new_casino(**profile))
    table.casino.says["payments/make"] = mute_about_stakes
    table.casino.says["payments/info"] = info
    bet = fresh("b")
    assert (await table.line.pay_in(table.session, bet)).outcome == (504, 99)
    return table, bet


@pytest.mark.slow
async def test_the_question_names_the_bet_and_comes_by_the_schedule(stage: Stage) -> None:
    table, bet = await silent(stage, listing())
    assert table.casino.calls("payments/info") == []
    row = await table.state(bet, "unclaimed")
    assert table.casino.calls("payments/info") == [{"BetId": row["bet_id"]}]
    assert (await table.line.pay_in(table.session, bet)).outcome == (200, 1), (
        "there means taken, and a repeat claims it"
    )


@pytest.mark.slow
async def test_what_is_there_is_taken_and_given_back_if_nobody_claims_it(stage: Stage) -> None:
    table, bet = await silent(stage, listing(lambda line: {**line, "Amount": 10, "DateTime": 1_760_000_000}))
    row = await table.state(bet, "returned", within_s=10)
    await stage.paid(row["bet_id"], "bet_return")
    assert await stage.ledger(row["bet_id"]) == {}


@pytest.mark.slow
async def test_unusable_answers_end_in_a_return_that_is_pursued(stage: Stage) -> None:
    """Error codes, rubbish, another bet's line, one unreadable line: none of them is a yes or a no."""
    unusable = [
        say(500), say(102823), say(200, {}), say(200, status=500),
        listing(lambda line: {**line, "BetId": line["BetId"] + 1}),
        listing(lambda line: {**line, "TransactionType": 7}),
        listing(lambda line: {**line, "Amount": None}),
    ]  # fmt: skip

    async def one(info: Script) -> list[int]:
        table, bet = await silent(stage, info)
        row = await table.state(bet, "expired", within_s=10)
        assert (await table.line.pay_in(table.session, bet)).outcome == (409, 7)
        await stage.until(lambda: bool(table.casino.made(2)))
        row = await table.row(bet) or {}
        await stage.paid(row["bet_id"], "bet_return")
        assert (await stage.payments(row["bet_id"]))["stake"] == "expired"
        return [made["TransactionType"] for made in table.casino.made()]

    assert await asyncio.gather(*map(one, unusable)) == [[-1, 2]] * len(unusable)


@pytest.mark.slow
async def test_not_there_for_long_enough_is_expired_and_a_late_accept_is_returned(stage: Stage) -> None:
    """Nothing is sent for a stake that the casino never had; if it turns up later, it goes back once."""

    async def never(info: Script) -> None:
        table, bet = await silent(stage, info)
        row = await table.state(bet, "expired", within_s=20)
        assert [m["TransactionType"] for m in table.casino.made()] == [-1]
        assert (await table.line.pay_in(table.session, bet)).outcome == (409, 7)
        assert (await table.line.pay_out(table.session, bet)).outcome == (409, 7)
        made = table.casino.made(-1)[0]
        assert (await table.casino.line.accept(made)).outcome == (200, 200)
        await stage.paid(row["bet_id"], "bet_return")
        assert (await table.row(bet) or {})["state"] == "returned"
        assert (await table.casino.line.accept(made)).outcome == (200, 200)
        assert [m["TransactionType"] for m in table.casino.made()] == [-1, 2]
        assert await stage.ledger(row["bet_id"]) == {}

    async def found_by_a_late_question() -> None:
        table, bet = await silent(stage, say(200, []))
        row = await table.state(bet, "expired", within_s=20)
        table.casino.says["payments/info"] = listing()
        await stage.paid(row["bet_id"], "bet_return", within_s=10)
        assert (await table.row(bet) or {})["state"] == "returned"
        assert await stage.ledger(row["bet_id"]) == {}

    async def refuses_late_ones() -> None:
        table, bet = await silent(stage, say(103805), late_accept=LateAccept.REFUSE)
        row = await table.state(bet, "expired", within_s=20)
        assert (await table.casino.line.accept(table.casino.made(-1)[0])).outcome == (200, 102823)
        assert (await stage.payments(row["bet_id"])) == {"stake": "expired"}

    await asyncio.gather(never(say(200, [])), never(say(103805)), found_by_a_late_question(), refuses_late_ones())


@pytest.mark.slow
async def test_an_accept_between_the_questions_ends_them(stage: Stage) -> None:
    table, bet = await silent(stage, in_turn(say(200, [])))
    await table.call("payments/info")
    await table.casino.line.accept(table.casino.made(-1)[0], 103802)
    await table.state(bet, "refused")
    asked = len(table.casino.calls("payments/info"))
    await asyncio.sleep(1.3)
    assert len(table.casino.calls("payments/info")) == asked


async def test_an_acknowledged_stake_is_not_asked_after_while_its_accept_may_come(table: Table) -> None:
    table.casino.says["payments/make"] = acknowledge
    bet = fresh("b")
    asked = asyncio.create_task(table.line.pay_in(table.session, bet))
    await table.casino.line.accept(await table.make(-1))
    assert (await asked).code == 1
    assert table.casino.calls("payments/info") == []
