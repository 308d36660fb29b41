"""All commands, by their words. Owns: the table. Never: a command's work. Spec: decision 0102."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

from croupier.admin_api import (
    accounts,
    cashbacks,
    casinos,
    comparisons,
    decisions,
    game_types,
    games,
    health,
    jackpots,
    keys,
    look,
    notifications,
    oversight,
    players,
    providers,
    recovery,
    search,
    sessions,
)
from croupier.admin_api.command import Command

_MODULES: Final[tuple[ModuleType, ...]] = (
    search, look, oversight, comparisons, decisions, players, sessions, games, game_types, cashbacks, casinos, providers,
    jackpots, keys, notifications, recovery, health, accounts,
)  # fmt: skip


def _all() -> Iterator[Command[Any, Any]]:
    for module in _MODULES:
        yield from (one for one in vars(module).values() if isinstance(one, Command))


COMMANDS: Final[dict[str, Command[Any, Any]]] = {one.words: one for one in _all()}
"""Every command that both doors carry out."""
