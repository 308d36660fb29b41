"""The ground of a chaos run: a hub with its workers and its PostgreSQL, casinos and studios, each a separate process.

Owns: starting and stopping them, a bad cable between every two that talk, the orders to kill, and a desk beside it all
whose own connections are never disturbed. Never: when something is killed, nor what must come of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlsplit

import croupier
from croupier.apps.schema import Aim
from croupier.apps.wiring import open_hub
from croupier.apps.world import WorldFailed, start_hub, stop
from croupier.core.counterparty import Casino, Provider
from croupier.flows.hub import Hub
from croupier.flows.launch import LaunchRequest, launch
from croupier.flows.sync_games import sync_games
from croupier.kit.config import load
from croupier.kit.http import HttpWire
from croupier.kit.strictjson import loads
from croupier.kit.wire import WireRequest
from croupier.store.db import DbDown
from croupier.store.embedded.access import password_of
from croupier.store.embedded.directory import SOCKET, USER
from croupier.store.embedded.server import attach
from croupier.store.embedded.watcher import leftovers, postmaster
from tests.chaos.proxy import Cable
from tests.conftest import make_home, remove_home

SITE = Path(__file__).with_name("site")
WAITS = {
    # Shorter than the defaults, so that waits take seconds. What recovery depends on (the lease, how often workers
    # check each other, the first waits between tries) keeps its default.
    "CROUPIER_CLAIM_S": "2",
    "CROUPIER_INFO_AT_S": "9,10,11",
    "CROUPIER_LATE_INFO_AT_S": "25,40,60",
    "CROUPIER_ACCEPT_WAIT_S": "3",
    "CROUPIER_THEN_EVERY_S": "2",
    "CROUPIER_SKEW_S": "0.2",
    "CROUPIER_DB_POOL": "5",
}
START_S = 60.0
STARTS = 30


class NotInTime(AssertionError):
    """A condition did not hold in time."""


@dataclass(slots=True)
class Side:
    """A sandbox casino or studio. `url` is its own address, without a cable, for its controls alone."""

    kind: str
    process: subprocess.Popen[bytes]
    url: str
    to_hub: Cable
    from_hub: Cable
    row: Casino | Provider | None = None


@dataclass(slots=True)
class Ground:
    """All running processes of a chaos run."""

    home: Path
    place: Path
    """Return the data directory of PostgreSQL."""
    environ: dict[str, str]
    workers: int
    wire: HttpWire
    desk: Hub
    hub: subprocess.Popen[bytes]
    port: int = 0
    sides: list[Side] = field(default_factory=list)
    cables: dict[str, Cable] = field(default_factory=dict)

    @property
    def casinos(self) -> list[Side]:
        """Return the sandbox casinos."""
        return [side for side in self.sides if side.kind == "casino"]

    @property
    def studios(self) -> list[Side]:
        """Return the sandbox studios."""
        return [side for side in self.sides if side.kind == "studio"]

    @property
    def dsn(self) -> str:
        """Return the address of the database, without a cable."""
        return _dsn(self.home, self.place)

    # --- talking ------------------------------------------------------------------------------------------------

    async def ask(self, url: str, body: Mapping[str, Any] | None = None) -> Any:
        """POST JSON (or GET without a body) to a control of a sandbox side, without a cable."""
        method, sent = ("GET", b"") if body is None else ("POST", json.dumps(body).encode())
        request = WireRequest(
            method, url, {"content-type": "application/json"}, sent, total_s=60.0, max_bytes=16_000_000
        )
        answer = await self.wire.send(request)
        return loads(answer.body, max_bytes=16_000_000)

    async def call(self, studio: Side, verb: str, **what: str) -> int | None:
        """Make one call of a studio on the hub and return the response code; None without an answer."""
        told = await self.ask(f"{studio.url}/_sandbox/call", {"verb": verb, **what})
        answer = told.get("told") or {}
        return int(answer["_responseCode"]) if "_responseCode" in answer else None

    async def behave(self, casino: Side, behaviour: str, **rule: Any) -> None:
        """Set a dial of a casino."""
        await self.ask(f"{casino.url}/_sandbox/behaviour", {"behaviour": behaviour, **rule})

    async def session(self, casino: Side, studio: Side, player: str, game: str = "lantern-tumble") -> str:
        """Open a session."""
        assert isinstance(studio.row, Provider)
        assert isinstance(casino.row, Casino)
        found = await self.desk.store.games.find(f"{studio.row.counterparty_id}/{game}")
        assert found is not None, game
        return (await launch(self.desk, casino.row, LaunchRequest(player, "EUR", found.game_id))).session_id

    # --- life and death -----------------------------------------------------------------------------------------

    async def start_again(self) -> None:
        """Start the hub again on the same home and port until its database answers, as a supervisor does."""
        for _ in range(STARTS):
            try:
                self.hub, _ = await start_hub(self.environ, self.workers, port=self.port, log=self.home / "hub.log")
            except WorldFailed:
                await asyncio.sleep(0.1)
            else:
                return
        raise NotInTime("the hub does not start again")

    async def worker_pids(self) -> list[int]:
        """Return the workers that have registered and still run (or are stopped, not dead)."""
        rows = await self.desk.store.db.fetch("select pid from processes order by process_id")
        return [row["pid"] for row in rows if alive(row["pid"])]

    async def whole(self, within_s: float = 30.0) -> None:
        """Wait until every worker runs."""

        async def all_there() -> bool:
            return len(await self.worker_pids()) >= self.workers

        await until(all_there, within_s, "the workers did not all come back")

    @property
    def orders(self) -> Path:
        """Return the file of the order to kill."""
        return self.home / "kill.json"

    @property
    def points(self) -> Path:
        """Return the file that records every passing of a point while it exists."""
        return self.home / "points.txt"

    def order(self, at: str, whom: str = "worker", *, postgres: bool = False) -> None:
        """Order a kill at the next passing of this point."""
        self.taken.unlink(missing_ok=True)
        draft = self.orders.with_suffix(".draft")
        pid = self.postmaster() if postgres else None
        draft.write_text(json.dumps({"at": at, "n": 1, "whom": whom, "postgres": pid}))
        draft.rename(self.orders)

    @property
    def taken(self) -> Path:
        """Return the order after a process took it."""
        return self.orders.with_suffix(".taken")

    def postmaster(self) -> int | None:
        """Return the pid of PostgreSQL's first process."""
        return postmaster(self.place / "data")

    def backends(self) -> list[int]:
        """Return the pids of its other processes."""
        first = self.postmaster()
        return [pid for pid in leftovers(self.place / "data") if pid != first]


