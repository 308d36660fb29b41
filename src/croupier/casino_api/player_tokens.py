"""Tokens of players in a browser: a JWT of half an hour, renewed while the player plays, never a cookie.

Owns: the claims, and their audience, which no other token of the hub has. Never: whether the player may play: each call
reads the player's row. Spec: webframe.md 2.4, casino.md 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from croupier.flows.hub import Hub
from croupier.flows.ports import Unauthorized
from croupier.kit import jwt, strictjson
from croupier.kit.jwt import BadToken

AUDIENCE: Final = "frame"
ALGORITHM: Final = "RS256"
LIFETIME_S: Final = 1800
RELOAD_S: Final = 0.05
"""Seconds between two reloads of the keys that bad tokens cause."""
MAX_NUMBER: Final = 2**53


@dataclass(frozen=True, slots=True)
class PlayerClaims:
    """Whose token it is, and when the player came."""

    casino_id: int
    player_id: int
    """0 is a guest."""
    since_s: int
    """Unix second of the first token, which every renewal keeps."""
    visitor: str | None = None
    """Which guest it is; None for a player. Guests of a casino share a player, so that this alone tells them apart."""


class PlayerTokens:
    """Issues and verifies the tokens of one process."""

    def __init__(self, hub: Hub, issuer: str) -> None:
        self._hub = hub
        self._issuer = issuer

    async def issue(self, claims: PlayerClaims) -> str:
        """Return a new token."""
        keys = self._hub.store.keys
        await keys.ready(ALGORITHM)
        now_s = self._now_s()
        return jwt.sign(
            keys.token_key(),
            {
                "iss": self._issuer, "aud": AUDIENCE, "nbf": now_s, "exp": now_s + LIFETIME_S,
                "casino": claims.casino_id, "player": claims.player_id, "since": claims.since_s,
                **({} if claims.visitor is None else {"visitor": claims.visitor}),
            },
        )  # fmt: skip

    async def read(self, token: str) -> PlayerClaims:
        """Return the claims of a good token. Raises Unauthorized."""
        keys = self._hub.store.keys
        await keys.refresh_if_stale()
        try:
            return self._read(token)
        except BadToken:
            # Another worker may have signed it with a key that this process has not loaded yet.
            await keys.refresh_if_stale(RELOAD_S)
        try:
            return self._read(token)
        except BadToken as bad:
            raise Unauthorized(bad.why) from bad

    def _read(self, token: str) -> PlayerClaims:
        now_s = self._now_s()
        keys = self._hub.store.keys.verify_keys()
        claims = jwt.verify(token, keys, now_s=now_s, audience=AUDIENCE, issuer=self._issuer)
        if now_s >= jwt.expires_s(claims) or jwt.expires_s(claims) - jwt.starts_s(claims) > LIFETIME_S:
            raise BadToken("expired, or it would live too long")
        try:
            casino, player, since = (
                strictjson.integer(claims, name, low=0, high=MAX_NUMBER) for name in ("casino", "player", "since")
            )
            visitor = None if player else strictjson.text(claims, "visitor", 64)
        except strictjson.BadField as missing:
            raise BadToken(str(missing)) from None
        return PlayerClaims(casino, player, since, visitor)

    def _now_s(self) -> int:
        return self._hub.clock.now_ms() // 1000
