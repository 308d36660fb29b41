"""One worker: the app on a socket, the background loops, and an orderly end.

Owns: the start (registration, leases of dead processes), the loops, and a shutdown within ten seconds. It is a fork of
`serve`, which passes the settings, the socket and the pipe. Spec: operate.md 8.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final

import uvicorn

from croupier.apps.auditor import audit_for_ever
from croupier.apps.feed import Loop, begin_feed, make_connections
from croupier.apps.handover import handing_over
from croupier.apps.http_guard import HttpGuard
from croupier.apps.hub_app import hub_app, note_process
from croupier.apps.schema import Aim
from croupier.apps.socket_guard import SocketGuard
from croupier.apps.wiring import open_hub
from croupier.core.recovery import Mark
from croupier.feed.connections import Connections
from croupier.feed.retention import forget_for_ever
from croupier.feed.signalr.messages import MAX_MESSAGE
from croupier.flows import recovery
from croupier.flows.forget_demo import forget_demo_for_ever
from croupier.flows.hub import Hub
from croupier.flows.jackpots import keep_jackpots
from croupier.flows.keep_trail import keep_trail
from croupier.flows.notify import notify_for_ever
from croupier.flows.reconciler import Reconciler
from croupier.flows.sync_games import sync_for_ever
from croupier.kit.chance import SystemChance
from croupier.kit.config import Settings
from croupier.kit.log import get
from croupier.store.db import DbError, patience
from croupier.store.fitness import trial
from croupier.store.installation import Lifeline
from croupier.store.parties.session_memory import FOLLOW_S
from croupier.store.processes import Processes, start_mark, this_host

log = get("worker")

END_S = 8.0
FINISH_S = 4.0
"""The time after the signal for casinos' answers and requests in flight. A stake whose answer is cut off would be returned
for nothing. With what follows it stays well below `END_S`: a worker that is killed there gives nothing back, and that
would count as a crash of all calls that it held.
"""
WRITE_S = 1.0
"""The wait for a statement that may lease calls to this worker, before they are given back."""
BEAT_S = 2.0
SILENT_S = 8.0
"""Four missed beats. Calls of such a process are taken over within ten seconds, long before their leases expire."""
REFRESH_S = 0.5
SYNC_S = 3600.0
PURGE_S = 30.0
SEEN_KEPT_MS = 660_000
MESSAGES_KEPT_MS = 30 * 86_400_000
"""Messages about incidents that were delivered or given up."""
"""Longer than any request can be fresh: a provider's row allows at most 300 s to either side."""
AGAIN_S = 1.0
TRIAL_S = 1.0
FLUSH_S = 0.5
"""A scrape that reaches another worker shows what this one counted until then."""


SOCKETS: Final[dict[str, Any]] = {
    "ws": SocketGuard,
    "ws_max_size": 2 * MAX_MESSAGE,
    "ws_ping_interval": None,
    "ws_per_message_deflate": False,
}
"""uvicorn's settings for WebSockets. One frame may hold several messages; the protocol has pings of its own."""


class _WorkerServer(uvicorn.Server):
    """uvicorn without its signal handlers: the waiting requests must be answered before the sockets close."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the worker."""
        yield


