"""Compare what one bet counts at 64 in flight with the committed figures of docs/bench/bets.json.

    make bench-check

Counts of a bet hardly depend on the machine, so that one that grew by a quarter is a finding. CPU does, and is only shown. The exact
counts of one bet alone are asserted by tests/flows/test_counts.py. Never: writes a figure.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from croupier.benchmark.figures import Figures
from croupier.benchmark.hub import Shape, running_hub, temporary_home
from croupier.benchmark.runs import Plan, Runner, Series
from croupier.kit.log import configure

COMMITTED = Path(__file__).parents[1] / "docs" / "bench" / "bets.json"
IN_FLIGHT = 64
MOST = 1.25
SLACK = 0.02
"""Per bet. Counts near 0, such as balance queries, grow by more than a quarter without meaning anything."""
COUNTS = {
    "path_transactions": "transactions",
    "calls": "calls, each with its signature",
    "balance_queries": "balance queries",
}
SHOWN = {"hub_cpu_us": "hub CPU, µs", "pg_cpu_us": "PostgreSQL CPU, µs", "wal_bytes": "WAL, bytes"}


def committed(file: Path) -> dict[str, Any]:
    """Return the committed run of the hub at 64 in flight."""
    told = json.loads(file.read_text())
    runs = [run for one in told["series"] if one["stack"] == "croupier" for run in one["runs"]]
    return next(run for run in runs if run["in_flight"] == IN_FLIGHT and run["mode"] == "bets")


async def measure(home: Path, seconds: float) -> Series:
    """Measure the hub of this checkout."""
    async with running_hub(home, Shape()) as hub:
        return await Runner(hub, lambda _: None).play(Plan((IN_FLIGHT,), seconds=seconds))


def grown(now: Figures, before: dict[str, Any]) -> list[str]:
    """Return the counts that grew by more than a quarter."""
    return [words for name, words in COUNTS.items() if getattr(now, name) > before[name] * MOST + SLACK]


def main() -> int:
    """Measure, show, and fail if a count grew."""
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=5)
    options.add_argument("--committed", type=Path, default=COMMITTED)
    asked = options.parse_args()
    configure("error")
    before = committed(asked.committed)
    with temporary_home() as home:
        series = asyncio.run(measure(home, asked.seconds))
    if series.faults():
        print("\n".join(series.faults()), file=sys.stderr)
        return 1
    (now,) = series.runs
    print(f"{'one bet':<32}{'committed':>12}{'now':>12}")
    for name, words in COUNTS.items():
        print(f"{words:<32}{before[name]:>12.2f}{getattr(now, name):>12.2f}")
    for name, words in SHOWN.items():
        print(f"{words:<32}{before[name]:>12,.0f}{getattr(now, name):>12,.0f}  not judged")
    found = grown(now, before)
    if found:
        print(f"more than {MOST - 1:.0%} above the committed figure: {', '.join(found)}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
