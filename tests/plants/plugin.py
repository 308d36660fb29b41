"""A pytest plugin that plants the bug named by the environment before any import. `-p tests.plants.plugin`."""

from __future__ import annotations

from tests.plants.planting import asked_for, install
from tests.plants.plants_draws import DRAW_PLANTS
from tests.plants.table import PLANTS

_plant = asked_for((*PLANTS, *DRAW_PLANTS))
if _plant is not None:
    install(_plant)
