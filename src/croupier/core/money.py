"""Amounts: decimal text on the wire, integer minor units everywhere else.

Owns: the table of currencies with their exponents, the one grammar of amounts, the one place that computes
a tax. Never: a float, a rounding that no rule names, a conversion between currencies. Spec: money.md 1.

The table holds the active national currencies and funds codes of ISO 4217 (exponents are the standard's), ANG
and BGN, which left it in 2025 and 2026 while stored payments still name them, and the coins below. Metals and
test codes have no minor unit in the standard and are left out. Coins carry what their own ledger counts in, at most 8
decimals because the grammar has no more: ETH, BNB, DAI, TON, SOL and their like are cut to 8, which is refused and never
rounded when a casino sends more. Codes are case-sensitive: `mBTC` is a thousandth of `BTC`.
"""

from __future__ import annotations

import re

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
"""Currency code to exponent: how many decimals of the major unit the minor unit is."""

MAX_MINOR = 10**17
"""The largest amount, in minor units of any currency; it fits a 64-bit integer with room to add."""

GRAMMAR_TEXT = "must be 1 to 15 digits, and at most 8 decimals after a point"
"""The grammar for people, as an error names it."""

GRAMMAR = r"([0-9]{1,15})(?:\.([0-9]{1,8}))?"
"""The same as a pattern, for the whole of the text."""

_GRAMMAR = re.compile(GRAMMAR)
_BALANCE = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,60}))?")


class UnknownCurrency(ValueError):
    """The code is not in the table, so nothing is known about its amounts."""

    def __init__(self, currency: str) -> None:
        super().__init__(f"currency {currency[:16]!r} is not known")
        self.currency = currency
        near = next((code for code in CURRENCIES if code.lower() == currency.lower()), None)
        self.todo = "write its code, such as EUR or mBTC" if near is None else f"did you mean {near}?"
        """What a person may do."""


class BadAmount(ValueError):
    """The text is no amount of this currency. `why` is one short line fit for the peer; it never quotes the text."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def exponent(currency: str) -> int:
    """How many decimals the currency has. Raises UnknownCurrency."""
    try:
        return CURRENCIES[currency]
    except KeyError:
        raise UnknownCurrency(currency) from None


def is_amount(text: str) -> bool:
    """Whether the text is within the grammar; a currency may still refuse its decimals or its size."""
    return _GRAMMAR.fullmatch(text) is not None


def parse_amount(text: str, currency: str) -> int:
    """Read decimal text in major units into minor units. Raises BadAmount, UnknownCurrency."""
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
    """What a balance says in whole minor units: it informs and decides nothing, so what is finer is rounded down.

    Below 0 is told as 0. Raises BadAmount for other text, UnknownCurrency.
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
    """Whether `balance_minor` can read it, if it is not too large."""
    return _BALANCE.fullmatch(text) is not None


def format_amount(minor: int, currency: str) -> str:
    """Write minor units as decimal text with all of the currency's decimals. Raises UnknownCurrency.

    A difference (gross gaming revenue, a balance moved by payments) may be negative and then carries a minus
    sign; no wire amount is, and parse_amount refuses it.
    """
    digits = exponent(currency)
    text = str(abs(minor)).rjust(digits + 1, "0")
    sign = "-" if minor < 0 else ""
    return f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else f"{sign}{text}"


def same_amount(text: str | None, minor: int, currency: str) -> bool:
    """Whether `text` says exactly `minor`. No text, or text that is no amount, is never the same."""
    if text is None:
        return False
    try:
        return parse_amount(text, currency) == minor
    except BadAmount:
        return False


def tax_of(minor: int, basis_points: int) -> int:
    """`basis_points` ten-thousandths of `minor`, in minor units, rounded half to even."""
    if minor < 0 or basis_points < 0:
        raise ValueError("neither an amount nor a tax rate is negative")
    whole, rest = divmod(minor * basis_points, 10_000)
    return whole + (rest > 5_000 or (rest == 5_000 and whole % 2 == 1))