async def run_worker(settings: Settings, sock: socket.socket, life: int, *, feed: socket.socket | None = None) -> None:
    """Serve until SIGTERM, SIGINT or the end of the pipe `life`, then finish what is in flight.

    `feed`: where WebSockets are handed over. Without it this process has clients of the live feed itself.
    """
    process = f"w-{SystemChance().hex(6)}"
    async with open_hub(settings, process=process, aim=Aim.CHANGE) as hub:
        await hub.store.keys.load()
        processes = Processes(hub.store.db, hub.clock)
        await processes.register(process, this_host(), os.getpid(), started=start_mark(os.getpid()) or "")
        await take_over(hub, processes)
        connections = make_connections(hub, settings)
        channel, feed_loops = (None, []) if feed else await begin_feed(hub, settings, connections)
        config = uvicorn.Config(
            hub_app(hub, settings, connections),
            http=HttpGuard,
            **{**SOCKETS, "ws": handing_over(feed) if feed else SocketGuard},
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips=settings.trusted_addresses,
            backlog=2048,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=int(FINISH_S),
        )
        server = _WorkerServer(config)
        kept_up = [*_loops(hub, processes, settings), *feed_loops]
        loops = [asyncio.create_task(restart_forever(hub, loop)) for loop in kept_up]
        stop = Stop(hub.clock.monotonic_s, connections)
        _on_signals(hub, server, life, told=stop)
        log.info("worker.ready", process=process, pid=os.getpid())
        try:
            await server.serve(sockets=[sock])
        finally:
            if channel is not None:
                await channel.close()
            with suppress(DbError):  # then the next worker of this host finds that we are gone
                await wind_up(hub, loops, within_s=stop.left_s())
                await processes.forget([process])
            hub.metrics.flush()


async def take_over(hub: Hub, processes: Processes) -> None:
    """Give back the calls of dead processes of this host at once, and those of silent processes (money.md 4.4).

    A silent process may only be stopped or disconnected. It stays registered until all of its leases have expired. What it
    does after it wakes changes no row, because its calls were taken over under higher fences. Then it registers again.
    """
    gone = await processes.gone_on_this_host()
    silent = [process for process in await processes.silent(SILENT_S) if process not in gone]
    if not gone and not silent:
        return
    freed = await hub.store.calls.free(gone, hub.clock.now_ms(), silent=silent)
    struck = await processes.forget([*gone, *(await processes.silent(hub.waits.lease_s + SILENT_S))])
    # Every worker of this host sees the same dead processes: the first one logs it.
    ended = struck.intersection(gone)
    if ended or freed:
        log.info("worker.took_over", gone=len(ended), silent=len(silent), calls=freed)


def _loops(hub: Hub, processes: Processes, settings: Settings) -> list[Loop]:
    assert hub.state.poller is not None
    process = hub.process_settings.process
    lifeline = Lifeline(settings.home)
    last: Mark | None = None

    async def register() -> None:
        await processes.register(process, this_host(), os.getpid(), started=start_mark(os.getpid()) or "")

    async def beat() -> None:
        nonlocal last
        if not await processes.beat(process):
            await register()
        await take_over(hub, processes)
        note_process(hub)
        last = await recovery.beat(hub, lifeline, last)
        await follow_clock(hub)

    async def refresh() -> None:
        await recovery.refresh(hub)

    async def purge() -> None:
        await hub.store.replay_guard.purge(hub.clock.now_ms() - SEEN_KEPT_MS)
        await hub.store.sessions.memory.purge()
        await hub.store.launch_codes.purge()
        await hub.store.notifications.purge(hub.clock.now_ms() - MESSAGES_KEPT_MS)
        await hub.store.incidents.close_taken()

    patient = partial(_with_long_statements, settings.db_report_s)
    return [
        hub.state.poller.run,
        hub.waiters.poll,
        partial(every, hub, BEAT_S, beat),
        partial(every, hub, REFRESH_S, refresh),
        partial(every, hub, FLUSH_S, partial(flush_metrics, hub)),
        partial(every, hub, FOLLOW_S, hub.store.sessions.memory.follow),
        partial(every, hub, TRIAL_S, partial(retry_database, hub)),
        partial(patient, partial(every, hub, PURGE_S, purge)),
        partial(patient, partial(sync_for_ever, hub, SYNC_S)),
        partial(patient, Reconciler(hub).run),
        partial(patient, partial(keep_trail, hub, settings.bind_every_s, settings.sign_every_s)),
        partial(patient, partial(forget_for_ever, hub, settings.feed_keep_days)),
        partial(patient, partial(forget_demo_for_ever, hub, settings.demo_keep_days)),
        partial(patient, partial(audit_for_ever, hub, settings.audit_every_s)),
        partial(patient, partial(notify_for_ever, hub)),
        partial(patient, partial(keep_jackpots, hub, settings.jackpot_every_s)),
    ]


