"""A real hub process with a provider of keno and a casino, as both sides see it: over the network, with credentials."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

import croupier
from croupier.apps.wiring import open_hub
from croupier.apps.world import start_hub, stop
from croupier.flows.hub import Hub
from croupier.kit.config import load
from croupier.providers.betcore_v1 import signing
from tests.conftest import make_home, remove_home

ROOT = "/partnersmediator-service/api/v2"
PATIENCE_S = 30.0


@dataclass
class Site:
    """The hub, the operator's desk, a provider of keno and a casino."""

    url: str
    environ: dict[str, str]
    process: subprocess.Popen[bytes]
    desk: Hub
    http: aiohttp.ClientSession
    counterparty: str = ""
    secret: str = ""
    casino: dict[str, Any] = field(default_factory=dict)
    log: Path = Path(os.devnull)

    async def publish(self, **what: Any) -> int:
        """The code of a publication of draw 1."""
        now_ms = time.time_ns() // 1_000_000
        draw = {
            "gameType": 23, "gameEdition": 1, "version": 1, "state": 2, "playState": 1, "round": 0,
            "startsAt": now_ms, "bettingEndsAt": now_ms + 60_000, **what,
        }  # fmt: skip
        body = json.dumps({"draws": [draw]}).encode()
        headers = signing.sign(
            self.secret, self.counterparty, timestamp_ms=now_ms, request_id=os.urandom(16).hex(), body=body
        )
        kind = {"Content-Type": "application/json"}
        async with self.http.post(f"{self.url}/v1/feed/draws", data=body, headers={**headers, **kind}) as answer:
            return int((await answer.json())["_responseCode"])

    async def token(self) -> str:
        """A new access token of the casino."""
        async with self.http.post(f"{self.url}{ROOT}/auth/token", json=self.casino) as answer:
            return str((await answer.json())["Value"]["AccessToken"])

    async def value(self, path: str) -> Any:
        """What the casino is told at this path."""
        bearer = {"Authorization": f"Bearer {await self.token()}"}
        async with self.http.get(f"{self.url}{ROOT}/{path}", headers=bearer) as answer:
            return (await answer.json())["Value"]

    async def snapshot(self) -> tuple[int, dict[str, Any]]:
        """Number and argument of the last snapshot of keno; -1 before the first."""
        for stored in await self.desk.store.streams.latest():
            if stored.game_type == 23:
                return stored.sequence, json.loads(stored.text)
        return -1, {}

    async def publishing_pid(self) -> int:
        """The process that publishes keno, by its name in the hub's log; 0 if nobody does."""
        owner = await self.desk.store.db.fetchval("select owner from feed_streams where game_type = 23")
        found = re.search(rf"ready.* pid=([0-9]+) process={owner}$", self.log.read_text(), re.MULTILINE)
        return int(found[1]) if found else 0


async def until(true: Callable[[], Awaitable[bool]], within_s: float = PATIENCE_S) -> None:
    async with asyncio.timeout(within_s):
        while not await true():
            await asyncio.sleep(0.05)


@asynccontextmanager
async def open_site(folder: Path, workers: int = 2, port: int = 0) -> AsyncIterator[Site]:
    """Start the hub and add both sides."""
    home = make_home()
    own = {k: v for k, v in os.environ.items() if not k.startswith("CROUPIER_")}
    source = str(Path(croupier.__file__).parents[1])
    told = {"CROUPIER_HOME": str(home), "CROUPIER_ALLOW_PRIVATE_PEERS": "1"}
    environ = {**own, **told, "PYTHONPATH": source}
    process, url = await start_hub(environ, workers, port=port, log=folder / "log")
    try:
        async with open_hub(load(told)) as desk, aiohttp.ClientSession() as http:
            made = Site(url, environ, process, desk, http, log=folder / "log")
            provider, made.secret = await desk.store.providers.add("Drumlin", "https://live.example", game_types=(23,))
            made.counterparty = provider.counterparty_id
            casino, secret = await desk.store.casinos.add("Owl", "https://owl.example", ["EUR"])
            made.casino = {"PartnerClientId": casino.casino_id, "Secret": secret}
            yield made
    finally:
        await stop([process])
        remove_home(home)
