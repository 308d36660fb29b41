"""The kinds of value that a quirk can have: reading from a setting's text and from the profile, and bounds.

Owns: reading, bounds, and the text that describes the allowed values. Never: the kind of a quirk (profiles).
Spec: operate.md 4, money.md 1.2 (amounts).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from croupier.core.money import GRAMMAR_TEXT, is_amount
from croupier.core.refusals import CasinoNo
from croupier.kit.networks import plain_network

NONE_WORDS = frozenset({"", "none", "off"})
_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0"})
_WHOLE = re.compile(r"-?[0-9]{1,12}")
_DURATION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,31}")
MOST_WORDS = 32
_PATH = re.compile(r"/[^\x00-\x1f\x7f\ud800-\udfff]{1,1023}")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9._:\[\]-]{1,255}")


class Unfit(ValueError):
    """The value is not of this kind. The kind's `allowed` describes the valid ones."""


@dataclass(frozen=True, slots=True)
class QuirkKind:
    """One kind of value. All functions raise Unfit."""

    allowed: str
    """The allowed values, as text to follow "must be"."""
    check: Callable[[Any], Any]
    """Returns the typed value of a typed or a stored (JSON) value."""
    from_text: Callable[[str], Any]
    """Returns the stored form of a setting's text, unchecked."""
    to_json: Callable[[Any], Any] = lambda value: value
    """Returns the stored form of a typed value."""


def seconds(most: float) -> QuirkKind:
    """Return the kind of a duration above 0."""

    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
            raise Unfit
        return float(value)

    return QuirkKind(f"seconds above 0 and at most {most:g}", check, _duration)


def whole(least: int, most: int, *, none: bool = False) -> QuirkKind:
    """Return the kind of a whole number; with `none` also of no value."""

    def check(value: object) -> int | None:
        return None if none and value is None else _between(value, least, most)

    def from_text(text: str) -> int | None:
        return None if none and text.lower() in NONE_WORDS else _number(text)

    return QuirkKind(f"a whole number from {least} to {most}{', or none' if none else ''}", check, from_text)


def flag() -> QuirkKind:
    """Return the kind of yes or no."""

    def check(value: object) -> bool:
        if not isinstance(value, bool):
            raise Unfit
        return value

    def from_text(text: str) -> bool:
        if text.lower() not in _YES | _NO:
            raise Unfit
        return text.lower() in _YES

    return QuirkKind("true or false", check, from_text)


def amount() -> QuirkKind:
    """Return the kind of an amount as decimal text in major units (grammar of money.md 1.2), or no value."""

    def check(value: object) -> str | None:
        if value is not None and not (isinstance(value, str) and is_amount(value)):
            raise Unfit
        return value

    allowed = f"an amount ({GRAMMAR_TEXT.removeprefix('must be ')}) or none"
    return QuirkKind(allowed, check, lambda text: None if text.lower() in NONE_WORDS else text)


def choice(values: type[Enum] | tuple[str, ...]) -> QuirkKind:
    """Return the kind of one choice of a closed list: an enum, stored by its value, or plain texts."""
    if isinstance(values, tuple):
        return QuirkKind(_one_of(values), _one_check(values), lambda text: text)

    def check(value: object) -> Enum:
        try:
            return values(value)
        except ValueError:
            raise Unfit from None

    return QuirkKind(_one_of([e.value for e in values]), check, lambda text: text, lambda value: value.value)


def numbers(least: int, most: int) -> QuirkKind:
    """Return the kind of a list of different whole numbers, as text separated by commas."""

    def check(value: object) -> tuple[int, ...]:
        return _different([_between(one, least, most) for one in _listed(value)])

    allowed = f"different whole numbers from {least} to {most} with commas between them"
    return QuirkKind(allowed, check, lambda text: [_number(part) for part in _parts(text)], list)


def word(*, none: bool = False) -> QuirkKind:
    """Return the kind of one short word; with `none` also of no value."""

    def check(value: object) -> str | None:
        if none and value is None:
            return None
        if not isinstance(value, str) or not _WORD.fullmatch(value):
            raise Unfit
        return value

    def from_text(text: str) -> str | None:
        return None if none and text.lower() in NONE_WORDS else text

    return QuirkKind(f"a word such as live{' or none' if none else ''}", check, from_text)


def words() -> QuirkKind:
    """Return the kind of a list of different short words, as text separated by commas."""

    def check(value: object) -> tuple[str, ...]:
        found = _listed(value)
        if len(found) > MOST_WORDS or not all(isinstance(one, str) and _WORD.fullmatch(one) for one in found):
            raise Unfit
        return _different(found)

    return QuirkKind("different words such as free-rounds with commas between them", check, _parts, list)


def origins() -> QuirkKind:
    """Return the kind of a list of web origins, as text separated by commas."""

    def check(value: object) -> tuple[str, ...]:
        found = _listed(value)
        if not all(isinstance(one, str) and _ORIGIN.fullmatch(one) for one in found):
            raise Unfit
        return _different([one.lower() for one in found])

    return QuirkKind("different origins such as https://casino.example with commas between them", check, _parts, list)


def networks() -> QuirkKind:
    """Return the kind of a list of networks and addresses, as text separated by commas."""

    def check(value: object) -> tuple[str, ...]:
        found = [plain_network(one) if isinstance(one, str) else None for one in _listed(value)]
        if len(found) > MOST_WORDS or None in found:
            raise Unfit
        return _different(found)

    return QuirkKind(
        "different networks such as 192.0.2.0/24 or addresses with commas between them", check, _parts, list
    )


def path() -> QuirkKind:
    """Return the kind of the absolute path of a file, or no value."""

    def check(value: object) -> str | None:
        if value is not None and not (isinstance(value, str) and _PATH.fullmatch(value)):
            raise Unfit
        return value

    allowed = "an absolute path such as /etc/croupier/owl.pem, or none"
    return QuirkKind(allowed, check, lambda text: None if text.lower() in NONE_WORDS else text)


def codes() -> QuirkKind:
    """Return the kind of a casino's own error codes by reason. A number means one reason at one casino."""

    def check(value: object) -> dict[CasinoNo, int]:
        if not isinstance(value, Mapping):
            raise Unfit
        try:
            found = {CasinoNo(reason): _between(code, -(2**31), 2**53) for reason, code in value.items()}
        except ValueError:
            raise Unfit from None
        _different(list(found.values()))
        return found

    reasons = ", ".join(no.value for no in CasinoNo)
    allowed = f"a different whole number for each of some of: {reasons}"
    return QuirkKind(allowed, check, _unfit, lambda value: {reason.value: code for reason, code in value.items()})


def _unfit(_text: str) -> object:
    raise Unfit


def _duration(text: str) -> float:
    if not _DURATION.fullmatch(text):
        raise Unfit
    value = float(text)
    assert math.isfinite(value)
    return value


def _number(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise Unfit
    return int(text)


def _between(value: object, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Unfit
    return value


def _one_check(values: tuple[str, ...]) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not isinstance(value, str) or value not in values:
            raise Unfit
        return value

    return check


def _one_of(values: list[str] | tuple[str, ...]) -> str:
    return f"one of: {', '.join(values)}"


def _parts(text: str) -> list[str]:
    return [] if text.lower() in NONE_WORDS else [part.strip() for part in text.split(",")]


def _listed(value: object) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise Unfit
    return list(value)


def _different(values: list[Any]) -> tuple[Any, ...]:
    if len(set(values)) != len(values):
        raise Unfit
    return tuple(values)
