"""The figures of one run, computed from what was read at its beginning and at its end.

Owns: the record, its JSON form and its faults. Never: reading anything. Spec: operate.md 2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from croupier.benchmark.target import Reading

CALLS = ("make", "make-list", "data", "info", "close")
"""The calls of a hub to a casino. The hub signs each of them once."""


@dataclass(frozen=True, slots=True)
class Look:
    """Everything as it is at one moment."""

    at_s: float
    program: Reading
    provider: Mapping[str, Any]
    casino: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figures:
    """One run. What is counted or used is given per bet, or per round where rounds are played."""

    stack: str
    mode: str
    in_flight: int
    rate: float | None
    seconds: float
    bets: int
    bets_per_s: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    hub_cpu_us: float
    pg_cpu_us: float
    provider_cpu_us: float
    casino_cpu_us: float
    wal_bytes: float
    transactions: float
    path_transactions: float
    """Transactions without those that the program also makes when nobody plays, which go by the clock."""
    calls: float
    batch: float
    balance_queries: float
    errors: int
    refused: int
    pay_out: Mapping[str, float] | None = None
    """The waits of pay-outs, where rounds are played."""

    def as_json(self) -> dict[str, Any]:
        """Return the run as JSON values."""
        return asdict(self)


def figures_of(first: Look, last: Look, *, idle_per_s: float = 0, **run: Any) -> Figures:  # noqa: ANN401 - fields of Figures
    """Return the figures of the time between two looks.

    `idle_per_s`: transactions per second when nobody plays. `run`: stack, mode, in_flight and rate.
    """
    rounds = run["mode"] == "rounds"
    answers = Counter(last.provider["counts"])
    answers.subtract(first.provider["counts"])
    calls = Counter(last.casino["counts"])
    calls.subtract(first.casino["counts"])
    bets = answers["pay-outs" if rounds else "pay-ins"]
    each = max(bets, 1)
    seconds = last.at_s - first.at_s
    lists = calls["make"] + calls["make-list"]
    before, after = first.program, last.program
    transactions = after.transactions - before.transactions
    return Figures(
        **run,
        seconds=round(seconds, 2),
        bets=bets,
        bets_per_s=round(bets / seconds, 1),
        **last.provider["pay_in"],
        hub_cpu_us=_us(after.hub_s - before.hub_s, each),
        pg_cpu_us=_us(after.postgres_s - before.postgres_s, each),
        provider_cpu_us=_us(last.provider["cpu_s"] - first.provider["cpu_s"], each),
        casino_cpu_us=_us(last.casino["cpu_s"] - first.casino["cpu_s"], each),
        wal_bytes=round((after.wal_bytes - before.wal_bytes) / each),
        transactions=round(transactions / each, 3),
        path_transactions=round(max(transactions - idle_per_s * seconds, 0) / each, 3),
        calls=round(sum(calls[name] for name in CALLS) / each, 3),
        batch=round(calls["payments"] / max(lists, 1), 1),
        balance_queries=round(calls["data"] / each, 3),
        errors=answers["wrong"] + calls["wrong"],
        refused=answers["refused"],
        pay_out=last.provider["pay_out"] if rounds else None,
    )


def _us(seconds: float, bets: int) -> float:
    return round(seconds / bets * 1e6, 1)


@dataclass(frozen=True, slots=True)
class Books:
    """What all three parties say at the end of a series of runs."""

    answered: int
    """Pay-ins that the provider was answered with 1."""
    stakes: int
    """Stakes that the casino booked."""
    net: int
    """What entered the wallets by the casino's books, in minor units."""
    repeats: int
    """Makes that the casino had booked before."""
    hub_net: int | None
    undecided: int

    @property
    def drift(self) -> int | None:
        """Return by how many minor units the hub's books and the casino's differ; None where the program has no books."""
        return None if self.hub_net is None else self.hub_net - self.net

    def faults(self) -> list[str]:
        """Return what does not agree, in sentences."""
        found = []
        if self.answered != self.stakes:
            found.append(
                f"the provider was told of {self.answered} bets that are on, the casino booked {self.stakes} stakes"
            )
        if self.drift:
            found.append(f"the books of hub and casino differ by {self.drift} minor units")
        if self.undecided:
            found.append(f"{self.undecided} payments have no outcome")
        return found
