"""Everything that docs/bench/bets.md shows, in one run: the hub, the usual stack and the pass-through under the same load sides.

    make bench

Owns: what is run, the page, the charts. Never: a page of runs whose books do not agree: it says why and fails.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.charts import bar_chart, line_chart
from bench.programs import pass_through, usual_stack
from croupier.benchmark.hub import Shape, running_hub, temporary_home
from croupier.benchmark.processes import leave_load_processors, machine, sync_ms
from croupier.benchmark.runs import Plan, Runner, Series
from croupier.benchmark.target import Target
from croupier.kit.log import configure

ROOT = Path(__file__).parents[1]
ALL = (1, 16, 64, 256)
USUAL_SHAPE = Shape()
HUB, USUAL, PASSING = "croupier", "usual stack", "pass-through"


@dataclass(frozen=True)
class Item:
    """One series: a program with its setting, and the runs. A program that is not the hub has one setting."""

    name: str
    stack: str
    in_flight: tuple[int, ...]
    shape: Shape = USUAL_SHAPE
    rounds: bool = False
    rate_share: float | None = None
    """An open loop at this share of the hub's highest rate so far."""


ITEMS = (
    Item("makes in lists, RS256", HUB, ALL),
    Item("open loop at half of the highest rate", HUB, ALL[:1], rate_share=0.5),
    Item("whole rounds, RS256", HUB, (64,), rounds=True),
    Item("one make per payment, RS256", HUB, (64,), Shape(batch=1)),
    Item("one make per payment, ES256", HUB, (64,), Shape(batch=1, alg="ES256")),
    # At 256 in flight it answers most pay-ins behind the hold time, which is no right answer.
    Item("FastAPI, SQLAlchemy ORM, httpx", USUAL, ALL[:3]),
    Item("no database", PASSING, ALL),
)


