"""`croupier game-type`: the game types of the live feed, and the maintenance switch and the game of each. Spec: operate.md 2, feed.md 3.5.

Owns: the options and the output. Never: what is shown or done (admin_api.game_types).
"""

from __future__ import annotations

from typing import Annotated

import typer

from croupier.admin_api import game_types
from croupier.admin_api.game_types import GameTypesParams, SetGameTypeParams
from croupier.cli.running import AsCsv, AsJson, ask
from croupier.cli.show import say, show_json, show_list
from croupier.core.draws import MAX_TYPE

app = typer.Typer(help="Show the game types of the live feed, switch maintenance, and name their games.")

Number = Annotated[int, typer.Argument(metavar="GAME_TYPE", min=0, max=MAX_TYPE, help="The number of the game type.")]


@app.command("list")
def list_(*, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """Show every game type, with its provider and whether it is in maintenance."""
    known = ask(game_types.game_types, GameTypesParams())
    if as_json:
        show_json(known)
        return
    rows = [(one.game_type, one.provider, one.maintenance, one.game_id) for one in known]
    show_list("Game types", ("gameType", "provider", "maintenance", "?gameId"), rows, as_csv=as_csv)


@app.command("set")
def set_(
    number: Number,
    *,
    maintenance: Annotated[
        bool | None,
        typer.Option("--maintenance/--no-maintenance", help="Tell subscribers that the game type takes no bets now."),
    ] = None,
    game: Annotated[
        str | None,
        typer.Option(
            "--game", metavar="GAME", help="The game in which people bet on its draws: the lobby's draws open it."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Switch maintenance of a game type, or name its game. Subscribers see maintenance in `im` within a second; draws go on as their provider says."""
    changed = ask(game_types.set_, SetGameTypeParams(number=number, maintenance=maintenance, game=game))
    if as_json:
        show_json(changed)
        return
    if maintenance is not None:
        say(f"Game type {number} is {'in maintenance' if changed.maintenance else 'not in maintenance'} now.")
    if game is not None:
        say(f"The draws of game type {number} open game {changed.game_id} now.")
