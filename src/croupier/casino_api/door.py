"""Who is let in: bearers of casinos and of players, web origins, and the rates of both.

Owns: those decisions in one process. Never: the work of a call. Money that is owed has no call here, and what protects a
player (an exclusion, the end of a session) is never limited. Spec: casino.md 3, webframe.md 2.3.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from croupier.casino_api.player_tokens import PlayerClaims, PlayerTokens
from croupier.casino_api.problems import Problem, ProblemCode
from croupier.core.counterparty import Casino
from croupier.core.origins import origin_of
from croupier.flows.hub import Hub
from croupier.flows.ports import Tokens, Unauthorized
from croupier.kit.addresses import network_of
from croupier.kit.inbound import address_of, bearer_of
from croupier.kit.jwt import BadToken, unverified_claims
from croupier.kit.token_buckets import TokenBuckets
from croupier.store.parties.players import Player

ROOT: Final = "/casino-api/v1"
SCOPE: Final = "casino-api"
"""The scope of this API's own access tokens: they cannot report outcomes of payments."""
BURST_S: Final = 3
"""So many seconds' worth of requests may come at once."""
KEPT_S: Final = 5.0
"""So long the origins of all casinos are kept."""
PLACES: Final = 4
"""So many reads of this process are at the database at once: the payment path keeps the other connections."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests a second: of one casino, and of one address of a browser."""

    casino_per_s: float
    address_per_s: float


@dataclass(frozen=True, slots=True)
class Guest:
    """A visitor whom no casino has named."""

    casino: Casino
    claims: PlayerClaims


@dataclass(frozen=True, slots=True)
class PlayerIn:
    """A player in a browser, as the row is now."""

    casino: Casino
    player: Player
    claims: PlayerClaims


class Door:
    """This API's state in one process. `tokens` are the access tokens that it takes, by scope."""

    def __init__(self, hub: Hub, tokens: dict[str, Tokens], *, players: PlayerTokens, rates: Rates, page: str) -> None:
        self.hub = hub
        self.tokens = tokens
        self.players = players
        self.places = asyncio.Semaphore(PLACES)
        self._page = origin_of(page)
        self._origins: frozenset[str] = frozenset()
        self._origins_s: float | None = None
        self._casinos = TokenBuckets(self._now_s, rates.casino_per_s, rates.casino_per_s * BURST_S)
        self._addresses = TokenBuckets(self._now_s, rates.address_per_s, rates.address_per_s * BURST_S)

    def _now_s(self) -> float:
        return self.hub.clock.monotonic_s()

    async def casino_of(self, request: Request) -> Casino:
        """Return the casino of the bearer. Raises Unauthorized."""
        token = bearer_of(request)
        if token is None:
            raise Unauthorized("no bearer")
        try:
            scope = unverified_claims(token).get("scope")
        except BadToken as bad:
            raise Unauthorized(bad.why) from bad
        # The scope only says who verifies; the verifier holds the token to it.
        verifier = self.tokens.get(scope) if isinstance(scope, str) else None
        if verifier is None:
            raise Unauthorized("another scope")
        return (await verifier.admit(token, address_of(request))).casino

    async def player_of(self, request: Request) -> PlayerIn | Guest:
        """Return who the bearer of a frame is. Raises Unauthorized, Problem."""
        token = bearer_of(request)
        if token is None:
            raise Unauthorized("no bearer")
        claims = await self.players.read(token)
        casino = await self.hub.store.casinos.get(claims.casino_id)
        if casino is None or casino.closed:
            raise Unauthorized("the casino is closed")
        self.check_origin(request, casino)
        if claims.player_id == 0:
            return Guest(casino, claims)
        player = await self.hub.store.players.get(claims.player_id)
        if player is None or player.casino_id != casino.casino_id:
            raise Unauthorized("no such player")
        return PlayerIn(casino, player, claims)

    def check_origin(self, request: Request, casino: Casino) -> None:
        """Raise the problem of a web page that is neither the hub's own nor of the casino's origins."""
        origin = request.headers.get("origin")
        if origin is None or self.own(request, origin) or origin.lower() in casino.origins:
            return
        raise Problem(ProblemCode.FORBIDDEN_ORIGIN, "the origin of this page is not on the casino's list")

    async def known_origin(self, request: Request, origin: str) -> bool:
        """Return whether a page of this origin may ask for some casino: a preflight does not say for which. Raises DbError."""
        now_s = self._now_s()
        if self._origins_s is None or now_s - self._origins_s >= KEPT_S:
            casinos = await self.hub.store.casinos.all()
            self._origins = frozenset(one for casino in casinos if not casino.closed for one in casino.origins)
            self._origins_s = now_s
        return self.own(request, origin) or origin.lower() in self._origins

    def own(self, request: Request, origin: str) -> bool:
        """Return whether this origin is the hub's own page."""
        host = request.headers.get("host", "")
        return origin.lower() in {self._page, f"http://{host}".lower(), f"https://{host}".lower()}

    def limit_casino(self, casino: Casino) -> None:
        """Raise the problem of a casino that asks too often."""
        wait_s = self._casinos.wait_s(casino.casino_id, casino.requests_per_s)
        if wait_s:
            self.hub.inbound_limits.note_casino(casino, "casino_api")
        _raise_if(wait_s)

    def limit_address(self, request: Request) -> None:
        """Raise the problem of an address that asks too often."""
        address = address_of(request)
        wait_s = self._addresses.wait_s(network_of(address))
        if wait_s:
            self.hub.inbound_limits.note_address(address, "casino_api")
        _raise_if(wait_s)

    def limit_player(self, player: PlayerIn | Guest) -> None:
        """Raise the problem of a player who asks too often, from whatever addresses."""
        if isinstance(player, PlayerIn):
            wait_s = self._addresses.wait_s(("player", player.player.player_id))
            if wait_s:
                self.hub.inbound_limits.note_casino(player.casino, "player")
            _raise_if(wait_s)


def _raise_if(wait_s: int) -> None:
    if wait_s:
        raise Problem(ProblemCode.TOO_MANY_REQUESTS, f"ask again in {wait_s} s", retry_after_s=wait_s)
