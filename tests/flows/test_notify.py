"""Incidents are told once, gathered, with pauses; a message is repeated until it is taken, and a repeat has the same id."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from croupier.apps.notifiers import WebhookNotifier
from croupier.flows.notify import APART_MS, BACKOFF_S, GATHER_MS, notify, send_test
from croupier.flows.ports import NotDelivered
from croupier.kit import webhook
from croupier.kit.wire import PeerError, WireAnswer, WireRequest
from croupier.store.oversight.notifications import NotificationTarget
from tests.flows.desk import Desk
from tests.kit.webhook_receiver import is_genuine

SECRET = webhook.secret_of(bytes(32))


@dataclass
class Receiver:
    """A wire with one receiver behind it, which answers as it is told."""

    answers: list[int | PeerError] = field(default_factory=list)
    requests: list[WireRequest] = field(default_factory=list)

    async def send(self, request: WireRequest) -> WireAnswer:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, PeerError):
            raise answer
        return WireAnswer(answer, {}, b"")

    def bodies(self) -> list[Any]:
        return [json.loads(request.body) for request in self.requests]


@dataclass
class Watch:
    desk: Desk
    receiver: Receiver
    target: NotificationTarget

    async def happens(self, name: str, note: str = "a note", subject: int = 0) -> None:
        await self.desk.hub.store.incidents.raise_for(subject, name, note)

    async def later(self, ms: int) -> int:
        self.desk.clock.ms += ms
        return await notify(self.desk.hub)


@pytest_asyncio.fixture
async def watch(desk: Desk) -> AsyncIterator[Watch]:
    receiver = Receiver()
    desk.hub.notifiers = {"webhook": WebhookNotifier(receiver, desk.clock)}
    blank = NotificationTarget(0, "on-call", "webhook", "https://alerts.example/croupier", None, (), True, 0, "ann", 0)
    yield Watch(desk, receiver, await desk.hub.store.notifications.add(blank, SECRET))


async def test_what_comes_together_is_one_signed_message(watch: Watch) -> None:
    await watch.happens("parked", subject=7)
    assert await watch.later(GATHER_MS - 1) == 0, "others may follow"
    await watch.happens("audit", "I10 does not hold")
    assert await watch.later(1) == 1
    (request,) = watch.receiver.requests
    assert is_genuine(SECRET, request.headers, request.body, now_s=watch.desk.clock.now_ms() // 1000)
    told = json.loads(request.body)
    assert (told["type"], told["data"]["open"]) == ("incidents.raised", 2)
    assert [(one["name"], one.get("subject")) for one in told["data"]["incidents"]] == [
        ("parked", "7"),
        ("audit", None),
    ]
    assert await watch.later(APART_MS) == 0, "nothing is told twice"


async def test_a_flood_is_told_at_most_once_a_minute(watch: Watch) -> None:
    tries = 0
    for number in range(30):
        await watch.happens(f"kind-{number}")
        tries += await watch.later(10_000)
    assert tries == 5, "300 s"
    assert sum(len(told["data"]["incidents"]) for told in watch.receiver.bodies()) >= 25


async def test_what_is_raised_again_and_again_is_told_again_after_an_hour(watch: Watch) -> None:
    await watch.happens("breaker")
    await watch.later(GATHER_MS)
    for _ in range(59):
        await watch.happens("breaker")
        assert await watch.later(60_000) == 0
    await watch.happens("breaker")
    await watch.later(60_000 + GATHER_MS)
    await watch.later(1)
    assert [told["data"]["incidents"][0]["times"] for told in watch.receiver.bodies()] == [1, 61]


async def test_a_closed_incident_is_not_told(watch: Watch) -> None:
    await watch.happens("audit")
    await watch.desk.hub.store.incidents.close_named(0, "audit", by="ann", note="seen")
    assert await watch.later(APART_MS) == 0


@pytest.mark.parametrize(
    "answer", [500, 302, 410, PeerError("no answer in time"), PeerError("no such host", sent=False)]
)
async def test_a_message_that_is_not_taken_comes_again_with_the_same_id(watch: Watch, answer: int | PeerError) -> None:
    watch.receiver.answers = [answer]
    await watch.happens("audit")
    assert await watch.later(GATHER_MS) == 1
    assert await watch.later(1000 * BACKOFF_S[0] - 1) == 0
    assert await watch.later(1) == 1
    first, second = watch.receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    last = (await watch.desk.hub.store.notifications.last())[watch.target.target_id]
    assert (last.state, last.tries, last.problem) == ("delivered", 2, None)


async def test_after_two_days_of_failures_it_is_given_up_and_the_list_says_why(watch: Watch) -> None:
    watch.receiver.answers = [500] * 20
    await watch.happens("audit")
    await watch.later(GATHER_MS)
    for wait_s in BACKOFF_S:
        assert await watch.later(1000 * wait_s) == 1
    assert await watch.later(90_000_000) == 0
    last = (await watch.desk.hub.store.notifications.last())[watch.target.target_id]
    assert (last.state, last.tries, last.problem) == ("given_up", len(BACKOFF_S) + 1, "it answered 500")


async def test_a_target_that_is_off_is_told_what_is_open_when_it_is_on_again(watch: Watch) -> None:
    store = watch.desk.hub.store.notifications
    await store.switch(watch.target.target_id, on=False)
    await watch.happens("audit")
    assert await watch.later(APART_MS) == 0
    await store.switch(watch.target.target_id, on=True)
    assert await watch.later(1) == 1


async def test_a_target_that_fails_holds_up_no_other(watch: Watch) -> None:
    store = watch.desk.hub.store.notifications
    blank = NotificationTarget(0, "second", "webhook", "https://second.example/", None, (), True, 0, "ann", 0)
    await store.add(blank, SECRET)
    await watch.happens("audit")
    watch.receiver.answers = [PeerError("no answer in time")]
    assert await watch.later(GATHER_MS) == 2
    states = sorted(one.state for one in (await store.last()).values())
    assert states == ["delivered", "waiting"]


async def test_another_process_that_has_the_lease_is_left_to_it(watch: Watch) -> None:
    await watch.happens("audit")
    assert await watch.desk.hub.store.singleton_leases.take("notifications", "another", 3600)
    assert await watch.later(GATHER_MS) == 0
    assert watch.receiver.requests == []


async def test_a_test_message_goes_at_once_and_says_what_went_wrong(watch: Watch) -> None:
    await send_test(watch.desk.hub, watch.target)
    assert watch.receiver.bodies()[0]["type"] == "test"
    watch.receiver.answers = [403]
    with pytest.raises(NotDelivered, match="it answered 403"):
        await send_test(watch.desk.hub, watch.target)


async def test_a_target_that_lost_its_secret_says_so(watch: Watch) -> None:
    await watch.desk.db.execute("update notification_targets set secret = null")
    with pytest.raises(NotDelivered, match="remove it and add it again"):
        await send_test(watch.desk.hub, watch.target)


async def test_messages_that_ended_long_ago_are_deleted_and_no_other(watch: Watch) -> None:
    """The worker purges them; what waits is kept however old it is."""
    store = watch.desk.hub.store.notifications
    await watch.happens("audit")
    await watch.later(GATHER_MS)
    watch.receiver.answers = [500]
    await watch.happens("breaker")
    await watch.later(APART_MS)
    now_ms = watch.desk.clock.now_ms()
    assert await store.purge(now_ms - APART_MS) == 0
    assert await store.purge(now_ms) == 1
    assert {one.state for one in (await store.last()).values()} == {"waiting"}
