"""A real hub with two workers looks after its books by itself: it binds, signs and audits while it serves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from croupier.apps.wiring import open_hub
from croupier.apps.world import LocalWorld, local_world
from croupier.flows.hub import Hub
from croupier.kit.http import HttpWire
from croupier.kit.wire import WireRequest
from croupier.store.embedded.server import attach
from croupier.views.trail.verify import verify_trail
from tests.conftest import make_home, remove_home

pytestmark = pytest.mark.slow

PATIENCE_S = 60.0
QUICK = {"CROUPIER_BIND_EVERY_S": "0.2", "CROUPIER_SIGN_EVERY_S": "1", "CROUPIER_AUDIT_EVERY_S": "1"}


@pytest.fixture
async def world() -> AsyncIterator[LocalWorld]:
    home = make_home()
    try:
        async with local_world(home, QUICK, workers=2) as made:
            yield made
    finally:
        await asyncio.to_thread(remove_home, home)


async def comes(what: Callable[[], Awaitable[Any]]) -> Any:
    """What comes of asking again and again."""
    patience = time.monotonic() + PATIENCE_S
    while not (told := await what()):
        assert time.monotonic() < patience, "it did not come"
        await asyncio.sleep(0.1)
    return told


async def play(world: LocalWorld, n: int) -> None:
    session = (await world.launch("ann", "lantern-tumble")).session_id
    for i in range(n):
        said = {"session": session, "bet": f"b{i}", "round": f"r{i}"}
        assert await world.call("pay-in", amount="1.00", **said) == (200, 1)
        assert await world.call("pay-out", win="2.00", **said) == (200, 1)


async def test_what_is_played_is_bound_and_signed_and_a_change_by_hand_calls_a_person(world: LocalWorld) -> None:
    await play(world, 3)
    async with open_hub(world.settings) as hub:
        await comes(lambda: all_signed(hub))
        report = await verify_trail(hub.store.db, hub.notary)
        assert report.breaks == []
        assert report.rows >= 3 * 8
        text = await metrics(world)
        assert 'croupier_audit_holds{invariant="I5"} 1.0' in text
        assert 'croupier_trail_waiting{table="ledger"}' in text
        entry = await by_hand(world)
        note = await comes(lambda: noted(hub, "audit"))
        assert f"row {entry} of ledger is not what it was when it was bound" in note
        report = await verify_trail(hub.store.db, hub.notary)
        assert [(b.kind, b.row_id) for b in report.breaks] == [("edited", entry)]
        assert 'croupier_audit_holds{invariant="I12"} 0.0' in await metrics(world)


async def all_signed(hub: Hub) -> bool:
    report = await verify_trail(hub.store.db, hub.notary)
    return report.rows > 0 and report.not_signed == 0 and not any(waiting.rows for waiting in report.waiting)


async def noted(hub: Hub, name: str) -> str | None:
    return next((i.note for i in await hub.store.incidents.open_ones() if i.name == name and i.subject_id == 0), None)


async def metrics(world: LocalWorld) -> str:
    wire = HttpWire(allow_private=True)
    try:
        answer = await wire.send(WireRequest("GET", f"{world.hub_url}/metrics", max_bytes=1_000_000))
        return answer.body.decode()
    finally:
        await wire.close()


async def by_hand(world: LocalWorld) -> int:
    """A superuser changes an entry, past every trigger."""
    with attach(world.settings.home) as attached:
        connection = await asyncpg.connect(**attached.connect_kwargs)
        await connection.execute("set session_replication_role = replica")
        changed = await connection.fetchval(
            "update ledger set author = 'nobody' where entry_id = (select min(entry_id) from ledger) returning entry_id"
        )
        await connection.close()
    return int(changed)
