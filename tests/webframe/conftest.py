"""A hub with its frame, a sandbox casino and a sandbox studio, all in this process and on the real clock."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from croupier.apps.hub_app import hub_app
from croupier.apps.wiring import Seams, build
from croupier.flows.hub import Hub
from croupier.flows.sync_games import sync_games
from croupier.kit.chance import SystemChance
from croupier.kit.clock import SystemClock
from croupier.kit.wire import WireAnswer, WireRequest
from croupier.sandbox.casino import SandboxCasino
from croupier.sandbox.studio import SandboxStudio
from croupier.simulator.in_process_http import InProcessWire
from croupier.simulator.stage import settings_for
from croupier.store.db import Db
from tests.store.cast import SEALER

HUB, CASINO, STUDIO = "http://hub.test", "http://casino.test", "http://studio.test"
ORIGIN = "https://rialto.example"


@dataclass
class Salon:
    """The hub with its casino and studio, and the calls of the frame's page."""

    hub: Hub
    line: InProcessWire
    casino: SandboxCasino
    studio: SandboxStudio
    casino_id: int

    async def get(self, path: str, **headers: str) -> WireAnswer:
        return await self.line.send(WireRequest("GET", HUB + path, headers, max_bytes=2_000_000))

    async def call(
        self, name: str, body: object = None, access: str | None = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON of one of the frame's calls."""
        told = {**headers, **({"Authorization": f"Bearer {access}"} if access else {})}
        if body is not None:
            told.setdefault("Content-Type", "application/json")
        sent = b"" if body is None else json.dumps(body).encode()
        method = "GET" if body is None else "POST"
        answer = await self.line.send(
            WireRequest(method, f"{HUB}/casino-api/v1/frame/{name}", told, sent, max_bytes=2_000_000)
        )
        return answer.status, json.loads(answer.body)

    async def login(self, player: str = "anna") -> dict[str, Any]:
        token = self.casino.endpoint.new_refresh_token(player)
        status, told = await self.call("session", {"clientId": self.casino_id, "token": token})
        assert status == 201, told
        return told

    async def guest(self) -> dict[str, Any]:
        status, told = await self.call("session", {"clientId": self.casino_id})
        assert status == 201, told
        return told

    async def guest_elsewhere(self) -> dict[str, Any]:
        """A guest of another casino."""
        row, _ = await self.hub.store.casinos.add("Elsewhere", CASINO, ["EUR"], origins=[ORIGIN])
        status, told = await self.call("session", {"clientId": row.casino_id})
        assert status == 201, told
        return told

    async def game(self, name: str = "Lantern Tumble") -> int:
        return next(game.game_id for game in await self.hub.store.games.all() if game.name == name)

    async def launch(self, access: str, *, demo: bool = False) -> tuple[int, dict[str, Any]]:
        path = f"games/{await self.game()}/launch"
        return await self.call(path, {"mode": "demo" if demo else "real", "language": "en"}, access)


async def make_salon(db: Db) -> Salon:
    clock = SystemClock()
    line = InProcessWire(clock)
    settings = settings_for()
    hub = build(settings, Seams(clock, SystemChance(), line, SEALER, db), "")
    await hub.store.keys.load()
    line.mount(HUB, hub_app(hub, settings))
    row, secret = await hub.store.casinos.add("Rialto", CASINO, ["EUR"], origins=[ORIGIN])
    provider, key = await hub.store.providers.add("Fable", STUDIO)
    casino = SandboxCasino(
        wire=line, clock=clock, chance=SystemChance(), hub_url=HUB, client_id=row.casino_id, secret=secret
    )
    studio = SandboxStudio(
        wire=line, clock=clock, chance=SystemChance(), hub_url=HUB, counterparty_id=provider.counterparty_id, secret=key
    )
    line.mount(CASINO, casino.app)
    line.mount(STUDIO, studio.app)
    await sync_games(hub, provider)
    return Salon(hub, line, casino, studio, row.casino_id)


@pytest.fixture
async def salon(db: Db) -> AsyncIterator[Salon]:
    made = await make_salon(db)
    yield made
    await made.casino.close()
    await made.line.close()
