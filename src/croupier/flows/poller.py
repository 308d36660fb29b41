"""Takes up what is due: calls whose time has come, and calls whose owner is gone.

Owns: the loops that look. The next look is when the earliest call is due as far as this process knows, or when a place
frees behind which calls wait, and at the latest after `poller_s`, because other processes plan calls too. Never: performs a
call (dispatcher). Spec: money.md 4.4 ("killed between any two steps"), money.md 4.2 (a cap per casino).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import Any

from croupier.core.draft import Decision
from croupier.flows.hub import Hub
from croupier.store.db import DbError

IMMEDIATE_LOOKS = 5
LOCKED_RETRY_S = 0.01
FREED_S = 0.05
"""So long after a place freed in a full line it is looked again: others free meanwhile."""
MOST_PER_CASINO = 40
"""A casino that comes back is not met by everything at once: so many calls of each kind of work."""


class Poller:
    """One per process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._next_ms = 0
        self._busy: Counter[tuple[int, str]] = Counter()
        self._wake = asyncio.Event()
        self._misses = 0
        self._stopped = self._taking = False

    def committed(self, decision: Decision[Any]) -> None:
        """A commit of this process may have planned something earlier than the next look."""
        for call in decision.after.calls.values():
            self.planned(max(call.due_ms, call.lease_until_ms))

    def planned(self, ready_ms: int) -> None:
        """Something can be taken up from this instant on."""
        if ready_ms < self._next_ms:
            self._next_ms = ready_ms
            self._wake.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                more = await self.look()
            except DbError as error:
                self._hub.database_health.record(error)
                more = False
            if not more:
                await self._sleep()

    async def stop(self, within_s: float) -> None:
        """Take up nothing more; a look under way ends first: cut off, it might lease calls after all were given back."""
        self._stopped = True
        until_s = self._hub.clock.monotonic_s() + within_s
        while self._taking and self._hub.clock.monotonic_s() < until_s:
            await self._hub.clock.sleep(LOCKED_RETRY_S)

    async def look(self) -> bool:
        """Take up what is due now; True if there may be more."""
        hub, now = self._hub, self._hub.clock.now_ms()
        most = hub.process_settings.poller_most
        lease_ms = hub.waits.after_ms(now, hub.waits.lease_s)
        self._next_ms = hub.waits.after_ms(now, hub.process_settings.poller_s)
        if self._stopped:
            return False
        self._taking = True
        try:
            taken, others_ready = await hub.store.calls.take(
                now, lease_ms, most, busy=dict(self._busy), each=MOST_PER_CASINO
            )
        finally:
            self._taking = False
        assert hub.state.dispatcher is not None
        for call in taken:
            bulkhead = (call.casino_id, call.work)
            self._busy[bulkhead] += 1
            hub.state.dispatcher.perform(call).add_done_callback(partial(self._done, bulkhead))
        if len(taken) < most:
            self._next_ms = min(self._next_ms, lease_ms if taken else self._next_ms, others_ready or self._next_ms)
        return len(taken) >= most

    def _done(self, bulkhead: tuple[int, str], _: asyncio.Task[None]) -> None:
        self._busy[bulkhead] -= 1
        if self._busy[bulkhead] == MOST_PER_CASINO - 1:
            self.planned(self._hub.waits.after_ms(self._hub.clock.now_ms(), FREED_S))
        if not self._busy[bulkhead]:
            del self._busy[bulkhead]

    async def _sleep(self) -> None:
        left_s = (self._next_ms - self._hub.clock.now_ms()) / 1000
        self._misses = self._misses + 1 if left_s <= 0 else 0
        # Due and not taken: a commit holds the row this moment, or has just planned it. Look again at once, then less
        # and less: a row that somebody holds for long is not looked at in circles.
        if self._misses > IMMEDIATE_LOOKS:
            left_s = min(
                LOCKED_RETRY_S * 2 ** min(self._misses - IMMEDIATE_LOOKS, 10), self._hub.process_settings.poller_s
            )
        left_s = max(left_s, 0.0)
        self._wake.clear()
        waiting = asyncio.ensure_future(self._wake.wait())
        resting = asyncio.ensure_future(self._hub.clock.sleep(left_s))
        try:
            await asyncio.wait({waiting, resting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            resting.cancel()
