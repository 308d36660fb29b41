"""A series of runs against one program: warm up, measure, let it come to rest, compare all books.

Owns: the plan, the order of things, and what makes a series worthless. Never: the program (target), the load (the sides).
Spec: operate.md 2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from croupier.benchmark.figures import Books, Figures, Look, figures_of
from croupier.benchmark.processes import load_processors
from croupier.benchmark.sides import Side, load_side
from croupier.benchmark.target import Site, Target, Verdict
from croupier.kit.clock import SystemClock

CONNECT_S = 0.5
"""Time for the program to take the connections of a provider."""
IDLE_S = 2.0
WARM_S = 1.0
WARM_AT_MOST_S = 30.0
REST_S = 40.0
"""Longer than the 30 s in which a casino may accept."""
SAMPLES = 3
LINES_OF_A_RATE = 1000
"""Requests that an open loop may have in flight at once. Later ones wait for a connection, and their wait counts."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: one run for each number of requests in flight, or one at a rate in bets per second."""

    in_flight: tuple[int, ...] = (1, 16, 64, 256)
    rate: float | None = None
    rounds: bool = False
    seconds: float = 10.0

    @property
    def mode(self) -> str:
        """Return what is played, as JSON has it."""
        return "rounds" if self.rounds else "bets"


@dataclass(slots=True)
class Series:
    """The runs of one program, and what its books and those of both sides say at the end."""

    runs: list[Figures] = field(default_factory=list)
    verdict: Verdict | None = None
    books: Books | None = None
    answered: Counter[str] = field(default_factory=Counter)
    """The provider's answers by kind, and the casino's wrong ones."""
    samples: list[str] = field(default_factory=list)
    """The first wrong answers of each run."""

    def faults(self) -> list[str]:
        """Return why the series has no result, in sentences; an empty list if it has one."""
        found = []
        if self.answered["wrong"]:
            found.append(f"{self.answered['wrong']} wrong answers, such as {'; '.join(self.samples[:SAMPLES])}")
        if self.verdict is not None:
            found += [f"audit: {line}" for line in self.verdict.violations]
        return found + (self.books.faults() if self.books is not None else [])

    @property
    def audit(self) -> str:
        """Return the verdict in words."""
        return "holds" if not self.faults() else "; ".join(self.faults())


Progress = Callable[[str], None]


