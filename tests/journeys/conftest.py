"""One running world for all journeys of a test run, whichever process of pytest-xdist comes first.

Hub with two workers on its own PostgreSQL, sandbox casino and sandbox studio: real processes that speak HTTP on
loopback. Waits are shortened by settings. The process that started the world stops it when the last user is gone, and
then the books must hold and neither sandbox side may have a complaint.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

import croupier
from croupier.apps.wiring import open_hub
from croupier.apps.world import LocalWorld, local_world
from croupier.kit.config import load
from croupier.views.audit.auditor import audit
from tests.conftest import make_home, remove_home
from tests.journeys.peers import Server
from tests.journeys.stage import CLAIM_S, HOLD_S, INFO_AT_S, Facts, Seat, Stage, Table

HERE = Path(__file__).parent
SHORT = {
    "CROUPIER_CLAIM_S": str(CLAIM_S),
    "CROUPIER_INFO_AT_S": ",".join(map(str, INFO_AT_S)),
    "CROUPIER_LATE_INFO_AT_S": "13,14,15",
    "CROUPIER_ACCEPT_WAIT_S": "1",
    "CROUPIER_LADDER_S": "0.1,0.2,0.4,0.8",
    "CROUPIER_THEN_EVERY_S": "1.5",
    "CROUPIER_SKEW_S": "0.2",
    "CROUPIER_LEASE_S": "6",
    "CROUPIER_DB_POOL": "5",
    "CROUPIER_ALLOW_PRIVATE_PEERS": "1",
}
"""What the journeys shorten; a shortened whole call of a casino must still fit into the lease."""
BUGS = ("Traceback", "provider.bug", "casino.not_answered", "call.bug", "invariant ")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All journeys of a process share one event loop: the peers and the desk live on it."""
    for item in items:
        if item.path.parent == HERE and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage() -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        facts = await stack.enter_async_context(_world())
        desk = await stack.enter_async_context(open_hub(load({**SHORT, "CROUPIER_HOME": facts.home})))
        await desk.store.keys.load()
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)))
        peers = Server(http, facts.hub_url)
        await peers.start()
        stack.push_async_callback(peers.stop)
        made = Stage(facts, desk, http, peers)
        made.hand_studio = await made.new_studio()
        yield made
        assert peers.complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def seat(stage: Stage) -> Seat:
    """A new player of the sandbox casino, the sandbox studio's game open."""
    return await stage.seat()


@pytest_asyncio.fixture(loop_scope="session")
async def table(stage: Stage) -> Table:
    """A new player of a new hand-made casino, the hand-made studio's game open."""
    return await stage.table()


# --- one world at a time ------------------------------------------------------------------------------------------


@asynccontextmanager
async def _world() -> AsyncIterator[Facts]:
    """The facts of the world that runs, or of one that is started now."""
    place = Path(os.environ["TEST_HOME_OF_CROUPIER"]) / "journeys"
    place.mkdir(exist_ok=True)
    async with AsyncExitStack() as stack:
        turn = await asyncio.to_thread(_lock, place / "turn", fcntl.LOCK_EX)
        try:
            # Held for reading by every guest, so that the host knows when the last one left.
            guest = _lock(place / "guests", fcntl.LOCK_SH)
            stack.callback(os.close, guest)
            told = place / "facts.json"
            if not told.exists():
                stack.pop_all()
                os.close(guest)
                facts = await stack.enter_async_context(_host(place))
                told.write_text(json.dumps(asdict(facts)))
            else:
                facts = Facts(**json.loads(told.read_text()))
        finally:
            os.close(turn)
        yield facts


@asynccontextmanager
async def _host(place: Path) -> AsyncIterator[Facts]:
    """Start the world; at the end wait for the guests, look at the books, stop it."""
    home = make_home()
    path = os.pathsep.join([str(Path(croupier.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    try:
        async with local_world(home, {**SHORT, "PYTHONPATH": path}, workers=2, log=home / "hub.log") as world:
            assert world.casino is not None
            assert world.provider is not None
            await _shorten(world)
            yield Facts(
                str(home), world.hub_url, world.casino_url, world.studio_url,
                world.casino.casino_id, world.provider.provider_id,
            )  # fmt: skip
            await _last_guest_left(place)
            await _judge(world)
        said = (home / "hub.log").read_text()
        assert [line for line in said.splitlines() if any(bug in line for bug in BUGS)] == []
    finally:
        remove_home(home)


async def _shorten(world: LocalWorld) -> None:
    assert world.casino is not None
    async with open_hub(world.settings) as desk:
        await desk.store.casinos.change(world.casino.casino_id, {"total_s": 3.0})
        assert world.provider is not None
        await desk.store.providers.change(world.provider.provider_id, {"hold_s": HOLD_S})


async def _last_guest_left(place: Path) -> None:
    while True:
        turn = await asyncio.to_thread(_lock, place / "turn", fcntl.LOCK_EX)
        try:
            with suppress(BlockingIOError):
                os.close(_lock(place / "guests", fcntl.LOCK_EX | fcntl.LOCK_NB))
                (place / "facts.json").unlink()
                return
        finally:
            os.close(turn)
        await asyncio.sleep(0.1)


async def _judge(world: LocalWorld) -> None:
    """What must be true after everything that was played."""
    async with open_hub(world.settings) as desk:
        found = await audit(desk.store.db)
    assert [(f.name, f.violations) for f in found if f.violations] == []
    assert sum(f.checked for f in found) > 10
    for side in (world.casino_url, world.studio_url):
        assert (await world.ask(f"{side}/_sandbox/log"))["complaints"] == []


def _lock(path: Path, how: int) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, how)
    except BaseException:
        os.close(file)
        raise
    return file
