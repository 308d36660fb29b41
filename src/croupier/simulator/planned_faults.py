"""Faults of a run that are started on purpose: crashes, pauses, cuts, clock jumps, key rotations.

Owns: when each happens, drawn from the seed. Never: how the hub reacts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from croupier.kit import point
from croupier.kit.chance import SeededChance
from croupier.simulator.dials import one_of
from croupier.simulator.faults import POISON, Around, FaultyDb, Weather
from croupier.simulator.operator import act
from croupier.simulator.scene import Scene, start_hub
from croupier.simulator.stage import Running
from croupier.store.parties.keys import Keys

HUB_RESTART_S = 1.0
MANY_DEATHS = 10**6


def planned_faults(scene: Scene) -> list[Any]:
    """Return the coroutines that cause faults while faults last; the caller runs and cancels them."""
    dials = scene.dials
    loops = []
    if dials.crash_every_s:
        loops.append(_every(scene, dials.crash_every_s, _crash))
    if dials.cut_every_s:
        loops.append(_every(scene, dials.cut_every_s, _cut))
    if dials.restart_every_s:
        loops.append(_every(scene, dials.restart_every_s, _restart))
    if dials.operator_every_s:
        loops.append(_every(scene, dials.operator_every_s, act))
    if dials.pause_every_s:
        loops.append(_every(scene, dials.pause_every_s, _pause))
    if dials.skew_ms:
        loops.append(_every(scene, 20.0, _jump))
    loops += [_rotate(scene, n) for n in range(dials.rotations)]
    return loops


Act = Callable[[Scene, SeededChance], Awaitable[None]]


async def _every(scene: Scene, mean_s: float, act: Act) -> None:
    chance = scene.chance.branch(act.__name__)
    while True:
        await scene.stage.clock.sleep(mean_s * (0.2 + 1.6 * chance.fraction()))
        await act(scene, chance)


async def _crash(scene: Scene, chance: SeededChance) -> None:
    """Kill a hub at the next pass of some named point, or at once, and start a new one."""
    if not scene.stage.hubs:
        return
    if chance.fraction() < 0.6:
        name = one_of(chance, UNHEARD if scene.dials.short_takes else POINTS)
        scene.kill_at[name] = 1 if chance.fraction() < 0.5 else scene.dials.deaths
        return
    await _kill(scene, one_of(chance, scene.stage.hubs), "crash")


async def _kill(scene: Scene, running: Running, how: str) -> None:
    if not running.alive:
        return
    scene.weather.strike(how)
    scene.weather.deaths_ms.append(scene.stage.clock.now_ms())
    scene.write("dies", running.name, how)
    await scene.stage.kill(running)
    await scene.stage.clock.sleep(HUB_RESTART_S)
    await start_hub(scene)


async def _restart(scene: Scene, chance: SeededChance) -> None:
    """Stop a hub process once another one serves, as in an update."""
    if not scene.stage.hubs:
        return
    running = one_of(chance, scene.stage.hubs)
    if not running.alive or not _awake(running):
        return
    scene.weather.strike("restart")
    scene.write("stops", running.name)
    await start_hub(scene)
    # Faults may stop meanwhile; the process ends all the same.
    await asyncio.shield(asyncio.ensure_future(scene.stage.stop(running)))


def _awake(running: Running) -> bool:
    db: Any = running.hub.store.db
    return bool(db.awake.is_set())


async def _cut(scene: Scene, chance: SeededChance) -> None:
    scene.weather.cut_until_s = scene.stage.clock.monotonic_s() + scene.dials.cut_s * chance.fraction()


async def _pause(scene: Scene, chance: SeededChance) -> None:
    """Pause a worker for a minute, as SIGSTOP does; it wakes with stale leases."""
    if len(scene.stage.hubs) < 2:
        return
    running = one_of(chance, scene.stage.hubs)
    scene.weather.strike("pause")
    scene.weather.deaths_ms.append(scene.stage.clock.now_ms())
    scene.write("pauses", running.name)
    db: Any = running.hub.store.db
    db.awake.clear()
    await scene.stage.clock.sleep(60)
    wake(scene, running)


def wake(scene: Scene, running: Running) -> None:
    """Wake the process if it slept."""
    db: Any = running.hub.store.db
    if not db.awake.is_set():
        running.slept_s = scene.stage.loop.time()
        db.awake.set()


async def _jump(scene: Scene, chance: SeededChance) -> None:
    """Make a hub's clock jump; a moment later it follows the database's clock again."""
    if not scene.stage.hubs:
        return
    clock: Any = one_of(chance, scene.stage.hubs).hub.clock
    clock.skew_ms = round((chance.fraction() * 2 - 1) * scene.dials.skew_ms)
    scene.weather.strike("skew")
    scene.payment_times.jumped(scene.stage.loop.time())
    await scene.stage.clock.sleep(2.0)
    clock.skew_ms = 0


async def _rotate(scene: Scene, number: int) -> None:
    """Rotate the keys by command, in a process of its own."""
    stage, chance = scene.stage, scene.chance.branch(f"rotation {number}")
    await stage.clock.sleep(chance.fraction() * scene.dials.rough_s)
    calm = Around(stage.clock, chance, scene.dials, Weather(rough=False))
    db: Any = FaultyDb(stage.db, calm)
    keys = Keys(db, stage.sealer, stage.clock, chance=chance)
    with stage.real_work():
        await keys.load()
        await keys.rotate("EdDSA")
    scene.weather.strike("rotation")


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
    "jackpot.before_send",
    "jackpot.after_send",
    "cashback.before_send",
    "cashback.after_send",
    "cashback_cancel.before_send",
    "cashback_cancel.after_send",
    "close.before_send",
    "close.after_send",
    "accept.before_commit",
    "accept.after_commit",
    "group_commit.before_commit",
    "group_commit.after_commit",
    "list.before_send",
)


UNHEARD = ("stake.after_send", "payout_return.after_send", "cashback_cancel.after_send")
"""Deaths after which a payment that takes money is booked and unanswered."""


def at_points(scene: Scene) -> None:
    """Count every point, and kill the process at the chosen one."""

    async def passed(name: str) -> None:
        scene.seen[f"point {name}"] += 1
        if scene.kill_at.get(name) and scene.stage.hubs and scene.weather.rough:
            running = _whose(scene, asyncio.current_task())
            if running is None:
                return
            scene.kill_at[name] -= 1
            scene.seen[f"killed {name}"] += 1
            asyncio.ensure_future(_kill(scene, running, "crash_at_point"))  # noqa: RUF006 - ends with the stage
            # The process is dead from here on, so this task never continues.
            await asyncio.Event().wait()

    scene.kill_at[POISON] = MANY_DEATHS
    point.set_hook(passed)


def _whose(scene: Scene, task: Any) -> Running | None:  # noqa: ANN401 - a task
    """Return the hub process to which a task belongs."""
    for running in scene.stage.hubs:
        if running.owns(task):
            return running
    return None
