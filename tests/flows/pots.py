"""A hub with pots over real rows: bets are settled by the core and the group commit, then bound and gathered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from croupier.apps.wiring import Seams, build
from croupier.core.jackpot import Pot
from croupier.core.money import format_amount
from croupier.flows.hub import Hub
from croupier.flows.jackpots import add_pot, award_all, gather_all
from croupier.kit.chance import SeededChance
from croupier.kit.clock import SystemClock
from croupier.simulator.in_process_http import InProcessWire
from croupier.simulator.stage import settings_for
from croupier.store.db import Db
from croupier.store.money.jackpots import StoredPot, StoredRound
from croupier.views.audit.auditor import audit
from tests.store.cast import SEALER
from tests.views.world import Kept, World

POT_ID = 500


def make_hub(db: Db, clock: Any = None, *, seed: int = 1) -> Hub:
    """A hub that decides and carries no calls."""
    seams = Seams(clock or SystemClock(), SeededChance(seed), InProcessWire(SystemClock()), SEALER, db)
    return build(settings_for(), seams, "")


class PotTable:
    """A world with bets, and a hub that gathers."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hub = make_hub(world.db, world.clock)

    async def open(self, pot_id: int = POT_ID, **rules: Any) -> StoredPot:
        """A pot of 1 %, seeded with 10.00, with a ceiling far away."""
        plain = Pot(pot_id, f"Pot {pot_id}", "EUR", 100, 1_000, 10**15)
        return await add_pot(self.hub, replace(plain, **rules), "ann")

    async def settled(self, *stakes: int) -> list[Kept]:
        """Bets with these stakes, lost and paid."""
        stories = [self.world.story() for _ in stakes]
        for story, stake in zip(stories, stakes, strict=True):
            story.on(stake=stake).pay_out(0)
        await self.world.keep(*stories)
        return stories

    async def go_on(self, story: Kept) -> None:
        """Commit what the story has decided since."""
        written = await self.world.db.fetchval("select version from bets where bet_id = $1", story.subject_id)
        await self.world.keep(story, from_decision=written + 1)

    async def gather(self, hub: Hub | None = None) -> int:
        """Bind what is committed, feed the pots, and owe the wins."""
        hub = hub or self.hub
        while await hub.store.trail.bind():
            pass
        shares = await gather_all(hub)
        await award_all(hub)
        return shares

    async def pot(self, pot_id: int = POT_ID) -> StoredPot:
        found = await self.hub.store.jackpots.get(pot_id)
        assert found is not None
        return found

    async def amount(self, pot_id: int = POT_ID) -> str:
        return format_amount((await self.pot(pot_id)).pot.amount, "EUR")

    async def rounds(self, pot_id: int = POT_ID) -> list[StoredRound]:
        """All rounds, the first one first."""
        return (await self.hub.store.jackpots.rounds(pot_id, most=10_000))[::-1]

    async def balance(self, account: str) -> int:
        sql = "select coalesce(sum(case when target = $1 then amount when source = $1 then -amount else 0 end), 0) from ledger"
        return int(await self.world.db.fetchval(sql, account))

    async def violations(self) -> dict[str, list[str]]:
        found = await audit(self.world.db)
        return {f.name: [v.what for v in f.violations] for f in found if f.violations}
