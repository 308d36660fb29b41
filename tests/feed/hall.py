"""A hub that serves the feed on a real socket, with clients written by hand: `websockets` for whole ones, bytes for odd ones."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import uvicorn
from websockets.asyncio.client import ClientConnection, connect

from croupier.apps.feed import feed_tokens, make_connections
from croupier.apps.http_guard import HttpGuard
from croupier.apps.hub_app import hub_app
from croupier.apps.wiring import Seams, build
from croupier.apps.worker import SOCKETS, _WorkerServer
from croupier.feed.connections import Connections
from croupier.feed.snapshot import Snapshot
from croupier.feed.sockets import PATHS
from croupier.flows.hub import Hub
from croupier.kit.chance import SystemChance
from croupier.kit.clock import SystemClock
from croupier.simulator.in_process_http import InProcessWire
from croupier.simulator.stage import settings_for
from croupier.store.db import Db
from tests.store.cast import SEALER

PATIENCE_S = 20.0
END = "\x1e"
ORIGIN = "https://rialto.example"
HELLO = '{"protocol":"json","version":1}' + END


def snapshot(sequence: int, game_type: int = 3, size: int = 0) -> Snapshot:
    return Snapshot(game_type, sequence, 1_700_000_000_000 + sequence, {"sId": sequence, "wgi": [], "pad": "x" * size})


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.01)


@dataclass
class Browser:
    """A whole client that speaks JSON."""

    line: ClientConnection
    _messages: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, **message: Any) -> None:
        await self.line.send(json.dumps(message) + END)

    async def next(self) -> dict[str, Any]:
        """The next message that is no ping."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                while not self._messages:
                    text = await self.line.recv()
                    assert isinstance(text, str)
                    self._messages += [json.loads(one) for one in text.split(END) if one]
                message = self._messages.pop(0)
                if message.get("type") != 6:
                    return message

    async def ask(
        self, casino_id: int, game_type: int = 3, *, method: str = "Subscribe", call: str | None = "1"
    ) -> None:
        told = json.dumps({"GameType": game_type, "PartnerClientId": casino_id, "Count": 1})
        named = {} if call is None else {"invocationId": call}
        await self.send(type=1, target=method, arguments=["SubOnWholeGamesInfo", told], **named)

    async def sequence(self) -> int:
        """The sequence number of the next push."""
        message = await self.next()
        assert message["target"] == "SubOnWholeGamesInfo", message
        return int(message["arguments"][0]["sId"])


@dataclass
class Hall:
    """The hub, one casino with a token, and ways to connect."""

    hub: Hub
    connections: Connections
    port: int
    http: aiohttp.ClientSession
    server: uvicorn.Server
    casino_id: int = 0
    secret: str = ""
    token: str = ""
    path: str = PATHS[0]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def casino(self, name: str, **profile: Any) -> tuple[int, str]:
        """Another casino, and a token of the feed's scope for it."""
        casino, secret = await self.hub.store.casinos.add(name, f"https://{name.lower()}.example", ["EUR"], **profile)
        self.secret = secret
        return casino.casino_id, await feed_tokens(self.hub, settings_for()).issue(
            casino.casino_id, secret, "127.0.0.1"
        )

    async def negotiate(self, query: str = "?negotiateVersion=1", method: str = "POST", **headers: str) -> Any:
        """Status, headers and JSON."""
        async with self.http.request(method, f"{self.url}/negotiate{query}", headers=headers) as answer:
            text = await answer.text()
            return answer.status, answer.headers, json.loads(text) if text else None

    @asynccontextmanager
    async def line(self, query: str = "", headers: dict[str, str] | None = None) -> AsyncIterator[ClientConnection]:
        """A WebSocket without a handshake."""
        told = self.bearer if headers is None else headers
        async with connect(
            self.url.replace("http", "ws", 1) + query, additional_headers=told, compression=None, max_size=None
        ) as line:
            yield line

    @asynccontextmanager
    async def browser(self, query: str = "") -> AsyncIterator[Browser]:
        """A client after its handshake."""
        async with self.line(query) as line:
            await line.send(HELLO)
            assert await line.recv() == "{}" + END
            assert await line.recv() == '{"type":6}' + END
            yield Browser(line)

    @asynccontextmanager
    async def subscriber(self, game_type: int = 3) -> AsyncIterator[Browser]:
        """A client that is subscribed."""
        async with self.browser() as browser:
            await browser.ask(self.casino_id, game_type)
            assert await browser.next() == {"type": 3, "invocationId": "1"}
            yield browser

    def push(self, sequence: int, game_type: int = 3, size: int = 0) -> None:
        self.connections.fan_out.heard(snapshot(sequence, game_type, size))

    def metric(self, name: str) -> float:
        lines = self.hub.metrics.render().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


async def listening(port: int) -> socket.socket:
    """A socket on this port, once the hall that had it before has let it go."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return socket.create_server(("127.0.0.1", port))
            except OSError:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def open_hall(db: Db, port: int = 0, **settings: Any) -> AsyncIterator[Hall]:
    """The hall over an empty database. Nothing carries calls here."""
    told = settings_for(**settings)
    hub = build(told, Seams(SystemClock(), SystemChance(), InProcessWire(SystemClock()), SEALER, db), "")
    await hub.store.keys.load()
    connections = make_connections(hub, told)
    config = uvicorn.Config(
        hub_app(hub, told, connections), http=HttpGuard, **SOCKETS, log_config=None, access_log=False, lifespan="off"
    )
    server = _WorkerServer(config)
    with await listening(port) as sock:
        loops = [
            asyncio.create_task(loop())
            for loop in (connections.watch, connections.watch_tokens, connections.fan_out.run)
        ]
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        async with aiohttp.ClientSession() as http:
            hall = Hall(hub, connections, sock.getsockname()[1], http, server)
            known = await hub.store.casinos.find("Rialto")
            if known is None:
                hall.casino_id, hall.token = await hall.casino("Rialto", origins=[ORIGIN])
            await until(lambda: server.started)
            try:
                yield hall
            finally:
                for client in list(connections._clients):
                    client.socket.abort()
                server.should_exit = True
                with suppress(TimeoutError):
                    await asyncio.wait_for(serving, PATIENCE_S)
                for loop in loops:
                    loop.cancel()
                await asyncio.gather(*loops, return_exceptions=True)
