"""All plants, from the tables of their floors. Owns: the joined list and the look-up by name."""

from __future__ import annotations

from tests.plants.planting import Plant
from tests.plants.plants_core import CORE
from tests.plants.plants_flows import FLOWS
from tests.plants.plants_protocols import PROTOCOLS
from tests.plants.plants_store import STORE

PLANTS: tuple[Plant, ...] = (*CORE, *FLOWS, *STORE, *PROTOCOLS)


def named(name: str) -> Plant:
    """The plant of this name."""
    return next(plant for plant in PLANTS if plant.name == name)
