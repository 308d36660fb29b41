"""`croupier game-type`: the game types of the live feed, and the maintenance switch and the game of each. Spec: operate.md 2, feed.md 3.5.

Owns: the words. Never: whose a game type is: `croupier provider set ID game_types=...` says it.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from croupier.admin_api.errors import CommandError
from croupier.cli.find import game_of
from croupier.cli.running import AsCsv, AsJson, with_hub, with_look
from croupier.cli.show import say, show_json, show_list
from croupier.core.draws import MAX_TYPE
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings
from croupier.store.feed.game_types import GameType

app = typer.Typer(help="Show the game types of the live feed, switch maintenance, and name their games.")

Number = Annotated[int, typer.Argument(metavar="GAME_TYPE", min=0, max=MAX_TYPE, help="The number of the game type.")]


@app.command("list")
def list_(*, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """Show every game type, with its provider and whether it is in maintenance."""

    async def work(hub: Hub, _: Settings) -> list[GameType]:
        return await hub.store.game_types.all()

    known = with_look(work)
    if as_json:
        show_json([_facts(one) for one in known])
        return
    rows = [list(_facts(one).values()) for one in known]
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
    if maintenance is None and game is None:
        raise typer.BadParameter("give --maintenance, --no-maintenance or --game", param_hint="--maintenance")

    async def work(hub: Hub, _: Settings) -> GameType:
        known = [one for one in await hub.store.game_types.all() if one.game_type == number]
        if not known:
            raise CommandError(
                f"no provider has had game type {number}: `croupier provider set ID game_types={number}` gives it to one, and "
                "`croupier game-type list` shows those that there are"
            )
        if game is not None:
            await _show_in(hub, number, game)
        if maintenance is not None:
            await hub.store.game_types.switch_maintenance(number, on=maintenance)
        return next(one for one in await hub.store.game_types.all() if one.game_type == number)

    changed = with_hub(work)
    if as_json:
        show_json(_facts(changed))
        return
    if maintenance is not None:
        say(f"Game type {number} is {'in maintenance' if changed.maintenance else 'not in maintenance'} now.")
    if game is not None:
        say(f"The draws of game type {number} open game {changed.game_id} now.")


async def _show_in(hub: Hub, number: int, text: str) -> None:
    found = await game_of(hub, text)
    if not await hub.store.game_types.show_in(number, found.game_id):
        raise CommandError(
            f"game {found.name} is not of the provider that has game type {number}: `croupier game-type list` shows whose it is"
        )


def _facts(known: GameType) -> dict[str, Any]:
    return {
        "gameType": known.game_type,
        "provider": known.provider,
        "maintenance": known.maintenance,
        "gameId": known.game_id,
    }
