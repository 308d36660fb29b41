"""The envelope and the fields of a payment are read strictly and written exactly."""

from __future__ import annotations

import json

import pytest

from croupier.casinos.betcore_v2 import messages, outcomes
from croupier.casinos.betcore_v2.messages import BETS, CASHBACKS, read_envelope, subject_of
from croupier.core.readings import PaymentKind
from croupier.kit.strictjson import BadField, BadJson, loads, record


def test_transaction_types_are_the_documented_numbers() -> None:
    assert {kind.value: number for kind, number in BETS.types.items()} == {
        "stake": -1,
        "payout": 1,
        "bet_return": 2,
        "payout_return": -2,
        "jackpot": 4,
    }
    assert {kind.value: number for kind, number in CASHBACKS.types.items()} == {"cashback": 1, "cashback_cancel": -1}


@pytest.mark.parametrize("kind", PaymentKind)
def test_every_kind_has_one_number_and_finds_back(kind: PaymentKind) -> None:
    subject = subject_of(kind)
    assert subject.kinds[subject.types[kind]] is kind


@pytest.mark.parametrize("number", [0, 3, 5, -3])
def test_other_numbers_are_no_kind(number: int) -> None:
    assert number not in BETS.kinds
    assert number not in CASHBACKS.kinds


def test_an_answer_is_exactly_code_and_message() -> None:
    assert messages.write_envelope(outcomes.OK) == b'{"ErrorCode":200,"Message":"Success"}'


def test_a_value_comes_last() -> None:
    written = messages.write_envelope(outcomes.OK, messages.token_value("abc", "casino", 3600))
    assert written == (
        b'{"ErrorCode":200,"Message":"Success","Value":'
        b'{"AccessToken":"abc","TokenType":"Bearer","ExpiresIn":3600,"Scope":"casino"}}'
    )


def test_the_value_of_a_verified_jwt() -> None:
    assert messages.sent_value('{"BetId":5}', "PartnerClient-7") == {
        "Data": '{"BetId":5}',
        "ClientId": "PartnerClient-7",
    }


def test_a_null_message_and_value_are_absent() -> None:
    envelope = read_envelope(b'{"ErrorCode":200,"Message":null,"Value":null}')
    assert (envelope.code, envelope.message, envelope.value) == (200, None, None)


def test_a_long_message_is_cut_and_a_short_one_kept() -> None:
    body = json.dumps({"ErrorCode": 5, "Message": "x" * 5000}).encode()
    assert read_envelope(body).message == "x" * messages.MAX_MESSAGE
    assert read_envelope(b'{"ErrorCode":5,"Message":""}').message == ""


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"200",
        b'{"ErrorCode":"200"}',
        b'{"ErrorCode":200.0}',
        b'{"ErrorCode":2e2}',
        b'{"ErrorCode":true}',
        b'{"ErrorCode":null}',
        b'{"ErrorCode":2147483648}',
        b'{"errorCode":200}',
        b'{"ErrorCode":200,"Message":5}',
    ],
)
def test_what_is_no_envelope(body: bytes) -> None:
    with pytest.raises(BadField):
        read_envelope(body)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"ErrorCode":200,"ErrorCode":500}', b"\xff", b'{"ErrorCode":200'])
def test_what_is_not_even_json(body: bytes) -> None:
    with pytest.raises(BadJson):
        read_envelope(body)


@pytest.mark.parametrize(("text", "amount"), [('"12.50"', "12.50"), ("12.5", "12.5"), ('"0"', "0"), ("0.000", "0.000")])
def test_an_amount_is_read_as_text_or_number_and_kept_exactly(text: str, amount: str) -> None:
    fields = record(loads(f'{{"Amount":{text}}}'.encode()))
    assert messages.read_amount(fields, "Amount") == amount
    assert type(messages.read_amount(fields, "Amount")) is str


@pytest.mark.parametrize(
    "text", ['"-1"', "-1", "1e2", '"1,5"', '" 1"', '""', "true", "[]", '"1."', '"0.123456789"', '"\u0661"']
)
def test_an_amount_outside_the_grammar_is_refused(text: str) -> None:
    fields = record(loads(f'{{"Amount":{text}}}'.encode()))
    with pytest.raises(BadField) as bad:
        messages.read_amount(fields, "Amount")
    assert bad.value.field == "Amount"


@pytest.mark.parametrize(("number", "good"), [("0", True), ("9007199254740991", True), ("9007199254740992", False)])
def test_ids_stay_below_two_to_the_53(number: str, good: bool) -> None:
    fields = record(loads(f'{{"BetId":{number}}}'.encode()))
    if good:
        assert messages.read_id(fields, "BetId") == int(number)
    else:
        with pytest.raises(BadField):
            messages.read_id(fields, "BetId")


def test_a_token_request() -> None:
    assert messages.read_token_request(b'{"PartnerClientId":2201,"Secret":"s3cret"}') == (2201, "s3cret")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"Secret":"x"}', "PartnerClientId"),
        (b'{"PartnerClientId":"2201","Secret":"x"}', "PartnerClientId"),
        (b'{"PartnerClientId":-1,"Secret":"x"}', "PartnerClientId"),
        (b'{"PartnerClientId":2201}', "Secret"),
        (b'{"PartnerClientId":2201,"Secret":5}', "Secret"),
        (b"[]", "body"),
    ],
)
def test_a_bad_token_request_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(BadField) as bad:
        messages.read_token_request(body)
    assert bad.value.field == field


def test_a_verify_request_is_one_json_string() -> None:
    assert messages.read_verify_request(b'"a.b.c"') == "a.b.c"
    for body in (b"{}", b"5", b'""'):
        with pytest.raises(BadField):
            messages.read_verify_request(body)
    with pytest.raises(BadJson):
        messages.read_verify_request(b"a.b.c")


def test_the_answer_that_is_written_once_is_the_one_that_would_be_written() -> None:
    like_it = outcomes.HubAnswer(outcomes.OK.status, outcomes.OK.code, outcomes.OK.message)
    assert messages.write_envelope(outcomes.OK) is messages.write_envelope(outcomes.OK)
    assert messages.write_envelope(outcomes.OK) == messages.write_envelope(like_it)


@pytest.mark.parametrize("value", ['a/\x7f\x00\x1f"\\é🎰\ud800', {"b": 1, "a": [True, None, 2**70]}, {}, []])
def test_compact_text_is_what_the_standard_writer_writes(value: object) -> None:
    assert messages.compact(value) == json.dumps(value, separators=(",", ":"))


def test_no_json_has_a_number_that_is_none() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        messages.compact(float("nan"))
