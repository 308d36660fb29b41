"""The way of snapshots from the process that makes them to all processes that have subscribers.

Owns: the port, the channel of a hub with one process, and what every channel between processes does alike: sends of one
game type are coalesced to the newest, and a lost line is opened again with growing waits. A channel never raises to who
publishes and stores nothing: what is lost on the way, the next snapshot makes good. Never: SQL, sockets.
Contract: feed.md 3.5, 3.6.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from croupier.feed.carried import Assembly, NotCarried, to_texts
from croupier.feed.snapshot import Snapshot
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.log import get
from croupier.store.db import DbError
from croupier.store.notifications import MAX_PAYLOAD, Notifications

log = get("feed")

Heard = Callable[[Snapshot], None]
FIRST_WAIT_S: Final = 0.25
LONGEST_WAIT_S: Final = 10.0
NAME: Final = "croupier_feed"
"""Of the notifications, and of the Redis channel."""


class Channel(Protocol):
    """Carries snapshots to every process of the hub, the sending one included."""

    async def publish(self, snapshot: Snapshot) -> None:
        """Hand it to all. Never raises for a line that is down: the next snapshot makes it good."""
        ...

    async def listen(self, heard: Heard) -> None:
        """Call `heard` with every snapshot from now on, in the event loop. Once per channel; returns at once.

        The same snapshot may be heard twice, and one may be missed.
        """
        ...

    async def close(self) -> None:
        """End it."""
        ...


class InProcessChannel:
    """For a hub with one process."""

    def __init__(self) -> None:
        self._heard: Heard = _nobody

    async def publish(self, snapshot: Snapshot) -> None:
        """Hand it over at once."""
        self._heard(snapshot)

    async def listen(self, heard: Heard) -> None:
        """From now on."""
        self._heard = heard

    async def close(self) -> None:
        """Nothing is open."""


class LineDown(Exception):
    """The line that carries the snapshots is down."""


class SnapshotLine(Protocol):
    """One way between processes. Its methods raise LineDown."""

    name: str

    async def send(self, snapshots: Sequence[Snapshot]) -> None:
        """Send them to every process that listens."""
        ...

    async def hear(self, heard: Heard, listening: Callable[[], None]) -> None:
        """Hand over what comes until the line is lost; `listening` is called once nothing is missed any more."""
        ...

    async def close(self) -> None:
        """End it."""
        ...


class SharedChannel:
    """A channel between processes over one line."""

    def __init__(self, line: SnapshotLine, clock: Clock, chance: Chance) -> None:
        self._line = line
        self._clock = clock
        self._chance = chance
        self._heard: Heard = _nobody
        self._listening: asyncio.Task[None] | None = None
        self._waiting: dict[int, Snapshot] = {}
        self._sending = asyncio.Lock()
        self._up = True
        self._wait_s = FIRST_WAIT_S

    async def publish(self, snapshot: Snapshot) -> None:
        """Here at once, to the others by the line; while a send is under way only the newest of a game type waits."""
        self._heard(snapshot)
        self._waiting[snapshot.game_type] = snapshot
        async with self._sending:
            newest, self._waiting = list(self._waiting.values()), {}
            if not newest:
                return
            try:
                await self._line.send(newest)
            except LineDown as problem:
                self._tell_lost(problem)
            except NotCarried as problem:
                log.error("feed.not_carried", problem=str(problem))

    async def listen(self, heard: Heard) -> None:
        """From now on, whatever happens to the line."""
        assert self._listening is None
        self._heard = heard
        self._listening = asyncio.create_task(self._keep_listening())

    async def close(self) -> None:
        """End the listener and the line."""
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        await self._line.close()

    async def _keep_listening(self) -> None:
        while True:
            try:
                await self._line.hear(self._heard, self._well)
            except LineDown as problem:
                self._tell_lost(problem)
            except Exception:  # a listener must not end unseen
                log.exception("feed.channel_bug")
            await self._clock.sleep(self._wait_s * (0.5 + self._chance.fraction() / 2))
            self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)

    def _well(self) -> None:
        self._wait_s = FIRST_WAIT_S
        if not self._up:
            self._up = True
            log.info("feed.channel_back", channel=self._line.name)

    def _tell_lost(self, problem: LineDown) -> None:
        """One line for one time of being away."""
        if self._up:
            self._up = False
            log.warning("feed.channel_lost", channel=self._line.name, problem=str(problem))


class NotificationLine:
    """PostgreSQL's notifications, on sessions apart from the payment path."""

    name = "postgres"

    def __init__(self, notifications: Notifications) -> None:
        self._notifications = notifications

    async def send(self, snapshots: Sequence[Snapshot]) -> None:
        """In one transaction."""
        texts = [text for snapshot in snapshots for text in to_texts(snapshot, MAX_PAYLOAD)]
        try:
            await self._notifications.send(texts)
        except DbError as problem:
            raise LineDown(str(problem)) from problem

    async def hear(self, heard: Heard, listening: Callable[[], None]) -> None:
        """Until the session is lost."""
        assembly = Assembly()

        def told(text: str) -> None:
            try:
                snapshot = assembly.take(text)
            except NotCarried as problem:
                log.warning("feed.unreadable_snapshot", channel=self.name, problem=str(problem))
                return
            if snapshot is not None:
                heard(snapshot)

        try:
            await self._notifications.listen(told, listening)
        except DbError as problem:
            raise LineDown(str(problem)) from problem

    async def close(self) -> None:
        """End its sessions."""
        await self._notifications.close()


def _nobody(_: Snapshot) -> None:
    """Nobody listens yet."""
