"""Seeds under a plant, in a process of its own: `python -m tests.plants.play HOME LAST [PLANT]`, one JSON line out.

Stops at the first catch: a violation in the verdict, a run that breaks, or one that does not end. Owns: that loop.
Without a plant it is the control: the same seeds must be clean.
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

ENDS_WITHIN_S = 120
"""Real seconds in which a seed must come to its end: some hundred times what one takes."""
TOLD = 5
"""So many violations of a catch are kept."""


def play(home: Path, last: int) -> dict[str, Any]:
    """The first seed from 1 to `last` that is caught, with what was said; `caught` is None if none was."""
    # What a plant changes is imported only now, through its hook.
    from croupier.kit.log import silence  # noqa: PLC0415
    from croupier.simulator.arena import arena  # noqa: PLC0415
    from croupier.simulator.world import SMALL, World  # noqa: PLC0415
    from croupier.store.embedded import attach  # noqa: PLC0415

    silence()
    payments, started = 0, time.monotonic()
    with attach(home) as attached, arena(attached) as here:
        for seed in range(1, last + 1):
            _watch(seed)
            try:
                outcome = here.play(World(seed, SMALL))
                said = outcome.verdict.violations[:TOLD]
                payments += outcome.payments
            except Exception as problem:  # noqa: BLE001 - a run that breaks is a catch
                said = [f"the run breaks: {type(problem).__name__}: {str(problem)[:200]}", _place(problem)]
            if said:
                return {"caught": seed, "said": said, "payments": payments, "seconds": _since(started)}
        signal.alarm(0)
    return {"caught": None, "said": [], "payments": payments, "seconds": _since(started)}


def _watch(seed: int) -> None:
    """A seed that does not end is a catch, and this process has said all that it can."""

    def over(_: int, __: FrameType | None) -> None:
        print(json.dumps({"caught": seed, "said": ["the run does not end"], "payments": 0, "seconds": ENDS_WITHIN_S}))
        sys.stdout.flush()
        os._exit(0)

    signal.signal(signal.SIGALRM, over)
    signal.alarm(ENDS_WITHIN_S)


def _place(problem: Exception) -> str:
    frames = traceback.extract_tb(problem.__traceback__)
    return " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames[-3:]))


def _since(started: float) -> float:
    return round(time.monotonic() - started, 1)


def main() -> None:
    """See the module."""
    home, last = Path(sys.argv[1]), int(sys.argv[2])
    if len(sys.argv) > 3:
        install(named(sys.argv[3]))
    with contextlib.suppress(KeyboardInterrupt):
        print(json.dumps(play(home, last)))


if __name__ == "__main__":
    main()
