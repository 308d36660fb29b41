"""Each behaviour of the dial does what its word says, seen from the hub's side."""

import json
from typing import Any

import pytest

from croupier.kit.wire import PeerError, WireRequest
from tests.sandbox.conftest import Table
from tests.sandbox.fake_hub import CASINO

OK = {"ErrorCode": 200, "Message": "Success"}
START = 100_000
BET = 190_000_000_000_001


async def _codes(table: Table) -> list[int]:
    await table.quiet()
    return [accept["ErrorCode"] for _, accept in table.hub.accepts]


async def _raw_stake(table: Table, total_s: float = 1.0) -> Any:
    data = {"BetId": BET, "PartnerUserId": "anna", "TransactionType": -1, "Amount": "10"}
    return await table.hub.raw("payments/make", table.hub.envelope(data), total_s)


async def test_inline_tells_the_outcome_at_once_and_no_more(table: Table) -> None:
    table.casino.behave("inline")
    told = await table.hub.make(BET, -1, "10")
    assert told["Value"]["PartnerTransactionId"]
    assert told["Value"]["Balance"] == "990"
    assert await table.hub.make(2, -1, "5000") == {"ErrorCode": 103802, "Message": "Not enough funds"}
    assert await _codes(table) == []


async def test_late_books_now_and_accepts_later(table: Table) -> None:
    table.casino.behave("late:31")
    assert await table.hub.make(BET, -1, "10") == OK
    assert table.balance() == START - 1000
    assert await _codes(table) == [200]
    assert 31 in table.clock.slept


async def test_books_late_is_unknown_to_info_until_it_books(table: Table) -> None:
    table.casino.behave("books_late:5")
    assert await table.hub.make(BET, -1, "10") == OK
    assert (await table.hub.call("payments/info", {"BetId": BET}))["Value"] == []
    assert await _codes(table) == [200]
    assert table.balance() == START - 1000


async def test_silent_books_and_never_tells_but_info_knows(table: Table) -> None:
    table.casino.behave("silent")
    assert await table.hub.make(BET, -1, "10") == OK
    assert await table.hub.make(BET, -1, "10") == OK
    assert await _codes(table) == []
    assert len((await table.hub.call("payments/info", {"BetId": BET}))["Value"]) == 1


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("words", "booked", "accepted"),
    [
        ("lost:cut", False, 0),
        ("lost", False, 0),
        ("answer_lost:cut", True, 1),
        ("rubbish:drip", False, 0),
        ("rubbish:huge", False, 0),
        ("rubbish:huge+books", True, 0),
        ("rubbish:drip+accepts", True, 1),
    ],
)
async def test_no_answer_that_can_be_read(table: Table, words: str, booked: bool, accepted: int) -> None:
    table.casino.behave(words, times=1)
    with pytest.raises(PeerError):
        await _raw_stake(table, total_s=0.3)
    assert len(await _codes(table)) == accepted
    assert table.balance() == (START - 1000 if booked else START)
    table.hub.accepts.clear()
    assert (await table.hub.make(BET, -1, "10"))["ErrorCode"] == (103804 if booked else 200)


@pytest.mark.parametrize(
    ("words", "status", "start"),
    [
        ("error500", 500, b'{"ErrorCode": 500'),
        ("status:404", 404, b""),
        ("status:501", 501, b""),
        ("rubbish:html", 200, b"<!doctype"),
        ("rubbish:redirect", 307, b""),
        ("rubbish:empty", 200, b""),
    ],
)
async def test_answers_that_say_nothing(table: Table, words: str, status: int, start: bytes) -> None:
    table.casino.behave(words, times=1)
    answer = await _raw_stake(table)
    assert answer.status == status
    assert answer.body.startswith(start)
    assert await _codes(table) == []
    assert table.balance() == START


async def test_error500_after_booking(table: Table) -> None:
    table.casino.behave("error500:after", times=1)
    assert (await _raw_stake(table)).status == 500
    assert table.balance() == START - 1000
    assert await _codes(table) == []


