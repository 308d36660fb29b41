"""`croupier notify`: who is told of incidents, by webhook or mail. Spec: operate.md 2.

Owns: the words. Never: when somebody is told (flows.notify).
"""

from __future__ import annotations

import base64
import binascii
from email.utils import parseaddr
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from croupier.admin_api.errors import CommandError, NotFound
from croupier.cli.running import AsCsv, AsJson, Author, with_hub, with_look
from croupier.cli.secret_options import SecretFile, new_file, show_secret, taken_in
from croupier.cli.show import instant, say, show_json, show_list
from croupier.flows.hub import Hub
from croupier.flows.notify import send_test
from croupier.flows.ports import NotDelivered
from croupier.kit import webhook
from croupier.kit.mail import BadServer, MailServer
from croupier.kit.names import problem_of
from croupier.kit.seal import SealBroken
from croupier.kit.settings import Settings
from croupier.store.oversight.notifications import LastMessage, NotificationTarget, TargetNameTaken

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
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise CommandError("a webhook is an http:// or https:// URL without a user in it")
    given = None if secret is None else _good(taken_in("secret", secret))
    with new_file(secret_file) as into:
        made, used = _add(_new(name, "webhook", url, author=author), given)
        facts: dict[str, object] = {"Name": made.name, "Url": made.address, "Secret": used}
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
    try:
        MailServer.parse(server)
    except BadServer as bad:
        raise CommandError(str(bad)) from None
    for address in (sender, *to):
        if "@" not in parseaddr(address)[1] or any(ord(sign) < 32 for sign in address):
            raise CommandError(f"{address!r} is no mail address")
    target = _new(name, "mail", server, author=author, sender=sender, recipients=tuple(to))
    made, _ = _add(target, None if password_file is None else taken_in("password", password_file))
    if as_json:
        show_json(_facts(made, None))
    else:
        say(f"{made.name} gets a mail about each new incident. Try it: croupier notify test {made.name}")


@app.command("list")
def list_(*, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """Show who is told, and what became of the last message to each."""

    async def work(hub: Hub, _: Settings) -> list[dict[str, Any]]:
        last = await hub.store.notifications.last()
        return [_facts(one, last.get(one.target_id)) for one in await hub.store.notifications.targets()]

    known = with_look(work)
    if as_json:
        show_json(known)
        return
    rows = [(k["name"], k["kind"], k["address"], "on" if k["enabled"] else "off", _said(k)) for k in known]
    show_list("Notifications", ("name", "kind", "?address", "state", "last message"), rows, as_csv=as_csv)


@app.command("test")
def send(name: Name, as_json: AsJson = False) -> None:
    """Send a test message now, and say whether it was taken. Exit code 1 if it was not."""

    async def work(hub: Hub, _: Settings) -> str:
        target = await _named(hub, name)
        try:
            await send_test(hub, target)
        except (NotDelivered, SealBroken) as problem:
            raise CommandError(f"{target.name} did not take the message: {problem}") from None
        return target.address

    address = with_hub(work)
    if as_json:
        show_json({"delivered": True, "address": address})
    else:
        say(f"{address} took the test message.")


@app.command("set")
def set_(
    name: Name,
    *,
    on: Annotated[bool, typer.Option("--on/--off", help="Tell this target, or not. Messages wait meanwhile.")],
    as_json: AsJson = False,
) -> None:
    """Switch a target on or off."""

    async def work(hub: Hub, _: Settings) -> NotificationTarget:
        target = await _named(hub, name)
        await hub.store.notifications.switch(target.target_id, on=on)
        return await _named(hub, name)

    changed = with_hub(work)
    if as_json:
        show_json(_facts(changed, None))
    else:
        say(f"{changed.name} is {'told' if changed.enabled else 'not told'} of incidents now.")


@app.command()
def remove(name: Name, as_json: AsJson = False) -> None:
    """Remove a target and its messages."""

    async def work(hub: Hub, _: Settings) -> str:
        target = await _named(hub, name)
        await hub.store.notifications.remove(target.target_id)
        return target.name

    gone = with_hub(work)
    if as_json:
        show_json({"removed": gone})
    else:
        say(f"{gone} is told nothing any more.")


def _add(target: NotificationTarget, secret: str | None) -> tuple[NotificationTarget, str | None]:
    async def work(hub: Hub, _: Settings) -> tuple[NotificationTarget, str | None]:
        used = secret
        if target.kind == "webhook" and secret is None:
            used = webhook.secret_of(bytes.fromhex(hub.chance.hex(webhook.SECRET_BYTES)))
        try:
            return await hub.store.notifications.add(target, used), used
        except TargetNameTaken:
            raise CommandError(f"there is a target {target.name} already") from None

    return with_hub(work)


def _new(
    name: str, kind: str, address: str, *, author: str, sender: str | None = None, recipients: tuple[str, ...] = ()
) -> NotificationTarget:
    problem = problem_of(name)
    if problem is not None:
        raise CommandError(f"the name of a target {problem}")
    return NotificationTarget(0, name, kind, address, sender, recipients, True, 0, author, 0)


def _good(secret: str) -> str:
    try:
        if len(base64.b64decode(secret.removeprefix(webhook.PREFIX), validate=True)) >= webhook.SHORTEST:
            return secret
    except binascii.Error:
        pass
    raise CommandError(f"the secret of a webhook is whsec_ and base64 of at least {webhook.SHORTEST} bytes")


async def _named(hub: Hub, name: str) -> NotificationTarget:
    known = await hub.store.notifications.targets()
    for target in known:
        if target.name == name:
            return target
    names = ", ".join(target.name for target in known) or "none yet: `croupier notify add webhook` or `mail`"
    raise NotFound(f"nobody called {name} is told of incidents. There are: {names}")


def _facts(target: NotificationTarget, last: LastMessage | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": target.name, "kind": target.kind, "address": target.address}
    if target.kind == "mail":
        facts |= {"from": target.sender, "to": list(target.recipients)}
    facts |= {"enabled": target.enabled, "added_by": target.added_by, "added": instant(target.added_ms)}
    if last is not None:
        facts["last"] = {
            "state": last.state, "made": instant(last.made_ms), "tries": last.tries, "problem": last.problem,
            "next": instant(last.due_ms) if last.state == "waiting" else None,
        }  # fmt: skip
    return facts


def _said(facts: dict[str, Any]) -> str:
    last = facts.get("last")
    if last is None:
        return "none yet"
    again = f", again at {last['next']}" if last["next"] and last["tries"] else ""
    return f"{last['state']} {last['made']}" + (f": {last['problem']}{again}" if last["problem"] else "")
