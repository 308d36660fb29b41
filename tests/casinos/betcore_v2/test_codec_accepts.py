"""An accept is the casino's last word, if it says which payment it is about (casino.md 1.1)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from croupier.casinos.betcore_v2 import codec
from croupier.casinos.betcore_v2.codec import read_accept
from croupier.casinos.betcore_v2.messages import BETS, CASHBACKS
from croupier.core.readings import (
    Contents,
    Exists,
    No,
    PaymentKind,
    Yes,
)
from croupier.core.refusals import CasinoNo
from croupier.kit import plain_json, strictjson
from croupier.kit.strictjson import BadField, BadJson
from tests.casinos.betcore_v2.samples import CASINO, OWN_CODES, REFUSALS, SAID, WHOLE, body, without


def test_an_accepted_payment() -> None:
    got = codec.read_accept(body(200, WHOLE | {"Amount": 12.5, "TaxAmount": "0.10", "Balance": "87.5"}), CASINO)
    assert got == (5, PaymentKind.STAKE, Yes(replace(SAID, amount="12.5", tax="0.10"), "87.5"))


def test_ids_that_are_whole_numbers_are_their_digits() -> None:
    got = codec.read_accept(body(200, WHOLE | {"PartnerUserId": 7, "PartnerTransactionId": 9007199254740993}), CASINO)
    assert got.outcome == Yes(replace(SAID, player_ref="7", partner_tx="9007199254740993"))


def test_a_null_tax_is_an_absent_tax() -> None:
    assert codec.read_accept(body(200, WHOLE | {"TaxAmount": None}), CASINO).outcome == Yes(SAID)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("lost", ["missing", "null"])
def test_a_success_must_state_everything(name: str, lost: str) -> None:
    value = without(name) if lost == "missing" else WHOLE | {name: None}
    with pytest.raises(BadField) as bad:
        codec.read_accept(body(200, value), CASINO)
    assert bad.value.field == name


def test_a_success_must_have_a_message() -> None:
    with pytest.raises(BadField) as bad:
        codec.read_accept(body(200, WHOLE, None), CASINO)
    assert bad.value.field == "Message"


@pytest.mark.parametrize("code", [*REFUSALS, 500, 0, 999999, -1])
def test_any_code_of_an_accept_is_the_last_word(code: int) -> None:
    reason = REFUSALS.get(code, CasinoNo.OTHER)
    for value in (WHOLE, {"BetId": 5, "TransactionType": -1}):
        assert codec.read_accept(body(code, value), CASINO) == (5, PaymentKind.STAKE, No(reason, code, "said"))


def test_a_refusal_needs_no_message_and_its_other_fields_are_not_looked_at() -> None:
    value = {"BetId": 5, "TransactionType": -1, "Amount": "x", "PartnerUserId": 5}
    assert codec.read_accept(body(103802, value, None), CASINO).outcome == No(CasinoNo.NOT_ENOUGH_FUNDS, 103802, "")


def test_a_casinos_own_codes_hold_in_its_accepts() -> None:
    assert codec.read_accept(body(21, WHOLE), OWN_CODES).outcome == No(CasinoNo.NOT_ENOUGH_FUNDS, 21, "said")
    assert codec.read_accept(body(103802, WHOLE), OWN_CODES).outcome == No(CasinoNo.OTHER, 103802, "said")


def test_an_accept_of_what_exists() -> None:
    assert codec.read_accept(body(103804, WHOLE), CASINO).outcome == Exists(SAID)
    for name in ("PartnerUserId", "PartnerTransactionId", "Amount"):
        assert codec.read_accept(body(103804, without(name)), CASINO).outcome == Exists(None)
    with pytest.raises(BadField):
        codec.read_accept(body(103804, WHOLE | {"Amount": "-1"}), CASINO)


@pytest.mark.parametrize("code", [200, 103804, 103802, 500])
@pytest.mark.parametrize("name", ["BetId", "TransactionType", "Value"])
def test_an_accept_that_names_no_payment_is_refused(code: int, name: str) -> None:
    value = ... if name == "Value" else without(name)
    with pytest.raises(BadField) as bad:
        codec.read_accept(body(code, value), CASINO)
    assert bad.value.field == name


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("BetId", "5"),
        ("BetId", 5.5),
        ("BetId", -5),
        ("BetId", 2**53),
        ("BetId", True),
        ("TransactionType", "-1"),
        ("TransactionType", 0),
        ("TransactionType", 3),
        ("PartnerUserId", 7.5),
        ("PartnerUserId", True),
        ("PartnerUserId", ""),
        ("PartnerUserId", "p" * 129),
        ("PartnerTransactionId", 1.0),
        ("PartnerTransactionId", False),
        ("PartnerTransactionId", "t" * 129),
        ("Amount", "-12.50"),
        ("Amount", -12.5),
        ("Amount", "1e3"),
        ("Amount", "12.123456789"),
        ("Amount", "1234567890123456"),
        ("Amount", True),
        ("TaxAmount", "x"),
    ],
)
def test_an_accept_with_an_odd_field_is_refused_by_its_name(name: str, odd: object) -> None:
    with pytest.raises(BadField) as bad:
        codec.read_accept(body(200, WHOLE | {name: odd}), CASINO)
    assert bad.value.field == name


def test_an_accepted_cashback_and_its_cancel() -> None:
    value = {
        "CashbackId": 8,
        "PartnerUserId": "p-7",
        "PartnerTransactionId": "t-2",
        "TransactionType": 1,
        "Amount": "25",
    }
    said = Contents(8, "p-7", PaymentKind.CASHBACK, "25", None, "t-2")
    assert codec.read_accept(body(200, value), CASINO, CASHBACKS) == (8, PaymentKind.CASHBACK, Yes(said))
    cancel = codec.read_accept(body(200, value | {"TransactionType": -1}), CASINO, CASHBACKS)
    assert cancel.kind is PaymentKind.CASHBACK_CANCEL
    with pytest.raises(BadField):
        codec.read_accept(body(200, value), CASINO, BETS)


PLAIN = {
    "BetId": 5, "PartnerUserId": "p", "TransactionType": -1, "Amount": "1.00", "PartnerTransactionId": "t", "Balance": 7.5,
}  # fmt: skip
ODD_VALUES = [
    "", " a", "a b", "x" * 129, "é", "a:b", 'a"b', "a\\b", "a\n", None, True, 17, -17, 1.5, 2.0, [], {"a": 1}, "0", "1.50", "01", "-1",
    "1e5", "9" * 16, -1, 0, 1, 2, -2, 3, 4, 200, 103804, 2**31, 2**53 - 1, 2**53, 10**70,
]  # fmt: skip


def judged(body: bytes) -> object:
    try:
        return read_accept(body, CASINO)
    except (BadField, BadJson) as problem:
        return type(problem), str(problem)


@pytest.mark.parametrize("name", [*PLAIN, "TaxAmount", "ErrorCode", "Message", "Value"])
@pytest.mark.parametrize("value", ODD_VALUES, ids=repr)
def test_a_plain_success_is_read_as_the_strict_reader_reads_it(
    name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = {"ErrorCode": 200, "Message": "ok", "Value": PLAIN}
    forms: list[dict[str, object]] = [
        {**outer, name: value},
        {key: told for key, told in outer.items() if key != name},
        {**outer, "Value": {**PLAIN, name: value}},
        {**outer, "Value": {key: told for key, told in PLAIN.items() if key != name}},
    ]
    whole = [json.dumps(form, ensure_ascii=ascii_only) for form in forms for ascii_only in (True, False)]
    twice = [text.replace("}", f',"{name}":{json.dumps(value)}' + "}", 1) for text in whole]
    bodies = [text.encode() for text in [*whole, *twice, *(text[:-1] + " }\n" for text in whole)]]
    plainly = [judged(body) for body in bodies]
    monkeypatch.setattr(plain_json, "decoded", lambda *_: None)
    assert plainly == [judged(body) for body in bodies]


def test_what_casinos_send_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strictjson, "loads", lambda _: pytest.fail("read twice"))
    for value in (PLAIN, {key: told for key, told in PLAIN.items() if key != "Balance"}):
        read = read_accept(json.dumps({"Value": value, "Message": "", "ErrorCode": 200}).encode(), CASINO)
        assert read.outcome == Yes(
            Contents(5, "p", PaymentKind.STAKE, "1.00", None, "t"), "7.5" if "Balance" in value else None
        )
