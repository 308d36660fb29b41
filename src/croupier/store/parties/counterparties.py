"""What the rows of casinos and providers have in common: their names, how one is found, what may not be.

Owns: the errors and the checks of the columns that both have. Never: SQL, and never whether a peer's address is
allowed, which depends on the hub's settings (kit.addresses; whoever saves a URL asks there first).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from croupier.core.money import UnknownCurrency, exponent
from croupier.kit import names
from croupier.store.parties.profiles import BadProfile
from croupier.store.storable import storable_text

_LIKE_AN_ID = re.compile(r"[0-9]+|\{?[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?", re.ASCII | re.IGNORECASE)
"""A number, or a GUID in any spelling."""
SECRET_BYTES = 32
"""A secret is 64 hex digits."""


class NameTaken(Exception):
    """Another counterparty of this kind has the name."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(
            f"there is a {kind} named {name!r} already: choose another name, or see it with `croupier {kind} show`; if its "
            f"secret is lost, `croupier {kind} secret rotate {shlex.quote(name)} --json` makes a new one"
        )
        self.name = name


class CounterpartyUnknown(LookupError):
    """There is no such casino or provider."""

    def __init__(self, kind: str, key: object) -> None:
        super().__init__(f"there is no {kind} {key!s:.60}")


class NameAmbiguous(LookupError):
    """Several of them are meant by this; `choices` says each so that it is clear."""

    def __init__(self, kind: str, text: str, choices: Sequence[str]) -> None:
        super().__init__(f"{text:.80} may be {kind} {' or '.join(choices)}: say which")
        self.choices = tuple(choices)


class StillNeeded(Exception):
    """It cannot be deleted; the text says why and what to do instead."""


class Undecided(Exception):
    """It cannot be closed without force: money is in flight. The text says what would be left undecided."""

    def __init__(self, kind: str, name: str, counts: Mapping[str, int]) -> None:
        waiting = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        super().__init__(
            f"{kind} {name} has something undecided ({waiting}), and what it says of that would be refused: disable it "
            "and wait until all is decided, or close it with --force"
        )


def check_columns(changes: Mapping[str, Any]) -> None:
    """Judge name, url, currencies and enabled where they are given. Raises BadSettings with everything wrong."""
    problems = [problem for name, value in changes.items() if (problem := _CHECKS[name](value)) is not None]
    if problems:
        raise BadProfile(problems)


def _name_problem(name: object) -> str | None:
    if not isinstance(name, str):
        return "name must be text"
    problem = names.problem_of(name)
    if problem is not None:
        return f"name {problem}"
    # Wherever an id is asked for a name will do, so a name must not read as an id.
    return "name must not be a number or a GUID: that is how ids look" if _LIKE_AN_ID.fullmatch(name) else None


def _url_problem(url: object) -> str | None:
    if not isinstance(url, str) or not url.startswith(("http://", "https://")) or not storable_text(url):
        return "url must begin with http:// or https://"
    return None


def _currencies_problem(currencies: object) -> str | None:
    if isinstance(currencies, str) or not isinstance(currencies, Sequence) or not currencies:
        return "currencies must name at least one"
    if len(set(currencies)) != len(currencies):
        return "currencies must be different"
    try:
        for currency in currencies:
            exponent(currency)
    except UnknownCurrency as unknown:
        return f"{unknown}: {unknown.todo}"
    return None


def _enabled_problem(enabled: object) -> str | None:
    return None if isinstance(enabled, bool) else "enabled must be true or false"


_CHECKS = {"name": _name_problem, "url": _url_problem, "currencies": _currencies_problem, "enabled": _enabled_problem}
COLUMNS = frozenset(_CHECKS)
"""What `change` may change besides quirks."""
