"""The processes that work on this database, so that a new one can take over the leases of dead ones at once.

Owns: the rows of `processes`, and the check whether a process of this machine is still the same one. Never: the
takeover (calls). Spec: money.md 4.4 ("a starting hub takes over at once the leases of processes of its own
host that are gone"). Of other hosts, and of a process that is stopped, only its silence can be known.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from croupier.kit.clock import Clock
from croupier.store.db import Db

PS = "/bin/ps"
_PROC = Path("/proc")
_DEAD = frozenset("ZX")
"""States of a process that has ended and is not reaped yet."""
_STATE, _START = 0, 19
"""Fields 3 and 22 of /proc/<pid>/stat, counted from behind the name, which may hold anything."""

LATE_MS = 30_000
"""Age of a beat at which it is no sign of life any more: fifteen were missed."""

_REGISTER = """
insert into processes (process_id, host, pid, started, beat_ms) values ($1, $2, $3, $4, $5)
on conflict (process_id) do update set host = excluded.host, pid = excluded.pid, started = excluded.started,
    beat_ms = excluded.beat_ms"""


@dataclass(frozen=True, slots=True)
class _Heard:
    """The last beat of a process, and when this one saw it, by its own monotonic clock."""

    beat_ms: int
    seen_s: float


class Processes:
    """The registered processes."""

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._own: set[str] = set()
        self._heard: dict[str, _Heard] = {}

    async def register(self, process_id: str, host: str, pid: int, *, started: str) -> None:
        """Register this process. `host` is `this_host()`, `started` the `start_mark` of its pid."""
        self._own.add(process_id)
        await self._db.execute(_REGISTER, process_id, host, pid, started, self._clock.now_ms())

    async def beat(self, process_id: str) -> bool:
        """Write a beat of this process. Return False if it was removed meanwhile and must register again."""
        sql = "update processes set beat_ms = $2 where process_id = $1"
        return await self._db.execute(sql, process_id, self._clock.now_ms()) > 0

    async def gone_on_this_host(self) -> list[str]:
        """Return the ids of ended processes of this host, never one registered by this object."""
        rows = await self._db.fetch("select process_id, pid, started from processes where host = $1", this_host())
        others = [row for row in rows if row["process_id"] not in self._own]
        marks = await asyncio.to_thread(_marks, {row["pid"] for row in others})
        return sorted(row["process_id"] for row in others if marks[row["pid"]] != row["started"])

    async def silent(self, for_s: float) -> list[str]:
        """Return the ids of processes, on any host, whose beat has not changed for so long while this one was watching.

        It measures by its own clock alone, so that different clocks make no process silent.
        """
        rows = await self._db.fetch("select process_id, beat_ms from processes")
        now_s, heard = self._clock.monotonic_s(), self._heard
        self._heard = {}
        for row in rows:
            last = heard.get(row["process_id"])
            if last is None or last.beat_ms != row["beat_ms"]:
                last = _Heard(row["beat_ms"], now_s)
            self._heard[row["process_id"]] = last
        others = [name for name, last in self._heard.items() if now_s - last.seen_s >= for_s]
        return sorted(set(others) - self._own)

    async def serving(self) -> list[str]:
        """Return the ids of serving processes, as far as one query shows: a fresh beat, and on this host a running process."""
        gone = set(await self.gone_on_this_host())
        rows = await self._db.fetch(
            "select process_id from processes where beat_ms > $1 order by process_id",
            self._clock.now_ms() - LATE_MS,
        )
        return [row["process_id"] for row in rows if row["process_id"] not in gone]

    async def forget(self, process_ids: Collection[str]) -> set[str]:
        """Delete these processes; return those that existed."""
        sql = "delete from processes where process_id = any($1::text[]) returning process_id"
        return {row["process_id"] for row in await self._db.fetch(sql, list(process_ids))}


def this_host() -> str:
    """Return the name of the machine, or of the container, whose process ids are shared."""
    try:
        space = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()} {space}"


def start_mark(pid: int) -> str | None:
    """Return the operating system's start time of a process as text; None if there is no such process.

    A pid is reused after its process has ended: the process is the same only if its mark is. May block for a moment
    where there is no /proc.
    """
    return _mark_from_proc(pid) if (_PROC / "self" / "stat").exists() else _mark_from_ps(pid)


def _marks(pids: Collection[int]) -> dict[int, str | None]:
    return {pid: start_mark(pid) for pid in pids}


def _mark_from_proc(pid: int) -> str | None:
    try:
        fields = (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The start time is relative to the machine's boot.
    return None if fields[_STATE] in _DEAD else f"{boot} {fields[_START]}"


def _mark_from_ps(pid: int) -> str | None:
    asked = subprocess.run(  # noqa: S603 - a full path, and a number
        [PS, "-o", "stat=,lstart=", "-p", str(pid)],
        env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, started = asked.stdout.strip().partition(" ")
    return started.strip() if started and state[0] not in _DEAD else None
