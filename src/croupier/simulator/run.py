"""The course of one run, from its dials to its verdict: `simulate`.

First a phase with faults, then two virtual hours without. Then the books of all parties are compared and the hub's
auditor runs. The same seed gives the same log, byte for byte: there is one database connection and one virtual clock,
all randomness comes from the seed, and ids and signatures are not logged.

Owns: the course of a run. Never: rules. Spec: money.md 5.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from croupier.core.cashback import Cashback
from croupier.flows.cashback import CashbackRefused, cancel_cashback, pay_cashback
from croupier.kit import log, point
from croupier.kit.chance import SeededChance
from croupier.simulator.book import JACKPOT
from croupier.simulator.dials import Dials, draw, one_of
from croupier.simulator.faults import BRIEF_S
from croupier.simulator.judge import Judgement
from croupier.simulator.people import people
from croupier.simulator.planned_faults import at_points, planned_faults, wake
from croupier.simulator.pots import lower_ceilings, open_pots
from croupier.simulator.scene import Scene, start_hub
from croupier.simulator.stage import Stage
from croupier.simulator.verdict import judged
from croupier.simulator.virtual_time import VirtualLoop
from croupier.simulator.world import World
from croupier.store.db import Db, DbError
from croupier.store.money.group_commit import Broken

SAME_REF = 0.2
"""Share of bets whose betId another provider uses too."""
JACKPOTS_PER_BET = 0.06
"""Number of jackpots per bet."""
REST_S = 7200.0
APART_S = 0.2
"""A coarser grid of time puts the limits of a balance lookup and of its request (0.1 and 0.15 s) on one instant."""
STATEMENTS = 4
"""Number of consecutive slow statements that may delay an answer, if the database is slow."""


@dataclass(slots=True)
class RunResult:
    """The result of a run."""

    world: World
    dials: Dials
    payments: int
    verdict: Judgement
    faults: Counter[str]
    seen: Counter[str]
    """Counts of the states of payments and bets, and of the points passed."""
    met: Counter[tuple[str, str]]
    """Faults that met a payment in a state: (state, fault)."""
    virtual_s: float
    log: list[str]

    @property
    def log_sha256(self) -> str:
        """Return the digest of the whole log."""
        return hashlib.sha256("\n".join(self.log).encode()).hexdigest()


async def simulate(loop: VirtualLoop, db: Db, world: World) -> RunResult:
    """Play a world on an empty, migrated database."""
    chance = SeededChance(world.seed)
    dials = draw(chance.branch("dials"), world.payments, world.without, kind=world.kind)
    stage = Stage(loop, db, f"stage-{world.seed}")
    scene = Scene(stage, dials, chance)
    loop.tick_s = dials.tick_s
    scene.watch.lateness_s = dials.tick_s + STATEMENTS * dials.slow_db_s
    scene.watch.now_s = loop.time
    scene.watch.claims.exact = not dials.skew_ms
    scene.watch.hold_s = dials.hold_s
    scene.watch.tries_of = lambda subject_id: (
        len(scene.weather.calls.get(subject_id, ())) + scene.weather.refusals[subject_id]
    )
    scene.watch.steady = not (
        dials.crash_every_s
        or dials.pause_every_s
        or dials.lost_commits
        or dials.restart_every_s
        or (dials.slow_db_s and dials.tick_s > APART_S)
        or dials.slow_db_s > BRIEF_S
    )
    await stage.prepare()
    try:
        with log.overheard(scene.watch.failed):
            verdict = await _course(scene, world)
    finally:
        point.set_hook(None)
        await stage.close()
    weather = scene.weather
    seconds = loop.time()
    return RunResult(
        world, dials, scene.payments, verdict, weather.seen, scene.seen, weather.matrix.met, seconds, scene.log
    )


# --- what happens ---------------------------------------------------------------------------------------------------


async def _course(scene: Scene, world: World) -> Judgement:
    """Play the world from the start of its first process to the verdict."""
    for _ in range(scene.dials.workers):
        await start_hub(scene)
    await people(scene)
    await open_pots(scene)
    at_points(scene)
    scene.stage.begin()
    await _rough_phase(scene, world)
    await lower_ceilings(scene)
    await _clear(scene)
    return await judged(scene)


async def _rough_phase(scene: Scene, world: World) -> None:
    """Play all bets and cashbacks with faults; end when every provider is done or the phase is over."""
    bets = scene.dials.bets
    ours = [n for n in range(bets + max(bets // scene.dials.bets_per_cashback, 1)) if world.has(n)]
    work = [asyncio.ensure_future(_one_bet(scene, n) if n < bets else _one_cashback(scene, n)) for n in ours]
    wrongs = [asyncio.ensure_future(loop) for loop in planned_faults(scene)]
    await asyncio.wait(work, timeout=scene.dials.rough_s * 2)
    for task in wrongs:
        task.cancel()
    await asyncio.gather(*wrongs, return_exceptions=True)
    await _heal(scene)
    done, waiting = await asyncio.wait(work, timeout=REST_S)
    for task in waiting:
        task.cancel()
    for task in done:
        if task.exception() is not None:
            raise task.exception()  # type: ignore[misc]


async def _heal(scene: Scene) -> None:
    """End the faults: all workers run, are awake, and have the right time."""
    scene.weather.rough = False
    scene.write("the weather clears")
    while len(scene.stage.hubs) < scene.dials.workers:
        await start_hub(scene)
    for running in scene.stage.hubs:
        # No process dies any more, so none needs to poll for the others every two seconds.
        running.hub.process_settings = replace(running.hub.process_settings, poller_s=REST_S / 4)
        wake(scene, running)
        clock: Any = running.hub.clock
        clock.skew_ms = 0


async def _one_bet(scene: Scene, n: int) -> None:
    chance = scene.chance.branch(f"bet {n}")
    provider_id = one_of(chance, tuple(scene.providers))
    session = one_of(chance, scene.sessions[provider_id])
    await scene.stage.clock.sleep(chance.fraction() * scene.dials.placed_s)
    # Where a jackpot win ends its process it is one of a pot.
    if chance.fraction() < JACKPOTS_PER_BET and scene.dials.poison != JACKPOT[0]:
        await scene.providers[provider_id].jackpot(f"j{n}", chance.branch("jackpot"))
    plays = [scene.providers[provider_id].play(f"b{n}", session, chance.branch("play"))]
    if scene.dials.volleys and chance.branch("volley").fraction() < scene.dials.volleys:
        plays.append(scene.providers[provider_id].play(f"b{n}-beside", session, chance.branch("beside")))
    others = [other for other in scene.providers if other != provider_id]
    if others and chance.fraction() < SAME_REF:
        # Two providers with the same betId (money.md 4.1): two bets.
        other = one_of(chance, tuple(others))
        session = one_of(chance, scene.sessions[other])
        plays.append(scene.providers[other].play(f"b{n}", session, chance.branch("the same betId")))
    await asyncio.gather(*plays)


async def _one_cashback(scene: Scene, n: int) -> None:
    """A person pays a cashback by command, and cancels half of them."""
    chance, stage = scene.chance.branch(f"cashback {n}"), scene.stage
    await stage.clock.sleep(chance.fraction() * scene.dials.placed_s)
    casino_id, player_id, ref = one_of(chance, scene.players)
    cancel, wait_s = chance.fraction() < 0.5, chance.fraction() * scene.dials.cancel_s
    try:
        if not stage.hubs:
            return
        hub = stage.hubs[0].hub
        row = Cashback(
            cashback_id=await hub.store.ids.take(),
            casino_id=casino_id,
            player_id=player_id,
            player_ref=ref,
            currency=scene.casinos[casino_id].currencies[ref],
            amount=1 + int(chance.fraction() * 1000),
            ref=f"c{n}",
            created_ms=stage.clock.now_ms(),
        )
        scene.asked_cashbacks[row.casino_id, row.ref] = row.amount
        row = await pay_cashback(hub, row)
        if chance.fraction() < 0.5:
            await _cashback_again(scene, row)
        await stage.clock.sleep(wait_s)
        for _ in range(2 if cancel else 0):
            if stage.hubs:
                await cancel_cashback(stage.hubs[0].hub, row.cashback_id, "sim")
                await stage.clock.sleep(wait_s)
    except (DbError, Broken, CashbackRefused, asyncio.CancelledError):
        return


async def _cashback_again(scene: Scene, row: Cashback) -> None:
    """Repeat the command: the same amount is the same cashback, and another amount is refused."""
    if not scene.stage.hubs:
        return
    hub = scene.stage.hubs[0].hub
    again = await pay_cashback(
        hub, replace(row, cashback_id=await hub.store.ids.take(), version=0, payments={}, calls={})
    )
    if again.cashback_id != row.cashback_id:
        scene.odd.append(f"I9: {row.ref} was paid as {again.cashback_id} and as {row.cashback_id}")
    try:
        other = replace(row, cashback_id=await hub.store.ids.take(), amount=row.amount + 1, payments={}, calls={})
        await pay_cashback(hub, replace(other, version=0))
        scene.odd.append(f"I9: {row.ref} was taken with another amount")
    except CashbackRefused:
        return


async def _clear(scene: Scene) -> None:
    """Let two hours pass without faults, so that everything comes to rest."""
    await scene.stage.clock.sleep(REST_S)
    await scene.stage.loop.settled()
