"""Real PostgreSQL servers on loopback for tests: a primary alone, or with a synchronous standby."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from croupier.store.embedded.account import Owner, owner_of
from croupier.store.embedded.watcher import as_user

BINARIES = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "pg_basebackup").exists()]


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


class Pair:
    """A primary and its synchronous standby."""

    def __init__(self, binaries: Path, folder: Path, owner: Owner) -> None:
        self._binaries = binaries
        self._folder = folder
        self._owner = owner
        self.ports = (free_port(), free_port())
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        """What the hub is given: both servers."""
        first, second = self.ports
        return f"postgresql://croupier@127.0.0.1:{first},127.0.0.1:{second}/croupier"

    def begin(self, *, standby: bool) -> None:
        """Start the primary and, if it is wanted, a standby without which no commit is answered."""
        self._run("initdb", "-D", self._data(0), "-U", "croupier", "--auth=trust", "-E", "UTF8", "--locale=C")
        with (self._folder / "0" / "postgresql.conf").open("a") as conf:
            conf.write("listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nwal_level = replica\n")
        self._start(0)
        self._sql(0, "create database croupier", database="postgres")
        if not standby:
            return
        said = f"host=127.0.0.1 port={self.ports[0]} user=croupier application_name=standby"
        self._run("pg_basebackup", "-d", said, "-D", self._data(1), "-R", "-X", "stream", "--checkpoint=fast")
        self._start(1)
        self._sql(0, "alter system set synchronous_standby_names = 'standby'")
        self._sql(0, "select pg_reload_conf()")
        for _ in range(100):
            if self._sql(0, "select sync_state from pg_stat_replication") == "sync":
                return
            subprocess.run(["sleep", "0.1"], check=True)
        raise AssertionError("the standby does not follow synchronously")

    def kill_primary(self) -> None:
        """Kill the whole server at once, as a machine that loses its power."""
        process = self._running.pop(0)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for pid in (process.pid, *map(int, children)):
            os.kill(pid, signal.SIGKILL)
        process.wait()

    def promote(self) -> None:
        assert self._sql(1, "select pg_promote()") is True

    def end(self) -> None:
        for process in self._running.values():
            process.send_signal(signal.SIGQUIT)
            process.wait(20)

    def _start(self, number: int) -> None:
        command = [self._binaries / "postgres", "-D", self._data(number), "-p", str(self.ports[number])]
        with (self._folder / f"{number}.log").open("ab") as log:
            self._running[number] = subprocess.Popen(
                command, stdout=log, stderr=log, cwd="/", **as_user(self._owner.uid, self._owner.gid)
            )
        for _ in range(200):
            try:
                self._sql(number, "select 1", database="postgres")
            except (OSError, asyncpg.PostgresError):
                subprocess.run(["sleep", "0.1"], check=True)
            else:
                return
        raise AssertionError((self._folder / f"{number}.log").read_text())

    def _sql(self, number: int, text: str, *, database: str = "croupier") -> Any:
        async def run() -> Any:
            connection = await asyncpg.connect(
                host="127.0.0.1", port=self.ports[number], user="croupier", database=database
            )
            try:
                return await connection.fetchval(text)
            finally:
                await connection.close()

        return asyncio.run(run())

    def _data(self, number: int) -> str:
        return str(self._folder / str(number))

    def _run(self, program: str, *words: str) -> None:
        command = [str(self._binaries / program), *words]
        done = subprocess.run(command, capture_output=True, cwd="/", check=False, text=True,
                              **as_user(self._owner.uid, self._owner.gid))  # fmt: skip
        assert done.returncode == 0, done.stderr


@contextmanager
def servers(*, standby: bool) -> Iterator[Pair]:
    """Run them. Skips the test where PostgreSQL's programs are not."""
    if not BINARIES:
        pytest.skip("pg_basebackup is not here (Debian: postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="croupier-pair-", dir="/var/tmp"))
    owner = owner_of(None, folder) if os.geteuid() == 0 else Owner()
    owner.adopt(folder)
    made = Pair(BINARIES[-1], folder, owner)
    try:
        made.begin(standby=standby)
        yield made
    finally:
        made.end()
        shutil.rmtree(folder, ignore_errors=True)
