"""`set KEY=VALUE...`: what a person wants changed on a casino or provider.

Owns: reading the words. Never: which quirks there are (store.profiles). Spec: operate.md (`set` keys).
"""

from __future__ import annotations

from typing import Any

from croupier.cli.find import check_peer
from croupier.cli.sentences import Fault
from croupier.kit.settings import Settings
from croupier.store.profiles import Side, profile_from_settings

COLUMNS = ("name", "url", "currencies")
"""What `set` changes besides quirks."""


def changes_of(assignments: list[str], side: Side, settings: Settings) -> dict[str, Any]:
    """The changes, typed; raises Fault and BadSettings with everything that is wrong."""
    told: dict[str, str] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key:
            raise Fault(f"{assignment[:60]!r} is no KEY=VALUE")
        if key in told:
            raise Fault(f"{key[:60]} is there twice: say it once")
        told[key] = value
    columns = {key: told.pop(key) for key in COLUMNS if key in told and (key != "currencies" or side.name == "casino")}
    if "url" in columns:
        check_peer(columns["url"], settings)
    changes: dict[str, Any] = {**profile_from_settings(told, side), **columns}
    if "currencies" in columns:
        changes["currencies"] = [code.strip() for code in columns["currencies"].split(",")]
    return changes
