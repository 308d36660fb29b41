"""The place where many seeds are played one after the other: one event loop and one database.

Owns: resetting both between seeds, so that no seed depends on an earlier one. Never: the content of a run.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

from croupier.kit.chance import SeededChance
from croupier.kit.seal import Sealer
from croupier.simulator.one_cpu import OneCpu
from croupier.simulator.run import RunResult, simulate
from croupier.simulator.scratch_db import empty, scratch
from croupier.simulator.stage import SEAL_KEY, START_MS
from croupier.simulator.synchronous_db import SynchronousDb
from croupier.simulator.virtual_time import VirtualClock, VirtualLoop
from croupier.simulator.world import World
from croupier.store.db import Db
from croupier.store.embedded.server import Attached
from croupier.store.parties.keys import Keys

MUCH = 1000
KEYS_FROM_MS = START_MS - 86_400_000


class Arena:
    """Plays seeds, one at a time."""

    def __init__(self, runner: asyncio.Runner, loop: VirtualLoop, db: SynchronousDb, *, cpu: OneCpu) -> None:
        self._runner = runner
        self._loop = loop
        self._db = db
        self._cpu = cpu
        self._used = False
        self._much = False

    def play(self, world: World) -> RunResult:
        """Play one world and return its outcome with the verdict."""
        # A world keeps its objects until its end, so garbage collection during a run would only cost a fifth of the time.
        gc.disable()
        try:
            with self._cpu.here():
                return self._runner.run(self._play(world))
        finally:
            gc.enable()
            gc.collect(2 if world.payments >= MUCH else 1)

    async def _play(self, world: World) -> RunResult:
        self._loop.renew()
        if self._used:
            await empty(self._db, much=self._much)
        self._used, self._much = True, world.payments >= MUCH
        return await simulate(self._loop, self._db, world)


@contextmanager
def arena(attached: Attached) -> Iterator[Arena]:
    """Open an arena on this server, with a database of its own that is dropped at the end."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        gc.freeze()  # What is loaded by now stays: nobody looks through it again.
        opened = scratch(attached, _make_keys)
        db = runner.run(opened.__aenter__())
        cpu = OneCpu.claimed()
        cpu.keep(db.backends())
        try:
            yield Arena(runner, loop, db, cpu=cpu)
        finally:
            cpu.release()
            loop.renew()
            runner.run(opened.__aexit__(None, None, None))


async def _make_keys(db: Db) -> None:
    """Create the keys that every world starts with. Creating one takes a tenth of a second."""
    clock = VirtualClock(asyncio.get_running_loop(), KEYS_FROM_MS)  # type: ignore[arg-type] # it is ours
    keys = Keys(db, Sealer(SEAL_KEY), clock, chance=SeededChance("keys"))
    await keys.load()
    await keys.ensure("EdDSA")
