"""store.db: statements, transactions, and the closed list of what can go wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import asyncpg
import pytest

from croupier.kit.clock import SystemClock
from croupier.store.db import Db, DbConflict, DbDown, DbViolation, assert_no_tx
from croupier.store.embedded.directory import SOCKET
from croupier.store.embedded.server import Attached
from tests.chaos.proxy import Cable, Dial


@pytest.fixture
async def table(db: Db) -> Db:
    await db.execute(
        "create table coins (id bigint primary key, amount bigint constraint coins_some check (amount > 0))"
    )
    return db


async def test_rows_come_back_by_name_and_commands_tell_how_many_they_changed(table: Db) -> None:
    assert await table.execute("insert into coins select n, n from generate_series(1, 3) n") == 3
    rows = await table.fetch("select id, amount from coins where id >= $1 order by id", 2)
    assert [(row["id"], row["amount"]) for row in rows] == [(2, 2), (3, 3)]
    assert await table.fetchrow("select 1 where false") is None
    assert await table.fetchval("select count(*) from coins") == 3
    assert await table.execute("delete from coins") == 3


async def test_a_transaction_is_all_or_nothing(table: Db) -> None:
    with pytest.raises(ZeroDivisionError):
        async with table.transaction() as tx:
            await tx.execute("insert into coins values (1, 1)")
            raise ZeroDivisionError
    assert await table.fetch("select * from coins") == []
    async with table.transaction() as tx:
        await tx.execute("insert into coins values (1, 1)")
    assert len(await table.fetch("select * from coins")) == 1


async def test_a_cancelled_transaction_leaves_nothing_behind(table: Db) -> None:
    async def stuck() -> None:
        async with table.transaction() as tx:
            await tx.execute("insert into coins values (1, 1)")
            await tx.execute("select pg_sleep(60)")

    task = asyncio.create_task(stuck())
    while not await table.fetch("select 1 from pg_stat_activity where query = 'select pg_sleep(60)'"):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await table.fetch("select * from coins") == []
    assert table.outstanding == 0


async def test_whoever_waits_for_the_network_learns_that_a_transaction_is_open(db: Db) -> None:
    assert_no_tx()
    async with db.transaction():
        with pytest.raises(AssertionError, match="transaction is open"):
            assert_no_tx()
        with pytest.raises(AssertionError):
            async with db.transaction():
                pass
    assert_no_tx()


async def test_another_task_is_not_taken_for_the_one_in_a_transaction(db: Db) -> None:
    opened, checked = asyncio.Event(), asyncio.Event()

    async def holds() -> None:
        async with db.transaction():
            opened.set()
            await checked.wait()

    task = asyncio.create_task(holds())
    await opened.wait()
    assert_no_tx()
    checked.set()
    await task


async def test_a_refused_row_names_its_constraint(table: Db) -> None:
    with pytest.raises(DbViolation) as refused:
        await table.execute("insert into coins values (1, 0)")
    assert refused.value.constraint == "coins_some"
    await table.execute("insert into coins values (1, 1)")
    with pytest.raises(DbViolation) as refused:
        async with table.transaction() as tx:
            await tx.execute("insert into coins values (1, 1)")
    assert refused.value.constraint == "coins_pkey"


async def test_a_trigger_that_raises_is_a_violation(db: Db) -> None:
    with pytest.raises(DbViolation, match="never") as refused:
        await db.execute("do $$ begin raise exception 'never' using errcode = 'integrity_constraint_violation'; end $$")
    assert refused.value.constraint == ""
    with pytest.raises(DbViolation, match="no way"):
        await db.execute("do $$ begin raise exception 'no way'; end $$")


@pytest.mark.slow
async def test_a_deadlock_is_a_conflict_for_exactly_one_of_the_two(table: Db) -> None:
    await table.execute("insert into coins values (1, 1), (2, 1)")
    both = asyncio.Barrier(2)

    async def update(first: int, second: int) -> None:
        async with table.transaction() as tx:
            await tx.execute("update coins set amount = 2 where id = $1", first)
            await both.wait()
            await tx.execute("update coins set amount = 2 where id = $1", second)

    ends = await asyncio.gather(update(1, 2), update(2, 1), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["DbConflict", "NoneType"]
    assert DbConflict in {type(end) for end in ends}


async def test_a_lost_connection_is_down_and_the_next_call_has_a_new_one(table: Db) -> None:
    with pytest.raises(DbDown):
        async with table.transaction() as tx:
            await tx.execute("insert into coins values (1, 1)")
            own = await tx.fetchval("select pg_backend_pid()")
            await table_killer(table, own)
            await tx.execute("insert into coins values (2, 1)")
    assert await table.fetch("select * from coins") == []
    assert table.outstanding == 0


async def table_killer(table: Db, pid: int) -> None:
    """Cut the connection of `pid` from another one, and wait until it is gone."""
    await asyncio.create_task(table.execute("select pg_terminate_backend($1, 5000)", pid))


async def test_a_connection_lost_in_commit_is_down(table: Db) -> None:
    with pytest.raises(DbDown):
        async with table.transaction() as tx:
            await tx.execute("insert into coins values (1, 1)")
            await table_killer(table, await tx.fetchval("select pg_backend_pid()"))


async def test_pinned_connections_survive_a_lost_connection(db: Db) -> None:
    pids = {(await db.batch_fetch("select pg_backend_pid()"))[0][0] for _ in range(4)}
    for pid in pids:
        await table_killer(db, pid)
    ends = [await _down_or_rows(db) for _ in range(4)]
    assert ends[-1] == [(1,)]


async def _down_or_rows(db: Db) -> object:
    try:
        return [tuple(row.values()) for row in await db.batch_fetch("select 1")]
    except DbDown as down:
        return down


async def test_no_server_is_down_and_the_message_holds_no_password() -> None:
    with pytest.raises(DbDown) as down:
        await Db.connect("postgresql://me:open-sesame@127.0.0.1:1/none", size=1)
    assert "sesame" not in str(down.value)


async def test_a_wrong_statement_is_a_bug_and_keeps_the_drivers_name(db: Db) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await db.fetch("select * from nowhere")
    with pytest.raises(asyncpg.InterfaceError):
        await db.fetch("select $1::int", 1, 2)


async def test_plans_of_pinned_connections_use_indexes_and_the_others_do_not(db: Db) -> None:
    names = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "plan_cache_mode")
    pinned = [(await db.batch_fetch(f"show {name}"))[0][0] for name in names]
    assert pinned == ["off", "off", "off", "force_generic_plan"]
    assert await db.fetchval("show enable_seqscan") == "on"


async def test_statements_stay_prepared_on_their_connection(database_url: str) -> None:
    db = await Db.connect(database_url, size=1)
    for n in range(3):
        assert await db.fetchval("select $1::bigint + 41", n) == n + 41
    named = "select count(*) from pg_prepared_statements where statement = 'select $1::bigint + 41'"
    assert await db.fetchval(named) == 1
    await db.close()


async def test_calls_in_flight_are_counted(db: Db) -> None:
    assert db.outstanding == 0
    task = asyncio.create_task(db.fetch("select pg_sleep(60)"))
    while not db.outstanding:
        await asyncio.sleep(0)
    assert db.outstanding == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert db.outstanding == 0


async def test_a_snapshot_sees_one_moment_and_cannot_write(table: Db) -> None:
    async with table.transaction(snapshot=True) as tx:
        assert await tx.fetchval("select count(*) from coins") == 0
        await asyncio.create_task(table.execute("insert into coins values (1, 1)"))
        assert await tx.fetchval("select count(*) from coins") == 0
    with pytest.raises(DbDown, match="read-only"):
        async with table.transaction(snapshot=True) as tx:
            await tx.execute("delete from coins")


async def test_the_offset_is_what_the_clock_lacks(db: Db) -> None:
    class Behind(SystemClock):
        def now_ms(self) -> int:
            return super().now_ms() - 300_000

    offset_ms = await db.clock_offset_ms(Behind())
    assert offset_ms is not None
    assert abs(offset_ms - 300_000) < 1000


async def test_a_slow_answer_moves_no_clock(db: Db) -> None:
    """A machine under load must not take its own delays for the time."""

    class Stalled(SystemClock):
        asked = 0

        def now_ms(self) -> int:
            self.asked += 1
            return super().now_ms() + 1000 * self.asked

    assert await db.clock_offset_ms(Stalled()) is None


async def test_a_connection_that_was_told_of_its_end_and_still_stands_is_down(
    postgres: Attached, tmp_path: Path
) -> None:
    """When PostgreSQL ends a backend its last words come before the connection does; a statement may start in between."""
    cable = Cable("database", Path(postgres.host, SOCKET), Random(1))
    await cable.open(tmp_path / SOCKET)
    db = await Db.connect({**postgres.connect_kwargs, "host": str(tmp_path), "database": "postgres"}, size=1, pinned=1)
    try:
        pid = await db.fetchval("select pg_backend_pid()")
        cable.dial = Dial(keeps=True)
        other = await asyncpg.connect(**{**postgres.connect_kwargs, "database": "postgres"})
        assert await other.fetchval("select pg_terminate_backend($1, 5000)", pid)
        await other.close()
        await asyncio.sleep(0.1)  # its words arrive
        with pytest.raises(DbDown):
            await db.fetchval("select 1")
    finally:
        cable.heal()
        await cable.close()
        await db.close()
