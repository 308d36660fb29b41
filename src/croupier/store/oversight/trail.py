"""The writer of the audit trail: committed rows are bound, link by link, into a chain of SHA-256.

Owns: which tables are bound (`STRANDS`), the text of a row that is digested, the links. Never: judges a row, verifies
the chain (views.trail, which shares nothing with this file), or stands in the way of a payment: it only reads what is
committed. Spec: money.md 5 (I12); the forms are written down in docs/decisions/0015.

**No late committer is left out.** Ids are given before a commit, so a lower one may appear after a higher one. The
*frontier* of a table is the last value of its sequence, with the transactions that held the table's write lock right
afterwards. Each id at or below it belongs to one of these transactions or to one that has ended. When all of them have
ended, no row below the frontier can appear, and every row below it is bound. No lock is taken and no row is marked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.store.db import Db, DbConflict, Tx

MOST: Final = 2000
"""Most rows of one link."""
HEAD_BYTES: Final = 32
_LOCK: Final = 0x637275_747261696C
"""The advisory lock's number: "cru" and "trail" in ASCII. A binding process holds it for one link."""


@dataclass(frozen=True, slots=True)
class Strand:
    """One table whose rows are bound: its number, the sequence it comes from, and all columns in their order."""

    table: str
    key: str
    columns: tuple[str, ...]

    @property
    def sequence(self) -> str:
        """Return PostgreSQL's name for the sequence of the identity column."""
        return f"{self.table}_{self.key}_seq"


def _strand(table: str, columns: str) -> Strand:
    names = tuple(columns.split())
    return Strand(table, names[0], names)


STRANDS: Final = (
    _strand("ledger", "entry_id subject_id source target amount currency why author version at_ms"),
    _strand("events", "event_id subject_id version at_ms event state detail author process mark"),
    _strand(
        "incident_log",
        "log_id incident_id subject_id name note times first_ms last_ms closed_ms closed_by close_note",
    ),
    _strand("player_blocks", "block_id player_id blocked reason author at_ms"),
    _strand("admin_uses", "use_id at_ms account command parameters address refused"),
    _strand("archive_files", "file_id at_ms sha256 before_ms part key author reason"),
)


def _framed(*terms: str) -> str:
    """Return SQL that joins several texts: the length of each in characters, a colon, the text; `-` for null."""
    return " || ".join(f"coalesce(length(({term})::text) || ':' || ({term})::text, '-')" for term in terms)


def digest_sql(strand: Strand) -> str:
    """Return the SQL of the SHA-256 of a row, as the links bind it."""
    row = _framed(f"'{strand.table}'", *strand.columns)
    return f"sha256(convert_to({row}, 'UTF8'))"


def _bind(strand: Strand) -> str:
    said = _framed("'link'", "l.link + 1", f"'{strand.table}'", "$1", "m.upto_id", "m.n", "l.rows_upto + m.n", "$5")
    return f"""
with l as (select link, rows_upto, head from trail order by link desc limit 1),
batch as (
    select {strand.key} as id, {digest_sql(strand)} as digest
    from {strand.table} where {strand.key} > $1::bigint and {strand.key} <= $2::bigint order by {strand.key} limit $3),
m as (
    select count(*) as n, case when count(*) < $3 then $2 else max(id) end as upto_id, array_agg(id order by id) as ids,
        string_agg(substr(digest, 1, 8), ''::bytea order by id) as prints,
        string_agg(digest, ''::bytea order by id) as digests from batch)
insert into trail (link, strand, after_id, upto_id, ids, prints, rows_upto, at_ms, head)
select l.link + 1, '{strand.table}', $1, m.upto_id, m.ids, m.prints, l.rows_upto + m.n, $5::bigint,
    sha256(l.head || convert_to({said}, 'UTF8') || m.digests)
from l, m where m.n > 0 and l.link = $4::bigint returning upto_id, cardinality(ids) as n"""


_BIND = {strand.table: _bind(strand) for strand in STRANDS}
# This transaction finds rows by their ids, whatever the statistics of a young table say.
_MY_TURN = "select pg_try_advisory_xact_lock($1) from set_config('enable_seqscan', 'off', true)"
_LAST_LINK = "select max(link) from trail"
_BOUND_UPTO = "select upto_id from trail where strand = $1 order by link desc limit 1"
_FIRST = "insert into trail values (0, '', 0, 0, '{}', '', 0, $1, $2) on conflict (link) do nothing"
_TAKEN = " union all ".join(
    f"select '{s.table}' as strand, last_value - case when is_called then 0 else 1 end as upto_id from {s.sequence}"
    for s in STRANDS
)
_BEHIND = f"""
select t.strand, greatest(0, t.upto_id - coalesce((select upto_id from trail where trail.strand = t.strand
    order by link desc limit 1), 0)) as behind from ({_TAKEN}) t"""
# The locks that an insert takes before its id. A prepared transaction holds them too.
_WRITING = """
select distinct relation::regclass::text || ' ' || virtualtransaction as who from pg_locks
where relation = any($1::regclass[]) and database = (select oid from pg_database where datname = current_database())
and mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') and granted"""
_TABLES = [s.table for s in STRANDS]