class Bench:
    """Plays the items one after the other."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self._asked = asked
        self._players: int = asked.players

    def play(self, item: Item, highest: float) -> Series:
        """Play one item in a home of its own. `highest`: the hub's highest rate so far, in bets per second."""
        rate = None if item.rate_share is None else round(item.rate_share * highest, -1)
        plan = Plan(item.in_flight, rate, rounds=item.rounds, seconds=self._asked.seconds)
        with temporary_home() as home:
            return asyncio.run(self._play(item, plan, home))

    async def _play(self, item: Item, plan: Plan, home: Path) -> Series:

        async def run(target: Target) -> Series:
            return await Runner(target, self._tell).play(plan)

        if item.stack == PASSING:
            async with pass_through(self._players) as program:
                return await run(program)
        if item.stack == USUAL:
            async with usual_stack(home, self._asked.usual, self._players) as program:
                return await run(program)
        shape = Shape(item.shape.workers, self._players, batch=item.shape.batch, alg=item.shape.alg)
        async with running_hub(home, shape) as hub:
            return await run(hub)

    def _tell(self, line: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{line[:79]}")


def as_json(item: Item, series: Series) -> dict[str, Any]:
    """Return one series as JSON."""
    drift = None if series.books is None else series.books.drift
    setting = asdict(item.shape) if item.stack == HUB else {}
    setting.pop("players", None)
    return {
        "name": item.name, "stack": item.stack, **setting, "runs": [run.as_json() for run in series.runs],
        "drift": drift, "audit": series.audit,
    }  # fmt: skip


def best(told: Mapping[str, Any], stack: str) -> dict[str, Any]:
    """Return the run of a program with the most bets per second."""
    runs = [
        run
        for one in told["series"]
        if one["stack"] == stack
        for run in one["runs"]
        if run["mode"] == "bets" and not run["rate"]
    ]
    return max(runs, key=lambda run: run["bets_per_s"])


COLUMNS = {
    "in flight": ("in_flight", ",.0f"), "bets/s": ("bets_per_s", ",.0f"), "p50 ms": ("p50_ms", ",.1f"), "p99 ms": ("p99_ms", ",.1f"),
    "p99.9 ms": ("p999_ms", ",.1f"), "hub µs": ("hub_cpu_us", ",.0f"), "PostgreSQL µs": ("pg_cpu_us", ",.0f"),
    "WAL bytes": ("wal_bytes", ",.0f"), "transactions": ("transactions", ".2f"), "calls": ("calls", ".2f"),
    "payments a make": ("batch", ".1f"), "balance queries": ("balance_queries", ".2f"),
}  # fmt: skip
"""Columns of the page: head to field and format."""


def page(told: Mapping[str, Any]) -> str:
    """Return docs/bench/bets.md."""
    top, usual, host = best(told, HUB), best(told, USUAL), told["machine"]
    rows = [row(one, run) for one in told["series"] for run in one["runs"]]
    return "\n".join([
        "# Bets per second, and what a bet costs", "",
        "This page is written by `make bench`; do not edit it. [bets_by_part](bets_by_part.md) says where the time goes.", "",
        f"- The hub: **{top['bets_per_s']:,.0f} durable bets per second** at {top['in_flight']} in flight, p99 {top['p99_ms']:,.0f} ms.",
        f"- The usual stack: {usual['bets_per_s']:,.0f} at {usual['in_flight']} in flight, p99 {usual['p99_ms']:,.0f} ms.",
        f"- Ratio, each at its best: **{told['ratio']:.1f}**.",
        f"- Drift between the hub's books and the casino's: {told['drift']}. The audit {told['audit']}.", "",
        machine_line(host), "",
        "![Durable bets per second, each at its best](bets_ratio.svg)", "", "![Bets per second](bets_throughput.svg)", "", "![Waits of a pay-in](bets_latency.svg)", "", "![CPU per bet](bets_cpu.svg)", "",
        "## All runs", "",
        "| program | " + " | ".join(COLUMNS) + " |",
        "| --- |" + " --: |" * len(COLUMNS), *rows, "",
        "µs are of processor time, bytes and counts are of one bet, or of one round where rounds are played (pay-in, pay-out and close). Waits are the",
        f"provider's. Each run took {told['seconds']:g} s behind its warm-up, {told['players']} players, one worker. Hub, PostgreSQL with fsync, and both load sides share",
        "the cores. [The usual stack](../../bench/usual_stack/main.py) gives the same guarantees for one bet and has neither pay-outs nor refunds.",
        "[The pass-through](../../bench/pass_through/app.py) keeps nothing: what it takes less than the hub is what durability costs.", "",
        "## Repeat it", "", "```", "make bench                                # everything on this page",
        "croupier bench --in-flight 64 --mode rounds", "croupier bench --rate 500                 # an open loop", "```", "",
    ])  # fmt: skip


def machine_line(host: Mapping[str, Any]) -> str:
    """Return the description of the machine."""
    sync = host["sync"]
    return (
        f"Machine: {host['processor']}, {host['cores']} cores, {host['memory_gb']:g} GB, {host['system']}, Python {host['python']}. "
        f"Its load before the runs was {host['load']}. A sync of 8 KB to its disk takes {sync['p50_ms']} ms (p50) and {sync['p99_ms']} ms (p99)."
    )


def row(one: Mapping[str, Any], run: Mapping[str, Any]) -> str:
    """Return one line of the table."""
    cells = [format(run[field], form) for field, form in COLUMNS.values()]
    if run["rate"]:
        cells[0] = f"{run['rate']:,.0f}/s"
    return f"| {one['stack']}: {one['name']} | {' | '.join(cells)} |"


def charts(told: Mapping[str, Any]) -> dict[str, str]:
    """Return the charts by the names of their files."""
    full = {one["stack"]: one["runs"] for one in told["series"] if len(one["runs"]) > 1}
    rates = {stack: points(runs, "bets_per_s") for stack, runs in full.items()}
    waits = {}
    for stack in (HUB, USUAL):
        waits |= {f"{stack} p50": points(full[stack], "p50_ms"), f"{stack} p99": points(full[stack], "p99_ms")}
    parts = {
        "hub": "hub_cpu_us",
        "PostgreSQL": "pg_cpu_us",
        "provider's side": "provider_cpu_us",
        "casino's side": "casino_cpu_us",
    }
    at_64 = {stack: next(run for run in runs if run["in_flight"] == 64) for stack, runs in full.items()}
    bars = {stack: {name: run[field] for name, field in parts.items()} for stack, run in at_64.items()}
    highest = {stack: {"bets per second": best(told, stack)["bets_per_s"]} for stack in (HUB, USUAL)}
    return {
        "bets_ratio.svg": bar_chart(
            f"Durable bets per second, each at its best: a ratio of {told['ratio']:g}", highest, unit="bets per second"
        ),
        "bets_throughput.svg": line_chart("Bets per second", rates, unit="bets per second"),
        "bets_latency.svg": line_chart(
            "Wait of a pay-in", waits, unit="milliseconds, logarithmic", log=True, dashed=[name for name in waits if "p99" in name]
        ),
        "bets_cpu.svg": bar_chart("CPU per bet at 64 in flight", bars, unit="microseconds of processor time per bet"),
    }  # fmt: skip


def points(runs: Sequence[Mapping[str, Any]], field: str) -> list[tuple[int, float]]:
    """Return one field of these runs over the requests in flight."""
    return [(run["in_flight"], run[field]) for run in runs]


def write(told: Mapping[str, Any], folder: Path) -> None:
    """Write the JSON, the page and the charts."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in charts(told).items():
        (folder / name).write_text(content)
    (folder / "bets.md").write_text(page(told))
    (folder / "bets.json").write_text(json.dumps(told, indent=1) + "\n")


def main() -> int:
    """Run everything, and write it if all books agree."""
    options = argparse.ArgumentParser()
    options.add_argument("--usual", type=Path, required=True, help="the Python of the usual stack's environment")
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--players", type=int, default=400)
    options.add_argument("--output", type=Path, default=ROOT / "docs" / "bench")
    asked = options.parse_args()
    configure("error")
    told: dict[str, Any] = {
        "machine": machine(),
        "command": "make bench",
        "seconds": asked.seconds,
        "players": asked.players,
    }
    with temporary_home() as home:
        told["machine"]["sync"] = sync_ms(home)
    leave_load_processors()
    bench, told["series"] = Bench(asked), []
    for item in ITEMS:
        series = bench.play(item, best(told, HUB)["bets_per_s"] if told["series"] else 0)
        told["series"].append(as_json(item, series))
        print(f"\r\x1b[K{item.stack}, {item.name}: " + ", ".join(f"{run.bets_per_s:,.0f}/s" for run in series.runs))
        if series.faults():
            print("\n".join(series.faults()), "these runs have no result", sep="\n", file=sys.stderr)
            return 1
    told["ratio"] = round(best(told, HUB)["bets_per_s"] / best(told, USUAL)["bets_per_s"], 1)
    told["drift"] = sum(one["drift"] or 0 for one in told["series"])
    told["audit"] = "holds"
    write(told, asked.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
