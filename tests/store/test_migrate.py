"""store.migrate: each file once, in order, whole or not at all."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from croupier import __version__
from croupier.store import migrate as migrations
from croupier.store.db import Db, DbDown, Limits
from croupier.store.migrate import MigrationError, is_empty, migrate, pending, set_up

pytestmark = pytest.mark.one_in(3)


@pytest.fixture
async def bare(db: Db) -> Db:
    """A database without anything in it."""
    await db.execute("drop schema public cascade; create schema public; drop schema if exists pristine cascade")
    return db


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_coins.sql").write_text("create table coins (id bigint);\ninsert into coins values (1);\n")
    (tmp_path / "0002_more.sql").write_text("insert into coins values (2);\n")
    return tmp_path


async def _coins(db: Db) -> list[int]:
    return [row["id"] for row in await db.fetch("select id from coins order by id")]


async def test_the_programs_own_files_apply_to_an_empty_database_and_then_nothing_is_left(bare: Db) -> None:
    assert await pending(bare) == await migrate(bare)
    assert await migrate(bare) == []


async def test_files_apply_in_order_and_only_once(bare: Db, folder: Path) -> None:
    assert await pending(bare, folder) == ["0001_coins.sql", "0002_more.sql"]
    told: list[tuple[str, int, int]] = []
    assert await migrate(bare, folder, tell=lambda *now: told.append(now)) == ["0001_coins.sql", "0002_more.sql"]
    assert told == [("Applying 0001_coins.sql", 0, 2), ("Applying 0002_more.sql", 1, 2)]
    assert await migrate(bare, folder) == []
    assert await _coins(bare) == [1, 2]
    (folder / "0003_last.sql").write_text("insert into coins values (3)")
    assert await migrate(bare, folder) == ["0003_last.sql"]
    assert await _coins(bare) == [1, 2, 3]


async def test_programs_that_start_together_take_turns(bare: Db, folder: Path) -> None:
    done = await asyncio.gather(*(migrate(bare, folder) for _ in range(4)))
    assert sorted(name for names in done for name in names) == ["0001_coins.sql", "0002_more.sql"]
    assert await _coins(bare) == [1, 2]


async def test_programs_that_start_together_on_an_empty_database_set_it_up_once(bare: Db, folder: Path) -> None:
    """In one transaction: who comes second finds it whole, and takes none for an old one."""
    assert await is_empty(bare)
    done = await asyncio.gather(*(set_up(bare, folder) for _ in range(4)))
    assert sorted(done) == [[], [], [], ["0001_coins.sql", "0002_more.sql"]]
    assert await _coins(bare) == [1, 2]
    assert not await is_empty(bare)


async def test_a_database_with_somebodys_tables_is_not_set_up(bare: Db, folder: Path) -> None:
    await bare.execute("create table theirs (id bigint)")
    assert await set_up(bare, folder) == []
    assert await pending(bare, folder) == ["0001_coins.sql", "0002_more.sql"]


async def test_a_set_up_that_fails_leaves_nothing(bare: Db, folder: Path) -> None:
    (folder / "0003_bad.sql").write_text("insert into coins values (3); select 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await set_up(bare, folder)
    assert await is_empty(bare)


async def test_a_file_that_fails_leaves_nothing_and_those_before_it_stay(bare: Db, folder: Path) -> None:
    (folder / "0003_bad.sql").write_text("insert into coins values (3); select 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(bare, folder)
    assert await _coins(bare) == [1, 2]
    assert await pending(bare, folder) == ["0003_bad.sql"]


async def test_a_changed_file_is_refused(bare: Db, folder: Path) -> None:
    await migrate(bare, folder)
    (folder / "0002_more.sql").write_text("insert into coins values (22);\n")
    (folder / "0003_last.sql").write_text("insert into coins values (3)")
    with pytest.raises(MigrationError, match=r"0002_more\.sql was changed"):
        await migrate(bare, folder)
    assert await _coins(bare) == [1, 2]


@pytest.fixture
def older(folder: Path) -> Path:
    """What a program of the version before has: one file less."""
    before = folder / "older"
    before.mkdir()
    shutil.copy(folder / "0001_coins.sql", before)
    return before


async def test_an_older_program_on_a_newer_schema_is_refused_with_the_versions_named(
    bare: Db, folder: Path, older: Path
) -> None:
    await migrate(bare, folder)
    for look in (migrate, pending):
        with pytest.raises(MigrationError, match=rf"0002_more.sql was applied by croupier {__version__}.*up to 0001_"):
            await look(bare, older)
    await bare.execute("alter table schema_migrations drop column program, drop column goes_with")
    with pytest.raises(MigrationError, match="an unknown version"):
        await migrate(bare, older)


@pytest.mark.parametrize(("says", "may"), [("0001", True), ("0002", False)])
async def test_two_versions_may_serve_at_once_where_the_newer_ones_file_says_so(
    bare: Db, folder: Path, older: Path, says: str, may: bool
) -> None:
    """The distance of a rolling upgrade: the file names the oldest schema whose programs it goes with."""
    more = folder / "0002_more.sql"
    more.write_text(f"-- goes with {says}\n{more.read_text()}")
    await migrate(bare, folder)
    if may:
        assert await migrate(bare, older) == await pending(bare, older) == []
        return
    with pytest.raises(MigrationError, match="newer than this program"):
        await migrate(bare, older)


async def test_a_file_slipped_in_before_applied_ones_is_refused(bare: Db, folder: Path) -> None:
    await migrate(bare, folder)
    (folder / "0002_more.sql").rename(folder / "0003_more.sql")
    (folder / "0002_late.sql").write_text("select 1")
    with pytest.raises(MigrationError, match=r"0002_more\.sql was applied"):
        await migrate(bare, folder)


@pytest.mark.parametrize("name", ["0003_Coins.sql", "3_coins.sql", "0004_gap.sql", "0002_twice.sql"])
async def test_names_number_themselves_without_gaps(bare: Db, folder: Path, name: str) -> None:
    (folder / name).write_text("select 1")
    with pytest.raises(MigrationError, match="should be named"):
        await migrate(bare, folder)


# --- limits


SLOW = "create table coins as select 1 as id from pg_sleep(1.2);\n"
"""Twice as long as a statement of `hasty` may take."""
TOLD = """
create table told as
select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock;
"""


@pytest.fixture
async def hasty(bare: Db, database_url: str) -> AsyncIterator[Db]:
    """The empty database with a short limit for the statements of commands, as 60 s are for a large table."""
    db = await Db.connect(database_url, size=2, pinned=1, limits=Limits(statement_s=0.6))
    yield db
    await db.close()


@pytest.mark.parametrize("apply", [migrate, set_up])
async def test_a_file_may_take_longer_than_a_statement_of_a_command(hasty: Db, tmp_path: Path, apply: Any) -> None:
    (tmp_path / "0001_coins.sql").write_text(SLOW)
    with pytest.raises(DbDown):
        await hasty.execute(SLOW)
    assert await apply(hasty, tmp_path) == ["0001_coins.sql"]
    assert await _coins(hasty) == [1]


@pytest.mark.parametrize("apply", [migrate, set_up])
async def test_a_file_has_limits_of_its_own(bare: Db, tmp_path: Path, apply: Any) -> None:
    (tmp_path / "0001_told.sql").write_text(TOLD)
    await apply(bare, tmp_path, limit_s=1800)
    assert dict(await bare.fetchrow("select * from told") or {}) == {"statement": "30min", "lock": "20s"}


async def test_a_file_that_exceeds_its_limit_leaves_nothing(bare: Db, folder: Path) -> None:
    (folder / "0003_slow.sql").write_text("insert into coins values (3); select pg_sleep(60)")
    with pytest.raises(Exception, match="statement timeout"):
        await migrate(bare, folder, limit_s=1)
    assert await _coins(bare) == [1, 2]
    assert await pending(bare, folder) == ["0003_slow.sql"]


async def test_a_table_that_stays_in_use_is_not_waited_for_for_ever(
    bare: Db, folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every later statement on the table waits behind the migration: bets, too."""
    await migrate(bare, folder)
    (folder / "0003_worth.sql").write_text("alter table coins add column worth bigint")
    monkeypatch.setattr(migrations, "_TABLE_LOCK_S", 1)
    user = await asyncpg.connect(database_url)
    try:
        async with user.transaction():
            await user.fetch("select count(*) from coins")
            with pytest.raises(MigrationError, match="somebody uses the tables all the time"):
                await migrate(bare, folder)
        assert await migrate(bare, folder) == ["0003_worth.sql"]
    finally:
        await user.close()
