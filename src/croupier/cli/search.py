"""The filters that `bet list`, `payment list` and `session list` share, and the pages that these print.

Owns: the options and the output. Never: reading a filter (admin_api.search), SQL. Spec: operate.md 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import wraps
from inspect import Parameter, Signature
from typing import Annotated, Any, TypeVar

import typer
from msgspec.structs import fields

from croupier.admin_api.search import MOST, USUAL, BetPage, Filters, PaymentPage, SessionPage
from croupier.cli.running import AsCsv, AsJson
from croupier.cli.show import instant, names_of, note, show_json, show_list
from croupier.views.casino_books import KINDS

_OPTIONS: dict[str, Any] = {
    "casino": typer.Option("--casino", help="Only of this casino: id or name."),
    "provider": typer.Option("--provider", help="Only of this provider: id or name."),
    "player": typer.Option("--player", help="Only of the player with this id at a casino."),
    "game": typer.Option("--game", help="Only of this game: gameId, or provider/gameId."),
    "round_ref": typer.Option("--round", help="Only of this round of a provider."),
    "kind": typer.Option("--kind", help=f"Only of this kind: {', '.join(KINDS)}."),
    "state": typer.Option("--state", help="Only in this state: {states}."),
    "currency": typer.Option("--currency", help="Only in this currency."),
    "at_least": typer.Option("--at-least", metavar="AMOUNT", help="Smallest amount. Needs --currency."),
    "at_most": typer.Option("--at-most", metavar="AMOUNT", help="Largest amount. Needs --currency."),
    "from_": typer.Option(
        "--from", metavar="TIME", help="First day or instant, in UTC: 2025-11-01 or 2025-11-01T12:00:00."
    ),
    "to": typer.Option("--to", metavar="TIME", help="The first day or instant that is not included."),
    "after": typer.Option("--after", metavar="CURSOR", help="Go on where a page ended, which says so at its end."),
}
_LIMIT = Annotated[int, typer.Option("--limit", min=1, max=MOST, help="Number of rows.")]
F = TypeVar("F", bound=Filters)


def with_filters(kind: type[F]) -> Callable[[Callable[[F, bool, bool], None]], Callable[..., None]]:
    """Return a decorator that gives a command the filters of this kind, --csv and --json, and passes them as one record."""

    def decorate(command: Callable[[F, bool, bool], None]) -> Callable[..., None]:
        @wraps(command)
        def wrapper(as_csv: bool, as_json: bool, **values: Any) -> None:  # noqa: ANN401 - typer gives them
            command(kind(**values), as_csv, as_json)

        states = kind().states()
        names = [one.name for one in fields(kind) if one.name in _OPTIONS]
        kinds: dict[str, Any] = {name: Annotated[str | None, _option(name, states)] for name in names}
        kinds |= {"limit": _LIMIT, "as_csv": AsCsv, "as_json": AsJson}
        defaults: dict[str, Any] = {"limit": USUAL, "as_csv": False, "as_json": False}
        wrapper.__annotations__ = {**kinds, "return": None}
        wrapper.__signature__ = Signature(  # type: ignore[attr-defined]
            [
                Parameter(name, Parameter.KEYWORD_ONLY, default=defaults.get(name), annotation=kinds[name])
                for name in kinds
            ]
        )
        return wrapper

    return decorate


def _option(name: str, states: Sequence[str]) -> Any:  # noqa: ANN401 - typer names no type
    option = copy(_OPTIONS[name])
    option.help = option.help.replace("{states}", ", ".join(states))
    return option


def show_page(
    title: str, page: BetPage | PaymentPage | SessionPage, *, columns: Sequence[str], forms: tuple[bool, bool]
) -> None:
    """Print a page and its cursor. `columns` name fields of the rows; `forms` are --json and --csv."""
    as_json, as_csv = forms
    if as_json:
        show_json(page)
        return
    show_list(title, columns, cells(page.rows, columns), as_csv=as_csv)
    if page.after is not None:
        note(f"More: --after {page.after}")


def cells(rows: Sequence[Any], columns: Sequence[str]) -> list[list[object]]:
    """Return the fields of the rows that the columns name."""
    return [[_cell(name, getattr(row, name)) for name in names_of(columns)] for row in rows]


def _cell(name: str, value: object) -> object:
    return instant(value) if name.endswith("_ms") and isinstance(value, int) else value
