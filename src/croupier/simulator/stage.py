"""The environment of a run: hub processes and their peers in one process, on a virtual clock and an in-process network.

Owns: building a hub over simulated seams, its background loops, its sudden death and restart. Never: the events of a
run. The database is real; time, randomness and network are simulated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from croupier.apps.hub_app import hub_app
from croupier.apps.wiring import Seams, build, process_settings_of
from croupier.apps.worker import wind_up
from croupier.flows.hub import Hub, ProcessSettings
from croupier.kit.chance import SeededChance
from croupier.kit.config import Settings
from croupier.kit.seal import Sealer
from croupier.kit.wire import Wire
from croupier.simulator.in_process_http import InProcessWire
from croupier.simulator.virtual_time import VirtualClock, VirtualLoop
from croupier.store.db import Db, DbError
from croupier.store.money.ids import start_ids

HUB_ORIGIN = "http://hub.test"
START_MS = 1_760_000_000_000
SEAL_KEY = b"simulator-key-simulator-key-0123"
ANSWERS_S = 8.0
FINISH_S = 2.0
"""The time that a stopping worker gives to its requests and to its calls (apps/worker)."""
POLLER_S = 3600.0
POLL_S = 1.0
"""A lone hub schedules its own polls; this interval is for the commits and calls of other processes."""


@dataclass(slots=True)
class Running:
    """One simulated hub process."""

    name: str
    hub: Hub
    app: Any
    loops: list[asyncio.Task[None]] = field(default_factory=list)
    requests: set[asyncio.Task[Any]] = field(default_factory=set)
    """Requests of peers without an answer."""
    alive: bool = True
    answered: Callable[[str, float], None] | None = None
    """Called for each answer: the path, and the virtual seconds that it took inside."""
    said: Callable[[str, bytes, bytes], None] | None = None
    """Called for each answer: path, request, answer, whether or not the answer ever arrives."""
    slept_s: float = -1.0
    """The time at which it was last seen asleep."""

    def owns(self, task: Any) -> bool:  # noqa: ANN401 - a task
        """Return whether the task is part of this process."""
        dispatcher = self.hub.state.dispatcher
        assert dispatcher is not None
        return (
            task in self.requests
            or task in dispatcher.tasks
            or task in self.loops
            or task in self.hub.group_commit.tasks
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Answer a request, as long as the process lives."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        self.requests.add(task)
        asked_s = loop.time()
        try:
            await self.app(scope, *self._overheard(scope["path"], receive, send))
        finally:
            self.requests.discard(task)
        if self.answered is not None and self.slept_s < asked_s:
            self.answered(scope["path"], loop.time() - asked_s)

    def _overheard(self, path: str, receive: Any, send: Any) -> tuple[Any, Any]:  # noqa: ANN401 - ASGI
        """Return `receive` and `send` of a call, wrapped so that `said` is called."""
        said = self.said
        if said is None or "/bets/" not in path:
            return receive, send
        asked: list[bytes] = []

        async def hear() -> Any:  # noqa: ANN401 - ASGI
            message = await receive()
            asked.append(message.get("body", b""))
            return message

        async def say(message: Any) -> None:  # noqa: ANN401 - ASGI
            if message["type"] == "http.response.body":
                said(path, b"".join(asked), message.get("body", b""))
            await send(message)

        return hear, say


class Stage:
    """Time, network and database of one run, with the hub processes on them."""

    def __init__(self, loop: VirtualLoop, db: Db, seed: int | str) -> None:
        self.loop = loop
        self.db = db
        self.clock = VirtualClock(loop, START_MS)
        self.chance = SeededChance(seed)
        self.network = InProcessWire(self.clock)
        self.sealer = Sealer(SEAL_KEY)
        self.hubs: list[Running] = []
        self.badly_stopped: list[str] = []
        """Processes that stopped in order, and what was wrong with it."""
        self._born = 0
        self._dead: list[str] = []
        self._set = False
        self._thinking = 0
        loop.busy = lambda: db.outstanding > 0 or self._thinking > 0 or not self._set

    async def prepare(self) -> None:
        """Set the ids to their start; once per database."""
        await start_ids(self.db, self.clock)

    @contextmanager
    def real_work(self) -> Iterator[None]:
        """Stop virtual time during work in a thread that takes real time, such as creating a key."""
        self._thinking += 1
        try:
            yield
        finally:
            self._thinking -= 1

    def begin(self) -> None:
        """Start virtual time. Until then it stands still, however long the creation of keys takes."""
        self._set = True

    async def start_hub(
        self,
        settings: Settings,
        wire: Wire | None = None,
        *,
        db: Any = None,  # noqa: ANN401 - a Db, or something that stands before one
        clock: VirtualClock | None = None,
        **process_settings: Any,  # noqa: ANN401 - fields of ProcessSettings
    ) -> Running:
        """Start a hub process that serves HUB_ORIGIN in turn with the others."""
        self._born += 1
        name = f"hub-{self._born}"
        own = self.own_process_settings(settings, name, **process_settings)
        seams = Seams(clock or self.clock, self.chance, wire or self.network, self.sealer, db or self.db)
        hub = build(settings, seams, name, process_settings=own)
        await hub.store.keys.load()
        # A starting hub first takes over the calls of ended processes on its own host.
        dead = tuple(self._dead)
        await hub.store.calls.free(dead, self.clock.now_ms())
        # Not those that have died meanwhile, with a slow database.
        self._dead = [name for name in self._dead if name not in dead]
        running = Running(name, hub, hub_app(hub, settings))
        assert hub.state.poller is not None
        running.loops = [self._loop(hub.state.poller.run()), self._loop(hub.waiters.poll())]
        self.hubs.append(running)
        self.network.mount(HUB_ORIGIN, self._balance)
        return running

    async def _balance(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Let one of the hub's processes answer, as the kernel chooses one."""
        if not self.hubs:
            raise ConnectionRefusedError
        chosen = self.hubs[int(self.chance.fraction() * len(self.hubs)) % len(self.hubs)]
        await chosen(scope, receive, send)

    @staticmethod
    def own_process_settings(settings: Settings, name: str, **process_settings: Any) -> ProcessSettings:  # noqa: ANN401 - fields of ProcessSettings
        """Return the process settings of a simulated hub."""
        return replace(
            process_settings_of(settings, name), **{"poller_s": POLLER_S, "poll_s": POLL_S, **process_settings}
        )

    def _loop(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self.loop.create_task(work)

    async def kill(self, running: Running) -> None:
        """Simulate SIGKILL: all tasks of the process stop where they await, and nobody is notified."""
        running.alive = False
        assert running.hub.state.dispatcher is not None
        running.hub.group_commit.die()
        running.hub.state.dispatcher.die()
        doing = [
            *running.loops,
            *running.hub.state.dispatcher.tasks,
            *running.requests,
            *running.hub.state.balance_queries.values(),
        ]
        for task in sorted(doing, key=_age):
            task.cancel()
        self.hubs.remove(running)
        self._dead.append(running.name)

    async def stop(self, running: Running) -> None:
        """Simulate SIGTERM: no new request arrives, waiting ones are answered, calls in flight get time to finish."""
        running.hub.state.closing = True
        running.hub.waiters.wake_all()
        self.hubs.remove(running)
        ends_s = self.loop.time() + ANSWERS_S
        while running.requests and self.loop.time() < ends_s:
            await self.clock.sleep(0.05)
        given_back = False
        with suppress(DbError):
            before = await self._held(running)
            await wind_up(running.hub, running.loops, within_s=FINISH_S)
            given_back = True
            now_ms, after = self.clock.now_ms(), await self._held(running)
            if any(until_ms > now_ms for _, until_ms in after.values()):
                self.badly_stopped.append(f"{running.name} left calls leased")
            if any(crashes > before[call][0] for call, (crashes, _) in after.items() if call in before):
                self.badly_stopped.append(f"{running.name} counted a crash")
        self.hubs.append(running)
        await self.kill(running)
        if given_back:
            self._dead.remove(running.name)  # it ended in order: what it held counts no crash

    async def _held(self, running: Running) -> dict[tuple[int, str], tuple[int, int]]:
        """Return the calls under this process's name, with their number of crashes and the end of the lease."""
        sql = "select subject_id, slot, crashes, lease_until_ms from calls where lease_owner = $1"
        rows = await self.db.fetch(sql, running.name)
        return {(row["subject_id"], row["slot"]): (row["crashes"], row["lease_until_ms"]) for row in rows}

    async def close(self) -> None:
        """Stop everything."""
        for running in list(self.hubs):
            await self.kill(running)
        await self.network.close()
        # Disconnecting from the database takes real time.
        self._set = False


def _age(task: asyncio.Task[Any]) -> int:
    """Return tasks in order of creation: sets have no order that a seed could repeat."""
    return int(task.get_name().rpartition("-")[2])


def origin_of(name: str) -> str:
    """Return the address of a simulated casino or provider."""
    return f"http://{name}.test"


def settings_for(**changes: Any) -> Settings:  # noqa: ANN401 - fields of Settings
    """Return the settings of a simulated hub."""
    return replace(Settings(home=Path("simulated"), allow_private_peers=True), **changes)
