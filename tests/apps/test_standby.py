"""A synchronous standby takes over: the primary is killed under load, and nothing that was answered is lost.

Two real PostgreSQL servers on loopback, a hub of two workers that names both, a sandbox casino and a sandbox studio. What
docs/SCALING.md says of a standby is proved here.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from croupier.apps.wiring import open_hub
from croupier.apps.world import LocalWorld, local_world
from croupier.store.embedded.account import Owner, owner_of
from croupier.store.embedded.watcher import as_user
from croupier.views.audit.auditor import audit
from tests.conftest import make_home, remove_home

BINARIES = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "pg_basebackup").exists()]
PLAYERS = 8
STAKE, RETURN = -1, 2
"""The casino's TransactionTypes."""
OK, RETURNED = 1, 7
"""The provider's codes of a bet that is on, and of one whose stake went back because nobody claimed it in time."""
WAITS = {
    "CROUPIER_CLAIM_S": "3",
    "CROUPIER_INFO_AT_S": "7,8,9",
    "CROUPIER_LATE_INFO_AT_S": "40,50,60",
    "CROUPIER_ACCEPT_WAIT_S": "1.5",
    "CROUPIER_DB_POOL": "4",
}


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

    def begin(self) -> None:
        self._run("initdb", "-D", self._data(0), "-U", "croupier", "--auth=trust", "-E", "UTF8", "--locale=C")
        with (self._folder / "0" / "postgresql.conf").open("a") as conf:
            conf.write("listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nwal_level = replica\n")
        self._start(0)
        self._sql(0, "create database croupier", database="postgres")
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


@pytest.fixture
def pair() -> Iterator[Pair]:
    if not BINARIES:
        pytest.skip("pg_basebackup is not here (Debian: postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="croupier-pair-", dir="/var/tmp"))
    owner = owner_of(None, folder) if os.geteuid() == 0 else Owner()
    owner.adopt(folder)
    made = Pair(BINARIES[-1], folder, owner)
    try:
        made.begin()
        yield made
    finally:
        made.end()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_answered_payment_is_lost_when_the_primary_is_killed_under_load(pair: Pair) -> None:
    home = make_home()
    try:
        asyncio.run(failover(home, pair))
    finally:
        remove_home(home)


async def failover(home: Path, pair: Pair) -> None:
    settings = {**WAITS, "CROUPIER_DATABASE_URL": pair.url}
    async with local_world(home, settings, workers=2, log=home / "hub.log") as world:
        sessions = [(await world.launch(f"player-{n}", "lantern-tumble")).session_id for n in range(PLAYERS)]
        answers: dict[tuple[str, str], int | None] = {}
        stopping = asyncio.Event()

        async def play(number: int) -> None:
            """Bet after bet; one whose outcome is unknown is repeated until it has one, as a provider does."""
            count = 0
            while not stopping.is_set():
                count += 1
                bet = (sessions[number], f"p{number}-{count}")
                while answers.get(bet) not in (OK, RETURNED):
                    _, answers[bet] = await world.call(
                        "pay-in", session=bet[0], bet=bet[1], round=bet[1], amount="1.00"
                    )

        players = [asyncio.create_task(play(n)) for n in range(PLAYERS)]
        await asyncio.sleep(4)
        before = sum(code == OK for code in answers.values())
        await asyncio.to_thread(pair.kill_primary)
        await asyncio.sleep(1)
        await asyncio.to_thread(pair.promote)
        await asyncio.sleep(8)
        stopping.set()
        async with asyncio.timeout(60):
            await asyncio.gather(*players)
        after = len(answers)
        assert before > 20, "there was load before"
        assert after > before + PLAYERS, "and the hub went on with the other server"
        await at_rest(world)
        await compare(world, {bet: code for (_, bet), code in answers.items()})


async def at_rest(world: LocalWorld) -> None:
    """Every payment has its outcome: what the failover left unanswered was queried."""
    async with open_hub(world.settings) as hub, asyncio.timeout(90):
        while await hub.store.db.fetchval(
            "select count(*) from payments where state in ('created', 'sent', 'unknown')"
        ):
            await asyncio.sleep(0.5)


async def compare(world: LocalWorld, answers: dict[str, int | None]) -> None:
    """Hub, casino and provider agree on every bet."""
    async with open_hub(world.settings) as hub:
        rows = await hub.store.db.fetch("select bet_id, bet_ref, state from bets")
        assert {row["bet_ref"]: row["state"] for row in rows if row["bet_ref"] in answers} == {
            ref: "on" if code == OK else "returned" for ref, code in answers.items()
        }
        assert {row["bet_ref"] for row in rows} == set(answers), "and there is no other bet"
        booked: list[tuple[int, int]] = []
        for number in range(PLAYERS):
            wallet = await world.ask(f"{world.casino_url}/_sandbox/wallet/player-{number}")
            booked += [(int(b["BetId"]), int(b["TransactionType"])) for b in wallet["bookings"]]
        returned = [(row["bet_id"], RETURN) for row in rows if row["state"] == "returned"]
        assert sorted(booked) == sorted([*((row["bet_id"], STAKE) for row in rows), *returned]), "each once"
        assert [found for found in await audit(hub.store.db) if found.violations] == []
