"""store.migrate: a step outside a transaction is applied once, whatever interrupts it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from croupier.store.db import Db
from croupier.store.migrate import MigrationError, migrate, pending, set_up
from croupier.store.migration_files import read_files

pytestmark = pytest.mark.one_in(4)

MARKED = "-- outside a transaction\n"
BUILD = "create index concurrently if not exists coins_by_id on coins (id)"
STEP = "0002_index.sql"
FINISH = "alter table coins add column worth bigint;\ncreate index coins_by_worth on coins (worth);\n"


@pytest.fixture
async def bare(db: Db) -> Db:
    """A database without anything in it."""
    await db.execute("drop schema public cascade; create schema public; drop schema if exists pristine cascade")
    return db


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_coins.sql").write_text("create table coins (id bigint);\ninsert into coins values (1);\n")
    (tmp_path / STEP).write_text(f"{MARKED}-- Read by the desk.\n{BUILD};\n")
    (tmp_path / "0003_worth.sql").write_text(FINISH)
    return tmp_path


@pytest.fixture
async def first(bare: Db, folder: Path) -> Db:
    """A database to which only the first file was applied."""
    before = folder / "before"
    before.mkdir()
    (before / "0001_coins.sql").write_text((folder / "0001_coins.sql").read_text())
    await migrate(bare, before)
    return bare


async def _is_valid(db: Db, index: str = "coins_by_id") -> bool | None:
    """Whether the index is valid; None where there is none."""
    return await db.fetchval("select indisvalid from pg_index where indexrelid = to_regclass($1::text)", index)  # type: ignore[no-any-return]


async def _wait_until(db: Db, condition: str) -> None:
    async with asyncio.timeout(20):
        while not await db.fetchval(f"select {condition}"):
            await asyncio.sleep(0.02)


BUILDS = """exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
    and query like 'create index concurrently%')"""
NOBODY_MIGRATES = """not exists (select from pg_locks where locktype = 'advisory'
    and database = (select oid from pg_database where datname = current_database()))"""


@asynccontextmanager
async def _old_snapshot(database_url: str) -> AsyncIterator[None]:
    """Hold a snapshot, for which every concurrent build waits."""
    other = await asyncpg.connect(database_url)
    try:
        async with other.transaction(isolation="repeatable_read"):
            await other.fetch("select count(*) from coins")
            yield
    finally:
        await other.close()


async def test_a_marked_file_runs_outside_a_transaction_in_its_place(first: Db, folder: Path) -> None:
    assert await migrate(first, folder) == [STEP, "0003_worth.sql"]
    assert await _is_valid(first)
    assert await migrate(first, folder) == await pending(first, folder) == []


async def test_an_empty_database_is_set_up_in_one_transaction_with_marked_files_too(bare: Db, folder: Path) -> None:
    done = await asyncio.gather(*(set_up(bare, folder) for _ in range(3)))
    assert sorted(len(names) for names in done) == [0, 0, 3]
    assert await _is_valid(bare)
    assert await pending(bare, folder) == []


async def test_programs_that_start_together_wait_without_a_snapshot(first: Db, folder: Path, database_url: str) -> None:
    """The build is held up until all four are under way: one that held a snapshot meanwhile would block it for ever."""
    async with _old_snapshot(database_url):
        runs = [asyncio.create_task(migrate(first, folder, limit_s=60)) for _ in range(4)]
        await _wait_until(first, BUILDS)
        await asyncio.sleep(0.5)
        assert not any(run.done() for run in runs)
    done = await asyncio.gather(*runs)
    assert sorted(name for names in done for name in names) == [STEP, "0003_worth.sql"]
    assert await _is_valid(first)
    assert await first.fetchval(f"select {NOBODY_MIGRATES}")


@pytest.mark.slow
async def test_a_program_that_waits_too_long_for_another_says_so(first: Db, folder: Path, database_url: str) -> None:
    async with _old_snapshot(database_url):
        run = asyncio.create_task(migrate(first, folder, limit_s=60))
        await _wait_until(first, BUILDS)
        for late in (migrate, set_up):
            with pytest.raises(MigrationError, match="another program has been migrating this database for 0.3 s"):
                await late(first, folder, limit_s=0.3)
    assert await run == [STEP, "0003_worth.sql"]


PROGRAM = """
import asyncio, sys
from pathlib import Path
from croupier.store.db import Db
from croupier.store.migrate import migrate

