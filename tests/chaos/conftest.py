"""A world whose hub can be killed at named points: real processes, sandbox sides that outlive it, one home."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

import croupier
from croupier.apps.wiring import open_hub
from croupier.apps.world import LocalWorld, local_world, start_hub
from croupier.flows.hub import Hub
from croupier.store.embedded.directory import find_place
from croupier.store.embedded.watcher import postmaster
from croupier.views.audit.auditor import audit
from tests.conftest import make_home, remove_home

HERE = Path(__file__).parent
HOLD_S = 15
WAITS = {
    # A hub may take this long to restart and send what it had accepted: longer than the default, because a machine
    # that runs all tests at once starts processes slowly.
    "CROUPIER_HOLD_S": str(HOLD_S),
    "CROUPIER_CLAIM_S": "3",
    "CROUPIER_INFO_AT_S": "16,17,18",
    "CROUPIER_LATE_INFO_AT_S": "40,50,60",
    "CROUPIER_ACCEPT_WAIT_S": "1.5",
    "CROUPIER_LADDER_S": "0.1,0.2,0.4,0.8",
    "CROUPIER_THEN_EVERY_S": "1.5",
    "CROUPIER_SKEW_S": "0.2",
    "CROUPIER_LEASE_S": "6",
    "CROUPIER_DB_POOL": "5",
}
AT_REST_S = 20.0
UNDECIDED = """
select (select count(*) from payments where state in ('created', 'sent'))
    + (select count(*) from bets where state in ('asked', 'unwanted', 'unclaimed', 'undoing'))
    + (select count(*) from cashbacks where state in ('owed', 'cancel_wanted', 'taking_back'))"""
ACCEPTED = """
select coalesce(sum(case when p.kind in ('stake', 'payout_return', 'cashback_cancel') then -p.amount else p.amount end), 0)
from payments p join players w using (player_id)
where p.state = 'accepted' and w.player_ref = $1 and w.casino_id = $2"""
WALLETS = """
select coalesce(sum(case when target = $1 then amount else -amount end), 0) from ledger where $1 in (source, target)"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of a process share one world, and so one event loop."""
    for item in items:
        if item.path.parent == HERE and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@dataclass
