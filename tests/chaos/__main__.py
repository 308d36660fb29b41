"""The command `python -m tests.chaos`, which `make chaos` and `make chaos-smoke` run: its output and its proof.

Owns: the order of things, the verdict, the exit code (0: nothing was found). Never: plays or kills itself.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

from croupier.kit.log import configure
from tests.chaos.books import compare
from tests.chaos.ground import Ground, ground
from tests.chaos.matrix import Matrix
from tests.chaos.nth import enumerate_everything
from tests.chaos.operations import OPERATIONS, Seat
from tests.chaos.proof import Report, write
from tests.chaos.reader import Reader
from tests.chaos.storm import storm

NAMES = [operation.name for operation in OPERATIONS]
STORM_S, SMOKE_S = 180.0, 30.0


@contextlib.asynccontextmanager
async def watched(report: Report) -> AsyncIterator[tuple[Ground, Callable[[list[Seat]], None]]]:
    """Open a ground with a reader on it; at the end compare the books of the returned seats."""
    seats: list[Seat] = []
    async with ground(seed=report.seed) as made:
        report.say("hub, database, casinos and studios run")
        reader = Reader(made.dsn)
        reader.start()
        try:
            yield made, seats.extend
        finally:
            reader.stop()
        bets = [bet for seat in seats for bet in seat.bets.values()]
        cashbacks = [cashback for seat in seats for cashback in seat.cashbacks]
        verdict = await compare(made, bets, cashbacks)
        report.postgres = await made.desk.store.db.fetchval("show server_version")
    report.verdicts.append(verdict)
    report.readers.append(reader)
    report.problems += verdict.violations
    report.problems += [f"the reader saw: {wrong}" for wrong in dict.fromkeys(reader.wrong)]
    if not reader.looks:
        report.problems.append("the reader never saw anything")
    report.say(
        f"{verdict.bets} bets, {verdict.cashbacks} cashbacks, {verdict.payments} payments: {verdict.lost} lost,"
        f" {verdict.doubled} doubled, {verdict.undecided} undecided; {reader.looks} looks at all accounts, {len(reader.wrong)} wrong"
    )


async def play_matrix(report: Report, wanted: list[tuple[str, list[str]]], *, surveyed: list[str]) -> None:
    """Survey these operations, then kill: `worker` at every pair, the others along a diagonal."""
    async with watched(report) as (made, hand_over):
        matrix = Matrix(made, report.say)
        await matrix.survey(surveyed)
        for whom, names in wanted:
            await (matrix.everywhere(names) if whom == "worker" else matrix.diagonal(whom, names))
        hand_over(matrix.seats)
    report.passed |= matrix.passed
    report.deaths += matrix.deaths
    report.problems += matrix.problems


async def play_storm(report: Report, seconds: float) -> None:
    """Run a storm for this many seconds."""
    async with watched(report) as (made, hand_over):
        raged = await storm(made, seconds=seconds, seed=report.seed, say=report.say)
        hand_over(raged.seats)
    report.storms.append(raged)
    report.problems += raged.problems
    report.say(f"storm: played {dict(raged.played)}")
    report.say(f"storm: struck {dict(raged.struck)}; at rest {raged.rest_s:.1f} s after the last fault")


async def whole(report: Report, keep: Callable[[], None]) -> None:
    """Run everything on real processes, and store the results after each part."""
    await play_matrix(report, [("hub", NAMES), ("hub+database", NAMES)], surveyed=[])
    keep()
    await play_matrix(report, [("worker", NAMES), ("pause", NAMES)], surveyed=NAMES)
    keep()
    await play_storm(report, STORM_S)
    keep()


async def smoke(report: Report) -> None:
    """Run the smoke test, which takes a minute."""
    await play_storm(report, SMOKE_S)


def main() -> int:
    """Run the command and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("what", choices=("all", "smoke", "storm", "matrix", "nth"))
    parser.add_argument("--seed", type=int, help="of the storm; drawn and printed without one")
    parser.add_argument("--seconds", type=float, default=STORM_S, help="how long the storm lasts")
    parser.add_argument("--only", help="operations of the matrix, with commas between them")
    parser.add_argument("--whom", help="who dies in the matrix: worker, hub, hub+database, pause, with commas")
    parser.add_argument("--proof", type=Path, help="write the result into this folder")
    asked = parser.parse_args()
    report = Report(secrets.randbelow(10**6) if asked.seed is None else asked.seed)
    report.say(f"seed {report.seed}")
    configure("critical")  # what fails on purpose is told by the hundreds

    def keep() -> None:
        if asked.proof is not None:
            write(asked.proof, report, sys.argv[1:])

    if asked.what != "nth":
        asyncio.run(_interruptible(_course(asked, report, keep)))
    if asked.what in ("all", "nth"):
        report.failures, wrong = enumerate_everything(report.say)
        report.problems += wrong
    for problem in report.problems:
        report.say(f"PROBLEM {problem}")
    keep()
    report.say(
        f"{'nothing was found' if not report.problems else f'{len(report.problems)} problems'}, seed {report.seed}"
    )
    return 1 if report.problems else 0


async def _interruptible(course: Coroutine[Any, Any, None]) -> None:
    """Make SIGTERM end the command like Ctrl-C, so that it stops what it started."""
    task = asyncio.ensure_future(course)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await task


async def _course(asked: argparse.Namespace, report: Report, keep: Callable[[], None]) -> None:
    if asked.what == "all":
        await whole(report, keep)
    elif asked.what == "smoke":
        await smoke(report)
    elif asked.what == "storm":
        await play_storm(report, asked.seconds)
    else:
        names = asked.only.split(",") if asked.only else NAMES
        whom = asked.whom.split(",") if asked.whom else ["worker"]
        await play_matrix(report, [(one, names) for one in whom], surveyed=names)


if __name__ == "__main__":
    sys.exit(main())
