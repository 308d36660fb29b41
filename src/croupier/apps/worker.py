"""One serving process: the app on a socket, the loops beside it, and an orderly end.

Owns: start (registration, dead neighbours' leases), the background loops, the end within ten seconds.
A fork of `serve`, which hands over the settings, the socket and the pipe. Spec: operate.md 8.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import uvicorn

from croupier.apps.auditor import audit_for_ever
from croupier.apps.http_guard import HttpGuard
from croupier.apps.hub_app import hub_app, note_process
from croupier.apps.schema import Aim
from croupier.apps.wiring import open_hub
from croupier.core.recovery import Mark
from croupier.flows import recovery
from croupier.flows.hub import Hub
from croupier.flows.keep_trail import keep_trail
from croupier.flows.reconciler import Reconciler
from croupier.flows.sync_games import sync_for_ever
from croupier.kit.chance import SystemChance
from croupier.kit.config import Settings
from croupier.kit.log import get
from croupier.store.db import DbError, patience
from croupier.store.fitness import trial
from croupier.store.installation import Lifeline
from croupier.store.processes import Processes, start_mark, this_host

log = get("worker")

Loop = Callable[[], Awaitable[None]]

END_S = 8.0
FINISH_S = 4.0
"""So long from the signal on, answers of casinos and requests under way are heard out: a stake whose answer is cut off would
go back to the player for nothing. With what follows it stays well below `END_S`: who is killed there gave nothing back, and
that would count as a crash of all it held.
"""
WRITE_S = 1.0
"""How long a statement that may lease calls to us is waited for before they are given back."""
BEAT_S = 2.0
SILENT_S = 8.0
"""Four beats missed: what such a process held is taken over within ten seconds, long before its lease runs out."""
REFRESH_S = 0.5
SYNC_S = 3600.0
PURGE_S = 30.0
SEEN_KEPT_MS = 660_000
"""Longer than any request can be fresh: 300 s to either side is the most a provider's row allows."""
AGAIN_S = 1.0
TRIAL_S = 1.0


class _WorkerServer(uvicorn.Server):
    """uvicorn, with our own signals: the waiters must answer before the sockets close."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the worker's business."""
        yield


async def run_worker(settings: Settings, sock: socket.socket, life: int) -> None:
    """Serve until SIGTERM, SIGINT or the end of the pipe `life`, then finish what is in flight."""
    process = f"w-{SystemChance().hex(6)}"
    async with open_hub(settings, process=process, aim=Aim.CHANGE) as hub:
        await hub.store.keys.load()
        processes = Processes(hub.store.db, hub.clock)
        await processes.register(process, this_host(), os.getpid(), start_mark(os.getpid()) or "")
        await take_over(hub, processes)
        config = uvicorn.Config(
            hub_app(hub, settings),
            http=HttpGuard,
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            backlog=2048,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=int(FINISH_S),
        )
        server = _WorkerServer(config)
        loops = [asyncio.create_task(_restart_forever(hub, loop)) for loop in _loops(hub, processes, settings)]
        stop = Stop(hub.clock.monotonic_s)
        _on_signals(hub, server, life, told=stop)
        log.info("worker.ready", process=process, pid=os.getpid())
        try:
            await server.serve(sockets=[sock])
        finally:
            with suppress(DbError):  # then the next worker of this host finds that we are gone
                await wind_up(hub, loops, within_s=stop.left_s())
                await processes.forget([process])


async def take_over(hub: Hub, processes: Processes) -> None:
    """Give back at once what processes of this host held that are gone, and what silent ones hold (money.md 4.4).

    A silent process may only be stopped, or cut off: it stays on the list until every lease of its has run out, and what it
    does when it wakes changes no row, because whoever took its calls raised their fences. Then it registers again.
    """
    gone = await processes.gone_on_this_host()
    silent = [process for process in await processes.silent(SILENT_S) if process not in gone]
    if not gone and not silent:
        return
    freed = await hub.store.calls.free(gone, hub.clock.now_ms(), silent=silent)
    struck = await processes.forget([*gone, *(await processes.silent(hub.waits.lease_s + SILENT_S))])
    # Every worker of this host sees the same gone ones: who was first tells it.
    ended = struck.intersection(gone)
    if ended or freed:
        log.info("worker.took_over", gone=len(ended), silent=len(silent), calls=freed)


