"""The health of the hub as stored rows show it: schema, queue, leases, processes.

Owns: those counts. Never: state that only a process has, such as breakers and waiters (`/metrics` reports it). Ages are
seconds. Spec: money.md 4.4 and 4.5, operate.md 2 (`croupier doctor`).
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.store.db import Db
from croupier.store.migrate import pending
from croupier.store.money.standing import PARKED_PAYMENTS

_QUEUE = """
select count(*) as calls, count(*) filter (where ready_ms <= $1) as due,
    count(*) filter (where lease_owner is not null and lease_until_ms > $1) as leased,
    count(*) filter (where crashes > 0) as crashed, $1 - min(ready_ms) as oldest_ms from calls"""
_PROCESSES = "select process_id, host, pid, beat_ms from processes order by process_id"
_OPEN = f"""
select (select count(*) from incidents where closed_ms is null) as incidents,
    (select count(*) from payments p where {PARKED_PAYMENTS}) as parked"""  # noqa: S608 - our own list


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue of next actions."""

    calls: int
    due: int
    """Calls that are due and not leased."""
    leased: int
    crashed: int
    """Calls in flight at the death of a process, or whose lease expired."""
    oldest_due_s: float
    """The age of the oldest due call; 0 if none is due."""


@dataclass(frozen=True, slots=True)
class Process:
    """One serving process, and the age of its last beat."""

    process_id: str
    host: str
    pid: int
    silent_s: float


@dataclass(frozen=True, slots=True)
class Health:
    """The health at one moment."""

    database: str
    """PostgreSQL's version."""
    pending_migrations: tuple[str, ...]
    queue: Queue
    processes: tuple[Process, ...]
    open_incidents: int
    parked_payments: int


async def health(db: Db, now_ms: int) -> Health | None:
    """Return the hub's health at this instant; None without a schema. Raises what `pending` raises."""
    missing = await pending(db)
    if missing and not await db.fetchval("select to_regclass('calls') is not null"):
        return None
    opened = await db.fetchrow(_OPEN)
    assert opened is not None
    return Health(
        database=await db.fetchval("show server_version"),
        pending_migrations=tuple(missing),
        queue=await _queue(db, now_ms),
        processes=await _processes(db, now_ms),
        open_incidents=opened["incidents"],
        parked_payments=opened["parked"],
    )


async def _queue(db: Db, now_ms: int) -> Queue:
    row = await db.fetchrow(_QUEUE, now_ms)
    assert row is not None
    oldest_s = max(row["oldest_ms"] or 0, 0) / 1000
    return Queue(row["calls"], row["due"], row["leased"], row["crashed"], oldest_s)


async def _processes(db: Db, now_ms: int) -> tuple[Process, ...]:
    rows = await db.fetch(_PROCESSES)
    return tuple(Process(r["process_id"], r["host"], r["pid"], (now_ms - r["beat_ms"]) / 1000) for r in rows)
