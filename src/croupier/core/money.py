"""Amounts: decimal text on the wire, integer minor units everywhere else.

Owns: the table of currencies with their exponents, the only grammar of amounts, the only computation of a tax.
Never: a float, an undocumented rounding, a conversion between currencies. Spec: money.md 1.

The table holds the active national currencies and funds codes of ISO 4217 with the exponents of the standard, and the
coins below. It also holds ANG and BGN, which left the standard in 2025 and 2026, because stored payments still name
them. Metals and test codes have no minor unit in the standard and are left out. A coin has the decimals of its own
ledger, at most 8 because the grammar allows no more. ETH, BNB, DAI, TON and SOL therefore have 8; an amount with more
decimals is refused and never rounded. Codes are case-sensitive: `mBTC` is a thousandth of `BTC`.
"""

from __future__ import annotations

import re
from functools import lru_cache

_BY_EXPONENT: dict[int, str] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE
        CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD
        HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP
        MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD
        SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS
        VED VES WST XCD XCG YER ZAR ZMW ZWG""",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

_COINS: dict[str, int] = {
    "BTC": 8, "mBTC": 5, "uBTC": 2, "BCH": 8, "LTC": 8, "DOGE": 8, "DASH": 8, "ZEC": 8,
    "ETH": 8, "mETH": 5, "BNB": 8, "SOL": 8, "TON": 8, "DOT": 8, "DAI": 8, "SHIB": 8,
    "TRX": 6, "XRP": 6, "ADA": 6, "XLM": 7, "USDT": 6, "USDC": 6,
}  # fmt: skip

CURRENCIES: dict[str, int] = {
    **{code: digits for digits, codes in _BY_EXPONENT.items() for code in codes.split()},
    **_COINS,
}
"""Currency code to exponent: the number of decimals of the major unit."""

MAX_MINOR = 10**17
"""The largest amount, in minor units of any currency; sums of several still fit a 64-bit integer."""

GRAMMAR_TEXT = "must be 1 to 15 digits, and at most 8 decimals after a point"
"""The grammar in words, for error messages."""

GRAMMAR = r"([0-9]{1,15})(?:\.([0-9]{1,8}))?"
"""The grammar as a regular expression, matched against the whole text."""

_GRAMMAR = re.compile(GRAMMAR)
_BALANCE = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,60}))?")


class UnknownCurrency(ValueError):
    """The currency code is not in the table."""

    def __init__(self, currency: str) -> None:
        super().__init__(f"currency {currency[:16]!r} is not known")
        self.currency = currency
        near = next((code for code in CURRENCIES if code.lower() == currency.lower()), None)
        self.todo = "write its code, such as EUR or mBTC" if near is None else f"did you mean {near}?"
        """Advice for the person who reads the error."""


class BadAmount(ValueError):
    """The text is not an amount of this currency. `why` is one short line that may be sent to the peer; it never quotes
    the text.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def exponent(currency: str) -> int:
    """Return the number of decimals of a currency. Raises UnknownCurrency."""
    try:
        return CURRENCIES[currency]
    except KeyError:
        raise UnknownCurrency(currency) from None


def is_amount(text: str) -> bool:
    """Return whether the text matches the grammar. `parse_amount` may still refuse its decimals or its size."""
    return _GRAMMAR.fullmatch(text) is not None


def parse_amount(text: str, currency: str) -> int:
    """Return decimal text in major units as minor units. Raises BadAmount, UnknownCurrency."""
    return _minor_of(text, currency)


@lru_cache(maxsize=1024)
def _minor_of(text: str, currency: str) -> int:
    """Return what `parse_amount` returns. One bet reads its stake three times, and many bets have the same one."""
    digits = exponent(currency)
    matched = _GRAMMAR.fullmatch(text)
    if matched is None:
        raise BadAmount(GRAMMAR_TEXT)
    whole, fraction = matched[1], matched[2] or ""
    if fraction[digits:].strip("0"):
        raise BadAmount(f"has more decimals than the {digits} of {currency}")
    minor = int(whole + fraction[:digits].ljust(digits, "0"))
    if minor > MAX_MINOR:
        raise BadAmount("is too large")
    return minor


def balance_minor(text: str, currency: str) -> int:
    """Return a balance in whole minor units. Finer decimals are rounded down, because a balance decides nothing.

    A balance below 0 is returned as 0. Raises BadAmount for other text, UnknownCurrency.
    """
    digits = exponent(currency)
    matched = _BALANCE.fullmatch(text)
    if matched is None:
        raise BadAmount("is no balance")
    minor = int(matched[2] + (matched[3] or "")[:digits].ljust(digits, "0"))
    if minor > MAX_MINOR:
        raise BadAmount("is too large")
    return 0 if matched[1] else minor


def is_balance(text: str) -> bool:
    """Return whether `balance_minor` can read the text; it may still refuse its size."""
    return _BALANCE.fullmatch(text) is not None


def format_amount(minor: int, currency: str) -> str:
    """Return minor units as decimal text with all of the currency's decimals. Raises UnknownCurrency.

    A difference, such as gross gaming revenue, may be negative and then has a minus sign. Wire amounts are never
    negative, and `parse_amount` refuses a sign.
    """
    digits = exponent(currency)
    text = str(abs(minor)).rjust(digits + 1, "0")
    sign = "-" if minor < 0 else ""
    return f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else f"{sign}{text}"


def same_amount(text: str | None, minor: int, currency: str) -> bool:
    """Return whether `text` is exactly `minor`. None, or text that is not an amount, is never equal."""
    if text is None:
        return False
    try:
        return parse_amount(text, currency) == minor
    except BadAmount:
        return False


def tax_of(minor: int, basis_points: int) -> int:
    """Return `basis_points` ten-thousandths of `minor`, in minor units, rounded half to even."""
    if minor < 0 or basis_points < 0:
        raise ValueError("neither an amount nor a tax rate is negative")
    whole, rest = divmod(minor * basis_points, 10_000)
    return whole + (rest > 5_000 or (rest == 5_000 and whole % 2 == 1))
