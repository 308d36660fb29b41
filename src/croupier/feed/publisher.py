"""The publisher: makes the snapshots of every game type that this process holds, and hands them to the channel.

Owns: when a snapshot is made: every 500 ms, and at once on a change. Of each game type one process of all is the
publisher; the lease and the number stand in one row (store.feed.streams). Never: a socket, or anything of the payment
path: its statements run on the general connections, one at a time. Contract: feed.md 3.5.

While the database is away nothing is made. The last snapshot stands where it was sent, and its time and the metric say
how old it is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from croupier.feed.push import argument
from croupier.feed.snapshot import Snapshot
from croupier.kit.clock import Clock
from croupier.kit.log import get
from croupier.kit.metrics import Metrics
from croupier.store.db import DbError
from croupier.store.feed.streams import Streams

log = get("feed")

EVERY_MS: Final = 500
LOOKS_S: Final = 0.1
"""A change is found within this time."""
TAKES_MS: Final = 1_000
"""So often a process looks for game types without a publisher."""
SEND_S: Final = 1.0
"""So long the channel may take; a publisher that waits longer would lose its lease."""
GIVE_BACK_S: Final = 1.0


class Publishes(Protocol):
    """The receiver of snapshots: the channel."""

    async def publish(self, snapshot: Snapshot) -> None:
        """Carry it to every process of the hub."""
        ...


@dataclass(slots=True)
class _Held:
    """One game type that this process publishes."""

    sequence: int
    """The number of its last snapshot."""
    change: int = -1
    """The change that the last snapshot showed."""
    due_ms: int = 0


class Publisher:
    """Publishes what this process holds."""

    def __init__(self, streams: Streams, clock: Clock, metrics: Metrics, *, channel: Publishes) -> None:
        self._streams = streams
        self._clock = clock
        self._metrics = metrics
        self._channel = channel
        self._held: dict[int, _Held] = {}
        self._take_ms = 0

    async def run(self) -> None:
        """Publish for ever; give back what is held when the task is cancelled."""
        try:
            while True:
                await self.turn()
                await self._clock.sleep(LOOKS_S)
        except asyncio.CancelledError:
            with suppress(DbError, TimeoutError):
                async with asyncio.timeout(GIVE_BACK_S):
                    await self._streams.give_back()
            raise

    async def turn(self) -> None:
        """Take what nobody publishes, and publish what is due. Raises DbError; then the numbers are read again."""
        try:
            await self._take()
            due = await self._due()
            if due:
                await self._publish(due)
        except DbError:
            self._held.clear()
            self._take_ms = 0
            raise

    async def _take(self) -> None:
        now_ms = self._clock.now_ms()
        if now_ms < self._take_ms:
            return
        self._take_ms = now_ms + TAKES_MS
        for game_type, sequence in (await self._streams.take(self._held)).items():
            self._held[game_type] = _Held(sequence)
            log.info("feed.publishes", game_type=game_type, sequence=sequence)

    async def _due(self) -> list[int]:
        """The game types of which a snapshot is to be made now; those that are nobody's any more are let go."""
        if not self._held:
            return []
        changes = await self._streams.changes(list(self._held))
        self._held = {game_type: held for game_type, held in self._held.items() if game_type in changes}
        now_ms = self._clock.now_ms()
        return [t for t, held in self._held.items() if held.change != changes[t] or now_ms >= held.due_ms]

    async def _publish(self, due: Iterable[int]) -> None:
        states = await self._streams.state(due)
        made_ms = self._clock.now_ms()
        snapshots = {}
        for game_type, state in states.items():
            sequence = self._held[game_type].sequence + 1
            told = argument(state, sequence=sequence, made_ms=made_ms)
            snapshots[game_type] = Snapshot(game_type, sequence, made_ms, told)
        texts = {t: (one.sequence, json.dumps(one.argument, separators=(",", ":"))) for t, one in snapshots.items()}
        ours = await self._streams.number(texts, made_ms)
        for game_type in snapshots:
            if game_type not in ours:
                # Somebody else publishes it: this process slept through its lease.
                del self._held[game_type]
                log.warning("feed.lease_lost", game_type=game_type)
                continue
            held = self._held[game_type]
            held.sequence, held.change, held.due_ms = held.sequence + 1, states[game_type].change, made_ms + EVERY_MS
        await self._send([snapshots[game_type] for game_type in snapshots if game_type in ours])

    async def _send(self, snapshots: list[Snapshot]) -> None:
        try:
            async with asyncio.timeout(SEND_S):
                await asyncio.gather(*map(self._channel.publish, snapshots))
        except TimeoutError:
            log.warning("feed.send_slow", game_types=[snapshot.game_type for snapshot in snapshots])
        for snapshot in snapshots:
            label = str(snapshot.game_type)
            self._metrics.count("croupier_feed_snapshots_total", label)
            self._metrics.put("croupier_feed_snapshot_seconds", snapshot.made_ms / 1000, label)
