"""`croupier game`: the catalogue, the operator's settings of a game, and the casinos where it is on. Spec: provider.md 3.1.

Owns: the options and the output. Never: what is shown or done (admin_api.games).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
import typer
from msgspec import UNSET

from croupier.admin_api import games
from croupier.admin_api.games import (
    DescribeGameParams,
    DiffParams,
    DiffsParams,
    GamesParams,
    KnownGame,
    SetGameParams,
    SwitchGameParams,
)
from croupier.cli.running import AsCsv, AsJson, ask, said_for_the_books
from croupier.cli.settable import told_in
from croupier.cli.show import instant, say, show_facts, show_json, show_list

app = typer.Typer(help="Show games, change their settings and switch them on or off.", no_args_is_help=False)

Which = Annotated[
    str, typer.Argument(metavar="GAME", help="The gameId, or provider/gameId if two providers have the same.")
]
Number = Annotated[int, typer.Argument(metavar="NUMBER", help="The difference.")]


@app.command("list")
def list_(
    provider: Annotated[
        str | None, typer.Option("--provider", help="Show only games of this provider: id or name.")
    ] = None,
    *,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show the games, including those that are switched off or no longer listed by their provider."""
    shown = ask(games.games, GamesParams(provider=provider))
    if as_json:
        show_json(shown)
        return
    columns = (
        "gameId", "provider", "name", "??category", "enabled", "?listed", "???jackpot_wins", "?>min_bet", "?>max_bet", "?off_for",
    )  # fmt: skip
    rows = [
        (g.game_ref, g.provider, g.name, g.category, g.enabled, g.listed, g.jackpot_wins, g.min_bet, g.max_bet, g.off_for)
        for g in shown
    ]  # fmt: skip
    show_list("Games", columns, rows, as_csv=as_csv)


@app.command("set")
def set_(
    which: Which,
    assignments: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE...", help="Settings to change. The value `none` removes a limit.")
    ],
    as_json: AsJson = False,
) -> None:
    """Change a game for every casino: enabled jackpot_wins min_bet max_bet large_win max_win max_odd open_s features kind. It takes effect at once."""
    _show_game(ask(games.set_, SetGameParams(game=which, settings=told_in(assignments))), as_json=as_json)


@app.command()
def switch(
    which: Which,
    *,
    casino: Annotated[
        str | None, typer.Option("--casino", help="Id or name of the casino; without it every casino.")
    ] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Only in this currency.")] = None,
    country: Annotated[str | None, typer.Option("--country", help="Only in this country, such as DE.")] = None,
    on: Annotated[bool, typer.Option("--on/--off", help="Allow or stop launches and bets of these players.")],
    reason: Annotated[
        str | None,
        typer.Option("--reason", callback=said_for_the_books, help="The reason, which `croupier why` shows."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Switch a game on or off for a casino, in a currency or in a country. Off stops launches and new bets; open bets continue."""
    wish = SwitchGameParams(game=which, on=on, casino=casino, currency=currency, country=country, reason=reason)
    done = ask(games.switch, wish)
    if as_json:
        show_json(done)
        return
    where = ["for every casino" if done.casino is UNSET else f"for casino {done.casino}"]
    where += [f"in {place}" for place in (done.currency, done.country) if place is not UNSET]
    say(f"Game {done.game_ref} is {'on' if done.on else 'off'} {' '.join(where)}.")


@app.command()
def describe(
    which: Which,
    *,
    language: Annotated[str, typer.Option("--language", help="Language tag, such as de or pt-BR.")],
    name: Annotated[
        str | None, typer.Option("--name", help="The name in that language; without it the text is removed.")
    ] = None,
    description: Annotated[
        str | None, typer.Option("--description", help="One or two sentences for the lobby.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set the name of a game in a language, as the casino API and the lobby show it."""
    wish = DescribeGameParams(game=which, language=language, name=name, description=description)
    _show_game(ask(games.describe, wish), as_json=as_json)


@app.command()
def diff(
    number: Annotated[
        int | None, typer.Argument(metavar="[NUMBER]", help="One difference; without it the latest ones.")
    ] = None,
    *,
    provider: Annotated[
        str | None, typer.Option("--provider", help="Show only those of this provider: id or name.")
    ] = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show what the lists of providers changed, or would change where a person reviews them (`provider set ID review_games=on`)."""
    shown = ask(games.diffs, DiffsParams(number=number, provider=provider))
    if as_json:
        show_json(shown)
        return
    if number is None:
        rows = [[d.diff_id, d.provider, len(d.changes), d.state, instant(d.at_ms), d.decided_by] for d in shown]
        show_list("Differences", ("number", "provider", ">games", "state", "?when", "?decided by"), rows, as_csv=as_csv)
        return
    lines = [[c.game_ref, _listed(c.before), _listed(c.after)] for d in shown for c in d.changes]
    show_list(f"Difference {number}", ("gameId", "before", "after"), lines, as_csv=as_csv)


@app.command()
def apply(number: Number, as_json: AsJson = False) -> None:
    """Apply a difference that waits for review, or one that was undone."""
    done = ask(games.apply, DiffParams(number=number))
    if as_json:
        show_json(done)
    else:
        say(f"Difference {number} is applied: {done.games} games.")


@app.command()
def undo(number: Number, as_json: AsJson = False) -> None:
    """Undo a difference. It is not applied by itself again; games that changed since stay as they are."""
    done = ask(games.undo, DiffParams(number=number))
    if as_json:
        show_json(done)
        return
    say(f"Difference {number} is undone: {done.games} games.")
    if done.changed_since:
        say(f"Changed since, and left as they are: {', '.join(done.changed_since)}")


def _show_game(game: KnownGame, *, as_json: bool) -> None:
    """Show the one game that a command changed."""
    if as_json:
        show_json(game)
    else:
        show_facts(f"Game {game.name}", msgspec.to_builtins(game))


def _listed(fields: Mapping[str, str | None] | None) -> str:
    return "not listed" if fields is None else ", ".join(value for value in fields.values() if value is not None)
