"""The results of a chaos run as a page and as JSON to commit, with the command that repeats it.

Owns: the report and how it is told. Never: plays, kills or judges.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.books import BooksReport
from tests.chaos.matrix import Death
from tests.chaos.nth import Enumerated
from tests.chaos.operations import OPERATIONS
from tests.chaos.points import named_points, unpassed
from tests.chaos.reader import Reader
from tests.chaos.recovery import HUB_BACK_S, TAKEN_OVER_S
from tests.chaos.storm import Storm

WHOM = {
    "worker": f"one of two workers killed; the other takes over (bound {TAKEN_OVER_S:.0f} s)",
    "hub": f"the supervisor and all workers killed, started again at once (bound {HUB_BACK_S:.0f} s)",
    "hub+database": f"the same, and PostgreSQL with them (bound {HUB_BACK_S:.0f} s)",
    "pause": f"one of two workers stopped (SIGSTOP) until the other has taken over (bound {TAKEN_OVER_S:.0f} s)",
}
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(slots=True)
class Report:
    """The results of a whole run."""

    seed: int
    began_s: float = field(default_factory=time.monotonic)
    deaths: list[Death] = field(default_factory=list)
    passed: dict[str, set[str]] = field(default_factory=dict)
    storms: list[Storm] = field(default_factory=list)
    verdicts: list[BooksReport] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    failures: list[Enumerated] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    postgres: str = ""
    loads: list[float] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Print one line of progress."""
        self.loads.append(os.getloadavg()[0])
        sys.stdout.write(f"{self.seconds:7.1f}  {text}\n")
        sys.stdout.flush()

    @property
    def seconds(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.began_s


def write(folder: Path, report: Report, words: Sequence[str]) -> None:
    """Write chaos.json and chaos.md."""
    told = facts(report, words)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chaos.json").write_text(json.dumps(told, indent=1) + "\n")
    (folder / "chaos.md").write_text(page(told))


def facts(report: Report, words: Sequence[str]) -> dict[str, Any]:
    """Return everything as JSON."""
    totals = Counter({"bets": 0, "cashbacks": 0, "payments": 0, "lost": 0, "doubled": 0, "undecided": 0})
    for verdict in report.verdicts:
        totals.update({name: getattr(verdict, name) for name in totals})
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "commit": _commit(),
        "command": f"make chaos SEED={report.seed}",
        "arguments": [word for word in words if not word.startswith("--proof")],
        "machine": _machine(report),
        "seed": report.seed,
        "seconds": round(report.seconds),
        **totals,
        "audit": "a finding" if any("audit" in problem for problem in report.problems) else "nothing found",
        "incidents": dict(sum((verdict.incidents for verdict in report.verdicts), Counter())),
        "looks": sum(reader.looks for reader in report.readers),
        "looks_unanswered": sum(reader.away for reader in report.readers),
        "looks_wrong": sum(len(reader.wrong) for reader in report.readers),
        "recovery": {whom: _recovery(report.deaths, whom) for whom in WHOM},
        "deaths": [
            {
                "point": d.point, "operation": d.operation, "whom": d.whom, "answers_s": round(d.recovery.answers_s, 2),
                "driven_s": round(d.recovery.driven_s, 2), "in_time": d.in_time,
            }
            for d in report.deaths
        ],
        "unpassed": [{"point": p, "operation": o, "reason": why} for (p, o), why in unpassed().items()],
        "storms": [
            {
                "seed": s.seed, "played": dict(sorted(s.played.items())), "struck": dict(sorted(s.struck.items())),
                "rest_s": round(s.rest_s, 1),
            }
            for s in report.storms
        ],
        "failing_calls": [{"scenario": f.scenario, "runs": f.runs, "calls": f.failed} for f in report.failures],
        "problems": report.problems,
    }  # fmt: skip


def _commit() -> str:
    said = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
    return said.stdout.strip() or "unknown"


def _machine(report: Report) -> dict[str, Any]:
    load = statistics.mean(report.loads) if report.loads else 0.0
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "postgresql": report.postgres,
        "mean_load": round(load, 1),
        "niceness": os.getpriority(os.PRIO_PROCESS, 0),
        "note": "the machine did other work at the same time",
    }


def _recovery(deaths: Sequence[Death], whom: str) -> dict[str, Any]:
    took = sorted(death.recovery.all_s for death in deaths if death.whom == whom)
    if not took:
        return {"deaths": 0}
    late = sum(1 for death in deaths if death.whom == whom and not death.in_time)
    return {
        "deaths": len(took),
        "median_s": round(statistics.median(took), 2),
        "p95_s": round(took[int(len(took) * 0.95)], 2),
        "max_s": round(took[-1], 2),
        "too_late": late,
    }


