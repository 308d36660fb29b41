"""The subscribers of each game type in this process, and the delivery of each new snapshot to all of them.

Owns: the newest snapshot of each game type, the order of deliveries, and the turns of the event loop between them.
Never: the channel it comes by, sockets. Contract: feed.md 3.5, 3.6.
"""

from __future__ import annotations

import asyncio
from typing import Final

from croupier.feed.client import Client
from croupier.feed.pushes import Push
from croupier.feed.snapshot import Snapshot
from croupier.kit.clock import Clock
from croupier.kit.metrics import Metrics

SLICE: Final = 100
"""Writes in one turn of the event loop: about a millisecond, so that a bet waits no longer for ten thousand clients."""
RESTORED_MS: Final = 10_000
"""A sequence that went back is believed of a snapshot that is so much newer: the database was restored."""


class FanOut:
    """The subscribers of one process."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._newest: dict[int, Push] = {}
        self._subscribers: dict[int, dict[Client, None]] = {}
        self._due: dict[int, None] = {}
        self._wake = asyncio.Event()

    def heard(self, snapshot: Snapshot) -> None:
        """A snapshot came by the channel; an older one, or the same again, changes nothing."""
        known = self._newest.get(snapshot.game_type)
        if known is not None and not _follows(snapshot, known.snapshot):
            return
        self._newest[snapshot.game_type] = Push(snapshot)
        if snapshot.game_type in self._subscribers:
            self._due[snapshot.game_type] = None
            self._wake.set()

    def subscribe(self, client: Client, game_type: int, count: int = 0) -> None:
        """From now on, beginning with the newest snapshot that there is; with at most `count` draws, 0 for all."""
        client.subscribe(game_type, count)
        self._subscribers.setdefault(game_type, {})[client] = None
        newest = self._newest.get(game_type)
        if newest is not None:
            self._pushed(int(client.offer(newest, self._clock.monotonic_s())))

    def unsubscribe(self, client: Client, game_type: int) -> None:
        """No more."""
        client.forget(game_type)
        subscribers = self._subscribers.get(game_type, {})
        subscribers.pop(client, None)
        if not subscribers:
            self._subscribers.pop(game_type, None)

    def leave(self, client: Client) -> None:
        """The client has gone."""
        for game_type in list(client.sent):
            self.unsubscribe(client, game_type)

    async def run(self) -> None:
        """Deliver, for ever. What comes while a delivery is under way is delivered after it, the newest alone."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._due:
                game_type = next(iter(self._due))
                del self._due[game_type]
                await self._deliver(self._newest[game_type])

    async def _deliver(self, push: Push) -> None:
        clients = list(self._subscribers.get(push.snapshot.game_type, ()))
        for start in range(0, len(clients), SLICE):
            now_s = self._clock.monotonic_s()
            self._pushed(sum(client.offer(push, now_s) for client in clients[start : start + SLICE]))
            await self._clock.sleep(0)

    def _pushed(self, count: int) -> None:
        if count:
            self._metrics.count("croupier_feed_pushes_total", by=count)


def _follows(snapshot: Snapshot, known: Snapshot) -> bool:
    return snapshot.sequence > known.sequence or snapshot.made_ms >= known.made_ms + RESTORED_MS
