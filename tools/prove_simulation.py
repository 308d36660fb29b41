"""`make simulate`: a long run of the simulator, and its result under docs/proof.

    tools/prove_simulation.py [--payments 1000000] [--jobs 2] [--seed 1] [--resume]

First a long part: all worlds from the seed on, until so many payments were made. Then a rare one: harsh and late worlds alone,
until every fault has met payments in every state. Writes docs/proof/simulation.json and .md (figures, faults, the
matrix) and simulation_seeds.txt (each world with its payments and the digest of its log) after every twentieth world,
so that a run which is stopped can go on with --resume; worlds that failed are played again then. Exit code 1 on
any violation, and if a fault never met a payment in some state or a named point was never passed or deadly.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from itertools import chain
from pathlib import Path

from croupier.kit.log import silence
from croupier.simulator.campaign import Campaign, Played, attached_at, players
from croupier.simulator.dials import WorldKind
from croupier.simulator.matrix import FAULTS, NEVER, STATES, unseen
from croupier.simulator.planned_faults import POINTS
from croupier.simulator.world import EVERY, LARGE, SMALL, STRIDE, World, worlds_of

Play = Callable[[Iterator[World]], Iterator[Played]]
PROOF = Path("docs/proof")
JSON, TEXT, SEEDS = PROOF / "simulation.json", PROOF / "simulation.md", PROOF / "simulation_seeds.txt"
WRITE_EVERY = 20
RARE_WORLDS = 400
"""Largest number of worlds played to reach combinations that have not occurred."""
RARE = (WorldKind.HARSH, WorldKind.LATE)
"""The worlds in which rare faults coincide. Only late ones have a casino with a queue."""


@dataclass(slots=True)
class Spent:
    """The time of the parts so far, in seconds of this machine, and their commits."""

    wall_s: float = 0.0
    commits: dict[str, str] = field(default_factory=dict)
    """Ranges of seeds to the commit that they were played with: a stopped run may continue with a corrected hub."""
    failed: dict[str, list[str]] = field(default_factory=dict)
    """Seed to violations of worlds in no sum yet: they are played again when the run continues."""
    rare_worlds: int = 0
    rare_payments: int = 0


def main() -> int:
    """Play the worlds, write the files, and return the exit code."""
    asked = _arguments()
    silence()
    home = Path(os.environ.get("CROUPIER_HOME", ".croupier")) / "simulator"
    campaign, spent = _read() if asked.resume else (Campaign(asked.seed), Spent())
    if not asked.resume:
        PROOF.mkdir(exist_ok=True)
        SEEDS.write_text("")
    run = Run(campaign, spent, asked, time.monotonic())
    with attached_at(home), players(home, asked.jobs) as play:
        run.failed(play)
        run.long(play)
        run.rare(play)
    run.write()
    missing = unseen(campaign.met, campaign.seen, POINTS)
    print("\n".join([*_violations(spent), *(f"never seen: {text}" for text in missing)]))
    return 1 if spent.failed or missing else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A long run of the simulator, and its result under docs/proof.")
    parser.add_argument("--payments", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    return parser.parse_args()


@dataclass(slots=True)
class Run:
    """The worlds played so far, and the sum of their results."""

    campaign: Campaign
    spent: Spent
    asked: argparse.Namespace
    since_s: float

    def failed(self, play: Play) -> None:
        """Return the worlds that failed when the run was stopped."""
        seeds = list(map(int, self.spent.failed))
        if not seeds:
            return
        self.spent.failed = {}
        self._from_here(", ".join(map(str, seeds)))
        again = chain((next(self._worlds(seed)) for seed in seeds), self._worlds(seeds[-1] + 1))
        for played, _ in zip(play(again), seeds, strict=False):
            self._take(played)

    def long(self, play: Play) -> None:
        """Play worlds until there are enough payments."""
        if self.campaign.payments >= self.asked.payments:
            return
        self._from_here(f"{self._next_seed()} on")
        for played in play(self._worlds(self._next_seed())):
            self._take(played)
            if self.campaign.payments >= self.asked.payments:
                break

    def rare(self, play: Play) -> None:
        """Play harsh and late worlds until every combination has occurred."""
        if not self._missing():
            return
        self._from_here(f"{self._next_seed()} on")
        worlds = (world for world in self._worlds(self._next_seed()) if world.kind in RARE)
        for played in play(worlds):
            # Counted first: what is written in between must fit together.
            self.spent.rare_worlds += 1
            self.spent.rare_payments += played.payments
            self._take(played)
            if not self._missing() or self.spent.rare_worlds >= RARE_WORLDS:
                break

    def write(self) -> None:
        """Write the page and its figures."""
        now_s = time.monotonic()
        self.spent.wall_s += now_s - self.since_s
        self.since_s = now_s
        _write(self.campaign, self.spent, self.asked)

    def _from_here(self, seeds: str) -> None:
        commit = _commit()
        if commit not in self.spent.commits.values():
            self.spent.commits[seeds] = commit

    def _missing(self) -> list[str]:
        return unseen(self.campaign.met, self.campaign.seen, POINTS)

    def _next_seed(self) -> int:
        played = [int(line.split()[0]) for line in SEEDS.read_text().splitlines()]
        return max([self.campaign.seed * STRIDE, *played, *map(int, self.spent.failed)]) + 1

    def _worlds(self, seed: int) -> Iterator[World]:
        """Yield the run's worlds from this seed on."""
        return worlds_of(self.campaign.seed, self.asked.payments, seed - self.campaign.seed * STRIDE - 1)

    def _take(self, played: Played) -> None:
        if played.violations:
            self.spent.failed[str(played.world.seed)] = list(played.violations)
            print(f"seed {played.world.seed}: {played.violations}", file=sys.stderr, flush=True)
            return
        self.campaign.take(played)
        with SEEDS.open("a") as seeds:
            seeds.write(f"{played.world.seed} {played.world.payments} {played.payments} {played.log_sha256}\n")
        if self.campaign.seeds % WRITE_EVERY == 0:
            missing = len(self._missing())
            words = f"{self.campaign.seeds} worlds, {self.campaign.payments} payments, {missing} not met"
            print(words, file=sys.stderr, flush=True)
            self.write()


