"""The poller: takes up calls that are due, and calls whose owner died.

Owns: the polling loop. The next poll is at the earliest due time that this process knows, or when a place for a waiting
call becomes free. It is at most `poller_s` later, because other processes plan calls too. Never: performs a call
(dispatcher). Spec: money.md 4.4 ("killed between any two steps"), money.md 4.2 (a cap per casino).
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
"""The delay from a freed place to the next poll: more places become free meanwhile."""
MOST_PER_CASINO = 40
"""The most calls of one kind in flight to one casino, so that a casino that recovers is not flooded."""


class Poller:
    """The poller of one process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._next_ms = 0
        self._busy: Counter[tuple[int, str]] = Counter()
        self._wake = asyncio.Event()
        self._misses = 0
        self._stopped = self._taking = False

    def committed(self, decision: Decision[Any]) -> None:
        """Note the due times of the calls that a commit of this process planned."""
        for call in decision.after.calls.values():
            self.planned(max(call.due_ms, call.lease_until_ms))

    def planned(self, ready_ms: int) -> None:
        """Note that a call becomes due at this instant."""
        if ready_ms < self._next_ms:
            self._next_ms = ready_ms
            self._wake.set()

    async def run(self) -> None:
        """Poll in a loop; never returns."""
        while True:
            try:
                more = await self.look()
            except DbError as error:
                self._hub.database_health.record(error)
                more = False
            if not more:
                await self._sleep()

    async def stop(self, within_s: float) -> None:
        """Stop taking up calls, and let a poll in progress end. Cut off, it could lease calls after all were given back."""
        self._stopped = True
        until_s = self._hub.clock.monotonic_s() + within_s
        while self._taking and self._hub.clock.monotonic_s() < until_s:
            await self._hub.clock.sleep(LOCKED_RETRY_S)

    async def look(self) -> bool:
        """Take up the calls that are due now. Return True if there may be more."""
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
        # A call is due but was not taken: another commit holds its row, or has just planned it. Poll again at once,
        # then with growing delays, so that a row that stays locked is not polled in a busy loop.
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
