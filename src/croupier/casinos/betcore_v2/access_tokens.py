"""Access tokens of casinos: issued for a client secret, and verified with every call.

Owns: the cache of bearer tokens that this process has verified. Never: an HTTP answer, or the form of a JWT (signing).
Spec: casino.md 1.3, feed.md 1.
"""

from __future__ import annotations

from croupier.casinos.betcore_v2 import signing
from croupier.core.counterparty import Casino
from croupier.flows.hub import Hub
from croupier.flows.ports import Admitted, Unauthorized
from croupier.kit.inbound import HotRequest
from croupier.kit.jwt import BadToken
from croupier.kit.networks import may_call

RELOAD_INTERVAL_S = 0.05
"""Seconds between two reloads of the keys that bad tokens cause."""
MAX_CACHED_BEARERS = 10_000


class AccessTokens:
    """Issues and verifies the access tokens of one scope. Verified tokens are cached in the process."""

    token_s = signing.TOKEN_LIFETIME_S

    def __init__(self, hub: Hub, issuer: str, scope: str) -> None:
        self.hub = hub
        self.issuer = issuer
        self._scope = scope
        self._bearers: dict[str, signing.Bearer] = {}
        """By the token itself: only what the hub has signed is kept."""

    def now_s(self) -> int:
        """Return the current Unix time in seconds."""
        return self.hub.clock.now_ms() // 1000

    async def issue(self, casino_id: int, secret: str, address: str) -> str:
        """Return an access token for the casino with this secret, asked for from this address. Raises Unauthorized, RateExceeded."""
        limits, client = self.hub.inbound_limits, signing.client_id(casino_id)
        limits.check_token(client, address)
        starts_s = await self.hub.store.casinos.admit(casino_id, secret)
        if starts_s is None:
            limits.failed(address)
            raise Unauthorized("no such client, or not its secret", client)
        casino = await self.hub.store.casinos.get(casino_id)
        if casino is not None:
            _check_address(casino, address)
        limits.proved("casino", client, address)
        await self.hub.store.keys.refresh_if_stale()
        key = self.hub.store.keys.token_key()
        return signing.issue_token(key, casino_id, self._scope, issuer=self.issuer, now_s=max(self.now_s(), starts_s))

    async def authenticate(self, request: HotRequest) -> Casino:
        """Return the casino of the request's bearer token. Raises Unauthorized."""
        token = request.bearer()
        if token is None:
            raise Unauthorized("no bearer")
        return (await self.admit(token, request.address)).casino

    async def admit(self, token: str, address: str | None = None) -> Admitted:
        """Return the casino of this token, and when the token expires. Raises Unauthorized.

        `address` is the caller's, where only the casino's servers may call.
        """
        keys = self.hub.store.keys
        await keys.refresh_if_stale()
        bearer = self._bearers.get(token)
        # A kept token is as good as its time and its key are now.
        if bearer is None or bearer.expires_s <= self.now_s() or bearer.kid not in keys.verify_keys():
            bearer = await self._verified(token)
        casinos = self.hub.store.casinos
        casino = casinos.at_hand(bearer.casino_id) or await casinos.get(bearer.casino_id)
        # A closed casino has no valid token, and a revoked secret ends the tokens that were issued for it.
        if casino is None or casino.closed or bearer.starts_s < casino.tokens_from_s:
            why = "the casino is closed" if casino is not None and casino.closed else "the token ended with its secret"
            raise Unauthorized(why, signing.client_id(bearer.casino_id))
        if address is not None:
            _check_address(casino, address)
        return Admitted(casino, bearer.expires_s)

    async def _verified(self, token: str) -> signing.Bearer:
        """Verify the token, and keep it for its next use."""
        self._bearers.pop(token, None)
        bearer = await self._verify(token)
        if len(self._bearers) >= MAX_CACHED_BEARERS:
            self._bearers.clear()
        self._bearers[token] = bearer
        return bearer

    async def _verify(self, token: str) -> signing.Bearer:
        try:
            return self._read(token)
        except BadToken:
            # Another worker may have signed it with a key that this process has not loaded yet.
            await self.hub.store.keys.refresh_if_stale(RELOAD_INTERVAL_S)
        try:
            return self._read(token)
        except BadToken as error:
            raise Unauthorized(error.why, signing.claimed_client(token)) from error

    def _read(self, token: str) -> signing.Bearer:
        keys = self.hub.store.keys.verify_keys()
        return signing.read_token(token, keys, scope=self._scope, issuer=self.issuer, now_s=self.now_s())


def _check_address(casino: Casino, address: str) -> None:
    """Raise Unauthorized if the casino's servers may not call from this address."""
    if not may_call(casino.addresses, address):
        raise Unauthorized(f"the address {address} is none of the casino's", signing.client_id(casino.casino_id))
