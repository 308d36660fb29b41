"""The program of a load side: `python -m croupier.benchmark.side provider 3` runs a provider on processor 3.

Owns: the choice of the side and of its processors. It ignores signals of the terminal, because the benchmark ends it. Never: a hub.
"""

from __future__ import annotations

import gc
import os
import signal
import sys

from croupier.benchmark import casino_side, provider_side


def main(side: str, processor: str) -> None:
    """Run a side. `processor` is a number, or empty for any."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if processor:
        os.sched_setaffinity(0, {int(processor)})
    gc.freeze()
    gc.disable()  # nothing here makes cycles, and the collector would look through each payment that was booked
    {"provider": provider_side.main, "casino": casino_side.main}[side]()


if __name__ == "__main__":
    main(*sys.argv[1:])
