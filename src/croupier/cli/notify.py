"""`croupier notify`: who is told of incidents, by webhook or mail. Spec: operate.md 2.

Owns: the options and the output. Never: the work (admin_api.notifications), or when somebody is told (flows.notify).
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from msgspec import UnsetType

from croupier.admin_api import notifications
from croupier.admin_api.command import NoParams
from croupier.admin_api.notifications import (
    AddMailParams,
    AddWebhookParams,
    NotificationRecord,
    SwitchTargetParams,
    TargetParams,
)
from croupier.cli.running import AsCsv, AsJson, Author, ask
from croupier.cli.secret_options import SecretFile, new_file, show_secret, taken_in
from croupier.cli.show import instant, say, show_json, show_list

app = typer.Typer(help="Say who is told of incidents, by webhook or mail, and test it.")
add = typer.Typer(help="Add somebody who is told of incidents.")
app.add_typer(add, name="add")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The target's name, as `croupier notify list` shows it.")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="A name for the target.")]


@add.command("webhook")
def add_webhook(
    name: NewName,
    *,
    url: Annotated[str, typer.Option("--url", help="Where each message is posted, as JSON.")],
    secret: Annotated[
        str | None,
        typer.Option(
            "--secret",
            metavar="-",
            help="Read the receiver's secret (whsec_…) from standard input; by default a new one is made.",
        ),
    ] = None,
    secret_file: SecretFile = None,
    author: Author,
    as_json: AsJson = False,
) -> None:
    """Post each message to a URL, signed by Standard Webhooks. The secret is shown once."""
    given = None if secret is None else taken_in("secret", secret)
    wish = AddWebhookParams(name=name, url=url, secret=given)
    wish.check()
    with new_file(secret_file) as into:
        made = ask(notifications.add_webhook, wish, author=author)
        facts: dict[str, object] = {"Name": made.name, "Url": made.url, "Secret": made.secret or given}
        show_secret(f"Webhook {made.name}", facts, into=into, as_json=as_json)


@add.command("mail")
def add_mail(
    name: NewName,
    *,
    server: Annotated[str, typer.Option("--server", help="smtp://[user@]host[:587], or smtps://[user@]host[:465].")],
    to: Annotated[list[str], typer.Option("--to", help="A recipient; may be given again.")],
    sender: Annotated[str, typer.Option("--from", help="The sender's address.")],
    password_file: Annotated[
        str | None,
        typer.Option(
            "--password-file", metavar="PATH", help="Read the server's password from this file; - for standard input."
        ),
    ] = None,
    author: Author,
    as_json: AsJson = False,
) -> None:
    """Send each message as a mail."""
    password = None if password_file is None else taken_in("password", password_file)
    wish = AddMailParams(name=name, server=server, to=tuple(to), from_=sender, password=password)
    made = ask(notifications.add_mail, wish, author=author)
    if as_json:
        show_json(_facts(made))
    else:
        say(f"{made.name} gets a mail about each new incident. Try it: croupier notify test {made.name}")


@app.command("list")
def list_(*, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """Show who is told, and what became of the last message to each."""
    known = [_facts(one) for one in ask(notifications.notifications, NoParams())]
    if as_json:
        show_json(known)
        return
    rows = [(k["name"], k["kind"], k["address"], "on" if k["enabled"] else "off", _said(k)) for k in known]
    show_list("Notifications", ("name", "kind", "?address", "state", "last message"), rows, as_csv=as_csv)


@app.command("test")
def send(name: Name, as_json: AsJson = False) -> None:
    """Send a test message now, and say whether it was taken. Exit code 1 if it was not."""
    done = ask(notifications.send, TargetParams(name=name))
    if as_json:
        show_json(done)
    else:
        say(f"{done.address} took the test message.")


@app.command("set")
def set_(
    name: Name,
    *,
    on: Annotated[bool, typer.Option("--on/--off", help="Tell this target, or not. Messages wait meanwhile.")],
    as_json: AsJson = False,
) -> None:
    """Switch a target on or off."""
    changed = ask(notifications.switch, SwitchTargetParams(name=name, on=on))
    if as_json:
        show_json(_facts(changed))
    else:
        say(f"{changed.name} is {'told' if changed.enabled else 'not told'} of incidents now.")


@app.command()
def remove(name: Name, as_json: AsJson = False) -> None:
    """Remove a target and its messages."""
    gone = ask(notifications.remove, TargetParams(name=name))
    if as_json:
        show_json(gone)
    else:
        say(f"{gone.removed} is told nothing any more.")


def _facts(target: NotificationRecord) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": target.name, "kind": target.kind, "address": target.address}
    if not isinstance(target.to, UnsetType):
        facts |= {"from": target.from_, "to": list(target.to)}
    facts |= {"enabled": target.enabled, "added_by": target.added_by, "added": instant(target.added_ms)}
    last = target.last
    if not isinstance(last, UnsetType):
        facts["last"] = {
            "state": last.state, "made": instant(last.made_ms), "tries": last.tries, "problem": last.problem,
            "next": instant(last.next_ms),
        }  # fmt: skip
    return facts


def _said(facts: dict[str, Any]) -> str:
    last = facts.get("last")
    if last is None:
        return "none yet"
    again = f", again at {last['next']}" if last["next"] and last["tries"] else ""
    return f"{last['state']} {last['made']}" + (f": {last['problem']}{again}" if last["problem"] else "")
