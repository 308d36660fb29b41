"""A command: one thing that a person may ask of the hub, at the command line or over the admin API.

Owns: the record, and the decorator that makes one of a function. Never: how parameters arrive, or how a result is shown.
Spec: operate.md 2, decision 0102.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, get_type_hints

import msgspec

from croupier.admin_api.desk import Desk
from croupier.core.account import Role

P = TypeVar("P", bound=msgspec.Struct)
R = TypeVar("R")
ROOT: Final = "/admin-api/v1"
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of a command. A field that the path names travels in it, the others in the query or the body."""

    def check(self) -> None:
        """Raise BadParameter for values that do not go together."""


class NoParams(Params, frozen=True, kw_only=True):
    """No parameters."""


@dataclass(frozen=True, slots=True)
class Command(Generic[P, R]):
    """One command."""

    words: str
    """Its words at the command line, such as `bet list`."""
    method: str
    """GET for one that only reads, otherwise POST."""
    path: str
    """Below the root, with placeholders in braces."""
    role: Role
    params: type[P]
    result: Any
    """The type of its result."""
    run: Callable[[Desk, P], Awaitable[R]]
    whole_hub: bool
    """Whether an account with a scope may not use it."""

    @property
    def reads(self) -> bool:
        """Return whether it changes nothing."""
        return self.method == "GET"

    @property
    def summary(self) -> str:
        """Return what it does, in one sentence."""
        return (self.run.__doc__ or "").strip().partition("\n")[0]

    @property
    def in_path(self) -> tuple[str, ...]:
        """Return the names of the parameters that the path holds."""
        return tuple(_PLACEHOLDER.findall(self.path))


def command(
    call: str, *, words: str, role: Role, whole_hub: bool = False
) -> Callable[[Callable[[Desk, P], Awaitable[R]]], Command[P, R]]:
    """Return a decorator that makes a command of `async def run(desk, params)`. `call` is method and path, such as `GET bets`."""
    method, _, path = call.partition(" ")

    def decorate(run: Callable[[Desk, P], Awaitable[R]]) -> Command[P, R]:
        hints = get_type_hints(run)
        result = hints.pop("return")
        params = next(kind for name, kind in hints.items() if name != "desk")
        return Command(words, method, path, role, params, result, run, whole_hub)

    return decorate
