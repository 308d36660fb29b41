"""The sandbox casino speaks the contract: envelopes, every path, accepts, resends."""

import json
from typing import Any

import pytest
from starlette.responses import HTMLResponse, JSONResponse

from croupier.kit import jwt
from tests.sandbox.conftest import Table
from tests.sandbox.fake_hub import CLIENT_ID, SECRET

OK = {"ErrorCode": 200, "Message": "Success"}
START = 100_000
BET = 190_000_000_000_001


def _stake(bet: int = BET, amount: str = "12.50", **more: object) -> dict[str, object]:
    return {"BetId": bet, "PartnerUserId": "anna", "TransactionType": -1, "Amount": amount, **more}


# --- envelopes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", jwt.ALGORITHMS)
async def test_a_call_signed_with_any_algorithm_of_the_contract_is_taken(table: Table, alg: str) -> None:
    table.hub.key = jwt.new_key(alg, f"key-{alg}")
    table.hub.listed = [table.hub.key]
    assert await table.hub.make(BET, -1, "12.50") == OK
    assert table.hub.fetches == 1
    assert set(table.hub.bearers) == {"Bearer bearer-1"}


async def test_an_honest_round_leaves_no_complaint(table: Table) -> None:
    await table.hub.make(BET, -1, "12.50", PromoCode="SPRING", TagId=5)
    await table.hub.make(BET, 1, "20", TaxAmount="1")
    await table.hub.call("payments/close", {"BetId": BET, "IsClosed": True})
    await table.quiet()
    assert list(table.casino.journal.complaints) == []


def _changed(name: str, value: object) -> Any:
    return lambda claims: claims.update({name: value})


@pytest.mark.parametrize(
    ("claim", "value"),
    [("client_id", "PartnerClient-8"), ("exp", 1), ("nbf", 9_999_999_999), ("data", {"BetId": 1}), ("data", "{")],
)
async def test_an_envelope_that_is_not_for_this_casino_now_is_refused(table: Table, claim: str, value: object) -> None:
    answer = await table.hub.raw("payments/make", table.hub.envelope(_stake(), _changed(claim, value)))
    assert (answer.status, json.loads(answer.body)["ErrorCode"]) == (200, 103753)
    assert table.balance() == START


async def test_a_token_of_a_stranger_or_no_token_is_refused(table: Table) -> None:
    table.hub.key = jwt.new_key("EdDSA", "key-1")
    forged = await table.hub.raw("payments/make", table.hub.envelope(_stake()))
    bare = await table.hub.raw("payments/make", json.dumps(_stake()).encode())
    assert [json.loads(answer.body)["ErrorCode"] for answer in (forged, bare)] == [103753, 103753]


async def test_a_rotated_key_is_fetched_unless_the_casino_keeps_the_first_set_for_ever(table: Table) -> None:
    await table.hub.make(1, -1, "1")
    table.hub.key = jwt.new_key("EdDSA", "key-2")
    table.hub.listed.append(table.hub.key)
    assert await table.hub.make(2, -1, "1") == OK
    table.casino.hub.refetch_keys = False
    table.hub.key = jwt.new_key("EdDSA", "key-3")
    table.hub.listed.append(table.hub.key)
    assert (await table.hub.make(3, -1, "1"))["ErrorCode"] == 103753


async def test_a_casino_without_a_library_asks_the_hub(table: Table) -> None:
    table.casino.hub.ask_hub = True
    assert await table.hub.make(BET, -1, "12.50") == OK
    assert table.hub.fetches == 0
    assert table.balance() == START - 1250


async def test_without_credentials_or_keys_nothing_is_known_and_nothing_booked(table: Table) -> None:
    table.casino.hub.set_credentials(None, None)
    assert (await table.hub.raw("payments/make", table.hub.envelope(_stake()))).status == 500
    table.casino.set_credentials(CLIENT_ID, "wrong")
    assert (await table.hub.raw("payments/make", table.hub.envelope(_stake()))).status == 500
    table.casino.set_credentials(CLIENT_ID, SECRET)
    assert await table.hub.make(BET, -1, "12.50") == OK


