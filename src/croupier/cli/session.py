"""`croupier session`: launch a game for a player, and find sessions. Spec: operate.md 2, provider.md 3.2, casino.md 2 (users/auth).

Owns: the options and the output. Never: who may play what (flows.launch).
"""

from __future__ import annotations

from typing import Annotated

import typer

from croupier.admin_api import search, sessions
from croupier.admin_api.search import SessionFilters
from croupier.admin_api.sessions import OpenSessionParams
from croupier.cli.running import AsJson, ask
from croupier.cli.search import show_page, with_filters
from croupier.cli.secret_options import taken_in
from croupier.cli.show import show_facts, show_json

COLUMNS = (
    "session_id", "?casino", "player", "??provider", "game", "?currency", "??demo", "opened_ms", "expires_ms", "??ended_by",
    "???end_reason",
)  # fmt: skip

app = typer.Typer(help="Launch a game for a player, and find sessions.")


@app.callback()
def group() -> None:
    """Launch a game for a player, and find sessions."""


@app.command("open")
def open_(
    *,
    casino: Annotated[str, typer.Option("--casino", help="Id or name of the player's casino.")],
    player: Annotated[
        str | None, typer.Option("--player", help="The player's id at the casino; registered if unknown.")
    ] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="The player's currency.")] = None,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            "--token-file",
            metavar="-|PATH",
            help="File with a RefreshToken, `-` for standard input. The casino identifies the player.",
        ),
    ] = None,
    game: Annotated[str, typer.Option("--game", help="The provider's gameId, or provider/gameId if two have it.")],
    demo: Annotated[bool, typer.Option("--demo", help="Play with a virtual balance that no casino sees.")] = False,
    as_json: AsJson = False,
) -> None:
    """Launch a game for --player with --currency, or for the player of --token. Prints the session and its frame."""
    # Before the token is read: nobody is asked for one that does not count.
    if (player is not None, currency is not None) != (token is None, token is None):
        raise typer.BadParameter("give --player and --currency, or --token alone")
    given = None if token is None else taken_in("token", token)
    wish = OpenSessionParams(casino=casino, game=game, player=player, currency=currency, token=given, demo=demo)
    opened = ask(sessions.open_, wish, waits="nobody answers the game's calls")
    if as_json:
        show_json(opened)
    else:
        show_facts("Session", {"sessionId": opened.session_id, "frameUri": opened.frame_uri})


@app.command("list")
@with_filters(SessionFilters)
def list_(wish: SessionFilters, as_csv: bool, as_json: bool) -> None:
    """Show sessions of all casinos, those opened last first."""
    show_page("Sessions", ask(search.sessions, wish), columns=COLUMNS, forms=(as_json, as_csv))
