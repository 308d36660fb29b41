"""`croupier bench`: bets per second, waits, and what one bet costs, on a temporary hub of this machine. Spec: operate.md 2.

Owns: the options, the line of progress, the table. Never: the measuring (the benchmark's floor), or a figure of a run whose books do not agree.
"""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer

from croupier.admin_api.errors import CommandError
from croupier.apps.world import WorldFailed
from croupier.benchmark.figures import Figures
from croupier.benchmark.hub import Shape, running_hub, temporary_home
from croupier.benchmark.processes import leave_load_processors, machine, sync_ms
from croupier.benchmark.runs import Plan, Runner, Series, report
from croupier.benchmark.sides import SideFailed
from croupier.cli.running import AsJson
from croupier.cli.show import complain, say, show_json, show_table
from croupier.kit.log import configure

MOST_RUNS = 5
MOST_IN_FLIGHT = 1000
ALGS = ("RS256", "ES256", "EdDSA")
MODES = ("bets", "rounds")
_OPTIONS: dict[str, tuple[Any, Any]] = {
    "in_flight": (str, typer.Option("--in-flight", metavar="N,N...", help="Requests in flight: one run for each number.")),
    "rate": (float, typer.Option("--rate", min=0, max=1_000_000, help="Send so many a second, whatever is answered; 0 keeps --in-flight.")),
    "mode": (str, typer.Option("--mode", help="bets: pay-ins. rounds: pay-in, pay-out and close.")),
    "batch": (int, typer.Option("--batch", min=1, max=100, help="Payments in one call to the casino, at most; 1 sends each alone.")),
    "alg": (str, typer.Option("--alg", help=f"Signature of calls to the casino: {', '.join(ALGS)}.")),
    "workers": (int, typer.Option("--workers", min=1, max=64, help="Processes of the hub.")),
    "players": (int, typer.Option("--players", min=1, max=100_000, help="Players, each with a session.")),
    "seconds": (float, typer.Option("--seconds", min=0.5, max=3600, help="Measured time of each run.")),
    "log": (Path | None, typer.Option("--log", help="Write the hub's log into this file.")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """The values of the options."""

    in_flight: str = "1,16,64,256"
    rate: float = 0.0
    mode: str = "bets"
    batch: int = 100
    alg: str = "RS256"
    workers: int = 1
    players: int = 400
    seconds: float = 10.0
    log: Path | None = None

    def plan(self) -> Plan:
        """Return the plan. Raises typer.BadParameter."""
        if not re.fullmatch(r"[0-9]{1,5}(,[0-9]{1,5})*", self.in_flight):
            raise typer.BadParameter(
                "must be numbers with commas between them, as in 1,16,64", param_hint="--in-flight"
            )
        numbers = tuple(map(int, self.in_flight.split(",")))
        if len(numbers) > MOST_RUNS or not all(1 <= number <= MOST_IN_FLIGHT for number in numbers):
            raise typer.BadParameter(
                f"must be at most {MOST_RUNS} numbers from 1 to {MOST_IN_FLIGHT}", param_hint="--in-flight"
            )
        if self.mode not in MODES:
            raise typer.BadParameter(f"must be one of: {', '.join(MODES)}", param_hint="--mode")
        return Plan(numbers, self.rate or None, rounds=self.mode == "rounds", seconds=self.seconds)

    def shape(self) -> Shape:
        """Return how the hub is set up. Raises typer.BadParameter."""
        if self.alg not in ALGS:
            raise typer.BadParameter(f"must be one of: {', '.join(ALGS)}", param_hint="--alg")
        return Shape(self.workers, self.players, batch=self.batch, alg=self.alg)


USUAL = Wish()


def bench(*, as_json: bool, **values: Any) -> None:  # noqa: ANN401 - typer gives them
    """Measure a temporary hub under load: bets per second, waits, the cost of a bet. Exit code 1 if its books do not agree."""
    configure("error")
    wish = Wish(**values)
    plan, shape = wish.plan(), wish.shape()
    if sys.platform != "linux":
        raise CommandError("the benchmark reads processor times of Linux: run it there")
    told = machine() | {"command": _command(wish)}
    with temporary_home() as home:
        told["sync"] = sync_ms(home)
        try:
            series = asyncio.run(_until_told(_play(plan, shape, home=home, log=wish.log)))
        except (SideFailed, WorldFailed) as failed:
            raise CommandError(f"the benchmark could not run: {failed}") from failed
    if series is None:
        raise typer.Exit(130)
    if as_json:
        show_json(report([series], told))
    else:
        show_series(series, told)
    if series.faults():
        raise typer.Exit(1)


_TYPES = {name: Annotated[kind, option] for name, (kind, option) in _OPTIONS.items()} | {"as_json": AsJson}
bench.__annotations__ = {**_TYPES, "return": None}
bench.__signature__ = Signature(  # type: ignore[attr-defined]
    [
        Parameter(name, Parameter.KEYWORD_ONLY, default=getattr(USUAL, name, False), annotation=_TYPES[name])
        for name in _TYPES
    ]
)


async def _play(plan: Plan, shape: Shape, *, home: Path, log: Path | None) -> Series:
    progress = Progress()
    progress("starting the hub")
    leave_load_processors()
    try:
        async with running_hub(home, shape, log=log) as target:
            return await Runner(target, progress).play(plan)
    finally:
        progress.clear()


async def _until_told(work: Any) -> Series | None:  # noqa: ANN401 - a coroutine
    """Run the work; a signal cancels it, which ends all that it started. Return None then."""
    task = asyncio.ensure_future(work)
    told: list[int] = []

    def cancel(number: int) -> None:
        if not told:  # a second signal would interrupt the ending
            task.cancel()
        told.append(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, cancel, number)
    try:
        done: Series = await task
    except asyncio.CancelledError:
        if not told:
            raise
        return None
    return done


class Progress:
    """One line on a terminal's standard error, written again and again. Nothing where that is no terminal."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()

    def __call__(self, line: str) -> None:
        """Show a line instead of the last one."""
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{line[:79]}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Remove the line."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _command(wish: Wish) -> str:
    """Return the command that repeats these runs."""
    words = [
        f"--{name.replace('_', '-')} {value:g}" if isinstance(value, float) else f"--{name.replace('_', '-')} {value}"
        for name in Wish.__slots__
        if name != "log" and (value := getattr(wish, name)) != getattr(USUAL, name)
    ]
    return " ".join(["croupier bench", *words])


ROWS: Sequence[tuple[str, str, str]] = (
    ("bets_per_s", "{}s per second", ",.0f"),
    ("p50_ms", "pay-in p50, ms", ".1f"),
    ("p99_ms", "pay-in p99, ms", ".1f"),
    ("p999_ms", "pay-in p99.9, ms", ".1f"),
    ("hub_cpu_us", "hub CPU, µs", ",.0f"),
    ("pg_cpu_us", "PostgreSQL CPU, µs", ",.0f"),
    ("provider_cpu_us", "provider's CPU, µs", ",.0f"),
    ("casino_cpu_us", "casino's CPU, µs", ",.0f"),
    ("wal_bytes", "WAL, bytes", ",.0f"),
    ("transactions", "transactions", ".2f"),
    ("calls", "calls to the casino", ".2f"),
    ("balance_queries", "balance queries", ".2f"),
    ("batch", "payments in a make", ".1f"),
    ("refused", "refused with 503", ",.0f"),
    ("errors", "wrong answers", ",.0f"),
)
"""The rows of the table: field, words, format. CPU, WAL, transactions, calls and queries are those of one bet or round."""


def table_of(runs: Sequence[Figures]) -> tuple[list[str], list[list[str]]]:
    """Return columns and rows of the table: a column for each run."""
    heads = [f">{run.rate:g}/s" if run.rate else f">{run.in_flight}" for run in runs]
    rows = [
        [words.format(unit_of(runs)), *(format(getattr(run, name), form) for run in runs)] for name, words, form in ROWS
    ]
    return ["in flight" if not runs[0].rate else "sent", *heads], rows


def unit_of(runs: Sequence[Figures]) -> str:
    """Return the word for what was played."""
    return "round" if runs[0].mode == "rounds" else "bet"


def show_series(series: Series, told: dict[str, Any]) -> None:
    """Print the machine, the table and the verdict; without a result only why there is none."""
    say(f"{told['processor']}, {told['cores']} cores, Python {told['python']}, load {told['load']}")
    say(f"Sync of 8 KB to this disk: p50 {told['sync']['p50_ms']} ms, p99 {told['sync']['p99_ms']} ms")
    if series.faults():
        for fault in series.faults():
            complain(fault)
        complain("these runs have no result")
        return
    columns, rows = table_of(series.runs)
    assert series.books is not None
    show_table(told["command"], columns, rows)
    say(f"CPU, WAL, transactions, calls and balance queries are those of one {unit_of(series.runs)}.")
    say(f"Audit holds. {series.books.answered:,} bets, drift {series.books.drift or 0}.")
