"""The committed table matches the plants, each plant applies to its module, and a share of them is caught here."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from croupier.store.embedded.server import Attached
from tests.plants import report
from tests.plants.planting import NotOnce, Plant
from tests.plants.run import ROOT, RUNS, environment, simulated
from tests.plants.table import PLANTS, named

FAST = ("entry-doubled", "return-forgotten", "written-with-two-decimals", "session-scope-forgotten")
"""Plants that the first world catches: one of each kind. `make plants` plays all others."""
BY_SIMULATOR = 0.95
"""Share of the plants that the simulator itself must catch, within five runs."""
HOME = "TEST_HOME_OF_CROUPIER"
every_plant = pytest.mark.parametrize("plant", PLANTS, ids=lambda p: p.name)


@every_plant
def test_a_plant_stands_in_its_module_and_can_be_compiled(plant: Plant) -> None:
    """After a change of that code, the plant must change too: the same bug in the new text."""
    ast.parse(plant.planted(plant.source.read_text()))


def test_no_plant_names_what_its_module_lacks(tmp_path: Path) -> None:
    """Such a plant breaks its request, which is another bug than the one it is to be."""
    for plant in PLANTS:
        (tmp_path / f"{plant.name}.py").write_text(plant.planted(plant.source.read_text()))
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F821,F823", str(tmp_path)]
    done = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_there_are_sixty_and_each_has_a_name_of_its_own() -> None:
    assert len({plant.name for plant in PLANTS}) == len(PLANTS) >= 60
    assert len({plant.digest for plant in PLANTS}) == len(PLANTS)


def test_a_plant_that_does_not_fit_is_refused() -> None:
    twice = Plant("x", "", "croupier.core.bet", (("a", "b"),), "")
    with pytest.raises(NotOnce):
        twice.planted("aa")
    with pytest.raises(NotOnce):
        twice.planted("")


def test_the_committed_table_is_about_these_plants() -> None:
    """A changed plant must be played again: `make plants`."""
    assert report.stale(report.read()) == []


def test_the_committed_table_says_what_was_measured() -> None:
    """Each row names what caught the plant, and the same runs are clean without one."""
    data = report.read()
    assert all(row["by"] for row in data["plants"])
    assert data["control"]["caught"] is None
    assert report.PROOF.read_text() == report.page(data)


def test_what_was_measured_was_caught_and_nearly_all_by_the_simulator() -> None:
    """A caught plant has a row; plants without one are named and counted on the page as not measured.

    What other tests caught counts against the share of the whole table from the first row on.
    """
    data = report.read()
    rows, left = data["plants"], report.not_played(data)
    caught = [row for row in rows if row["by"] == "simulator"]
    assert len({row["plant"] for row in rows}) == len(rows) == len(PLANTS) - len(left)
    assert len(rows) - len(caught) <= (1 - BY_SIMULATOR) * len(PLANTS)
    assert max((row["run"] for row in caught), default=0) <= RUNS
    assert f"not measured yet: **{len(left)}**" in report.PROOF.read_text()
    assert all(f"`{plant.name}`" in report.PROOF.read_text() for plant in left)


def test_who_is_named_for_a_plant_is_a_test() -> None:
    for plant in PLANTS:
        if plant.test is not None:
            path, _, name = plant.test.partition("::")
            assert f"def {name}(" in (ROOT / path).read_text()


@pytest.mark.xdist_group("plants")
@pytest.mark.slow
@pytest.mark.parametrize("name", FAST)
def test_a_planted_bug_is_caught_by_the_first_seeds(postgres: Attached, name: str) -> None:
    assert simulated(Path(os.environ[HOME]), 1, named(name))["caught"] is not None


def test_a_plant_is_in_its_process_and_nowhere_else() -> None:
    """The bug is active for every importer, also behind `from x import y`, and gone with the process."""
    say = "from croupier.core.bet_requests import owe_return; import inspect; print(inspect.getfile(owe_return))"
    plant = "from tests.plants.planting import install; from tests.plants.table import named"
    words = f"{plant}; install(named('return-forgotten')); {say}; print(owe_return.__code__.co_names)"

    def names_in(program: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
        ).stdout

    with ThreadPoolExecutor() as pool:
        planted, plain = pool.map(names_in, (words, f"{say}; print(owe_return.__code__.co_names)"))
    assert "'owe'" in plain
    assert "'owe'" not in planted