async def test_what_is_not_to_the_letter_is_taken_but_complained_about(table: Table) -> None:
    def longer(claims: dict[str, Any]) -> None:
        claims["exp"] += 1

    answer = await table.hub.raw("payments/make", table.hub.envelope(_stake(Extra=1), longer))
    assert json.loads(answer.body) == OK
    assert len(table.casino.journal.complaints) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        _stake(Amount=12.5),
        _stake(BetId="1"),
        _stake(BetId=2**53 + 1),
        _stake(TransactionType=3),
        _stake(TransactionType="-1"),
        _stake(PartnerUserId=5),
        _stake(TagId="5"),
        [_stake()],
    ],
)
async def test_data_of_another_form_is_refused_and_complained_about(table: Table, wrong: object) -> None:
    assert (await table.hub.call("payments/make", wrong))["ErrorCode"] == 103753
    assert len(table.casino.journal.complaints) == 1
    assert table.casino.wallet.bookings_of("anna") == []


# --- makes and accepts ------------------------------------------------------------------------------------------


async def test_a_make_is_acknowledged_without_value_and_its_outcome_comes_by_accept(table: Table) -> None:
    assert await table.hub.make(BET, -1, "12.50") == OK
    await table.quiet()
    [(path, accept)] = table.hub.accepts
    value = accept.pop("Value")
    partner_tx = value.pop("PartnerTransactionId")
    assert (path, accept) == ("payments/accept", OK)
    assert value == {"BetId": BET, "PartnerUserId": "anna", "TransactionType": -1, "Amount": "12.5"}
    assert isinstance(partner_tx, str)
    assert table.balance() == START - 1250


async def test_a_repeat_gets_103804_with_the_first_contents_and_moves_nothing(table: Table) -> None:
    await table.hub.make(BET, -1, "12.50")
    await table.quiet()
    again = await table.hub.make(BET, -1, "99")
    assert again == {
        "ErrorCode": 103804,
        "Message": "Transaction already exists",
        "Value": table.hub.accepts[0][1]["Value"],
    }
    assert (table.balance(), len(table.hub.accepts)) == (START - 1250, 1)


async def test_a_refusal_comes_by_accept_and_names_the_payment(table: Table) -> None:
    assert await table.hub.make(BET, -1, "1000.01") == OK
    await table.quiet()
    assert table.hub.accepts == [
        (
            "payments/accept",
            {
                "ErrorCode": 103802,
                "Message": "Not enough funds",
                "Value": {"BetId": BET, "TransactionType": -1},
            },
        )
    ]


async def test_the_tax_is_withheld_and_told_again(table: Table) -> None:
    await table.hub.make(BET, -1, "10")
    await table.hub.make(BET, 1, "20", TaxAmount="2.00")
    await table.quiet()
    assert table.hub.accepts[1][1]["Value"]["TaxAmount"] == "2"
    assert "TaxAmount" not in table.hub.accepts[0][1]["Value"]
    assert table.balance() == START - 1000 + 1800


async def test_cashback_has_its_own_accept(table: Table) -> None:
    data = {"CashbackId": 5, "PartnerUserId": "anna", "TransactionType": 1, "Amount": "3"}
    assert await table.hub.call("cashback-payments/make", data) == OK
    await table.quiet()
    [(path, accept)] = table.hub.accepts
    assert (path, accept["Value"]["CashbackId"], "BetId" in accept["Value"]) == ("cashback-payments/accept", 5, False)
    assert table.balance() == START + 300


async def test_a_list_gets_one_acknowledgement_and_an_accept_for_each_element(table: Table) -> None:
    elements = [_stake(bet, "1") for bet in range(1, 21)] + [_stake(21, "5000")]
    assert await table.hub.call("payments/make-list", elements) == OK
    await table.quiet()
    told = {accept["Value"]["BetId"]: accept["ErrorCode"] for _, accept in table.hub.accepts}
    assert told == {**dict.fromkeys(range(1, 21), 200), 21: 103802}
    await table.hub.call("payments/make-list", elements[:1])
    await table.quiet()
    assert table.hub.accepts[-1][1]["ErrorCode"] == 103804


