"""`POST /mis-api/api/v2/payments/accept`: the outcome of a make, once, however often it is told."""

import asyncio
from typing import Any

import pytest

from croupier.core.counterparty import LateAccept
from tests.journeys.by_hand import Told, outcome_of
from tests.journeys.peers import acknowledge, book_inline, in_turn
from tests.journeys.stage import Stage, Table, fresh

YES = b'{"ErrorCode":200,"Message":"Success"}'
NO = b'{"ErrorCode":102823,"Message":"Error accepting transaction"}'
UNREADABLE = b'{"ErrorCode":103752,"Message":"Incorrect request parameters"}'


async def in_flight(table: Table) -> tuple[asyncio.Task[Told], dict[str, Any], str]:
    """A pay-in that waits, its make, its betId."""
    table.casino.says["payments/make"] = acknowledge
    bet = fresh("b")
    asked = asyncio.create_task(table.line.pay_in(table.session, bet))
    return asked, await table.make(-1, count=len(table.casino.made(-1)) + 1), bet


async def taken(table: Table) -> tuple[dict[str, Any], str]:
    """A bet that is on, and the make of its stake."""
    asked, made, bet = await in_flight(table)
    await table.casino.line.accept(made)
    assert (await asked).code == 1
    return made, bet


async def test_the_answer_is_exactly_the_documented_one(table: Table) -> None:
    asked, made, _ = await in_flight(table)
    told = await table.casino.line.accept(made)
    assert (told.status, told.raw) == (200, YES)
    assert (await asked).outcome == (200, 1)


async def test_the_same_outcome_again_is_200_and_changes_nothing(stage: Stage, table: Table) -> None:
    made, bet = await taken(table)
    before = await table.row(bet)
    again = [
        await table.casino.line.accept(made),
        await table.casino.line.accept(made, Amount=10, TaxAmount="0"),
        await table.casino.line.accept(made, 103804),
        await table.casino.line.call("payments/accept", {"ErrorCode": 103804, "Message": "", "Value": _key(made)}),
    ]
    assert [t.raw for t in again] == [YES] * 4
    assert await table.row(bet) == before
    assert await stage.ledger(made["BetId"]) == {"wallets": -1000, "open-bets": 1000}
    assert await stage.incidents(made["BetId"]) == set()


async def test_ten_of_the_same_at_once_book_once(stage: Stage, table: Table) -> None:
    asked, made, _ = await in_flight(table)
    told = await asyncio.gather(*(table.casino.line.accept(made) for _ in range(10)))
    assert {t.raw for t in told} == {YES}
    assert (await asked).code == 1
    assert await stage.ledger(made["BetId"]) == {"wallets": -1000, "open-bets": 1000}


async def test_a_refusal_needs_only_its_key_and_is_the_casinos_last_word(table: Table) -> None:
    asked, made, bet = await in_flight(table)
    told = await table.casino.line.call("payments/accept", {"ErrorCode": 4711, "Message": "", "Value": _key(made)})
    assert told.raw == YES
    assert (await asked).outcome == (403, 4)
    again = await table.casino.line.call("payments/accept", {"ErrorCode": 4711, "Message": "", "Value": _key(made)})
    assert again.raw == YES
    assert (await table.row(bet) or {})["state"] == "refused"


@pytest.mark.parametrize("change", [{"Amount": "10.01"}, {"PartnerUserId": "somebody"}, {"TaxAmount": "0.01"}])
async def test_a_success_that_differs_from_the_make_is_a_conflict(
    stage: Stage, table: Table, change: dict[str, str]
) -> None:
    asked, made, bet = await in_flight(table)
    before = await stage.payments(made["BetId"])
    told = await table.casino.line.accept(made, **change)
    assert (told.status, told.raw) == (200, NO)
    field = {"Amount": f"amount ({change.get('Amount')}, not 10.00)", "PartnerUserId": "player", "TaxAmount": "tax"}[
        next(iter(change))
    ]
    assert told.headers["x-problem"] == f"final, do not send it again: stake: accepted with another {field}"
    assert await stage.payments(made["BetId"]) == before
    assert await stage.ledger(made["BetId"]) == {}
    assert "contradiction" in await stage.incidents(made["BetId"])
    assert (await table.casino.line.accept(made)).raw == YES, "the truth may still come"
    assert (await asked).code == 1
    assert (await table.row(bet) or {})["state"] == "on"


