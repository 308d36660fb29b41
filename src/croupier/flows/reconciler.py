"""The reconciler: one process at a time compares the bets that are due with their casinos.

These are due: a payment without an outcome after 30 s (unless the stake's own queries are planned), a bet that is open
longer than its game allows, and the sample of settled bets. Casinos are queried in parallel, each at its own rate, so that
a slow one delays no other. A casino that does not answer, or whose breaker is open, is left out for a while. While a
casino's part of a recovery is open, only its window is compared.

Owns: when, how often and how fast. Never: the comparison itself (reconcile). Spec: money.md 4.6 and 8.
"""

from __future__ import annotations

import asyncio

from croupier.core.counterparty import Casino
from croupier.flows.hub import Hub
from croupier.flows.rate_limit import query_at_rate
from croupier.flows.reconcile import BetComparison, reconcile_bet
from croupier.flows.recovery import recover
from croupier.kit.log import get
from croupier.store.db import DbError
from croupier.store.oversight.comparisons import Want

log = get("reconciler")

LOOK_S = 5
LEASE_S = 60
"""The length of the singleton lease. Every run renews it."""
QUERIES_S = 20
"""The most queries to a casino in one run, as seconds at its rate."""
REST_S = 60.0
SAMPLE_LAG_MS = 600_000
"""The least age of a bet in the sample: by then all of its commits are visible."""


class Reconciler:
    """The reconciler of one process. It works only while it holds the lease, with one task per casino."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._rests_until_s: dict[int, float] = {}
        self._lease_until_s = 0.0
        self._looking: dict[int, asyncio.Task[list[BetComparison]]] = {}

    async def run(self) -> None:
        """Reconcile in a loop; never returns. A casino whose last run still goes on is skipped."""
        try:
            while True:
                await self._hub.clock.sleep(LOOK_S)
                for task in await self._begin():
                    task.add_done_callback(self._report_failure)
        finally:
            for task in self._looking.values():
                task.cancel()

    async def look(self) -> list[BetComparison]:
        """Run once to the end, if this process holds the lease. Return the comparisons."""
        ended = await asyncio.gather(*await self._begin(), return_exceptions=True)
        for failed in ended:
            if isinstance(failed, BaseException):
                raise failed
        return [one for compared in ended if not isinstance(compared, BaseException) for one in compared]

    async def _begin(self) -> list[asyncio.Task[list[BetComparison]]]:
        """Start a run for each idle casino. Return the tasks."""
        hub = self._hub
        asked_s = hub.clock.monotonic_s()
        if not await hub.store.singleton_leases.take("reconcile", hub.process_settings.process, LEASE_S):
            return []
        self._lease_until_s = asked_s + LEASE_S
        if hub.state.recovery is None:
            seed = int(hub.chance.hex(7), 16)
            await hub.store.comparisons.draw(hub.clock.now_ms() - SAMPLE_LAG_MS, seed, hub.process_settings.sample_bp)
        hub.metrics.put("croupier_findings_open", await hub.store.findings.count())
        casinos = await hub.store.casinos.all()
        return [self._start(casino) for casino in casinos if casino.casino_id not in self._looking]

    def _start(self, casino: Casino) -> asyncio.Task[list[BetComparison]]:
        task = asyncio.get_running_loop().create_task(self._casino(casino))
        self._looking[casino.casino_id] = task
        task.add_done_callback(lambda _: self._looking.pop(casino.casino_id, None))
        return task

    async def _casino(self, casino: Casino) -> list[BetComparison]:
        if self._hub.recovering(casino.casino_id):
            return await recover(self._hub, casino)
        return await self._compare(casino) if self._may_ask(casino) else []

    def _may_ask(self, casino: Casino) -> bool:
        rested = self._hub.clock.monotonic_s() >= self._rests_until_s.get(casino.casino_id, 0)
        return casino.info and rested

    def _holds_lease(self) -> bool:
        """Return whether the lease is still ours. A run may outlast it unless `run` renews it meanwhile."""
        return self._hub.clock.monotonic_s() < self._lease_until_s

    async def _compare(self, casino: Casino) -> list[BetComparison]:
        hub = self._hub
        most = hub.process_settings.compare_per_s * QUERIES_S
        want = Want(casino.casino_id, hub.clock.now_ms(), most, hub.process_settings.open_s)
        due = await hub.store.comparisons.due(want)
        done, left = await query_at_rate(
            hub, casino, due, ask=lambda bet_id: reconcile_bet(hub, bet_id), go_on=self._holds_lease
        )
        if left and self._holds_lease():
            self._rests_until_s[casino.casino_id] = hub.clock.monotonic_s() + REST_S
            log.info("reconciler.casino_left", casino=casino.name, not_asked=len(left))
        return done

    def _report_failure(self, task: asyncio.Task[list[BetComparison]]) -> None:
        """Log a run that failed. The next run starts it again."""
        error = None if task.cancelled() else task.exception()
        if isinstance(error, DbError):
            self._hub.database_health.record(error)
        elif error is not None:
            log.error("reconciler.bug", exc_info=error)
