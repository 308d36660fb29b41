"""One seed, from its dials to its verdict: `simulate`.

First a rough phase with faults, then the weather clears and the world has two virtual hours to come to rest; then
everybody's books are compared and the hub's own auditor is asked. The same seed gives the same log, byte for
byte: one database connection, one virtual clock, all chance from the seed; ids and signatures stay out of it.

Owns: the course of a run. Never: rules. Spec: money.md section 5.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from croupier.core.bet import Bet
from croupier.core.cashback import Cashback
from croupier.core.commands import GameListing
from croupier.core.draft import Decision
from croupier.core.session import Session
from croupier.flows.cashback import CashbackRefused, cancel_cashback, pay_cashback
from croupier.kit import point
from croupier.kit.chance import SeededChance
from croupier.kit.virtual import VirtualClock, VirtualLoop
from croupier.simulator.dials import Dials, draw, one_of
from croupier.simulator.faults import Around, FaultyDb, FaultyWire, Weather
from croupier.simulator.judge import QUARANTINED, Case, Verdict, judge
from croupier.simulator.sim_casino import Access, SimCasino
from croupier.simulator.sim_provider import Credentials, SimProvider
from croupier.simulator.stage import HUB_ORIGIN, START_MS, Running, Stage, settings_for
from croupier.store.bets import Bets, Cashbacks
from croupier.store.db import Db, DbError
from croupier.store.keys import Keys
from croupier.store.train import Broken
from croupier.views.audit import audit

PLAYERS = 4
ROUGH_S = 90.0
REST_S = 7200.0
PAYMENTS_PER_BET = 2.6
"""How many payments a bet makes on average: how many bets a number of payments asks for."""
HUB_RESTART_S = 1.0


@dataclass(slots=True)
class Outcome:
    """What came of a seed."""

    seed: int
    dials: Dials
    payments: int
    verdict: Verdict
    faults: Counter[str]
    seen: Counter[str]
    """States that payments and bets went through, and points passed."""
    log: list[str]

    @property
    def log_sha256(self) -> str:
        """The digest of the whole log."""
        return hashlib.sha256("\n".join(self.log).encode()).hexdigest()


@dataclass(slots=True)
class Scene:
    """Everything that plays in one run."""

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
    log: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    names: dict[int, str] = field(default_factory=dict)
    """BetId to a name that is the same in every run of the seed."""
    kill_at: dict[str, int] = field(default_factory=dict)
    """Points at which the process that passes dies, and after how many passes."""

    @property
    def around(self) -> Around:
        """What is around everybody."""
        return Around(self.stage.clock, self.chance, self.dials, self.weather)

    def write(self, *words: object) -> None:
        """One line of the log."""
        self.log.append(f"{self.stage.loop.time():.3f} {' '.join(map(str, words))}")


async def simulate(loop: VirtualLoop, db: Db, *, seed: int, payments: int) -> Outcome:
    """Play a seed on an empty, migrated database."""
    chance = SeededChance(seed)
    dials = draw(chance)
    stage = Stage(loop, db, f"stage-{seed}")
    scene = Scene(stage, dials, chance)
    await stage.prepare()
    try:
        for _ in range(dials.workers):
            await _start_hub(scene)
        await _people(scene)
        _at_points(scene)
        stage.begin()
        await _rough_phase(scene, bets=max(round(payments / PAYMENTS_PER_BET), 1))
        await _clear(scene)
        verdict = await _judged(scene)
    finally:
        point.set_hook(None)
        await stage.close()
    made = sum(1 for line in scene.log if " payment " in line)
    return Outcome(seed, dials, made, verdict, scene.weather.seen, scene.seen, scene.log)


# --- who plays ------------------------------------------------------------------------------------------------------


async def _start_hub(scene: Scene) -> Running:
    stage = scene.stage
    clock = VirtualClock(stage.loop, START_MS)
    wire = FaultyWire(stage.network, scene.around)
    db = FaultyDb(stage.db, stage.one_at_a_time, scene.around)
    running = await stage.start_hub(settings_for(), wire, db=db, clock=clock, ack_grace_s=0.3, sweep_s=2.0, poll_s=0.25)
    running.hub.train.on_commit(lambda decision: _note(scene, decision))
    return running


def _note(scene: Scene, decision: Decision[Any]) -> None:
    """A commit: into the log, and into what was seen."""
    after = decision.after
    name = after.bet_ref if isinstance(after, Bet) else after.ref
    scene.names[after.subject_id] = name
    scene.write("commit", name, decision.event, after.state.value)
    before = decision.before.payments if decision.before else {}
    for kind, payment in after.payments.items():
        old = before.get(kind)
        if old is None:
            scene.write("payment", name, kind.value)
        if old is None or old.state is not payment.state:
            scene.seen[f"{kind.value} {payment.state.value}"] += 1
    scene.seen[f"bet {after.state.value}" if isinstance(after, Bet) else f"cashback {after.state.value}"] += 1


async def _people(scene: Scene) -> None:
    stage, dials = scene.stage, scene.dials
    store = stage.hubs[0].hub.store
    for number, character in enumerate(dials.casinos):
        origin = f"http://casino{number}.test"
        late = {"late_accept": "refuse"} if dials.late_refuse else {}
        casino, secret = await store.casinos.add(
            f"casino{number}", origin, ["EUR"], alg="EdDSA", batch=one_of(scene.chance, (1, 10)), **late
        )
        peer = SimCasino(
            access=Access(HUB_ORIGIN, casino.casino_id, secret),
            wire=FaultyWire(stage.network, scene.around),
            around=scene.around,
            character=character,
            log=lambda *words, n=number: scene.write(f"casino{n}", *words),
        )
        scene.casinos[casino.casino_id] = peer
        stage.network.mount(origin, peer)
        for n in range(PLAYERS):
            player = await store.players.register(casino.casino_id, f"player{n}", "EUR")
            scene.players.append((casino.casino_id, player.player_id, f"player{n}"))
    for hub in stage.hubs:
        await hub.hub.store.keys.load()
    for number, provider_character in enumerate(dials.providers):
        provider, secret = await store.providers.add(f"provider{number}", f"http://provider{number}.test")
        peer_provider = SimProvider(
            credentials=Credentials(HUB_ORIGIN, provider.counterparty_id, secret),
            wire=FaultyWire(stage.network, scene.around),
            clock=stage.clock,
            chance=scene.chance,
            character=provider_character,
            log=scene.write,
        )
        scene.providers[provider.provider_id] = peer_provider
        await store.games.take_listing(provider.provider_id, [GameListing("g", "Game", "slots")], enabled_for_new=True)
        (game,) = await store.games.all(provider.provider_id)
        for casino_id, player_id, ref in scene.players:
            session_id = f"{number}-{casino_id}-{ref}"
            await store.sessions.open(
                Session(
                    session_id=session_id,
                    provider_id=provider.provider_id,
                    casino_id=casino_id,
                    player_id=player_id,
                    player_ref=ref,
                    game_id=game.game_id,
                    currency="EUR",
                    demo=False,
                    min_bet=1,
                    max_bet=10**9,
                    opened_ms=START_MS,
                    expires_ms=START_MS + 10**9,
                )
            )
            scene.sessions.setdefault(provider.provider_id, []).append(session_id)


# --- what happens ---------------------------------------------------------------------------------------------------


async def _rough_phase(scene: Scene, bets: int) -> None:
    """All bets, spread over the phase, with faults about; ends when every provider is done or the phase is over."""
    work = [asyncio.ensure_future(_one_bet(scene, n)) for n in range(bets)]
    work += [asyncio.ensure_future(_one_cashback(scene, n)) for n in range(max(bets // 12, 1))]
    mischief = [asyncio.ensure_future(loop) for loop in _mischief(scene)]
    await asyncio.wait(work, timeout=ROUGH_S * 2)
    for task in mischief:
        task.cancel()
    await asyncio.gather(*mischief, return_exceptions=True)
    scene.weather.rough = False
    scene.write("the weather clears")
    while len(scene.stage.hubs) < scene.dials.workers:
        await _start_hub(scene)
    for running in scene.stage.hubs:
        # Nobody dies any more, so nobody needs to look after the others every two seconds.
        running.hub.habits = replace(running.hub.habits, sweep_s=REST_S / 4)
        world: Any = running.hub
        world.store.db.awake.set()
        world.clock.skew_ms = 0
    done, waiting = await asyncio.wait(work, timeout=REST_S)
    for task in waiting:
        task.cancel()
    for task in done:
        if task.exception() is not None:
            raise task.exception()  # type: ignore[misc]


async def _one_bet(scene: Scene, n: int) -> None:
    chance = scene.chance
    provider_id = one_of(chance, tuple(scene.providers))
    session = one_of(chance, scene.sessions[provider_id])
    await scene.stage.clock.sleep(chance.fraction() * ROUGH_S)
    await scene.providers[provider_id].play(f"b{n}-{provider_id}", session)


async def _one_cashback(scene: Scene, n: int) -> None:
    """A person at a command pays a cashback, and cancels half of them."""
    chance, stage = scene.chance, scene.stage
    await stage.clock.sleep(chance.fraction() * ROUGH_S)
    casino_id, player_id, ref = one_of(chance, scene.players)
    cancel, wait_s = chance.fraction() < 0.5, chance.fraction() * 60
    try:
        if not stage.hubs:
            return
        hub = stage.hubs[0].hub
        row = Cashback(
            cashback_id=await hub.store.ids.take(),
            casino_id=casino_id,
            player_id=player_id,
            player_ref=ref,
            currency="EUR",
            amount=1 + int(chance.fraction() * 1000),
            ref=f"c{n}",
            created_ms=stage.clock.now_ms(),
        )
        row = await pay_cashback(hub, row)
        await stage.clock.sleep(wait_s)
        if cancel and stage.hubs:
            await cancel_cashback(stage.hubs[0].hub, row.cashback_id, "sim")
    except (DbError, Broken, CashbackRefused, asyncio.CancelledError):
        return


def _mischief(scene: Scene) -> list[Any]:
    dials = scene.dials
    loops = []
    if dials.crash_every_s:
        loops.append(_every(scene, dials.crash_every_s, lambda: _crash(scene)))
    if dials.cut_every_s:
        loops.append(_every(scene, dials.cut_every_s, lambda: _cut(scene)))
    if dials.pause_every_s:
        loops.append(_every(scene, dials.pause_every_s, lambda: _pause(scene)))
    if dials.skew_ms:
        loops.append(_every(scene, 20.0, lambda: _jump(scene)))
    loops += [_rotate(scene) for _ in range(dials.rotations)]
    return loops


async def _every(scene: Scene, mean_s: float, act: Any) -> None:  # noqa: ANN401 - a coroutine function
    while True:
        await scene.stage.clock.sleep(mean_s * (0.2 + 1.6 * scene.chance.fraction()))
        await act()


async def _crash(scene: Scene) -> None:
    """A hub dies at the next pass of some named point, or at once; a new one starts."""
    if not scene.stage.hubs:
        return
    if scene.chance.fraction() < 0.6:
        name = one_of(scene.chance, POINTS)
        scene.kill_at[name] = 1
        return
    await _kill(scene, one_of(scene.chance, scene.stage.hubs), "crash")


async def _kill(scene: Scene, running: Running, how: str) -> None:
    if not running.alive:
        return
    scene.weather.seen[how] += 1
    scene.write("dies", running.name, how)
    await scene.stage.kill(running)
    await scene.stage.clock.sleep(HUB_RESTART_S)
    await _start_hub(scene)


async def _cut(scene: Scene) -> None:
    scene.weather.cut_until_s = scene.stage.clock.monotonic_s() + scene.dials.cut_s * scene.chance.fraction()


async def _pause(scene: Scene) -> None:
    """A worker sleeps for a minute, as a stopped process does, and wakes with stale leases."""
    if len(scene.stage.hubs) < 2:
        return
    running = one_of(scene.chance, scene.stage.hubs)
    scene.weather.seen["pause"] += 1
    scene.write("pauses", running.name)
    db: Any = running.hub.store.db
    db.awake.clear()
    await scene.stage.clock.sleep(60)
    db.awake.set()


async def _jump(scene: Scene) -> None:
    """A hub's clock jumps; a moment later it follows the database's again."""
    if not scene.stage.hubs:
        return
    clock: Any = one_of(scene.chance, scene.stage.hubs).hub.clock
    clock.skew_ms = round((scene.chance.fraction() * 2 - 1) * scene.dials.skew_ms)
    scene.weather.seen["skew"] += 1
    await scene.stage.clock.sleep(2.0)
    clock.skew_ms = 0


async def _rotate(scene: Scene) -> None:
    """An operator rotates the keys at a command, in a process of its own."""
    stage = scene.stage
    await stage.clock.sleep(scene.chance.fraction() * ROUGH_S)
    calm = Around(stage.clock, scene.chance, scene.dials, Weather(rough=False))
    db: Any = FaultyDb(stage.db, stage.one_at_a_time, calm)
    keys = Keys(db, stage.sealer, stage.clock, stage.chance)
    with stage.real_work():
        await keys.load()
        await keys.rotate("EdDSA")
    scene.weather.seen["rotation"] += 1


POINTS = (
    "stake.after_commit",
    "stake.before_send",
    "stake.after_send",
    "stake.before_answer",
    "payout.before_send",
    "payout.after_send",
    "payout.before_answer",
    "bet_return.before_send",
    "bet_return.after_send",
    "payout_return.before_send",
    "payout_return.after_send",
    "close.before_send",
    "close.after_send",
    "accept.before_commit",
    "accept.after_commit",
    "train.before_commit",
    "train.after_commit",
    "list.before_send",
)


def _at_points(scene: Scene) -> None:
    """Count every point, and let the process die at one that was chosen."""

    async def passed(name: str) -> None:
        scene.seen[f"point {name}"] += 1
        if scene.kill_at.get(name) and scene.stage.hubs and scene.weather.rough:
            running = _whose(scene, asyncio.current_task())
            if running is None:
                return
            del scene.kill_at[name]
            scene.seen[f"killed {name}"] += 1
            asyncio.ensure_future(_kill(scene, running, f"crash at {name}"))  # noqa: RUF006 - ends with the stage
            # The process is dead from here on: this task never goes on.
            await asyncio.Event().wait()

    point.set_hook(passed)


def _whose(scene: Scene, task: Any) -> Running | None:  # noqa: ANN401 - a task
    """The hub process a task belongs to."""
    for running in scene.stage.hubs:
        if running.owns(task):
            return running
    return None


async def _clear(scene: Scene) -> None:
    """Two hours without faults, in which everything comes to rest."""
    await scene.stage.clock.sleep(REST_S)
    await scene.stage.loop.settled()


async def _judged(scene: Scene) -> Verdict:
    verdict = Verdict()
    stage = scene.stage
    bets, cashbacks = Bets(stage.db), Cashbacks(stage.db)
    incidents: dict[int, set[str]] = {}
    for row in await stage.db.fetch("select subject_id, name, note from incidents order by 1, 2"):
        crashed = "five processes" in row["note"]
        incidents.setdefault(row["subject_id"], set()).add(QUARANTINED if crashed else row["name"])
    cases: list[Case] = []
    told = {ref: bet for provider in scene.providers.values() for ref, bet in provider.bets.items()}
    for row in await stage.db.fetch("select bet_id from bets order by bet_id"):
        bet = await bets.by_id(row["bet_id"])
        assert bet is not None
        casino = scene.casinos[bet.casino_id]
        cases.append(Case(bet, casino, told.get(bet.bet_ref), frozenset(incidents.get(bet.bet_id, ()))))
    for row in await stage.db.fetch("select cashback_id from cashbacks order by cashback_id"):
        cashback = await cashbacks.by_id(row["cashback_id"])
        assert cashback is not None
        known = frozenset(incidents.get(cashback.cashback_id, ()))
        cases.append(Case(cashback, scene.casinos[cashback.casino_id], None, known))
    judge(cases, verdict)
    for finding in await audit(stage.db):
        for violation in finding.violations:
            verdict.wrong(f"audit {finding.name}", str(violation))
    if "invariant" in {name for names in incidents.values() for name in names}:
        verdict.wrong("assertion", "a decision would have broken an invariant")
    for text in verdict.violations:
        scene.write("VIOLATION", text)
    return verdict
