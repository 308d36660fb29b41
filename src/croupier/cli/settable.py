"""`set KEY=VALUE...`: changes of the settings of a casino, provider or game.

Owns: reading the words. Never: which quirks there are (store.profiles, store.games). Spec: operate.md 4.
"""

from __future__ import annotations

from typing import Any

from croupier.admin_api.errors import CommandError
from croupier.cli.find import peer_problem
from croupier.kit.settings import Settings
from croupier.store.parties.counterparties import check_columns
from croupier.store.parties.profiles import BadProfile, Side, profile_from_settings

COLUMNS = ("name", "url", "currencies")
"""The settings that are columns, not quirks."""


def changes_of(assignments: list[str], side: Side, settings: Settings) -> dict[str, Any]:
    """Return the typed changes. Raises CommandError for a malformed assignment, BadSettings with every wrong value."""
    given = told_in(assignments)
    columns = _columns(given, side)
    problems = [problem for check in (_judge_columns, _judge_url) for problem in check(columns, settings)]
    try:
        changes = {**profile_from_settings(given, side), **columns}
    except BadProfile as bad:
        raise BadProfile([*problems, *bad.problems]) from None
    if problems:
        raise BadProfile(problems)
    return changes


def told_in(assignments: list[str]) -> dict[str, str]:
    """Return each key with its text. Raises CommandError for a malformed assignment."""
    given: dict[str, str] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key:
            raise CommandError(
                f"{assignment[:60]!r} is no KEY=VALUE: write key, equals sign and value without blanks, such as enabled=false"
            )
        if key in given:
            raise CommandError(f"{key[:60]} is there twice: say it once")
        given[key] = value
    return given


def _columns(given: dict[str, str], side: Side) -> dict[str, Any]:
    """Remove and return the settings that are columns."""
    found: dict[str, Any] = {
        key: given.pop(key) for key in COLUMNS if key in given and (key != "currencies" or side.name == "casino")
    }
    if "currencies" in found:
        found["currencies"] = [code.strip() for code in found["currencies"].split(",")]
    return found


def _judge_columns(columns: dict[str, Any], _: Settings) -> tuple[str, ...]:
    try:
        check_columns({key: value for key, value in columns.items() if key != "url"})
    except BadProfile as bad:
        return bad.problems
    return ()


def _judge_url(columns: dict[str, Any], settings: Settings) -> tuple[str, ...]:
    problem = peer_problem(columns["url"], settings) if "url" in columns else None
    return () if problem is None else (f"url {problem}",)
