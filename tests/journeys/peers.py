"""Casinos and studios made by hand, as far as the hub calls them: one HTTP server of this process, many peers.

A casino checks every envelope itself and answers what the test tells it to; what breaks the contract is a complaint.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import aiohttp
import jwt
from aiohttp import web

from tests.journeys.by_hand import HandCasino, HandProvider, outcome_of, signature

ISSUER = "croupier"
GAME = "hand-reels"
JACKPOT_GAME = "hand-jackpot"
GAMES = [
    {"gameId": GAME, "name": "Hand Reels", "gameCategory": "slots", "maxOdd": 500},
    {"gameId": JACKPOT_GAME, "name": "Hand Jackpot", "gameCategory": "slots"},
]


@dataclass(frozen=True)
class Heard:
    """One call of the hub on a casino, its envelope opened and verified."""

    path: str
    header: dict[str, Any]
    claims: dict[str, Any]
    data: Any
    text: str
    """`data` as it travelled."""
    raw: bytes
    traceparent: str | None = None


Script = Callable[["Casino", Heard], Awaitable[Any]]
"""Answers a call: an envelope, or a whole response."""


async def acknowledge(_casino: Casino, _heard: Heard) -> Any:
    """Received; the outcome comes by accept, when the test sends one."""
    return {"ErrorCode": 200, "Message": "Success"}


async def accept_behind(casino: Casino, heard: Heard) -> Any:
    """Received, and the accept follows at once."""
    casino.later(heard.data)
    return {"ErrorCode": 200, "Message": "Success"}


async def book_inline(_casino: Casino, heard: Heard) -> Any:
    """Booked at once: the answer is the outcome."""
    return outcome_of(heard.data)


def say(code: int, value: Any = None, status: int = 200) -> Script:
    """The same envelope every time."""

    async def script(_casino: Casino, _heard: Heard) -> Any:
        told = {"ErrorCode": code, "Message": "as told"} | ({} if value is None else {"Value": value})
        return web.json_response(told, status=status)

    return script


def in_turn(*scripts: Script) -> Script:
    """One after the other, the last for ever."""
    left = list(scripts)

    async def script(casino: Casino, heard: Heard) -> Any:
        return await (left.pop(0) if len(left) > 1 else left[0])(casino, heard)

    return script


async def list_behind(casino: Casino, heard: Heard) -> Any:
    """A list is received, and an accept follows for each element."""
    for made in heard.data:
        casino.later(made)
    return {"ErrorCode": 200, "Message": "Success"}


@dataclass
class Casino:
    """One casino: its own calls in `line`, what it heard, and how it answers each path."""

    server: Server
    name: str
    alg: str = "RS256"
    line: HandCasino = field(init=False)
    heard: list[Heard] = field(default_factory=list)
    says: dict[str, Script] = field(default_factory=dict)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"{self.server.url}/casino/{self.name}"

    def later(self, made: Any) -> None:
        task = asyncio.get_running_loop().create_task(self.line.accept(made))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def answer(self, heard: Heard) -> Any:
        self.heard.append(heard)
        script = self.says.get(heard.path)
        if script is not None:
            return await script(self, heard)
        return await _DEFAULTS.get(heard.path, accept_behind)(self, heard)

    def made(self, kind: int | None = None, *, bet: int | None = None) -> list[Any]:
        """The data of every make it heard, elements of lists too, of this TransactionType."""
        makes: list[Any] = []
        for heard in self.heard:
            if heard.path in {"payments/make", "cashback-payments/make"}:
                makes.append(heard.data)
            elif heard.path == "payments/make-list":
                makes += heard.data
        return [m for m in makes if kind in {None, m["TransactionType"]} and bet in {None, m.get("BetId")}]

    def calls(self, path: str) -> list[Any]:
        """The data of every call it heard on this path."""
        return [heard.data for heard in self.heard if heard.path == path]


_DEFAULTS: dict[str, Script] = {
    "users/data": say(200, {"Balance": "500.00"}),
    "payments/info": say(200, []),
    "payments/close": say(200),
    "payments/make-list": list_behind,
}


@dataclass
class Studio:
    """One studio: its own calls in `line`, its games, the launches it got and how it answers them."""

    server: Server
    name: str
    line: HandProvider = field(init=False)
    games: Any = field(default_factory=lambda: [dict(game) for game in GAMES])
    launches: list[tuple[str, bytes]] = field(default_factory=list)
    launch_says: Callable[[], web.StreamResponse] | None = None

    @property
    def url(self) -> str:
        return f"{self.server.url}/studio/{self.name}"


class Server:
    """The server of all hand-made peers of this process."""

    def __init__(self, http: aiohttp.ClientSession, hub_url: str) -> None:
        self.http = http
        self.hub_url = hub_url
        self.url = ""
        self.casinos: dict[str, Casino] = {}
        self.studios: dict[str, Studio] = {}
        self.complaints: list[str] = []
        self._keys: dict[str, Any] = {}
        app = web.Application(client_max_size=2**21)
        app.router.add_post("/casino/{name}/{path:.+}", self._casino)
        app.router.add_get("/studio/{name}/v1/games", self._games)
        app.router.add_post("/studio/{name}/v1/games/{game}/launch", self._launch)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)

    async def start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        await self._runner.cleanup()

    # --- casinos --------------------------------------------------------------------------------------------

    async def _casino(self, request: web.Request) -> web.StreamResponse:
        casino, path = self.casinos[request.match_info["name"]], request.match_info["path"]
        raw = await request.read()
        if request.headers.get("Content-Type") != "application/json":
            self.complaints.append(f"{path}: content type {request.headers.get('Content-Type')}")
        heard = await self._opened(casino, path, raw)
        told = await casino.answer(replace(heard, traceparent=request.headers.get("traceparent")))
        return told if isinstance(told, web.StreamResponse) else web.json_response(told)

    async def _opened(self, casino: Casino, path: str, raw: bytes) -> Heard:
        token = json.loads(raw)
        assert isinstance(token, str), "the body is a JSON string literal"
        header = jwt.get_unverified_header(token)
        if header["kid"] not in self._keys:
            document = (await casino.line.jwks()).said
            self._keys = {key["kid"]: jwt.PyJWK(key) for key in document["keys"]}
        claims = jwt.decode(token, self._keys[header["kid"]], algorithms=[casino.alg], leeway=2, issuer=ISSUER)
        self._check(casino, header, claims)
        return Heard(path, header, claims, json.loads(claims["data"], parse_float=Decimal), claims["data"], raw)

    def _check(self, casino: Casino, header: dict[str, Any], claims: dict[str, Any]) -> None:
        right = {
            "header": set(header) == {"alg", "kid", "typ"} and header["typ"] == "JWT",
            "claims": set(claims) == {"nbf", "exp", "iss", "data", "client_id"},
            "ten seconds": claims["exp"] == claims["nbf"] + 10,
            "client": claims["client_id"] == f"PartnerClient-{casino.line.client_id}",
            "data is a string": isinstance(claims["data"], str),
        }
        self.complaints += [f"{casino.name}: {name}" for name, holds in right.items() if not holds]

    # --- studios --------------------------------------------------------------------------------------------

    async def _games(self, request: web.Request) -> web.StreamResponse:
        studio = self._signed(request, b"")
        return studio.games if isinstance(studio.games, web.StreamResponse) else web.json_response(studio.games)

    async def _launch(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        studio = self._signed(request, raw)
        studio.launches.append((request.match_info["game"], raw))
        if studio.launch_says is not None:
            return studio.launch_says()
        return web.json_response({"frameUri": f"{studio.url}/play?session={json.loads(raw)['sessionId']}"})

    def _signed(self, request: web.Request, body: bytes) -> Studio:
        studio = self.studios[request.match_info["name"]]
        line, given = studio.line, request.headers
        right = signature(line.secret, line.counterparty_id, given["X-Timestamp"], given["X-Request-Id"], body)
        if given["X-Sign"] != right or given["X-Counterparty-Id"] != line.counterparty_id:
            self.complaints.append(f"{studio.name}: {request.path} is not signed")
        return studio