async def test_refusals_by_acknowledgement_and_by_accept(table: Table) -> None:
    table.casino.behave("refuse:103779", times=1)
    assert await table.hub.make(1, -1, "10") == {"ErrorCode": 103779, "Message": "User blocked"}
    table.casino.behave("refuse_accept:777", times=1)
    assert await table.hub.make(2, -1, "10") == OK
    assert await _codes(table) == [777]
    assert table.balance() == START


async def test_twice_sends_the_same_accept_twice(table: Table) -> None:
    table.casino.behave("twice")
    await table.hub.make(BET, -1, "10")
    assert await _codes(table) == [200, 200]
    assert table.hub.accepts[0] == table.hub.accepts[1]


@pytest.mark.parametrize(
    ("about", "codes", "field", "values"),
    [
        ("amount", [200], "Amount", ["10.01"]),
        ("user", [200], "PartnerUserId", ["anna-twin"]),
        ("refusal", [200, 102823], "BetId", [BET, BET]),
    ],
)
async def test_contradictions(table: Table, about: str, codes: list[int], field: str, values: list[object]) -> None:
    table.casino.behave(f"contradict:{about}")
    await table.hub.make(BET, -1, "10")
    assert await _codes(table) == codes
    assert [accept["Value"][field] for _, accept in table.hub.accepts] == values


async def test_a_second_success_with_another_transaction(table: Table) -> None:
    table.casino.behave("contradict:transaction")
    await table.hub.make(BET, -1, "10")
    assert await _codes(table) == [200, 200]
    assert len({accept["Value"]["PartnerTransactionId"] for _, accept in table.hub.accepts}) == 2


async def test_forget_takes_the_money_and_knows_of_nothing(table: Table) -> None:
    table.casino.behave("forget", times=1)
    await table.hub.make(BET, -1, "10")
    assert await _codes(table) == [200]
    assert (await table.hub.call("payments/info", {"BetId": BET}))["Value"] == []
    assert table.balance() == START - 1000


async def test_double_applies_a_repeat_again_and_info_lists_both(table: Table) -> None:
    table.casino.behave("double")
    await table.hub.make(BET, -1, "10")
    await table.hub.make(BET, -1, "10")
    await table.quiet()
    assert table.balance() == START - 2000
    assert len((await table.hub.call("payments/info", {"BetId": BET}))["Value"]) == 2


async def test_wrong_103804_with_other_contents_or_none(table: Table) -> None:
    table.casino.behave("wrong103804", times=1)
    other = await table.hub.make(1, -1, "10")
    assert (other["ErrorCode"], other["Value"]["Amount"]) == (103804, "10.01")
    table.casino.behave("wrong103804:bare", times=1)
    assert await table.hub.make(2, -1, "10") == {"ErrorCode": 103804, "Message": "Transaction already exists"}
    assert table.balance() == START - 2000


async def test_early_sends_the_accept_before_the_answer(table: Table) -> None:
    table.casino.behave("early")
    assert await table.hub.make(BET, -1, "10") == OK
    assert len(table.hub.accepts) == 1
    assert not table.casino.endpoint.running


async def test_a_list_answered_partly_and_in_another_order(table: Table) -> None:
    elements = [{"BetId": bet, "PartnerUserId": "anna", "TransactionType": -1, "Amount": "1"} for bet in range(1, 6)]
    table.casino.behave("partly+reordered", times=5)
    assert await table.hub.call("payments/make-list", elements) == OK
    await table.quiet()
    assert [accept["Value"]["BetId"] for _, accept in table.hub.accepts] == [3, 2, 1]
    assert table.balance() == START - 300


async def test_a_list_that_is_refused_as_a_whole_books_nothing(table: Table) -> None:
    elements = [{"BetId": 1, "PartnerUserId": "anna", "TransactionType": -1, "Amount": "1"}]
    table.casino.behave("status:405", path="payments/make-list")
    answer = await table.hub.raw("payments/make-list", table.hub.envelope(elements))
    assert (answer.status, table.balance()) == (405, START)


