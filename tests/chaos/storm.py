"""A storm: all faults at once for a while, from one seed, against workers, hub, database and cables during play.

Owns: what is played and what is struck, drawn from the seed, and the peace afterwards. Never: judges (books, reader). What
a seed repeats is who plays and who is struck in which order; how that falls together is up to real processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from croupier.store.db import DbError
from tests.chaos.ground import Ground, alive
from tests.chaos.operations import STAKE, Seat, at_rest, cancel, pay_one, sit
from tests.chaos.proxy import FAULTS

PLAYERS = 8
"""Number of players who play at the same moment; each has a seat at a slot and one at a jackpot game."""
REST_S = 150.0
WIN_SHARE = 0.5
Say = Callable[[str], None]


@dataclass(slots=True)
class Storm:
    """The bets played and the faults caused."""

    seed: int
    seats: list[Seat] = field(default_factory=list)
    played: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    rest_s: float = 0.0
    """Time from the last fault until everything had come to rest."""


async def storm(ground: Ground, *, seconds: float, seed: int, say: Say) -> Storm:
    """Run the storm, end all faults, and wait for rest."""
    raging = _Raging(ground, Storm(seed), Random(seed), time.monotonic() + seconds)
    await raging.seat_all()
    say(f"storm: {len(raging.storm.seats)} seats, seed {seed}")
    players = [asyncio.ensure_future(raging.player(n, Random(f"{seed} {n}"))) for n in range(PLAYERS)]
    strikes = asyncio.ensure_future(raging.strike())
    await asyncio.sleep(seconds)
    await strikes
    await raging.heal()
    say(f"storm: over, struck {sum(raging.storm.struck.values())} times; waiting for peace")
    began = time.monotonic()
    for n, ended in enumerate(await asyncio.gather(*players, return_exceptions=True)):
        if isinstance(ended, BaseException):
            raging.storm.problems.append(f"player {n}: {type(ended).__name__}: {ended}")
    try:
        await at_rest(ground, REST_S)
    except AssertionError as problem:
        raging.storm.problems.append(str(problem))
    raging.storm.rest_s = time.monotonic() - began
    return raging.storm


class _Raging:
    """The state of a storm."""

    def __init__(self, ground: Ground, made: Storm, chance: Random, until_s: float) -> None:
        self.ground = ground
        self.storm = made
        self.chance = chance
        self.until_s = until_s
        self._ends: set[asyncio.Task[None]] = set()
        self._starting = asyncio.Lock()
        self._strikes: list[tuple[float, str, Callable[[], Awaitable[None]]]] = [
            (4, "worker killed", self._kill_worker),
            (3, "worker stopped", self._stop_worker),
            (1, "hub killed", self._kill_hub),
            (1, "supervisor killed", self._kill_supervisor),
            (1, "database killed", self._kill_database),
            (2, "backend killed", self._kill_backend),
            (2, "backend ended", self._end_backend),
            (2, "database stopped", self._stop_database),
            (12, "cable", self._bad_cable),
        ]

    @property
    def rages(self) -> bool:
        """Return whether the storm still lasts."""
        return time.monotonic() < self.until_s

    async def seat_all(self) -> None:
        """Open every player's seats before the first fault."""
        for n in range(PLAYERS):
            for game in ("lantern-tumble", "orchard-jackpot"):
                self.storm.seats.append(await sit(self.ground, f"storm-{n}", n, game))

    # --- the players --------------------------------------------------------------------------------------------

    async def player(self, n: int, chance: Random) -> None:
        """Play one bet or cashback after the other."""
        slot, jackpots = self.storm.seats[2 * n : 2 * n + 2]
        plays = {
            "win or loss": 4, "pay-in-out": 3, "refund": 2, "refund in flight": 2, "take-back": 2, "jackpot": 1, "cashback": 1,
            "cashback cancel": 1,
        }  # fmt: skip
        number = 0
        while self.rages:
            number += 1
            (kind,) = chance.choices(list(plays), list(plays.values()))
            seat = jackpots if kind == "jackpot" else slot
            await self._play(kind, seat, f"{seat.session[:6]}-{number}", chance)
            self.storm.played[kind] += 1
            await asyncio.sleep(chance.random() * 0.2)

    async def _play(self, kind: str, seat: Seat, bet: str, chance: Random) -> None:
        win = "25.00" if chance.random() < WIN_SHARE else "0"
        if kind.startswith("cashback"):
            await pay_one(seat, f"{seat.player}-{bet}")
            if kind == "cashback cancel":
                await asyncio.sleep(chance.random())
                await cancel(seat)
        elif kind == "jackpot":
            seat.told(bet).jackpot = True
            await seat.insist("pay-out", bet, win="50.00")
        elif kind == "refund in flight":
            asked = asyncio.ensure_future(seat.once("pay-in", bet, amount=STAKE))
            await asyncio.sleep(chance.random() * 0.05)
            await seat.insist("refund", bet)
            await asked
        else:
            await self._round(kind, seat, bet, win)

    async def _round(self, kind: str, seat: Seat, bet: str, win: str) -> None:
        """Repeat once on 99 or no answer, then give up the stake, as live providers do."""
        verb, rest = ("pay-in-out", {"win": win}) if kind in ("pay-in-out", "take-back") else ("pay-in", {})
        code = None
        for _ in range(2):
            code = await seat.once(verb, bet, amount=STAKE, **rest)
            if code not in (None, 99):
                break
        if code == 1 and kind == "win or loss":
            await seat.insist("pay-out", bet, win=win)
        elif code in (None, 99) or kind in ("refund", "take-back"):
            await seat.insist("refund", bet)

    # --- the faults ---------------------------------------------------------------------------------------------

    async def strike(self) -> None:
        """Cause one fault after the other."""
        weights = [weight for weight, _, _ in self._strikes]
        while self.rages:
            await asyncio.sleep(self.chance.uniform(0.3, 1.5))
            ((_, name, act),) = self.chance.choices(self._strikes, weights)
            if name != "cable":
                self.storm.struck[name] += 1
            with contextlib.suppress(ProcessLookupError, DbError):
                await act()

    async def heal(self) -> None:
        """End all faults, and start everything that does not run."""
        for task in list(self._ends):
            await task
        for cable in self.ground.cables.values():
            cable.heal()
        if self.ground.hub.poll() is not None:
            await self._start_hub()
        await self.ground.whole()

    def _later(self, seconds: float, undo: Callable[[], Awaitable[None]]) -> None:
        """End a fault after a while."""

        async def end() -> None:
            await asyncio.sleep(seconds)
            with contextlib.suppress(ProcessLookupError):
                await undo()

        task = asyncio.ensure_future(end())
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)

    async def _worker(self) -> int:
        pids = await self.ground.worker_pids()
        if not pids:
            raise ProcessLookupError
        return self.chance.choice(pids)

    async def _kill_worker(self) -> None:
        os.kill(await self._worker(), signal.SIGKILL)

    async def _stop_worker(self) -> None:
        pid = await self._worker()
        os.kill(pid, signal.SIGSTOP)
        self._later(self.chance.uniform(0.5, 12.0), lambda: _continue([pid]))

    async def _kill_hub(self) -> None:
        os.killpg(self.ground.hub.pid, signal.SIGKILL)
        self._later(self.chance.uniform(0.0, 1.0), self._start_hub)

    async def _kill_supervisor(self) -> None:
        os.kill(self.ground.hub.pid, signal.SIGKILL)
        self._later(self.chance.uniform(0.0, 1.0), self._start_hub)

    async def _start_hub(self) -> None:
        async with self._starting:
            if await asyncio.to_thread(_ended, self.ground.hub):
                # Stopped workers could not see their supervisor end, and they hold the port.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.ground.hub.pid, signal.SIGCONT)
                await self.ground.start_again()

    async def _kill_database(self) -> None:
        pid = self.ground.postmaster()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    async def _kill_backend(self) -> None:
        backends = self.ground.backends()
        if backends:
            os.kill(self.chance.choice(backends), signal.SIGKILL)

    async def _end_backend(self) -> None:
        """End a database connection as an administrator does."""
        await self.ground.desk.store.db.fetch(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'croupier'"
            " and pid <> pg_backend_pid() order by pid limit 1 offset $1",
            self.chance.randrange(6),
        )

    async def _stop_database(self) -> None:
        pids = [pid for pid in (self.ground.postmaster(), *self.ground.backends()) if pid is not None]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        self._later(self.chance.uniform(0.2, 2.0), lambda: _continue(pids))

    async def _bad_cable(self) -> None:
        cable = self.ground.cables[self.chance.choice(sorted(self.ground.cables))]
        fault = self.chance.choice(FAULTS)
        cable.turn(fault)
        self.storm.struck[f"{cable.name} {fault}"] += 1

        async def heal() -> None:
            cable.heal()

        self._later(self.chance.uniform(0.2, 3.0), heal)


async def _continue(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            if alive(pid):
                os.kill(pid, signal.SIGCONT)


def _ended(process: object) -> bool:
    """Return whether a killed process is gone, after a moment."""
    patience = time.monotonic() + 5
    while process.poll() is None and time.monotonic() < patience:  # type: ignore[attr-defined]
        time.sleep(0.02)
    return process.poll() is not None  # type: ignore[attr-defined]
