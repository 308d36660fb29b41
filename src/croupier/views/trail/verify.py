"""Verification of the audit trail up to its last signed checkpoint: against its rows, and against the notary.

Owns: the report, the comparison with the checkpoints outside the database, and the messages. Never: writes, or trusts the
database about what was signed. Memory use does not grow with the trail: links and checkpoints are read in parallel, in
order. Spec: money.md 5 (I12), docs/decisions/0015.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from croupier.kit.signed_lines import FIRST, SignedLine, SignedLines
from croupier.store.db import Db
from croupier.views.trail.links import COVERS, Break, Walk, walk

MOST = 100

_HEAD = "select link, rows_upto, at_ms, head from trail where link = $1"
_AT: Final = {
    "ledger": "at_ms",
    "events": "at_ms",
    "incident_log": "last_ms",
    "player_blocks": "at_ms",
    "admin_uses": "at_ms",
    "archive_files": "at_ms",
}
_WAITING = {
    table: f"""
select count(*) as rows, min({_AT[table]}) as since_ms from {table}
where {columns[0]} > coalesce((select upto_id from trail where strand = '{table}' order by link desc limit 1), 0)"""  # noqa: S608
    for table, columns in COVERS.items()
}
# An incident's row equals the last line of its log.
_INCIDENTS = """
with last as (select distinct on (incident_id) * from incident_log order by incident_id, log_id desc)
select coalesce(i.incident_id, l.incident_id) as incident_id, coalesce(i.subject_id, l.subject_id) as subject_id,
    case when i.incident_id is null then 'is gone' when l.incident_id is null then 'has no line in its log'
        else 'is not what its log says' end as what
from incidents i full join last l using (incident_id)
where (i.subject_id, i.name, i.note, i.times, i.first_ms, i.last_ms, i.closed_ms, i.closed_by, i.close_note)
    is distinct from
    (l.subject_id, l.name, l.note, l.times, l.first_ms, l.last_ms, l.closed_ms, l.closed_by, l.close_note)
order by 1 limit $1"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The rows of one table that no link covers yet."""

    table: str
    rows: int
    since_ms: int | None
    """When the oldest of them was written."""


@dataclass(frozen=True, slots=True)
class Signed:
    """The notary's last checkpoint."""

    link: int
    rows: int
    at_ms: int


@dataclass(slots=True)
class TrailReport:
    """The result of a verification. The trail holds if there is no break."""

    holds: bool = True
    notary: str = ""
    """The folder of the checkpoints."""
    key_id: str = ""
    links: int = 0
    rows: int = 0
    """The number of bound rows."""
    bound_ms: int | None = None
    """When the last link was made."""
    signed: Signed | None = None
    checkpoints: int = 0
    not_signed: int = 0
    """The number of rows bound after the last checkpoint: nothing outside the database vouches for them yet."""
    waiting: tuple[Waiting, ...] = ()
    remarks: list[str] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)


async def verify_trail(db: Db, notary: SignedLines, most: int = MOST) -> TrailReport:
    """Verify the whole trail. It stops after `most` breaks, and says so."""
    report = TrailReport(notary=str(notary.folder), key_id=notary.key_id)
    signed = _read_notary(notary, report)
    on = Walk(breaks=report.breaks)
    if await _walk_beside(db, on, signed, most=most):
        _end(on, signed, report)
    report.links, report.rows, report.bound_ms = max(on.link, 0), on.rows, on.at_ms if on.link >= 0 else None
    report.not_signed = on.rows - (report.signed.rows if report.signed else 0)
    report.breaks += [_of_incident(row) for row in await db.fetch(_INCIDENTS, most)]
    report.waiting = await waiting(db)
    if len(report.breaks) >= most:
        report.remarks.append(f"stopped after {most} breaks: there may be more")
    report.holds = not report.breaks
    return report


async def waiting(db: Db) -> tuple[Waiting, ...]:
    """Return the rows that are not bound yet, table by table."""
    found = []
    for table, sql in _WAITING.items():
        row = await db.fetchrow(sql)
        assert row is not None
        found.append(Waiting(table, row["rows"], row["since_ms"]))
    return tuple(found)


def _of_incident(row: Mapping[str, Any]) -> Break:
    about = f", about {row['subject_id']}," if row["subject_id"] else ""
    return Break(
        "incident", f"incident {row['incident_id']}{about} {row['what']}", None, "incidents", row["incident_id"]
    )


# --- the notary ------------------------------------------------------------------------------------------


class _Checkpoints:
    """An iterator over the checkpoints that count, in order, with a look ahead."""

    def __init__(self, lines: Iterator[SignedLine]) -> None:
        self._lines = lines
        self.next: SignedLine | None = next(lines, None)
        self.trail: str | None = None if self.next is None else self.next.said["trail"]

    def take(self) -> SignedLine | None:
        """Return the next checkpoint and advance."""
        taken, self.next = self.next, next(self._lines, None)
        return taken


