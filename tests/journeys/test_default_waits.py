"""The slow tier: real processes on real time with every wait as it is shipped (hold 6 s, info at 30 s, claim 15 s)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from croupier.apps.wiring import open_hub
from croupier.apps.world import LocalWorld, local_world
from croupier.views.audit.auditor import audit
from tests.conftest import make_home, remove_home

PATIENCE_S = 75.0


@pytest.mark.slow
def test_a_stake_whose_accept_never_comes_is_found_by_info_and_goes_back() -> None:
    """99 after the hold time, found at 30 s, unclaimed for 15 s, returned: the wallet is whole again."""
    home = make_home()
    try:
        asyncio.run(_play(home))
    finally:
        remove_home(home)


async def _play(home: Path) -> None:
    async with local_world(home, workers=2) as world:
        await world.behave("silent", player="anna", type=-1)
        launched = await world.launch("anna", "lantern-tumble")
        told = await world.call("pay-in", session=launched.session_id, bet="b1", round="r1", amount="10.00")
        assert told == (504, 99)
        bookings = await _bookings(world, 2)
        assert [int(b["TransactionType"]) for b in bookings] == [-1, 2]
        assert await world.call("pay-in", session=launched.session_id, bet="b1", round="r1", amount="10.00") == (409, 7)
        async with open_hub(world.settings) as hub:
            assert not [f for f in await audit(hub.store.db) if f.violations]


async def _bookings(world: LocalWorld, count: int) -> list[dict[str, str]]:
    """What the casino booked for the player, once there are so many bookings."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            wallet = await world.ask(f"{world.casino_url}/_sandbox/wallet/anna")
            if len(wallet["bookings"]) >= count:
                return list(wallet["bookings"])
            await asyncio.sleep(0.5)
