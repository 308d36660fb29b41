"""`croupier session`: launch a game for a player. Spec: operate.md, provider.md section 3."""

from __future__ import annotations

from typing import Annotated

import typer

from croupier.cli.find import casino_of, check_player, game_of
from croupier.cli.running import AsJson, with_hub
from croupier.cli.show import show_facts, show_json
from croupier.flows.hub import Hub
from croupier.flows.launch import Launched, Wish, launch
from croupier.kit.settings import Settings

app = typer.Typer(help="Sessions: launched games.")


@app.callback()
def group() -> None:
    """Sessions: launched games."""


@app.command("open")
def open_(
    *,
    casino: Annotated[str, typer.Option("--casino", help="Id or name of the player's casino.")],
    player: Annotated[str, typer.Option("--player", help="The player's id at the casino; registered if unknown.")],
    currency: Annotated[str, typer.Option("--currency", help="The player's currency.")],
    game: Annotated[str, typer.Option("--game", help="The provider's gameId, or provider/gameId if two have it.")],
    demo: Annotated[bool, typer.Option("--demo", help="Play with a virtual balance that no casino sees.")] = False,
    as_json: AsJson = False,
) -> None:
    """Launch a game; prints the session and the address of the frame to show."""

    async def work(hub: Hub, _: Settings) -> Launched:
        check_player(player)
        found = await casino_of(hub, casino)
        wanted = await game_of(hub, game)
        return await launch(hub, found, Wish(player, currency, wanted.game_id, demo=demo))

    launched = with_hub(work)
    opened = {"sessionId": launched.session_id, "frameUri": launched.frame_uri}
    if as_json:
        show_json(opened)
    else:
        show_facts("Session", opened)
