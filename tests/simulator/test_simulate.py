"""The simulator: a seed is a world, the same every time; honest rules survive it, a broken rule does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from croupier.core import effects
from croupier.kit.clock import SystemClock
from croupier.simulator.arena import Arena
from croupier.simulator.campaign import Played, kept, run_campaign
from croupier.simulator.dials import CROWD
from croupier.simulator.mischief import POINTS
from croupier.simulator.run import Outcome
from croupier.simulator.world import EVERY, SMALL, World, world_of

CROWDS = (8, 12)
"""Seeds of crowds, each played after the three worlds before it."""
AT_LEAST = 20_000
"""How many payments they make together."""
EACH = {8: 11_000, 12: 11_000}
"""A few less than were counted: another Python's event loop plays a slightly different world."""
FAILED = [
    World.parse(int(seed), shape)
    for seed, shape, *_ in map(str.split, (Path(__file__).parent / "failed_worlds.txt").read_text().splitlines())
    if seed != "#"
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("crowd", CROWDS)
def test_nothing_is_lost_doubled_or_left_open_in_rough_worlds(ring: Arena, crowd: int) -> None:
    """Three small worlds, one of them harsh, and a crowd each; together at least 20,000 payments."""
    small = [World(seed, SMALL) for seed in range(crowd - EVERY + 1, crowd)]
    outcomes = [kept(ring.play(world)) for world in (*small, world_of(crowd))]
    assert [o.violations for o in outcomes] == [()] * len(outcomes)
    payments = sum(o.payments for o in outcomes)
    assert payments >= EACH[crowd]
    assert sum(sum(o.faults.values()) for o in outcomes) > payments
    _was_rough(outcomes)


def _was_rough(outcomes: list[Played]) -> None:
    """Something of every sort went wrong, and whole lives were lived."""
    faults: Counter[str] = sum((o.faults for o in outcomes), Counter())
    assert faults.keys() >= {"loss_of_request", "loss_of_answer", "duplicate"}
    assert faults.keys() & {"crash", "crash_at_point", "skew", "pause", "commit_answer_lost", "cut"}
    seen: Counter[str] = sum((o.seen for o in outcomes), Counter())
    assert seen.keys() >= {"bet settled", "bet returned", "bet refused", "payout accepted", "bet_return accepted"}
    assert len([name for name in POINTS if seen[f"point {name}"]]) > len(POINTS) // 2


def test_the_crowds_make_20_000_payments() -> None:
    assert sum(EACH[crowd] for crowd in CROWDS) >= AT_LEAST


def _marked(world: World) -> object:
    """Whole crowds take half a minute and harsh worlds ten seconds: the slow tier plays them, on each push too."""
    whole = (world.payments >= CROWD or world.harsh) and world.only is None
    return pytest.param(world, marks=pytest.mark.slow if whole else (), id=f"{world.seed}-{world.shape}")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("world", [_marked(world) for world in FAILED])
def test_a_world_that_failed_once_holds(ring: Arena, world: World) -> None:
    assert ring.play(world).verdict.violations == []


@pytest.mark.parametrize(("world", "between"), [(World(2, 100), World(3, 400)), (World(5, 50), World(6, 50))])
def test_a_seed_gives_the_same_log_byte_for_byte(ring: Arena, world: World, between: World) -> None:
    """A harsh world and a mild one, and what was played in between leaves nothing behind."""
    assert world.harsh == (between.payments >= CROWD)
    first = ring.play(world)
    ring.play(between)
    again = ring.play(world)
    assert again.log == first.log
    assert again.log_sha256 == first.log_sha256


@pytest.mark.slow
def test_two_processes_write_the_same_log(tmp_path: Path) -> None:
    """Nothing of a process may reach the log: the order in which its sets happen to be, its threads, its keys."""
    home = {"CROUPIER_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "croupier.cli", "simulate", "--seed", "4", "--world", "400", "--json"]
    told = [
        subprocess.run(command, env={**os.environ, **home, "PYTHONHASHSEED": salt}, capture_output=True, check=True)
        for salt in ("1", "2")
    ]
    first, second = (json.loads(run.stdout)["log_sha256"] for run in told)
    assert first == second


def test_leaving_a_bet_out_changes_no_dial_and_no_other_bet(ring: Arena) -> None:
    whole, part = ring.play(World(3, 50)), ring.play(World(3, 50, only=frozenset({1, 4})))
    assert part.dials == whole.dials
    stakes = {line.split()[2]: line for line in part.log if line.split()[1] == "told"}
    assert set(stakes) <= {line.split()[2] for line in whole.log if line.split()[1] == "told"}
    assert {name.partition("-")[0] for name in stakes} <= {"b1", "b4", "j1", "j4"}


@pytest.mark.slow
def test_a_campaign_comes_to_the_same_however_many_play(tmp_path: Path) -> None:
    alone = run_campaign(tmp_path / "a", SystemClock(), seed=1, payments=60)
    together = run_campaign(tmp_path / "b", SystemClock(), seed=1, payments=60, jobs=2)
    assert (alone.digests, alone.payments, alone.met) == (together.digests, together.payments, together.met)


def test_a_return_that_is_forgotten_is_found(ring: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator itself can fail: a rule that forgets to send a late stake back is caught within a few seeds."""
    monkeypatch.setattr(effects, "owe_return", lambda _: None)
    assert any(_fails(ring.play(World(seed, 50))) for seed in range(1, 20))


def _fails(outcome: Outcome) -> bool:
    return bool(outcome.verdict.violations)