def alive(pid: int) -> bool:
    """Return whether the process exists and has not ended."""
    return _state(pid) not in "ZX"


def runs(pid: int) -> bool:
    """Return whether the process runs and is not stopped."""
    return _state(pid) not in "ZXT"


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


async def until(holds: Any, within_s: float, otherwise: str) -> float:
    """Poll until a plain or async function returns true; return the time it took, in seconds.

    A database that is away has not seen it yet.
    """
    began = time.monotonic()
    while True:
        with contextlib.suppress(DbDown):
            seen = holds()
            if await seen if asyncio.iscoroutine(seen) else seen:
                return time.monotonic() - began
        if time.monotonic() - began > within_s:
            raise NotInTime(f"{otherwise} (after {within_s:.0f} s)")
        await asyncio.sleep(0.03)


@contextlib.asynccontextmanager
async def ground(
    *, workers: int = 2, casinos: int = 2, studios: int = 2, seed: int = 0, waits: Mapping[str, str] = WAITS
) -> AsyncIterator[Ground]:
    """Start everything, and stop it at the end."""
    home = make_home()
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(remove_home, home)
        attached = await asyncio.to_thread(attach, home)
        stack.callback(attached.release)
        chance = Random(seed)
        database = Cable("hub-database", Path(attached.host, SOCKET), chance)
        (home / "cable").mkdir()
        await database.open(home / "cable" / SOCKET)
        stack.push_async_callback(database.close)
        environ = _environ(home, waits)
        direct = {**environ, "CROUPIER_DATABASE_URL": attached.dsn}
        desk = await stack.enter_async_context(
            open_hub(load({k: v for k, v in direct.items() if k.startswith("CROUPIER_")}), aim=Aim.SERVE)
        )
        wire = HttpWire(allow_private=True)
        stack.push_async_callback(wire.close)
        hub, url = await start_hub(environ, workers, log=home / "hub.log")
        port = urlsplit(url).port or 0
        made = Ground(
            home, Path(attached.host), environ, workers, wire, desk, hub, port, cables={database.name: database}
        )
        try:
            for kind, how_many in (("casino", casinos), ("studio", studios)):
                for number in range(how_many):
                    await _join(made, f"{kind}{number}", kind, chance)
            yield made
        finally:
            for cable in made.cables.values():
                cable.heal()
            _wake(made)
            await stop([side.process for side in made.sides])
            await stop([made.hub])
            for cable in made.cables.values():
                if cable is not database:
                    await cable.close()