class Chaos:
    """A running world, and the file that names the point at which its hub is killed."""

    world: LocalWorld
    workers: int
    orders: Path
    players: list[str] = field(default_factory=list)

    # --- killing ----------------------------------------------------------------------------------------------

    def order(self, at: str, n: int = 1, whom: str = "worker", *, postgres: bool = False) -> None:
        """Kill at the n-th passing of this point from now on."""
        pid = None
        if postgres:
            place = find_place(self.world.settings.home)
            assert place is not None
            pid = postmaster(place / "data")
            assert pid is not None
        self.orders.with_suffix(".taken").unlink(missing_ok=True)
        draft = self.orders.with_suffix(".draft")
        draft.write_text(json.dumps({"at": at, "n": n, "whom": whom, "postgres": pid}))
        draft.rename(self.orders)

    def fired(self) -> bool:
        return self.orders.with_suffix(".taken").exists()

    async def fire(self) -> None:
        """Wait until a process has taken the order: until the last question about a stake was answered."""
        await until(self.fired, 20, "nobody passed the point")

    async def hub_is_dead(self) -> None:
        await until(lambda: self.world.hub.poll() is not None, 10, "the hub lives")

    async def start_again(self) -> None:
        """Start the hub again on the same home and port."""
        port = urlsplit(self.world.hub_url).port
        assert port is not None
        self.world.hub, url = await start_hub(
            self.world.environ, self.workers, port=port, log=self.world.settings.home / "hub.log"
        )
        assert url == self.world.hub_url

    # --- playing ----------------------------------------------------------------------------------------------

    async def seat(self, player: str, game: str = "lantern-tumble") -> str:
        """Open a session for a new player. A hub that a failed test has left dead is started first."""
        if self.world.hub.poll() is not None:
            self.orders.unlink(missing_ok=True)
            await self.start_again()
        self.players.append(player)
        return (await self.world.launch(player, game)).session_id

    async def call(self, verb: str, session: str, bet: str, **what: str) -> int | None:
        """Make one call of the studio and return the response code, None without an answer."""
        if verb != "refund":
            what.setdefault("round", "r-1")
        return (await self.world.call(verb, session=session, bet=bet, **what))[1]

    async def insist(self, verb: str, session: str, bet: str, **what: str) -> int:
        """Repeat with the same ids until there is a definite answer, as a provider does."""
        async with asyncio.timeout(25):
            while True:
                code = await self.call(verb, session, bet, **what)
                if code not in {None, 99}:
                    return code  # type: ignore[return-value]  # not None
                await asyncio.sleep(0.1)

    # --- looking ----------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def desk(self) -> AsyncIterator[Hub]:
        async with open_hub(self.world.settings) as hub:
            yield hub

    async def wallet(self, player: str) -> dict[str, Any]:
        """Return the player's net amount and bookings at the casino, which may never have seen this player."""
        told = dict(await self.world.ask(f"{self.world.casino_url}/_sandbox/wallet/{player}"))
        return {"change": "0", "bookings": []} if "problem" in told else told

    async def at_rest(self) -> None:
        """Wait, for a limited time, until nothing is undecided and no accept is on its way."""
        async with self.desk() as desk:

            async def rests() -> bool:
                running = (await self.world.ask(f"{self.world.casino_url}/_sandbox/state"))["running"]
                return str(running) == "0" and await desk.store.db.fetchval(UNDECIDED) == 0

            await until(rests, AT_REST_S, "something is still undecided")

    async def judge(self) -> None:
        """Check that wallets, payments and ledger agree, every invariant holds, and the sandbox has no complaint."""
        assert self.world.casino is not None
        casino_id = self.world.casino.casino_id
        changes = 0
        async with self.desk() as desk:
            for player in self.players:
                change = minor((await self.wallet(player))["change"])
                assert await desk.store.db.fetchval(ACCEPTED, player, casino_id) == change, player
                changes += change
            assert await desk.store.db.fetchval(WALLETS, f"wallets/{casino_id}") == changes
            found = await audit(desk.store.db)
        assert [(f.name, f.violations) for f in found if f.violations] == []
        for side in (self.world.casino_url, self.world.studio_url):
            assert (await self.world.ask(f"{side}/_sandbox/log"))["complaints"] == []


def minor(text: str) -> int:
    """Return a decimal text in euros as minor units, exactly."""
    whole, _, cents = text.lstrip("-").partition(".")
    amount = int(whole) * 100 + int(cents.ljust(2, "0"))
    return -amount if text.startswith("-") else amount


async def until(holds: Callable[[], bool] | Callable[[], Awaitable[bool]], within_s: float, otherwise: str) -> None:
    """Poll until the condition holds."""
    patience = asyncio.get_running_loop().time() + within_s
    while True:
        seen = holds()
        if seen if isinstance(seen, bool) else await seen:
            return
        if asyncio.get_running_loop().time() > patience:
            raise AssertionError(otherwise)
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def chaos_with(workers: int) -> AsyncIterator[Chaos]:
    """Open a world of its own, and check it at its end."""
    home = make_home()
    orders = home / "kill.json"
    path = os.pathsep.join(
        [str(HERE / "site"), str(Path(croupier.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    )
    told = {**WAITS, "PYTHONPATH": path, "TEST_KILL_AT": str(orders)}
    try:
        async with local_world(home, told, workers=workers, log=home / "hub.log") as world:
            made = Chaos(world, workers, orders)
            try:
                yield made
                await made.at_rest()
                await made.judge()
            finally:
                _let_go_on(world)
    finally:
        remove_home(home)


def _let_go_on(world: LocalWorld) -> None:
    """Wake processes that a test has stopped, since a stopped one cannot end."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(world.hub.pid, signal.SIGCONT)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def two() -> AsyncIterator[Chaos]:
    """A hub with two workers: when one dies, the other continues."""
    async with chaos_with(2) as chaos:
        yield chaos


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def one() -> AsyncIterator[Chaos]:
    """A hub with one worker: when it dies, everybody waits for the next."""
    async with chaos_with(1) as chaos:
        yield chaos
