"""What every test may ask for: a real PostgreSQL, and an empty database with the program's schema in it.

One server for the whole run, started by the product's own launcher, shared by the processes of pytest-xdist; each
test that asks gets a database that nobody else uses meanwhile, as the migrations leave it.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from zlib import crc32

import asyncpg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as properties

from croupier.simulator.scratch_db import EMPTY, KEEP
from croupier.store.db import Db
from croupier.store.embedded.directory import find_place
from croupier.store.embedded.server import Attached, EmbeddedError, attach
from croupier.store.embedded.watcher import is_locked
from croupier.store.migrate import migrate

_HOME = "TEST_HOME_OF_CROUPIER"
"""Not a CROUPIER_ variable: the program would report it as an unknown setting."""
_numbers = itertools.count()


def make_home() -> Path:
    """A new home with a short path that PostgreSQL's user can enter. For tests that need a server of their own."""
    home = Path(tempfile.mkdtemp(prefix="croupier-test-"))
    home.chmod(0o711)
    return home


def remove_home(home: Path) -> None:
    """Remove a home and where its database lies, once its watcher is gone."""
    place = None
    with suppress(EmbeddedError):
        place = find_place(home)
    if place is not None:
        patience = time.monotonic() + 20
        while (place / "watch").exists() and is_locked(place / "watch") and time.monotonic() < patience:
            time.sleep(0.02)
        shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


# A loaded machine is no finding: no property fails because its examples took long to draw.
properties.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
properties.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    if _HOME not in os.environ:
        home = make_home()
        os.environ[_HOME] = str(home)
        config.add_cleanup(lambda: remove_home(home))


LONGEST = "test_a_run_of_20_000_payments_holds"


@pytest.hookimpl(hookwrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """`one_in(n)`: one of n cases is played on every push, always the same one; the slow tier plays the others."""
    for item in items:
        share = item.get_closest_marker("one_in")
        if share is not None and crc32(item.nodeid.encode()) % share.args[0]:
            item.add_marker(pytest.mark.slow)
    yield
    # What takes a minute goes first: at the end one process would wait for the other.
    items.sort(key=lambda item: LONGEST not in item.name)


LAST_S = 900
"""How long the last test of a process may take: it ends what the whole run shares, once the others are through."""


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Shared worlds end behind the last test of a process, and the one that began one waits for its guests."""
    if nextitem is None:
        item.add_marker(pytest.mark.timeout(LAST_S), append=False)
    yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Attached]:
    """The run's own server."""
    with attach(Path(os.environ[_HOME])) as attached:
        yield attached


class Databases:
    """Databases of this process: migrated, empty, and used again after they were emptied (20 ms instead of 300)."""

    def __init__(self, postgres: Attached) -> None:
        self._postgres = postgres
        self._template: str | None = None
        self._free: list[str] = []
        self._shape = ""

    async def take(self) -> str:
        """The name of an empty one."""
        if self._free:
            return self._free.pop()
        name = f"test_{os.getpid()}_{next(_numbers)}"
        await self._run("postgres", f"create database {name} template {self._template or await self._make_template()}")
        return name

    async def give_back(self, name: str) -> None:
        """Empty it for the next one; what is no longer as the migrations made it is dropped."""
        connection = await asyncpg.connect(**{**self._postgres.connect_kwargs, "database": name})
        try:
            await connection.execute(_HANG_UP)
            whole = await connection.fetchval(_SHAPE) == self._shape
            if whole:
                await connection.execute(EMPTY)
        finally:
            await connection.close()
        if whole:
            self._free.append(name)
        else:
            await self._run("postgres", f"drop database {name} with (force)")

    async def _make_template(self) -> str:
        name = f"template_{os.getpid()}"
        await self._run("postgres", f"create database {name}")
        db = await Db.connect({**self._postgres.connect_kwargs, "database": name}, size=1, pinned=1)
        await migrate(db)
        await db.close()
        await self._run(name, KEEP)
        self._shape = await self._run(name, _SHAPE)
        self._template = name
        return name

    async def _run(self, database: str, sql: str) -> str:
        """Run a query and return its first value, or run other statements."""
        connection = await asyncpg.connect(**{**self._postgres.connect_kwargs, "database": database})
        try:
            if sql.lstrip().startswith("select"):
                return str(await connection.fetchval(sql))
            return str(await connection.execute(sql))
        finally:
            await connection.close()


_HANG_UP = """
select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()"""
_SHAPE = """
select md5(string_agg(thing, ' ' order by thing)) from (
    select concat(oid, relname) from pg_class where relnamespace::regnamespace::text !~ '^pg_|^information_schema$'
    union all select concat(oid, tgname, tgenabled) from pg_trigger
    union all select concat(oid, md5(prosrc)) from pg_proc where oid >= 16384
) things(thing)
"""


@pytest.fixture(scope="session")
def _databases(postgres: Attached) -> Databases:
    return Databases(postgres)


@pytest.fixture
async def database_url(postgres: Attached, _databases: Databases) -> AsyncIterator[str]:
    """The address of a migrated, empty database that only this test uses."""
    name = await _databases.take()
    yield postgres.dsn.replace("/croupier?", f"/{name}?")
    await _databases.give_back(name)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Db]:
    """A connection to a migrated, empty database of this test's own."""
    connected = await Db.connect(database_url, size=5)
    yield connected
    await connected.close()
