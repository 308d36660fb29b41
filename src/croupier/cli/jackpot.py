"""`croupier jackpot`: the hub's own jackpot pots. Spec: operate.md 2, decision 0050.

Owns: the words and the output. Never: a rule (core.jackpot), a payment: the serving hub feeds pots and pays wins.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from croupier.admin_api.errors import CommandError, NotFound
from croupier.cli.find import casino_of, check_name, game_of
from croupier.cli.jackpot_proofs import check_proof, read_document, read_proof, round_facts
from croupier.cli.running import AsCsv, AsJson, Author, who, with_hub, with_look
from croupier.cli.settable import told_in
from croupier.cli.show import instant, names_of, show_facts, show_json, show_list, show_table
from croupier.core import jackpot
from croupier.core.jackpot import Gathered, Pot, RoundState
from croupier.core.money import BadAmount, exponent, format_amount, parse_amount
from croupier.flows.hub import Hub
from croupier.flows.jackpots import add_pot, change_pot
from croupier.kit.settings import Settings
from croupier.store.money.jackpots import StoredPot, StoredRound

app = typer.Typer(help="Open, show, change and freeze jackpot pots, and verify their rounds.", no_args_is_help=False)

WAITS = "the pot takes no shares and pays no wins"
ALL = "all"
SETTINGS = ("share_bp", "seed", "ceiling", "casinos", "games")
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

    async def work(hub: Hub, _: Settings) -> dict[str, Any]:
        check_name("NAME", name)
        exponent(currency)
        scope = _scope_of(only or [])
        pot = Pot(
            pot_id=await hub.store.ids.take(),
            name=name,
            currency=currency,
            share_bp=share_bp,
            seed=_amount("--seed", seed, currency),
            ceiling=_amount("--ceiling", ceiling, currency),
            casino_ids=await _casinos(hub, scope["casino"], currency),
            game_ids=await _games(hub, scope["game"]),
        )
        return await _facts(hub, await add_pot(hub, pot, who()))

    _show(with_hub(work, waits=WAITS), as_json=as_json)


@app.command("list")
def list_(*, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """Show the pots and what they stand at."""

    async def work(hub: Hub, _: Settings) -> list[dict[str, Any]]:
        return [await _facts(hub, stored) for stored in await hub.store.jackpots.all()]

    pots = with_look(work)
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
    most: Annotated[int, typer.Option("--rounds", min=1, max=10_000, help="How many of the last rounds to show.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show a pot with its rounds, or one round with its shares."""

    async def work(hub: Hub, _: Settings) -> dict[str, Any]:
        stored = await _pot_of(hub, which)
        if number is not None:
            return await _round(hub, stored.pot, number)
        rounds = [round_facts(row) for row in await hub.store.jackpots.rounds(stored.pot.pot_id, most=most)]
        return {**await _facts(hub, stored), "rounds": rounds}

    facts = with_look(work)
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

    async def work(hub: Hub, _: Settings) -> dict[str, Any]:
        stored = await _pot_of(hub, which)
        changes = await _changes(hub, stored.pot, told_in(assignments))
        rule = partial(jackpot.changed, author=author, **changes)
        return await _facts(hub, await change_pot(hub, stored.pot.pot_id, rule))

    _show(with_hub(work), as_json=as_json)


@app.command()
def freeze(which: Which, author: Author, as_json: AsJson = False) -> None:
    """Freeze a pot at once: it takes no shares, is not won, and keeps what it holds."""
    _change(which, lambda _: partial(jackpot.frozen, author=author), as_json=as_json)


@app.command()
def unfreeze(which: Which, author: Author, as_json: AsJson = False) -> None:
    """Unfreeze a pot: stakes that are settled from now on feed it. Those of the meantime are skipped."""
    _change(which, lambda upto: partial(jackpot.unfrozen, author=author, written_upto=upto), as_json=as_json)


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
        stored = await _pot_of(hub, which or "")
        wanted = number if number is not None else await _last_ended(hub, stored.pot)
        return await _round(hub, stored.pot, wanted)

    document = with_look(work) if proof is None else read_document(proof)
    raise typer.Exit(check_proof(read_proof(document), as_json=as_json))


# --- parts ---------------------------------------------------------------------------------------------------


def _change(which: str, rule: Callable[[int], Callable[[Pot], Gathered]], *, as_json: bool) -> None:
    async def work(hub: Hub, _: Settings) -> dict[str, Any]:
        stored = await _pot_of(hub, which)
        upto = await hub.store.jackpots.written_upto()
        return await _facts(hub, await change_pot(hub, stored.pot.pot_id, rule(upto)))

    _show(with_hub(work), as_json=as_json)


