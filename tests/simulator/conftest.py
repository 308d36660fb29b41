"""An arena for each process of the test run: opened once, used by every test that plays."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from croupier.kit.log import silence
from croupier.simulator.arena import Arena, arena
from croupier.store.embedded.server import Attached


@pytest.fixture(scope="session")
def ring(postgres: Attached) -> Iterator[Arena]:
    """Where worlds are played."""
    with arena(postgres) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The hub inside complains of all that is done to it."""
    before, level = structlog.get_config(), logging.getLogger("asyncio").level
    silence()
    yield
    structlog.configure(**before)
    logging.getLogger("asyncio").setLevel(level)
