"""A hall: a whole hub on virtual time, a sandbox casino with its dial, and a provider that signs its calls.

Real codecs, signatures, flows, store and PostgreSQL; nothing of the hub is doubled. Owns: the furniture. Never: a rule.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from croupier.apps.wiring import Seams, build, process_settings_of
from croupier.core.bet import Bet
from croupier.core.commands import GameListing
from croupier.core.counterparty import Casino
from croupier.core.readings import Contents, InfoList, InfoReading, PaymentKind
from croupier.core.session import Session
from croupier.flows.hub import Hub
from croupier.flows.reconcile import BetComparison, reconcile_bet
from croupier.flows.reconciler import Reconciler
from croupier.flows.recovery import beat, detect_restore
from croupier.kit.chance import SeededChance
from croupier.sandbox.bookings import Booking, BookKind, TransactionType
from croupier.sandbox.casino import SandboxCasino
from croupier.simulator import virtual_time
from croupier.simulator.stage import HUB_ORIGIN, START_MS, Running, Stage, settings_for
from croupier.simulator.virtual_time import VirtualLoop
from croupier.store.db import Db
from croupier.store.installation import Lifeline
from croupier.store.oversight.findings import Finding
from croupier.store.parties.session_memory import FOLLOW_S
from croupier.views.audit.auditor import audit
from tests.scenarios.full_peers import WireProvider

T = TypeVar("T")
CASINO_URL = "http://casino.test"
SLACK_IDS = 60
"""More than the ids that a process holds in hand; a drill need not ask after a thousand."""


@dataclass
class Hall:
    """What a test has in hand."""

    stage: Stage
    running: Running
    casino: SandboxCasino
    provider: WireProvider
    session: str
    database: Database

    @property
    def hub(self) -> Hub:
        return self.running.hub

    async def wait(self, seconds: float) -> None:
        """Let virtual time pass."""
        await self.stage.clock.sleep(seconds)

    def follow_sessions(self) -> None:
        """Have the process follow what changes of sessions, as a worker does, so that it remembers them."""

        async def follow() -> None:
            while True:
                await self.hub.store.sessions.memory.follow()
                await self.wait(FOLLOW_S)

        self.running.loops.append(asyncio.ensure_future(follow()))

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

    async def reconcile(self, ref: str, *, restoring: bool = False) -> BetComparison:
        done = await reconcile_bet(self.hub, (await self.bet(ref)).bet_id, restoring=restoring)
        assert done is not None
        return done

    async def findings(self) -> list[Finding]:
        return await self.hub.store.findings.open_ones(100)

    async def named(self) -> set[str]:
        """What is open, as `payment: name`."""
        return {f"{f.about}: {f.name}" for f in await self.findings()}

    async def incidents(self) -> set[str]:
        return {i.name for i in await self.hub.store.incidents.open_ones()}

    def booked(self, bet_id: int) -> list[Booking]:
        return self.casino.wallet.bookings(BookKind.PAYMENTS, bet_id)

    def booking(self, bet_id: int, kind: TransactionType) -> Booking:
        return next(b for b in self.booked(bet_id) if b.kind == kind)

    def reconciler(self, **process_settings: Any) -> Reconciler:
        self.hub.process_settings = replace(self.hub.process_settings, **process_settings)
        return Reconciler(self.hub)

    async def guest(self) -> Guest:
        """A second casino comes in."""
        store, url = self.hub.store, "http://guest.test"
        row, secret = await store.casinos.add("Borealis", url, ["EUR"], alg="EdDSA", batch=1)
        casino = SandboxCasino(
            wire=self.stage.network, clock=self.stage.clock, chance=SeededChance("guest"), hub_url=HUB_ORIGIN,
            client_id=row.casino_id, secret=secret,
        )  # fmt: skip
        self.stage.network.mount(url, casino.app)
        player = await store.players.register(row.casino_id, "bob", "EUR")
        first = await store.sessions.get(self.session)
        assert first is not None
        await store.sessions.open(
            replace(first, session_id="s-bob", casino_id=row.casino_id, player_id=player.player_id, player_ref="bob")
        )
        return Guest(self, casino, row.casino_id)

    # --- the database's own fate

    async def stop(self) -> None:
        """The hub is killed, and nobody is connected to the database."""
        await self.stage.kill(self.running)
        with self.stage.real_work():
            await self.stage.db.close()

    async def start(self, **settings: Any) -> None:
        """A hub starts on the database, looking first whether it is older than what was, as `serve` does."""
        with self.stage.real_work():
            self.stage.db = await Db.connect(self.database.url, size=2, pinned=2)
        self.watch()
        told = settings_for(**settings)
        seams = Seams(self.stage.clock, self.stage.chance, self.stage.network, self.stage.sealer, self.stage.db)
        first = build(told, seams, "", process_settings=replace(process_settings_of(told, ""), slack_ids=SLACK_IDS))
        found = await detect_restore(first, self.database.lifeline)
        self.running = await self.stage.start_hub(told, ack_grace_s=0.0, slack_ids=SLACK_IDS)
        self.hub.state.recovery = found

    def watch(self) -> None:
        """Time stands still while the database that is connected now works."""
        stage, db = self.stage, self.stage.db
        stage.loop.busy = lambda: db.outstanding > 0 or stage._thinking > 0 or not stage._set

    async def beat(self) -> None:
        """What a worker does every 2 s."""
        await beat(self.hub, self.database.lifeline, None)

    async def backup(self) -> None:
        """A copy of the database as it is now; the hub is stopped for it, and started again."""
        await self.stop()
        with self.stage.real_work():
            await self.database.copy()
        await self.start()

    async def restore(self, *, lost_home: bool = False, **settings: Any) -> None:
        """The database is gone; the hub starts on the copy, perhaps on a machine that knows nothing."""
        await self.stop()
        self.database.go_back(lost_home=lost_home)
        await self.start(**settings)

    async def broken(self) -> list[str]:
        """What the auditor finds."""
        return [f"{one.name}: {v.what}" for one in await audit(self.stage.db) for v in one.violations]


@dataclass
class Guest:
    """A second casino in the hall, with a player of its own."""

    hall: Hall
    casino: SandboxCasino
    casino_id: int

    async def pay_in(self, ref: str) -> str:
        asked = {"betId": ref, "gameRoundId": "r-1", "betAmount": "10.00"}
        return await self.hall.provider.call("s-bob", "pay-in", asked)

    async def pay_out(self, ref: str) -> str:
        asked = {"betId": ref, "gameRoundId": "r-1", "winAmount": "25.00"}
        return await self.hall.provider.call("s-bob", "pay-out", asked)

    def knows_every_id(self, hub: Hub) -> None:
        """From now on its lists show a stake for whatever it is asked after."""
        honest: Any = hub.casino_gateways["betcore_v2"]
        casino_id = self.casino_id

        class Lying:
            def __getattr__(self, name: str) -> Any:
                return getattr(honest, name)

            async def info(self, casino: Casino, bet_id: int) -> InfoReading:
                if casino.casino_id != casino_id or await hub.store.bets.by_id(bet_id) is not None:
                    return await honest.info(casino, bet_id)
                stake = Contents(bet_id, "bob", PaymentKind.STAKE, "10.00", None, f"tx-{bet_id}")
                return InfoList((stake,))

        hub.casino_gateways = {**hub.casino_gateways, "betcore_v2": Lying()}


class Database:
    """The test's database, the copy of it, and the home beside them."""

    def __init__(self, url: str, home: Path) -> None:
        self.url = url
        self.lifeline = Lifeline(home)
        self.home = home
        self._copies: list[str] = []

    async def copy(self) -> None:
        name = self.url.rpartition("/")[2].partition("?")[0]
        copy = f"{name}_backup_{len(self._copies)}"
        await self._run(f"create database {copy} template {name}")
        self._copies.append(copy)

    def go_back(self, *, lost_home: bool) -> None:
        name = self.url.rpartition("/")[2].partition("?")[0]
        self.url = self.url.replace(f"/{name}?", f"/{self._copies[-1]}?")
        if lost_home:
            self.lifeline = Lifeline(self.home / "another machine")

    async def drop(self) -> None:
        for copy in self._copies:
            await self._run(f"drop database if exists {copy} with (force)")

    async def _run(self, sql: str) -> None:
        name = self.url.rpartition("/")[2].partition("?")[0]
        connection = await asyncpg.connect(self.url.replace(f"/{name}?", "/postgres?"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


def in_a_hall(database_url: str, play: Callable[[Hall], Awaitable[T]], **casino: Any) -> T:
    """Play in a hall of its own; `casino` are quirks of the casino's row."""

    async def main(loop: VirtualLoop) -> T:
        db = await Db.connect(database_url, size=2, pinned=2)
        stage = Stage(loop, db, "hall")
        database = Database(database_url, Path(tempfile.mkdtemp(prefix="croupier-hall-")))
        try:
            return await play(await _furnish(stage, casino, database))
        finally:
            await stage.close()
            await stage.db.close()
            await database.drop()
            shutil.rmtree(database.home, ignore_errors=True)

    return virtual_time.run(main)


async def _furnish(stage: Stage, quirks: dict[str, Any], database: Database) -> Hall:
    await stage.prepare()
    running = await stage.start_hub(settings_for(), ack_grace_s=0.0, slack_ids=SLACK_IDS)
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
    await detect_restore(running.hub, database.lifeline)
    return Hall(stage, running, casino, line, session.session_id, database)