def _commit() -> str:
    """Return the last commit that changed the program: later ones of documents and tests alone play the same worlds."""
    words = ["git", "log", "-1", "--format=%H", "--", "src"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def _write(campaign: Campaign, spent: Spent, asked: argparse.Namespace) -> None:
    report = {
        "command": f"make simulate ARGS='--payments {asked.payments} --seed {asked.seed}'",
        "seed": campaign.seed,
        "seeds": campaign.seeds,
        "payments": campaign.payments,
        "faults": dict(sorted(campaign.faults.items())),
        "lost": campaign.lost,
        "doubled": campaign.doubled,
        "undecided": campaign.undecided,
        "violations": _violations(spent),
        "unseen": unseen(campaign.met, campaign.seen, POINTS),
        "virtual_s": round(campaign.virtual_s),
        **{name: round(value) if isinstance(value, float) else value for name, value in asdict(spent).items()},
        "log_sha256": campaign.log_sha256,
        "met": {state: {fault: campaign.met[state, fault] for fault in FAULTS} for state in STATES},
        "seen": dict(sorted(campaign.seen.items())),
    }
    JSON.write_text(json.dumps(report, indent=1) + "\n")
    TEXT.write_text(_page(report))


def _read() -> tuple[Campaign, Spent]:
    report = json.loads(JSON.read_text())
    lines = SEEDS.read_text().splitlines()[: report["seeds"]]
    SEEDS.write_text("".join(f"{line}\n" for line in lines))
    campaign = Campaign(
        seed=report["seed"],
        seeds=report["seeds"],
        payments=report["payments"],
        lost=report["lost"],
        doubled=report["doubled"],
        undecided=report["undecided"],
        virtual_s=report["virtual_s"],
        faults=Counter(report["faults"]),
        seen=Counter(report["seen"]),
        met=Counter({(state, fault): n for state, row in report["met"].items() for fault, n in row.items()}),
        digests=[line.split()[3] for line in lines],
    )
    return campaign, Spent(**{name: report[name] for name in (f.name for f in fields(Spent)) if name in report})


def _page(r: dict) -> str:  # type: ignore[type-arg]
    faults = sum(r["faults"].values())
    rate = r["payments"] / max(r["wall_s"], 1)
    lines = [
        "# A long run of the simulator",
        "",
        (
            f"`{r['command']}` repeats it, at commit {_commits(r)}. What it is: "
            "[decision 0010](../decisions/0010-a-simulator-of-the-whole-hub.md) and "
            "[0011](../decisions/0011-the-simulators-speed.md)."
        ),
        "",
        "| | |",
        "| --- | --- |",
        f"| worlds | {_worlds(r)} |",
        f"| payments | {r['payments']:,} |",
        f"| faults | {faults:,}, {faults / max(r['payments'], 1):.1f} for each payment |",
        f"| lost | {r['lost']} |",
        f"| doubled | {r['doubled']} |",
        f"| undecided | {r['undecided']} |",
        f"| violations of invariants | {len(r['violations'])} |",
        f"| virtual time | {r['virtual_s'] / 3600:,.0f} hours |",
        f"| machine time | {r['wall_s'] / 3600:.1f} hours, as many worlds at once as processors: {rate:.0f} payments a second |",
        f"| digest of all logs | `{r['log_sha256']}`; of each world: [simulation_seeds.txt](simulation_seeds.txt) |",
        "",
        "## What was met",
        "",
        "How often a fault met a payment in each state. A zero fails the run"
        + (", but for: " + "; ".join(f"{s} x {f} ({why})" for (s, f), why in NEVER.items()) if NEVER else "")
        + ".",
        "",
        "| fault | times | " + " | ".join(STATES) + " |",
        "| --- |" + " ---: |" * (len(STATES) + 1),
    ]
    for fault in FAULTS:
        met = " | ".join(f"{r['met'][state][fault]:,}" for state in STATES)
        lines.append(f"| {fault} | {r['faults'].get(fault, 0):,} | {met} |")
    lines += ["", "| named point | passed | a process died there |", "| --- | ---: | ---: |"]
    lines += [f"| {n} | {r['seen'].get(f'point {n}', 0):,} | {r['seen'].get(f'killed {n}', 0):,} |" for n in POINTS]
    lines += ["", "| state | times reached |", "| --- | ---: |"]
    reached = {k: v for k, v in r["seen"].items() if not k.startswith(("point ", "killed "))}
    lines += [f"| {name} | {times:,} |" for name, times in reached.items()]
    if r["violations"] or r["unseen"]:
        lines += ["", "## What failed", ""]
        lines += [f"- {text}" for text in [*r["violations"], *(f"never seen: {text}" for text in r["unseen"])]]
    return "\n".join(lines) + "\n"


def _worlds(r: dict) -> str:  # type: ignore[type-arg]
    long = r["seeds"] + len(r["failed"]) - r["rare_worlds"]
    first = r["seed"] * STRIDE + 1
    text = (
        f"seeds {first} to {first + long - 1}; every {EVERY}th is a crowd and aims at up to {LARGE:,} payments, "
        f"the others aim at {SMALL}, and more than half of those are harsh"
    )
    if not r["rare_worlds"]:
        return text
    more = f"then {r['rare_worlds']} harsh or late worlds alone with {r['rare_payments']:,} payments, for what had not met before"
    return f"{text}; {more}"


def _commits(r: dict) -> str:  # type: ignore[type-arg]
    (_, first), *later = r["commits"].items()
    if not later:
        return f"`{first}`"
    parts = "; ".join(f"seeds {seeds} at `{commit}`" for seeds, commit in later)
    return f"`{first}`; it stopped at what it found and went on with that mended: {parts}"


def _violations(spent: Spent) -> list[str]:
    return [f"seed {seed}: {text}" for seed, texts in spent.failed.items() for text in texts]


if __name__ == "__main__":
    sys.exit(main())
