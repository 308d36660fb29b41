"""`croupier simulate`: the whole hub against rough casinos, providers, networks and crashes, from a seed.

The same seed gives the same log, byte for byte. Exit code 1 on any violation. Spec: operate.md 2, money.md 5.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from croupier.cli.progress import progress_line
from croupier.cli.running import AsJson, settings
from croupier.cli.show import say, show_json, show_table
from croupier.kit.clock import SystemClock
from croupier.kit.log import silence
from croupier.simulator.arena import arena
from croupier.simulator.campaign import Campaign, attached_at, kept, run_campaign
from croupier.simulator.matrix import FAULTS, STATES, unseen
from croupier.simulator.planned_faults import POINTS
from croupier.simulator.run import RunResult
from croupier.simulator.shrink import Shrinking, trace
from croupier.simulator.world import World

SHRUNK_AT_MOST = 3

Seed = Annotated[int, typer.Option("--seed", min=0, help="The seed of the run, or, with --world, of that world.")]
Payments = Annotated[int, typer.Option("--payments", min=1, help="How many payments to simulate.")]
Jobs = Annotated[int, typer.Option("--jobs", min=1, max=64, help="How many worlds to play at the same time.")]
Shape = Annotated[
    str | None, typer.Option("--world", help="Play this seed alone: SIZE[:BETS[:OFF]], as a failing seed tells it.")
]
Complete = Annotated[
    bool, typer.Option("--complete", help="Fail also if some fault never met a payment in some state.")
]


def simulate(
    *,
    seed: Seed = 1,
    payments: Payments = 500,
    jobs: Jobs = 1,
    shape: Shape = None,
    complete: Complete = False,
    as_json: AsJson = False,
) -> None:
    """Play seeds in virtual time and compare everybody's books. Exit code 1 on any violation."""
    silence()
    if shape is None:
        with progress_line("Starting the database", as_json=as_json) as tell:
            campaign = run_campaign(
                _home(), SystemClock(), seed=seed, payments=payments, jobs=jobs,
                told=lambda now: tell("Simulating payments", min(now.payments, payments), payments),
            )  # fmt: skip
    else:
        campaign = _one(_world(seed, shape))
    missing = unseen(campaign.met, campaign.seen, POINTS) if complete else []
    if as_json:
        show_json(_report(campaign, missing))
    else:
        _show(campaign, missing)
        if shape is None:
            _explain(campaign.failed[:SHRUNK_AT_MOST])
    if campaign.violations or missing:
        raise typer.Exit(1)


def _home() -> Path:
    return settings().home / "simulator"


def _one(world: World) -> Campaign:
    campaign, clock = Campaign(world.seed), SystemClock()
    started = clock.monotonic_s()
    with attached_at(_home()) as attached, arena(attached) as here:
        outcome = here.play(world)
    campaign.take(kept(outcome))
    campaign.seconds = clock.monotonic_s() - started
    if outcome.verdict.violations:
        _tell(outcome)
    return campaign


def _explain(failed: list[World]) -> None:
    """Shrink failing worlds and explain them."""
    if not failed:
        return
    with attached_at(_home()) as attached, arena(attached) as here:
        for world in failed:
            say(f"Seed {world.seed} failed; looking for the shortest way to see it ...")
            _tell(Shrinking(here.play, here.play(world)).search())


def _tell(outcome: RunResult) -> None:
    say(f"`{outcome.world.command}` plays it again:")
    for line in [*outcome.verdict.violations, *trace(outcome)]:
        say(f"  {line}")


def _world(seed: int, shape: str) -> World:
    try:
        return World.parse(seed, shape)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _report(campaign: Campaign, missing: list[str]) -> dict[str, object]:
    return {
        "seed": campaign.seed,
        "seeds": campaign.seeds,
        "payments": campaign.payments,
        "faults": dict(sorted(campaign.faults.items())),
        "met": {state: {fault: campaign.met[state, fault] for fault in FAULTS} for state in STATES},
        "points": {name: [campaign.seen[f"point {name}"], campaign.seen[f"killed {name}"]] for name in POINTS},
        "states": {k: v for k, v in sorted(campaign.seen.items()) if not k.startswith(("point ", "killed "))},
        "unseen": missing,
        "lost": campaign.lost,
        "doubled": campaign.doubled,
        "undecided": campaign.undecided,
        "violations": campaign.violations,
        "failed": [world.command for world in campaign.failed],
        "log_sha256": campaign.log_sha256,
        "virtual_seconds": round(campaign.virtual_s),
        "seconds": round(campaign.seconds, 1),
    }


def _show(campaign: Campaign, missing: list[str]) -> None:
    rows = [
        ("worlds", str(campaign.seeds)),
        ("payments", str(campaign.payments)),
        ("faults", str(sum(campaign.faults.values()))),
        ("lost", str(campaign.lost)),
        ("doubled", str(campaign.doubled)),
        ("undecided", str(campaign.undecided)),
        ("violations", str(len(campaign.violations))),
        ("hours simulated", f"{campaign.virtual_s / 3600:.1f}"),
        ("seconds", f"{campaign.seconds:.1f}"),
        ("log", campaign.log_sha256),
    ]
    show_table("Simulation (no money at all)", ("", ">"), rows)
    show_table(
        "Faults, and payments that they met by state", ("fault", ">times", *(f">{s}" for s in STATES)), _met(campaign)
    )
    points = [(n, str(campaign.seen[f"point {n}"]), str(campaign.seen[f"killed {n}"])) for n in POINTS]
    show_table("Named points", ("point", ">passed", ">died there"), points)
    for text in campaign.violations[:20]:
        say(text)
    for text in missing:
        say(f"never seen: {text}")


def _met(campaign: Campaign) -> list[tuple[str, ...]]:
    faults: Counter[str] = campaign.faults
    return [(f, str(faults[f]), *(str(campaign.met[state, f]) for state in STATES)) for f in FAULTS]
