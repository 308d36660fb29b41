"""A hall: a whole hub on virtual time, a sandbox casino with its dial, and a provider that signs its calls.

Real codecs, signatures, flows, store and PostgreSQL; nothing of the hub is doubled. Owns: the furniture. Never: a rule.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from croupier.core.bet import Bet
from croupier.core.commands import GameListing
from croupier.core.session import Session
from croupier.flows.hub import Hub
from croupier.flows.patrol import Patrol
from croupier.flows.reconcile import Compared, reconcile_bet
from croupier.kit import virtual
from croupier.kit.chance import SeededChance
from croupier.kit.virtual import VirtualLoop
from croupier.sandbox.bookings import Book, Booking, Kind
from croupier.sandbox.casino import SandboxCasino
from croupier.simulator.stage import HUB_ORIGIN, START_MS, Running, Stage, settings_for
from croupier.store.db import Db
from croupier.store.findings import Finding
from croupier.views.audit import audit
from tests.scenarios.full_peers import WireProvider

T = TypeVar("T")
CASINO_URL = "http://casino.test"


@dataclass
class Hall:
    """What a test has in hand."""

    stage: Stage
    running: Running
    casino: SandboxCasino
    provider: WireProvider
    session: str

    @property
    def hub(self) -> Hub:
        return self.running.hub

    async def wait(self, seconds: float) -> None:
        """Let virtual time pass."""
        await self.stage.clock.sleep(seconds)

    async def pay_in(self, ref: str, amount: str = "10.00") -> str:
        return await self.call("pay-in", ref, betAmount=amount)

    async def pay_out(self, ref: str, amount: str = "25.00") -> str:
        return await self.call("pay-out", ref, winAmount=amount)

    async def refund(self, ref: str) -> str:
        return await self.provider.call(self.session, "refund", {"betId": ref})

    async def call(self, verb: str, ref: str, **amounts: str) -> str:
        return await self.provider.call(self.session, verb, {"betId": ref, "gameRoundId": "r-1", **amounts})

    async def settled(self, ref: str, amount: str = "25.00") -> Bet:
        """A bet that was played and paid, at rest for long enough to be held against a list."""
        assert await self.pay_in(ref) == "1"
        assert await self.pay_out(ref, amount) == "1"
        await self.wait(31)
        return await self.bet(ref)

    async def bet(self, ref: str) -> Bet:
        found = await self.hub.store.bets.by_ref(1, ref)
        assert found is not None
        return found

    async def reconcile(self, ref: str, *, restoring: bool = False) -> Compared:
        done = await reconcile_bet(self.hub, (await self.bet(ref)).bet_id, restoring=restoring)
        assert done is not None
        return done

    async def findings(self) -> list[Finding]:
        return await self.hub.store.findings.open_ones(None, 100)

    async def named(self) -> set[str]:
        """What is open, as `payment: name`."""
        return {f"{f.about}: {f.name}" for f in await self.findings()}

    async def incidents(self) -> set[str]:
        return {i.name for i in await self.hub.store.incidents.open_ones()}

    def booked(self, bet_id: int) -> list[Booking]:
        return self.casino.wallet.bookings(Book.PAYMENTS, bet_id)

    def booking(self, bet_id: int, kind: Kind) -> Booking:
        return next(b for b in self.booked(bet_id) if b.kind == kind)

    def patrol(self, **habits: Any) -> Patrol:
        self.hub.habits = replace(self.hub.habits, **habits)
        return Patrol(self.hub)

    async def broken(self) -> list[str]:
        """What the auditor finds."""
        return [f"{one.name}: {v.what}" for one in await audit(self.stage.db) for v in one.violations]


def in_a_hall(database_url: str, play: Callable[[Hall], Awaitable[T]], **casino: Any) -> T:
    """Play in a hall of its own; `casino` are quirks of the casino's row."""

    async def main(loop: VirtualLoop) -> T:
        db = await Db.connect(database_url, size=2, lines=2)
        stage = Stage(loop, db, "hall")
        try:
            return await play(await _furnish(stage, casino))
        finally:
            await stage.close()
            await db.close()

    return virtual.run(main)


async def _furnish(stage: Stage, quirks: dict[str, Any]) -> Hall:
    await stage.prepare()
    running = await stage.start_hub(settings_for(), ack_grace_s=0.0)
    store = running.hub.store
    row, secret = await store.casinos.add("Aurora", CASINO_URL, ["EUR"], alg="EdDSA", batch=1, **quirks)
    casino = SandboxCasino(
        wire=stage.network, clock=stage.clock, chance=SeededChance("casino"), hub_url=HUB_ORIGIN,
        client_id=row.casino_id, secret=secret,
    )  # fmt: skip
    stage.network.mount(CASINO_URL, casino.app)
    provider, key = await store.providers.add("Fable", "http://studio.test")
    await store.games.take_listing(provider.provider_id, [GameListing("g", "Game", "slots")], enabled_for_new=True)
    (game,) = await store.games.all(provider.provider_id)
    player = await store.players.register(row.casino_id, "ann", "EUR")
    session = Session(
        session_id="s-ann", provider_id=provider.provider_id, casino_id=row.casino_id, player_id=player.player_id,
        player_ref="ann", game_id=game.game_id, currency="EUR", demo=False, min_bet=1, max_bet=1_000_000,
        opened_ms=START_MS, expires_ms=START_MS + 10**12,
    )  # fmt: skip
    await store.sessions.open(session)
    await store.keys.load()
    stage.begin()
    line = WireProvider(provider.counterparty_id, key, stage.network, stage.clock, HUB_ORIGIN)
    return Hall(stage, running, casino, line, session.session_id)
