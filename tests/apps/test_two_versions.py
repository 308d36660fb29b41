"""Two versions of the hub serve one database at once, and the older one is replaced under load: nothing is lost or doubled.

The older program is the last one of the repository's history that lacks a migration. It runs from its own files, as a
machine runs that is not upgraded yet. One provider sends its bets to both hubs through a balancer, and one casino's
accepts arrive through it too.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from croupier.apps.world import START_S, start_hub, stop
from croupier.kit.http import HttpWire
from croupier.kit.strictjson import loads
from croupier.kit.wire import WireRequest
from croupier.store.db import Db
from croupier.store.embedded.server import Attached
from croupier.store.migrate import migrate
from croupier.store.migration_files import FOLDER, read_files
from croupier.views.audit.auditor import audit
from tests.apps.earlier_program import Earlier, find_earlier, unpack
from tests.apps.restoring import WAITS, until
from tests.conftest import make_home, remove_home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

GAME_TYPE = 23
NOT_KNOWN = 99
_names = itertools.count()


@dataclass
class Balancer:
    """Passes connections on to the hubs in turn, and past one that does not listen, as a proxy in front of machines does."""

    ports: list[int] = field(default_factory=list)
    url: str = ""
    _turn: int = 0

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._taken, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield
        server.close()

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(len(self.ports)):
            self._turn += 1
            with contextlib.suppress(OSError):
                far = await asyncio.open_connection("127.0.0.1", self.ports[self._turn % len(self.ports)])
                await asyncio.gather(_pass_on(reader, far[1]), _pass_on(far[0], writer))
                return
        writer.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@dataclass
class Host:
    """A machine with its own home and its own program."""

    home: Path
    environ: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    port: int = 0

    async def serve(self) -> None:
        log = self.home / "hub.log"
        self.process, url = await start_hub(self.environ, 2, port=self.port, log=log)
        self.port = urlsplit(url).port or 0

    async def stop(self) -> None:
        if self.process is not None:
            await stop([self.process])

    async def croupier(self, *words: str) -> Any:
        """Run a command of this machine's program and return its JSON."""
        status, said = await self.tried(*words)
        assert status == 0, said
        return json.loads(said)

    async def tried(self, *words: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "croupier.cli", *words, "--json", env=self.environ, stdout=-1, stderr=-1
        )
        out, err = await process.communicate()
        return process.returncode, (out if process.returncode == 0 else err).decode()


