"""A hub that serves the casino API on a real socket over real rows; its peers are gateways that say what a test tells them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
import uvicorn

from croupier.apps.hub_app import hub_app
from croupier.apps.wiring import Seams, build
from croupier.apps.worker import SOCKETS, _WorkerServer
from croupier.core import bet_requests
from croupier.core.commands import Catalogue, GameListing, LaunchOrder, PayOut
from croupier.core.counterparty import Casino, Provider
from croupier.core.money import format_amount
from croupier.core.readings import Authorized, AuthReading, BalanceReading, Contents, PaymentKind, Unknown, Yes
from croupier.core.session import Session
from croupier.flows.accept_payment import accept_payment
from croupier.flows.advance import terms_of
from croupier.flows.hub import Hub
from croupier.flows.pay_out import pay_out
from croupier.kit.chance import SystemChance
from croupier.kit.clock import SystemClock
from croupier.kit.wire import PeerError
from croupier.simulator.in_process_http import InProcessWire
from croupier.simulator.stage import settings_for
from croupier.store.db import Db
from croupier.store.parties.games import Games
from tests.core.samples import new_bet
from tests.store.cast import NOW_MS, SEALER, HandClock

ORIGIN = "https://rialto.example"
ROOT = "/casino-api/v1"
LISTED = (
    GameListing("owl", "Night Owl", "slots", "500", "https://studio.example/owl.png"),
    GameListing("fox", "Fox and Hound", "table"),
    GameListing("hare", "Hare Live", "live"),
)


@dataclass
class Peers:
    """The casino's and the studio's sides: what they answer, and what they heard."""

    auth_says: AuthReading | None = None
    launches: list[LaunchOrder] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    launch_says: str | PeerError = "https://studio.example/play"
    lists: Catalogue = field(default_factory=lambda: Catalogue(LISTED))

    async def auth(self, casino: Casino, refresh_token: str, tag_id: int | None) -> AuthReading:
        self.tokens.append(refresh_token)
        return self.auth_says or Authorized(
            f"{refresh_token}+", "anna", "EUR", language="de", country="DE", balance="90.5"
        )

    async def balance(self, casino: Casino, player_ref: str) -> BalanceReading:
        return Unknown("nobody asks here")

    async def launch(self, provider: Provider, secret: str, order: LaunchOrder) -> str:
        self.launches.append(order)
        if isinstance(self.launch_says, PeerError):
            raise self.launch_says
        return f"{self.launch_says}?session={order.session_id}"

    async def catalogue(self, provider: Provider, secret: str) -> Catalogue:
        return self.lists


@dataclass
class Answer:
    """What the hub said."""

    status: int
    headers: Any
    body: Any

    @property
    def code(self) -> tuple[int, str]:
        assert self.headers["content-type"] == "application/problem+json", self.body
        assert self.body["status"] == self.status
        assert self.body["type"] == f"urn:croupier:problem:{self.body['code']}"
        return self.status, self.body["code"]


@dataclass
class House:
    """The hub, its casino with a token, and ways to ask."""

    hub: Hub
    peers: Peers
    clock: HandClock
    http: aiohttp.ClientSession
    url: str
    casino: Casino
    secret: str
    provider: Provider
    games: dict[str, int]
    token: str = ""

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request with these headers, an underscore for a hyphen."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if raw is not None:
            told.setdefault("Content-Type", "application/json")
        async with self.http.request(method, f"{self.url}{ROOT}/{path}", data=raw, headers=told) as answer:
            text = await answer.text()
            return Answer(answer.status, answer.headers, json.loads(text) if text else None)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request of the casino."""
        return await self.send(method, path, body, Authorization=f"Bearer {self.token}", **headers)

    async def get(self, path: str, **headers: str) -> Any:
        """What a good GET says."""
        answer = await self.ask("GET", path, **headers)
        assert answer.status == 200, answer.body
        return answer.body

    async def open(self, game: str = "owl", player: str = "anna", **more: Any) -> Any:
        """A launched game."""
        body = {"playerId": player, "currency": "EUR", "gameId": self.games[game], **more}
        answer = await self.ask("POST", "sessions", body)
        assert answer.status == 201, answer.body
        return answer.body

    async def play(self, session_id: str, bet_ref: str, stake: int = 1000, win: int | None = None) -> int:
        """A bet whose stake the casino accepted, settled if a win is given; its BetId."""
        session = await self.hub.store.sessions.get(session_id)
        assert session is not None
        bet_id = await self.hub.store.ids.take()
        born = new_bet(
            bet_id=bet_id, bet_ref=bet_ref, casino_id=session.casino_id, session_id=session_id, stake=stake,
            provider_id=session.provider_id, player_id=session.player_id, game_id=session.game_id,
            player_ref=session.player_ref, created_ms=self.clock.ms, currency=session.currency,
        )  # fmt: skip
        assert await self.hub.group_commit.commit(bet_requests.open_bet(born, await terms_of(self.hub, born)))
        await self.accept(bet_id, PaymentKind.STAKE, stake, session)
        if win is not None:
            text = format_amount(win, session.currency)
            command = PayOut(session.provider_id, session_id, bet_ref, born.round_ref, text)
            assert (await pay_out(self.hub, command)).refusal is None
            await self.accept(bet_id, PaymentKind.PAYOUT, win, session)
        return bet_id

    async def accept(self, bet_id: int, kind: PaymentKind, amount: int, session: Session) -> None:
        """The casino's yes."""
        text = format_amount(amount, session.currency)
        said = Yes(Contents(bet_id, session.player_ref, kind, text, None, f"t-{bet_id}-{kind.value}"), None)
        verdict = await accept_payment(self.hub, session.casino_id, bet_id, kind=kind, outcome=said)
        assert verdict.verdict.value == "taken" or verdict.verdict.name, verdict

    async def enter(self, **body: Any) -> Answer:
        """A player's way in."""
        return await self.send("POST", "frame/session", {"clientId": self.casino.casino_id, **body}, Origin=ORIGIN)

    async def another(self, name: str = "Lido") -> House:
        """The same hub as another casino sees it."""
        casino, secret = await self.hub.store.casinos.add(name, f"https://{name.lower()}.example", ["EUR", "JPY"])
        made = House(self.hub, self.peers, self.clock, self.http, self.url, casino, secret, self.provider, self.games)
        await made.log_in()
        return made

    async def log_in(self) -> None:
        answer = await self.send("POST", "auth/token", {"clientId": self.casino.casino_id, "secret": self.secret})
        assert (answer.status, answer.body["scope"]) == (200, "casino-api")
        self.token = answer.body["accessToken"]


