"""Amounts are read and written exactly, or refused; nothing in between (money.md 1)."""

from __future__ import annotations

import ast
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.core import money
from croupier.core.money import (
    CURRENCIES,
    MAX_MINOR,
    BadAmount,
    UnknownCurrency,
    exponent,
    format_amount,
    is_amount,
    parse_amount,
    same_amount,
    tax_of,
)

currencies = st.sampled_from(sorted(CURRENCIES))
amounts = st.integers(min_value=0, max_value=MAX_MINOR)


def writable(minor: int, currency: str) -> bool:
    """Whether the amount fits the grammar's 15 digits before the point."""
    return minor < 10 ** (15 + exponent(currency))


@pytest.mark.parametrize(
    ("code", "digits"),
    [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("BTC", 8), ("mBTC", 5), ("uBTC", 2), ("ETH", 8), ("USDT", 6)],
)
def test_exponents_are_those_of_the_standard_and_of_the_coins(code: str, digits: int) -> None:
    assert exponent(code) == digits


def test_the_table_has_no_exponent_the_grammar_cannot_write() -> None:
    assert set(CURRENCIES.values()) <= set(range(9))
    assert len(CURRENCIES) > 170


@pytest.mark.parametrize("code", ["", "eur", "MBTC", "XXX", "XAU", "EURO", "E" * 10_000])
def test_an_unknown_currency_is_refused_everywhere(code: str) -> None:
    for attempt in (lambda: exponent(code), lambda: parse_amount("1", code), lambda: format_amount(1, code)):
        with pytest.raises(UnknownCurrency) as caught:
            attempt()
        assert len(str(caught.value)) < 60


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", "EUR", 1250),
        ("12.5", "EUR", 1250),
        ("12", "EUR", 1200),
        ("0", "EUR", 0),
        ("000000000000012.50", "EUR", 1250),
        ("12.50000000", "EUR", 1250),
        ("7", "JPY", 7),
        ("7.00", "JPY", 7),
        ("1.234", "KWD", 1234),
        ("0.00000001", "BTC", 1),
        ("0.00001", "mBTC", 1),
        ("999999999999999.99", "EUR", 99_999_999_999_999_999),
        ("1000000000.00000000", "BTC", MAX_MINOR),
    ],
)
def test_good_amounts_are_read_exactly(text: str, currency: str, minor: int) -> None:
    assert parse_amount(text, currency) == minor


@pytest.mark.parametrize(
    "text",
    [
        "", " ", " 1", "1 ", "1\n", "\n1", "-1", "+1", "-0", "1e2", "1E2", "NaN", "Infinity", "0x10", "1,50", "1 000",
        "1_000", ".5", "5.", "1..2", "1.2.3", "1.", "1.123456789", "1234567890123456", "1" * 10_000, "1\x00",
        "١٢", "１２", "1\u066b5", "²", "Ⅷ", "12.5０",
    ],
)  # fmt: skip
@pytest.mark.parametrize("currency", ["EUR", "BTC", "JPY"])
def test_anything_outside_the_grammar_is_refused(text: str, currency: str) -> None:
    assert not is_amount(text)
    with pytest.raises(BadAmount):
        parse_amount(text, currency)


def test_the_grammar_alone_leaves_decimals_and_size_to_the_currency() -> None:
    assert is_amount("12.505")
    assert is_amount("999999999999999.99999999")


@pytest.mark.parametrize(
    ("text", "currency"), [("12.505", "EUR"), ("0.1", "JPY"), ("0.0001", "KWD"), ("1.001", "uBTC")]
)
def test_more_decimals_than_the_currency_has_are_refused_never_rounded(text: str, currency: str) -> None:
    with pytest.raises(BadAmount, match="more decimals"):
        parse_amount(text, currency)


@pytest.mark.parametrize(("text", "currency"), [("1000000000.00000001", "BTC"), ("999999999999999", "KWD")])
def test_more_than_the_limit_is_refused(text: str, currency: str) -> None:
    with pytest.raises(BadAmount, match="too large"):
        parse_amount(text, currency)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1250, "EUR", "12.50"),
        (7, "JPY", "7"),
        (0, "JPY", "0"),
        (0, "EUR", "0.00"),
        (5, "EUR", "0.05"),
        (1, "BTC", "0.00000001"),
        (710050, "EUR", "7100.50"),
        (-5, "EUR", "-0.05"),
        (-7, "JPY", "-7"),
    ],
)
def test_amounts_are_written_with_all_decimals_of_the_currency(minor: int, currency: str, text: str) -> None:
    assert format_amount(minor, currency) == text


@given(minor=amounts, currency=currencies)
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    text = format_amount(minor, currency)
    assert Decimal(text).scaleb(exponent(currency)) == minor
    if writable(minor, currency):
        assert parse_amount(text, currency) == minor
        assert same_amount(text, minor, currency)
    else:
        assert not same_amount(text, minor, currency)


@given(text=st.from_regex(r"[0-9]{1,15}(\.[0-9]{1,8})?", fullmatch=True), currency=currencies)
def test_reading_agrees_with_decimal_arithmetic_or_refuses(text: str, currency: str) -> None:
    """The model is the standard library's decimal: exact whenever we say yes, inexact or too large when we say no."""
    model = Decimal(text).scaleb(exponent(currency))
    fits = model == model.to_integral_value() and model <= MAX_MINOR
    if fits:
        assert parse_amount(text, currency) == int(model)
    else:
        with pytest.raises(BadAmount):
            parse_amount(text, currency)


