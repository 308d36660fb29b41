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
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from croupier.core.cashback import Cashback
from croupier.flows.cashback import CashbackRefused, cancel_cashback, pay_cashback
from croupier.kit import log, point
from croupier.kit.chance import SeededChance
from croupier.simulator.dials import Dials, draw, one_of
from croupier.simulator.judge import QUARANTINED, Case, Judgement, judge, judge_answers, judge_on
from croupier.simulator.judge_archives import judge_archives
from croupier.simulator.judge_balances import judge_balances
from croupier.simulator.judge_comparisons import judge_comparisons
from croupier.simulator.judge_incidents import judge_incidents, judge_resent
from croupier.simulator.judge_proofs import judge_proofs
from croupier.simulator.judge_restrictions import judge_restrictions, may_explain
from croupier.simulator.people import people
from croupier.simulator.planned_faults import at_points, planned_faults, wake
from croupier.simulator.pots import judge_pots, open_pots
from croupier.simulator.reconciled import judge_reconciled
from croupier.simulator.reports import judge_reports
from croupier.simulator.scene import Scene, start_hub
from croupier.simulator.sim_provider import ProviderBet
from croupier.simulator.stage import Stage
from croupier.simulator.virtual_time import VirtualLoop
from croupier.simulator.world import World
from croupier.store.db import Db, DbError
from croupier.store.incident_notes import causes
from croupier.store.money.group_commit import Broken
from croupier.store.money.rows import BET_QUERY, CASHBACK_QUERY, read_bet, read_cashback
from croupier.views.audit.auditor import audit

SAME_REF = 0.2
"""Share of bets whose betId another provider uses too."""
JACKPOT = 0.06
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
    scene.watch.steady = not (
        dials.crash_every_s
        or dials.pause_every_s
        or dials.lost_commits
        or dials.restart_every_s
        or dials.deaths > 1
        or (dials.slow_db_s and dials.tick_s > APART_S)
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
    await _clear(scene)
    return await _judged(scene)


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
    if chance.fraction() < JACKPOT:
        await scene.providers[provider_id].jackpot(f"j{n}", chance.branch("jackpot"))
    plays = [scene.providers[provider_id].play(f"b{n}", session, chance.branch("play"))]
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


def _calls(scene: Scene, verdict: Judgement) -> None:
    """I17: no payment is sent while another try of it is under way."""
    for subject_id, number in scene.weather.twice_under_way:
        name = scene.watch.names.get(subject_id, subject_id)
        verdict.wrong("I17", f"{name} type {number} was sent while another try of it was under way")


def _claims(scene: Scene, told: Mapping[tuple[int, str], ProviderBet], verdict: Judgement) -> None:
    """I3: a bet that nobody claimed yet is given to the provider that asks for it."""
    for (provider_id, ref), bet in told.items():
        if any(scene.watch.claims.covers(provider_id, ref, *span) for span in bet.denied_s):
            verdict.wrong("I3", f"{ref} stood unclaimed, and its provider was told 7")


def _cashbacks(scene: Scene, cases: list[Case], verdict: Judgement) -> None:
    """I9: there is one cashback per ref, of the amount that the command named."""
    verdict.violations += scene.odd
    for case in cases:
        row = case.subject
        if isinstance(row, Cashback) and scene.asked_cashbacks.get((row.casino_id, row.ref)) != row.amount:
            verdict.wrong("I9", f"{row.ref} is a cashback of {row.amount} that nobody asked for")


async def _clear(scene: Scene) -> None:
    """Let two hours pass without faults, so that everything comes to rest."""
    await scene.stage.clock.sleep(REST_S)
    await scene.stage.loop.settled()


async def _judged(scene: Scene) -> Judgement:
    verdict = Judgement()
    stage = scene.stage
    incidents: dict[int, set[str]] = {}
    contradictions: dict[int, int] = {}
    for row in await stage.db.fetch("select subject_id, name, note, times from incidents order by 1, 2"):
        if row["name"] == "contradiction":
            contradictions[row["subject_id"]] = row["times"]
        for cause in causes(row["note"]):
            crashed = "five processes" in cause
            incidents.setdefault(row["subject_id"], set()).add(QUARANTINED if crashed else row["name"])
    cases: list[Case] = []
    told = {(i, ref): bet for i, provider in scene.providers.items() for ref, bet in provider.bets.items()}
    for bet in map(read_bet, await stage.db.fetch(BET_QUERY + " order by b.bet_id")):
        known = frozenset(incidents.get(bet.bet_id, ()))
        heard = told.get((bet.provider_id, bet.bet_ref))
        late = heard is not None and any(may_explain(scene, restriction, heard) for restriction in scene.restrictions)
        cases.append(Case(bet, scene.casinos[bet.casino_id], heard, known, late))
    for cashback in map(read_cashback, await stage.db.fetch(CASHBACK_QUERY + " order by b.cashback_id")):
        known = frozenset(incidents.get(cashback.cashback_id, ()))
        cases.append(Case(cashback, scene.casinos[cashback.casino_id], None, known))
    judge(cases, verdict)
    judge_on(cases, scene.watch.said_on, verdict, times=scene.payment_times, late_s=scene.watch.lateness_s)
    judge_answers(list(told.values()), verdict, skewed=bool(scene.dials.skew_ms))
    judge_restrictions(scene, cases, told, verdict=verdict)
    judge_incidents(cases, verdict)
    judge_resent(cases, contradictions, verdict)
    judge_balances(scene, cases, told, verdict=verdict)
    judge_proofs(scene, cases, verdict)
    _calls(scene, verdict)
    _claims(scene, told, verdict)
    _cashbacks(scene, cases, verdict)
    await judge_comparisons(scene, cases, verdict)
    await judge_reports(scene, cases, verdict)
    await judge_pots(scene, verdict)
    await judge_reconciled(scene, cases, verdict)
    await judge_archives(stage.db, verdict)
    for finding in await audit(stage.db):
        for violation in finding.violations:
            verdict.wrong(f"audit {finding.name}", str(violation))
    if "invariant" in {name for names in incidents.values() for name in names}:
        verdict.wrong("assertion", "a decision would have broken an invariant")
    verdict.violations += scene.watch.violations
    for text in verdict.violations:
        scene.write("VIOLATION", text)
    return verdict
