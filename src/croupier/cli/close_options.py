"""The options by which `incidents close` and `reconcile close` choose many at once, and what both print.

Owns: the options and the output. Never: reads a choice, or closes anything (admin_api.oversight). Spec: operate.md 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, Signature
from typing import Annotated, Any

import typer

from croupier.admin_api.oversight import CloseParams
from croupier.cli.running import AsJson, Author, Reason
from croupier.cli.show import say, show_json

_BEFORE = "Instead of ids: all that happened last before this day or instant, in UTC."
_OPTIONS: dict[str, tuple[Any, Any]] = {
    "name": (str | None, typer.Option("--name", help="Instead of ids: all of this name.")),
    "casino": (str | None, typer.Option("--casino", help="Instead of ids: all of this casino, id or name.")),
    "before": (str | None, typer.Option("--before", metavar="TIME", help=_BEFORE)),
    "dry_run": (bool, typer.Option("--dry-run", help="Show what would be closed, and close nothing.")),
}
_IDS = Annotated[list[int] | None, typer.Argument(metavar="ID", help="The numbers that the list shows.")]


@dataclass(frozen=True, slots=True)
class CloseWish:
    """The choice as it was typed, who closes it, and the form of the output."""

    params: CloseParams
    author: str
    as_json: bool


def closes(command: Callable[[CloseWish], None]) -> Callable[..., None]:
    """Give a command the ids and options of a choice, checked, and pass them as one CloseWish."""

    @wraps(command)
    def wrapper(ids: list[int] | None, *, author: str, as_json: bool, **values: Any) -> None:  # noqa: ANN401 - typer gives them
        if bool(ids) == any(values[name] is not None for name in ("name", "casino", "before")):
            raise typer.BadParameter("give ids, or at least one of --name, --casino and --before")
        command(CloseWish(CloseParams(ids=tuple(ids or ()), **values), author, as_json))

    kinds: dict[str, Any] = {name: Annotated[kind, option] for name, (kind, option) in _OPTIONS.items()}
    kinds |= {"ids": _IDS, "reason": Reason, "author": Author, "as_json": AsJson}
    defaults: dict[str, Any] = {
        "reason": Parameter.empty,
        "author": Parameter.empty,
        "dry_run": False,
        "as_json": False,
    }
    wrapper.__annotations__ = {**kinds, "return": None}
    wrapper.__signature__ = Signature(  # type: ignore[attr-defined]
        [Parameter("ids", Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=_IDS)]
        + [
            Parameter(name, Parameter.KEYWORD_ONLY, default=defaults.get(name), annotation=kinds[name])
            for name in kinds
            if name != "ids"
        ]
    )
    return wrapper


@dataclass(frozen=True, slots=True)
class Closed:
    """The result: the ids chosen and the ids closed. `dry_run`: nothing was closed."""

    chosen: Sequence[int]
    closed: Sequence[int]
    dry_run: bool

    def show(self, thing: str, *, as_json: bool) -> None:
        """Print it. One that happened again while the command ran was not closed."""
        left = [] if self.dry_run else sorted(set(self.chosen) - set(self.closed))
        if as_json:
            show_json({"closed": self.closed, "chosen": self.chosen, "dry_run": self.dry_run})
        elif self.dry_run:
            say(f"{_these(self.chosen, thing)} would be closed. Nothing was closed.")
        else:
            say(f"{_these(self.closed, thing)} {'is' if len(self.closed) == 1 else 'are'} closed.")
        if left and not as_json:
            say(f"{_these(left, thing)} happened again meanwhile and stays open: look again.")


def _these(ids: Sequence[int], thing: str) -> str:
    names = {0: f"No {thing}", 1: f"{thing.capitalize()}"}.get(len(ids), f"{len(ids)} {thing}s:")
    return f"{names} {', '.join(map(str, ids))}".rstrip()