async def test_info_and_close_have_their_own_dial(table: Table) -> None:
    table.casino.behave("refuse:103805", path="payments/info")
    table.casino.behave("rubbish:empty", path="payments/close")
    await table.hub.make(BET, -1, "1")
    assert (await table.hub.call("payments/info", {"BetId": BET}))["ErrorCode"] == 103805
    closing = await table.hub.raw("payments/close", table.hub.envelope({"BetId": BET, "IsClosed": True}))
    assert (closing.body, table.casino.wallet.is_closed(BET)) == (b"", False)


# --- the controls over HTTP -------------------------------------------------------------------------------------


async def _control(table: Table, method: str, path: str, document: object = None) -> tuple[int, Any]:
    body = b"" if document is None else json.dumps(document).encode()
    answer = await table.wire.send(WireRequest(method, f"http://casino.test/_sandbox/{path}", {}, body))
    return answer.status, json.loads(answer.body)


async def test_the_dials_turn_over_http(table: Table) -> None:
    rule = {"behaviour": "refuse:103779", "player": "anna", "type": -1, "next": 1}
    assert (await _control(table, "POST", "behaviour", rule))[0] == 200
    assert (await _control(table, "GET", "behaviour"))[1]["rules"][0]["next"] == 1
    assert (await table.hub.make(1, -1, "10"))["ErrorCode"] == 103779
    assert (await table.hub.make(1, -1, "10"))["ErrorCode"] == 200
    await _control(table, "POST", "behaviour", {"behaviour": "silent"})
    assert (await _control(table, "DELETE", "behaviour"))[1] == {"rules": []}
    assert (await _control(table, "POST", "behaviour", {"behaviour": "evil"}))[0] == 400


async def test_balance_block_token_settings_and_credentials_over_http(table: Table) -> None:
    await _control(table, "POST", "balance", {"player": "kim", "balance": "1.234", "currency": "KWD"})
    await _control(table, "POST", "block", {"player": "kim"})
    await table.hub.make(1, -1, "1", "kim")
    assert await _codes(table) == [103779]
    await _control(table, "POST", "block", {"player": "kim", "blocked": False})
    token = (await _control(table, "POST", "token", {"player": "kim"}))[1]["RefreshToken"]
    assert (await table.hub.call("users/auth", {"RefreshToken": token}))["Value"]["CurrencyCode"] == "KWD"
    told = (await _control(table, "POST", "settings", {"openDoor": False, "ladder": [0.5]}))[1]
    assert (told["openDoor"], told["ladder"]) == (False, [0.5])
    assert (await table.hub.call("users/data", {"PartnerUserId": "who"}))["ErrorCode"] == 102145
    await _control(table, "POST", "credentials", {"PartnerClientId": 8, "Secret": "s"})
    assert table.casino.hub.client_id == 8
    assert (await _control(table, "POST", "balance", {"player": "kim", "balance": "1.2345"}))[0] == 400


async def test_the_wallet_and_the_log_can_be_looked_into(table: Table) -> None:
    await table.hub.make(BET, -1, "10")
    await table.quiet()
    told = (await _control(table, "GET", "wallet/anna"))[1]
    assert (told["balance"], told["change"], told["bookings"][0]["Amount"]) == ("990", "-10", "10")
    assert (await _control(table, "GET", "wallet/nobody"))[0] == 404
    log = (await _control(table, "GET", "log"))[1]
    assert [(entry["direction"], entry["path"]) for entry in log["entries"]] == [
        ("in", "payments/make"),
        ("out", "/payments/accept"),
    ]
    assert log["entries"][0]["data"]["BetId"] == BET
    assert (await _control(table, "GET", "state"))[1]["running"] == 0


async def test_a_followed_redirect_is_noticed(table: Table) -> None:
    origin = CASINO.removesuffix("/any/base")
    await table.wire.send(WireRequest("POST", f"{origin}/_sandbox/trap"))
    assert list(table.casino.journal.complaints) == ["a redirect was followed"]
