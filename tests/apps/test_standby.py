"""A synchronous standby takes over: the primary is killed under load, and nothing that was answered is lost.

Two real PostgreSQL servers on loopback, a hub of two workers that names both, a sandbox casino and a sandbox studio. What
docs/SCALING.md says of a standby is proved here.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from croupier.apps.world import local_world
from tests.apps.load import WAITS, play_through
from tests.apps.postgres_servers import Pair, servers
from tests.conftest import make_home, remove_home


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_answered_payment_is_lost_when_the_primary_is_killed_under_load() -> None:
    home = make_home()
    try:
        with servers(standby=True) as pair:
            asyncio.run(failover(home, pair))
    finally:
        remove_home(home)


async def failover(home: Path, pair: Pair) -> None:
    async def accident() -> None:
        await asyncio.to_thread(pair.kill_primary)
        await asyncio.sleep(1)
        await asyncio.to_thread(pair.promote)

    settings = {**WAITS, "CROUPIER_DATABASE_URL": pair.url}
    async with local_world(home, settings, workers=2, log=home / "hub.log") as world:
        await play_through(world, accident)
