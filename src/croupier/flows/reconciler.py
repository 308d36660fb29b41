"""The continuous reconciliation: one process at a time goes round the casinos and compares what is due.

Due is a payment without an outcome from 30 s on (a stake's own questions are not asked twice), a bet that is open for
longer than its game allows, and the sample of settled bets. Each casino is asked at its own pace, beside the others, so
that a slow one holds up nobody; one that does not answer, or whose breaker is open, is left alone for a while. While
its part of a recovery is open, a casino's window alone is compared.

Owns: when, how often, how fast. Never: what a comparison does (reconcile). Spec: money.md 4.6 and 8.
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
"""How long a turn is held; it is renewed with every look."""
QUERIES_S = 20
"""At most so many seconds' worth of questions are asked of a casino in one look."""
REST_S = 60.0
SAMPLE_LAG_MS = 600_000
"""The sample is drawn among bets at least so old: by then their commits are all there."""


class Reconciler:
    """One per process; only the one whose turn it is looks. Each casino is looked at by a task of its own."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._rests_until_s: dict[int, float] = {}
        self._lease_until_s = 0.0
        self._looking: dict[int, asyncio.Task[list[BetComparison]]] = {}

    async def run(self) -> None:
        """For ever. A casino whose look still goes on is left to it; the others are looked at meanwhile."""
        try:
            while True:
                await self._hub.clock.sleep(LOOK_S)
                for task in await self._begin():
                    task.add_done_callback(self._report_failure)
        finally:
            for task in self._looking.values():
                task.cancel()

    async def look(self) -> list[BetComparison]:
        """Compare what is due now, if it is this process's turn, to the end; what was compared."""
        ended = await asyncio.gather(*await self._begin(), return_exceptions=True)
        for failed in ended:
            if isinstance(failed, BaseException):
                raise failed
        return [one for compared in ended if not isinstance(compared, BaseException) for one in compared]

    async def _begin(self) -> list[asyncio.Task[list[BetComparison]]]:
        """Begin a look at each casino that is at rest; the tasks begun."""
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
        return casino.info and rested and not self._hub.admission.is_open(casino.casino_id)

    def _holds_lease(self) -> bool:
        """A look may outlast the turn it began in: `run` takes the next one meanwhile, or somebody else does."""
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
        """A look that failed is told, and begun again with the next one."""
        error = None if task.cancelled() else task.exception()
        if isinstance(error, DbError):
            self._hub.database_health.record(error)
        elif error is not None:
            log.error("reconciler.bug", exc_info=error)