def _loops(hub: Hub, processes: Processes, settings: Settings) -> list[Loop]:
    assert hub.state.poller is not None
    process = hub.process_settings.process
    lifeline = Lifeline(settings.home)
    last: Mark | None = None

    async def register() -> None:
        await processes.register(process, this_host(), os.getpid(), start_mark(os.getpid()) or "")

    async def beat() -> None:
        nonlocal last
        if not await processes.beat(process):
            await register()
        await take_over(hub, processes)
        note_process(hub)
        last = await recovery.beat(hub, lifeline, last)
        offset = await hub.store.db.clock_offset_ms(hub.clock)
        if offset is not None:
            hub.clock.shift(offset)

    async def refresh() -> None:
        await recovery.refresh(hub)

    async def purge() -> None:
        await hub.store.replay_guard.purge(hub.clock.now_ms() - SEEN_KEPT_MS)
        await hub.store.incidents.close_taken()

    patient = partial(_with_long_statements, settings.db_report_s)
    return [
        hub.state.poller.run,
        hub.waiters.poll,
        partial(_every, hub, BEAT_S, beat),
        partial(_every, hub, REFRESH_S, refresh),
        partial(_every, hub, TRIAL_S, partial(retry_database, hub)),
        partial(patient, partial(_every, hub, PURGE_S, purge)),
        partial(patient, partial(sync_for_ever, hub, SYNC_S)),
        partial(patient, Reconciler(hub).run),
        partial(patient, partial(keep_trail, hub, settings.bind_every_s, settings.sign_every_s)),
        partial(patient, partial(audit_for_ever, hub, settings.audit_every_s)),
    ]


async def retry_database(hub: Hub) -> None:
    """While new bets are held off because the database could not do its work: try whether it can again."""
    if hub.database_health.unfit is not None:
        await trial(hub.store.db, hub.process_settings.process)
        hub.database_health.healed()


async def _with_long_statements(seconds: float, loop: Loop) -> None:
    """A loop that stands in nobody's way: its statements may take long."""
    with patience(seconds):
        await loop()


async def _restart_forever(hub: Hub, loop: Loop) -> None:
    """Run a loop that has no end; one that fails (the database is away, a bug) begins anew."""
    while True:
        try:
            await loop()
        except DbError as error:
            hub.database_health.log_trouble(error)
        except Exception:  # a loop must not end unseen
            log.exception("worker.loop")
        await hub.clock.sleep(AGAIN_S)


async def _every(hub: Hub, seconds: float, work: Loop) -> None:
    """Do it for ever."""
    while True:
        await hub.clock.sleep(seconds)
        await work()


class Stop:
    """When the signal came, and what is left of the time to finish."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._since_s: float | None = None

    def signalled(self) -> None:
        """The signal came. A second one gives no more time."""
        self._since_s = self._since_s or self._now_s()

    def left_s(self) -> float:
        """Seconds for calls in flight: they had the time of the requests, too."""
        since_s = self._since_s or self._now_s()
        return max(since_s + FINISH_S - self._now_s(), 0.0)


def _on_signals(hub: Hub, server: uvicorn.Server, life: int, *, told: Stop) -> None:
    """Nothing new is taken on, whoever waits is answered, then the server stops.

    The supervisor holds the other end of `life`: killed, it cannot tell us to stop, and the next one needs the port.
    """

    def stop() -> None:
        loop.remove_reader(life)
        told.signalled()
        hub.state.closing = True
        hub.waiters.wake_all()
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_reader(life, stop)


async def wind_up(hub: Hub, loops: list[asyncio.Task[None]], *, within_s: float = FINISH_S) -> None:
    """Finish what is in flight or give it back: whoever starts next takes it up at once, and counts no crash.

    Raises DbError: then it was not given back.
    """
    assert hub.state.dispatcher is not None
    assert hub.state.poller is not None
    await hub.state.poller.stop(WRITE_S)
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)
    await hub.state.dispatcher.finish(within_s)
    await hub.group_commit.idle(WRITE_S)
    await hub.store.calls.give_back(hub.clock.now_ms())


def work(settings: Settings, sock: socket.socket, life: int) -> int:
    """Be a worker until the end; the exit code."""
    with asyncio.Runner(loop_factory=_loop()) as runner:
        try:
            runner.run(run_worker(settings, sock, life))
        except DbError as error:
            log.error("worker.without_database", problem=str(error))
            return 1
    return 0


def _loop() -> Callable[[], asyncio.AbstractEventLoop]:
    import uvloop  # noqa: PLC0415 - only a serving process needs it

    return uvloop.new_event_loop
