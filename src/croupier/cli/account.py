"""`croupier account`: the persons who decide, each with a role and a token. Spec: operate.md 2, decision 0101."""

from __future__ import annotations

from typing import Annotated, TextIO

import typer

from croupier.admin_api import accounts
from croupier.admin_api.accounts import MOST, USUAL, AccountToken, AddParams, NameParams, UsesParams
from croupier.admin_api.command import NoParams
from croupier.cli.running import AsCsv, AsJson, Author, ask
from croupier.cli.secret_options import SecretFile, new_file, show_secret
from croupier.cli.show import instant, say, show_json, show_list
from croupier.core.account import Account, Role

app = typer.Typer(help="Manage the accounts of persons, who approve each other's decisions.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name, as `croupier account list` shows it.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The person's name, as the books show it.")],
    *,
    role: Annotated[Role, typer.Option("--role", help="What the person may do; each role includes those before it.")],
    casino: Annotated[
        list[str] | None, typer.Option("--casino", help="Only this casino, id or name. Repeat it for several.")
    ] = None,
    provider: Annotated[
        list[str] | None, typer.Option("--provider", help="Only this provider, id or name. Repeat it for several.")
    ] = None,
    secret_file: SecretFile = None,
    author: Author,
    as_json: AsJson = False,
) -> None:
    """Add a person and show the token, once. Without --casino and --provider the person may see everything."""
    wish = AddParams(name=name, role=role, casinos=tuple(casino or ()), providers=tuple(provider or ()))
    wish.check()
    with new_file(secret_file) as into:
        _show_token(ask(accounts.add, wish, author=author), into=into, as_json=as_json)


@app.command("list")
def list_(*, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """Show all accounts, closed ones too."""
    known = ask(accounts.accounts, NoParams())
    if as_json:
        show_json(known)
        return
    rows = [
        (a.name, a.role.value, _sees(a), "open" if a.closed_ms is None else "closed", instant(a.created_ms), a.created_by,
         a.closed_by)
        for a in known
    ]  # fmt: skip
    columns = ("name", "role", "?sees", "state", "?since", "??added by", "??closed by")
    show_list("Accounts", columns, rows, as_csv=as_csv)


@app.command()
def close(name: Name, *, author: Author, as_json: AsJson = False) -> None:
    """Close an account for good. Its token is refused at once, and its name is never given again."""
    account = ask(accounts.close, NameParams(name=name), author=author)
    if as_json:
        show_json(account)
    else:
        say(f"The account of {account.name} is closed.")


@app.command()
def token(name: Name, *, secret_file: SecretFile = None, as_json: AsJson = False) -> None:
    """Give an account a new token and show it, once. The old one is refused at once."""
    with new_file(secret_file) as into:
        _show_token(ask(accounts.renew, NameParams(name=name)), into=into, as_json=as_json)


@app.command()
def uses(
    *,
    name: Annotated[str | None, typer.Option("--name", help="Only of this person.")] = None,
    before_id: Annotated[int | None, typer.Option("--before-id", min=1, help="Only older ones than this.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="Number of rows.")] = USUAL,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show who asked for what over the admin API, newest first."""
    found = ask(accounts.uses, UsesParams(name=name, before_id=before_id, limit=limit))
    if as_json:
        show_json(found)
        return
    rows = [(u.use_id, instant(u.at_ms), u.account, u.command, u.parameters, u.address, u.refused) for u in found]
    columns = ("?>id", "when", "who", "command", "??parameters", "?from", "?refused because")
    show_list("Uses of the admin API", columns, rows, as_csv=as_csv)


def _sees(account: Account) -> str:
    parts = [
        f"{name} {', '.join(map(str, ids))}"
        for name, ids in (("casinos", account.casino_ids), ("providers", account.provider_ids))
        if ids is not None
    ]
    return "; ".join(parts) or "everything"


def _show_token(made: AccountToken, *, into: TextIO | None, as_json: bool) -> None:
    facts: dict[str, object] = {"Name": made.name, "Role": made.role.value, "Secret": made.secret}
    show_secret(f"Person {made.name}", facts, into=into, as_json=as_json)
