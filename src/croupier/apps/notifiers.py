"""How a notification travels: a signed POST (Standard Webhooks), or a mail.

Owns: the request, the mail's words, and which answers count as taken. Never: when to repeat (flows.notify). Spec: operate.md 2.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from croupier.flows.ports import NotDelivered
from croupier.kit import mail, webhook
from croupier.kit.clock import Clock
from croupier.kit.wire import PeerError, Wire, WireRequest
from croupier.store.oversight.notifications import NotificationTarget

TOTAL_S: Final = 10.0
SEE: Final = "`croupier incidents` lists what is open, with what to do."


class WebhookNotifier:
    """Posts the message as JSON. Only 2xx counts as taken; redirects are not followed."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        self._wire = wire
        self._clock = clock

    async def deliver(self, target: NotificationTarget, secret: str | None, message_id: str, *, body: str) -> None:
        """Deliver once. Raises NotDelivered."""
        content, now_s = body.encode(), self._clock.now_ms() // 1000
        if secret is None:
            raise NotDelivered("it has no secret: remove it and add it again")
        request = WireRequest(
            "POST", target.address, webhook.headers(secret, message_id, content, now_s=now_s), content,
            total_s=TOTAL_S, max_bytes=16_384, peer=f"notification {target.target_id}",
        )  # fmt: skip
        try:
            answer = await self._wire.send(request)
        except PeerError as problem:
            raise NotDelivered(problem.why) from problem
        if not 200 <= answer.status < 300:
            raise NotDelivered(f"it answered {answer.status}")


class MailNotifier:
    """Sends the message as plain text."""

    async def deliver(self, target: NotificationTarget, secret: str | None, message_id: str, *, body: str) -> None:
        """Deliver once. Raises NotDelivered."""
        told = json.loads(body)
        subject, text = _words(told)
        letter = mail.Mail(target.sender or "", target.recipients, subject, text, message_id)
        try:
            server = mail.MailServer.parse(target.address)
            await asyncio.to_thread(mail.send, server, secret or "", letter)
        except (mail.MailRefused, mail.BadServer) as problem:
            raise NotDelivered(str(problem)) from problem


def _words(message: dict[str, Any]) -> tuple[str, str]:
    data = message["data"]
    if message["type"] == "test":
        return "Croupier: a test", f"{data['text']}\n"
    names = sorted({one["name"] for one in data["incidents"]})
    subject = f"Croupier: {len(data['incidents'])} new of {data['open']} open incidents ({', '.join(names)})"
    return subject[:200], "\n".join([*map(_line, data["incidents"]), "", SEE, ""])


def _line(one: dict[str, Any]) -> str:
    about = " ".join(f"{name} {one[name]}" for name in ("subject", "casino") if name in one)
    return f"{one['last']}  {one['name']}  {about}\n    {one['note']}" + (
        f" ({one['times']} times)" if one["times"] > 1 else ""
    )
