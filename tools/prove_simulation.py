"""`make simulate`: a long run of the simulator, and its result under docs/proof.

    tools/prove_simulation.py [--payments 1000000] [--jobs 2] [--seed 1] [--resume]

Writes docs/proof/simulation.json and .md (figures, faults, the matrix) and simulation_seeds.txt (each world with its
payments and the digest of its log) after every twentieth world, so that a run which is stopped can go on with
--resume. Exit code 1 on any violation, and if a fault never met a payment in some state or a named point was never
passed or deadly.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path

from croupier.kit.log import silence
from croupier.simulator.campaign import Campaign, Played, attached_at, players
from croupier.simulator.matrix import FAULTS, NEVER, STATES, unseen
from croupier.simulator.mischief import POINTS
from croupier.simulator.world import EVERY, LARGE, MIDDLE, SMALL, world_of

PROOF = Path("docs/proof")
JSON, TEXT, SEEDS = PROOF / "simulation.json", PROOF / "simulation.md", PROOF / "simulation_seeds.txt"
WRITE_EVERY = 20


def main() -> int:
    """Play, write, judge."""
    asked = _arguments()
    silence()
    home = Path(os.environ.get("CROUPIER_HOME", ".croupier")) / "simulator"
    campaign, before = _read() if asked.resume else (Campaign(asked.seed), {"wall_s": 0.0, "cpu_s": 0.0})
    started = time.monotonic()

    def spent() -> dict[str, float]:
        return {"wall_s": before["wall_s"] + time.monotonic() - started, "cpu_s": before["cpu_s"] + _cpu_s()}

    if not asked.resume:
        PROOF.mkdir(exist_ok=True)
        SEEDS.write_text("")
    with attached_at(home), players(home, asked.jobs) as play, SEEDS.open("a") as seeds:
        for played in play(world_of(n) for n in count(campaign.seed + campaign.seeds)):
            _take(campaign, played, seeds)
            if campaign.seeds % WRITE_EVERY == 0:
                seeds.flush()
                _write(campaign, spent(), asked)
            if campaign.payments >= asked.payments:
                break
    _write(campaign, spent(), asked)
    missing = unseen(campaign.met, campaign.seen, POINTS)
    print("\n".join([*campaign.violations, *(f"never seen: {text}" for text in missing)]))
    return 1 if campaign.violations or missing else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A long run of the simulator, and its result under docs/proof.")
    parser.add_argument("--payments", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    return parser.parse_args()


def _take(campaign: Campaign, played: Played, seeds) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    campaign.take(played)
    seeds.write(f"{played.world.seed} {played.world.payments} {played.payments} {played.log_sha256}\n")
    for text in played.violations:
        print(f"seed {played.world.seed}: {text}", file=sys.stderr, flush=True)
    if campaign.seeds % WRITE_EVERY == 0:
        print(f"{campaign.seeds} worlds, {campaign.payments} payments", file=sys.stderr, flush=True)


def _cpu_s() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _write(campaign: Campaign, spent: dict[str, float], asked: argparse.Namespace) -> None:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    report = {
        "command": f"make simulate ARGS='--payments {asked.payments} --seed {asked.seed}'",
        "commit": commit,
        "seed": campaign.seed,
        "seeds": campaign.seeds,
        "payments": campaign.payments,
        "faults": dict(sorted(campaign.faults.items())),
        "lost": campaign.lost,
        "doubled": campaign.doubled,
        "undecided": campaign.undecided,
        "violations": campaign.violations,
        "unseen": unseen(campaign.met, campaign.seen, POINTS),
        "virtual_s": round(campaign.virtual_s),
        "jobs": asked.jobs,
        **{name: round(value) for name, value in spent.items()},
        "log_sha256": campaign.log_sha256,
        "met": {state: {fault: campaign.met[state, fault] for fault in FAULTS} for state in STATES},
        "seen": dict(sorted(campaign.seen.items())),
    }
    JSON.write_text(json.dumps(report, indent=1) + "\n")
    TEXT.write_text(_page(report))


def _read() -> tuple[Campaign, dict[str, float]]:
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
        violations=report["violations"],
        digests=[line.split()[3] for line in lines],
    )
    return campaign, {"wall_s": report["wall_s"], "cpu_s": report["cpu_s"]}


def _page(r: dict) -> str:  # type: ignore[type-arg]
    faults = sum(r["faults"].values())
    rate = r["payments"] / max(r["cpu_s"], 1)
    lines = [
        "# A long run of the simulator",
        "",
        (
            f"`{r['command']}` repeats it, at commit `{r['commit']}`. What it is: "
            "[decision 0010](../decisions/0010-a-simulator-of-the-whole-hub.md) and "
            "[0011](../decisions/0011-the-simulators-speed.md)."
        ),
        "",
        "| | |",
        "| --- | --- |",
        (
            f"| worlds | seeds {r['seed']} to {r['seed'] + r['seeds'] - 1}; every {EVERY}th is a crowd and aims at {LARGE:,} "
            f"payments, every {EVERY}th is harsh and aims at {MIDDLE}, the others at {SMALL} |"
        ),
        f"| payments | {r['payments']:,} |",
        f"| faults | {faults:,}, {faults / max(r['payments'], 1):.1f} for each payment |",
        f"| lost | {r['lost']} |",
        f"| doubled | {r['doubled']} |",
        f"| undecided | {r['undecided']} |",
        f"| violations of invariants | {len(r['violations'])} |",
        f"| virtual time | {r['virtual_s'] / 3600:,.0f} hours |",
        (
            f"| machine time | {r['wall_s'] / 3600:.1f} hours, {r['jobs']} worlds at a time; {r['cpu_s'] / 3600:.1f} hours of "
            f"processor without PostgreSQL ({rate:.0f} payments a second of it) |"
        ),
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


if __name__ == "__main__":
    sys.exit(main())
