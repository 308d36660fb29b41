"""The deletion of entries and events that a signed archive holds, and what stays in their place.

Owns: the rows of `archive_files`, `archived`, `archived_digests` and `archived_sums`, and the one transaction that writes them and deletes.
Never: reads a file, or decides what may go (apps.prune). Rows of bets, cashbacks and payments stay: a repeat meets them. Spec: decision 0104.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from croupier.store.db import Db, Tx
from croupier.store.oversight.trail import STRANDS, digest_sql

BUCKET: Final = 4096
"""Numbers of rows whose digests lie together, as migration 0029 says."""
STRANDS_DELETED: Final = tuple(strand for strand in STRANDS if strand.table in ("ledger", "events"))

_BEGIN = """
insert into archive_files (at_ms, sha256, before_ms, part, key, author, reason)
values ($1, $2, $3, $4, $5, $6, $7) returning file_id"""
# Whoever changes one of them writes its row, and waits.
_LOCK_BETS = "select bet_id from bets where bet_id = any($1::bigint[]) order by bet_id for update"
_LOCK_CASHBACKS = (
    "select cashback_id from cashbacks where cashback_id = any($1::bigint[]) order by cashback_id for update"
)
_GONE = "select subject_id from archived where subject_id = any($1::bigint[])"
_BOUND = "select coalesce(max(upto_id), 0) from trail where strand = $1"
_DIGESTS = " union all ".join(
    f"select '{s.table}' as strand, {s.key} as id, {digest_sql(s)} as digest from {s.table} where subject_id = any($2::bigint[])"
    for s in STRANDS_DELETED
)
_KEEP_DIGESTS = f"""
insert into archived_digests (strand, bucket, first_id, ids, digests, file_id)
select strand, id / {BUCKET}, min(id), array_agg(id order by id), string_agg(digest, ''::bytea order by id), $1
from ({_DIGESTS}) gone group by strand, id / {BUCKET}"""
_KEEP_SUMS = """
insert into archived_sums (file_id, day_ms, casino_id, provider_id, game_id, country, is_test, source, target, currency, why,
    entries, amount)
select $1, l.at_ms / 86400000 * 86400000, coalesce(b.casino_id, k.casino_id), b.provider_id, b.game_id, p.country, p.is_test,
    l.source, l.target, l.currency, l.why, count(*), sum(l.amount)
from ledger l left join bets b on b.bet_id = l.subject_id left join cashbacks k on k.cashback_id = l.subject_id
left join players p on p.player_id = coalesce(b.player_id, k.player_id)
where l.subject_id = any($2::bigint[]) group by 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"""
_PAGES = "select pg_relation_size($1::text::regclass) / current_setting('block_size')::bigint"
_RANGE = 32
"""Pages that divide every range of both indexes."""
_MOST_PAGES = 32_000
_EACH = f"generate_series($2::bigint, $3::bigint - 1, {_RANGE}) page"
_FORGET = f"select count(*) from (select brin_desummarize_range($1::text::regclass, page) from {_EACH}) done"
_SUM_UP = f"select sum(brin_summarize_range($1::text::regclass, page)) from {_EACH}"
_MARK = "insert into archived (subject_id, file_id) select unnest($2::bigint[]), $1"


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A verified archive file and who has its rows deleted. `sha256` and `key` as its signature says."""

    sha256: str
    before_ms: int
    part: int
    key: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeletedRows:
    """Numbers of deleted rows."""

    entries: int
    events: int


async def begin_file(tx: Tx, file: ArchiveFile, now_ms: int) -> int:
    """Record that rows of this file are deleted from now on, and return the number of this deletion."""
    return int(
        await tx.fetchval(_BEGIN, now_ms, file.sha256, file.before_ms, file.part, file.key, file.author, file.reason)
    )


async def bound_upto(db: Db) -> dict[str, int]:
    """Return per table the number of the last row that the trail has bound."""
    return {strand.table: int(await db.fetchval(_BOUND, strand.table)) for strand in STRANDS_DELETED}


async def lock_subjects(tx: Tx, subject_ids: Sequence[int]) -> set[int]:
    """Lock these bets and cashbacks against changes. Return those whose entries and events are deleted already."""
    await tx.fetch(_LOCK_BETS, subject_ids)
    await tx.fetch(_LOCK_CASHBACKS, subject_ids)
    return {row["subject_id"] for row in await tx.fetch(_GONE, subject_ids)}


async def delete_rows(tx: Tx, file_id: int, subject_ids: Sequence[int]) -> DeletedRows:
    """Delete the entries and events of these, and keep their digests and sums. All of them are bound by the trail."""
    await tx.execute(_KEEP_DIGESTS, file_id, subject_ids)
    await tx.execute(_KEEP_SUMS, file_id, subject_ids)
    await tx.execute(_MARK, file_id, subject_ids)
    entries = await tx.execute("delete from ledger where subject_id = any($1::bigint[])", subject_ids)
    events = await tx.execute("delete from events where subject_id = any($1::bigint[])", subject_ids)
    return DeletedRows(entries, events)


async def tidy(db: Db) -> None:
    """Free the space of deleted rows, and sum up anew where which numbers and times lie.

    Vacuum keeps the old summaries. New rows in freed pages would then widen each to everything, and a reader of a few rows would read
    all of the freed part. It takes as long as reading both tables once, and locks nobody out.
    """
    await db.execute("vacuum ledger, events")
    for index, table in (("events_by_id", "events"), ("ledger_by_time", "ledger")):
        pages = int(await db.fetchval(_PAGES, table))
        for first in range(0, pages, _MOST_PAGES):
            last = min(first + _MOST_PAGES, pages)
            await db.fetch(_FORGET, index, first, last)
            await db.fetch(_SUM_UP, index, first, last)