# PostgreSQL would sum up a range of events' index once a minute, and until then read all of it for every link. Ranges that
# are full are summed up here; not the last ones: a row that falls into one that is summed up costs more.
_RANGE: Final = 32
"""Blocks of one range of `events_by_id`, as its migration says."""
_OPEN_RANGES: Final = 2
_RANGES = f"""
select pg_relation_size('events') / current_setting('block_size')::bigint / {_RANGE} - {_OPEN_RANGES} as full"""
_SUM_UP = f"select brin_summarize_range('events_by_id', r * {_RANGE}) from generate_series($1::bigint, $2::bigint) r"
_MOST_RANGES: Final = 1000
# VACUUM holds the same lock for long, so this waits for it to end.
_NO_WAIT = "set local lock_timeout = '20ms'"

_HEAD = "select link, rows_upto, at_ms, head from trail order by link desc limit 1"
_AT = "select link, rows_upto, at_ms, head from trail where link = $1"


@dataclass(frozen=True, slots=True)
class Frontier:
    """The id per table up to which it is complete once these transactions have ended."""

    upto: dict[str, int]
    writing: frozenset[str]


@dataclass(frozen=True, slots=True)
class Head:
    """The chain's head after a link. `rows` counts every row that it covers."""

    link: int
    rows: int
    at_ms: int
    head: bytes


class Trail:
    """The chain of this database, as written by one process."""

    def __init__(self, db: Db, clock: Clock, chance: Chance) -> None:
        self._db = db
        self._clock = clock
        self._chance = chance
        self._waiting: Frontier | None = None
        self._complete: dict[str, int] = {}
        """Per table the frontier up to which this process saw every row bound. Without new ids a table costs no query."""
        self._summed_up: int | None = None
        """The first range of the events' index that may not be summarized yet."""

    async def bind(self) -> int:
        """Bind the rows that can be bound now and return their number. Call it repeatedly.

        A row is bound by the second call after its commit at the latest, unless a writing transaction stays
        open. Several processes may call at once: each link is made by one of them.
        """
        frontier = self._waiting or await self._look()
        if frontier.writing & await self._writing():
            self._waiting = frontier
            return 0
        bound = 0
        if frontier.upto != self._complete:
            await self._sum_up()
            bound = sum([await self._bind_strand(strand, frontier.upto[strand.table]) for strand in STRANDS])
        self._waiting = None if self._waiting is None else await self._look()
        return bound

    async def head(self) -> Head | None:
        """Return the chain's head; None while nothing was bound yet."""
        return await self._head(_HEAD)

    async def at(self, link: int) -> Head | None:
        """Return the chain's head after this link; None if there is no such link."""
        return await self._head(_AT, link)

    async def behind(self) -> dict[str, int]:
        """Return per table how many ids were taken after the last bound one: about so many rows wait."""
        return {row["strand"]: row["behind"] for row in await self._db.fetch(_BEHIND)}

    async def _head(self, sql: str, *args: object) -> Head | None:
        row = await self._db.fetchrow(sql, *args)
        return None if row is None else Head(row["link"], row["rows_upto"], row["at_ms"], row["head"])

    async def _look(self) -> Frontier:
        """Return the frontier by two queries in this order: an id taken before the first is locked at the second, or done."""
        taken = await self._db.fetch(_TAKEN)
        return Frontier({row["strand"]: row["upto_id"] for row in taken}, await self._writing())

    async def _writing(self) -> frozenset[str]:
        return frozenset(row["who"] for row in await self._db.fetch(_WRITING, _TABLES))

    async def _sum_up(self) -> None:
        full = await self._db.fetchval(_RANGES)
        first = max(0, full - _MOST_RANGES) if self._summed_up is None else self._summed_up
        if first > full:
            return
        try:
            async with self._db.transaction() as tx:
                await tx.execute(_NO_WAIT)
                await tx.fetch(_SUM_UP, first, full)
        except DbConflict:
            return
        self._summed_up = full + 1

    async def _bind_strand(self, strand: Strand, upto_id: int) -> int:
        """Bind link after link up to this id, each in its own transaction, and return the number of rows."""
        if self._complete.get(strand.table) == upto_id:
            return 0
        bound, reach, reached = 0, MOST, -1
        while reached < upto_id:
            async with self._db.transaction() as tx:
                link = await self._bind_link(tx, strand, (upto_id, reach))
            if link is None:
                return bound
            found, reached = link
            bound += found
            # Ids may have a wide gap, which is crossed in growing steps.
            reach = MOST if found else reach * 2
        self._complete[strand.table] = upto_id
        return bound

    async def _bind_link(self, tx: Tx, strand: Strand, goal: tuple[int, int]) -> tuple[int, int] | None:
        """Bind the next rows, up to an id and at most so many ids on; return their number and the id that was reached.

        None while another process binds.
        """
        if not await tx.fetchval(_MY_TURN, _LOCK):
            return None
        last = await tx.fetchval(_LAST_LINK)
        if last is None:
            last = 0
            await tx.execute(_FIRST, self._clock.now_ms(), bytes.fromhex(self._chance.hex(HEAD_BYTES)))
        after_id = await tx.fetchval(_BOUND_UPTO, strand.table) or 0
        upto_id = min(goal[0], after_id + goal[1])
        if upto_id <= after_id:
            return 0, after_id
        made = await tx.fetchrow(_BIND[strand.table], after_id, upto_id, MOST, last, self._clock.now_ms())
        return (0, upto_id) if made is None else (made["n"], made["upto_id"])
