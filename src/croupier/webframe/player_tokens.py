"""The frame's session tokens: a JWT of half an hour for one player of one casino, or for a guest.

Owns: the claims. Never: the player's login (player_session), or an access token of a casino: the audience differs, so that neither
passes for the other. Spec: webframe.md 2.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from croupier.core.counterparty import Casino
from croupier.flows.hub import Hub
from croupier.flows.ports import Unauthorized
from croupier.kit import jwt, strictjson
from croupier.kit.jwt import BadToken
from croupier.kit.strictjson import BadField

AUDIENCE: Final = "webframe"
TOKEN_S: Final = 1800
RELOAD_S: Final = 0.05
_ALG: Final = "RS256"
_MOST_ID: Final = 2**53


@dataclass(frozen=True, slots=True)
class Bearer:
    """The caller of the frame's calls."""

    casino: Casino
    player_id: int | None
    """None for a guest."""
    since_ms: int
    """When this stay in the games began; renewals keep it."""


class PlayerTokens:
    """Issues and reads the tokens."""

    def __init__(self, hub: Hub, issuer: str) -> None:
        self._hub = hub
        self._issuer = issuer

    async def issue(self, casino_id: int, player_id: int | None, since_ms: int) -> str:
        """Return a token. `player_id` None is a guest."""
        keys, now_s = self._hub.store.keys, self._now_s()
        await keys.ready(_ALG)
        claims: dict[str, object] = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "nbf": now_s,
            "exp": now_s + TOKEN_S,
            "casino": casino_id,
            "since": since_ms,
        }
        if player_id is not None:
            claims["player"] = player_id
        return jwt.sign(keys.token_key(), claims)

    async def read(self, token: str) -> Bearer:
        """Return the caller; raises Unauthorized."""
        keys = self._hub.store.keys
        await keys.refresh_if_stale()
        try:
            return await self._bearer(self._claims(token))
        except BadToken:
            await keys.refresh_if_stale(RELOAD_S)  # another worker may have signed it with a new key
        try:
            return await self._bearer(self._claims(token))
        except BadToken as error:
            raise Unauthorized(error.why) from error

    def _claims(self, token: str) -> dict[str, strictjson.Json]:
        keys = self._hub.store.keys.verify_keys()
        return jwt.verify(token, keys, now_s=self._now_s(), audience=AUDIENCE, issuer=self._issuer)

    async def _bearer(self, claims: dict[str, strictjson.Json]) -> Bearer:
        try:
            casino_id = strictjson.integer(claims, "casino", low=1, high=_MOST_ID)
            since_ms = strictjson.integer(claims, "since", low=0, high=_MOST_ID)
            player_id = strictjson.integer(claims, "player", low=1, high=_MOST_ID) if "player" in claims else None
        except BadField as problem:
            raise BadToken(str(problem)) from None
        casino = await self._hub.store.casinos.get(casino_id)
        if casino is None or casino.closed:
            raise BadToken("the casino is closed")
        return Bearer(casino, player_id, since_ms)

    def _now_s(self) -> int:
        return self._hub.clock.now_ms() // 1000
