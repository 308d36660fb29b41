"""`croupier player`: a casino's players, and the exclusion of one. Spec: provider.md 2 (code 4, player blocked).

Owns: the options and the output. Never: what is shown or done (admin_api.players).
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from croupier.admin_api import players
from croupier.admin_api.players import MOST, USUAL, BlockParams, PlayerFacts, PlayerParams, PlayersParams
from croupier.cli.bet import COLUMNS as BET_COLUMNS
from croupier.cli.payment import COLUMNS as PAYMENT_COLUMNS
from croupier.cli.running import AsCsv, AsJson, Author, Reason, ask
from croupier.cli.search import cells
from croupier.cli.session import COLUMNS as SESSION_COLUMNS
from croupier.cli.show import instant, names_of, note, say, show_facts, show_json, show_list, show_table

app = typer.Typer(help="Show, exclude and readmit players.", no_args_is_help=False)

AtCasino = Annotated[str, typer.Option("--casino", help="Id or name of the player's casino.")]
Who = Annotated[str, typer.Option("--player", help="The player's id at the casino.")]


@app.command("list")
def list_(
    casino: AtCasino,
    blocked: Annotated[bool, typer.Option("--blocked", help="Show only excluded players.")] = False,
    *,
    after: Annotated[int, typer.Option("--after", min=0, metavar="CURSOR", help="Go on where a page ended.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="Number of rows.")] = USUAL,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show the players of a casino in the order of registration, with the last decision about those who were ever excluded."""
    shown = ask(players.players, PlayersParams(casino=casino, blocked=blocked, after=after, limit=limit))
    if len(shown) == limit:
        note(f"More: --after {shown[-1].player_id}")
    if as_json:
        show_json(shown)
        return
    columns = ("player", "currency", "??language", "??country", "??is_test", "blocked", "?reason", "?author")
    rows = [[*(getattr(one, name) for name in names_of(columns)), instant(one.at_ms)] for one in shown]
    show_list("Players", (*columns, "?when"), rows, as_csv=as_csv)


@app.command()
def show(*, casino: AtCasino, player: Who, as_json: AsJson = False) -> None:
    """Show a player with the last bets, payments without outcome, and sessions."""
    shown = ask(players.player, PlayerParams(casino=casino, player=player))
    if as_json:
        show_json(shown)
        return
    lists = ("bets", "open_payments", "sessions")
    facts = {name: value for name, value in msgspec.structs.asdict(shown).items() if name not in lists}
    facts["limits"] = msgspec.to_builtins(shown.limits)
    times = {name.removesuffix("_ms"): instant(facts.pop(name)) for name in ("excluded_until_ms", "at_ms")}
    show_facts(f"Player {shown.player}", {**facts, **times})
    show_table("Last bets", BET_COLUMNS, cells(shown.bets, BET_COLUMNS))
    show_table("Payments without outcome", PAYMENT_COLUMNS, cells(shown.open_payments, PAYMENT_COLUMNS))
    show_table("Last sessions", SESSION_COLUMNS, cells(shown.sessions, SESSION_COLUMNS))


@app.command()
def block(*, casino: AtCasino, player: Who, reason: Reason, author: Author, as_json: AsJson = False) -> None:
    """Exclude a player from launches and new bets. Earlier bets are still paid out and refunded."""
    wish = BlockParams(casino=casino, player=player, reason=reason)
    _show_blocked(ask(players.block, wish, author=author), as_json=as_json)


@app.command()
def unblock(*, casino: AtCasino, player: Who, reason: Reason, author: Author, as_json: AsJson = False) -> None:
    """Readmit an excluded player."""
    wish = BlockParams(casino=casino, player=player, reason=reason)
    _show_blocked(ask(players.unblock, wish, author=author), as_json=as_json)


def _show_blocked(done: PlayerFacts, *, as_json: bool) -> None:
    if as_json:
        show_json(done)
    else:
        say(f"Player {done.player} is {'excluded: no new bets' if done.blocked else 'let in again'}.")
