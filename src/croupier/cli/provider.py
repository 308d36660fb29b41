"""`croupier provider`: add, show, set, disable, close, fetch the games, and rotate the secret. Spec: operate.md 2.

Owns: the options and the output. Never: the work (admin_api.providers).
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
import typer

from croupier.admin_api import providers
from croupier.admin_api.command import NoParams
from croupier.admin_api.providers import (
    AddProviderParams,
    CloseProviderParams,
    OneProviderParams,
    ProviderSecretParams,
    SetProviderParams,
)
from croupier.cli.counterparty import CounterpartyOutput, check_here
from croupier.cli.running import AsCsv, AsJson, ask
from croupier.cli.secret_options import KeepOld, Now, SecretFile, kept_s
from croupier.cli.settable import told_in
from croupier.cli.show import say, show_json, show_list
from croupier.core.counterparty import Provider

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
    check_here(url)
    wish = AddProviderParams(name=name, url=url)
    _OUTPUT.hand_out(lambda: ask(providers.add, wish, may_make=True), into=secret_file, as_json=as_json)


@app.command("list")
def list_(*, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """Show every provider."""
    found = ask(providers.providers, NoParams())
    if as_json:
        show_json([facts(provider) for provider in found])
        return
    rows = [(p.provider_id, p.name, p.counterparty_id, p.url, p.enabled, p.closed) for p in found]
    show_list("Providers", ("id", "name", "?counterparty", "??url", "enabled", "?closed"), rows, as_csv=as_csv)


@app.command()
def show(which: ProviderArgument, as_json: AsJson = False) -> None:
    """Show one provider with all its settings."""
    _OUTPUT.show(ask(providers.show, OneProviderParams(provider=which)), as_json=as_json)


@app.command("set")
def set_(
    which: ProviderArgument,
    assignments: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE...", help="Settings to change. The value `default` resets one.")
    ],
    as_json: AsJson = False,
) -> None:
    """Change settings: hold_s claim_s game_types min_bet max_bet large_win max_win max_odd enabled fresh_s user_id url ..."""
    wish = SetProviderParams(provider=which, settings=told_in(assignments))
    _OUTPUT.show(ask(providers.set_, wish), as_json=as_json)


@app.command()
def disable(which: ProviderArgument, as_json: AsJson = False) -> None:
    """Stop launches and new bets of its games. Open bets continue. `set ID enabled=true` undoes it."""
    _OUTPUT.show(ask(providers.disable, OneProviderParams(provider=which)), as_json=as_json, says=DISABLED)


@app.command()
def enable(which: ProviderArgument, as_json: AsJson = False) -> None:
    """Allow launches and bets of its games again after `disable`. Use `open` for a closed provider."""
    _OUTPUT.show(ask(providers.enable, OneProviderParams(provider=which)), as_json=as_json)


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
    wish = CloseProviderParams(provider=which, force=force)
    _OUTPUT.show(ask(providers.close, wish), as_json=as_json, says=CLOSED)


@app.command("open")
def open_(which: ProviderArgument, as_json: AsJson = False) -> None:
    """Reopen a closed provider. It is enabled or disabled as before."""
    _OUTPUT.show(ask(providers.open_, OneProviderParams(provider=which)), as_json=as_json)


@app.command()
def sync(which: ProviderArgument, as_json: AsJson = False) -> None:
    """Fetch the provider's games. New ones are added; missing ones are switched off and never deleted."""
    found = ask(providers.sync, OneProviderParams(provider=which))
    if as_json:
        counts = {"new": found.new, "changed": found.changed, "vanished": found.vanished, "waiting": found.waiting}
        show_json({"CounterpartyId": found.counterparty_id, **counts})
        return
    say(f"Games of {found.name}: {found.new} new, {found.changed} changed, {found.vanished} vanished.")
    if found.waiting:
        say(f"{found.waiting} changes wait for review: `croupier game diff --provider {found.provider_id}` shows them.")


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
    wish = ProviderSecretParams(provider=which, keep_old_s=kept_s(keep_old, now=now))
    _OUTPUT.hand_out(lambda: ask(providers.rotate_secret, wish), into=secret_file, as_json=as_json)


def facts(provider: Provider) -> dict[str, Any]:
    """Return a provider for JSON and tables: its id under the contract's name, then everything else."""
    plain = msgspec.to_builtins(provider)
    return {"CounterpartyId": plain.pop("counterparty_id"), **plain}


_OUTPUT: Final = CounterpartyOutput(title="Provider", id_name="CounterpartyId", facts=facts)