@dataclass
class Site:
    """The database, its machines, and the sandbox sides behind the balancer."""

    dsn: str
    db: Db
    wire: HttpWire
    front: Balancer
    hosts: list[Host] = field(default_factory=list)
    sides: list[subprocess.Popen[bytes]] = field(default_factory=list)
    casino: str = ""
    studio: str = ""
    session: str = ""
    played: list[int] = field(default_factory=list)
    """The rounds that the studio holds for played: a stake of 1.00, and a win of 0.50 for every odd one."""
    refused: list[int] = field(default_factory=list)
    """The rounds of which it was told that they are not on."""

    def host(self, source: Path | None) -> Host:
        """Return a new machine, with the program of this directory, or with this one's. It has a copy of the key file."""
        home = make_home()
        if self.hosts:
            shutil.copy(self.hosts[0].home / "key", home / "key")
        around = {k: v for k, v in os.environ.items() if not k.startswith("CROUPIER_")}
        environ = {**around, **WAITS, "CROUPIER_HOME": str(home), "CROUPIER_DATABASE_URL": self.dsn}
        environ["CROUPIER_ALLOW_PRIVATE_PEERS"] = "1"
        if source is not None:
            environ["PYTHONPATH"] = str(source)
        self.hosts.append(Host(home, environ))
        return self.hosts[-1]

    async def ask(self, url: str, body: Mapping[str, Any] | None = None) -> Any:
        method, sent = ("GET", b"") if body is None else ("POST", json.dumps(body).encode())
        told = {"content-type": "application/json"}
        answer = await self.wire.send(WireRequest(method, url, told, sent, total_s=60.0, max_bytes=16_000_000))
        return loads(answer.body, max_bytes=16_000_000)

    async def introduce(self, host: Host) -> None:
        """Start the sandbox sides and add them with this machine's program."""
        self.casino, self.studio = [await self._side(kind) for kind in ("casino", "studio")]
        casino = await host.croupier("casino", "add", "Alder", "--url", self.casino, "--currency", "EUR")
        provider = await host.croupier("provider", "add", "Birch", "--url", self.studio)
        await self.ask(f"{self.casino}/_sandbox/credentials", casino)
        await self.ask(f"{self.studio}/_sandbox/credentials", provider)
        await host.croupier("provider", "sync", "Birch")
        await host.croupier("provider", "set", "Birch", f"game_types={GAME_TYPE}")
        words = ("--casino", "Alder", "--player", "ann", "--currency", "EUR", "--game", "lantern-tumble")
        self.session = (await host.croupier("session", "open", *words))["sessionId"]

    async def _side(self, kind: str) -> str:
        command = [sys.executable, "-m", "croupier.sandbox.serve", kind, "--hub", self.front.url]
        side = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: ASYNC220 - starting is quick
        self.sides.append(side)
        assert side.stdout is not None
        async with asyncio.timeout(START_S):
            return str(json.loads(await asyncio.to_thread(side.stdout.readline))["url"])

    async def call(self, verb: str, bet: str, **what: str) -> int | None:
        body = {"verb": verb, "session": self.session, "bet": bet, "round": "r", **what}
        told = (await self.ask(f"{self.studio}/_sandbox/call", body)).get("told") or {}
        return int(told["_responseCode"]) if "_responseCode" in told else None

    async def insist(self, verb: str, bet: str, **what: str) -> int:
        """Repeat a call until its answer says what became of it, as a studio does."""
        while (code := await self.call(verb, bet, **what)) in (None, NOT_KNOWN):
            await asyncio.sleep(0.3)
        return code

    @contextlib.asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """Place bets all the time; every second one wins. At the end every round is played to its end."""
        ends = asyncio.Event()
        players = [asyncio.create_task(self._play(first, ends)) for first in range(6)]
        yield
        ends.set()
        async with asyncio.timeout(180):
            await asyncio.gather(*players)

    async def _play(self, first: int, ends: asyncio.Event) -> None:
        for n in itertools.count(first, 6):
            if ends.is_set():
                return
            if await self.insist("pay-in", f"b{n}", amount="1.00") != 1:
                self.refused.append(n)  # a stop answered for the casino, and the repeat came after the stake went back
                continue
            assert await self.insist("pay-out", f"b{n}", win="0.50" if n % 2 else "0.00") == 1
            self.played.append(n)

    async def deciders(self, since_ms: int) -> set[str]:
        """Return the processes that decided about bets since then."""
        rows = await self.db.fetch("select distinct process from events where at_ms > $1", since_ms)
        return {row["process"] for row in rows}

    async def now_ms(self) -> int:
        return int(await self.db.fetchval("select (extract(epoch from clock_timestamp()) * 1000)::bigint"))

    async def publisher(self) -> tuple[str | None, int]:
        row = await self.db.fetchrow("select owner, sequence from feed_streams where game_type = $1", GAME_TYPE)
        return (None, -1) if row is None else (row["owner"], row["sequence"])

    async def both_decide(self, others: set[str]) -> set[str]:
        """Wait until processes beyond these decide, while some of these do, and return the new ones."""
        since_ms = await self.now_ms()

        async def both() -> bool:
            seen = await self.deciders(since_ms)
            return bool(seen & others) and bool(seen - others)

        await until(both, 120, "one of the two does not decide about bets")
        return await self.deciders(since_ms) - others

    async def books_agree(self, host: Host) -> None:
        """Nothing is lost and nothing is booked twice: casino, rows, invariants and the chain agree."""

        async def at_rest() -> bool:
            return not await self.db.fetchval("select exists (select from calls where step <> 'claim_due')")

        await until(at_rest, 120, "calls are left")
        wallet = await self.ask(f"{self.casino}/_sandbox/wallet/ann")
        bookings = [(int(b["BetId"]), int(b["TransactionType"])) for b in wallet["bookings"]]
        assert len(bookings) == len(set(bookings)), "nothing is booked twice"
        won = sum(n % 2 for n in self.played)
        assert round(float(wallet["change"]) * 100) == 50 * won - 100 * len(self.played)
        assert await self._refs("state = 'settled'") == {f"b{n}" for n in self.played}
        assert await self._refs("state <> 'settled'") <= {f"b{n}" for n in self.refused}
        assert [found for found in await audit(self.db) if found.violations] == []
        assert (await host.tried("audit"))[0] == 0
        assert await self.db.fetchval("select count(*) from incidents") == 0

    async def _refs(self, which: str) -> set[str]:
        return {row["bet_ref"] for row in await self.db.fetch(f"select bet_ref from bets where {which}")}


