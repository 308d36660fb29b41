"""Each bug that is planted into the draws of the feed is caught by the test that it names, which passes without it."""

from __future__ import annotations

import ast

import pytest

from tests.plants.planting import Plant
from tests.plants.plants_draws import DRAW_PLANTS
from tests.plants.run import ROOT, fails_under
from tests.plants.table import PLANTS

every_plant = pytest.mark.parametrize("plant", DRAW_PLANTS, ids=lambda p: p.name)


@every_plant
def test_it_stands_in_its_module_and_names_a_test(plant: Plant) -> None:
    ast.parse(plant.planted(plant.source.read_text()))
    assert plant.test is not None
    path, _, name = plant.test.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text()


def test_each_has_a_name_of_its_own() -> None:
    assert len({plant.name for plant in (*PLANTS, *DRAW_PLANTS)}) == len(PLANTS) + len(DRAW_PLANTS)


@pytest.mark.slow
@pytest.mark.timeout(300)
@every_plant
def test_it_is_caught(plant: Plant) -> None:
    assert fails_under(plant)
