"""Amounts as the simulator's peers read and write them, in arithmetic of their own, so that a bug of the hub's shows.

Owns: the few currencies that are played, their decimals, tax. Never: the hub's functions for the same
(core.money). Spec: money.md 1, casino.md 2.5.
"""

from __future__ import annotations

import re
from fractions import Fraction

DECIMALS = {"EUR": 2, "JPY": 0, "KWD": 3, "mBTC": 5}
"""The number of decimals of each currency's minor unit."""
_GRAMMAR = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,8}))?")


def minor_of(text: object, currency: str) -> int:
    """Return decimal text in minor units; raise ValueError for any text outside the contract's grammar."""
    matched = _GRAMMAR.fullmatch(text) if isinstance(text, str) else None
    if matched is None:
        msg = f"{text!r} is no amount"
        raise ValueError(msg)
    scaled = Fraction(matched[0]) * _unit(currency)
    if scaled.denominator != 1:
        msg = f"{text!r} is finer than {currency}"
        raise ValueError(msg)
    return scaled.numerator


def text_of(minor: int, currency: str) -> str:
    """Return minor units as decimal text with all decimals of the currency."""
    unit = _unit(currency)
    whole, rest = divmod(minor, unit)
    return f"{whole}.{str(rest + unit)[1:]}" if unit > 1 else str(whole)


def _unit(currency: str) -> int:
    return int("1" + "0" * DECIMALS[currency])


def tax_of(minor: int, basis_points: int) -> int:
    """Return the tax at a rate in ten-thousandths, rounded half to even."""
    return round(Fraction(minor * basis_points, 10_000))
