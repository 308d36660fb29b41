"""The audit trail's links, each computed anew from the rows that it covers.

Owns: the second implementation of the chain: its own list of tables, its own text of a row, its own SHA-256, outside of
the database, so that functions replaced in there cannot answer for it. Never: shares code with store.trail, writes, or
reads a whole table: pages of at most `PAGE_ROWS` rows. Spec: money.md 5 (I12), docs/decisions/0015.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
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
}  # fmt: skip
"""The tables and all their columns, the number of the row first."""

PAGE_LINKS: Final = 500
PAGE_ROWS: Final = 20_000
EXTRA: Final = 1000
"""Rows that were put in among the bound ones, and are looked at in one page at most."""
PRINT_BYTES: Final = 8


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
    """How far the chain was walked, and what was found on the way."""

    link: int = -1
    rows: int = 0
    """Rows that the chain covers up to here, as its links say."""
    at_ms: int = 0
    head: bytes = b""
    upto: dict[str, int] = field(default_factory=dict)
    """Per table the number of the last row that is covered."""
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
# The planner would rather read a young table whole, for each page again.
_BY_NUMBER = "set local enable_seqscan = off"


def _text(value: Any) -> str:  # noqa: ANN401 - whatever a column holds
    return "-" if value is None else _framed(str(value).lower() if isinstance(value, bool) else str(value))


def _framed(text: str) -> str:
    return f"{len(text)}:{text}"


def digest(table: str, row: Row) -> bytes:
    """SHA-256 of a row: the table's name, then every column, each with its length before it."""
    text = _framed(table) + "".join(_text(row[name]) for name in COVERS[table])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def head_of(before: bytes, link: _Link, digests: Sequence[bytes]) -> bytes:
    """SHA-256 over the head before, what the link says of itself, and the digests of its rows."""
    said = ("link", link.link, link.strand, link.after_id, link.upto_id, len(digests), link.rows_upto, link.at_ms)
    whole = hashlib.sha256(before + "".join(map(_text, said)).encode())
    whole.update(b"".join(digests))
    return whole.digest()


async def walk_from(db: Db, link: int) -> Walk:
    """Where a walk that came as far as this link goes on; at the very beginning if there is no such link."""
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
        if not page:
            return
        for link in page:
            step(on, link, rows[link.link])
            yield on
            if len(on.breaks) >= most:
                return


def step(on: Walk, link: _Link, rows: Sequence[Row]) -> None:
    """Take one link: what it says must follow from what was before and from its rows."""
    if link.link != on.link + 1:
        gone = f"link {on.link + 1} is" if link.link == on.link + 2 else f"links {on.link + 1} to {link.link - 1} are"
        on.breaks.append(Break("chain", f"{gone} gone from the chain", on.link + 1))
    if link.link == 0:
        on.breaks += _beginning(link)
    else:
        on.breaks += _found(on, link, rows)
        on.upto[link.strand] = link.upto_id
    on.looked_at += len(rows)
    on.link, on.rows, on.at_ms, on.head = link.link, link.rows_upto, link.at_ms, link.head


def _beginning(link: _Link) -> list[Break]:
    said = (link.strand, link.after_id, link.upto_id, len(link.ids), link.rows_upto, len(link.head))
    return [] if said == ("", 0, 0, 0, 0, 32) else [Break("chain", "link 0 is not the beginning of a chain", 0)]


def _found(on: Walk, link: _Link, rows: Sequence[Row]) -> list[Break]:
    """What is wrong with one link and its rows; the rows are named where they can be."""
    if link.strand not in COVERS:
        return [Break("chain", f"link {link.link} covers {link.strand!r}, which is no table of the trail", link.link)]
    found = []
    if link.after_id != on.upto.get(link.strand, 0):
        found.append(_not_as_made(link, f"leaves out or repeats rows of {link.strand}"))
    digests = [digest(link.strand, row) for row in rows]
    if head_of(on.head, link, digests) == link.head:
        same = [row[COVERS[link.strand][0]] for row in rows] == list(link.ids)
        if same and b"".join(d[:PRINT_BYTES] for d in digests) == link.prints:
            return found
        return [*found, _not_as_made(link, "lists other rows than it covers")]
    named = list(islice(_named(link, rows, digests), EXTRA))
    return found + (named or [_not_as_made(link, "does not follow from the one before and its rows")])


def _not_as_made(link: _Link, why: str) -> Break:
    return Break("chain", f"link {link.link} is not as it was made: it {why}", link.link)


def _named(link: _Link, rows: Sequence[Row], digests: Sequence[bytes]) -> Iterable[Break]:
    """The rows that differ from what the link lists."""
    listed = {i: link.prints[n * PRINT_BYTES : (n + 1) * PRINT_BYTES] for n, i in enumerate(link.ids)}
    there = {row[COVERS[link.strand][0]]: d[:PRINT_BYTES] for row, d in zip(rows, digests, strict=True)}
    for row_id in sorted(listed.keys() | there.keys()):
        name = f"row {row_id} of {link.strand}"
        if row_id not in there:
            yield Break("missing", f"{name} is gone", link.link, link.strand, row_id)
        elif row_id not in listed:
            yield Break("inserted", f"{name} was put in among bound rows", link.link, link.strand, row_id)
        elif listed[row_id] != there[row_id]:
            yield Break("edited", f"{name} is not what it was when it was bound", link.link, link.strand, row_id)


def _fitting(links: list[_Link], most: int) -> list[_Link]:
    """As many of the first links as make a page, at least one."""
    rows = 0
    for n, link in enumerate(links):
        rows += len(link.ids)
        if rows > most and n:
            return links[:n]
    return links


async def _rows_of(tx: Tx, page: Sequence[_Link]) -> dict[int, Sequence[Row]]:
    """The rows that stand where each link's rows should: one question for each table."""
    found: dict[int, Sequence[Row]] = {link.link: () for link in page}
    for table in COVERS:
        links = [link for link in page if link.strand == table]
        if links:
            found |= await _rows_of_table(tx, table, links)
    return found


async def _rows_of_table(tx: Tx, table: str, links: Sequence[_Link]) -> dict[int, Sequence[Row]]:
    key, listed = COVERS[table][0], sum(len(link.ids) for link in links)
    low, high = min(link.after_id for link in links), max(link.upto_id for link in links)
    rows = await _between(tx, table, (low, high), most=listed + EXTRA)
    if len(rows) == listed + EXTRA and len(links) > 1:
        # So much was put in that one question does not reach the end: each link by itself.
        return {link.link: (await _rows_of_table(tx, table, [link]))[link.link] for link in links}
    ids = [row[key] for row in rows]

    def place(bound: int) -> int:
        return 0 if bound <= 0 else bisect_left(ids, bound + 1)

    return {link.link: rows[place(link.after_id) : place(link.upto_id)] for link in links}


async def _between(tx: Tx, table: str, bounds: tuple[int, int], *, most: int) -> Sequence[Row]:
    """Rows by number. Numbers begin at 1: what stands below that belongs to whoever covers the first ones."""
    key = COVERS[table][0]
    low, high = bounds
    sql = f"select {', '.join(COVERS[table])} from {table} where {key} > $1 and {key} <= $2 order by {key} limit $3"  # noqa: S608
    return await tx.fetch(sql, low if low > 0 else -(2**63), high, most)