@pytest.mark.parametrize("what", ["second transaction", "refusal", "exists otherwise"])
async def test_a_contradiction_after_a_success_changes_no_money(stage: Stage, table: Table, what: str) -> None:
    made, bet = await taken(table)
    before = await table.row(bet)
    line = table.casino.line
    if what == "second transaction":
        told = await line.accept(made, PartnerTransactionId="another")
    elif what == "refusal":
        told = await line.accept(made, 102823)
    else:
        told = await line.accept(made, 103804, Amount="11.00")
    assert (told.status, told.raw) == (200, NO)
    row = await table.row(bet)
    assert row is not None
    assert before is not None
    assert (row["state"], row["pay_in_answer"]) == (before["state"], before["pay_in_answer"])
    assert await stage.payments(made["BetId"]) == {"stake": "accepted"}
    assert await stage.ledger(made["BetId"]) == {"wallets": -1000, "open-bets": 1000}
    assert "contradiction" in await stage.incidents(made["BetId"])


async def test_an_unknown_payment_and_one_that_was_never_made_are_answered_alike(table: Table) -> None:
    made, _ = await taken(table)
    unknown = await table.casino.line.accept(made, BetId=7)
    not_yet = await table.casino.line.accept(made, TransactionType=1)
    assert {(t.status, t.raw) for t in (unknown, not_yet)} == {(200, NO)}
    why = {t.headers["x-problem"] for t in (unknown, not_yet)}
    assert why == {"final, do not send it again: there is no such payment of yours"}


async def test_a_success_after_a_refusal_is_late_and_goes_back(stage: Stage, table: Table) -> None:
    asked, made, bet = await in_flight(table)
    await table.casino.line.accept(made, 103802)
    assert (await asked).outcome == (402, 3)
    table.casino.says["payments/make"] = book_inline
    assert (await table.casino.line.accept(made)).raw == YES
    await table.make(2)
    await stage.paid(made["BetId"], "bet_return")
    assert await stage.ledger(made["BetId"]) == {}
    assert (await table.casino.line.accept(made)).raw == YES
    assert len(table.casino.made(2)) == 1
    assert (await table.line.pay_in(table.session, bet)).outcome == (409, 7)


async def test_a_casino_may_want_late_successes_refused_but_never_once_a_return_is_wanted(stage: Stage) -> None:
    table = await stage.table(await stage.new_casino(late_accept=LateAccept.REFUSE))
    asked, made, bet = await in_flight(table)
    await table.casino.line.accept(made, 103802)
    await asked
    assert (await table.casino.line.accept(made)).raw == NO
    await asyncio.sleep(0.2)
    assert table.casino.made(2) == []
    assert await stage.ledger(made["BetId"]) == {}
    assert (await table.line.refund(table.session, bet)).code == 1
    assert (await table.casino.line.accept(made)).raw == NO, "a repeat gets the first answer"
    assert table.casino.made(2) == [], "never both: the casino was told to undo it"


async def test_such_a_casino_is_told_yes_where_a_return_is_wanted(stage: Stage) -> None:
    table = await stage.table(await stage.new_casino(late_accept=LateAccept.REFUSE))
    asked, made, bet = await in_flight(table)
    await table.casino.line.accept(made, 103802)
    await asked
    assert (await table.line.refund(table.session, bet)).code == 1
    table.casino.says["payments/make"] = book_inline
    assert (await table.casino.line.accept(made)).raw == YES
    await table.make(2)
    await stage.paid(made["BetId"], "bet_return")
    assert await stage.ledger(made["BetId"]) == {}


