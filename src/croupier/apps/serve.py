"""`croupier serve`: the port, the workers, and nothing else.

Owns: the listening socket that the workers share, their restarts, the signals. The embedded database is kept
by a shared lock on the home as long as this process lives. Workers are in this process's group, PostgreSQL in
its own, so that Ctrl-C reaches the database only through the hub. Spec: operate.md, last paragraph.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack

from croupier.apps.wiring import open_hub
from croupier.kit.config import Settings
from croupier.kit.log import get
from croupier.store.embedded import attach

log = get("serve")

BACKLOG = 2048
END_S = 10.0
RESTART_S = 0.5


def listen(host: str, port: int) -> socket.socket:
    """The hub's listening socket; raises OSError with what to do."""
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
    sock.set_inheritable(True)
    return sock


def address(sock: socket.socket) -> str:
    """Where the hub answers."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Workers:
    """The serving processes of one hub."""

    def __init__(self, settings: Settings, sock: socket.socket, environ: dict[str, str]) -> None:
        self._settings = settings
        self._sock = sock
        self._environ = environ
        self._running: list[subprocess.Popen[bytes]] = []
        self._stopping = False
        # Nobody ever writes to it. The kernel closes our end at any death of ours, and the workers notice.
        self._life, self._alive = os.pipe()

    def start(self) -> None:
        """Start all of them."""
        self._running = [self._spawn() for _ in range(self._settings.workers)]

    def _spawn(self) -> subprocess.Popen[bytes]:
        fds = (self._sock.fileno(), self._life)
        command = [sys.executable, "-m", "croupier.apps.worker", "--fd", str(fds[0]), "--life", str(fds[1])]
        return subprocess.Popen(command, pass_fds=fds, env=self._environ)  # noqa: S603 - our own program

    async def watch(self) -> None:
        """Restart a worker that ends; return when all have ended after `stop`."""
        while not self._stopping:
            await asyncio.sleep(RESTART_S)  # noqa: TID251 - the supervisor waits in real time
            for place, worker in enumerate(self._running):
                if worker.poll() is not None and not self._stopping:
                    log.error("serve.worker_ended", pid=worker.pid, code=worker.returncode)
                    self._running[place] = self._spawn()
        await asyncio.to_thread(self._reap)

    def stop(self) -> None:
        """Ask all to finish what is in flight and end."""
        self._stopping = True
        for worker in self._running:
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)

    def _reap(self) -> None:
        for worker in self._running:
            try:
                worker.wait(END_S)
            except subprocess.TimeoutExpired:
                log.error("serve.worker_killed", pid=worker.pid)
                worker.kill()
                worker.wait()


async def _serve(settings: Settings, sock: socket.socket) -> None:
    async with open_hub(settings) as hub:
        # Keys are made once, before several workers ask for them.
        await hub.store.keys.load()
    sys.stderr.write(f"croupier listens on {address(sock)}\n")
    workers = Workers(settings, sock, environment(settings))
    workers.start()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, workers.stop)
    await workers.watch()


def environment(settings: Settings) -> dict[str, str]:
    """What the workers are told: our own environment, and the settings that options may have changed."""
    told = {"CROUPIER_HOME": str(settings.home.absolute()), "CROUPIER_WORKERS": str(settings.workers)}
    return {**os.environ, **told}


def serve(settings: Settings, sock: socket.socket | None = None) -> int:
    """Run the hub in the foreground until SIGTERM or Ctrl-C; returns the exit code."""
    with ExitStack() as stack:
        sock = stack.enter_context(sock or listen(settings.host, settings.port))
        if settings.database_url is None:
            stack.enter_context(attach(settings.home))
        asyncio.run(_serve(settings, sock))
    return 0
