"""`croupier casino`: make known, look at, set, disable; rotate the keys that sign for casinos. Spec: operate.md."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from croupier.cli.find import casino_of, check_peer
from croupier.cli.running import AsJson, with_hub
from croupier.cli.sentences import Fault
from croupier.cli.settable import changes_of
from croupier.cli.show import note, say, show_facts, show_json, show_table
from croupier.core.counterparty import Casino
from croupier.flows.hub import Hub
from croupier.kit.keys import ALGORITHMS
from croupier.kit.settings import Settings
from croupier.store.profiles import CASINOS

app = typer.Typer(help="Casinos: partners that keep player wallets.", no_args_is_help=False)
keys = typer.Typer(help="The keys that sign what casinos are sent.")
app.add_typer(keys, name="keys")

Id = Annotated[str, typer.Argument(metavar="ID", help="The casino's PartnerClientId or name.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="A name of your choice.")],
    *,
    url: Annotated[str, typer.Option("--url", help="Where the casino answers the hub.")],
    currency: Annotated[
        list[str], typer.Option("--currency", help="A currency it plays in; repeat it, or put commas between several.")
    ],
    alg: Annotated[str, typer.Option("--alg", help="RS256, ES256 or EdDSA: how the hub signs for it.")] = "RS256",
    as_json: AsJson = False,
) -> None:
    """Make a casino known; prints its PartnerClientId and Secret, the secret once and never again."""
    currencies = [code.strip() for text in currency for code in text.split(",") if code.strip()]

    async def work(hub: Hub, settings: Settings) -> tuple[Casino, str]:
        check_peer(url, settings)
        return await hub.store.casinos.add(name, url, currencies, alg=alg)

    casino, secret = with_hub(work)
    credentials = {"PartnerClientId": casino.casino_id, "Secret": secret}
    if as_json:
        show_json(credentials)
        return
    show_facts(f"Casino {casino.name}", credentials)
    note("Give both to the casino now: the secret is not shown again.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show every casino."""

    async def work(hub: Hub, _: Settings) -> list[Casino]:
        return await hub.store.casinos.all()

    casinos = with_hub(work)
    if as_json:
        show_json([facts(casino) for casino in casinos])
        return
    rows = [(c.casino_id, c.name, c.url, c.currencies, c.alg, c.enabled) for c in casinos]
    show_table("Casinos", ("id", "name", "url", "currencies", "alg", "enabled"), rows)


@app.command()
def show(which: Id, as_json: AsJson = False) -> None:
    """Show one casino with all its settings."""

    async def work(hub: Hub, _: Settings) -> Casino:
        return await casino_of(hub, which)

    _show(with_hub(work), as_json=as_json)


@app.command("set")
def set_(
    which: Id,
    assignments: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...", help="`default` takes a choice back.")],
    as_json: AsJson = False,
) -> None:
    """Change settings: late_accept batch alg tax_bp codes.REASON info close origins min_bet max_bet enabled url ..."""

    async def work(hub: Hub, settings: Settings) -> Casino:
        casino = await casino_of(hub, which)
        changes = changes_of(assignments, CASINOS, settings)
        return await hub.store.casinos.change(casino.casino_id, changes)

    _show(with_hub(work), as_json=as_json)


@app.command()
def disable(which: Id, as_json: AsJson = False) -> None:
    """Stop its launches, new bets and new cashbacks; what is under way goes on. `set ID enabled=true` undoes it."""

    async def work(hub: Hub, _: Settings) -> Casino:
        return await hub.store.casinos.disable((await casino_of(hub, which)).casino_id)

    _show(with_hub(work), as_json=as_json)


@keys.command()
def rotate(
    which: Annotated[str | None, typer.Argument(metavar="[ID]", help="A casino whose algorithm is meant.")] = None,
    *,
    alg: Annotated[str | None, typer.Option("--alg", help="RS256, ES256 or EdDSA; RS256 if nothing is said.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Let the new key sign at once, for ID or else for all casinos.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a new signing key. The old one signs for each casino until that casino has fetched the new key set."""
    if which is not None and alg is not None:
        raise typer.BadParameter("give a casino or --alg, not both")

    async def work(hub: Hub, _: Settings) -> dict[str, Any]:
        casino = None if which is None else await casino_of(hub, which)
        wanted = alg or (casino.alg if casino else "RS256")
        if wanted not in ALGORITHMS:
            raise Fault(f"--alg must be one of {', '.join(ALGORITHMS)}, not {wanted[:20]!r}")
        kid = await hub.store.keys.rotate(wanted)
        moved = await hub.store.keys.force(casino.casino_id if casino else None) if force else 0
        return {"kid": kid, "alg": wanted, "forced": moved}

    made = with_hub(work)
    if as_json:
        show_json(made)
        return
    say(f"The new {made['alg']} key is {made['kid']}.")
    if force:
        say(f"It signs at once for {made['forced']} more casinos: be sure that they have the new key set.")


def facts(casino: Casino) -> dict[str, Any]:
    """A casino as JSON and tables show it: its id under the contract's name, then everything else."""
    plain = msgspec.to_builtins(casino, str_keys=True)
    plain["codes"] = {reason.value: code for reason, code in casino.codes.items()}
    return {"PartnerClientId": plain.pop("casino_id"), **plain}


def _show(casino: Casino, *, as_json: bool) -> None:
    if as_json:
        show_json(facts(casino))
    else:
        show_facts(f"Casino {casino.name}", facts(casino))
