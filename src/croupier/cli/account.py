"""`croupier account`: the persons who decide, each with a role and a token. Spec: operate.md 2, decision 0101."""

from __future__ import annotations

from typing import Annotated, TextIO

import typer

from croupier.cli.running import AsCsv, AsJson, Author, with_hub, with_look
from croupier.cli.secret_options import SecretFile, new_file, show_secret
from croupier.cli.sentences import NotFound
from croupier.cli.show import instant, say, show_json, show_list
from croupier.core.account import Account, Role
from croupier.flows.hub import Hub
from croupier.kit.names import problem_of
from croupier.kit.settings import Settings

app = typer.Typer(help="Manage the accounts of persons, who approve each other's decisions.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name, as `croupier account list` shows it.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The person's name, as the books show it.")],
    *,
    role: Annotated[Role, typer.Option("--role", help="What the person may do; each role includes those before it.")],
    secret_file: SecretFile = None,
    author: Author,
    as_json: AsJson = False,
) -> None:
    """Add a person and show the token, once."""
    problem = problem_of(name)
    if problem is not None:
        raise typer.BadParameter(f"the name {problem}")

    async def work(hub: Hub, _: Settings) -> tuple[Account, str]:
        return await hub.store.accounts.add(name, role, author)

    with new_file(secret_file) as into:
        _show_token(*with_hub(work), into=into, as_json=as_json)


@app.command("list")
def list_(*, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """Show all accounts, closed ones too."""

    async def work(hub: Hub, _: Settings) -> list[Account]:
        return await hub.store.accounts.all()

    accounts = with_look(work)
    if as_json:
        show_json(accounts)
        return
    rows = [
        (
            a.name,
            a.role.value,
            "open" if a.closed_ms is None else "closed",
            instant(a.created_ms),
            a.created_by,
            a.closed_by,
        )
        for a in accounts
    ]
    show_list("Accounts", ("name", "role", "state", "?since", "??added by", "??closed by"), rows, as_csv=as_csv)


@app.command()
def close(name: Name, *, author: Author, as_json: AsJson = False) -> None:
    """Close an account for good. Its token is refused at once, and its name is never given again."""

    async def work(hub: Hub, _: Settings) -> Account | None:
        return await hub.store.accounts.close(name, author)

    account = with_hub(work)
    if account is None:
        raise NotFound(f"there is no open account {name!r}: `croupier account list` shows them")
    if as_json:
        show_json(account)
    else:
        say(f"The account of {account.name} is closed.")


@app.command()
def token(name: Name, *, secret_file: SecretFile = None, as_json: AsJson = False) -> None:
    """Give an account a new token and show it, once. The old one is refused at once."""

    async def work(hub: Hub, _: Settings) -> tuple[Account, str]:
        made = await hub.store.accounts.renew(name)
        if made is None:
            raise NotFound(f"there is no open account {name!r}: `croupier account list` shows them")
        return made

    with new_file(secret_file) as into:
        _show_token(*with_hub(work), into=into, as_json=as_json)


def _show_token(account: Account, token_: str, *, into: TextIO | None, as_json: bool) -> None:
    facts: dict[str, object] = {"Name": account.name, "Role": account.role.value, "Secret": token_}
    show_secret(f"Person {account.name}", facts, into=into, as_json=as_json)
