"""The answers to info, close, auth and data are read whole or not at all (casino.md 2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from croupier.casinos.betcore_v2 import codec
from croupier.core.counterparty import Casino
from croupier.core.readings import (
    Authorized,
    BalanceKnown,
    BalanceUnreadable,
    CloseDone,
    Contents,
    InfoList,
    No,
    PaymentKind,
    Unknown,
)
from croupier.core.refusals import CasinoNo
from tests.casinos.betcore_v2.samples import CASINO, OWN_CODES, REFUSALS, SAID, WHOLE, body, without

# --- info -------------------------------------------------------------------------------------------------------


def info(value: object, code: int = 200, casino: Casino = CASINO, status: int = 200) -> object:
    return codec.read_info(status, body(code, value), casino, bet_id=5)


@pytest.mark.parametrize(
    "moment",
    [
        "2026-11-22T11:09:01Z",
        "2026-11-22T11:09:01.1234567Z",
        "2026-11-22T11:09:01+02:00",
        "2026-11-22 11:09:01",
        "2026-11-22",
        1790000000,
        1790000000.25,
        "1790000000",
        None,
        "/Date(1790000000000+0200)/",
        "2026-11-22T11:09:01.1234567",
        "0000-00-00 00:00:00",
        "2026-06-30T23:59:60Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22t11:09:01z",
        1790000000123,
        "",
        "yesterday",
        -5,
        True,
        [],
        {"$date": "2026-11-22"},
    ],
)
def test_the_payments_of_a_bet_with_any_moment(moment: object) -> None:
    assert info([WHOLE | {"DateTime": moment}]) == InfoList((SAID,))


def test_what_decides_nothing_in_an_element_is_not_looked_at() -> None:
    """A null tax is no tax, numbers are their digits, and what the contract does not know is no business of ours."""
    element = WHOLE | {"TaxAmount": None, "PartnerTransactionId": 71, "Status": "ok", "Balance": "-1", "Id": {"a": [1]}}
    assert info([element]) == InfoList((replace(SAID, partner_tx="71"),))


def test_several_payments_in_the_order_told() -> None:
    second = WHOLE | {"TransactionType": 2, "PartnerTransactionId": "t-2", "Amount": 12.5, "TaxAmount": "0.00"}
    back = Contents(5, "p-7", PaymentKind.BET_RETURN, "12.5", "0.00", "t-2")
    assert info([second, WHOLE]) == InfoList((back, SAID))


def test_an_unknown_bet_is_an_empty_list_or_its_code() -> None:
    assert info([]) == InfoList(())
    assert info(..., 103805) == InfoList(())
    assert info(..., 103805, status=404) == InfoList(())
    assert info(..., 404, OWN_CODES) == InfoList(())


def test_the_replaced_code_of_an_unknown_bet_says_nothing() -> None:
    assert isinstance(info(..., 103805, OWN_CODES), Unknown)


@pytest.mark.parametrize("code", [500, 103804, *(set(REFUSALS) - {103805})])
def test_any_other_code_says_nothing_about_the_bet(code: int) -> None:
    assert isinstance(info([WHOLE], code), Unknown)
    assert isinstance(info([], code), Unknown)


@pytest.mark.parametrize("status", [302, 500, 503])
def test_info_of_a_broken_casino_says_nothing(status: int) -> None:
    assert isinstance(info([], status=status), Unknown)
    assert isinstance(info(..., 103805, status=status), Unknown)


@pytest.mark.parametrize("value", [..., None, {}, WHOLE, "", 0, False, {"Payments": []}])
def test_no_list_is_not_an_empty_list(value: object) -> None:
    assert isinstance(info(value), Unknown)


@pytest.mark.parametrize(
    "element",
    [
        None,
        5,
        [],
        {},
        *(without(name) for name in WHOLE),
        WHOLE | {"BetId": 6},
        WHOLE | {"TransactionType": 3},
        WHOLE | {"Amount": "-1"},
        WHOLE | {"PartnerTransactionId": "t-1 "},
    ],
)
def test_one_element_that_cannot_be_read_spoils_the_whole(element: object) -> None:
    assert isinstance(info([WHOLE, element]), Unknown)


# --- close, auth, data ------------------------------------------------------------------------------------------


def test_close_is_done_or_unknown() -> None:
    assert codec.read_close(200, body(200), CASINO) == CloseDone()
    for status, code in ((200, 103805), (200, 103804), (200, 500), (503, 200), (302, 200)):
        assert isinstance(codec.read_close(status, body(code), CASINO), Unknown)


PLAYER: dict[str, object] = {"RefreshToken": "r-2", "PartnerUserId": "p-7", "CurrencyCode": "EUR"}


def test_a_player_with_everything() -> None:
    value = PLAYER | {"IsTest": True, "Language": "de", "CountryCode": "AT", "Balance": 71.5}
    assert codec.read_auth(200, body(200, value), CASINO) == Authorized("r-2", "p-7", "EUR", True, "de", "AT", "71.5")


def test_a_player_with_the_least_and_with_odd_extras() -> None:
    least = Authorized("r-2", "p-7", "EUR")
    assert codec.read_auth(200, body(200, PLAYER), CASINO) == least
    odd = PLAYER | {"IsTest": None, "Language": 5, "CountryCode": "", "Balance": "lots", "Extra": {}}
    assert codec.read_auth(200, body(200, odd), CASINO) == least


@pytest.mark.parametrize(
    "value",
    [
        ...,
        None,
        [],
        *({k: v for k, v in PLAYER.items() if k != name} for name in PLAYER),
        PLAYER | {"PartnerUserId": 7.5},
        PLAYER | {"PartnerUserId": "p" * 129},
    ],
)
def test_a_player_that_cannot_be_read_is_unknown(value: object) -> None:
    assert isinstance(codec.read_auth(200, body(200, value), CASINO), Unknown)


@pytest.mark.parametrize(
    ("told", "is_test"),
    [(0, False), (1, True), ("0", False), ("1", True), ("false", False), ("True", True), (None, False), ("", False),
     ("maybe", False), (2, False), (1.0, False), ([], False), ({}, False)],
)  # fmt: skip
def test_a_flag_in_any_spelling_locks_no_door(told: object, is_test: bool) -> None:
    found = codec.read_auth(200, body(200, PLAYER | {"IsTest": told}), CASINO)
    assert found == Authorized("r-2", "p-7", "EUR", is_test)


def test_a_player_whose_id_is_a_number_is_its_digits() -> None:
    assert codec.read_auth(200, body(200, PLAYER | {"PartnerUserId": 7}), CASINO) == Authorized("r-2", "7", "EUR")


def test_a_player_refused() -> None:
    assert codec.read_auth(200, body(102145), CASINO) == No(CasinoNo.USER_UNKNOWN, 102145, "said")
    assert isinstance(codec.read_auth(200, body(103804, PLAYER), CASINO), Unknown)
    assert isinstance(codec.read_auth(500, body(102145), CASINO), Unknown)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("7100.5", "7100.5"), (7100.5, "7100.5"), (0, "0"), ("0.00", "0.00"), ("-1", "-1"), (-0.25, "-0.25"),
        ("7100.509999999999", "7100.509999999999"),
    ],
)  # fmt: skip
def test_a_balance(value: object, told: str) -> None:
    assert codec.read_balance(200, body(200, {"Balance": value}), CASINO) == BalanceKnown(told)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (..., "null"), (None, "null"), ([], "[]"), ({}, "null"), ("7", '"7"'), ({"Balance": None}, "null"),
        ({"Balance": "7,5"}, '"7,5"'), ({"Balance": "1,234.50"}, '"1,234.50"'), ({"Balance": 1e-7}, "1e-07"),
        ({"Balance": "1e-7"}, '"1e-7"'), ({"Balance": True}, "true"), ({"Balance": ""}, '""'), ({"Balance": "+1"}, '"+1"'),
        ({"Balance": "9" * 70}, '"' + "9" * 59 + "..."), ({"Balance": "\n"}, '"\\n"'),
    ],
)  # fmt: skip
def test_an_answer_without_a_readable_balance_is_an_answer_and_quoted(value: object, said: str) -> None:
    """It informs and decides nothing: a casino that writes it oddly must not keep its games shut."""
    assert codec.read_balance(200, body(200, value), CASINO) == BalanceUnreadable(said)


def test_a_balance_refused() -> None:
    assert codec.read_balance(200, body(103779), CASINO) == No(CasinoNo.USER_BLOCKED, 103779, "said")
    assert isinstance(codec.read_balance(200, body(500), CASINO), Unknown)
