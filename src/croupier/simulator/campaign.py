"""A run of many worlds, in sequence or in parallel, and the sum of their results.

Owns: the choice of seeds for a number of payments, and the sum of their findings in the order of the seeds.
Never: plays one. Spec: operate.md 2 (`croupier simulate`), money.md 5.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from croupier.kit.clock import Clock
from croupier.kit.log import silence
from croupier.simulator.arena import Arena, arena
from croupier.simulator.run import RunResult
from croupier.simulator.world import World, worlds_of
from croupier.store.embedded.server import Attached, attach

Progress = Callable[["Campaign"], None]


@dataclass(frozen=True, slots=True)
class Played:
    """The stored result of a world, without its log."""

    world: World
    payments: int
    lost: int
    doubled: int
    undecided: int
    violations: tuple[str, ...]
    faults: Counter[str]
    seen: Counter[str]
    met: Counter[tuple[str, str]]
    virtual_s: float
    log_sha256: str


def kept(outcome: RunResult) -> Played:
    """Reduce an outcome to its stored result."""
    verdict = outcome.verdict
    return Played(
        world=outcome.world,
        payments=outcome.payments,
        lost=verdict.lost,
        doubled=verdict.doubled,
        undecided=verdict.undecided,
        violations=tuple(verdict.violations),
        faults=outcome.faults,
        seen=outcome.seen,
        met=outcome.met,
        virtual_s=outcome.virtual_s,
        log_sha256=outcome.log_sha256,
    )


@dataclass(slots=True)
class Campaign:
    """The sum of the results of all worlds. `failed` are the worlds with a violation."""

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
    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    failed: list[World] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)

    @property
    def log_sha256(self) -> str:
        """Return the digest of one world's log, or of the digests of several."""
        if len(self.digests) == 1:
            return self.digests[0]
        return hashlib.sha256("\n".join(self.digests).encode()).hexdigest()

    def take(self, played: Played) -> None:
        """Add the result of a world."""
        self.seeds += 1
        self.payments += played.payments
        self.lost += played.lost
        self.doubled += played.doubled
        self.undecided += played.undecided
        self.virtual_s += played.virtual_s
        self.faults += played.faults
        self.seen += played.seen
        self.met += played.met
        self.digests.append(played.log_sha256)
        self.violations += [f"seed {played.world.seed}: {text}" for text in played.violations]
        if played.violations:
            self.failed.append(played.world)


def run_campaign(
    home: Path, clock: Clock, *, seed: int, payments: int, jobs: int = 1, told: Progress | None = None
) -> Campaign:
    """Play the worlds of a run until so many payments were made, `jobs` at a time.

    `told` is called with the sum after each world. The result does not depend on `jobs`.
    """
    campaign = Campaign(seed)
    started = clock.monotonic_s()
    with attached_at(home), players(home, jobs) as play:
        for played in play(worlds_of(seed, payments)):
            campaign.take(played)
            campaign.seconds = clock.monotonic_s() - started
            if told is not None:
                told(campaign)
            if campaign.payments >= payments:
                break
    return campaign


@contextmanager
def attached_at(home: Path) -> Iterator[Attached]:
    """Start the simulator's own database server in this home."""
    home.mkdir(parents=True, exist_ok=True)
    with attach(home) as attached:
        yield attached


@contextmanager
def players(home: Path, jobs: int) -> Iterator[Callable[[Iterator[World]], Iterator[Played]]]:
    """Return a function that plays worlds, `jobs` at a time, and yields their results in the order of the worlds."""
    if jobs == 1:
        with attached_at(home) as attached, arena(attached) as here:
            yield lambda worlds: (kept(here.play(world)) for world in worlds)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, _Job.begin, (home,)) as pool:
        yield lambda worlds: _in_order(pool, worlds, jobs)


def _in_order(pool: multiprocessing.pool.Pool, worlds: Iterator[World], jobs: int) -> Iterator[Played]:
    """Yield results in the order of the worlds; only a few worlds are played ahead."""
    ahead = [pool.apply_async(_Job.play, (next(worlds),)) for _ in range(4 * jobs)]
    while True:
        first = ahead.pop(0)
        ahead.append(pool.apply_async(_Job.play, (next(worlds),)))
        yield first.get()


class _Job:
    """The arena of a process that plays worlds for a campaign. It ends with the process."""

    _open = ExitStack()
    _arena: Arena

    @classmethod
    def begin(cls, home: Path) -> None:
        """Open the arena."""
        silence()
        attached = cls._open.enter_context(attached_at(home))
        cls._arena = cls._open.enter_context(arena(attached))

    @classmethod
    def play(cls, world: World) -> Played:
        """Play a world in the arena."""
        return kept(cls._arena.play(world))
