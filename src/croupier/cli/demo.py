"""`croupier demo`: every kind of round between real processes on this machine. Spec: operate.md 2."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from croupier.apps import demo as played
from croupier.cli.running import AsJson, settings
from croupier.cli.show import show_json
from croupier.kit.log import configure


def demo(
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=1000, help="Number of rounds of each kind.")] = 3,
    stay: Annotated[bool, typer.Option("--stay", help="Keep everything running afterwards, until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Play every kind of round between a hub, a sandbox casino and a sandbox studio, and show the results."""
    configure("error")
    raise typer.Exit(played.demo(settings(), rounds, stay=stay, tell=_tell if as_json else None))


def _tell(report: played.DemoReport) -> None:
    show_json(report)
    sys.stdout.flush()  # with --stay the program goes on