def _read_notary(notary: SignedLines, report: TrailReport) -> _Checkpoints:
    """Check the lines, and begin at a person's last voucher."""
    try:
        start = _check_lines(notary, report)
    except OSError as error:
        why = f"the checkpoints in {notary.folder} cannot be read: {error.strerror or error}"
        report.breaks.append(Break("unsigned", why))
        return _Checkpoints(iter(()))
    return _Checkpoints(line for n, line in enumerate(notary.lines()) if n >= start and line and _says_all(line))


def _check_lines(notary: SignedLines, report: TrailReport) -> int:
    """Check that each line follows the one before, and that the last one has our key. Return the line number to begin at."""
    before, start, torn, last = FIRST, 0, 0, None
    for n, line in enumerate(notary.lines()):
        if line is None or not _says_all(line):
            torn += 1
            continue
        if line.before != before:
            report.breaks.append(Break("checkpoint", f"line {n + 1} of the checkpoints does not follow the one before"))
        elif line.said["what"] == "vouched" and notary.is_ours(line):
            start = n
            report.remarks.append(_vouched(line))
            report.breaks.clear()
        before, last = line.digest, line
        report.checkpoints += 1
    if torn:
        report.remarks.append(
            f"{torn} lines of the checkpoints are not whole: a crash tears a line, and so does a hand"
        )
    _check_last(notary, last, report)
    return start


def _says_all(line: SignedLine) -> bool:
    said = line.said
    numbers = all(type(said.get(name)) is int for name in ("link", "rows", "at_ms"))
    texts = ("trail", "head", "key") + (("author", "reason") if said.get("what") == "vouched" else ())
    return numbers and said.get("what") in ("checkpoint", "vouched") and all(type(said.get(t)) is str for t in texts)


def _vouched(line: SignedLine) -> str:
    said = line.said
    return f"{said['author']} vouched for the trail as it stood on {_instant(said['at_ms'])}: {said['reason']}"


def _check_last(notary: SignedLines, last: SignedLine | None, report: TrailReport) -> None:
    if last is None:
        return
    said = last.said
    if not notary.is_ours(last):
        why = f"the last checkpoint is signed by key {said.get('key')}, and this home's key is {notary.key_id}"
        if said.get("key") == notary.key_id:
            why = "the last checkpoint is not what was signed"
        report.breaks.append(Break("checkpoint", why))
    report.signed = Signed(said["link"], said["rows"], said["at_ms"])


async def _walk_beside(db: Db, on: Walk, signed: _Checkpoints, *, most: int) -> bool:
    """Walk the chain and compare each signed link. Return False if the walk did not reach the end."""
    async for at in walk(db, on, most=most):
        if at.link == 0 and signed.trail not in (None, at.head.hex()):
            on.breaks.append(Break("checkpoint", _other_trail(signed, at.head.hex()), 0))
            return False
        while signed.next is not None and signed.next.said["link"] <= at.link:
            _compare(on, signed.take())
    return len(on.breaks) < most


def _other_trail(signed: _Checkpoints, begun: str) -> str:
    return (
        f"the checkpoints are of trail {str(signed.trail)[:16]}, and this database's trail begins with {begun[:16]}: "
        "it is another database, or its chain was made anew from the beginning"
    )


def _compare(on: Walk, line: SignedLine | None) -> None:
    assert line is not None
    said = line.said
    if said["link"] < on.link:
        on.breaks.append(
            Break("checkpoint", f"the checkpoint of {_instant(said['at_ms'])} names link {said['link']}, which is gone")
        )
    elif (said["head"], said["rows"]) != (on.head.hex(), on.rows):
        on.breaks.append(Break("checkpoint", f"link {on.link} is not the one {_signed_on(said)}: {_ANEW}", on.link))


_ANEW = "the chain was made anew, or an older copy of the database was put back and has gone on from there"
_CUT = "its end was cut off, or an older copy of the database was put back"


def _signed_on(said: Mapping[str, Any]) -> str:
    return f"that was signed on {_instant(said['at_ms'])}"


def _end(on: Walk, signed: _Checkpoints, report: TrailReport) -> None:
    """Report signed links that are missing, and a chain without a signature."""
    beyond = signed.next
    if beyond is not None:
        where = f"ends at link {on.link}" if on.link >= 0 else "is empty"
        why = (
            f"the chain {where}, and link {beyond.said['link']} was signed on {_instant(beyond.said['at_ms'])}: {_CUT}"
        )
        report.breaks.append(Break("checkpoint", why, beyond.said["link"]))
    if report.signed is None and on.link >= 0 and not any(b.kind == "unsigned" for b in on.breaks):
        why = (
            f"there is no checkpoint in {report.notary}: nothing outside of the database vouches for the chain. Is it "
            "the right folder (CROUPIER_TRAIL_DIR), and does `croupier serve` run?"
        )
        report.breaks.append(Break("unsigned", why))


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
