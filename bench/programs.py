"""The two programs that are measured beside the hub: the usual stack, and the pass-through without a database.

Owns: starting and ending them, their players, what they have used, what their books say. Never: load.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from croupier.apps.world import stop
from croupier.benchmark.hub import USED, access_token
from croupier.benchmark.processes import tree_cpu_s
from croupier.benchmark.target import Reading, Site, Verdict
from croupier.kit.keys import new_key, to_pem
from croupier.store.embedded.directory import find_place
from croupier.store.embedded.server import Attached, attach
from croupier.store.embedded.watcher import postmaster

ROOT = Path(__file__).parents[1]
START_S = 30.0
CASINO_ID = 1


class Program:
    """A program of this folder that serves on a port of its own. `name`: as tables show it."""

    def __init__(self, name: str, players: int) -> None:
        self.name = name
        self._players = players
        self._processes: list[subprocess.Popen[bytes]] = []
        self.port = free_port()
        self.counterparty = "3f0c8d52-6f0e-4a53-9b1c-0f6f3a2f7c11"
        self.key = secrets.token_hex(32)
        self.secret = secrets.token_hex(32)

    async def introduce(self, casino_url: str) -> Site:
        raise NotImplementedError

    async def read(self) -> Reading:
        return Reading(sum(tree_cpu_s(process.pid) for process in self._processes), 0.0, 0, 0)

    async def undecided(self) -> int:
        return 0

    async def verdict(self) -> Verdict:
        return Verdict(holds=True)

    async def start(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        """Start it and wait until it takes connections."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("CROUPIER_")}
        process = subprocess.Popen(  # noqa: ASYNC220 - starting is quick
            command, env={**inherited, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", **environ}, start_new_session=True
        )
        self._processes.append(process)
        async with asyncio.timeout(START_S):
            while not answers(self.port):
                if process.poll() is not None:
                    raise RuntimeError(f"the {self.name} ended at once; its output says why")
                await asyncio.sleep(0.1)

    async def end(self) -> None:
        """End its process."""
        await stop(self._processes)


class PassThrough(Program):
    """The pass-through: it has no books, so that only the two sides' books are compared."""

    async def introduce(self, casino_url: str) -> Site:
        environ = {"PASS_CASINO_URL": casino_url, "PASS_PROVIDER_KEY": self.key, "PASS_TOKEN": self.secret}
        await self.start([sys.executable, "-m", "bench.pass_through.app", str(self.port)], environ)
        sessions = tuple(f"s{n}" for n in range(self._players))
        return Site(self.port, self.counterparty, self.key, self.secret, sessions, self._processes[0].pid)


class UsualStack(Program):
    """The usual stack, with a database of its own on an embedded PostgreSQL like the hub's."""

    def __init__(self, players: int, *, python: Path, home: Path, attached: Attached, db: asyncpg.Connection) -> None:
        super().__init__("usual stack", players)
        self._python = str(python)
        self._home = home
        self._attached = attached
        self._db = db
        place = find_place(home)
        assert place is not None
        server = postmaster(place / "data")
        assert server is not None
        self._server = server

    async def introduce(self, casino_url: str) -> Site:
        key_file = self._home / "usual.pem"
        key_file.touch(0o600)
        key_file.write_bytes(to_pem(new_key("RS256", "1")))
        environ = {
            "USUAL_DATABASE_URL": self._attached.dsn.replace("postgresql:", "postgresql+asyncpg:", 1),
            "USUAL_CASINO_URL": casino_url,
            "USUAL_CASINO_ID": str(CASINO_ID),
            "USUAL_CASINO_SECRET": self.secret,
            "USUAL_COUNTERPARTY": self.counterparty,
            "USUAL_PROVIDER_SECRET": self.key,
            "USUAL_KEY_FILE": str(key_file),
        }
        sessions = await asyncio.to_thread(self._seed, environ)
        command = [self._python, "-m", "uvicorn", "bench.usual_stack.main:app", "--port", str(self.port)]
        await self.start([*command, "--log-level", "error", "--no-access-log"], environ)
        token = await asyncio.to_thread(access_token, self.port, CASINO_ID, self.secret)
        return Site(self.port, self.counterparty, self.key, token, sessions, self._processes[0].pid)

    def _seed(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        command = [self._python, "-m", "bench.usual_stack.seed", str(self._players)]
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ}
        return tuple(subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=True).stdout.split())

    async def read(self) -> Reading:
        row = await self._db.fetchrow(USED)
        own = await super().read()
        return Reading(own.hub_s, tree_cpu_s(self._server), int(row["transactions"]), int(row["wal_bytes"]))

    async def undecided(self) -> int:
        return int(await self._db.fetchval("select count(*) from outgoing_calls"))

    async def verdict(self) -> Verdict:
        """Sum up the ledger: what the wallets gave is the stakes of the bets that are on."""
        moved = int(await self._db.fetchval("select coalesce(sum(amount) * 100, 0)::bigint from ledger"))
        on = int(await self._db.fetchval("select coalesce(sum(amount) * 100, 0)::bigint from bets where state = 'on'"))
        broken = () if moved == on else (f"the ledger says {moved}, the bets that are on {on}",)
        return Verdict(not broken, broken, -moved, await self.undecided())


@asynccontextmanager
async def pass_through(players: int) -> AsyncIterator[Program]:
    """Run a pass-through."""
    program = PassThrough("pass-through", players)
    try:
        yield program
    finally:
        await program.end()


@asynccontextmanager
async def usual_stack(home: Path, python: Path, players: int) -> AsyncIterator[Program]:
    """Run the usual stack with the Python of its own environment."""
    with attach(home) as attached:
        db = await asyncpg.connect(**attached.connect_kwargs)
        try:
            program = UsualStack(players, python=python, home=home, attached=attached, db=db)
            try:
                yield program
            finally:
                await program.end()
        finally:
            await db.close()


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def answers(port: int) -> bool:
    """Return whether somebody listens on this port."""
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0
