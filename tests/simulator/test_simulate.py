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
from croupier.simulator.campaign import Played, kept, players, run_campaign
from croupier.simulator.dials import WorldKind
from croupier.simulator.planned_faults import POINTS
from croupier.simulator.run import RunResult
from croupier.simulator.world import World, worlds_of

QUICK = 60
"""The fast tier plays the first worlds of a run: a mild one and a harsh one."""
WHOLE = 20_000
"""What the slow tier plays; `make simulate` plays the million."""
NEAR = 0.15
"""By how much a run may be longer than it was asked to be."""
FAILED = [
    World.parse(int(seed), shape)
    for seed, shape, *_ in map(str.split, (Path(__file__).parent / "failed_worlds.txt").read_text().splitlines())
    if seed != "#"
]


@pytest.mark.timeout(300)
def test_nothing_is_lost_doubled_or_left_open_in_rough_worlds(ring: Arena) -> None:
    """The first worlds of `croupier simulate --seed 1`: mild and harsh ones."""
    outcomes: list[Played] = []
    for world in worlds_of(1, QUICK):
        outcomes.append(kept(ring.play(world)))
        if sum(o.payments for o in outcomes) >= QUICK:
            break
    assert [o.violations for o in outcomes] == [()] * len(outcomes)
    assert {o.world.kind for o in outcomes} == {WorldKind.MILD, WorldKind.HARSH}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_run_of_20_000_payments_holds(tmp_path: Path) -> None:
    """Mixed worlds: many small and harsh ones, and few crowds, in which most payments are made."""
    outcomes: list[Played] = []
    with players(tmp_path, 2) as play:
        for played in play(worlds_of(1, WHOLE)):
            outcomes.append(played)
            if sum(o.payments for o in outcomes) >= WHOLE:
                break
    assert [o.violations for o in outcomes] == [()] * len(outcomes)
    payments = sum(o.payments for o in outcomes)
    assert payments <= WHOLE * (1 + NEAR)
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


def _marked(world: World) -> object:
    """Some seconds each: the slow tier plays them, on each push too."""
    return pytest.param(world, marks=pytest.mark.slow, id=f"{world.seed}-{world.shape}")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("world", [_marked(world) for world in FAILED])
def test_a_world_that_failed_once_holds(ring: Arena, world: World) -> None:
    assert ring.play(world).verdict.violations == []


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("world", "between"),
    [
        pytest.param(World(2, 40), World(8, 100), marks=pytest.mark.slow),
        (World(3, 20), World(6, 15)),
    ],
)
def test_a_seed_gives_the_same_log_byte_for_byte(ring: Arena, world: World, between: World) -> None:
    """A harsh world and a mild one, and what was played in between leaves nothing behind."""
    assert (world.kind is WorldKind.HARSH) == (between.kind is WorldKind.CROWD)
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


@pytest.mark.slow
def test_leaving_a_bet_out_changes_no_dial_and_no_other_bet(ring: Arena) -> None:
    whole, part = ring.play(World(1, 50)), ring.play(World(1, 50, only=frozenset({1, 4})))
    assert part.dials == whole.dials
    # What a provider does besides (b1-replay) follows from the answers that it got, which other bets may change.
    told, told_in_whole = (
        {line.split()[2].partition("-")[0] for line in played.log if line.split()[1] == "told"}
        for played in (part, whole)
    )
    assert told <= told_in_whole & {"b1", "b4", "j1", "j4"}
    assert told & {"b1", "b4"}


@pytest.mark.slow
def test_a_campaign_comes_to_the_same_however_many_play(tmp_path: Path) -> None:
    alone = run_campaign(tmp_path / "a", SystemClock(), seed=1, payments=60)
    together = run_campaign(tmp_path / "b", SystemClock(), seed=1, payments=60, jobs=2)
    assert (alone.digests, alone.payments, alone.met) == (together.digests, together.payments, together.met)


@pytest.mark.slow
def test_a_return_that_is_forgotten_is_found(ring: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator itself can fail: a rule that forgets to send a late stake back is caught within a few seeds."""
    monkeypatch.setattr(effects, "owe_return", lambda _: None)
    assert any(_fails(ring.play(World(seed, 50))) for seed in range(1, 20))


def _fails(outcome: RunResult) -> bool:
    return bool(outcome.verdict.violations)
