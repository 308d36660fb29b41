"""The programs that `make bench` measures beside the hub, each for a second under the real load sides."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bench.programs import pass_through, usual_stack
from croupier.benchmark.hub import temporary_home
from croupier.benchmark.runs import Plan, Runner, Series

pytestmark = pytest.mark.slow
USUAL = Path(__file__).parents[2] / ".venv-usual" / "bin" / "python"
PLAN = Plan((4,), seconds=1)


def silent(_: str) -> None:
    """No progress."""


def judge(series: Series) -> None:
    assert series.faults() == []
    (run,) = series.runs
    assert run.bets > 0
    assert run.hub_cpu_us > 0
    assert series.books is not None
    assert series.books.answered == series.books.stakes > run.bets


def test_the_pass_through_answers_every_bet_and_uses_no_database() -> None:
    async def play() -> Series:
        async with pass_through(10) as program:
            return await Runner(program, silent).play(PLAN)

    series = asyncio.run(play())
    judge(series)
    assert (series.runs[0].transactions, series.runs[0].wal_bytes) == (0, 0)


@pytest.mark.skipif(not USUAL.exists(), reason="the usual stack is not there: make bench-usual")
def test_the_usual_stack_keeps_its_books() -> None:
    async def play(home: Path) -> Series:
        async with usual_stack(home, USUAL, 10) as program:
            return await Runner(program, silent).play(PLAN)

    with temporary_home() as home:
        series = asyncio.run(play(home))
    judge(series)
    assert series.books is not None
    assert series.books.drift == 0
    assert series.runs[0].wal_bytes > 0