async def test_a_refusal_of_what_is_owed_is_not_yet(stage: Stage, table: Table) -> None:
    _, bet = await taken(table)
    table.casino.says["payments/make"] = in_turn(acknowledge, book_inline)
    await table.line.pay_out(table.session, bet)
    made = await table.make(1)
    assert (await table.casino.line.accept(made, 103779)).raw == YES
    await stage.paid(made["BetId"], "payout")
    assert len(table.casino.made(1)) == 2


async def test_a_casino_that_withholds_tax_must_say_so(stage: Stage) -> None:
    table = await stage.table(await stage.new_casino(tax_bp=1000))
    _, bet = await taken(table)
    await table.line.pay_out(table.session, bet)
    made = await table.make(1)
    assert made["TaxAmount"] == "2.50"
    assert (await table.casino.line.accept(made, TaxAmount=None)).raw == NO
    assert (await table.casino.line.accept(made, TaxAmount=2.5)).raw == YES


@pytest.mark.parametrize(
    "change",
    [
        {"BetId": None}, {"BetId": "7"}, {"BetId": 1.5}, {"BetId": -1}, {"BetId": 2**53}, {"BetId": [1]},
        {"TransactionType": None}, {"TransactionType": 3}, {"TransactionType": 0}, {"TransactionType": "-1"},
        {"PartnerUserId": None}, {"PartnerUserId": 5.5}, {"PartnerUserId": "x" * 129},
        {"PartnerTransactionId": None}, {"PartnerTransactionId": ""}, {"PartnerTransactionId": "x" * 129},
        {"Amount": None}, {"Amount": "-10.00"}, {"Amount": "1e1"}, {"Amount": "10,00"}, {"Amount": " 10"},
        {"Amount": "NaN"}, {"Amount": -10}, {"Amount": "1" * 16}, {"Amount": "1.123456789"}, {"Amount": ""},
        {"TaxAmount": "-1"}, {"TaxAmount": "x"},
    ],
    ids=str,
)  # fmt: skip
async def test_a_success_that_lacks_or_garbles_a_field_cannot_be_read(stage: Stage, change: dict[str, Any]) -> None:
    """Nothing is stored, and the header beside the fixed text names the field."""
    made = {"BetId": 2**52, "PartnerUserId": "anna", "TransactionType": -1, "Amount": "10.00"}
    casino = await _one_casino(stage)
    told = await casino.line.accept(made, **change)
    assert (told.status, told.raw) == (400, UNREADABLE)
    assert next(iter(change)) in told.headers["x-problem"]


@pytest.mark.parametrize(
    "envelope",
    [
        {}, {"ErrorCode": 200, "Message": "Success"}, {"ErrorCode": "200", "Message": "Success", "Value": {}},
        {"ErrorCode": 200, "Message": "Success", "Value": []}, {"ErrorCode": 200, "Message": 5, "Value": {}},
        {"Message": "Success", "Value": {}}, {"ErrorCode": 10**20, "Message": "", "Value": {}}, [], "x", 5, None,
    ],
)  # fmt: skip
async def test_what_is_no_envelope_cannot_be_read(stage: Stage, envelope: object) -> None:
    casino = await _one_casino(stage)
    told = await casino.line.call("payments/accept", envelope)
    assert (told.status, told.raw) == (400, UNREADABLE)


async def test_without_a_good_bearer_nothing_is_taken_in(stage: Stage, table: Table) -> None:
    asked, made, _ = await in_flight(table)
    good = await table.casino.line.bearer()
    for bearer in (None, "", "x.y.z", good[:-6] + "AAAAAA", good + "x"):
        told = await table.casino.line.call("payments/accept", outcome_of(made), bearer=bearer)
        assert told.outcome == (401, 103752)
    assert await stage.payments(made["BetId"]) != {"stake": "accepted"}
    await table.casino.line.accept(made)
    assert (await asked).code == 1


def _key(made: dict[str, Any]) -> dict[str, Any]:
    return {"BetId": made["BetId"], "TransactionType": made["TransactionType"]}


async def _one_casino(stage: Stage) -> Any:
    """A casino to send nonsense with; the same one for all."""
    name = "nonsense"
    if name not in stage.peers.casinos:
        stage.peers.casinos[name] = await stage.new_casino()
    return stage.peers.casinos[name]
