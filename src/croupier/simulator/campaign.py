"""Many seeds, one after the other, and what they came to together.

Owns: how a number of payments becomes seeds, the sum of their findings, what is told of a failing seed.
Spec: operate.md (`croupier simulate`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from croupier.kit import virtual
from croupier.kit.clock import Clock
from croupier.kit.virtual import VirtualLoop
from croupier.simulator.run import Outcome, simulate
from croupier.store.embedded import Attached, attach
from croupier.store.scratch import drop_all, make_template, scratch

PAYMENTS_PER_SEED = 50
TRACE_LINES = 60


@dataclass(slots=True)
class Campaign:
    """What the seeds came to. `failed` holds each failing seed with its violations and its trace."""

    seed: int
    seeds: int = 0
    payments: int = 0
    lost: int = 0
    doubled: int = 0
    undecided: int = 0
    seconds: float = 0.0
    virtual_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    failed: dict[int, list[str]] = field(default_factory=dict)
    digests: list[str] = field(default_factory=list)

    @property
    def log_sha256(self) -> str:
        """The digest of one seed's log, or of the digests of several."""
        if len(self.digests) == 1:
            return self.digests[0]
        return hashlib.sha256("\n".join(self.digests).encode()).hexdigest()

    def take(self, outcome: Outcome) -> None:
        """Add a seed."""
        verdict = outcome.verdict
        self.seeds += 1
        self.payments += outcome.payments
        self.lost += verdict.lost
        self.doubled += verdict.doubled
        self.undecided += verdict.undecided
        self.faults += outcome.faults
        self.seen += outcome.seen
        self.digests.append(outcome.log_sha256)
        self.violations += [f"seed {outcome.seed}: {text}" for text in verdict.violations]
        if verdict.violations:
            self.failed[outcome.seed] = trace(outcome)


def trace(outcome: Outcome) -> list[str]:
    """The lines of the log that speak of the first bet with a violation, and of what happened to processes."""
    words = outcome.verdict.violations[0].split()
    name = words[1] if len(words) > 1 else ""
    told = [line for line in outcome.log if f" {name} " in f"{line} " or " dies " in line or " pauses " in line]
    return told[-TRACE_LINES:]


def run_campaign(
    home: Path, clock: Clock, *, seed: int, payments: int, told: Callable[[Campaign], None] | None = None
) -> Campaign:
    """Play seeds from `seed` on until so many payments were made; `told` hears of the sum after each."""
    campaign = Campaign(seed)
    home.mkdir(parents=True, exist_ok=True)
    started = clock.monotonic_s()
    with attach(home) as attached:
        virtual.run(lambda _: make_template(attached))
        try:
            while campaign.payments < payments:
                campaign.take(one_seed(attached, seed + campaign.seeds))
                campaign.seconds = clock.monotonic_s() - started
                if told is not None:
                    told(campaign)
        finally:
            virtual.run(lambda _: drop_all(attached))
    return campaign


def one_seed(attached: Attached, seed: int) -> Outcome:
    """One seed on a database of its own; always of one size, so that the seed alone says what happens."""

    async def main(loop: VirtualLoop) -> Outcome:
        async with scratch(attached) as db:
            return await simulate(loop, db, seed=seed, payments=PAYMENTS_PER_SEED)

    return virtual.run(main)
