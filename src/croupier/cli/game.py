"""`croupier game`: the catalogue, the operator's settings of a game, and the casinos where it is on. Spec: provider.md 3.1.

Owns: the words. Never: the listing, which is the provider's (`croupier provider sync`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import typer

from croupier.cli.find import casino_of, game_of, provider_of
from croupier.cli.running import AsCsv, AsJson, who, with_hub, with_look
from croupier.cli.settable import told_in
from croupier.cli.show import instant, names_of, say, show_facts, show_json, show_list
from croupier.core.money import CURRENCIES
from croupier.core.session import Game
from croupier.flows.hub import Hub
from croupier.kit.names import unreadable
from croupier.kit.settings import Settings
from croupier.store.parties.games import changes_from_text
from croupier.store.parties.listings import CatalogueDiff
from croupier.store.parties.switchings import acting

app = typer.Typer(help="Show games, change their settings and switch them on or off.", no_args_is_help=False)

LANGUAGE = r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}"
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
    *,
    as_csv: AsCsv = False,
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
        "??category",
        "enabled",
        "?listed",
        "???jackpot_wins",
        "?>min_bet",
        "?>max_bet",
        "?off_for",
    )
    names = names_of(columns)
    show_list("Games", columns, [[facts[name] for name in names] for facts in shown], as_csv=as_csv)


@app.command("set")
def set_(
    which: Which,
    assignments: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE...", help="Settings to change. The value `none` removes a limit.")
    ],
    as_json: AsJson = False,
) -> None:
    """Change a game for every casino: enabled jackpot_wins min_bet max_bet large_win max_win max_odd open_s features kind. It takes effect at once."""

    async def work(hub: Hub, _: Settings) -> _Shelf:
        game = await game_of(hub, which)
        return await _shelf(hub, [await hub.store.games.set(game.game_id, **changes_from_text(told_in(assignments)))])

    _show_game(with_hub(work), as_json=as_json)


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
    reason: Annotated[str | None, typer.Option("--reason", help="The reason, which `croupier why` shows.")] = None,
    as_json: AsJson = False,
) -> None:
    """Switch a game on or off for a casino, in a currency or in a country. Off stops launches and new bets; open bets continue."""
    if casino is None and currency is None and country is None:
        raise typer.BadParameter(
            "name a --casino, a --currency or a --country; for all of them: `croupier game set GAME enabled=off`"
        )
    problem = _place_problem(currency, country)
    if problem is not None:
        raise typer.BadParameter(problem)

    async def work(hub: Hub, _: Settings) -> dict[str, Any]:
        game = await game_of(hub, which)
        found = None if casino is None else await casino_of(hub, casino)
        casino_id = None if found is None else found.casino_id
        with acting(who(), reason):
            await hub.store.games.switch(casino_id, game.game_id, on, currency=currency, country=country)
        named = {} if found is None else {"PartnerClientId": found.casino_id, "casino": found.name}
        place = {name: value for name, value in (("currency", currency), ("country", country)) if value is not None}
        return {"gameId": game.game_ref, **named, **place, "on": on}

    done = with_hub(work)
    if as_json:
        show_json(done)
        return
    where = [f"for casino {done['casino']}" if "casino" in done else "for every casino"]
    where += [f"in {done[name]}" for name in ("currency", "country") if name in done]
    say(f"Game {done['gameId']} is {'on' if on else 'off'} {' '.join(where)}.")


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
    if not re.fullmatch(LANGUAGE, language, re.ASCII):
        raise typer.BadParameter("--language must be a language tag such as de or pt-BR")
    if any(text is not None and unreadable(text) for text in (name, description)):
        raise typer.BadParameter("--name and --description must be one line of readable text")
    text = None if name is None else {"name": name, **({} if description is None else {"description": description})}

    async def work(hub: Hub, _: Settings) -> _Shelf:
        game = await game_of(hub, which)
        return await _shelf(hub, [await hub.store.games.describe(game.game_id, language, text)])

    _show_game(with_hub(work), as_json=as_json)


def _show_game(shelf: _Shelf, *, as_json: bool) -> None:
    """Show the one game that a command changed."""
    facts = shelf.facts(shelf.games[0])
    if as_json:
        show_json(facts)
    else:
        show_facts(f"Game {facts['name']}", facts)


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

    async def work(hub: Hub, _: Settings) -> list[CatalogueDiff]:
        wanted = None if provider is None else (await provider_of(hub, provider)).provider_id
        return await hub.store.catalogue_diffs.latest(diff_id=number, provider_id=wanted)

    shown = with_look(work)
    if as_json:
        show_json(msgspec.to_builtins(shown))
        return
    if number is None:
        rows = [[d.diff_id, d.provider, len(d.changes), d.state, instant(d.at_ms), d.decided_by] for d in shown]
        show_list("Differences", ("number", "provider", ">games", "state", "?when", "?decided by"), rows, as_csv=as_csv)
        return
    lines = [[c.game_ref, _listed(c.before), _listed(c.after)] for d in shown for c in d.changes]
    show_list(f"Difference {number}", ("gameId", "before", "after"), lines, as_csv=as_csv)


@app.command()
def apply(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The difference.")], as_json: AsJson = False
) -> None:
    """Apply a difference that waits for review, or one that was undone."""

    async def work(hub: Hub, _: Settings) -> dict[str, Any]:
        return {"number": number, "games": await hub.store.catalogue_diffs.apply(number, author=who())}

    done = with_hub(work)
    if as_json:
        show_json(done)
    else:
        say(f"Difference {number} is applied: {done['games']} games.")


@app.command()
def undo(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The difference.")], as_json: AsJson = False
) -> None:
    """Undo a difference. It is not applied by itself again; games that changed since stay as they are."""

    async def work(hub: Hub, _: Settings) -> dict[str, Any]:
        games, kept = await hub.store.catalogue_diffs.undo(number, author=who())
        return {"number": number, "games": games, "changed_since": kept}

    done = with_hub(work)
    if as_json:
        show_json(done)
        return
    say(f"Difference {number} is undone: {done['games']} games.")
    if done["changed_since"]:
        say(f"Changed since, and left as they are: {', '.join(done['changed_since'])}")


def _listed(fields: Mapping[str, str | None] | None) -> str:
    return "not listed" if fields is None else ", ".join(value for value in fields.values() if value is not None)


def _place_problem(currency: str | None, country: str | None) -> str | None:
    if currency is not None and currency not in CURRENCIES:
        return f"--currency {currency[:16]} is not known"
    if country is not None and not re.fullmatch("[A-Z]{2}", country, re.ASCII):
        return "--country must be two capital letters such as DE"
    return None


async def _shelf(hub: Hub, games: list[Game]) -> _Shelf:
    store = hub.store
    return _Shelf(
        games,
        {p.provider_id: p.name for p in await store.providers.all()},
        {c.casino_id: c.name for c in await store.casinos.all()},
        await store.games.switched_off(),
    )