@given(text=st.text(max_size=30), currency=currencies)
def test_any_text_gives_a_bounded_amount_or_a_refusal(text: str, currency: str) -> None:
    try:
        minor = parse_amount(text, currency)
    except BadAmount as refused:
        assert refused.why
        return
    assert type(minor) is int
    assert 0 <= minor <= MAX_MINOR
    assert text.isascii()


@given(one=amounts, other=amounts, currency=currencies)
def test_order_survives_writing(one: int, other: int, currency: str) -> None:
    texts = (Decimal(format_amount(one, currency)), Decimal(format_amount(other, currency)))
    assert (one < other) == (texts[0] < texts[1])


@pytest.mark.parametrize("text", [None, "", "12.5x", "-12.50", "12.501", "12.51"])
def test_no_text_and_no_amount_are_never_the_same(text: str | None) -> None:
    assert not same_amount(text, 1250, "EUR")


def test_spelling_does_not_make_another_amount() -> None:
    assert all(same_amount(text, 1250, "EUR") for text in ("12.5", "12.50", "012.5", "12.500"))


@pytest.mark.parametrize(
    ("minor", "rate", "tax"),
    [
        (1000, 1500, 150),
        (0, 1500, 0),
        (1, 5000, 0),
        (3, 5000, 2),
        (5, 5000, 2),
        (1, 5001, 1),
        (1, 4999, 0),
        (7, 10_000, 7),
    ],
)
def test_tax_rounds_half_to_even(minor: int, rate: int, tax: int) -> None:
    assert tax_of(minor, rate) == tax


@given(minor=amounts, rate=st.integers(min_value=0, max_value=10_000))
def test_tax_agrees_with_decimal_arithmetic(minor: int, rate: int) -> None:
    model = (Decimal(minor) * rate / 10_000).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    tax = tax_of(minor, rate)
    assert type(tax) is int
    assert tax == int(model)


@given(minor=amounts, more=st.integers(min_value=0, max_value=10**6), rate=st.integers(min_value=0, max_value=10_000))
def test_more_money_never_owes_less_tax_and_tax_never_passes_the_amount(minor: int, more: int, rate: int) -> None:
    assert tax_of(minor, rate) <= tax_of(minor + more, rate)
    assert tax_of(minor, rate) <= minor


@pytest.mark.parametrize(("minor", "rate"), [(-1, 100), (1, -100)])
def test_tax_of_something_negative_is_a_bug(minor: int, rate: int) -> None:
    with pytest.raises(ValueError, match="negative"):
        tax_of(minor, rate)


def test_no_float_is_written_in_the_module() -> None:
    """No float literal, no `float` and no true division: nothing there can make an inexact number."""
    tree = ast.parse(Path(money.__file__).read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, float)]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Div)]
    assert "float" not in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


COINS = """
BTC 8  mBTC 5  uBTC 2  BCH 8  LTC 8  DOGE 8  DASH 8  ZEC 8  ETH 8  mETH 5  BNB 8  SOL 8  TON 8  DOT 8  DAI 8  SHIB 8
TRX 6  XRP 6  ADA 6  XLM 7  USDT 6  USDC 6
"""
"""What the coins of money.md 1.1 are cut to: their own decimals, at most the 8 of the grammar."""


def test_every_coin_has_its_decimals_and_no_other_code_is_one() -> None:
    words = COINS.split()
    coins = {code: int(digits) for code, digits in zip(words[::2], words[1::2], strict=True)}
    assert {code: money.exponent(code) for code in coins} == coins
    assert {code for code in money.CURRENCIES if len(code) != 3 or not code.isupper()} <= coins.keys()


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("7100.5", "EUR", 710050), ("7100.509", "EUR", 710050), ("0.009999999999", "EUR", 0), ("-0.01", "EUR", 0),
        ("-5", "JPY", 0), ("99.9", "JPY", 99), ("0.123456789", "BTC", 12345678), ("1." + "9" * 60, "KWD", 1999),
    ],
)  # fmt: skip
def test_a_balance_informs_so_it_is_rounded_down_and_never_below_nothing(text: str, currency: str, minor: int) -> None:
    assert money.balance_minor(text, currency) == minor


@pytest.mark.parametrize("text", ["", "1e-7", "1,234.50", "1.", ".5", "+1", " 1", "NaN", "--1", "1" * 16, "\u0661"])
def test_what_is_no_balance_is_refused(text: str) -> None:
    with pytest.raises(BadAmount):
        money.balance_minor(text, "EUR")


@given(minor=st.integers(0, 10**9), currency=currencies)
def test_an_amount_is_the_same_at_every_reading(minor: int, currency: str) -> None:
    text = format_amount(minor, currency)
    assert [parse_amount(again, currency) for again in (text, text, f"{text}", type("Text", (str,), {})(text))] == [
        minor
    ] * 4


def test_what_is_read_of_one_currency_is_not_taken_for_another() -> None:
    assert [parse_amount("1", code) for code in ("EUR", "JPY", "KWD", "EUR")] == [100, 1, 1000, 100]
    for _ in range(2):
        with pytest.raises(BadAmount, match="more decimals"):
            parse_amount("1.50", "JPY")
