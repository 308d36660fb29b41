"""Binding rows into the audit trail: none is left out, whoever commits late, and none is bound twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from croupier.kit.chance import SeededChance
from croupier.store.db import Db, DbViolation
from croupier.store.oversight import trail as trail_module
from croupier.store.oversight.trail import STRANDS, Trail
from tests.store.cast import HandClock

ENTRY = "insert into ledger (subject_id, source, target, amount, currency, why, version, at_ms)"
ONE = ENTRY + " values (1, 'wallets/1', 'open-bets/1/2', $1, 'EUR', 'stake_accepted', 0, 5)"
MANY = ENTRY + " select 1, 'wallets/1', 'open-bets/1/2', n, 'EUR', 'paid', 0, 5 from generate_series(1, $1::int) n"


def a_trail(db: Db, seed: int = 1) -> Trail:
    clock = HandClock()
    return Trail(db, clock, SeededChance(seed))  # type: ignore[arg-type] # nobody shifts it


@asynccontextmanager
async def writer(url: str, amount: int) -> AsyncIterator[asyncpg.Connection]:
    """Somebody who has written an entry and not committed it."""
    connection = await asyncpg.connect(url)
    await connection.execute("begin")
    await connection.execute(ONE, amount)
    try:
        yield connection
    finally:
        await connection.close()


async def links(db: Db) -> list[tuple[str, list[int]]]:
    rows = await db.fetch("select strand, ids from trail where link > 0 order by link")
    return [(row["strand"], row["ids"]) for row in rows]


async def test_what_is_committed_is_bound_at_once_when_nobody_writes(db: Db) -> None:
    await db.execute(MANY, 3)
    assert await a_trail(db).bind() == 3
    assert await links(db) == [("ledger", [1, 2, 3])]


async def test_a_late_committer_with_a_lower_number_is_waited_for(db: Db, database_url: str) -> None:
    """The one with number 1 commits after the one with number 2: the chain has both, in the order of the numbers."""
    trail = a_trail(db)
    async with writer(database_url, 1) as late:
        await db.execute(ONE, 2)
        assert await trail.bind() == 0
        assert await trail.bind() == 0
        await late.execute("commit")
    assert await trail.bind() == 2
    assert await links(db) == [("ledger", [1, 2])]


async def test_a_late_committer_that_gives_up_leaves_a_gap(db: Db, database_url: str) -> None:
    trail = a_trail(db)
    async with writer(database_url, 1) as late:
        await db.execute(ONE, 2)
        assert await trail.bind() == 0
        await late.execute("rollback")
    assert await trail.bind() == 1
    assert await links(db) == [("ledger", [2])]
    assert await db.fetchval("select after_id from trail where link = 1") == 0


async def test_somebody_who_dies_does_not_hold_it_up(db: Db, database_url: str) -> None:
    trail = a_trail(db)
    async with writer(database_url, 1) as late:
        await db.execute(ONE, 2)
        assert await trail.bind() == 0
        late.terminate()
    for _ in range(500):
        if await trail.bind():
            break
        await asyncio.sleep(0.01)
    assert await links(db) == [("ledger", [2])]


async def test_writers_without_end_do_not_hold_it_up(db: Db, database_url: str) -> None:
    """There is always somebody who writes: whoever came after the look is not waited for."""
    trail = a_trail(db)
    bound = 0
    async with writer(database_url, 1) as first:
        assert await trail.bind() == 0
        async with writer(database_url, 2) as second:
            await first.execute("commit")
            bound += await trail.bind()
            assert bound == 1
            async with writer(database_url, 3):
                await second.execute("commit")
                bound += await trail.bind()
    assert bound == 2
    assert await links(db) == [("ledger", [1]), ("ledger", [2])]


async def test_a_reader_holds_nothing_up(db: Db, database_url: str) -> None:
    """A dump reads for an hour in one transaction."""
    reader = await asyncpg.connect(database_url)
    await reader.execute("begin isolation level repeatable read")
    await reader.fetch("select * from ledger")
    await db.execute(ONE, 1)
    assert await a_trail(db).bind() == 1
    await reader.close()


@pytest.mark.parametrize("rows", [1, 4, 5, 6, 23])
async def test_many_rows_are_many_links(db: Db, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(trail_module, "MOST", 5)
    await db.execute(MANY, rows)
    assert await a_trail(db).bind() == rows
    found = await links(db)
    assert [i for _, ids in found for i in ids] == list(range(1, rows + 1))
    assert all(len(ids) <= 5 for _, ids in found)
    assert len(found) == -(-rows // 5)
    assert await a_trail(db).bind() == 0


async def test_a_wide_gap_in_the_numbers_is_passed_over(db: Db) -> None:
    await db.execute(ONE, 1)
    await db.fetch("select setval('ledger_entry_id_seq', 1000000000000)")
    await db.execute(MANY, 3)
    assert await a_trail(db).bind() == 4
    assert [i for _, ids in await links(db) for i in ids] == [1, 10**12 + 1, 10**12 + 2, 10**12 + 3]
    assert await a_trail(db).bind() == 0


async def test_a_table_without_new_ids_costs_no_transaction(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one process has bound costs another one a look, once; the next row is bound by either."""
    await db.execute(ONE, 1)
    first, second = a_trail(db), a_trail(db, 2)
    begun: list[str] = []
    links = Trail._bind_link

    async def noted(self: Trail, tx: Any, strand: Any, goal: tuple[int, int]) -> tuple[int, int] | None:
        begun.append(strand.table)
        return await links(self, tx, strand, goal)

    monkeypatch.setattr(Trail, "_bind_link", noted)
    assert [await first.bind(), await second.bind()] == [1, 0]
    begun.clear()
    assert [await first.bind(), await second.bind()] == [0, 0]
    assert begun == []
    await db.execute(ONE, 2)
    assert [await second.bind(), await first.bind()] == [1, 0]
    assert begun == ["ledger", "ledger"]


