"""`croupier jackpot`: the hub's own jackpot pots. Spec: operate.md 2, decision 0050.

Owns: the options, the output, and `verify`, which trusts no hub. Never: the work (admin_api.jackpots), a rule (core.jackpot).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from croupier.admin_api import jackpots
from croupier.admin_api.command import NoParams
from croupier.admin_api.errors import BadParameter, CommandError
from croupier.admin_api.jackpots import (
    MOST_ROUNDS,
    SETTINGS,
    USUAL_ROUNDS,
    AddPotParams,
    PotParams,
    PotRecord,
    PotRoundParams,
    SetPotParams,
    ShowPotParams,
    pot_of,
    round_of,
)
from croupier.cli.jackpot_proofs import check_proof, read_document, read_proof, round_facts, shares_facts
from croupier.cli.running import AsCsv, AsJson, Author, ask, with_look
from croupier.cli.settable import told_in
from croupier.cli.show import instant, names_of, show_facts, show_json, show_list, show_table
from croupier.core.jackpot import Pot, RoundState
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings

app = typer.Typer(help="Open, show, change and freeze jackpot pots, and verify their rounds.", no_args_is_help=False)

WAITS = "the pot takes no shares and pays no wins"
Which = Annotated[str, typer.Argument(metavar="POT", help="Name or id of the pot.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name that players see.")],
    *,
    currency: Annotated[str, typer.Option("--currency", help="Only stakes in this currency feed the pot.")],
    share_bp: Annotated[int, typer.Option("--share-bp", help="The share of each stake in basis points: 100 is 1 %.")],
    seed: Annotated[str, typer.Option("--seed", help="The amount with which each round begins, such as 100.00.")],
    ceiling: Annotated[str, typer.Option("--ceiling", help="The amount at which a round is won at the latest.")],
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="casino=ID|game=ID", help="Whose stakes feed it; once for each. Default: all."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Open a pot. Stakes that are settled from now on feed it, and its first round is drawn."""
    casinos, games = _only(only or [])
    wish = AddPotParams(
        name=name, currency=currency, share_bp=share_bp, seed=seed, ceiling=ceiling, casinos=casinos, games=games
    )
    _show(ask(jackpots.add, wish, waits=WAITS), as_json=as_json)


@app.command("list")
def list_(*, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """Show the pots and what they stand at."""
    pots = [_facts(pot) for pot in ask(jackpots.jackpots, NoParams())]
    if as_json:
        show_json(pots)
        return
    columns = ("name", "?JackpotId", "state", ">amount", "currency", "??>seed", "?>ceiling", "??>share_bp", "??>round")
    show_list("Jackpots", columns, [[pot[name] for name in names_of(columns)] for pot in pots], as_csv=as_csv)


@app.command()
def show(
    which: Which,
    *,
    number: Annotated[
        int | None,
        typer.Option("--round", min=1, help="Show one round with its shares: the proof that `verify` reads."),
    ] = None,
    most: Annotated[
        int, typer.Option("--rounds", min=1, max=MOST_ROUNDS, help="How many of the last rounds to show.")
    ] = USUAL_ROUNDS,
    as_json: AsJson = False,
) -> None:
    """Show a pot with its rounds, or one round with its shares."""
    facts = _shown(which, number, most=most)
    if as_json:
        show_json(facts)
        return
    rounds, shares = facts.pop("rounds", None), facts.pop("shares", None)
    show_facts(f"Jackpot {facts['name']}", facts)
    if rounds is not None:
        columns = ("round", "state", ">amount", ">ceiling", "ended", "won_by", "win", "payment")
        show_table("Rounds", columns, [[row[name.lstrip(">")] for name in columns] for row in rounds])
    if shares is not None:
        of_share = ("bet", "direction", ">stake", ">amount")
        show_table("Shares", of_share, [[row[name.lstrip(">")] for name in of_share] for row in shares])


@app.command("set")
def set_(
    which: Which,
    assignments: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY=VALUE...", help=f"Settings to change: {', '.join(SETTINGS)}. Commas between casinos; `all`."
        ),
    ],
    *,
    author: Author,
    as_json: AsJson = False,
) -> None:
    """Change a pot: share_bp seed ceiling casinos games. Once stakes have fed a round, its ceiling only rises."""
    wish = SetPotParams(pot=which, settings=told_in(assignments))
    _show(ask(jackpots.set_, wish, author=author), as_json=as_json)


@app.command()
def freeze(which: Which, author: Author, as_json: AsJson = False) -> None:
    """Freeze a pot at once: it takes no shares, is not won, and keeps what it holds."""
    _show(ask(jackpots.freeze, PotParams(pot=which), author=author), as_json=as_json)


@app.command()
def unfreeze(which: Which, author: Author, as_json: AsJson = False) -> None:
    """Unfreeze a pot: stakes that are settled from now on feed it. Those of the meantime are skipped."""
    _show(ask(jackpots.unfreeze, PotParams(pot=which), author=author), as_json=as_json)


@app.command()
def verify(
    which: Annotated[str | None, typer.Argument(metavar="[POT]", help="Name or id of the pot.")] = None,
    *,
    number: Annotated[
        int | None, typer.Option("--round", min=1, help="The round. Default: the last that ended.")
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option(
            "--proof", help="A file with the output of `jackpot show POT --round N --json`, or -. Needs no database."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute who won a round from what was published, and say whether it was fair. Exit code 1 if it was not."""
    if (which is None) == (proof is None):
        raise typer.BadParameter("give a POT, or --proof FILE")

    async def work(hub: Hub, _: Settings) -> dict[str, Any]:
        pot = (await pot_of(hub, which or "")).pot
        wanted = number if number is not None else await _last_ended(hub, pot)
        return shares_facts(await round_of(hub, pot, wanted))

    document = with_look(work) if proof is None else read_document(proof)
    raise typer.Exit(check_proof(read_proof(document), as_json=as_json))


# --- parts ---------------------------------------------------------------------------------------------------


def _shown(which: str, number: int | None, *, most: int) -> dict[str, Any]:
    """Return a pot with its rounds, or one round with its shares."""
    if number is not None:
        return shares_facts(ask(jackpots.show_round, PotRoundParams(pot=which, number=number)))
    found = ask(jackpots.show, ShowPotParams(pot=which, rounds=most))
    return {**_facts(found), "rounds": [round_facts(row) for row in found.rounds]}


def _facts(pot: PotRecord) -> dict[str, Any]:
    """Return a pot for JSON and tables, without its rounds."""
    plain = msgspec.to_builtins(pot)
    plain.pop("rounds", None)
    return {**plain, "changed": instant(plain.pop("changed_ms"))}


def _only(told: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the casinos and the games of `--only`. Raises BadParameter."""
    scope: dict[str, list[str]] = {"casino": [], "game": []}
    for one in told:
        kind, equals, name = one.partition("=")
        if kind not in scope or not equals or not name:
            raise BadParameter("only", f"{one[:60]!r} is neither casino=ID nor game=ID")
        scope[kind].append(name)
    return tuple(scope["casino"]), tuple(scope["game"])


async def _last_ended(hub: Hub, pot: Pot) -> int:
    ended = [
        row.number for row in await hub.store.jackpots.rounds(pot.pot_id, most=2) if row.state is not RoundState.OPEN
    ]
    if not ended:
        raise CommandError(f"no round of pot {pot.name} has ended yet: its secret is published when it has")
    return ended[0]


def _show(pot: PotRecord, *, as_json: bool) -> None:
    if as_json:
        show_json(_facts(pot))
    else:
        show_facts(f"Jackpot {pot.name}", _facts(pot))
