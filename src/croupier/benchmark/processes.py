"""What the kernel says of processes, processors and the disk. It needs Linux.

Owns: processor time of a tree of processes, the choice of processors for the load sides, the machine's description, the time of a
sync to disk. Never: starts or ends a process. Spec: operate.md 2.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from croupier.benchmark.schedule import percentile
from croupier.kit.clock import monotonic_s

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
SYNCS = 200
SYNC_BYTES = 8192
PROCESSORS_TO_SHARE = 4
"""With fewer processors than this the hub may use all of them, and both load sides share the last one."""


def own_cpu_s() -> float:
    """Return the processor seconds that this process has used."""
    return time.process_time()


def _fields(pid: int) -> list[str]:
    """Return the fields of a process from its state on, or nothing if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def children(pid: int) -> list[int]:
    """Return the processes that this one started and that still run."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def tree_cpu_s(pid: int, *, without: Iterable[int] = ()) -> float:
    """Return the processor seconds of a process, its children that have ended, and all that runs below it."""
    fields = _fields(pid)
    own_s = sum(int(field) for field in fields[11:15]) * TICK_S if fields else 0.0
    below = [child for child in children(pid) if child not in set(without)]
    return own_s + sum(tree_cpu_s(child, without=without) for child in below)


@cache
def load_processors() -> tuple[str, str]:
    """Return the processors of the casino's and the provider's side, as text; empty where there is only one.

    The first answer holds: `leave_load_processors` takes these away from this process.
    """
    known = sorted(os.sched_getaffinity(0))
    if len(known) == 1:
        return "", ""
    if len(known) < PROCESSORS_TO_SHARE:
        return str(known[-1]), str(known[-1])
    return str(known[-2]), str(known[-1])


def leave_load_processors() -> set[int]:
    """Keep this process and those that it starts off the processors of the load sides. Return where it was allowed before.

    Where there are few processors it changes nothing.
    """
    known = os.sched_getaffinity(0)
    if len(known) >= PROCESSORS_TO_SHARE:
        os.sched_setaffinity(0, known - {int(processor) for processor in load_processors()})
    return known


def machine() -> dict[str, Any]:
    """Return what a reader must know of the machine to compare figures."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def sync_ms(folder: Path) -> dict[str, float]:
    """Return p50 and p99 of the time that this disk takes to write 8 KB and sync them, in milliseconds."""
    path, waits_s = folder / "sync-probe", []
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        for _ in range(SYNCS):
            began_s = monotonic_s()
            os.pwrite(descriptor, b"x" * SYNC_BYTES, 0)
            os.fdatasync(descriptor)
            waits_s.append(monotonic_s() - began_s)
    finally:
        os.close(descriptor)
        path.unlink()
    ordered = sorted(waits_s)
    return {"p50_ms": round(percentile(ordered, 0.5) * 1000, 2), "p99_ms": round(percentile(ordered, 0.99) * 1000, 2)}
