"""Faults that are started on purpose: what each does to the processes, and the points where one may die."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from croupier.kit.chance import SeededChance
from croupier.simulator import planned_faults
from croupier.simulator import stage as stages
from croupier.simulator.faults import Weather
from croupier.simulator.payment_times import PaymentTimes
from croupier.simulator.planned_faults import POINTS
from croupier.simulator.stage import Running, Stage
from croupier.simulator.virtual_time import VirtualClock
from croupier.store.db import Db, DbDown
from croupier.store.money.calls import Calls
from tests.chaos.points import named_points
from tests.simulator.test_dials import dials_of, in_virtual_time
from tests.views.world import World


def test_every_named_point_is_in_the_list_and_no_other() -> None:
    assert set(POINTS) == set(named_points())
    assert len(POINTS) == len(named_points())


@dataclass
class Process:
    """A hub process, as far as a planned fault touches it."""

    name: str
    alive: bool = True
    slept_s: float = 0.0

    def __post_init__(self) -> None:
        awake = asyncio.Event()
        awake.set()
        self.hub = SimpleNamespace(
            store=SimpleNamespace(db=SimpleNamespace(awake=awake)), clock=SimpleNamespace(skew_ms=0)
        )

    @property
    def awake(self) -> bool:
        return bool(self.hub.store.db.awake.is_set())


@dataclass
class Ground:
    """A scene with two hub processes, which notes what becomes of them."""

    clock: VirtualClock
    hubs: list[Any] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def scene(self, **turned: Any) -> Any:
        self.hubs += [Process("one"), Process("two")]
        stage = SimpleNamespace(
            hubs=self.hubs, clock=self.clock, kill=self._end("kill"), stop=self._end("stop"),
            loop=SimpleNamespace(time=self.clock.monotonic_s),
        )  # fmt: skip
        return SimpleNamespace(
            stage=stage, dials=dials_of(**turned), weather=Weather(), payment_times=PaymentTimes(), kill_at={},
            write=lambda *_: None,
        )  # fmt: skip

    def _end(self, how: str) -> Any:
        async def end(running: Process) -> None:
            self.told.append(f"{how} {running.name} at {self.clock.monotonic_s():g}")
            running.alive = False
            self.hubs.remove(running)

        return end

    async def start(self, _scene: Any) -> None:
        self.told.append(f"start at {self.clock.monotonic_s():g}")
        self.hubs.append(Process("new"))


def on_the_ground(monkeypatch: pytest.MonkeyPatch, play: Any, **turned: Any) -> None:
    async def scene(clock: VirtualClock) -> None:
        ground = Ground(clock)
        monkeypatch.setattr(planned_faults, "start_hub", ground.start)
        await play(ground, ground.scene(**turned))

    in_virtual_time(scene)


def test_a_restart_starts_a_process_before_it_stops_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(ground: Ground, scene: Any) -> None:
        await planned_faults._restart(scene, SeededChance(1))
        assert ground.told[0] == "start at 0"
        assert ground.told[1].startswith("stop ")
        assert scene.weather.seen["restart"] == 1
        for running in ground.hubs:
            running.hub.store.db.awake.clear()
        await planned_faults._restart(scene, SeededChance(1))
        assert len(ground.told) == 2, "a process that sleeps hears no signal"

    on_the_ground(monkeypatch, play)


def test_a_crash_kills_at_once_or_at_the_next_pass_of_a_point(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(ground: Ground, scene: Any) -> None:
        chance = SeededChance(1)
        for _ in range(40):
            await planned_faults._crash(scene, chance)
        killed = [text for text in ground.told if text.startswith("kill")]
        assert len(killed) == scene.weather.seen["crash"] > 0
        assert ground.told.count("start at 1") == 1, "another one starts a second after the first death"
        assert len(ground.told) == 2 * len(killed)
        assert set(scene.kill_at.values()) <= {1, 6}
        assert set(scene.kill_at) <= set(POINTS)
        assert scene.kill_at

    on_the_ground(monkeypatch, play, deaths=6)


def test_a_paused_process_wakes_after_a_minute_with_what_it_held(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(ground: Ground, scene: Any) -> None:
        pausing = asyncio.ensure_future(planned_faults._pause(scene, SeededChance(1)))
        await ground.clock.sleep(59)
        asleep = [running for running in ground.hubs if not running.awake]
        assert len(asleep) == 1
        await pausing
        assert asleep[0].awake
        assert asleep[0].slept_s == 60

    on_the_ground(monkeypatch, play)


def test_a_clock_jumps_within_its_bound_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(ground: Ground, scene: Any) -> None:
        jumping = asyncio.ensure_future(planned_faults._jump(scene, SeededChance(1)))
        await ground.clock.sleep(1)
        skews = {running.hub.clock.skew_ms for running in ground.hubs}
        assert 0 < max(map(abs, skews)) <= 300_000
        await jumping
        assert {running.hub.clock.skew_ms for running in ground.hubs} == {0}
        assert scene.payment_times.skewed_s == 0, "the judge of balances knows since when"

    on_the_ground(monkeypatch, play, skew_ms=300_000)


def test_a_cut_lasts_no_longer_than_its_dial(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(_ground: Ground, scene: Any) -> None:
        for seed in range(20):
            await planned_faults._cut(scene, SeededChance(seed))
            assert 0 <= scene.weather.cut_until_s <= 30

    on_the_ground(monkeypatch, play, cut_s=30.0)


def test_a_stop_that_is_under_way_when_faults_end_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(ground: Ground, scene: Any) -> None:
        ended = scene.stage.stop

        async def stop(running: Process) -> None:
            await ground.clock.sleep(3)
            await ended(running)

        scene.stage.stop = stop
        restart = asyncio.ensure_future(planned_faults._restart(scene, SeededChance(1)))
        await ground.clock.sleep(1)
        restart.cancel()
        await asyncio.gather(restart, return_exceptions=True)
        assert restart.cancelled()
        assert ground.told == ["start at 0"]
        await ground.clock.sleep(5)
        assert ground.told[1:] == [f"stop {name} at 3" for name in ("one", "two") if name in ground.told[1]]
        assert len(ground.told) == 2

    on_the_ground(monkeypatch, play)


# --- an orderly stop


def stopping(name: str) -> Any:
    """A hub process that has nothing to do."""
    nothing = SimpleNamespace(die=lambda: None, tasks=set())
    hub = SimpleNamespace(
        state=SimpleNamespace(closing=False, dispatcher=nothing, balance_queries={}),
        waiters=SimpleNamespace(wake_all=lambda: None),
        group_commit=nothing,
    )
    return Running(name, hub, None)  # type: ignore[arg-type] # as far as a stop touches it


@pytest.mark.parametrize(
    ("owner", "seconds", "ends", "left"),
    [
        ("hub-1", 30, "in order", []),
        ("hub-1", 30, "with a lease", ["hub-1 left calls leased"]),
        ("hub-1", 30, "with a crash", ["hub-1 counted a crash"]),
        ("hub-1", -1, "with a lease", []),  # it ran out
        ("hub-2", 30, "with a lease", []),
        ("hub-1", 30, "without a database", []),  # a crash, as the next process will count it
    ],
)
async def test_an_orderly_stop_that_leaves_calls_leased_or_counts_a_crash_is_recorded(
    db: Db, database_url: str, monkeypatch: pytest.MonkeyPatch, owner: str, seconds: int, ends: str, left: list[str]
) -> None:
    world = World(db, database_url)
    await world.furnish()
    story = world.story()
    story.opened()
    await world.keep(story)
    stage, running = Stage(asyncio.get_running_loop(), db, 1), stopping("hub-1")  # type: ignore[arg-type] # real time
    stage.hubs.append(running)
    until_ms = stage.clock.now_ms() + 1000 * seconds
    assert await db.execute("update calls set lease_owner = $1, lease_until_ms = $2", owner, until_ms)

    async def wind_up(*_: Any, **__: Any) -> None:
        if ends == "without a database":
            raise DbDown("gone")
        if ends == "in order":
            assert await Calls(db, "hub-1").give_back(stage.clock.now_ms()) == 1
        if ends == "with a crash":
            await db.execute("update calls set lease_until_ms = 0, crashes = crashes + 1")

    monkeypatch.setattr(stages, "wind_up", wind_up)
    await stage.stop(running)
    assert stage.badly_stopped == left
    assert (running.alive, stage.hubs) == (False, [])
    assert stage._dead == (["hub-1"] if ends == "without a database" else [])