@pytest.fixture
async def site(postgres: Attached) -> AsyncIterator[Site]:
    name = f"two_versions_{os.getpid()}_{next(_names)}"
    desk = await asyncpg.connect(**{**postgres.connect_kwargs, "database": "postgres"})
    await desk.execute(f"create database {name}")
    dsn = postgres.dsn.replace("/croupier?", f"/{name}?")
    made = Site(dsn, await Db.connect(dsn, size=3), HttpWire(allow_private=True), Balancer())
    try:
        async with made.front.listening():
            yield made
            await stop(made.sides)
    finally:
        await stop([*made.sides, *(host.process for host in made.hosts if host.process is not None)])
        for host in made.hosts:
            remove_home(host.home)
        await made.wire.close()
        await made.db.close()
        await desk.execute(f"drop database {name} with (force)")
        await desk.close()


def goes_with(earlier: Earlier) -> bool:
    """Whether the earlier program may start on this one's schema."""
    newer = [file for file in read_files(FOLDER) if file.name > earlier.newest]
    return all((file.goes_with or file.name) <= earlier.newest[:4] for file in newer)


async def test_the_earlier_program_and_this_one_serve_at_once_and_the_earlier_is_replaced(
    site: Site, tmp_path: Path
) -> None:
    """The order of OPERATIONS: migrate, start the new beside the old, stop the old, start it as new."""
    earlier = find_earlier()
    if isinstance(earlier, str):
        pytest.skip(earlier)
    old = site.host(unpack(earlier, tmp_path))
    await old.serve()
    site.front.ports = [old.port]
    await site.introduce(old)
    assert earlier.newest == await site.db.fetchval("select max(name) from schema_migrations")
    async with site.load():
        await asyncio.sleep(2)
        olds = await site.deciders(0)
        new = site.host(None)
        assert (await new.croupier("migrate"))["applied"]
        await new.serve()
        site.front.ports.append(new.port)
        await site.both_decide(olds)
        sequence = (await site.publisher())[1]
        site.front.ports = [new.port]
        await old.stop()
        status, said = await old.tried("incidents")
        assert (status == 0) == goes_with(earlier), said
        await upgraded(site, old)
        assert (await site.publisher())[1] > sequence, "the feed went on with its next numbers"
    await site.books_agree(new)


async def upgraded(site: Site, old: Host) -> None:
    """The old machine starts with this program, and decides again beside the other."""
    before = await site.deciders(await site.now_ms() - 2000)
    del old.environ["PYTHONPATH"]
    await old.serve()
    site.front.ports.append(old.port)
    await site.both_decide(before)


async def test_this_program_serves_on_a_schema_one_step_newer_and_starts_on_it_again(
    site: Site, tmp_path: Path
) -> None:
    """The way back. A later version has added a column to every table, under load; this one goes on and may start again."""
    host = site.host(None)
    await host.serve()
    site.front.ports = [host.port]
    await site.introduce(host)
    async with site.load():
        await asyncio.sleep(1)
        assert await migrate(site.db, later(tmp_path)) == [LATER]
        since_ms = await site.now_ms()

        async def decides() -> bool:
            return bool(await site.deciders(since_ms))

        await until(decides, 30, "the running program does not go on")
        await host.stop()
        await host.serve()
        since_ms = await site.now_ms()
        await until(decides, 30, "the program does not go on after its start")
    await site.books_agree(host)
    assert "worker.loop" not in (host.home / "hub.log").read_text()


LATER = f"{len(read_files(FOLDER)) + 1:04}_later.sql"


def later(folder: Path) -> Path:
    """Return the migrations of a later version: one more file, which goes with this program."""
    shutil.copytree(FOLDER, folder / "migrations")
    (folder / "migrations" / LATER).write_text(f"""-- goes with {len(read_files(FOLDER)):04}
do $$
declare place regclass;
begin
    for place in select oid from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
        and relname <> 'schema_migrations' order by relname
    loop
        execute format('alter table %s add column of_a_later_version text', place);
    end loop;
end $$;
""")
    return folder / "migrations"