async def test_an_accept_is_sent_again_up_the_ladder_until_it_is_taken(table: Table) -> None:
    error = {"ErrorCode": 102823, "Message": "Error accepting transaction"}
    table.hub.answers = [
        HTMLResponse("busy", 502),
        JSONResponse(error),
        JSONResponse({"ErrorCode": 103752, "Message": "Incorrect request parameters"}, 401),
    ]
    await table.hub.make(BET, -1, "12.50")
    await table.quiet()
    assert len(table.hub.accepts) == 4
    assert len({json.dumps(accept) for _, accept in table.hub.accepts}) == 1
    assert table.hub.bearers[-1] == "Bearer bearer-2", "a refused bearer is thrown away"


async def test_an_accept_nobody_takes_is_given_up_in_the_end(table: Table) -> None:
    table.casino.hub.resend_delays_s = (1.0, 2.0)
    table.hub.answers = [JSONResponse({"ErrorCode": 102823, "Message": "no"}) for _ in range(9)]
    await table.hub.make(BET, -1, "12.50")
    await table.quiet()
    assert len(table.hub.accepts) == 3


# --- the other calls --------------------------------------------------------------------------------------------


async def test_users_auth_turns_a_refresh_token_into_a_player_and_a_new_token(table: Table) -> None:
    token = table.casino.endpoint.new_refresh_token("anna")
    first = await table.hub.call("users/auth", {"RefreshToken": token})
    value = first["Value"]
    assert (value["PartnerUserId"], value["CurrencyCode"], value["Balance"]) == ("anna", "EUR", "1000")
    second = await table.hub.call("users/auth", {"RefreshToken": value["RefreshToken"]})
    assert second["Value"]["RefreshToken"] not in {token, value["RefreshToken"]}
    assert (await table.hub.call("users/auth", {"RefreshToken": token}))["ErrorCode"] == 102145
    assert token not in json.dumps([entry.as_json() for entry in table.casino.journal.since()])


async def test_users_data_tells_the_balance(table: Table) -> None:
    table.casino.wallet.set_balance("anna", "7100.50")
    answer = await table.hub.call("users/data", {"PartnerUserId": "anna"})
    assert answer == {**OK, "Value": {"Balance": "7100.5"}}


async def test_info_lists_every_payment_of_the_bet_and_nothing_of_an_unknown_one(table: Table) -> None:
    await table.hub.make(BET, -1, "10")
    await table.hub.make(BET, 1, "0")
    listed = (await table.hub.call("payments/info", {"BetId": BET}))["Value"]
    assert [(line["TransactionType"], line["Amount"]) for line in listed] == [(-1, "10"), (1, "0")]
    assert all(line["DateTime"].endswith("Z") for line in listed)
    table.casino.endpoint.unix_times = True
    [line, _] = (await table.hub.call("payments/info", {"BetId": BET}))["Value"]
    assert isinstance(line["DateTime"], int)
    assert await table.hub.call("payments/info", {"BetId": 5}) == {**OK, "Value": []}


async def test_close_and_reopen(table: Table) -> None:
    await table.hub.make(BET, -1, "10")
    assert await table.hub.call("payments/close", {"BetId": BET, "IsClosed": True}) == OK
    await table.hub.make(BET, 1, "5")
    await table.quiet()
    assert table.hub.accepts[-1][1]["ErrorCode"] == 102823
    assert await table.hub.call("payments/close", {"BetId": BET, "IsClosed": False}) == OK
    await table.hub.make(BET, 1, "5")
    await table.quiet()
    assert table.hub.accepts[-1][1]["ErrorCode"] == 200
    assert (await table.hub.call("payments/close", {"BetId": 5, "IsClosed": True}))["ErrorCode"] == 103805


async def test_an_unknown_path_is_complained_about(table: Table) -> None:
    assert (await table.hub.raw("payments/unmake", b'""')).status == 404
    assert len(table.casino.journal.complaints) == 1
