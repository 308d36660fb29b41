"""The options by which `incidents close` and `reconcile close` choose many at once, and what both print.

Owns: reading the choice, the rule that ids and filters exclude each other. Never: closes anything. Spec: operate.md 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, Signature
from typing import Annotated, Any

import typer

from croupier.cli.days import time_ms
from croupier.cli.find import casino_of
from croupier.cli.running import AsJson, Author, Reason
from croupier.cli.sentences import NotFound
from croupier.cli.show import say, show_json
from croupier.flows.hub import Hub
from croupier.store.oversight.incidents import Choice

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
    """The choice as it was typed, and who closes it for what reason."""

    ids: Sequence[int]
    reason: str
    author: str
    name: str | None = None
    casino: str | None = None
    before: str | None = None
    dry_run: bool = False
    as_json: bool = False

    def check(self) -> None:
        """Raise BadParameter unless there are either ids or filters."""
        filters = (self.name, self.casino, self.before)
        if bool(self.ids) == any(one is not None for one in filters):
            raise typer.BadParameter("give ids, or at least one of --name, --casino and --before")
        if self.before is not None:
            time_ms(self.before, "--before")

    async def choice(self, hub: Hub) -> Choice:
        """Return the choice. Raises CommandError for an unknown casino."""
        casino_id = None if self.casino is None else (await casino_of(hub, self.casino)).casino_id
        before_ms = None if self.before is None else time_ms(self.before, "--before")
        return Choice(list(self.ids) or None, self.name, casino_id, before_ms)

    def check_found(self, found: Sequence[int], *, thing: str, shown_by: str) -> None:
        """Raise NotFound, before anything is closed, for an id that is not open."""
        missing = [str(one) for one in self.ids if one not in found]
        if missing:
            raise NotFound(f"there is no open {thing} {', '.join(missing)}: `{shown_by}` shows them")


def closes(command: Callable[[CloseWish], None]) -> Callable[..., None]:
    """Give a command the ids and options of a choice, checked, and pass them as one CloseWish."""

    @wraps(command)
    def wrapper(ids: list[int] | None, **values: Any) -> None:  # noqa: ANN401 - typer gives them
        wish = CloseWish(ids or [], **values)
        wish.check()
        command(wish)

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
