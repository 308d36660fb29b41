"""Plays every plant in the simulator: `python -m tests.plants.run`, or `make plants`.

For each plant, up to five runs of `croupier simulate --seed S --payments 1000`, to the first world that is caught; where
the simulator sees nothing, the plant's named test is run. The same runs without a plant are the control: they must be clean.
Writes docs/proof/plants.md and plants.json. Owns: that run and those two files. Never: decides what a catch is (play).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import make_home, remove_home
from tests.plants.planting import WHICH, Plant
from tests.plants.report import PROOF, known, read, write
from tests.plants.table import PLANTS

ROOT = Path(__file__).parents[2]
RUNS = 5
"""Number of runs of the command per plant."""


def main() -> int:
    """Run the module's command; exit with 1 if a plant was not detected or the control was not clean."""
    asked = _asked()
    kept = known() if asked.missing else {}
    plants = [p for p in PLANTS if not asked.only or any(word in p.name for word in asked.only)]
    started = time.monotonic()
    with server() as home, ThreadPoolExecutor(asked.jobs) as pool:
        found: dict[str, dict[str, Any]] = {p.name: kept[p.digest] for p in plants if p.digest in kept}
        work = [pool.submit(judged, home, asked.runs, plant) for plant in plants if plant.name not in found]
        for done in as_completed(work):
            found[done.result()["plant"]] = done.result()
            if not asked.only:
                # Written after each plant, in whichever order they end: a stopped run continues with --missing.
                rows = [found[plant.name] for plant in plants if plant.name in found]
                write(rows, read()["control"], {"runs": asked.runs})
        rows = [found[plant.name] for plant in plants]
        clean = simulated(home, asked.control or asked.runs, None)
    unseen = [row["plant"] for row in rows if not row["by"]]
    if not asked.only:
        write(rows, clean, {"runs": asked.runs})
        print(f"written: {PROOF} in {time.monotonic() - started:.0f} s")
    by_simulator = sum(row["by"] == "simulator" for row in rows)
    print(f"{len(rows)} plants, {by_simulator} caught by the simulator, not caught at all: {unseen or 'none'}")
    print(f"control: {clean['runs']} runs without a plant, {'clean' if clean['caught'] is None else clean}")
    return int(bool(unseen) or clean["caught"] is not None)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make plants")
    parser.add_argument("--runs", type=int, default=RUNS, help="at most so many runs per plant")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="so many at once")
    parser.add_argument("--control", type=int, default=0, help="so many runs without a plant; as many as for a plant")
    parser.add_argument(
        "--missing", action="store_true", help="keep what is written of unchanged plants that were caught"
    )
    parser.add_argument("--only", nargs="*", default=[], help="plants whose name holds one of these; writes nothing")
    return parser.parse_args()


@contextmanager
def server() -> Iterator[Path]:
    """Run a database server for this run, in a home of its own."""
    from croupier.store.embedded.server import attach  # noqa: PLC0415 - the plants' processes import it themselves

    home = make_home()
    try:
        with attach(home):
            yield home
    finally:
        remove_home(home)


def judged(home: Path, runs: int, plant: Plant) -> dict[str, Any]:
    """Return the row of a plant: what detects it, and how soon."""
    found = simulated(home, runs, plant)
    row = {"plant": plant.name, "digest": plant.digest, "by": "", "run": found["caught"]}
    row |= {name: found[name] for name in ("world", "said")}
    row["seconds"] = found["seconds"]
    if found["caught"] is not None:
        row["by"] = "simulator"
    elif plant.test is not None:
        row["by"] = plant.test if fails_under(plant) else ""
    print(
        f"{plant.name:36} {row['by'] or 'NOBODY'} {row['world'] or ''} {row['seconds']} s {row['said'][:1]}", flush=True
    )
    return row


def simulated(home: Path, runs: int, plant: Plant | None) -> dict[str, Any]:
    """Return the simulator's result with this plant, or without one, in a process of its own."""
    words = [sys.executable, "-m", "tests.plants.play", str(home), str(runs), *([plant.name] if plant else [])]
    done = subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        # If the import or the setup of the world fails, the plant is detected at once.
        return {"caught": 1, "world": None, "said": [f"cannot run: {done.stderr.strip()[-300:]}"], "seconds": 0.0}
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return {**told, "runs": runs}


def fails_under(plant: Plant) -> bool:
    """Return whether the plant's own test fails with the bug, and passes without it."""
    assert plant.test is not None
    return _passes(plant.test, None) and not _passes(plant.test, plant)


def _passes(test: str, plant: Plant | None) -> bool:
    words = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "tests.plants.plugin", test]
    env = environment() | ({WHICH: plant.name} if plant else {})
    return subprocess.run(words, cwd=ROOT, env=env, capture_output=True, check=False).returncode == 0


def environment() -> dict[str, str]:
    """Return the environment of a process that imports the hub from this tree, without a plant."""
    own = {name: value for name, value in os.environ.items() if name != WHICH}
    return own | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}


if __name__ == "__main__":
    sys.exit(main())
