"""`POST {casino}/payments/make-list`: several payments in one call, each of them its own payment all the same."""

import asyncio
from typing import Any

import pytest

from tests.journeys.by_hand import Told
from tests.journeys.peers import Casino, Heard, Script, say
from tests.journeys.stage import Stage, Table, fresh


async def long_table(stage: Stage, **casino: Any) -> Table:
    """A table with a long hold: many calls follow one after the other, and how fast is not the question here."""
    return await stage.table(await stage.new_casino(**casino), await stage.new_studio(hold_s=20.0))


async def rush(table: Table, count: int = 24) -> list[Told]:
    """So many stakes at once, again if none of them met another on the way."""
    for _ in range(8):
        told = await asyncio.gather(*(table.line.pay_in(table.session, fresh("b"), "1.00") for _ in range(count)))
        if table.casino.calls("payments/make-list") or {t.outcome for t in told} != {(200, 1)}:
            return list(told)
    raise AssertionError("no two stakes were ever committed together")


async def test_stakes_that_were_committed_together_leave_in_one_list(stage: Stage) -> None:
    table = await long_table(stage)
    assert {t.outcome for t in await rush(table)} == {(200, 1)}
    lists = table.casino.calls("payments/make-list")
    assert all(2 <= len(made) <= 100 for made in lists)
    fields = {"BetId", "PartnerUserId", "TransactionType", "Amount"}
    assert all(set(element) == fields for made in lists for element in made)
    ids = [made["BetId"] for made in table.casino.made(-1)]
    assert len(ids) == len(set(ids)), "nothing was sent twice"
    told = [h for h in table.casino.heard if h.path == "payments/make-list"]
    assert all(len({made["BetId"] for made in h.data}) == len(h.data) for h in told)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "answer",
    [say(500), say(102823), say(103802), say(31337), say(103804), say(200, status=404), say(200, status=405),
     say(500, status=501), say(500, status=500), say(200, [], status=500)],
)  # fmt: skip
async def test_an_error_answer_to_a_list_says_nothing_and_each_goes_alone(stage: Stage, answer: Script) -> None:
    table = await long_table(stage)
    table.casino.says["payments/make-list"] = answer
    assert {t.outcome for t in await rush(table)} == {(200, 1)}
    in_lists = {made["BetId"] for heard in table.casino.calls("payments/make-list") for made in heard}
    alone = {made["BetId"] for made in table.casino.calls("payments/make")}
    assert in_lists <= alone


@pytest.mark.slow
async def test_a_value_in_the_answer_to_a_list_is_nobodys_outcome(stage: Stage, table: Table) -> None:
    async def one_for_all(_casino: Casino, heard: Heard) -> object:
        return {"ErrorCode": 200, "Message": "", "Value": {**heard.data[0], "PartnerTransactionId": "one"}}

    table.casino.says["payments/make-list"] = one_for_all
    asked = asyncio.create_task(rush(table))
    await stage.until(lambda: bool(table.casino.calls("payments/make-list")))
    codes = {t.outcome for t in await asked}
    assert (504, 99) in codes, "the elements were acknowledged, and no outcome ever came"
    for made in table.casino.calls("payments/make-list"):
        for element in made:
            await table.casino.line.accept(element, 103805)


async def test_outcomes_may_come_in_another_order_and_with_gaps(stage: Stage) -> None:
    table = await long_table(stage)

    async def every_second_backwards(casino: Casino, heard: Heard) -> object:
        for made in reversed(heard.data[::2]):
            casino.later(made)
        for made in heard.data[1::2]:
            await casino.line.accept(made, 103802)
        return {"ErrorCode": 200, "Message": "Success"}

    table.casino.says["payments/make-list"] = every_second_backwards
    codes = [t.outcome for t in await rush(table)]
    refused = sum(len(made) // 2 for made in table.casino.calls("payments/make-list"))
    assert codes.count((402, 3)) == refused > 0
    assert codes.count((200, 1)) == len(codes) - refused


async def test_a_casino_may_have_no_lists(stage: Stage) -> None:
    table = await long_table(stage, batch=1)
    told = await asyncio.gather(*(table.line.pay_in(table.session, fresh("b"), "1.00") for _ in range(24)))
    assert {t.outcome for t in told} == {(200, 1)}
    assert table.casino.calls("payments/make-list") == []