async def test_who_does_not_get_the_lock_looks_again(db: Db, database_url: str) -> None:
    """That another process binds says nothing about these rows: it may die before its commit."""
    await db.execute(ONE, 1)
    trail = a_trail(db)
    other = await asyncpg.connect(database_url)
    await other.execute("begin")
    await other.execute("select pg_advisory_xact_lock($1)", trail_module._LOCK)
    assert await trail.bind() == 0
    await other.close()
    assert await trail.bind() == 1


async def test_two_that_bind_at_once_bind_every_row_once(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail_module, "MOST", 7)
    await db.execute(MANY, 400)
    trails = [a_trail(db, seed) for seed in range(4)]
    bound = 0
    for _ in range(100):
        bound += sum(await asyncio.gather(*(trail.bind() for trail in trails)))
        if bound >= 400:
            break
    found = await links(db)
    assert [i for _, ids in found for i in ids] == list(range(1, 401))
    numbers = [row["link"] for row in await db.fetch("select link from trail order by link")]
    assert numbers == list(range(len(numbers)))


async def test_it_goes_on_after_a_process_died_between_two_links(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each link is a commit of its own; the next process begins where the last one ended."""
    monkeypatch.setattr(trail_module, "MOST", 5)
    await db.execute(MANY, 12)
    trail = a_trail(db)
    frontier = await trail._look()
    async with db.transaction() as tx:
        assert await trail._bind_link(tx, STRANDS[0], (frontier.upto["ledger"], 5)) == (5, 5)
    with pytest.raises(RuntimeError):
        async with db.transaction() as tx:
            await trail._bind_link(tx, STRANDS[0], (frontier.upto["ledger"], 5))
            raise RuntimeError
    assert await a_trail(db, 2).bind() == 7
    assert [ids for _, ids in await links(db)] == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12]]


@pytest.mark.parametrize("verb", ["update trail set at_ms = 0", "delete from trail", "truncate trail"])
async def test_the_database_refuses_to_change_a_link(db: Db, verb: str) -> None:
    await db.execute(ONE, 1)
    await a_trail(db).bind()
    with pytest.raises(DbViolation, match="append-only"):
        await db.execute(verb)


@pytest.mark.parametrize("verb", ["update incident_log set note = ''", "delete from incident_log"])
async def test_the_database_refuses_to_change_a_line_of_an_incidents_log(db: Db, verb: str) -> None:
    with pytest.raises(DbViolation, match="append-only"):
        await db.execute(verb)


async def test_how_far_it_is_behind(db: Db) -> None:
    await db.execute(MANY, 3)
    trail = a_trail(db)
    assert (await trail.behind())["ledger"] == 3
    await trail.bind()
    assert set((await trail.behind()).values()) == {0}


async def test_where_the_chain_stands(db: Db) -> None:
    trail = a_trail(db)
    assert await trail.head() is None
    assert await trail.at(0) is None
    await db.execute(MANY, 3)
    await trail.bind()
    head = await trail.head()
    assert head is not None
    assert (head.link, head.rows) == (1, 3)
    assert await trail.at(1) == head
    assert await trail.at(0) != head


# --- the index that finds events by number ------------------------------------------------------------------

EVENTS = """
insert into events (subject_id, version, at_ms, event, state, detail, process, mark)
select n, 0, 5, 'accepted', 'on', repeat('x', 500), 'p', 'm' from generate_series($1::int, $2::int) n"""
IS_NEW = "select brin_summarize_range('events_by_id', $1::bigint * 32)"


async def full_ranges(db: Db) -> int:
    blocks = await db.fetchval("select pg_relation_size('events') / current_setting('block_size')::bigint")
    return int(blocks) // 32


async def test_full_ranges_of_the_index_are_summed_up_and_the_last_ones_left_open(db: Db) -> None:
    """Else every link reads all events of the last minute."""
    await db.execute(EVENTS, 1, 5000)
    last = await full_ranges(db)
    assert last >= 8
    await a_trail(db).bind()
    assert [await db.fetchval(IS_NEW, n) for n in range(last - 2)] == [0] * (last - 2)
    assert await db.fetchval(IS_NEW, last) == 1


async def test_a_vacuum_is_not_waited_for(db: Db, database_url: str) -> None:
    """It may last for an hour, and whoever waits for it would cut it short."""
    await db.execute(EVENTS, 1, 5000)
    vacuum = await asyncpg.connect(database_url)
    await vacuum.execute("begin; lock table events in share update exclusive mode")
    trail = a_trail(db)
    assert await trail.bind() == 5000
    assert await db.fetchval("select count(*) from trail where strand = 'events'") > 1
    await vacuum.close()
    await trail.bind()
    assert await db.fetchval(IS_NEW, 0) == 0
