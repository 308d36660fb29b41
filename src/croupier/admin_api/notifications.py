"""Commands about who is told of incidents, by webhook or mail. Spec: operate.md 2.

Owns: the work and its parameters. A secret or password is a parameter only, and is never shown again. Never: when somebody is told
(flows.notify).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from email.utils import parseaddr
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import UNSET, Meta, Struct, UnsetType, field

from croupier.admin_api.command import NoParams, Params, command
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import BadParameter, CommandError, NotFound
from croupier.admin_api.words import check_name
from croupier.core.account import Role
from croupier.flows.notify import send_test
from croupier.flows.ports import NotDelivered
from croupier.kit import webhook
from croupier.kit.mail import BadServer, MailServer
from croupier.kit.seal import SealBroken
from croupier.store.oversight.notifications import LastMessage, NotificationTarget, TargetNameTaken

TargetName = Annotated[str, Meta(description="The target's name.")]


class TargetParams(Params, frozen=True, kw_only=True):
    """Somebody who is told, by the name of the target."""

    name: TargetName


class SwitchTargetParams(TargetParams, frozen=True, kw_only=True):
    """Somebody who is told, or not told."""

    on: Annotated[bool, Meta(description="Whether the target is told. Messages wait meanwhile.")]


class AddWebhookParams(Params, frozen=True, kw_only=True):
    """A new webhook."""

    name: TargetName
    url: Annotated[str, Meta(description="Where each message is posted, as JSON.")]
    secret: Annotated[str | None, Meta(description="The receiver's secret (whsec_...); by default a new one is made.")] = None  # fmt: skip

    def check(self) -> None:
        """Raise BadParameter for a bad name, URL or secret."""
        check_name("name", self.name)
        if not _is_webhook(self.url):
            raise BadParameter("url", "must be an http:// or https:// URL without a user in it")
        if self.secret is not None and not _is_secret(self.secret):
            raise BadParameter("secret", f"must be whsec_ and base64 of at least {webhook.SHORTEST} bytes")


class AddMailParams(Params, frozen=True, kw_only=True):
    """New recipients of mail."""

    name: TargetName
    server: Annotated[str, Meta(description="smtp://[user@]host[:587], or smtps://[user@]host[:465].")]
    to: Annotated[tuple[str, ...], Meta(min_length=1, description="The recipients.")]
    from_: Annotated[str, Meta(description="The sender's address.")] = field(name="from")
    password: Annotated[str | None, Meta(description="The password of the server.")] = None

    def check(self) -> None:
        """Raise BadParameter for a bad name, server or address."""
        check_name("name", self.name)
        try:
            MailServer.parse(self.server)
        except BadServer as bad:
            raise BadParameter("server", f"cannot be used: {bad}") from None
        for name, addresses in (("from", (self.from_,)), ("to", self.to)):
            for address in addresses:
                if "@" not in parseaddr(address)[1] or any(ord(sign) < 32 for sign in address):
                    raise BadParameter(name, f"{address[:80]!r} is no mail address")


class LastNotification(Struct, frozen=True):
    """The last message to a target. `next_ms` is when it is tried again, while it waits."""

    state: str
    made_ms: int
    tries: int
    problem: str | None
    next_ms: int | None


class NotificationRecord(Struct, frozen=True, kw_only=True):
    """Somebody who is told, and what became of the last message."""

    name: str
    kind: str
    address: str
    from_: str | UnsetType | None = field(default=UNSET, name="from")
    to: tuple[str, ...] | UnsetType = UNSET
    enabled: bool
    added_by: str
    added_ms: int
    last: LastNotification | UnsetType = UNSET


class WebhookMade(Struct, frozen=True):
    """A new webhook. `secret` is the one that was made, which nothing can show again; None: the receiver brought its own."""

    name: str
    url: str
    secret: str | None


class RemovedTarget(Struct, frozen=True):
    """Somebody who is told nothing any more."""

    removed: str


class Delivered(Struct, frozen=True):
    """A message that was taken, and by whom."""

    delivered: bool
    address: str


@command("GET notifications", words="notify list", role=Role.ADMINISTER, whole_hub=True)
async def notifications(desk: Desk, _: NoParams) -> list[NotificationRecord]:
    """Show who is told, and what became of the last message to each."""
    store = desk.hub.store.notifications
    last = await store.last()
    return [_record(one, last.get(one.target_id)) for one in await store.targets()]


@command("POST notifications/webhooks", words="notify add webhook", role=Role.ADMINISTER, whole_hub=True)
async def add_webhook(desk: Desk, wish: AddWebhookParams) -> WebhookMade:
    """Post each message to a URL, signed by Standard Webhooks. The secret is shown once."""
    made = None
    if wish.secret is None:
        made = webhook.secret_of(bytes.fromhex(desk.hub.chance.hex(webhook.SECRET_BYTES)))
    target = _new(wish.name, "webhook", wish.url, author=desk.author)
    added = await _added(desk, target, wish.secret or made)
    return WebhookMade(added.name, added.address, made)


@command("POST notifications/mails", words="notify add mail", role=Role.ADMINISTER, whole_hub=True)
async def add_mail(desk: Desk, wish: AddMailParams) -> NotificationRecord:
    """Send each message as a mail."""
    target = _new(wish.name, "mail", wish.server, author=desk.author)
    target = replace(target, sender=wish.from_, recipients=wish.to)
    return _record(await _added(desk, target, wish.password), None)


@command("POST notifications/{name}/test", words="notify test", role=Role.ADMINISTER, whole_hub=True)
async def send(desk: Desk, wish: TargetParams) -> Delivered:
    """Send a test message now, and say whether it was taken."""
    target = await _named(desk, wish.name)
    try:
        await send_test(desk.hub, target)
    except (NotDelivered, SealBroken) as problem:
        raise CommandError(f"{target.name} did not take the message: {problem}") from None
    return Delivered(delivered=True, address=target.address)


@command("POST notifications/{name}/set", words="notify set", role=Role.ADMINISTER, whole_hub=True)
async def switch(desk: Desk, wish: SwitchTargetParams) -> NotificationRecord:
    """Switch a target on or off."""
    target = await _named(desk, wish.name)
    await desk.hub.store.notifications.switch(target.target_id, on=wish.on)
    return _record(await _named(desk, wish.name), None)


@command("POST notifications/{name}/remove", words="notify remove", role=Role.ADMINISTER, whole_hub=True)
async def remove(desk: Desk, wish: TargetParams) -> RemovedTarget:
    """Remove a target and its messages."""
    target = await _named(desk, wish.name)
    await desk.hub.store.notifications.remove(target.target_id)
    return RemovedTarget(target.name)


def _new(name: str, kind: str, address: str, *, author: str) -> NotificationTarget:
    return NotificationTarget(
        target_id=0, name=name, kind=kind, address=address, sender=None, recipients=(), enabled=True, told_ms=0,
        added_by=author, added_ms=0,
    )  # fmt: skip


async def _added(desk: Desk, target: NotificationTarget, secret: str | None) -> NotificationTarget:
    try:
        return await desk.hub.store.notifications.add(target, secret)
    except TargetNameTaken:
        raise CommandError(f"there is a target {target.name} already") from None


async def _named(desk: Desk, name: str) -> NotificationTarget:
    known = await desk.hub.store.notifications.targets()
    for target in known:
        if target.name == name:
            return target
    names = ", ".join(target.name for target in known) or "none yet: `croupier notify add webhook` or `mail`"
    raise NotFound(f"nobody called {name[:128]} is told of incidents. There are: {names}")


def _record(target: NotificationTarget, last: LastMessage | None) -> NotificationRecord:
    mail = target.kind == "mail"
    return NotificationRecord(
        name=target.name,
        kind=target.kind,
        address=target.address,
        from_=target.sender if mail else UNSET,
        to=target.recipients if mail else UNSET,
        enabled=target.enabled,
        added_by=target.added_by,
        added_ms=target.added_ms,
        last=UNSET if last is None else _last(last),
    )


def _last(last: LastMessage) -> LastNotification:
    next_ms = last.due_ms if last.state == "waiting" else None
    return LastNotification(last.state, last.made_ms, last.tries, last.problem, next_ms)


def _is_webhook(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False


def _is_secret(secret: str) -> bool:
    try:
        return len(base64.b64decode(secret.removeprefix(webhook.PREFIX), validate=True)) >= webhook.SHORTEST
    except (binascii.Error, ValueError):
        return False
