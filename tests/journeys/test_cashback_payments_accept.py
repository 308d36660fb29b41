"""`POST /mis-api/api/v2/cashback-payments/accept`: the outcome of a cashback make."""

from typing import Any

import pytest

from tests.journeys.peers import Casino, acknowledge, book_inline, in_turn
from tests.journeys.stage import Stage, fresh
from tests.journeys.test_cashback_make import MAKE, cashback, heard, state

YES = b'{"ErrorCode":200,"Message":"Success"}'
NO = b'{"ErrorCode":102823,"Message":"Error accepting transaction"}'
UNREADABLE = b'{"ErrorCode":103752,"Message":"Incorrect request parameters"}'


async def under_way(stage: Stage, **profile: Any) -> tuple[Casino, dict[str, Any]]:
    """A cashback that the casino has acknowledged, and its make."""
    casino = await stage.new_casino(**profile)
    casino.says[MAKE] = acknowledge
    await cashback(stage, casino.line.client_id, fresh("player"))
    return casino, (await heard(stage, casino, 1))[0]


async def test_a_success_pays_it_once(stage: Stage) -> None:
    casino, made = await under_way(stage)
    told = [await casino.line.accept(made), await casino.line.accept(made), await casino.line.accept(made, 103804)]
    assert [(t.status, t.raw) for t in told] == [(200, YES)] * 3
    await state(stage, made["CashbackId"], "paid")
    assert await stage.ledger(made["CashbackId"]) == {"cashback": -300, "wallets": 300}


async def test_a_refusal_is_not_yet(stage: Stage) -> None:
    casino, made = await under_way(stage)
    casino.says[MAKE] = book_inline
    told = await casino.line.accept(made, 103779, PartnerUserId=None, Amount=None, PartnerTransactionId=None)
    assert told.raw == YES
    await state(stage, made["CashbackId"], "paid")
    assert len(casino.calls(MAKE)) == 2


async def test_what_differs_or_contradicts_is_a_conflict(stage: Stage) -> None:
    casino, made = await under_way(stage)
    casino.says[MAKE] = in_turn(acknowledge)
    assert (await casino.line.accept(made, Amount="3.01")).raw == NO
    assert (await casino.line.accept(made, PartnerUserId="somebody")).raw == NO
    assert "paid" not in await stage.payments(made["CashbackId"])
    assert (await casino.line.accept(made)).raw == YES
    assert (await casino.line.accept(made, PartnerTransactionId="another")).raw == NO
    assert (await casino.line.accept(made, 102823)).raw == NO
    assert "contradiction" in await stage.incidents(made["CashbackId"])
    assert await stage.ledger(made["CashbackId"]) == {"cashback": -300, "wallets": 300}


async def test_unknown_ones_and_another_casinos_are_answered_alike(stage: Stage) -> None:
    casino, made = await under_way(stage)
    other = await stage.new_casino()
    told = [
        await other.line.accept(made),
        await casino.line.accept(made, CashbackId=7),
        await casino.line.accept(made, TransactionType=-1),
    ]
    assert [(t.status, t.raw) for t in told] == [(200, NO)] * 3
    assert (await casino.line.accept(made)).raw == YES


@pytest.mark.parametrize(
    "change",
    [{"CashbackId": None}, {"CashbackId": "7"}, {"TransactionType": 2}, {"TransactionType": None}, {"Amount": "-3"},
     {"Amount": None}, {"PartnerUserId": None}, {"PartnerTransactionId": None}, {"TaxAmount": "x"}],
    ids=str,
)  # fmt: skip
async def test_a_success_that_lacks_or_garbles_a_field_cannot_be_read(stage: Stage, change: dict[str, Any]) -> None:
    casino = await stage.new_casino()
    made = {"CashbackId": 2**52, "PartnerUserId": "anna", "TransactionType": 1, "Amount": "3.00"}
    told = await casino.line.call("cashback-payments/accept", _outcome(made, change))
    assert (told.status, told.raw) == (400, UNREADABLE)


async def test_a_bet_is_no_cashback_and_a_bearer_is_needed(stage: Stage) -> None:
    casino, made = await under_way(stage)
    as_bet = {
        "BetId": made["CashbackId"],
        "PartnerUserId": made["PartnerUserId"],
        "TransactionType": 1,
        "Amount": "3.00",
    }
    assert (await casino.line.accept(as_bet)).raw == NO
    told = await casino.line.call("cashback-payments/accept", _outcome(made, {}), bearer=None)
    assert told.outcome == (401, 103752)
    assert (await casino.line.accept(made)).raw == YES


def _outcome(made: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    value = {**made, "PartnerTransactionId": "t-1", **change}
    return {"ErrorCode": 200, "Message": "Success", "Value": {k: v for k, v in value.items() if v is not None}}
