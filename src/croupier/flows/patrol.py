"""The continuous reconciliation: one process at a time goes round the casinos and compares what is due.

Due is a payment without an outcome from 30 s on (a stake's own questions are not asked twice), a bet that is open for
longer than its game allows, and the sample of settled bets. Each casino is asked at its own pace, beside the others, so
that a slow one holds up nobody; one that does not answer, or whose breaker is open, is left alone for a while. While
recovery is on, its window alone is compared.

Owns: when, how often, how fast. Never: what a comparison does (reconcile). Spec: money.md sections 4 and 8.
"""

from __future__ import annotations

import asyncio

from croupier.core.counterparty import Casino
from croupier.flows.hub import Hub
from croupier.flows.pace import at_pace
from croupier.flows.reconcile import Compared, reconcile_bet
from croupier.flows.recovery import recover
from croupier.kit.log import get
from croupier.store.comparisons import Want

log = get("patrol")

LOOK_S = 5
TURN_S = 60
"""How long a turn is held; no look lasts that long."""
LOOKS_S = 20
"""At most so many seconds' worth of questions are asked of a casino in one look."""
REST_S = 60.0
SAMPLE_LAG_MS = 600_000
"""The sample is drawn among bets at least so old: by then their commits are all there."""


class Patrol:
    """One per process; only the one whose turn it is looks."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._rests_until_s: dict[int, float] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._hub.clock.sleep(LOOK_S)
            await self.look()

    async def look(self) -> list[Compared]:
        """Compare what is due now, if it is this process's turn; what was compared."""
        hub = self._hub
        if not await hub.store.turns.take("reconcile", hub.habits.process, TURN_S):
            return []
        if hub.recovery is not None:
            return await recover(hub)
        seed = int(hub.chance.hex(7), 16)
        await hub.store.comparisons.draw(hub.clock.now_ms() - SAMPLE_LAG_MS, seed, hub.habits.sample_bp)
        casinos = [casino for casino in await hub.store.casinos.all() if self._may_ask(casino)]
        done = await asyncio.gather(*map(self._casino, casinos))
        hub.metrics.put("croupier_findings_open", await hub.store.findings.count())
        return [one for compared in done for one in compared]

    def _may_ask(self, casino: Casino) -> bool:
        rested = self._hub.clock.monotonic_s() >= self._rests_until_s.get(casino.casino_id, 0)
        return casino.info and rested and not self._hub.gates.is_open(casino.casino_id)

    async def _casino(self, casino: Casino) -> list[Compared]:
        hub = self._hub
        most = hub.habits.compare_per_s * LOOKS_S
        want = Want(casino.casino_id, hub.clock.now_ms(), most, hub.habits.open_s)
        due = await hub.store.comparisons.due(want)
        done, left = await at_pace(hub, casino, due, ask=lambda bet_id: reconcile_bet(hub, bet_id))
        if left:
            self._rests_until_s[casino.casino_id] = hub.clock.monotonic_s() + REST_S
            log.info("patrol.casino_left", casino=casino.name, not_asked=len(left))
        return done
