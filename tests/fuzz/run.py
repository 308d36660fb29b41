"""Runs the targets over inputs by the thousand, and says what was found. `make fuzz` writes it to docs/proof.

Beside what a target's check finds: an input may take 50 ms of processor time at most (an input that takes longer is
tried again twice, so that a pause of the machine is no finding), and nothing may stay in memory.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.breed import Breeder
from tests.fuzz.stopwatch import WATCH
from tests.fuzz.targets import TARGETS, Target

LITTER = 500
"""So many inputs of one target are bred of one source of chance, `seed:target:litter`."""
SLOW_MS = 50.0
TRIES = 3
GROWTH_BLOCKS = 5_000
"""Python's own blocks that may be left over after the last litters, all targets together."""
GROWTH_KB = 32_768
"""How far the process may grow after the first tenth: buffers and caches fill, leaks go on."""


@dataclass
class Tally:
    """What became of one target's inputs."""

    target: str
    inputs: int = 0
    taken: int = 0
    refused: int = 0
    worst_ms: float = 0.0


@dataclass(frozen=True)
class Finding:
    """One input that a reader did not stand."""

    target: str
    litter: str
    what: str
    input: str


@dataclass
class Report:
    """A whole run."""

    seed: str
    commit: str = ""
    inputs: int = 0
    seconds: float = 0.0
    grown_blocks: int = 0
    grown_kb: int = 0
    tallies: list[Tally] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Nothing was found, and nothing grew."""
        return not self.findings and self.grown_blocks <= GROWTH_BLOCKS and self.grown_kb <= GROWTH_KB


def run(inputs: int, seed: str = "1", targets: Sequence[Target] = TARGETS) -> Report:
    """At least so many inputs, spread over the targets in turns; stops when much is found."""
    report = Report(seed, tallies=[Tally(target.name) for target in targets])
    started, before = time.perf_counter(), (0, 0)
    litters = -(-inputs // (LITTER * len(targets)))
    collecting = gc.isenabled()
    gc.disable()  # a collection that falls into an input is no cost of the input
    gc.freeze()  # what was there before is not looked at again and again
    try:
        for litter in range(litters):
            if litter == -(-litters // 10):
                before = size()
            for target, tally in zip(targets, report.tallies, strict=True):
                _litter(report, target, tally, f"{seed}:{target.name}:{litter}")
            gc.collect()
            if len(report.findings) >= 3 * len(targets):
                break
    finally:
        gc.unfreeze()
        if collecting:
            gc.enable()
    after = size()
    if before != (0, 0):
        report.grown_blocks, report.grown_kb = after[0] - before[0], after[1] - before[1]
    report.inputs = sum(tally.inputs for tally in report.tallies)
    report.seconds = round(time.perf_counter() - started, 1)
    return report


def _litter(report: Report, target: Target, tally: Tally, name: str) -> None:
    breeder = Breeder(name)
    for _ in range(LITTER):
        bred = target.breed(breeder)
        what, taken, took_ms = judged(target, bred)
        tally.inputs += 1
        tally.taken += taken
        tally.refused += not taken
        tally.worst_ms = max(tally.worst_ms, took_ms)
        if what:
            report.findings.append(Finding(target.name, name, what, repr(bred)[:2000]))
            return  # one of a litter tells enough


def judged(target: Target, bred: Any) -> tuple[str, bool, float]:
    """What is wrong with the reading, if anything, whether it was taken, and its processor time."""
    best_ms = float("inf")
    taken = False
    for _ in range(TRIES):
        WATCH.start()
        try:
            taken = target.check(bred)
        except Exception as problem:  # noqa: BLE001 - whatever it is, it is a finding
            return f"{type(problem).__name__}: {problem}"[:500], False, 0.0
        best_ms = min(best_ms, WATCH.longest_ms())
        if best_ms < SLOW_MS / 4:
            break
    return (f"took {best_ms:.0f} ms" if best_ms > SLOW_MS else ""), taken, best_ms


def size() -> tuple[int, int]:
    """Blocks that Python holds, and the memory of the process in KB."""
    gc.collect()
    return sys.getallocatedblocks(), _resident_kb()


def _resident_kb() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


# --- the proof ------------------------------------------------------------------------------------------------------


def machine() -> dict[str, object]:
    """Where it ran."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
    }


def commit() -> str:
    """What was read; a star says that something was not committed."""
    head = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
    dirty = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, check=False)
    return (head.stdout.strip() or "unknown") + ("*" if dirty.stdout.strip() else "")


def proof(report: Report) -> str:
    """The page."""
    rows = "\n".join(
        f"| `{t.target}` | {t.inputs:,} | {t.taken:,} | {t.refused:,} | {t.worst_ms:.1f} |" for t in report.tallies
    )
    where = ", ".join(f"{name} {value}" for name, value in machine().items())
    worst = max(tally.worst_ms for tally in report.tallies)
    return f"""# Fuzz: {report.inputs:,} inputs, {len(report.findings)} findings

Written by `make fuzz` (seed {report.seed}, commit {report.commit}, {where}; {report.seconds:.0f} s). The same figures for
programs: [fuzz.json](fuzz.json). What a target is and what must hold of its readings: `tests/fuzz/targets.py`.

- No exception outside of the closed list of each reader.
- What the hub reads is what a second reader finds in the bytes (`tests/fuzz/apart.py`), which shares no code with it.
  For JSON, amounts, bet calls, signatures, token requests and yes in accepts it holds the other way round as well.
- No reading is a yes unless the bytes say so. What the hub writes is read back as what it was.
- The worst input took {worst:.1f} ms of processor time in the hub's code; the bound is {SLOW_MS:.0f} ms.
- After the first tenth of the run Python held {report.grown_blocks:+,} blocks, the process {report.grown_kb:+,} KB.

| target | inputs | taken | refused | worst ms |
| --- | --- | --- | --- | --- |
{rows}
"""


def main(words: Sequence[str] | None = None) -> int:
    """The command behind `make fuzz`."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--inputs", type=int, default=1_000_000)
    asked.add_argument("--seed", default="1")
    asked.add_argument("--only", action="append", default=[], help="a target; may be repeated")
    asked.add_argument("--proof", type=Path, help="a folder to write fuzz.md and fuzz.json to")
    told = asked.parse_args(words)
    targets = [target for target in TARGETS if not told.only or target.name in told.only]
    at = commit()
    report = run(told.inputs, told.seed, targets)
    report.commit = at
    if told.proof and report.holds:
        told.proof.mkdir(parents=True, exist_ok=True)
        facts = {"machine": machine(), **asdict(report)}
        (told.proof / "fuzz.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        (told.proof / "fuzz.md").write_text(proof(report), encoding="utf-8")
    print(proof(report))
    for finding in report.findings:
        print(json.dumps(asdict(finding), indent=1))
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
