"""`croupier game-type`: the game types of the live feed, and the maintenance switch of each. Spec: operate.md 2, feed.md 3.5.

Owns: the words. Never: whose a game type is: `croupier provider set ID game_types=...` says it.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from croupier.cli.running import AsJson, with_hub, with_look
from croupier.cli.sentences import CommandError
from croupier.cli.show import say, show_json, show_table
from croupier.core.draws import MAX_TYPE
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings
from croupier.store.feed.game_types import GameType

app = typer.Typer(help="Show the game types of the live feed, and switch maintenance on or off.")

Number = Annotated[int, typer.Argument(metavar="GAME_TYPE", min=0, max=MAX_TYPE, help="The number of the game type.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show every game type, with its provider and whether it is in maintenance."""

    async def work(hub: Hub, _: Settings) -> list[GameType]:
        return await hub.store.game_types.all()

    known = with_look(work)
    if as_json:
        show_json([_facts(one) for one in known])
        return
    show_table("Game types", ("gameType", "provider", "maintenance"), [list(_facts(one).values()) for one in known])


@app.command("set")
def set_(
    number: Number,
    *,
    maintenance: Annotated[
        bool,
        typer.Option("--maintenance/--no-maintenance", help="Tell subscribers that the game type takes no bets now."),
    ],
    as_json: AsJson = False,
) -> None:
    """Switch maintenance of a game type on or off. Subscribers see it in `im` within a second; draws go on as their provider says."""

    async def work(hub: Hub, _: Settings) -> GameType:
        if not await hub.store.game_types.switch_maintenance(number, on=maintenance):
            raise CommandError(
                f"no provider has had game type {number}: `croupier provider set ID game_types={number}` gives it to one, and "
                "`croupier game-type list` shows those that there are"
            )
        return next(one for one in await hub.store.game_types.all() if one.game_type == number)

    changed = with_hub(work)
    if as_json:
        show_json(_facts(changed))
    else:
        say(f"Game type {number} is {'in maintenance' if changed.maintenance else 'not in maintenance'} now.")


def _facts(known: GameType) -> dict[str, Any]:
    return {"gameType": known.game_type, "provider": known.provider, "maintenance": known.maintenance}
