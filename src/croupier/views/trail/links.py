"""The links of the audit trail, each recomputed from the rows that it covers.

Owns: the second implementation of the chain: its own list of tables, text of a row and SHA-256. It runs outside the
database, so that replaced database functions cannot hide a change. Never: shares code with store.trail, writes, or reads a
whole table: pages have at most `PAGE_ROWS` rows. Spec: money.md 5 (I12), docs/decisions/0015.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, Literal, TypeAlias

from croupier.store.db import Db, Row, Tx

BreakKind: TypeAlias = Literal["edited", "missing", "inserted", "chain", "incident", "checkpoint", "unsigned"]

COVERS: Final[Mapping[str, tuple[str, ...]]] = {
    "ledger": (
        "entry_id", "subject_id", "source", "target", "amount", "currency", "why", "author", "version", "at_ms",
    ),
    "events": (
        "event_id", "subject_id", "version", "at_ms", "event", "state", "detail", "author", "process", "mark",
    ),
    "incident_log": (
        "log_id", "incident_id", "subject_id", "name", "note", "times", "first_ms", "last_ms", "closed_ms", "closed_by",
        "close_note",
    ),
    "player_blocks": ("block_id", "player_id", "blocked", "reason", "author", "at_ms"),
    "admin_uses": ("use_id", "at_ms", "account", "command", "parameters", "address", "refused"),
    "archive_files": ("file_id", "at_ms", "sha256", "before_ms", "part", "key", "author", "reason"),
}  # fmt: skip
"""The tables and all their columns, the number of the row first."""

PAGE_LINKS: Final = 500
PAGE_ROWS: Final = 20_000
EXTRA: Final = 1000
"""The most inserted rows that are read in one page."""
PRINT_BYTES: Final = 8


_Digest: TypeAlias = tuple[int, bytes]
"""The number of a row, and its SHA-256."""


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that is not as it was bound or signed."""

    kind: BreakKind
    what: str
    link: int | None = None
    table: str | None = None
    row_id: int | None = None


@dataclass(slots=True)
class Walk:
    """The position of a walk along the chain, and what it found."""

    link: int = -1
    rows: int = 0
    """The number of rows covered up to this link, as the links say."""
    at_ms: int = 0
    head: bytes = b""
    upto: dict[str, int] = field(default_factory=dict)
    """Per table the number of the last covered row."""
    looked_at: int = 0
    breaks: list[Break] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Link:
    link: int
    strand: str
    after_id: int
    upto_id: int
    ids: Sequence[int]
    prints: bytes
    rows_upto: int
    at_ms: int
    head: bytes


_LINKS = """
select link, strand, after_id, upto_id, ids, prints, rows_upto, at_ms, head from trail
where link > $1 order by link limit $2"""
_BEFORE = "select link, rows_upto, at_ms, head from trail where link = $1"
_UPTO = """
select s.strand, t.upto_id from unnest($2::text[]) s(strand), lateral (
    select upto_id from trail where strand = s.strand and link <= $1 order by link desc limit 1) t"""
# Rows that were deleted after an archive had them (decision 0104), with the digest of each. The trail binds the name of the archive:
# without one a digest proves nothing.
_ARCHIVED = """
select u.id, substr(a.digests, (u.n::integer - 1) * 32 + 1, 32) as digest
from archived_digests a cross join lateral unnest(a.ids) with ordinality u(id, n)
join archive_files f on f.file_id = a.file_id
where a.strand = $1 and a.bucket between $2::bigint / 4096 and $3::bigint / 4096 and u.id > $2 and u.id <= $3 order by u.id"""
_ANY_ARCHIVED = "select exists(select from archived_digests)"
# Without this the planner would scan a young table for each page.
_BY_NUMBER = "set local enable_seqscan = off"


def _text(value: Any) -> str:  # noqa: ANN401 - whatever a column holds
    return "-" if value is None else _framed(str(value).lower() if isinstance(value, bool) else str(value))


def _framed(text: str) -> str:
    return f"{len(text)}:{text}"