async def _pot_of(hub: Hub, text: str) -> StoredPot:
    found = await hub.store.jackpots.find(text)
    if found is None:
        raise NotFound(f"there is no pot {text[:128]!r}: `croupier jackpot list` shows them")
    return found


async def _last_ended(hub: Hub, pot: Pot) -> int:
    ended = [
        row.number for row in await hub.store.jackpots.rounds(pot.pot_id, most=2) if row.state is not RoundState.OPEN
    ]
    if not ended:
        raise CommandError(f"no round of pot {pot.name} has ended yet: its secret is published when it has")
    return ended[0]


async def _round(hub: Hub, pot: Pot, number: int) -> dict[str, Any]:
    rows: list[StoredRound] = await hub.store.jackpots.rounds(pot.pot_id, number=number)
    if not rows:
        raise CommandError(f"pot {pot.name} has no round {number}: it is in round {pot.number}")
    shares = [
        {
            "bet": row["bet_id"],
            "direction": row["direction"],
            "stake": format_amount(row["stake"], pot.currency),
            "share_bp": row["share_bp"],
            "amount": format_amount(row["amount"], pot.currency),
        }
        for row in await hub.store.jackpots.shares(pot.pot_id, number)
    ]
    return {"name": pot.name, "JackpotId": pot.meter_ref, **round_facts(rows[0]), "shares": shares}


async def _facts(hub: Hub, stored: StoredPot) -> dict[str, Any]:
    pot = stored.pot
    casinos = {c.casino_id: c.name for c in await hub.store.casinos.all()}
    games = {g.game_id: g.game_ref for g in await hub.store.games.all()}

    def text(amount: int) -> str:
        return format_amount(amount, pot.currency)

    return {
        "name": pot.name,
        "JackpotId": pot.meter_ref,
        "state": pot.state.value,
        "amount": text(pot.amount),
        "currency": pot.currency,
        "share_bp": pot.share_bp,
        "seed": text(pot.seed),
        "ceiling": text(pot.ceiling),
        "casinos": ALL if pot.casino_ids is None else sorted(casinos.get(i, str(i)) for i in pot.casino_ids),
        "games": ALL if pot.game_ids is None else sorted(games.get(i, str(i)) for i in pot.game_ids),
        "round": pot.number,
        "round_seed": text(pot.round_seed),
        "round_ceiling": text(pot.round_ceiling),
        "contributed": text(pot.contributed),
        "carry": f"{pot.carry}/{jackpot.PARTS} of a minor unit",
        "commitment": stored.commitment,
        "changed": instant(stored.changed_ms),
    }


async def _changes(hub: Hub, pot: Pot, told: dict[str, str]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for key, value in told.items():
        match key:
            case "seed" | "ceiling":
                changes[key] = _amount(key, value, pot.currency)
            case "share_bp":
                if not (value.isascii() and value.isdigit() and len(value) <= 5):
                    raise CommandError("share_bp must be a whole number of basis points")
                changes[key] = int(value)
            case "casinos":
                changes["casino_ids"] = await _casinos(hub, _listed(value), pot.currency)
            case "games":
                changes["game_ids"] = await _games(hub, _listed(value))
            case _:
                raise CommandError(f"{key[:60]} is no setting of a pot: {', '.join(SETTINGS)}")
    return changes


def _scope_of(only: list[str]) -> dict[str, list[str]]:
    """Return the casinos and games of `--only`. Raises CommandError."""
    scope: dict[str, list[str]] = {"casino": [], "game": []}
    for one in only:
        kind, equals, name = one.partition("=")
        if kind not in scope or not equals or not name:
            raise CommandError(f"--only {one[:60]!r} is neither casino=ID nor game=ID")
        scope[kind].append(name)
    return scope


def _listed(value: str) -> list[str] | None:
    return None if value == ALL else [one.strip() for one in value.split(",")]


async def _casinos(hub: Hub, names: list[str] | None, currency: str) -> frozenset[int] | None:
    if not names:
        return None
    found = [await casino_of(hub, name) for name in names]
    for casino in found:
        if currency not in casino.currencies:
            raise CommandError(
                f"casino {casino.name} does not play in {currency}: it has {', '.join(casino.currencies)}"
            )
    return frozenset(casino.casino_id for casino in found)


async def _games(hub: Hub, names: list[str] | None) -> frozenset[int] | None:
    return frozenset([(await game_of(hub, name)).game_id for name in names]) if names else None


def _amount(option: str, text: str, currency: str) -> int:
    try:
        return parse_amount(text, currency)
    except BadAmount as bad:
        raise CommandError(f"{option} {bad.why}") from bad


def _show(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(facts)
    else:
        show_facts(f"Jackpot {facts['name']}", facts)
