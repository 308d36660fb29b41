"""`croupier simulate`: the whole hub against rough casinos, providers, networks and crashes, from a seed.

The same seed gives the same log, byte for byte. Exit code 1 on any violation. Spec: operate.md, money.md section 5.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

import structlog
import typer

from croupier.cli.running import AsJson, settings
from croupier.cli.show import say, show_json, show_table
from croupier.kit.clock import SystemClock
from croupier.simulator.campaign import Campaign, run_campaign

Seed = Annotated[int, typer.Option("--seed", min=0, help="The first seed; further ones follow until there are enough.")]
Payments = Annotated[int, typer.Option("--payments", min=1, help="How many payments to simulate.")]


def simulate(seed: Seed = 1, payments: Payments = 500, as_json: AsJson = False) -> None:
    """Play seeds in virtual time and compare everybody's books. Exit code 1 on any violation."""
    # The hub inside complains of all that is done to it; here only the verdict counts.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger(asyncio.__name__).setLevel(logging.CRITICAL)
    campaign = run_campaign(settings().home / "simulator", SystemClock(), seed=seed, payments=payments)
    if as_json:
        show_json(_report(campaign))
    else:
        _show(campaign)
    if campaign.violations:
        raise typer.Exit(1)


def _report(campaign: Campaign) -> dict[str, object]:
    return {
        "seed": campaign.seed,
        "seeds": campaign.seeds,
        "payments": campaign.payments,
        "faults": dict(sorted(campaign.faults.items())),
        "lost": campaign.lost,
        "doubled": campaign.doubled,
        "undecided": campaign.undecided,
        "violations": campaign.violations,
        "log_sha256": campaign.log_sha256,
        "seconds": round(campaign.seconds, 1),
    }


def _show(campaign: Campaign) -> None:
    rows = [
        ("seeds", f"{campaign.seed} to {campaign.seed + campaign.seeds - 1}"),
        ("payments", str(campaign.payments)),
        ("faults", str(sum(campaign.faults.values()))),
        ("lost", str(campaign.lost)),
        ("doubled", str(campaign.doubled)),
        ("undecided", str(campaign.undecided)),
        ("violations", str(len(campaign.violations))),
        ("seconds", f"{campaign.seconds:.1f}"),
        ("log", campaign.log_sha256),
    ]
    show_table("Simulation (no money at all)", ("", ">"), rows)
    show_table("Faults seen", ("fault", ">times"), [(k, str(v)) for k, v in sorted(campaign.faults.items())])
    for seed, lines in campaign.failed.items():
        say(f"Seed {seed} failed; `croupier simulate --seed {seed} --payments 1` plays it again:")
        for line in [*(v for v in campaign.violations if v.startswith(f"seed {seed}:")), *lines]:
            say(f"  {line}")