class Runner:
    """Plays a plan against a program."""

    def __init__(self, target: Target, progress: Progress) -> None:
        self._target = target
        self._progress = progress
        self._clock = SystemClock()
        self._series = Series()
        self._idle_per_s = 0.0

    async def play(self, plan: Plan) -> Series:
        """Play the plan and check all books. Raises SideFailed."""
        casino_cpu, provider_cpu = load_processors()
        async with load_side("casino", casino_cpu) as (casino, told):
            site = await self._target.introduce(f"http://127.0.0.1:{told['port']}")
            await casino.ask({"port": site.port, "token": site.token, "pid": site.pid})
            await self._watch_idle()
            for in_flight in (LINES_OF_A_RATE,) if plan.rate else plan.in_flight:
                async with self._firing(site, replace(plan, in_flight=(in_flight,)), provider_cpu) as provider:
                    await self._warm(provider, len(site.sessions))
                    self._series.runs.append(
                        await self._measure(provider, casino, replace(plan, in_flight=(in_flight,)))
                    )
                    rest = await self._rest(provider, casino)
                    self._series.answered.update(rest["counts"])
                    self._series.samples += rest["wrong"]
            await self._compare(await casino.ask("figures"))
        return self._series

    async def _watch_idle(self) -> None:
        """Count the transactions that the program makes by the clock."""
        self._progress("watching the idle program")
        before = await self._target.read()
        await self._clock.sleep(IDLE_S)
        self._idle_per_s = ((await self._target.read()).transactions - before.transactions) / IDLE_S

    @asynccontextmanager
    async def _firing(self, site: Site, plan: Plan, processor: str) -> AsyncIterator[Side]:
        """Run a provider that has begun to fire."""
        order = {k: v for k, v in asdict(site).items() if k not in ("token", "pid")}
        order |= {"in_flight": plan.in_flight[0], "rate": plan.rate or 0, "rounds": plan.rounds}
        async with load_side("provider", processor) as (provider, _):
            await provider.ask(order)
            await self._clock.sleep(CONNECT_S)
            await provider.ask("fire")
            yield provider

    async def _warm(self, provider: Side, players: int) -> None:
        """Wait until every player has played in this series, so that balances are known as after a launch."""
        self._progress("warming up")
        began_s = self._clock.monotonic_s()
        await self._clock.sleep(WARM_S)
        while self._clock.monotonic_s() - began_s < WARM_AT_MOST_S:
            counts = (await provider.ask("count"))["counts"]
            if counts.get("pay-ins", 0) + self._series.answered["pay-ins"] >= players or counts.get("wrong", 0):
                return
            await self._clock.sleep(0.1)

    async def _measure(self, provider: Side, casino: Side, plan: Plan) -> Figures:
        at = f"{plan.rate:g} a second" if plan.rate else f"{plan.in_flight[0]} in flight"
        await provider.ask("mark")
        first = await self._look(provider, casino)
        unit, key = ("rounds", "pay-outs") if plan.rounds else ("bets", "pay-ins")
        while (left_s := first.at_s + plan.seconds - self._clock.monotonic_s()) > 0:
            await self._clock.sleep(min(0.5, left_s))
            told, spent_s = await provider.ask("count"), self._clock.monotonic_s() - first.at_s
            rate = (told["counts"].get(key, 0) - first.provider["counts"].get(key, 0)) / spent_s
            self._progress(f"{self._target.name}, {at}: {spent_s:.0f} of {plan.seconds:g} s, {rate:,.0f} {unit}/s")
        last = await self._look(provider, casino)
        names = {"stack": self._target.name, "mode": plan.mode, "in_flight": plan.in_flight[0], "rate": plan.rate}
        return figures_of(first, last, idle_per_s=self._idle_per_s, **names)

    async def _look(self, provider: Side, casino: Side) -> Look:
        at_s = self._clock.monotonic_s()
        told = await provider.ask("figures"), await casino.ask("figures")
        return Look(at_s, await self._target.read(), *told)

    async def _rest(self, provider: Side, casino: Side) -> dict[str, Any]:
        """Wait until nothing is in flight between the three. Return the provider's last figures."""
        self._progress("waiting for the outcome of every payment")
        until_s = self._clock.monotonic_s() + REST_S
        told = await provider.ask("drain")
        while self._clock.monotonic_s() < until_s:
            waiting = told["waiting"] + (await casino.ask("figures"))["waiting"]
            if not waiting and not await self._target.undecided():
                break
            await self._clock.sleep(0.1)
            told = await provider.ask("count")
        return told

    async def _compare(self, casino: dict[str, Any]) -> None:
        counts = Counter(casino["counts"])
        self._progress("auditing the books")
        self._series.answered["wrong"] += counts["wrong"]
        self._series.samples += casino["wrong"]
        verdict = await self._target.verdict()
        self._series.verdict = verdict
        self._series.books = Books(
            answered=self._series.answered["pay-ins"],
            stakes=counts["stakes"],
            net=counts["net"],
            repeats=counts["repeats"],
            hub_net=verdict.net,
            undecided=verdict.undecided,
        )


def report(series: Sequence[Series], machine: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON of the command. Without an audit that holds there are no runs: a benchmark that loses a payment has no result."""
    faults = [fault for one in series for fault in one.faults()]
    books = [one.books for one in series if one.books is not None]
    return {
        "machine": machine,
        "runs": [] if faults else [run.as_json() for one in series for run in one.runs],
        "drift": sum(book.drift or 0 for book in books),
        "audit": "holds" if not faults else "; ".join(faults),
    }
