"""Orders become exact text, and the answers to a make mean what the table of casino.md 2.1 says and no more."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.casinos.betcore_v2 import codec
from croupier.casinos.betcore_v2.messages import subject_of
from croupier.core import money
from croupier.core.commands import Order
from croupier.core.readings import (
    Contents,
    Exists,
    No,
    PaymentKind,
    Received,
    Unknown,
    Yes,
)
from croupier.core.refusals import CasinoNo
from croupier.kit.names import problem_of
from tests.casinos.betcore_v2.samples import CASHBACK, CASINO, OWN_CODES, REFUSALS, SAID, STAKE, WHOLE, body, without

VECTORS = Path(__file__).parents[2] / "vectors" / "betcore_v2"

# --- what goes to a casino --------------------------------------------------------------------------------------


def order_of(row: dict[str, Any]) -> Order:
    return Order(**row | {"kind": PaymentKind(row["kind"])})


ROWS = json.loads((VECTORS / "data.json").read_text("utf-8"))["rows"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['order']['kind']} {row['order']['currency']}")
def test_the_data_of_an_order_is_the_vector_byte_for_byte(row: dict[str, Any]) -> None:
    assert codec.make_data(order_of(row["order"])) == row["data"]


def test_the_data_of_a_list_is_the_data_of_each() -> None:
    bets = [row for row in ROWS if "BetId" in row["data"]]
    assert codec.list_data([order_of(row["order"]) for row in bets]) == f"[{','.join(row['data'] for row in bets)}]"


def test_the_small_calls() -> None:
    assert codec.info_data(5) == '{"BetId":5}'
    assert codec.close_data(5, closed=True) == '{"BetId":5,"IsClosed":true}'
    assert codec.close_data(5, closed=False) == '{"BetId":5,"IsClosed":false}'
    assert codec.auth_data("r-1", None) == '{"RefreshToken":"r-1"}'
    assert codec.auth_data("r-1", 0) == '{"RefreshToken":"r-1","TagId":0}'
    assert codec.balance_data("p-7") == '{"PartnerUserId":"p-7"}'


orders = st.builds(
    Order,
    subject_id=st.integers(1, 2**53 - 1),
    kind=st.sampled_from(PaymentKind),
    player_ref=st.text(min_size=1, max_size=40).filter(lambda text: problem_of(text) is None),
    amount=st.integers(0, 10**15 - 1),
    tax=st.none() | st.integers(0, 10**9),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    promo_code=st.none(),
    tag_id=st.none() | st.integers(0, 2**31),
)


@given(orders)
@pytest.mark.slow
def test_what_goes_out_reads_back_as_the_same_payment(order: Order) -> None:
    """A casino that echoes our data in its accept is understood to have booked exactly the order."""
    value = json.loads(codec.make_data(order)) | {"PartnerTransactionId": "t-1"}
    got = codec.read_accept(body(200, value), CASINO, subject_of(order.kind))
    assert (got.subject_id, got.kind) == (order.subject_id, order.kind)
    assert isinstance(got.outcome, Yes)
    said = got.outcome.contents
    assert (said.subject_id, said.kind, said.player_ref) == (order.subject_id, order.kind, order.player_ref)
    assert money.same_amount(said.amount, order.amount, order.currency)
    assert said.tax is None if order.tax is None else money.same_amount(said.tax, order.tax, order.currency)


# --- the acknowledgement of a make ------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [..., None, {}, [], {"Balance": "7.5"}, {"PartnerTransactionId": None}, {"BetId": 5}])
def test_success_without_the_casinos_own_id_is_received(value: object) -> None:
    assert codec.read_ack(200, body(200, value), CASINO, order=STAKE) == Received()


def test_success_with_the_casinos_own_id_is_the_outcome() -> None:
    assert codec.read_ack(200, body(200, WHOLE), CASINO, order=STAKE) == Yes(SAID)


@pytest.mark.parametrize(("number", "digits"), [(0, "0"), (71, "71"), (10**18, "1" + "0" * 18)])
def test_an_id_written_as_a_whole_number_is_its_digits(number: int, digits: str) -> None:
    value = WHOLE | {"PartnerTransactionId": number}
    assert codec.read_ack(200, body(200, value), CASINO, order=STAKE) == Yes(replace(SAID, partner_tx=digits))
    value = WHOLE | {"PartnerUserId": number}
    assert codec.read_ack(200, body(200, value), CASINO, order=STAKE) == Yes(replace(SAID, player_ref=digits))


@pytest.mark.parametrize("number", ["7.0", "7e0", "-7", "1" * 65])
def test_a_number_that_is_no_whole_one_is_no_id(number: str) -> None:
    raw = body(200, WHOLE | {"PartnerTransactionId": 77777}).replace(b"77777", number.encode())
    assert isinstance(codec.read_ack(200, raw, CASINO, order=STAKE), Unknown)


def test_an_inline_outcome_may_leave_unsaid_what_was_asked() -> None:
    ack = codec.read_ack(200, body(200, {"PartnerTransactionId": "t-1", "Balance": 7.5}), CASINO, order=STAKE)
    assert ack == Yes(Contents(None, None, None, None, None, "t-1"), "7.5"), "absent, never filled in from our order"


def test_an_inline_outcome_keeps_what_differs() -> None:
    value = WHOLE | {"PartnerUserId": "p-8", "Amount": 12.51, "BetId": 6, "TransactionType": 1}
    ack = codec.read_ack(200, body(200, value), CASINO, order=STAKE)
    assert ack == Yes(Contents(6, "p-8", PaymentKind.PAYOUT, "12.51", None, "t-1"))


@pytest.mark.parametrize(
    ("value", "tax"),
    [
        ({"PartnerTransactionId": "t-1"}, None),
        ({"PartnerTransactionId": "t-1", "Amount": "30"}, None),
        ({"PartnerTransactionId": "t-1", "Amount": "30", "TaxAmount": "1.5"}, "1.5"),
        ({"PartnerTransactionId": "t-1", "TaxAmount": 2}, "2"),
    ],
)
def test_beside_an_amount_a_missing_tax_is_none(value: dict[str, object], tax: str | None) -> None:
    order = Order(5, PaymentKind.PAYOUT, "p-7", 3000, 150, "EUR")
    ack = codec.read_ack(200, body(200, value), CASINO, order=order)
    assert isinstance(ack, Yes)
    assert ack.contents.tax == tax


@pytest.mark.parametrize("balance", ["-1", "1e9", True, [], {}, "", "0.123456789"])
def test_a_balance_that_cannot_be_read_spoils_nothing(balance: object) -> None:
    assert codec.read_ack(200, body(200, WHOLE | {"Balance": balance}), CASINO, order=STAKE) == Yes(SAID)


@pytest.mark.parametrize(
    "value",
    [
        "t-1",
        5,
        True,
        [WHOLE],
        WHOLE | {"PartnerTransactionId": 5.0},
        WHOLE | {"PartnerTransactionId": True},
        WHOLE | {"PartnerTransactionId": ""},
        WHOLE | {"PartnerTransactionId": "t" * 129},
        WHOLE | {"Amount": "-12.50"},
        WHOLE | {"Amount": "12,50"},
        WHOLE | {"BetId": "5"},
        WHOLE | {"TransactionType": 3},
        WHOLE | {"TaxAmount": "x"},
    ],
)
def test_a_success_whose_value_cannot_be_read_is_unknown(value: object) -> None:
    assert isinstance(codec.read_ack(200, body(200, value), CASINO, order=STAKE), Unknown)


def test_already_exists_with_the_first_contents() -> None:
    value = WHOLE | {"Amount": 12.5, "TaxAmount": "0"}
    ack = codec.read_ack(200, body(103804, value), CASINO, order=STAKE)
    assert ack == Exists(replace(SAID, amount="12.5", tax="0"))


@pytest.mark.parametrize(
    "value", [..., None, {}, [], "x", *(without(name) for name in WHOLE), WHOLE | {"Amount": "-1"}]
)
def test_already_exists_without_whole_contents_leaves_it_to_info(value: object) -> None:
    assert codec.read_ack(200, body(103804, value), CASINO, order=STAKE) == Exists(None)


@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 404, 405, 409, 422, 429, 499])
@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_of_the_table_is_a_no_at_any_status_below_500(status: int, code: int) -> None:
    assert codec.read_ack(status, body(code, None), CASINO, order=STAKE) == No(REFUSALS[code], code, "said")


def test_the_envelope_decides_below_500_for_a_yes_too() -> None:
    assert codec.read_ack(400, body(200), CASINO, order=STAKE) == Received()
    assert codec.read_ack(404, body(200, WHOLE), CASINO, order=STAKE) == Yes(SAID)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 500, 501, 502, 503, 504, 599])
@pytest.mark.parametrize("code", [200, 103804, *REFUSALS])
def test_redirects_and_server_errors_are_unknown_whatever_they_carry(status: int, code: int) -> None:
    assert isinstance(codec.read_ack(status, body(code, WHOLE), CASINO, order=STAKE), Unknown)


@pytest.mark.parametrize(
    "code", [500, 0, -1, 201, 401, 404, 103752, 103803, 999999, "200", "500", "system error", 200.0]
)
@pytest.mark.parametrize("status", [200, 400])
def test_any_other_code_is_unknown_and_never_a_refusal(status: int, code: object) -> None:
    assert isinstance(codec.read_ack(status, body(code, WHOLE), CASINO, order=STAKE), Unknown)


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"OK",
        b"<html>200</html>",
        b"{}",
        b"[]",
        b"null",
        b'{"errorCode":200}',
        b'{"ErrorCode":200,"ErrorCode":103802}',
        b'{"ErrorCode":200',
        b'\xef\xbb\xbf{"ErrorCode":200}',
        b"[" * 40 + b"]" * 40,
        b'{"ErrorCode":' + b"2" * 10000 + b"}",
        b'{"ErrorCode":200,"Value":{"Balance":"' + b"9" * 70000 + b'"}}',
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_envelope_is_unknown(rubbish: bytes) -> None:
    assert isinstance(codec.read_ack(200, rubbish, CASINO, order=STAKE), Unknown)
    assert isinstance(codec.read_list_ack(200, rubbish, CASINO), Unknown)
    assert isinstance(codec.read_info(200, rubbish, CASINO, bet_id=5), Unknown)
    assert isinstance(codec.read_close(200, rubbish, CASINO), Unknown)
    assert isinstance(codec.read_auth(200, rubbish, CASINO), Unknown)
    assert isinstance(codec.read_balance(200, rubbish, CASINO), Unknown)


def test_a_casinos_own_code_is_a_no_and_the_number_it_replaced_is_not() -> None:
    assert codec.read_ack(200, body(21), OWN_CODES, order=STAKE) == No(CasinoNo.NOT_ENOUGH_FUNDS, 21, "said")
    assert isinstance(codec.read_ack(200, body(103802), OWN_CODES, order=STAKE), Unknown)


def test_why_is_one_short_printable_line() -> None:
    ack = codec.read_ack(200, body(500, message="a\nb\x1b[31m" + "x" * 900), CASINO, order=STAKE)
    assert isinstance(ack, Unknown)
    assert ack.why.isprintable()
    assert len(ack.why) < 120
    assert "code 500" in ack.why


def test_a_cashback_is_acknowledged_in_its_own_words() -> None:
    value = {
        "CashbackId": 8,
        "PartnerUserId": "p-7",
        "PartnerTransactionId": "t-2",
        "TransactionType": 1,
        "Amount": "25",
    }
    ack = codec.read_ack(200, body(200, value), CASINO, order=CASHBACK)
    assert ack == Yes(Contents(8, "p-7", PaymentKind.CASHBACK, "25", None, "t-2"))
    assert isinstance(codec.read_ack(200, body(200, value | {"TransactionType": 2}), CASINO, order=CASHBACK), Unknown)


# --- the acknowledgement of a list ------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [..., None, {}, WHOLE, [WHOLE], "x"])
def test_a_good_answer_to_a_list_is_received_by_all_and_its_value_ignored(value: object) -> None:
    assert codec.read_list_ack(200, body(200, value), CASINO) == Received()


@pytest.mark.parametrize("code", [103804, 500, 0, 404, *REFUSALS])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_error_answer_to_a_list_says_nothing_about_anyone(status: int, code: int) -> None:
    assert isinstance(codec.read_list_ack(status, body(code, WHOLE), CASINO), Unknown)


@pytest.mark.parametrize("status", [302, 404, 405, 500, 501, 503])
def test_a_list_that_is_not_served_says_nothing_even_with_a_good_envelope(status: int) -> None:
    assert isinstance(codec.read_list_ack(status, body(200), CASINO), Unknown)
