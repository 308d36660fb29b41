"""The beginning and the renewal of a session in the frame, the launch of a game in it, and its balance.

Owns: which call of the flows serves which call of the page, and the codes of refusals. Never: HTTP, SQL. Spec: webframe.md 2.4 and 2.5.

A guest has a token without a player. A guest's games are demo games of one shared guest of the casino; demo money belongs to
the session of the game, so guests share none.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from croupier.core.counterparty import Casino
from croupier.core.money import format_amount
from croupier.core.readings import No, Unknown
from croupier.core.session import Session
from croupier.flows.authorize import authorize
from croupier.flows.balances import balance_task
from croupier.flows.hub import Hub
from croupier.flows.launch import LaunchRefused, LaunchRequest, launch
from croupier.kit.log import get
from croupier.store.parties.players import CurrencyDiffers, Player
from croupier.webframe.lobby import Lobby
from croupier.webframe.player_tokens import TOKEN_S, Bearer, PlayerTokens

log = get("frame")

STALE_MS: Final = 20_000
"""Age past which the casino is asked for a balance anew, so that deposits show."""
BALANCE_S: Final = 4.0
GUEST: Final = "guest:"
_MOST_WHY: Final = 200


class Refused(Exception):
    """The call is refused; `code` is one that the page has words for."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class GameWish:
    """The game that a player wants to open, and how."""

    game_id: int
    demo: bool
    language: str
    mobile: bool
    tag_id: int | None = None


class PlayerSessions:
    """The sessions of one hub."""

    def __init__(self, hub: Hub, tokens: PlayerTokens, lobby: Lobby) -> None:
        self._hub = hub
        self._tokens = tokens
        self._lobby = lobby

    async def begin(
        self, casino: Casino, refresh_token: str | None, *, tag_id: int | None, before: Bearer | None
    ) -> dict[str, Any]:
        """Authenticate the player (or admit a guest) and return the session as the page reads it. Raises Refused.

        `before` is the session that is being renewed: the time played goes on.
        """
        if not casino.takes_new:
            raise Refused(403, "casino_off")
        player = None if refresh_token is None else await self._authorized(casino, refresh_token, tag_id)
        now_ms = self._hub.clock.now_ms()
        player_id = None if player is None else player.player_id
        same = before is not None and before.casino.casino_id == casino.casino_id and before.player_id == player_id
        since_ms = before.since_ms if same and before is not None else now_ms
        told: dict[str, Any] = {
            "access": await self._tokens.issue(casino.casino_id, player_id, since_ms),
            "expiresIn": TOKEN_S,
            "sinceMs": since_ms,
            "nowMs": now_ms,
            "player": None,
        }
        if player is not None:
            told["token"] = await self._hub.store.players.refresh_token(player.player_id)
            told["player"] = await self._shown(player)
        return told

    async def _authorized(self, casino: Casino, refresh_token: str, tag_id: int | None) -> Player:
        try:
            reading = await authorize(self._hub, casino, refresh_token, tag_id=tag_id)
        except CurrencyDiffers as error:
            log.warning("frame.currency", casino=casino.name, problem=str(error))
            raise Refused(401, "token_refused") from error
        match reading:
            case Player():
                return reading
            case No():
                raise Refused(401, "token_refused")
            case Unknown():
                raise Refused(503, "casino_silent")

    async def _shown(self, player: Player) -> dict[str, Any]:
        amount = await self._real_balance(player, fresh=False)
        return {
            "currency": player.currency,
            "language": player.language,
            "balance": None if amount is None else format_amount(amount, player.currency),
            "stopped": "blocked" if player.blocked else None,
        }

    async def launch(self, bearer: Bearer, wish: GameWish) -> dict[str, Any]:
        """Open a game. Raises Refused."""
        casino, player = bearer.casino, await self._player(bearer)
        if player is None and not wish.demo:
            raise Refused(403, "guest")
        if player is not None and player.blocked and not wish.demo:
            raise Refused(403, "blocked")
        game = await self._lobby.game(casino, wish.game_id)
        if game is None:
            raise Refused(404, "no_game")
        currency = casino.currencies[0] if player is None else player.currency
        request = LaunchRequest(
            player_ref=f"{GUEST}{currency}" if player is None else player.player_ref,
            currency=currency,
            game_id=wish.game_id,
            language=wish.language,
            demo=wish.demo,
            mobile=wish.mobile,
            tag_id=wish.tag_id,
        )
        try:
            opened = await launch(self._hub, casino, request)
        except LaunchRefused as problem:
            log.info("frame.not_launched", casino=casino.name, game=wish.game_id, why=str(problem)[:_MOST_WHY])
            raise Refused(409, "game_closed") from problem
        return {"address": opened.frame_uri, "session": opened.session_id, "name": game["name"], "currency": currency}

    async def balance(self, bearer: Bearer, session_id: str | None, *, fresh: bool) -> dict[str, Any]:
        """Return the balance of an open game, or of the player. Raises Refused."""
        session = None if session_id is None else await self._hub.store.sessions.get(session_id)
        player = await self._player(bearer)
        if session_id is not None and not _belongs(session, bearer, player):
            raise Refused(404, "no_game")
        if session is not None and session.demo:
            amount = await self._hub.store.demo.balance(session)
            return {"balance": format_amount(amount, session.currency), "currency": session.currency, "demo": True}
        if player is None:
            raise Refused(403, "guest")
        found = await self._real_balance(player, fresh=fresh)
        return {
            "balance": None if found is None else format_amount(found, player.currency),
            "currency": player.currency,
            "demo": False,
            "stopped": "blocked" if player.blocked else None,
            "play": await self._played(player, bearer.since_ms),
        }

    async def _played(self, player: Player, since_ms: int) -> dict[str, str]:
        sums, currency = await self._hub.store.play_sums.since(player.player_id, since_ms), player.currency
        net = sums.returned - sums.staked
        return {
            "staked": format_amount(sums.staked, currency),
            "returned": format_amount(sums.returned, currency),
            "net": ("-" if net < 0 else "") + format_amount(abs(net), currency),
        }

    async def _player(self, bearer: Bearer) -> Player | None:
        """Return the caller; None is a guest. Raises Refused for a player that is gone."""
        if bearer.player_id is None:
            return None
        player = await self._hub.store.players.get(bearer.player_id)
        if player is None or player.casino_id != bearer.casino.casino_id:
            raise Refused(401, "access")
        return player

    async def _real_balance(self, player: Player, *, fresh: bool) -> int | None:
        """Return minor units; the casino is queried if nothing is known, or if what is known is old."""
        known = await self._hub.store.balances.known(player.player_id)
        old = known is None or self._hub.clock.now_ms() - known.base_ms > STALE_MS
        if not old and not fresh:
            return known.amount if known is not None else None
        try:
            async with asyncio.timeout(BALANCE_S):
                asked = await asyncio.shield(balance_task(self._hub, player))
        except TimeoutError:
            asked = None
        known = await self._hub.store.balances.known(player.player_id)
        return known.amount if known is not None else asked


def _belongs(session: Session | None, bearer: Bearer, player: Player | None) -> bool:
    """Return whether the session is the caller's own. A guest's is a demo session of the casino's guest."""
    if session is None or session.casino_id != bearer.casino.casino_id:
        return False
    if player is None:
        return session.demo and session.player_ref.startswith(GUEST)
    return session.player_id == player.player_id
