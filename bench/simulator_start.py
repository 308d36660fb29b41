"""How long a small simulated world takes to start: from the end of the world before to its first bet.

    PYTHONPATH=src:. python bench/simulator_start.py --worlds 24 --page docs/bench/simulator.md

It plays the first small worlds of a run as `croupier simulate` does, in one arena on a server of its own. Once for all worlds:
the program is loaded, the server and the arena's database are made. For each world: the database is emptied, hubs, casinos,
providers, players and keys are made; then virtual time begins to run, and with it the first bet. A second is one of this machine;
`processor` is this process's own share of it, which other programs on the machine do not stretch. The exit code is 1 if a world
took two seconds or more of the processor to start.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from croupier.kit.log import silence
from croupier.simulator.arena import Arena, arena
from croupier.simulator.campaign import attached_at
from croupier.simulator.dials import WorldKind
from croupier.simulator.stage import Stage
from croupier.simulator.world import World, worlds_of

MOST_S = 2.0
RUN = 100_000
"""The size of the run whose worlds are played; its small worlds are those of any run."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of wall and of this process's processor."""

    wall_s: float
    processor_s: float

    @staticmethod
    def now() -> Spent:
        """Return what was spent since some fixed moment."""
        return Spent(time.perf_counter(), time.process_time())

    def since(self, before: Spent) -> Spent:
        """Return what was spent between two moments."""
        return Spent(self.wall_s - before.wall_s, self.processor_s - before.processor_s)


@dataclass(frozen=True, slots=True)
class Started:
    """One world: what its start took, and the whole of it."""

    world: World
    start: Spent
    whole: Spent


class Begins:
    """Notes when the virtual time of a world begins to run."""

    def __init__(self) -> None:
        self.at = Spent.now()
        inner = Stage.begin

        def begin(stage: Stage) -> None:
            self.at = Spent.now()
            inner(stage)

        Stage.begin = begin  # type: ignore[method-assign, assignment] # it stands in for the method


def main() -> int:
    """Measure, tell, and return the exit code."""
    asked = _arguments()
    silence()
    begins, before = Begins(), Spent.now()
    with tempfile.TemporaryDirectory(prefix="croupier-bench-") as folder, attached_at(Path(folder)) as attached:
        served = Spent.now()
        with arena(attached) as opened:
            once = {"a server in a new home": served.since(before), "the arena": Spent.now().since(served)}
            worlds = (world for world in worlds_of(1, RUN) if world.kind is not WorldKind.CROWD)
            started = [_play(opened, world, begins) for world in islice(worlds, asked.worlds)]
    page = _page(once, started)
    sys.stdout.write(page)
    if asked.page is not None:
        asked.page.write_text(page)
    return 1 if max(one.start.processor_s for one in started) >= MOST_S else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How long a small simulated world takes to start.")
    parser.add_argument("--worlds", type=int, default=24)
    parser.add_argument("--page", type=Path, help="write the page there")
    return parser.parse_args()


def _play(opened: Arena, world: World, begins: Begins) -> Started:
    before = Spent.now()
    result = opened.play(world)
    if result.verdict.violations:
        sys.exit(f"{world.command} does not hold: {result.verdict.violations}")
    return Started(world, begins.at.since(before), Spent.now().since(before))


def _page(once: dict[str, Spent], started: list[Started]) -> str:
    starts, wholes = [one.start for one in started], [one.whole for one in started]
    lines = [
        "# The start of a simulated world",
        "",
        "```",
        f"PYTHONPATH=src:. .venv/bin/python bench/simulator_start.py --worlds {len(started)} --page docs/bench/simulator.md",
        "```",
        "",
        f"{len(started)} small worlds in one arena, one after the other. Seconds; `processor` is the simulator's own, without",
        f"PostgreSQL's. A start may take {MOST_S:g} s; the program fails if one takes more of the processor.",
        "",
        "| | wall | processor |",
        "| --- | ---: | ---: |",
        *(f"| once: {name} | {one.wall_s:.2f} | {one.processor_s:.2f} |" for name, one in once.items()),
        *_rows("start of a world", starts),
        *_rows("a whole world", wholes),
    ]
    return "\n".join(lines) + "\n"


def _rows(name: str, spent: list[Spent]) -> list[str]:
    walls, processors = [one.wall_s for one in spent], [one.processor_s for one in spent]
    return [
        f"| {name}, median | {statistics.median(walls):.2f} | {statistics.median(processors):.2f} |",
        f"| {name}, longest | {max(walls):.2f} | {max(processors):.2f} |",
    ]


if __name__ == "__main__":
    sys.exit(main())
