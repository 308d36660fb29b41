"""Runs of the simulator under a plant, in a process of its own: `python -m tests.plants.play HOME RUNS [PLANT]`, one
JSON line out. Each run is the worlds of `croupier simulate --seed RUN --payments 1000`, in their order.

Stops at the first catch: a violation in the verdict, a run that breaks, or one that does not end. Owns: that loop.
Without a plant it is the control: the same runs must be clean.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

from tests.plants.planting import install
from tests.plants.table import named

PAYMENTS = 1000
"""Number of payments in the README's command."""
ENDS_WITHIN_S = 120
"""Time limit of a world in real seconds, some fifty times its usual duration."""
TOLD = 5
"""Number of violations that are stored per catch."""


def play(home: Path, runs: int) -> dict[str, Any]:
    """Return the first run from 1 to `runs` with a violation, with its text; `caught` is None without one."""
    # The planted module is imported only now, through its hook.
    from croupier.kit.log import silence  # noqa: PLC0415
    from croupier.simulator.arena import arena  # noqa: PLC0415
    from croupier.simulator.campaign import attached_at  # noqa: PLC0415
    from croupier.simulator.world import worlds_of  # noqa: PLC0415

    silence()
    total, started = 0, time.monotonic()
    with attached_at(home) as attached, arena(attached) as here:
        for run in range(1, runs + 1):
            payments, worlds = 0, worlds_of(run, PAYMENTS)
            while payments < PAYMENTS:
                world = next(worlds)
                _watch(run, world.seed)
                try:
                    outcome = here.play(world)
                    said = outcome.verdict.violations[:TOLD]
                    payments += outcome.payments
                except Exception as problem:  # noqa: BLE001 - a run that breaks is a catch
                    said = [f"the run breaks: {type(problem).__name__}: {str(problem)[:200]}", _place(problem)]
                if said:
                    return _found(run, world.seed, said, payments=total + payments, started=started)
            total += payments
        signal.alarm(0)
    return _found(None, None, [], payments=total, started=started)


def _found(run: int | None, world: int | None, said: list[str], *, payments: int, started: float) -> dict[str, Any]:
    seconds = round(time.monotonic() - started, 1)
    return {"caught": run, "world": world, "said": said, "payments": payments, "seconds": seconds}


def _watch(run: int, world: int) -> None:
    """Count a world that does not end as a catch, and end this process."""
    started = time.monotonic()

    def over(_: int, __: FrameType | None) -> None:
        print(json.dumps(_found(run, world, ["the run does not end"], payments=0, started=started)))
        sys.stdout.flush()
        os._exit(0)

    signal.signal(signal.SIGALRM, over)
    signal.alarm(ENDS_WITHIN_S)


def _place(problem: Exception) -> str:
    frames = traceback.extract_tb(problem.__traceback__)
    return " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames[-3:]))


def main() -> None:
    """Run the module's command."""
    home, runs = Path(sys.argv[1]), int(sys.argv[2])
    if len(sys.argv) > 3:
        install(named(sys.argv[3]))
    with contextlib.suppress(KeyboardInterrupt):
        print(json.dumps(play(home, runs)))


if __name__ == "__main__":
    main()
