"""The settings of a casino or provider as a person types them.

Owns: reading the texts, and which settings an account with a scope may not change. Never: which quirks there are
(store.profiles). Spec: operate.md 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import NotAllowed
from croupier.admin_api.peer_urls import peer_problem
from croupier.kit.settings import Settings
from croupier.store.parties.counterparties import check_columns
from croupier.store.parties.profiles import BadProfile, Side, profile_from_settings

COLUMNS: Final = ("name", "url", "currencies")
"""The settings that are columns, not quirks."""
OF_THE_WHOLE_HUB: Final = (
    "name", "game_types", "in_flight", "requests_per_s", "connect_s", "total_s", "client_cert", "client_key", "ca",
)  # fmt: skip
"""A name and a game type are unique in the hub, so a refusal tells of others. Limits and times take places that all share. The last three
name files of the hub's machine."""


def changes_of(desk: Desk, given: Mapping[str, str], side: Side) -> dict[str, Any]:
    """Return the typed changes. Raises BadProfile with every wrong value, NotAllowed."""
    _check_scope(desk, given, side)
    columns = {key: given[key] for key in COLUMNS if key in given and (key != "currencies" or side.name == "casino")}
    quirks = {key: text for key, text in given.items() if key not in columns}
    typed = _typed(columns)
    problems = [problem for check in (_judge_columns, _judge_url) for problem in check(typed, desk.settings)]
    try:
        changes = {**profile_from_settings(quirks, side), **typed}
    except BadProfile as bad:
        raise BadProfile([*problems, *bad.problems]) from None
    if problems:
        raise BadProfile(problems)
    return changes


def _check_scope(desk: Desk, given: Mapping[str, str], side: Side) -> None:
    forbidden = [] if desk.scope.whole else [key for key in OF_THE_WHOLE_HUB if key in given]
    if forbidden:
        raise NotAllowed(
            f"{', '.join(forbidden)} of a {side.name} may be set by an account only that sees the whole hub"
        )


def _typed(columns: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of columns: currencies are separated by commas."""
    return {
        key: [code.strip() for code in text.split(",")] if key == "currencies" else text
        for key, text in columns.items()
    }


def _judge_columns(columns: dict[str, Any], _: Settings) -> tuple[str, ...]:
    try:
        check_columns({key: value for key, value in columns.items() if key != "url"})
    except BadProfile as bad:
        return bad.problems
    return ()


def _judge_url(columns: dict[str, Any], settings: Settings) -> tuple[str, ...]:
    problem = peer_problem(columns["url"], settings) if "url" in columns else None
    return () if problem is None else (f"url {problem}",)