async def follow_clock(hub: Hub) -> None:
    """Shift this process's clock to the database's, by which all processes go."""
    offset = await hub.store.db.clock_offset_ms(hub.clock)
    if offset is not None:
        hub.clock.shift(offset)


async def flush_metrics(hub: Hub) -> None:
    """Show to all workers what this one counted. The loop of this waits for nothing, and so for no database."""
    hub.metrics.flush()


async def retry_database(hub: Hub) -> None:
    """Try a write while new bets are refused because of the database, and take them again if it succeeds."""
    if hub.database_health.unfit is not None:
        await trial(hub.store.db, hub.process_settings.process)
        hub.database_health.healed()


async def _with_long_statements(seconds: float, loop: Loop) -> None:
    """Run a loop whose statements may take long, because no payment waits for them."""
    with patience(seconds):
        await loop()


async def restart_forever(hub: Hub, loop: Loop) -> None:
    """Run an endless loop, and start it again after a failure (a database error or a bug)."""
    while True:
        try:
            await loop()
        except DbError as error:
            hub.database_health.log_trouble(error)
        except Exception:  # a loop must not end unseen
            log.exception("worker.loop")
        await hub.clock.sleep(AGAIN_S)


async def every(hub: Hub, seconds: float, work: Loop) -> None:
    """Run `work` at intervals; never returns."""
    while True:
        await hub.clock.sleep(seconds)
        await work()


class Stop:
    """The time of the signal, and the rest of the time to finish. The feed's clients are sent away meanwhile."""

    def __init__(self, now_s: Callable[[], float], connections: Connections | None = None) -> None:
        self._now_s = now_s
        self._connections = connections
        self._sending_away: asyncio.Task[None] | None = None
        self._since_s: float | None = None

    def signalled(self) -> None:
        """Note the signal. A second one gives no more time."""
        self._since_s = self._since_s or self._now_s()
        if self._connections is not None and self._sending_away is None:
            self._sending_away = asyncio.get_running_loop().create_task(self._connections.close())

    def left_s(self) -> float:
        """Return the seconds left for calls in flight; requests had the same time."""
        since_s = self._since_s or self._now_s()
        return max(since_s + FINISH_S - self._now_s(), 0.0)


def _on_signals(hub: Hub, server: uvicorn.Server, life: int, *, told: Stop) -> None:
    """On a signal refuse new work, answer the waiting requests, and stop the server."""

    def stop() -> None:
        told.signalled()
        hub.state.closing = True
        hub.waiters.wake_all()
        server.should_exit = True

    on_end(life, stop)


def on_end(life: int, stop: Callable[[], None]) -> None:
    """Call `stop` on each SIGTERM and SIGINT, and when the pipe `life` ends.

    The supervisor holds the other end of `life`. If it is killed it cannot send a signal, and its successor needs the port.
    """

    def end() -> None:
        loop.remove_reader(life)
        stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    loop.add_reader(life, end)


async def wind_up(hub: Hub, loops: list[asyncio.Task[None]], *, within_s: float = FINISH_S) -> None:
    """Finish what is in flight or give it back, so that the next process takes it up at once and no crash is counted.

    Raises DbError if it could not be given back.
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


def work(settings: Settings, sock: socket.socket, life: int, *, feed: socket.socket | None = None) -> int:
    """Run a worker until its end; return the exit code."""
    with asyncio.Runner(loop_factory=event_loop()) as runner:
        try:
            runner.run(run_worker(settings, sock, life, feed=feed))
        except DbError as error:
            log.error("worker.without_database", problem=str(error))
            return 1
    return 0


def event_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return the maker of a serving process's event loop."""
    import uvloop  # noqa: PLC0415 - only a serving process needs it

    return uvloop.new_event_loop
