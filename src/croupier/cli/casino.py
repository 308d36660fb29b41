"""`croupier casino`: add, show, set, disable, close, and rotate the secret. Spec: operate.md 2 and 5.

Owns: the options and the output. Never: the work (admin_api.casinos).
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
import typer

from croupier.admin_api import casinos
from croupier.admin_api.casinos import (
    AddCasinoParams,
    CasinoSecretParams,
    CloseCasinoParams,
    OneCasinoParams,
    SetCasinoParams,
)
from croupier.admin_api.command import NoParams
from croupier.cli.counterparty import CounterpartyOutput, check_here
from croupier.cli.running import AsCsv, AsJson, ask
from croupier.cli.sealing import keys
from croupier.cli.secret_options import KeepOld, Now, SecretFile, kept_s
from croupier.cli.settable import told_in
from croupier.cli.show import show_facts, show_json, show_list
from croupier.core.counterparty import Casino

app = typer.Typer(help="Manage casinos, the partners that keep the players' wallets.", no_args_is_help=False)
secret = typer.Typer(help="Rotate the secret with which a casino gets its access tokens.")
app.add_typer(keys, name="keys")
app.add_typer(secret, name="secret")

CasinoArgument = Annotated[str, typer.Argument(metavar="ID", help="The casino's PartnerClientId or name.")]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Close it even while payments are undecided. The hub still queries and pays, but accepts no call.",
    ),
]


DISABLED = (
    "Casino {} starts nothing new now: no launches, bets or cashbacks. "
    "Open ones continue. `croupier casino enable` undoes it."
)
CLOSED = (
    "The secret, tokens and accepts of casino {} are refused now. "
    "What is owed to its players is still sent. `croupier casino open` undoes it."
)
"""The message after the command, which says what changes now."""


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The casino's name, of your choice.")],
    *,
    url: Annotated[str, typer.Option("--url", help="Base URL at which the hub calls the casino.")],
    currency: Annotated[
        list[str],
        typer.Option("--currency", help="A currency of its players. Repeat the option, or separate several by commas."),
    ],
    alg: Annotated[
        str, typer.Option("--alg", help="Algorithm of the hub's signatures: RS256, ES256 or EdDSA.")
    ] = "RS256",
    secret_file: SecretFile = None,
    as_json: AsJson = False,
) -> None:
    """Add a casino and print its PartnerClientId and Secret. The secret is never shown again."""
    check_here(url)
    currencies = tuple(code.strip() for text in currency for code in text.split(",") if code.strip())
    wish = AddCasinoParams(name=name, url=url, currencies=currencies, alg=alg)
    _OUTPUT.hand_out(lambda: ask(casinos.add, wish, may_make=True), into=secret_file, as_json=as_json)


@app.command("list")
def list_(*, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """Show every casino."""
    found = ask(casinos.casinos, NoParams())
    if as_json:
        show_json([facts(casino) for casino in found])
        return
    rows = [(c.casino_id, c.name, c.url, c.currencies, c.alg, c.enabled, c.closed) for c in found]
    show_list("Casinos", ("id", "name", "??url", "?currencies", "??alg", "enabled", "?closed"), rows, as_csv=as_csv)


@app.command()
def show(which: CasinoArgument, as_json: AsJson = False) -> None:
    """Show one casino with all its settings."""
    found = ask(casinos.show, OneCasinoParams(casino=which))
    shown = {**facts(found.casino), "signing_key": found.signing_key}
    if as_json:
        show_json(shown)
    else:
        show_facts(f"Casino {found.casino.name}", shown)


@app.command("set")
def set_(
    which: CasinoArgument,
    assignments: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE...", help="Settings to change. The value `default` resets one.")
    ],
    as_json: AsJson = False,
) -> None:
    """Change settings: late_accept batch alg tax_bp codes.REASON info close origins addresses min_bet max_bet large_win max_win max_odd enabled url ..."""
    _OUTPUT.show(ask(casinos.set_, SetCasinoParams(casino=which, settings=told_in(assignments))), as_json=as_json)


@app.command()
def disable(which: CasinoArgument, as_json: AsJson = False) -> None:
    """Stop launches, new bets and new cashbacks of a casino. Open ones continue. `set ID enabled=true` undoes it."""
    _OUTPUT.show(ask(casinos.disable, OneCasinoParams(casino=which)), as_json=as_json, says=DISABLED)


@app.command()
def enable(which: CasinoArgument, as_json: AsJson = False) -> None:
    """Allow launches, bets and cashbacks again after `disable`. Use `open` for a closed casino."""
    _OUTPUT.show(ask(casinos.enable, OneCasinoParams(casino=which)), as_json=as_json)


@app.command()
def close(which: CasinoArgument, *, force: Force = False, as_json: AsJson = False) -> None:
    """Close a casino: its secret, tokens and accepts are refused from now on. What is owed to it is still paid.

    `disable` is the milder way: nothing new begins, and what is under way comes to its end.
    """
    _OUTPUT.show(ask(casinos.close, CloseCasinoParams(casino=which, force=force)), as_json=as_json, says=CLOSED)


@app.command("open")
def open_(which: CasinoArgument, as_json: AsJson = False) -> None:
    """Reopen a closed casino. It is enabled or disabled as before."""
    _OUTPUT.show(ask(casinos.open_, OneCasinoParams(casino=which)), as_json=as_json)


@secret.command("rotate")
def rotate_secret(
    which: CasinoArgument,
    *,
    keep_old: KeepOld = None,
    now: Now = False,
    secret_file: SecretFile = None,
    as_json: AsJson = False,
) -> None:
    """Create a new secret and show it once. The old one stays valid for a while.

    With --now the old one ends at once, and so does every access token that was given out before.
    """
    wish = CasinoSecretParams(casino=which, keep_old_s=kept_s(keep_old, now=now))
    _OUTPUT.hand_out(lambda: ask(casinos.rotate_secret, wish), into=secret_file, as_json=as_json)


def facts(casino: Casino) -> dict[str, Any]:
    """Return a casino for JSON and tables: its id under the contract's name, then everything else."""
    plain = msgspec.to_builtins(casino, str_keys=True)
    plain["codes"] = {reason.value: code for reason, code in casino.codes.items()}
    return {"PartnerClientId": plain.pop("casino_id"), **plain}


_OUTPUT: Final = CounterpartyOutput(title="Casino", id_name="PartnerClientId", facts=facts)