@asynccontextmanager
async def open_house(db: Db, **settings: Any) -> AsyncIterator[House]:
    """The house over an empty database."""
    clock: Any = HandClock()
    told = settings_for(**settings)
    hub = build(told, Seams(clock, SystemChance(), InProcessWire(SystemClock()), SEALER, db), "")
    await hub.store.keys.load()
    peers: Any = Peers()
    casino, secret = await hub.store.casinos.add("Rialto", "https://rialto.example", ["EUR", "JPY"], origins=[ORIGIN])
    provider, _ = await hub.store.providers.add("Reelwright", "https://reelwright.example")
    hub.casino_gateways = {casino.protocol: peers}
    hub.provider_gateways = {provider.protocol: peers}
    await Games(db, clock).take_listing(provider.provider_id, LISTED, enabled_for_new=True)
    games = {game.game_ref: game.game_id for game in await hub.store.games.all()}
    server = _WorkerServer(uvicorn.Config(hub_app(hub, told), **SOCKETS, log_config=None, lifespan="off", port=0))
    serving = asyncio.create_task(server.serve())
    async with aiohttp.ClientSession() as http:
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        made = House(hub, peers, clock, http, f"http://127.0.0.1:{port}", casino, secret, provider, games)
        await made.log_in()
        try:
            yield made
        finally:
            server.should_exit = True
            with suppress(TimeoutError):
                await asyncio.wait_for(serving, 20)


@pytest.fixture
async def house(db: Db) -> AsyncIterator[House]:
    async with open_house(db) as made:
        yield made


def at(ms: int = 0) -> str:
    """An instant so long after the clock's beginning, as the API writes it."""
    total = NOW_MS + ms

    return f"{datetime.fromtimestamp(total // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{total % 1000:03}Z"