def digest(table: str, row: Row) -> bytes:
    """Return the SHA-256 of a row: the name of the table, then every column, each preceded by its length."""
    text = _framed(table) + "".join(_text(row[name]) for name in COVERS[table])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def head_of(before: bytes, link: _Link, digests: Sequence[bytes]) -> bytes:
    """Return the SHA-256 over the previous head, the link's own fields and the digests of its rows."""
    said = ("link", link.link, link.strand, link.after_id, link.upto_id, len(digests), link.rows_upto, link.at_ms)
    whole = hashlib.sha256(before + "".join(map(_text, said)).encode())
    whole.update(b"".join(digests))
    return whole.digest()


async def walk_from(db: Db, link: int) -> Walk:
    """Return the position from which a walk continues after this link; the beginning if there is no such link."""
    row = await db.fetchrow(_BEFORE, link)
    if row is None:
        return Walk()
    upto = {r["strand"]: r["upto_id"] for r in await db.fetch(_UPTO, link, list(COVERS))}
    return Walk(row["link"], row["rows_upto"], row["at_ms"], row["head"], upto)


async def walk(db: Db, on: Walk, *, most: int, page_rows: int = PAGE_ROWS) -> AsyncIterator[Walk]:
    """Walk on, link by link, until the chain ends or `most` breaks are found. Yields `on` after each link.

    A page of 20,000 rows is some tenths of a second of pure computing: who has other work asks for smaller ones.
    """
    while len(on.breaks) < most:
        async with db.transaction(snapshot=True) as tx:
            await tx.execute(_BY_NUMBER)
            page = _fitting([_Link(**row) for row in await tx.fetch(_LINKS, on.link, PAGE_LINKS)], page_rows)
            rows = await _rows_of(tx, page)
            archived = await _archived_of(tx, page) if await tx.fetchval(_ANY_ARCHIVED) else {}
        if not page:
            return
        for link in page:
            step(on, link, rows[link.link], archived=archived.get(link.link, ()))
            yield on
            if len(on.breaks) >= most:
                return


def step(on: Walk, link: _Link, rows: Sequence[Row], *, archived: Sequence[_Digest] = ()) -> None:
    """Take one link: what it says must follow from what was before and from its rows, or their digests in an archive's stead."""
    if link.link != on.link + 1:
        gone = f"link {on.link + 1} is" if link.link == on.link + 2 else f"links {on.link + 1} to {link.link - 1} are"
        on.breaks.append(Break("chain", f"{gone} gone from the chain", on.link + 1))
    if link.link == 0:
        on.breaks += _beginning(link)
    else:
        on.breaks += _found(on, link, rows, archived=archived)
        on.upto[link.strand] = link.upto_id
    on.looked_at += len(rows) + len(archived)
    on.link, on.rows, on.at_ms, on.head = link.link, link.rows_upto, link.at_ms, link.head


def _beginning(link: _Link) -> list[Break]:
    said = (link.strand, link.after_id, link.upto_id, len(link.ids), link.rows_upto, len(link.head))
    return [] if said == ("", 0, 0, 0, 0, 32) else [Break("chain", "link 0 is not the beginning of a chain", 0)]


def _found(on: Walk, link: _Link, rows: Sequence[Row], *, archived: Sequence[_Digest]) -> list[Break]:
    """Return the breaks of one link and its rows, naming the rows where possible."""
    if link.strand not in COVERS:
        return [Break("chain", f"link {link.link} covers {link.strand!r}, which is no table of the trail", link.link)]
    found = []
    if link.after_id != on.upto.get(link.strand, 0):
        found.append(_not_as_made(link, f"leaves out or repeats rows of {link.strand}"))
    there: list[_Digest] = [(row[COVERS[link.strand][0]], digest(link.strand, row)) for row in rows]
    if archived:
        there = sorted([*there, *archived])
    digests = [one for _, one in there]
    if head_of(on.head, link, digests) == link.head:
        same = [row_id for row_id, _ in there] == list(link.ids)
        if same and b"".join(d[:PRINT_BYTES] for d in digests) == link.prints:
            return found
        return [*found, _not_as_made(link, "lists other rows than it covers")]
    named = list(islice(_named(link, there), EXTRA))
    return found + (named or [_not_as_made(link, "does not follow from the one before and its rows")])


