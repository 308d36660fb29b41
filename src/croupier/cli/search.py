"""The filters that `bet list`, `payment list` and `session list` share, and the pages that these print.

Owns: the options, reading them, the cursor. A cursor is the id of the last row, as the list shows it. Never: SQL. Spec: operate.md 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, Signature
from typing import Annotated, Any

import typer

from croupier.cli.days import time_ms
from croupier.cli.find import casino_of, game_of, provider_of
from croupier.cli.running import AsCsv, AsJson
from croupier.cli.sentences import CommandError
from croupier.cli.show import instant, names_of, note, show_json, show_list
from croupier.core.money import BadAmount, parse_amount
from croupier.flows.hub import Hub
from croupier.store.storable import id_of, storable_text
from croupier.views.casino_books import KINDS, TOP
from croupier.views.money_lists import Search
from croupier.views.subjects import players_named

MOST = 10_000
USUAL = 50
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


@dataclass(frozen=True, slots=True)
class Wish:
    """The values of the options, as they were typed."""

    limit: int = USUAL
    casino: str | None = None
    provider: str | None = None
    player: str | None = None
    game: str | None = None
    round_ref: str | None = None
    state: str | None = None
    kind: str | None = None
    currency: str | None = None
    at_least: str | None = None
    at_most: str | None = None
    from_: str | None = None
    to: str | None = None
    after: str | None = None

    def check(self) -> None:
        """Check what needs no database. Raises typer.BadParameter."""
        if self.currency is None and (self.at_least, self.at_most) != (None, None):
            raise typer.BadParameter("an amount needs its currency: give --currency too")
        if self.kind is not None and self.kind not in KINDS:
            raise typer.BadParameter(f"--kind must be one of: {', '.join(KINDS)}")
        if self.round_ref is not None and not storable_text(self.round_ref):
            raise typer.BadParameter("--round has a character that no id can have")
        start_ms, end_ms = self.times()
        if end_ms <= start_ms:
            raise typer.BadParameter("--to is the first instant that is not included: it must be after --from")

    def times(self) -> tuple[int, int]:
        """Return the times in milliseconds. Raises typer.BadParameter."""
        start_ms = 0 if self.from_ is None else max(time_ms(self.from_, "--from"), 0)
        return start_ms, TOP if self.to is None else time_ms(self.to, "--to")


def with_filters(
    *names: str, states: Sequence[str]
) -> Callable[[Callable[[Wish, bool, bool], None]], Callable[..., None]]:
    """Return a decorator that gives a command these filters, --limit, --after, --csv and --json, and passes them as one Wish."""

    def decorate(command: Callable[[Wish, bool, bool], None]) -> Callable[..., None]:
        @wraps(command)
        def wrapper(as_csv: bool, as_json: bool, **values: Any) -> None:  # noqa: ANN401 - typer gives them
            wish = Wish(**values)
            wish.check()
            if wish.state is not None and wish.state not in states:
                raise typer.BadParameter(f"--state must be one of: {', '.join(states)}")
            command(wish, as_csv, as_json)

        kinds: dict[str, Any] = {name: Annotated[str | None, _option(name, states)] for name in (*names, "after")}
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


async def search_of(hub: Hub, wish: Wish, before: tuple[int, str]) -> Search:
    """Return the search for these options. Raises CommandError, NameAmbiguous, GameAmbiguous, UnknownCurrency."""
    casino_id = None if wish.casino is None else (await casino_of(hub, wish.casino)).casino_id
    players = None if wish.player is None else await _players(hub, wish.player, casino_id)
    start_ms, end_ms = wish.times()
    return Search(
        count=wish.limit,
        before=before,
        casino_id=casino_id,
        provider_id=None if wish.provider is None else (await provider_of(hub, wish.provider)).provider_id,
        game_id=None if wish.game is None else (await game_of(hub, wish.game)).game_id,
        player_ids=players,
        round_ref=wish.round_ref,
        state=wish.state,
        kind=wish.kind,
        currency=wish.currency,
        least=_amount("--at-least", wish.at_least, wish.currency),
        most=_amount("--at-most", wish.at_most, wish.currency),
        live=None if wish.state is None else wish.state == "open",
        now_ms=hub.clock.now_ms(),
        from_ms=start_ms,
        until_ms=end_ms,
    )


async def _players(hub: Hub, text: str, casino_id: int | None) -> tuple[int, ...]:
    found = await players_named(hub.store.db, text, casino_id)
    if not found:
        raise CommandError(
            f"there is no player {text[:128]!r}: `croupier player list --casino ID` shows a casino's players"
        )
    return tuple(one.player_id for one in found)


def _amount(option: str, text: str | None, currency: str | None) -> int | None:
    if text is None:
        return None
    assert currency is not None
    try:
        return parse_amount(text, currency)
    except BadAmount as wrong:
        raise CommandError(f"{option} {wrong}") from None


def id_cursor(text: str | None) -> tuple[int, str]:
    """Return the place below a BetId. Raises typer.BadParameter."""
    if text is None:
        return TOP, ""
    number = id_of(text)
    if number is None:
        raise typer.BadParameter("--after is the cursor that a page printed at its end")
    return number, ""


def payment_cursor(text: str | None) -> tuple[int, str]:
    """Return the place below a payment `<BetId or CashbackId>:<kind>`, or below all of a number. Raises typer.BadParameter."""
    number, _, kind = (text or "").partition(":")
    if kind and kind not in KINDS:
        raise typer.BadParameter("--after is the cursor that a page printed at its end")
    return (id_cursor(number)[0] if text is not None else TOP), kind


def session_cursor(text: str | None) -> tuple[int, str]:
    """Return the place below `<milliseconds>:<session>`. Raises typer.BadParameter."""
    number, _, session_id = (text or "").partition(":")
    return (id_cursor(number)[0] if text is not None else TOP), session_id


def cursor_text(before: tuple[int, str] | None) -> str | None:
    """Return the cursor of the next page."""
    if before is None:
        return None
    return f"{before[0]}:{before[1]}" if before[1] else str(before[0])


def show_page(
    title: str, rows: Sequence[Any], before: tuple[int, str] | None, *, columns: Sequence[str], forms: tuple[bool, bool]
) -> None:
    """Print a page and its cursor. `columns` name fields of the rows; `forms` are --json and --csv."""
    as_json, as_csv = forms
    cursor = cursor_text(before)
    if as_json:
        show_json({"rows": rows, "after": cursor})
        return
    show_list(title, columns, cells(rows, columns), as_csv=as_csv)
    if cursor is not None:
        note(f"More: --after {cursor}")


def cells(rows: Sequence[Any], columns: Sequence[str]) -> list[list[object]]:
    """Return the fields of the rows that the columns name."""
    return [[_cell(name, getattr(row, name)) for name in names_of(columns)] for row in rows]


def _cell(name: str, value: object) -> object:
    return instant(value) if name.endswith("_ms") and isinstance(value, int) else value
