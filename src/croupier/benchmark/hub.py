"""The hub under measurement: `croupier serve` in a temporary home, with its embedded PostgreSQL and fsync.

Owns: the home, the process, registering a casino, a provider and players, the readings, the audit. Never: load. Spec: operate.md 2.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path

from croupier.apps.schema import Aim
from croupier.apps.wiring import open_hub
from croupier.apps.world import start_hub, stop
from croupier.benchmark.processes import tree_cpu_s
from croupier.benchmark.target import Reading, Site, Verdict
from croupier.core.commands import GameListing
from croupier.core.ledger import wallets
from croupier.core.session import Session
from croupier.flows.hub import Hub
from croupier.kit.clock import monotonic_s
from croupier.kit.config import Settings, load
from croupier.store.embedded.directory import find_place
from croupier.store.embedded.server import EmbeddedError
from croupier.store.embedded.watcher import is_locked, postmaster
from croupier.views.audit.auditor import audit
from croupier.views.sums import sums

WATCHER_S = 20.0
FOREVER_MS = 2**52
USED = """
select (select sum(xact_commit + xact_rollback)::bigint from pg_stat_database where datname = current_database()) as transactions,
       pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint as wal_bytes"""
UNDECIDED = "select count(*) from payments where state in ('created', 'sent')"
CLOSES = "select count(*) from calls"


@dataclass(frozen=True, slots=True)
class Shape:
    """How the hub and the casino are set up."""

    workers: int = 1
    players: int = 400
    batch: int = 100
    alg: str = "RS256"


@contextmanager
def temporary_home() -> Iterator[Path]:
    """Yield a new home; remove it with its database, once nobody uses that."""
    home = Path(tempfile.mkdtemp(prefix="croupier-bench-"))
    home.chmod(0o711)  # PostgreSQL's user must be able to enter it
    try:
        yield home
    finally:
        place = None
        with suppress(EmbeddedError):
            place = find_place(home)
        if place is not None:
            _wait_for_watcher(place)
            shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def _wait_for_watcher(place: Path) -> None:
    """Wait until the database's watcher has ended, which it does when nobody uses the database."""
    until_s = monotonic_s() + WATCHER_S
    while (place / "watch").exists() and is_locked(place / "watch") and monotonic_s() < until_s:
        time.sleep(0.05)  # noqa: TID251 - PostgreSQL ends in real time


class HubTarget:
    """A running hub. Create it by `running_hub`."""

    name = "croupier"

    def __init__(self, hub: Hub, settings: Settings, shape: Shape, *, pid: int, port: int) -> None:
        self._hub = hub
        self._shape = shape
        self._pid = pid
        self._port = port
        self._casino_id = 0
        place = find_place(settings.home)
        assert place is not None
        server = postmaster(place / "data")
        assert server is not None
        self._server = server

    async def introduce(self, casino_url: str) -> Site:
        """Register casino, provider, game, players and sessions, as operators and launches would."""
        store, shape = self._hub.store, self._shape
        casino, secret = await store.casinos.add(
            "Bench", casino_url, ["EUR"], in_flight=1000, batch=shape.batch, alg=shape.alg
        )
        self._casino_id = casino.casino_id
        provider, key = await store.providers.add("Bench", "http://127.0.0.1:1", user_id="player")
        await store.games.take_listing(provider.provider_id, [GameListing("g", "Game", "slots")], enabled_for_new=True)
        (game,) = await store.games.all(provider.provider_id)
        session = Session(
            "", provider.provider_id, casino.casino_id, 0, "", game.game_id, "EUR",
            demo=False, min_bet=1, max_bet=10**6, opened_ms=0, expires_ms=FOREVER_MS,
        )  # fmt: skip
        sessions = [await self._open(session, number) for number in range(shape.players)]
        token = await asyncio.to_thread(access_token, self._port, casino.casino_id, secret)
        return Site(self._port, provider.counterparty_id, key, token, tuple(sessions), self._pid)

    async def _open(self, session: Session, number: int) -> str:
        player = await self._hub.store.players.register(session.casino_id, f"p{number}", "EUR")
        opened = replace(
            session, session_id=self._hub.chance.hex(16), player_id=player.player_id, player_ref=player.player_ref
        )
        await self._hub.store.sessions.open(opened)
        return opened.session_id

    async def read(self) -> Reading:
        """Return what hub and PostgreSQL have used so far."""
        (row,) = await self._hub.store.db.fetch(USED)
        hub_s = tree_cpu_s(self._pid, without=[self._server])
        return Reading(hub_s, tree_cpu_s(self._server), int(row["transactions"]), int(row["wal_bytes"]))

    async def undecided(self) -> int:
        """Return the number of payments and closes that are not through."""
        db = self._hub.store.db
        return int(await db.fetchval(UNDECIDED)) + int(await db.fetchval(CLOSES))

    async def verdict(self) -> Verdict:
        """Run the audit, as `croupier audit` does, and sum up the players' wallets."""
        found = await audit(self._hub.store.db, notary=self._hub.notary)
        broken = [f"{one.name}: {len(one.violations)} violations" for one in found if one.violations]
        accounts = await sums(self._hub.store.db)
        net = sum(one.balance for one in accounts if one.account == wallets(self._casino_id))
        checked = {"invariants": sum(1 for one in found if one.checked)}
        return Verdict(not broken, tuple(broken), net, await self.undecided(), checked)


def access_token(port: int, casino_id: int, secret: str) -> str:
    """Return an access token of the casino: the one call that no load side makes."""
    line = HTTPConnection("127.0.0.1", port)
    with contextlib.closing(line):
        body = json.dumps({"PartnerClientId": casino_id, "Secret": secret})
        line.request("POST", "/mis-api/api/v2/auth/token", body, {"Content-Type": "application/json"})
        token: str = json.loads(line.getresponse().read())["Value"]["AccessToken"]
    return token


@asynccontextmanager
async def running_hub(home: Path, shape: Shape, *, log: Path | None = None) -> AsyncIterator[HubTarget]:
    """Run a hub in this home. Settings of the environment are ignored, above all a database that belongs to another hub."""
    own = {"CROUPIER_HOME": str(home), "CROUPIER_ALLOW_PRIVATE_PEERS": "1"}
    environ: Mapping[str, str] = {k: v for k, v in os.environ.items() if not k.startswith("CROUPIER_")} | own
    settings = load(own)
    process, url = await start_hub(environ, shape.workers, log=log)
    try:
        async with open_hub(settings, aim=Aim.CHANGE) as hub:
            yield HubTarget(hub, settings, shape, pid=process.pid, port=int(url.rpartition(":")[2]))
    finally:
        await stop([process])
