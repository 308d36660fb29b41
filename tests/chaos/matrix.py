"""Kills at every named point during every kind of operation, on real processes, with the time of recovery.

Owns: the course of the matrix: a survey that plays each operation undisturbed and notes what it passes, then one death
for every pair. Never: what an operation is (operations), which pairs there are (points), whether the books agree (books).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from croupier.store.embedded.watcher import QUICK_DEATHS, QUICK_S
from tests.chaos.ground import Ground, NotInTime, runs, until
from tests.chaos.operations import OPERATIONS, Operation, Seat, at_rest, sit
from tests.chaos.points import LIST, PASSED, pairs
from tests.chaos.recovery import HUB_BACK_S, TAKEN_OVER_S, Recovery, recovery

CROWD = 16
"""Number of players who do the same at once to make the hub send a list."""
CROWDS = 6
SURVEYS = 3
FIRES_S = 30.0
AWAKE_AFTER_S = 1.5
"""Time between the takeover of its calls and the wake-up of a stopped worker."""

DATABASE_LIVES_S = QUICK_S / (QUICK_DEATHS - 1)
"""So long it is left alone after a death: the watcher gives a server up that dies more often, and the hub comes back faster."""

BY_NAME = {operation.name: operation for operation in OPERATIONS}
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Death:
    """One pair, who died (`worker`, `hub`, `hub+database`; `pause`: a worker only stopped), and how it recovered."""

    point: str
    operation: str
    whom: str
    recovery: Recovery
    rest_s: float

    @property
    def bound_s(self) -> float:
        """Return the limit of its recovery: a restarted hub recovers itself, otherwise another worker takes over."""
        return HUB_BACK_S if self.whom.startswith("hub") else TAKEN_OVER_S

    @property
    def in_time(self) -> bool:
        """Return whether the recovery kept the limit."""
        return self.recovery.all_s <= self.bound_s


@dataclass(slots=True)
class Matrix:
    """The operations played, the points passed, and the deaths."""

    ground: Ground
    say: Say
    passed: dict[str, set[str]] = field(default_factory=dict)
    deaths: list[Death] = field(default_factory=list)
    seats: list[Seat] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _database_died_s: float = float("-inf")

    # --- the survey ---------------------------------------------------------------------------------------------

    async def survey(self, names: Sequence[str]) -> None:
        """Play each operation undisturbed and compare the points that it passes with the table."""
        for name in names:
            wanted = PASSED[name] - {LIST}
            for _ in range(SURVEYS):
                self.passed.setdefault(name, set()).update(await self._surveyed(BY_NAME[name]))
                if self.passed[name] >= wanted:
                    break
            for point in sorted(self.passed[name] - wanted):
                self.problems.append(f"{name} passes {point}, which is declared unpassed")
            for point in sorted(wanted - self.passed[name]):
                self.problems.append(f"{name} does not pass {point}, which is declared passed")
            self.say(f"survey: {name} passes {len(self.passed[name])} points")

    async def _surveyed(self, operation: Operation) -> set[str]:
        (seat,) = await self._seats(operation, 1)
        await operation.prepare(seat)
        self.ground.points.write_text("")
        await operation.deed(seat)
        await seat.rest()
        await asyncio.sleep(0.5)  # what comes after the last commit
        passed = set(self.ground.points.read_text().split())
        self.ground.points.unlink()
        return passed

    async def _seats(self, operation: Operation, how_many: int) -> list[Seat]:
        first = len(self.seats)
        # A crowd plays at one casino and one studio, so that its makes can leave in one list.
        places = [first + n if how_many == 1 else first for n in range(how_many)]
        name = operation.name.replace(" ", "-")
        made = [await sit(self.ground, f"{name}-{first + n}", place, operation.game) for n, place in enumerate(places)]
        self.seats += made
        return made

    # --- the deaths ---------------------------------------------------------------------------------------------

    async def kill(self, point: str, name: str, whom: str = "worker") -> None:
        """Kill at one pair: prepare, give the order, play, measure, wait for rest."""
        try:
            death = await self._killed(point, BY_NAME[name], whom)
        except (NotInTime, TimeoutError) as problem:
            self.problems.append(f"{whom} at {point} in {name}: {problem or type(problem).__name__}")
            self.say(f"FAILED {self.problems[-1]}")
            self.ground.orders.unlink(missing_ok=True)
            await self._repair()
            return
        self.deaths.append(death)
        if not death.in_time:
            self.problems.append(
                f"{whom} at {point} in {name}: recovered after {death.recovery.all_s:.1f} s, more than {death.bound_s:.0f}"
            )
        took = death.recovery
        self.say(
            f"{whom} at {point} in {name}: answers {took.answers_s:.2f} s, driven {took.driven_s:.2f} s,"
            f" rest {death.rest_s:.1f} s{'' if death.in_time else '  TOO LATE'}"
        )

    async def _killed(self, point: str, operation: Operation, whom: str) -> Death:
        await self.ground.whole()
        for _ in range(CROWDS):
            seats = await self._seats(operation, CROWD if point == LIST else 1)
            await asyncio.gather(*(operation.prepare(seat) for seat in seats))
            if point == LIST:
                await at_rest(self.ground)
            if "+" in whom:
                await asyncio.sleep(max(0.0, self._database_died_s + DATABASE_LIVES_S - time.monotonic()))
            self.ground.order(point, whom.partition("+")[0], postgres="+" in whom)
            doing = asyncio.gather(*(operation.deed(seat) for seat in seats))
            try:
                return await self._died(point, operation, whom, doing)
            except _NobodyPassed:
                await doing
                await at_rest(self.ground)
        raise NotInTime("nobody passed the point")

    async def _died(self, point: str, operation: Operation, whom: str, doing: asyncio.Future[object]) -> Death:
        await self._fired(doing, patient=point != LIST)
        order = json.loads(self.ground.taken.read_text())
        if "+" in whom:
            self._database_died_s = time.monotonic()
        if whom.startswith("hub"):
            await until(lambda: self.ground.hub.poll() is not None, 10, "the hub lives")
            await self.ground.start_again()
        else:
            # A process takes the order a moment before it dies, so it must not count as living meanwhile.
            await until(lambda: not runs(order["pid"]), 10, "the worker lives")
        took = await recovery(self.ground, order["at_s"], not_of=order["pid"] if whom == "pause" else None)
        waking = asyncio.ensure_future(self._wake(order["pid"])) if whom == "pause" else None
        began = time.monotonic()
        await doing
        await at_rest(self.ground)
        if waking is not None:
            await waking
        return Death(point, operation.name, whom, took, time.monotonic() - began)

    async def _fired(self, doing: asyncio.Future[object], *, patient: bool) -> None:
        """Wait until a process has taken the order, unless the crowd ends without it."""

        def fired() -> bool:
            return self.ground.taken.exists() or (doing.done() and not patient)

        await until(fired, FIRES_S, "nobody passed the point")
        if not self.ground.taken.exists():
            self.ground.orders.unlink(missing_ok=True)
            raise _NobodyPassed

    @staticmethod
    async def _wake(pid: int) -> None:
        await asyncio.sleep(AWAKE_AFTER_S)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    async def _repair(self) -> None:
        """Restore a whole hub after a failure, so that the next pair is meaningful."""
        if self.ground.hub.poll() is not None:
            await self.ground.start_again()
        for pid in await self.ground.worker_pids():
            os.kill(pid, signal.SIGCONT)
        with contextlib.suppress(NotInTime):
            await at_rest(self.ground)

    async def everywhere(self, names: Sequence[str]) -> None:
        """Kill a worker at every pair of these operations."""
        for point, name in pairs():
            if name in names:
                await self.kill(point, name)

    async def diagonal(self, whom: str, names: Sequence[str]) -> None:
        """Kill `whom` at every point at least once, and during every operation at least once."""
        for point, name in diagonal([p for p in pairs() if p[1] in names]):
            await self.kill(point, name, whom)


class _NobodyPassed(Exception):
    """Return whether a crowd ended without a list, which is chance: try again."""


def diagonal(among: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return a few pairs that contain every point and every operation of `among`, chosen greedily."""
    points, names = {point for point, _ in among}, {name for _, name in among}
    chosen: list[tuple[str, str]] = []
    while points or names:
        best = max(among, key=lambda pair: ((pair[0] in points) + (pair[1] in names), pair))
        chosen.append(best)
        points.discard(best[0])
        names.discard(best[1])
    return chosen
