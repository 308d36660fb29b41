"""`croupier provider`: add, show, set, disable, close, fetch the games, and rotate the secret. Spec: operate.md 2."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
import typer

from croupier.admin_api.errors import CommandError
from croupier.cli.counterparty import CounterpartyCommands
from croupier.cli.find import check_peer, provider_of
from croupier.cli.running import AsCsv, AsJson, settings, with_hub, with_look
from croupier.cli.secret_options import KeepOld, Now, SecretFile, kept_s
from croupier.cli.show import say, show_json, show_list
from croupier.core.counterparty import Provider
from croupier.flows.hub import Hub
from croupier.flows.sync_games import sync_games
from croupier.kit.settings import Settings
from croupier.kit.wire import PeerError
from croupier.store.parties.listings import Counts
from croupier.store.parties.profiles import PROVIDERS

app = typer.Typer(help="Manage providers, the partners that own games.")
secret = typer.Typer(help="Rotate the secret that a provider and the hub share.")
app.add_typer(secret, name="secret")

ProviderArgument = Annotated[str, typer.Argument(metavar="ID", help="The provider's CounterpartyId, number or name.")]


DISABLED = (
    "Provider {} starts nothing new now: no launches or bets. Open ones continue. `croupier provider enable` undoes it."
)
CLOSED = "Every request of provider {} is refused now, pay-outs and refunds too. `croupier provider open` undoes it."
"""The message after the command, which says what changes now."""


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The provider's name, of your choice.")],
    *,
    url: Annotated[str, typer.Option("--url", help="Base URL at which the hub calls the provider.")],
    secret_file: SecretFile = None,
    as_json: AsJson = False,
) -> None:
    """Add a provider and print its CounterpartyId and Secret. The secret is never shown again."""
    check_peer(url, settings())

    async def work(hub: Hub, _: Settings) -> tuple[Provider, str]:
        return await hub.store.providers.add(name, url)

    _COMMANDS.hand_out(lambda: with_hub(work, may_make=True), into=secret_file, as_json=as_json)


@app.command("list")
def list_(*, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """Show every provider."""

    async def work(hub: Hub, _: Settings) -> list[Provider]:
        return await hub.store.providers.all()

    providers = with_look(work)
    if as_json:
        show_json([facts(provider) for provider in providers])
        return
    rows = [(p.provider_id, p.name, p.counterparty_id, p.url, p.enabled, p.closed) for p in providers]
    show_list("Providers", ("id", "name", "?counterparty", "??url", "enabled", "?closed"), rows, as_csv=as_csv)


@app.command()
def show(which: ProviderArgument, as_json: AsJson = False) -> None:
    """Show one provider with all its settings."""

    async def work(hub: Hub, _: Settings) -> Provider:
        return await provider_of(hub, which)

    _COMMANDS.show(with_look(work), as_json=as_json)


@app.command("set")
def set_(
    which: ProviderArgument,
    assignments: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE...", help="Settings to change. The value `default` resets one.")
    ],
    as_json: AsJson = False,
) -> None:
    """Change settings: hold_s claim_s game_types min_bet max_bet large_win max_win max_odd enabled fresh_s user_id url ..."""
    _COMMANDS.change(which, assignments, as_json=as_json)


@app.command()
def disable(which: ProviderArgument, as_json: AsJson = False) -> None:
    """Stop launches and new bets of its games. Open bets continue. `set ID enabled=true` undoes it."""
    _COMMANDS.disable(which, as_json=as_json, says=DISABLED)


@app.command()
def enable(which: ProviderArgument, as_json: AsJson = False) -> None:
    """Allow launches and bets of its games again after `disable`. Use `open` for a closed provider."""
    _COMMANDS.enable(which, as_json=as_json)


@app.command()
def close(
    which: ProviderArgument,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Close it even while bets are undecided. They then stay open.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Close a provider: its requests are refused from now on, payouts and refunds included.

    `disable` is the milder way: no new bet begins, and those that are under way come to their end.
    """
    _COMMANDS.close(which, force=force, as_json=as_json, says=CLOSED)


@app.command("open")
def open_(which: ProviderArgument, as_json: AsJson = False) -> None:
    """Reopen a closed provider. It is enabled or disabled as before."""
    _COMMANDS.open(which, as_json=as_json)


@app.command()
def sync(which: ProviderArgument, as_json: AsJson = False) -> None:
    """Fetch the provider's games. New ones are added; missing ones are switched off and never deleted."""

    async def work(hub: Hub, _: Settings) -> tuple[Provider, Counts]:
        provider = await provider_of(hub, which)
        try:
            return provider, await sync_games(hub, provider)
        except PeerError as error:
            raise CommandError(
                f"provider {provider.name} gave no games from {provider.url} ({error}): see that it runs there and has the "
                "secret that this hub gave it"
            ) from error

    provider, counts = with_hub(work)
    if as_json:
        show_json({"CounterpartyId": provider.counterparty_id, **msgspec.to_builtins(counts)})
        return
    say(f"Games of {provider.name}: {counts.new} new, {counts.changed} changed, {counts.vanished} vanished.")
    if counts.waiting:
        say(
            f"{counts.waiting} changes wait for review: `croupier game diff --provider {provider.provider_id}` shows them."
        )


@secret.command()
def rotate(
    which: ProviderArgument,
    *,
    keep_old: KeepOld = None,
    now: Now = False,
    secret_file: SecretFile = None,
    as_json: AsJson = False,
) -> None:
    """Create a new secret and show it once. The old one stays valid for a while."""
    _COMMANDS.rotate(which, kept_s(keep_old, now=now), into=secret_file, as_json=as_json)


def facts(provider: Provider) -> dict[str, Any]:
    """Return a provider for JSON and tables: its id under the contract's name, then everything else."""
    plain = msgspec.to_builtins(provider)
    return {"CounterpartyId": plain.pop("counterparty_id"), **plain}


_COMMANDS: Final = CounterpartyCommands(
    title="Provider",
    id_name="CounterpartyId",
    side=PROVIDERS,
    find=provider_of,
    table=lambda hub: hub.store.providers,
    key=lambda provider: provider.provider_id,
    facts=facts,
)
