"""Telling people of incidents: news are gathered into one message for each target, and repeated until it is taken.

Owns: when a message is made and repeated, and what it says. Never: how it travels (the notifiers), or what is an incident.
One process at a time does it. A crash between sending and noting sends a message twice, with the same id. Spec: operate.md 2.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from croupier.flows.hub import Hub
from croupier.flows.ports import NotDelivered
from croupier.kit.log import get
from croupier.store.oversight.notifications import NewsItem, NotificationTarget, WaitingMessage

log = get("notify")

LOOKS_S: Final = 5.0
LEASE_S: Final = 60
GATHER_MS: Final = 10_000
"""The first piece of news waits so long for others: an outage raises many."""
APART_MS: Final = 60_000
"""A target gets at most one message in this time."""
AGAIN_MS: Final = 3_600_000
"""An incident that is raised again is told again after this time, not at each repetition."""
MOST_NEWS: Final = 50
MOST_MESSAGES: Final = 20
"""Messages sent at one look."""
MOST_EACH: Final = 4
"""Of these to one target, so that slow answers end before the lease does."""
BACKOFF_S: Final = (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400)
"""After each failed try; then the message is given up."""


async def notify_for_ever(hub: Hub) -> None:
    """Make and send messages in a loop; never returns."""
    while True:
        await hub.clock.sleep(LOOKS_S)
        await notify(hub)


async def notify(hub: Hub) -> int:
    """Make what is to be told and send what is due, if no other process does. Return the number of tries."""
    targets = {target.target_id: target for target in await hub.store.notifications.targets()}
    if not targets:
        return 0
    if not await hub.store.singleton_leases.take("notifications", hub.process_settings.process, LEASE_S):
        return 0
    for target in targets.values():
        if target.enabled:
            await _gather(hub, target)
    due = await hub.store.notifications.due(MOST_MESSAGES)
    # A target that hangs holds up its own messages alone.
    by_target = [[m for m in due if m.target_id == target_id] for target_id in {m.target_id: None for m in due}]
    await asyncio.gather(*(_send_all(hub, targets[some[0].target_id], some[:MOST_EACH]) for some in by_target))
    return len(due)


async def send_test(hub: Hub, target: NotificationTarget) -> None:
    """Send a test message now. Raises NotDelivered, SealBroken."""
    body = _body("test", [], {"text": "This is a test of Croupier's notifications."}, now_ms=hub.clock.now_ms())
    secret = await hub.store.notifications.secret(target.target_id)
    await hub.notifiers[target.kind].deliver(target, secret, _new_id(hub), body=body)


async def _gather(hub: Hub, target: NotificationTarget) -> None:
    now_ms = hub.clock.now_ms()
    if now_ms < target.told_ms + APART_MS:
        return
    news = await hub.store.notifications.news(target.target_id, now_ms - AGAIN_MS, MOST_NEWS)
    if not news or news[0].last_ms > now_ms - GATHER_MS:
        return
    opened = await hub.store.notifications.open_incidents()
    body = _body("incidents.raised", news, {"open": opened}, now_ms=now_ms)
    await hub.store.notifications.make(target.target_id, _new_id(hub), body, tells=news)


async def _send_all(hub: Hub, target: NotificationTarget, messages: Sequence[WaitingMessage]) -> None:
    for message in messages:
        if not await _send(hub, target, message):
            return


async def _send(hub: Hub, target: NotificationTarget, message: WaitingMessage) -> bool:
    store = hub.store.notifications
    try:
        secret = await store.secret(target.target_id)
        await hub.notifiers[target.kind].deliver(target, secret, message.message_id, body=message.body)
    except NotDelivered as problem:
        last = message.tries >= len(BACKOFF_S)
        due_ms = hub.clock.now_ms() + (0 if last else 1000 * BACKOFF_S[message.tries])
        state = "given_up" if last else "waiting"
        await store.tried(message.message_id, state=state, problem=str(problem), due_ms=due_ms)
        log.warning(
            "notify.not_delivered", target=target.name, problem=str(problem), tries=message.tries + 1, state=state
        )
        return False
    await store.tried(message.message_id, state="delivered", problem=None)
    log.info("notify.delivered", target=target.name, message=message.message_id)
    return True


def _new_id(hub: Hub) -> str:
    return f"msg_{hub.chance.hex(16)}"


def _body(kind: str, news: Sequence[NewsItem], facts: dict[str, Any], *, now_ms: int) -> str:
    data = {**facts, "incidents": [_facts(one) for one in news]}
    return json.dumps({"type": kind, "timestamp": _instant(now_ms), "data": data}, ensure_ascii=False)


def _facts(one: NewsItem) -> dict[str, Any]:
    about = {"subject": str(one.subject_id)} if one.subject_id else {}
    if one.casino:
        about["casino"] = one.casino
    return {
        "incident": str(one.incident_id), "name": one.name, **about, "note": one.note, "times": one.times,
        "first": _instant(one.first_ms), "last": _instant(one.last_ms),
    }  # fmt: skip


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
