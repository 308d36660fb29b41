"""The profile on a counterparty's row: the quirks in which it differs from the documented defaults, typed and checked.

Owns: the kind of each quirk, and the conversion of settings (`set KEY=VALUE`) and of the stored form to the records of
core.counterparty and back. Never: SQL. Spec: operate.md 4.

The row holds only the differences, so a changed default applies to everybody who set no value. Unknown quirks of a
newer version are left unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from decimal import Decimal
from typing import Any

from croupier.core.counterparty import Casino, LateAccept, Provider, UserId
from croupier.core.refusals import CasinoNo
from croupier.kit.keys import ALGORITHMS
from croupier.store.parties.quirk_kinds import (
    QuirkKind,
    Unfit,
    amount,
    choice,
    codes,
    flag,
    networks,
    numbers,
    origins,
    path,
    seconds,
    whole,
)

CODES = "codes."
DEFAULT_WORD = "default"
_CODE = whole(-(2**31), 2**53)
_SHOWN = 40
_MOST_S = 14.0
"""Longest time of a whole call: it ends before its lease does (Waits.lease_s)."""


class BadProfile(ValueError):
    """Values that cannot be set. `problems` has one line for each, fit for a person."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Side:
    """One kind of counterparty: its name, its record, its quirks."""

    name: str
    record: type[Casino | Provider]
    quirks: Mapping[str, QuirkKind]

    def default(self, quirk: str) -> Any:  # noqa: ANN401 - as varied as quirks are
        """Return the documented default."""
        spec = next(f for f in fields(self.record) if f.name == quirk)
        return spec.default if spec.default_factory is MISSING else spec.default_factory()


CASINOS = Side(
    "casino",
    Casino,
    {
        "alg": choice(ALGORITHMS),
        "late_accept": choice(LateAccept),
        "tax_bp": whole(0, 10_000, none=True),
        "batch": whole(1, 100),
        "info": flag(),
        "close": flag(),
        "skip_zero": flag(),
        "reuses_transaction_ids": flag(),
        "codes": codes(),
        "connect_s": seconds(_MOST_S),
        "total_s": seconds(_MOST_S),
        "in_flight": whole(1, 100_000),
        "exact_balance": flag(),
        "min_bet": amount(),
        "max_bet": amount(),
        "large_win": amount(),
        "max_win": amount(),
        "max_odd": amount(),
        "origins": origins(),
        "addresses": networks(),
        "requests_per_s": whole(1, 100_000, none=True),
        "client_cert": path(),
        "client_key": path(),
        "ca": path(),
        "reality_check_s": whole(60, 86_400, none=True),
        "trace_header": flag(),
    },
)

PROVIDERS = Side(
    "provider",
    Provider,
    {
        # An unanswered stake is queried from 30 s on, and may be judged "not there" at 60 s at the latest.
        "hold_s": seconds(29.0),
        "claim_s": seconds(3600.0),
        "pay_out_waits": flag(),
        "user_id": choice(UserId),
        "fresh_s": seconds(300.0),
        "min_bet": amount(),
        "max_bet": amount(),
        "large_win": amount(),
        "max_win": amount(),
        "max_odd": amount(),
        "games_enabled": flag(),
        "review_games": flag(),
        "game_types": numbers(0, 2**31 - 1),
        "addresses": networks(),
        "requests_per_s": whole(1, 100_000, none=True),
        "client_cert": path(),
        "client_key": path(),
        "ca": path(),
        "total_s": seconds(60.0),
    },
)

_ENABLED = flag()


def profile_from_settings(settings: Mapping[str, str], side: Side) -> dict[str, Any]:
    """Return the changes of `set KEY=VALUE…`, typed, for `change` of that side. The word "default" resets a quirk.

    Raises BadSettings with every problem.
    """
    found: dict[str, Any] = {}
    problems: list[str] = []
    for key, text in settings.items():
        try:
            found[key] = _setting(side, key, text.strip())
        except BadProfile as bad:
            problems.extend(bad.problems)
    if problems:
        raise BadProfile(problems)
    return found


def read_profile(side: Side, stored: str) -> dict[str, Any]:
    """Return the record's fields from the stored profile. Raises BadSettings if it cannot be read."""
    document = json.loads(stored)
    return {
        name: _checked(f"{name} in the profile", kind, document[name])
        for name, kind in side.quirks.items()
        if name in document
    }


