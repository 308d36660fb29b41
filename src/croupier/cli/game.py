"""`croupier game`: the catalogue, the operator's settings of a game, and the casinos where it is on. Spec: provider.md 3.1.

Owns: the words. Never: the listing, which is the provider's (`croupier provider sync`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import typer

from croupier.cli.find import casino_of, game_of, provider_of
from croupier.cli.running import AsJson, with_hub, with_look
from croupier.cli.settable import told_in
from croupier.cli.show import say, show_facts, show_json, show_table
from croupier.core.session import Game
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings
from croupier.store.parties.games import changes_from_text

app = typer.Typer(help="Show games, change their settings and switch them on or off.", no_args_is_help=False)

Which = Annotated[
    str, typer.Argument(metavar="GAME", help="The gameId, or provider/gameId if two providers have the same.")
]


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Games with the names of their providers and casinos."""

    games: list[Game]
    providers: dict[int, str]
    casinos: dict[int, str]
    off: dict[int, list[int]]

    def facts(self, game: Game) -> dict[str, Any]:
        """Return a game for JSON and tables: its id and provider as a person gives them, then the rest."""
        plain = msgspec.to_builtins(game)
        off = [self.casinos[casino_id] for casino_id in self.off.get(game.game_id, [])]
        provider = self.providers[game.provider_id]
        return {"gameId": plain.pop("game_ref"), "provider": provider, **plain, "off_for": off}


@app.command("list")
def list_(
    provider: Annotated[
        str | None, typer.Option("--provider", help="Show only games of this provider: id or name.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the games, including those that are switched off or no longer listed by their provider."""

    async def work(hub: Hub, _: Settings) -> _Shelf:
        wanted = None if provider is None else (await provider_of(hub, provider)).provider_id
        return await _shelf(hub, await hub.store.games.all(wanted))

    shelf = with_look(work)
    shown = [shelf.facts(game) for game in shelf.games]
    if as_json:
        show_json(shown)
        return
    columns = (
        "gameId",
        "provider",
        "name",
        "category",
        "enabled",
        "listed",
        "jackpot_wins",
        "min_bet",
        "max_bet",
        "off_for",
    )
    show_table("Games", columns, [[facts[name] for name in columns] for facts in shown])


@app.command("set")
def set_(
    which: Which,
    assignments: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE...", help="Settings to change. The value `none` removes a limit.")
    ],
    as_json: AsJson = False,
) -> None:
    """Change a game for every casino: enabled jackpot_wins min_bet max_bet large_win max_win max_odd open_s. It takes effect at once."""

    async def work(hub: Hub, _: Settings) -> _Shelf:
        game = await game_of(hub, which)
        return await _shelf(hub, [await hub.store.games.set(game.game_id, **changes_from_text(told_in(assignments)))])

    shelf = with_hub(work)
    facts = shelf.facts(shelf.games[0])
    if as_json:
        show_json(facts)
    else:
        show_facts(f"Game {facts['name']}", facts)


@app.command()
def switch(
    which: Which,
    *,
    casino: Annotated[str, typer.Option("--casino", help="Id or name of the casino.")],
    on: Annotated[bool, typer.Option("--on/--off", help="Allow or stop launches and bets of the casino's players.")],
    as_json: AsJson = False,
) -> None:
    """Switch a game on or off for one casino. Off stops launches and new bets there; open bets continue."""

    async def work(hub: Hub, _: Settings) -> dict[str, Any]:
        game, found = await game_of(hub, which), await casino_of(hub, casino)
        await hub.store.games.switch(found.casino_id, game.game_id, on)
        return {"gameId": game.game_ref, "PartnerClientId": found.casino_id, "casino": found.name, "on": on}

    done = with_hub(work)
    if as_json:
        show_json(done)
    else:
        say(f"Game {done['gameId']} is {'on' if on else 'off'} for casino {done['casino']}.")


async def _shelf(hub: Hub, games: list[Game]) -> _Shelf:
    store = hub.store
    return _Shelf(
        games,
        {p.provider_id: p.name for p in await store.providers.all()},
        {c.casino_id: c.name for c in await store.casinos.all()},
        await store.games.switched_off(),
    )