# --- the page ---------------------------------------------------------------------------------------------------


def page(told: dict[str, Any]) -> str:
    """Return the page."""
    machine = told["machine"]
    found = "nothing was found" if not told["problems"] else f"{len(told['problems'])} problems, listed below"
    parts = [
        "# Chaos on real processes",
        "",
        f"Written by the run itself: {told['date']}, commit `{told['commit']}`, {told['seconds']} s. Repeat it with"
        f" `{told['command']}`. **{found.capitalize()}.**",
        "",
        f"{machine['cores']} cores, {machine['system']}, Python {machine['python']}, PostgreSQL {machine['postgresql']};"
        f" {machine['note']} (mean load {machine['mean_load']}, the run's niceness {machine['niceness']}).",
        "",
        "| figure | |",
        "| --- | --- |",
        f"| bets, cashbacks, payments compared | {told['bets']}, {told['cashbacks']}, {told['payments']} |",
        f"| **lost, doubled, undecided** | **{told['lost']}, {told['doubled']}, {told['undecided']}** |",
        f"| `croupier audit` at the end | {told['audit']} |",
        f"| looks at all accounts, every 100 ms | {told['looks']}, {told['looks_wrong']} wrong"
        f" ({told['looks_unanswered']} while the database was dead or stopped) |",
        f"| processes killed or stopped at a named point | {len(told['deaths'])} |",
        "",
        *_recoveries(told),
        *_matrix(told),
        *_storms(told),
        *_failing(told),
    ]
    if told["problems"]:
        parts += ["## Problems", "", *(f"- {problem}" for problem in told["problems"]), ""]
    return "\n".join(parts).rstrip() + "\n"


def _recoveries(told: dict[str, Any]) -> list[str]:
    lines = [
        "## Recovery",
        "",
        "From the death until the hub answers and every payment in flight is in living hands.",
        "",
    ]
    lines += ["| who dies | deaths | median | 95 % | most | past the bound |", "| --- | --- | --- | --- | --- | --- |"]
    for whom, said in WHOM.items():
        took = told["recovery"][whom]
        if took["deaths"]:
            lines.append(
                f"| {said} | {took['deaths']} | {took['median_s']} s | {took['p95_s']} s | {took['max_s']} s |"
                f" {took['too_late']} |"
            )
    return [*lines, ""]


def _matrix(told: dict[str, Any]) -> list[str]:
    """Return a table of points by operations: the number of deaths, or a letter for the reason why there is none."""
    names = [operation.name for operation in OPERATIONS]
    deaths = Counter((d["point"], d["operation"]) for d in told["deaths"])
    reasons = {(u["point"], u["operation"]): u["reason"] for u in told["unpassed"]}
    letters = {why: LETTERS[n] for n, why in enumerate(dict.fromkeys(reasons.values()))}
    lines = [
        "## Where they died",
        "",
        "A number is how many died there, a letter the reason why the operation does not pass it.",
        "",
    ]
    lines += [f"| point | {' | '.join(names)} |", f"| --- |{' --- |' * len(names)}"]
    for point in named_points():
        cells = [str(deaths[point, n]) if (point, n) not in reasons else letters[reasons[point, n]] for n in names]
        lines.append(f"| `{point}` | {' | '.join(cells)} |")
    return [*lines, "", *(f"- {letter}: {why}" for why, letter in letters.items()), ""]


def _storms(told: dict[str, Any]) -> list[str]:
    lines = ["## The storm", ""]
    for raged in told["storms"]:
        played = ", ".join(f"{n} {name}" for name, n in raged["played"].items())
        struck = ", ".join(f"{n} {name}" for name, n in raged["struck"].items())
        lines += [
            f"Seed {raged['seed']}. Played: {played}. Struck: {struck}. At rest {raged['rest_s']} s after the last fault.",
            "",
        ]
    return lines if told["storms"] else []


def _failing(told: dict[str, Any]) -> list[str]:
    if not told["failing_calls"]:
        return []
    lines = [
        "## The n-th call fails",
        "",
        "How far n went until the scenario passed untouched; each n is a run of its own.",
        "",
    ]
    ways = list(told["failing_calls"][0]["calls"])
    lines += [f"| scenario | runs | {' | '.join(ways)} |", f"| --- | --- |{' --- |' * len(ways)}"]
    for one in told["failing_calls"]:
        lines.append(
            f"| {one['scenario']} | {one['runs']} | {' | '.join(str(one['calls'].get(way, 0)) for way in ways)} |"
        )
    return [*lines, ""]
