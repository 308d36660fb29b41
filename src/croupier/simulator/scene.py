"""The state of one run: environment, dials, participants, log, and how a hub process starts in it.

Owns: the record that the parts of a run share. Never: the events of a run (run, planned_faults).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from croupier.flows.advance import Contended
from croupier.flows.jackpots import award_all, gather_all
from croupier.flows.reconcile import ComparisonResult
from croupier.flows.reconciler import LOOK_S, Reconciler
from croupier.kit.chance import SeededChance
from croupier.simulator.dials import Dials
from croupier.simulator.faults import Around, Executed, FaultyDb, FaultyWire, Landed, Weather
from croupier.simulator.payment_times import PaymentTimes
from croupier.simulator.restrictions import Restriction
from croupier.simulator.sim_casino import SimCasino
from croupier.simulator.sim_provider import MOST, SimProvider
from croupier.simulator.stage import START_MS, Running, Stage, settings_for
from croupier.simulator.virtual_time import VirtualClock
from croupier.simulator.watch import Rows, Watch
from croupier.store.db import DbError, Row
from croupier.store.money.balances import BASE
from croupier.store.money.group_commit import Broken
from croupier.store.money.group_commit_sql import BETS, CASHBACKS
from croupier.store.parties.session_memory import FOLLOW_S

SAMPLE_BP = 5000
"""Share of the bets of a small world that reconciliation samples, in hundredths of a percent."""
RECONCILE_CALM_S = 600.0
POTS_S = 5.0
POTS_CALM_S = 300.0
FEW_BETS = 100
"""A world with fewer bets is small."""
BINDS = 2
"""An entry is bound by the second call after its commit."""


@dataclass(slots=True)
class Scene:
    """All shared state of one run."""

    stage: Stage
    dials: Dials
    chance: SeededChance
    weather: Weather = field(default_factory=Weather)
    casinos: dict[int, SimCasino] = field(default_factory=dict)
    providers: dict[int, SimProvider] = field(default_factory=dict)
    sessions: dict[int, list[str]] = field(default_factory=dict)
    """Session ids by provider."""
    players: list[tuple[int, int, str]] = field(default_factory=list)
    """Casino, player id, player's id at the casino: for cashbacks."""
    games: list[int] = field(default_factory=list)
    """The games of all providers."""
    casino_names: dict[int, str] = field(default_factory=dict)
    provider_names: dict[int, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    """Secrets, which no stored text may contain (I19)."""
    asked_cashbacks: dict[tuple[int, str], int] = field(default_factory=dict)
    """Casino and ref to the amount of the cashback command."""
    restrictions: list[Restriction] = field(default_factory=list)
    """The restrictions during which new bets must not be opened."""
    odd: list[str] = field(default_factory=list)
    """Violations found during the run."""
    log: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    payments: int = 0
    """Number of payments made."""
    born: int = 0
    """Number of hub processes started."""
    compared: set[int] = field(default_factory=set)
    """Bets that the hub compared with a usable list."""
    watch: Watch = field(default_factory=Watch)
    payment_times: PaymentTimes = field(default_factory=PaymentTimes)
    kill_at: dict[str, int] = field(default_factory=dict)
    """Points at which the next processes die, with their number."""

    def around(self, name: str) -> Around:
        """Return a participant's surroundings, with randomness of its own: leaving one out changes no other."""
        return Around(self.stage.clock, self.chance.branch(name), self.dials, self.weather)

    def write(self, *words: object) -> None:
        """Write one line of the log."""
        self.log.append(f"{self.stage.loop.time():.3f} {' '.join(map(str, words))}")


async def start_hub(scene: Scene) -> Running:
    """Start a hub process behind the faults, whose commits are logged."""
    stage = scene.stage
    clock = VirtualClock(stage.loop, START_MS)
    number = scene.born = scene.born + 1
    wire = FaultyWire(stage.network, scene.around(f"network of hub {number}"))
    db = FaultyDb(
        stage.db, scene.around(f"database of hub {number}"), landed=_on_landed(scene), executed=_on_executed(scene)
    )
    # Wins of every size are played. Other tests cover the incident of a large one.
    limits: dict[str, Any] = {"min_bet": "0.00001", "max_bet": str(MOST), "large_win": None}
    if scene.dials.bets < FEW_BETS:
        limits["sample_bp"] = SAMPLE_BP
    running = await stage.start_hub(
        settings_for(hold_s=scene.dials.hold_s),
        wire,
        db=db,
        clock=clock,
        ack_grace_s=0.3,
        poller_s=2.0,
        poll_s=0.25,
        **limits,
    )
    running.answered, running.said = scene.watch.answered, scene.watch.said
    running.loops.append(asyncio.ensure_future(_reconciler(scene, running)))
    running.loops.append(asyncio.ensure_future(_follow(scene, running)))
    if scene.dials.pots:
        running.loops.append(asyncio.ensure_future(_pots(scene, running)))
    return running


async def _pots(scene: Scene, running: Running) -> None:
    """Bind the trail, feed the pots and owe their wins as the worker does; seldom once faults have stopped."""
    hub = running.hub
    while True:
        await hub.clock.sleep(POTS_S if scene.weather.rough else POTS_CALM_S)
        try:
            for _ in range(BINDS):
                await hub.store.trail.bind()
            if await hub.store.singleton_leases.take("jackpots", running.name, round(POTS_S)):
                scene.seen["pot fed"] += await gather_all(hub)
                scene.seen["pot won"] += await award_all(hub)
        except (DbError, Broken, Contended):
            continue


async def _follow(scene: Scene, running: Running) -> None:
    """Follow the changes of sessions as the worker does, until faults have stopped: then sessions are read again."""
    while scene.weather.rough:
        await running.hub.clock.sleep(FOLLOW_S)
        with suppress(DbError):
            await running.hub.store.sessions.memory.follow()


async def _reconciler(scene: Scene, running: Running) -> None:
    """Reconcile as the worker does; seldom once faults have stopped."""
    reconciler = Reconciler(running.hub)
    while True:
        await running.hub.clock.sleep(LOOK_S if scene.weather.rough else RECONCILE_CALM_S)
        try:
            done = await reconciler.look()
        except (DbError, Broken, Contended):
            continue
        scene.seen.update(f"compared {one.result.value}" for one in done)
        scene.compared.update(one.bet_id for one in done if one.result is not ComparisonResult.UNUSABLE)
        scene.seen.update(f"healed {rule}" for one in done for rule in one.rules)


def _on_landed(scene: Scene) -> Landed:
    """Return a function that logs, counts and checks each group commit that took effect."""

    def landed(text: str, arrays: Sequence[object], won: set[int]) -> None:
        for sql, ref in ((BETS, "bet_ref"), (CASHBACKS, "ref")):
            written = sql.written(text, arrays)
            if written is not None:
                rows = {group: [row for row in rows if row["n"] in won] for group, rows in written.items()}
                _note(scene, rows, ref=ref)
                scene.watch.landed(rows)

    return landed


def _on_executed(scene: Scene) -> Executed:
    """Return a function that records the first balance base of each player: from then on balances are exact."""

    def executed(sql: str, rows: Sequence[Row]) -> None:
        if sql == BASE:
            for row in rows:
                scene.payment_times.based(row["player_id"], scene.stage.loop.time())

    return executed


def _note(scene: Scene, rows: Rows, *, ref: str) -> None:
    thing = "bet" if ref == "bet_ref" else "cashback"
    names, matrix = scene.watch.names, scene.weather.matrix
    for row in rows.get("born", ()):
        names[row[f"{thing}_id"]] = row[ref]
        matrix.named(row[ref], row[f"{thing}_id"])
    for row in rows.get("event", ()):
        scene.write("commit", names[row["subject_id"]], row["event"], row["state"])
        scene.seen[f"{thing} {row['state']}"] += 1
    for row in rows.get("pay", ()):
        if matrix.state(row["subject_id"], row["kind"]) is None:
            scene.payments += 1
            scene.write("payment", names[row["subject_id"]], row["kind"])
        matrix.moved(row["subject_id"], row["kind"], row["state"])
        scene.payment_times.moved(row["subject_id"], row["kind"], row["state"], now_s=scene.stage.loop.time())
        scene.seen[f"{row['kind']} {row['state']}"] += 1