def _not_as_made(link: _Link, why: str) -> Break:
    return Break("chain", f"link {link.link} is not as it was made: it {why}", link.link)


def _named(link: _Link, found: Sequence[_Digest]) -> Iterable[Break]:
    """Yield the rows that differ from what the link lists."""
    listed = {i: link.prints[n * PRINT_BYTES : (n + 1) * PRINT_BYTES] for n, i in enumerate(link.ids)}
    there = {row_id: one[:PRINT_BYTES] for row_id, one in found}
    twice = {row_id for row_id, times in Counter(row_id for row_id, _ in found).items() if times > 1}
    for row_id in sorted(listed.keys() | there.keys()):
        name = f"row {row_id} of {link.strand}"
        if row_id not in there:
            yield Break("missing", f"{name} is gone", link.link, link.strand, row_id)
        elif row_id not in listed or row_id in twice:
            yield Break("inserted", f"{name} was put in among bound rows", link.link, link.strand, row_id)
        elif listed[row_id] != there[row_id]:
            yield Break("edited", f"{name} is not what it was when it was bound", link.link, link.strand, row_id)


def _fitting(links: list[_Link], most: int) -> list[_Link]:
    """Return as many of the first links as fill a page, at least one."""
    rows = 0
    for n, link in enumerate(links):
        rows += len(link.ids)
        if rows > most and n:
            return links[:n]
    return links


async def _rows_of(tx: Tx, page: Sequence[_Link]) -> dict[int, Sequence[Row]]:
    """Return the rows in each link's range, with one query per table."""
    found: dict[int, Sequence[Row]] = {link.link: () for link in page}
    for table in COVERS:
        links = [link for link in page if link.strand == table]
        if links:
            found |= await _rows_of_table(tx, table, links)
    return found


async def _archived_of(tx: Tx, page: Sequence[_Link]) -> dict[int, Sequence[_Digest]]:
    """Return the digests of the deleted rows in each link's range."""
    found: dict[int, Sequence[_Digest]] = {}
    for table in ("ledger", "events"):
        links = [link for link in page if link.strand == table]
        if links:
            low, high = min(link.after_id for link in links), max(link.upto_id for link in links)
            gone = [(row["id"], row["digest"]) for row in await tx.fetch(_ARCHIVED, table, _bottom(low), high)]
            ids = [row_id for row_id, _ in gone]
            for link in links:
                first = bisect_left(ids, link.after_id + 1) if link.after_id > 0 else 0
                found[link.link] = gone[first : bisect_left(ids, link.upto_id + 1)]
    return found


async def _rows_of_table(tx: Tx, table: str, links: Sequence[_Link]) -> dict[int, Sequence[Row]]:
    key, listed = COVERS[table][0], sum(len(link.ids) for link in links)
    low, high = min(link.after_id for link in links), max(link.upto_id for link in links)
    rows = await _between(tx, table, (low, high), most=listed + EXTRA)
    if len(rows) == listed + EXTRA and len(links) > 1:
        # So many rows were inserted that one query does not reach the end: read each link separately.
        return {link.link: (await _rows_of_table(tx, table, [link]))[link.link] for link in links}
    ids = [row[key] for row in rows]

    def place(bound: int) -> int:
        return 0 if bound <= 0 else bisect_left(ids, bound + 1)

    return {link.link: rows[place(link.after_id) : place(link.upto_id)] for link in links}


async def _between(tx: Tx, table: str, bounds: tuple[int, int], *, most: int) -> Sequence[Row]:
    """Return rows by number. Numbers begin at 1: lower ones belong to the link that covers the first rows."""
    key = COVERS[table][0]
    low, high = bounds
    sql = f"select {', '.join(COVERS[table])} from {table} where {key} > $1 and {key} <= $2 order by {key} limit $3"  # noqa: S608
    return await tx.fetch(sql, _bottom(low), high, most)


def _bottom(low: int) -> int:
    return low if low > 0 else -(2**63)
