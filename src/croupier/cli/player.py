"""`croupier player`: a casino's players, and the exclusion of one. Spec: provider.md 2 (code 4, player blocked).

Owns: the words. Never: what a block means (core.session): no new bets and no launches, while payouts and refunds go on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import msgspec
import typer

from croupier.cli.bet import COLUMNS as BET_COLUMNS
from croupier.cli.find import casino_of, player_of
from croupier.cli.payment import COLUMNS as PAYMENT_COLUMNS
from croupier.cli.running import AsCsv, AsJson, Author, Reason, with_hub, with_look
from croupier.cli.search import cells
from croupier.cli.session import COLUMNS as SESSION_COLUMNS
from croupier.cli.show import instant, names_of, say, show_facts, show_json, show_list, show_table
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings
from croupier.store.parties.players import Block, Player
from croupier.views import money_lists
from croupier.views.money_lists import Search

LAST = 10
"""Number of bets and sessions that `show` prints."""
OPEN_PAYMENTS = ("created", "sent", "parked")

app = typer.Typer(help="Show, exclude and readmit players.", no_args_is_help=False)

AtCasino = Annotated[str, typer.Option("--casino", help="Id or name of the player's casino.")]
Who = Annotated[str, typer.Option("--player", help="The player's id at the casino.")]


@app.command("list")
def list_(
    casino: AtCasino,
    blocked: Annotated[bool, typer.Option("--blocked", help="Show only excluded players.")] = False,
    *,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show the players of a casino, with the last decision about those who were ever excluded."""

    async def work(hub: Hub, _: Settings) -> list[dict[str, Any]]:
        casino_id = (await casino_of(hub, casino)).casino_id
        words = await hub.store.players.blocks(casino_id)
        players = await hub.store.players.all(casino_id)
        return [facts(player, words.get(player.player_id)) for player in players if player.blocked or not blocked]

    shown = with_look(work)
    if as_json:
        show_json(shown)
        return
    columns = ("player", "currency", "??language", "??country", "??is_test", "blocked", "?reason", "?author")
    rows = [[*(one[name] for name in names_of(columns)), instant(one["at_ms"])] for one in shown]
    show_list("Players", (*columns, "?when"), rows, as_csv=as_csv)


@app.command()
def show(*, casino: AtCasino, player: Who, as_json: AsJson = False) -> None:
    """Show a player with the last bets, payments without outcome, and sessions."""

    async def work(hub: Hub, _: Settings) -> dict[str, Any]:
        db, at = hub.store.db, await casino_of(hub, casino)
        found = await player_of(hub, at, player)
        asked = Search(LAST, player_ids=(found.player_id,), now_ms=hub.clock.now_ms())
        open_ones = [await money_lists.payments(db, replace(asked, state=state)) for state in OPEN_PAYMENTS]
        return {
            "casino": at.name,
            **facts(found, (await hub.store.players.blocks(at.casino_id)).get(found.player_id)),
            "bets": (await money_lists.bets(db, asked)).bets,
            "open_payments": [one for page in open_ones for one in page.payments],
            "sessions": (await money_lists.sessions(db, asked)).sessions,
        }

    shown = with_look(work)
    if as_json:
        show_json(shown)
        return
    parts = {name: shown.pop(name) for name in ("bets", "open_payments", "sessions")}
    times = {name.removesuffix("_ms"): instant(shown.pop(name)) for name in ("excluded_until_ms", "at_ms")}
    show_facts(f"Player {shown['player']}", {**shown, **times})
    for title, name, columns in (
        ("Last bets", "bets", BET_COLUMNS), ("Payments without outcome", "open_payments", PAYMENT_COLUMNS),
        ("Last sessions", "sessions", SESSION_COLUMNS),
    ):  # fmt: skip
        show_table(title, columns, cells(parts[name], columns))


@app.command()
def block(*, casino: AtCasino, player: Who, reason: Reason, author: Author, as_json: AsJson = False) -> None:
    """Exclude a player from launches and new bets. Earlier bets are still paid out and refunded."""
    _set_blocked((casino, player), True, (reason, author), as_json=as_json)


@app.command()
def unblock(*, casino: AtCasino, player: Who, reason: Reason, author: Author, as_json: AsJson = False) -> None:
    """Readmit an excluded player."""
    _set_blocked((casino, player), False, (reason, author), as_json=as_json)


def facts(player: Player, last: Block | None) -> dict[str, Any]:
    """Return a player for JSON and tables: the id at the casino, everything else, then the reason of the exclusion."""
    plain = msgspec.to_builtins(player)
    words = {"reason": last and last.reason, "author": last and last.author, "at_ms": last and last.at_ms}
    return {"player": plain.pop("player_ref"), **plain, **words}


def _set_blocked(whom: tuple[str, str], blocked: bool, why: tuple[str, str], *, as_json: bool) -> None:
    """Record the decision. `whom` is casino and player, `why` reason and author."""

    async def work(hub: Hub, _: Settings) -> dict[str, Any]:
        players, casino = hub.store.players, await casino_of(hub, whom[0])
        found = await player_of(hub, casino, whom[1])
        await players.block(found.player_id, blocked, reason=why[0], author=why[1])
        now = await players.get(found.player_id)
        assert now is not None
        return facts(now, (await players.blocks(casino.casino_id)).get(found.player_id))

    done = with_hub(work)
    if as_json:
        show_json(done)
    else:
        say(f"Player {done['player']} is {'excluded: no new bets' if blocked else 'let in again'}.")