def write_profile(side: Side, stored: str, changes: Mapping[str, Any]) -> str:
    """Return the stored profile with these quirks changed, each given typed. Raises BadSettings.

    `codes` replaces all of a casino's own codes, `codes.<reason>` one of them; None there removes it.
    """
    document = json.loads(stored)
    for name, value in _with_single_codes(side, document, changes).items():
        kind = side.quirks.get(name)
        if kind is None:
            raise BadProfile([_unknown(side, name)])
        typed = _checked(name, kind, value)
        document.pop(name, None)
        if typed != side.default(name):
            document[name] = kind.to_json(typed)
    check_limits(document)
    _check_certificate(document)
    return json.dumps(document, separators=(",", ":"))


def is_quirk(side: Side, name: str) -> bool:
    """Return whether the profile holds this setting, and not a column of its own."""
    return name in side.quirks or (name.startswith(CODES) and "codes" in side.quirks)


def _setting(side: Side, key: str, text: str) -> Any:  # noqa: ANN401 - as varied as quirks are
    if key.startswith(CODES) and "codes" in side.quirks:
        _reason(key)
        return None if text == DEFAULT_WORD else _from_text(key, _CODE, text)
    if key == "enabled":
        return _from_text(key, _ENABLED, text)
    kind = side.quirks.get(key)
    if kind is None or key == "codes":
        raise BadProfile([_unknown(side, key)])
    return side.default(key) if text == DEFAULT_WORD else _from_text(key, kind, text)


def _from_text(key: str, kind: QuirkKind, text: str) -> Any:  # noqa: ANN401 - as varied as quirks are
    try:
        return kind.check(kind.from_text(text))
    except Unfit:
        raise BadProfile([_not_allowed(key, kind, text)]) from None


def _checked(key: str, kind: QuirkKind, value: object) -> Any:  # noqa: ANN401 - as varied as quirks are
    try:
        return kind.check(value)
    except Unfit:
        raise BadProfile([_not_allowed(key, kind, value)]) from None


def _with_single_codes(side: Side, document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes with every `codes.<reason>` merged into one `codes`."""
    singles = {name: code for name, code in changes.items() if name.startswith(CODES) and is_quirk(side, name)}
    rest = {name: value for name, value in changes.items() if name not in singles}
    if not singles:
        return rest
    own: dict[Any, Any] = {CasinoNo(k): v for k, v in rest.get("codes", document.get("codes", {})).items()}
    own.update({_reason(name): code for name, code in singles.items()})
    return {**rest, "codes": {reason: code for reason, code in own.items() if code is not None}}


def _reason(key: str) -> CasinoNo:
    try:
        return CasinoNo(key.removeprefix(CODES))
    except ValueError:
        reasons = ", ".join(CODES + no.value for no in CasinoNo)
        raise BadProfile([f"{key[:_SHOWN]} is not a setting; the codes are: {reasons}"]) from None


def check_limits(document: Mapping[str, Any]) -> None:
    """Check that the smallest bet is not above the largest. Raises BadSettings."""
    low, high = document.get("min_bet"), document.get("max_bet")
    if low is not None and high is not None and Decimal(low) > Decimal(high):
        raise BadProfile([f"min_bet must not be above max_bet, and {low} is above {high}"])


def _check_certificate(document: Mapping[str, Any]) -> None:
    """Check that a key has its certificate. Raises BadProfile."""
    if "client_key" in document and "client_cert" not in document:
        raise BadProfile(["client_key needs client_cert, the file of the certificate that it belongs to"])


def _not_allowed(key: str, kind: QuirkKind, value: object) -> str:
    return f"{key} must be {kind.allowed}, not {str(value)[:_SHOWN]!r}"


def _unknown(side: Side, key: str) -> str:
    other = PROVIDERS if side is CASINOS else CASINOS
    if is_quirk(other, key):
        return f"{key[:_SHOWN]} is a setting of a {other.name}, not of a {side.name}"
    known = sorted([*(name for name in side.quirks if name != "codes"), "enabled"])
    named = [*known, CODES + "<reason>"] if "codes" in side.quirks else known
    return f"{key[:_SHOWN]} is not a setting; those of a {side.name} are: {', '.join(named)}"
