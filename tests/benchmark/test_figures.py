"""The figures of a run, and what makes a series worthless."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from croupier.benchmark.figures import Books, Figures, Look, figures_of
from croupier.benchmark.runs import Series, report
from croupier.benchmark.target import Reading, Verdict

WAITS = {"p50_ms": 1.0, "p99_ms": 2.0, "p999_ms": 3.0, "max_ms": 4.0}


def look(at_s: float, scale: int, **counts: int) -> Look:
    provider = {"counts": {"pay-ins": 100 * scale, **counts}, "cpu_s": 0.001 * scale, "pay_in": WAITS, "pay_out": WAITS}
    casino = {
        "counts": {"make": scale, "make-list": 9 * scale, "payments": 100 * scale, "data": 2 * scale},
        "cpu_s": 0.002 * scale,
    }
    return Look(at_s, Reading(0.02 * scale, 0.01 * scale, 30 * scale, 4000 * scale), provider, casino)


def figures(**counts: int) -> Figures:
    return figures_of(
        look(10.0, 1), look(12.0, 3, **counts), idle_per_s=10, stack="hub", mode="bets", in_flight=64, rate=None
    )


def test_what_is_used_is_given_per_bet() -> None:
    found = figures()
    assert (found.bets, found.bets_per_s, found.seconds) == (200, 100.0, 2.0)
    assert (found.hub_cpu_us, found.pg_cpu_us, found.provider_cpu_us, found.casino_cpu_us) == (200, 100, 10, 20)
    assert (found.transactions, found.wal_bytes, found.calls, found.batch) == (0.3, 40, 0.12, 10.0)
    assert (found.balance_queries, found.errors, found.refused) == (0.02, 0, 0)
    assert found.path_transactions == 0.2, "60 transactions in 2 s, of which 10 a second go by the clock"


def series(books: dict[str, Any] | None = None, *, broken: tuple[str, ...] = (), wrong: int = 0) -> Series:
    whole = {"answered": 200, "stakes": 200, "net": -200, "repeats": 0, "hub_net": -200, "undecided": 0}
    return Series(
        [figures()],
        Verdict(not broken, broken),
        Books(**{**whole, **(books or {})}),
        Counter(wrong=wrong),
        ["504 {}"] * wrong,
    )


def test_books_that_agree_make_a_result() -> None:
    told = report([series()], {"cores": 2})
    assert (told["audit"], told["drift"], len(told["runs"])) == ("holds", 0, 1)
    assert {"stack", "mode", "in_flight", "rate", "bets_per_s", "p50_ms", "p99_ms", "p999_ms", "hub_cpu_us", "pg_cpu_us", "wal_bytes",
            "transactions", "calls", "batch", "balance_queries", "errors"} <= set(told["runs"][0])  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (series({"stakes": 199}), "booked 199 stakes"),
        (series({"net": -199}), "differ by -1 minor units"),
        (series({"undecided": 1}), "1 payments have no outcome"),
        (series(broken=("I5: 1 violations",)), "I5"),
        (series(wrong=1), "1 wrong answers, such as 504 {}"),
    ],
)
def test_a_series_whose_books_do_not_agree_has_no_result(bad: Series, says: str) -> None:
    told = report([series(), bad], {})
    assert told["runs"] == []
    assert says in told["audit"]
