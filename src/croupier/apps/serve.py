"""`croupier serve`: the supervisor. It owns the port and the workers, and nothing else.

Owns: the listening socket that the workers share, their restarts, the signals. A shared lock on the home keeps the embedded
database running as long as this process lives. Workers are in this process's group, PostgreSQL in its own, so that Ctrl-C
reaches the database only through the hub. Spec: operate.md 8.

A worker is a fork of this process, which has loaded the whole program: loading takes seconds, a fork almost nothing. So
the supervisor has one thread and, once the database is prepared, no event loop (decision 0022).
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace

from croupier.apps.http_guard import raise_descriptors
from croupier.apps.schema import Aim
from croupier.apps.wiring import open_hub
from croupier.kit.config import Settings
from croupier.kit.log import get
from croupier.kit.metrics import share
from croupier.kit.metrics_folder import shared_metrics
from croupier.kit.tracing import share_contexts
from croupier.store.db import DbDown, DbUnfit
from croupier.store.embedded.server import Attached, attach
from croupier.store.fitness import lacking
from croupier.store.pool import READ_ONLY

log = get("serve")

BACKLOG = 2048
END_S = 10.0
RESTART_S = 0.5
REAP_S = 0.02
DATABASE_S = 5.0
GARBAGE = (10_000, 20, 20)
"""Thresholds of a worker's garbage collection. Almost all that a bet makes is free without it; the usual 700 looked ten times a bet."""
ENDINGS = (signal.SIGTERM, signal.SIGINT)


def listen(host: str, port: int) -> socket.socket:
    """Return the hub's listening socket; raises OSError with the remedy."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        msg = f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port"
        raise OSError(msg) from error
    sock.listen(BACKLOG)
    return sock


def address(sock: socket.socket) -> str:
    """Return the hub's URL."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Workers:
    """The workers of one hub: forks of this process.

    `work`: the main function of a worker; it gets its end of the pipe `life` and its number, and returns the exit code.
    `held`: the embedded database that the supervisor keeps running for all of them.
    """

    def __init__(self, count: int, work: Callable[[int, int], int], held: Attached | None) -> None:
        self._count = count
        self._work = work
        self._held = held
        self._running: list[int] = []
        self._stopping = False
        # Nothing is ever written to this pipe. The kernel closes our end at any death of ours, which ends the workers.
        self._life, self._alive = os.pipe()

    def start(self) -> None:
        """Start all workers."""
        assert threading.active_count() == 1, "a fork takes no other thread along, and would keep its locks"
        # Loaded objects are excluded from garbage collection, so that their memory stays shared between all processes.
        gc.collect()
        gc.freeze()
        for number in ENDINGS:
            signal.signal(number, self.stop)
        self._running = [self._fork(place) for place in range(self._count)]

    def _fork(self, place: int) -> int:
        """Fork a worker and return its pid. Signals are blocked meanwhile, because they would find it half initialized."""
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
        pid = os.fork()
        if not pid:
            self._become_worker(place)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
        return pid

    def _become_worker(self, place: int) -> None:
        """Run as the worker. It ends in here, and never returns to the supervisor's frames."""
        code = 1
        try:
            for number in ENDINGS:
                signal.signal(number, signal.SIG_DFL)
            os.close(self._alive)
            gc.set_threshold(*GARBAGE)
            if self._held is not None:
                self._held.release()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
            code = self._work(self._life, place)
        except BaseException:  # a bug: the supervisor logs the exit code and starts another
            log.exception("serve.worker_bug")
        finally:
            sys.stderr.flush()
            os._exit(code)

    def watch(self) -> None:
        """Restart workers that end; return when all have ended after `stop`."""
        while not self._stopping:
            time.sleep(RESTART_S)  # noqa: TID251 - the supervisor waits in real time
            for place, pid in enumerate(self._running):
                code = _exit_code(pid)
                if code is not None and not self._stopping:
                    log.error("serve.worker_ended", pid=pid, code=code)
                    self._running[place] = self._fork(place)
        self._reap()

    def stop(self, *_: object) -> None:
        """Tell all workers to finish what is in flight and end. It also serves as the signal handler."""
        self._stopping = True
        for pid in self._running:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def _reap(self) -> None:
        """Wait for all workers, including those forked while the signal came, and kill those that exceed the timeout."""
        self.stop()
        patience_s = time.monotonic() + END_S  # noqa: TID251 - real processes end in real time
        waiting = set(self._running)
        while waiting:
            waiting = {pid for pid in waiting if _exit_code(pid) is None}
            if time.monotonic() > patience_s:  # noqa: TID251 - real processes end in real time
                for pid in waiting:
                    log.error("serve.worker_killed", pid=pid)
                    os.kill(pid, signal.SIGKILL)
            time.sleep(REAP_S if waiting else 0)  # noqa: TID251 - the supervisor waits in real time


def _exit_code(pid: int) -> int | None:
    """Return the exit code of a child, None while it runs, or a negative signal number. A collected child ended with 0."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status) if ended else None


async def _prepare(settings: Settings) -> None:
    """Bring the database up to date, and create the keys once before several workers need them.

    An unavailable database may be recovering, or starting with this machine: it is retried until a timeout.
    """
    patience_s = time.monotonic() + DATABASE_S  # noqa: TID251 - a real database starts in real time
    while True:
        try:
            async with open_hub(settings, aim=Aim.SERVE) as hub:
                lack = await lacking(hub.store.db)
                if lack is not None:
                    raise DbUnfit(lack)
                return await hub.store.keys.load()
        except DbDown as error:
            # A problem that needs a person does not go away by waiting. A standby, however, may be about to take over.
            if isinstance(error, DbUnfit) and READ_ONLY not in str(error):
                raise
            if time.monotonic() > patience_s:  # noqa: TID251 - see above
                raise
        await asyncio.sleep(RESTART_S)  # noqa: TID251 - see above


def serve(settings: Settings, sock: socket.socket | None = None) -> int:
    """Run the hub in the foreground until SIGTERM or Ctrl-C; return the exit code."""
    # Only a hub that serves needs these, and before it forks.
    from croupier.apps.feed_process import serve_feed  # noqa: PLC0415
    from croupier.apps.handover import pair  # noqa: PLC0415
    from croupier.apps.worker import work  # noqa: PLC0415

    raise_descriptors()
    settings = replace(settings, home=settings.home.absolute())
    with ExitStack() as stack:
        sock = stack.enter_context(sock or listen(settings.host, settings.port))
        held = None if settings.database_url else stack.enter_context(attach(settings.home))
        if settings.otel_endpoint is not None:
            from croupier.kit.otlp import check_installed  # noqa: PLC0415 - a hub without traces loads none of it

            check_installed()
            share_contexts()
        asyncio.run(_prepare(settings))
        if settings.log_json:
            log.info("serve.listens", address=address(sock))
        else:
            sys.stderr.write(f"croupier listens on {address(sock)}\n")
        metrics = stack.enter_context(shared_metrics())

        give, take = pair() if settings.feed_process else (None, None)

        def one_of_many(life: int, place: int) -> int:
            share(metrics, place)
            if take is not None and place == settings.workers:
                sock.close()
                return serve_feed(settings, take, life)
            return work(settings, sock, life, feed=give)

        workers = Workers(settings.workers + (take is not None), one_of_many, held)
        workers.start()
        workers.watch()
    return 0