def _dsn(home: Path, folder: Path) -> str:
    """Return the address of the home's database through the socket in this folder."""
    return f"postgresql://{USER}:{password_of(home)}@/{USER}?host={quote(str(folder), safe='')}"


def _environ(home: Path, waits: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the processes, without the settings of this one."""
    around = {k: v for k, v in os.environ.items() if not k.startswith("CROUPIER_")}
    path = os.pathsep.join([str(SITE), str(Path(croupier.__file__).parents[1])])
    return {
        **around,
        **waits,
        "CROUPIER_HOME": str(home),
        "CROUPIER_ALLOW_PRIVATE_PEERS": "1",
        "CROUPIER_DATABASE_URL": _dsn(home, home / "cable"),
        "PYTHONPATH": path,
        "TEST_KILL_AT": str(home / "kill.json"),
        "TEST_POINTS": str(home / "points.txt"),
    }


async def _join(made: Ground, name: str, kind: str, chance: Random) -> None:
    """Start a sandbox side, and connect it and the hub through a cable in each direction."""
    to_hub = Cable(f"{name}-hub", ("127.0.0.1", made.port), chance)
    await to_hub.open()
    command = [sys.executable, "-m", "croupier.sandbox.serve", kind, "--hub", to_hub.url]
    environ = {k: v for k, v in made.environ.items() if not k.startswith("TEST_")}
    process = subprocess.Popen(  # noqa: ASYNC220 - starting is quick, reading is done in a thread
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ
    )
    assert process.stdout is not None
    async with asyncio.timeout(START_S):
        url = json.loads(await asyncio.to_thread(process.stdout.readline))["url"]
    from_hub = Cable(f"hub-{name}", ("127.0.0.1", urlsplit(url).port or 0), chance)
    await from_hub.open()
    side = Side(kind, process, url, to_hub, from_hub)
    made.sides.append(side)
    made.cables |= {to_hub.name: to_hub, from_hub.name: from_hub}
    if kind == "casino":
        casino, secret = await made.desk.store.casinos.add(f"Chaos {name}", from_hub.url, ["EUR"])
        side.row = casino
        told = {"PartnerClientId": casino.casino_id, "Secret": secret}
    else:
        provider, key = await made.desk.store.providers.add(f"Chaos {name}", from_hub.url)
        side.row = provider
        told = {"CounterpartyId": provider.counterparty_id, "Secret": key}
    await made.ask(f"{url}/_sandbox/credentials", told)
    if isinstance(side.row, Provider):
        await sync_games(made.desk, side.row)
        game = await made.desk.store.games.find(f"{side.row.counterparty_id}/orchard-jackpot")
        assert game is not None
        await made.desk.store.games.set(game.game_id, jackpot_wins=True)


def _wake(made: Ground) -> None:
    """Wake stopped processes, since a stopped one cannot end."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(made.hub.pid, signal.SIGCONT)
    for pid in [made.postmaster(), *made.backends()]:
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