async def main():
    db = await Db.connect(sys.argv[1], size=1, pinned=1)
    await migrate(db, Path(sys.argv[2]))

asyncio.run(main())
"""


async def test_a_program_killed_in_the_build_leaves_work_that_the_next_one_finishes(
    first: Db, folder: Path, database_url: str
) -> None:
    async with _old_snapshot(database_url):
        program = subprocess.Popen([sys.executable, "-c", PROGRAM, database_url, str(folder)])  # noqa: ASYNC220 - our own program, not waited for
        try:
            await _wait_until(first, BUILDS)
        finally:
            os.kill(program.pid, signal.SIGKILL)
            program.wait()
        await _wait_until(first, NOBODY_MIGRATES)
    assert await _is_valid(first) is False
    assert await pending(first, folder) == [STEP, "0003_worth.sql"]
    assert await migrate(first, folder) == [STEP, "0003_worth.sql"]
    assert await _is_valid(first)


async def test_an_invalid_index_of_that_name_is_built_anew(first: Db, folder: Path) -> None:
    """`if not exists` alone would take it for the wanted one."""
    await first.execute("create index coins_by_id on coins (id)")
    await first.execute("update pg_index set indisvalid = false where indexrelid = 'coins_by_id'::regclass")
    assert await migrate(first, folder) == [STEP, "0003_worth.sql"]
    assert await _is_valid(first)


async def test_a_crash_between_the_index_and_its_record_repeats_the_step(first: Db, folder: Path) -> None:
    await first.execute(BUILD.replace("concurrently ", ""))
    built = await first.fetchval("select 'coins_by_id'::regclass::oid")
    assert await migrate(first, folder) == [STEP, "0003_worth.sql"]
    assert await first.fetchval("select 'coins_by_id'::regclass::oid") == built


async def test_a_unique_index_that_rows_break_is_not_left_half_built(first: Db, folder: Path) -> None:
    """An invalid unique index would go on refusing rows."""
    await first.execute("insert into coins values (1)")
    (folder / STEP).write_text(MARKED + BUILD.replace("create index", "create unique index"))
    with pytest.raises(MigrationError, match=r"0002_index\.sql cannot build coins_by_id: .*mend the rows"):
        await migrate(first, folder)
    assert await _is_valid(first) is None
    assert await pending(first, folder) == [STEP, "0003_worth.sql"]
    await first.execute("truncate coins")
    assert await migrate(first, folder) == [STEP, "0003_worth.sql"]


@pytest.mark.slow
async def test_a_build_that_takes_too_long_is_undone(first: Db, folder: Path, database_url: str) -> None:
    async with _old_snapshot(database_url):
        with pytest.raises(Exception, match="timeout"):
            await migrate(first, folder, limit_s=1)
        assert await _is_valid(first) is None or await _is_valid(first) is False
    assert await migrate(first, folder) == [STEP, "0003_worth.sql"]


async def test_a_marked_file_may_drop_an_index(first: Db, folder: Path) -> None:
    (folder / "0004_drop.sql").write_text(f"{MARKED}drop index concurrently if exists coins_by_id;\n")
    assert (await migrate(first, folder))[-1] == "0004_drop.sql"
    assert await _is_valid(first) is None


@pytest.mark.parametrize(
    "text",
    [
        f"{BUILD};\n{BUILD};",
        f"{BUILD};\ninsert into coins values (2)",
        f"insert into coins values (2);\n{BUILD}",
        BUILD.replace("if not exists ", ""),
        BUILD.replace("concurrently ", ""),
        "vacuum coins",
        "-- nothing",
    ],
)
async def test_a_marked_file_with_anything_but_one_repeatable_statement_is_refused(
    first: Db, folder: Path, text: str
) -> None:
    (folder / STEP).write_text(MARKED + text)
    for run in (migrate, set_up, pending):
        with pytest.raises(MigrationError, match=r"0002_index\.sql says .* exactly one statement, .* another file"):
            await run(first, folder)
    assert await _is_valid(first) is None


def test_a_marker_that_is_not_the_first_line_marks_nothing(folder: Path) -> None:
    (folder / STEP).write_text(f"-- Later.\n{MARKED}select 1")
    assert [file.concurrent is not None for file in read_files(folder)] == [False, False, False]
