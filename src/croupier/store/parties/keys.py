"""The keys that sign the hub's messages to casinos, and its access tokens.

Owns: the rows of `signing_keys`, the choice of a casino's key, rotation. Never: tokens (kit.jwt). Private keys are stored
sealed. Spec: casino.md 1.4 (`/auth/jwks`): casinos may keep a key set for ever, so after a rotation the old key
signs for a casino until it has fetched the set itself (`Casinos.saw_keys`) or the operator forces it (`force`).
A key that leaked is revoked: it is listed no more, verifies nothing and signs for nobody (key_rows).

Every process holds all keys as objects; `refresh_if_stale` reads what other processes changed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from croupier.core.counterparty import Casino
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.jwt import PublicKey, SigningKey, from_pem, jwks, new_key, public_jwk, to_pem
from croupier.kit.seal import Sealer
from croupier.store.db import Db, Row, Tx
from croupier.store.parties import key_rows
from croupier.store.parties.key_rows import LOCK, KeyInUse, KeyUnknown
from croupier.store.ttl_cache import KEPT_S

__all__ = ["KeyInUse", "KeyUnknown", "Keys", "NoKey", "Revoked", "holds_sealed"]

ALG_OF_TOKENS: Final = "RS256"
KID_BYTES = 16
PIN_SEEN_S = 2 * KEPT_S
"""Time after reading a rotation during which a cached casino may not be pinned to its old key yet."""
KNOWN_EVERYWHERE_MS = 2000
"""Age at which every process has certainly read a new key."""

_ALL = "select kid, alg, private_pem, created_ms from signing_keys where retired_ms is null order by created_ms, kid"
_NEWEST = """
select kid from signing_keys where alg = $1 and retired_ms is null order by created_ms desc, kid desc limit 1"""
# A clock may go back, yet the newest key must stay the newest.
_INSERT = """
insert into signing_keys (kid, alg, private_pem, public_jwk, created_ms)
select $1, $2, $3, $4::text::jsonb, greatest($5, coalesce(max(created_ms) + 1, 0)) from signing_keys where alg = $2"""
_ALGS = "select distinct coalesce(profile ->> 'alg', 'RS256') as alg from casinos"
_PIN = """
update casinos c set kid = $2 where coalesce(profile ->> 'alg', 'RS256') = $1
and not exists (select from signing_keys k where k.kid = c.kid and k.retired_ms is null)"""
# A casino pinned to an ended key is treated as if pinned to none: the newest key signs for it.
_SEALED = "select exists (select from signing_keys) or exists (select from casinos) or exists (select from providers)"


async def holds_sealed(db: Db) -> bool:
    """Return whether the database holds anything sealed, which only its sealing key can open."""
    found: bool = await db.fetchval(_SEALED)
    return found


class NoKey(LookupError):
    """This process has no key of that algorithm yet: `ensure` makes one."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """The result of a revocation. `moved` casinos were pinned to the key; `kid` signs for its algorithm now."""

    kid: str
    alg: str
    moved: int
    already: bool


class Keys:
    """The signing keys of this hub."""

    def __init__(self, db: Db, sealer: Sealer, clock: Clock, *, chance: Chance) -> None:
        self._db = db
        self._sealer = sealer
        self._clock = clock
        self._chance = chance
        self._keys: dict[str, SigningKey] = {}
        self._created_ms: dict[str, int] = {}
        self._public: dict[str, PublicKey] = {}
        self._newest: dict[str, SigningKey] = {}
        self._read_s: float | None = None
        self._before_until_s: dict[str, tuple[SigningKey, float]] = {}
        """The previous key of each algorithm, and the monotonic second until which it still signs."""
        self._reading = asyncio.Lock()
        self._refreshing = asyncio.Lock()

    async def load(self) -> None:
        """Read all keys, and make the missing ones: one for tokens, one per algorithm of a casino."""
        await self._read()
        needed = {row["alg"] for row in await self._db.fetch(_ALGS)}
        for alg in sorted({ALG_OF_TOKENS} | needed):
            await self.ensure(alg)

    async def refresh_if_stale(self, kept_s: float = KEPT_S) -> None:
        """Read the keys again if the last read was more than `kept_s` ago. Concurrent callers share one query."""
        if self._is_stale(kept_s):
            async with self._refreshing:
                if self._is_stale(kept_s):
                    await self.load()

    async def ready(self, alg: str) -> None:
        """Prepare for signing: have keys at most half a second old, with one of this algorithm."""
        await self.refresh_if_stale()
        await self.ensure(alg)

    async def ensure(self, alg: str) -> None:
        """Make a key of this algorithm if there is none. Raises kit.keys.BadKey for an unknown algorithm."""
        if alg not in self._newest:
            await self._make(alg, only_first=True)
            await self._read()

    def signing_key(self, casino: Casino) -> SigningKey:
        """Return the key that signs for this casino: its own if that is of its algorithm, else the newest. Raises NoKey."""
        own = self._keys.get(casino.kid or "")
        if own is not None and own.alg == casino.alg:
            return own
        before = self._before_until_s.get(casino.alg)
        if before is not None and self._clock.monotonic_s() < before[1]:
            return before[0]
        return self._newest_of(casino.alg)

    def token_key(self) -> SigningKey:
        """Return the newest RS256 key that every process knows, for access tokens. Raises NoKey."""
        settled_ms = self._clock.now_ms() - KNOWN_EVERYWHERE_MS
        settled = [k for k in self._keys.values() if k.alg == ALG_OF_TOKENS and self._created_ms[k.kid] <= settled_ms]
        return settled[-1] if settled else self._newest_of(ALG_OF_TOKENS)

    def newest_kid(self, alg: str) -> str:
        """Return the kid of the newest key of this algorithm in `jwk_set`. Raises NoKey."""
        return self._newest_of(alg).kid

    def jwk_set(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys as a JWK set: RS256 before others, then newest first, for readers that take the first."""
        newest_first = reversed(self._keys.values())
        return jwks(sorted(newest_first, key=lambda k: k.alg != ALG_OF_TOKENS))

    def verify_keys(self) -> Mapping[str, PublicKey]:
        """Return the public keys by kid."""
        return self._public

    def secret_of_all(self, purpose: str) -> bytes:
        """Return 32 bytes that every process of the hub derives alike, for one purpose."""
        return self._sealer.derive(purpose)

    async def rotate(self, alg: str) -> str:
        """Make a new key of this algorithm and return its kid. The previous one signs for casinos that know no newer one."""
        await self.ensure(alg)
        kid = await self._make(alg, only_first=False)
        await self._read()
        self._before_until_s.pop(alg, None)
        return kid

    async def force(self, casino_id: int | None) -> int:
        """Have the newest key sign for this casino, or with None for all, fetched or not. Returns how many casinos moved."""
        return await self._db.execute(
            "update casinos set kid = null where kid is not null and ($1::bigint is null or casino_id = $1)", casino_id
        )

    async def retire(self, kid: str) -> None:
        """Retire a key: it is listed no more. Raises KeyInUse while it is the newest of its kind or a casino is pinned to it."""
        async with self._db.transaction() as tx:
            await tx.execute(LOCK)
            await key_rows.retire(tx, kid, self._clock.now_ms())
        await self._read()

    async def revoke(self, kid: str, *, author: str, reason: str) -> Revoked:
        """Revoke a key: nothing that it signed is accepted, and it signs nothing more. Raises KeyUnknown.

        The newest of its algorithm is replaced first, in the same transaction. A second call changes nothing.
        """
        async with self._db.transaction() as tx:
            alg = (await key_rows.standing(tx, kid)).alg
        fresh = await self._new(alg)
        async with self._db.transaction() as tx:
            await tx.execute(LOCK)
            now = await key_rows.standing(tx, kid)
            if now.newest:
                await self._store(tx, fresh)
            moved = 0 if now.revoked else await key_rows.revoke(
                tx, kid, self._clock.now_ms(), author=author, reason=reason
            )  # fmt: skip
        await self._read()
        return Revoked(self._newest_of(alg).kid if alg in self._newest else "", alg, moved, now.revoked)

    def _is_stale(self, kept_s: float) -> bool:
        return self._read_s is None or self._clock.monotonic_s() - self._read_s >= kept_s

    def _newest_of(self, alg: str) -> SigningKey:
        key = self._newest.get(alg)
        if key is None:
            raise NoKey(f"there is no {alg} key yet")
        return key

    async def _make(self, alg: str, *, only_first: bool) -> str:
        """Store a new key; with `only_first` only if there is none. Returns the newest kid afterwards."""
        key = await self._new(alg)
        async with self._db.transaction() as tx:
            await tx.execute(LOCK)
            before: str | None = await tx.fetchval(_NEWEST, alg)
            if before is not None and only_first:
                return before
            await self._store(tx, key)
            if before is not None:
                await tx.execute(_PIN, alg, before)
        return key.kid

    async def _new(self, alg: str) -> SigningKey:
        # Making an RSA key takes a tenth of a second of computation.
        return await asyncio.to_thread(new_key, alg, self._chance.hex(KID_BYTES))

    async def _store(self, tx: Tx, key: SigningKey) -> None:
        sealed = await self._sealer.sealed(to_pem(key), _place(key.kid))
        await tx.execute(_INSERT, key.kid, key.alg, sealed, json.dumps(public_jwk(key)), self._clock.now_ms())

    async def _read(self) -> None:
        # One after the other, so that an older reading never replaces a newer one.
        async with self._reading:
            asked_s = self._clock.monotonic_s()
            await self._take(await self._db.fetch(_ALL))
            self._read_s = asked_s

    async def _take(self, rows: Sequence[Row]) -> None:
        keys = {row["kid"]: self._keys.get(row["kid"]) or await self._open(row) for row in rows}
        # The mapping is replaced whole, so that a reader sees one consistent state.
        self._keys = keys
        self._created_ms = {row["kid"]: row["created_ms"] for row in rows}
        self._public = {kid: self._public.get(kid) or key.verifier() for kid, key in keys.items()}
        newest = {key.alg: key for key in keys.values()}
        until_s = self._clock.monotonic_s() + PIN_SEEN_S
        for alg, key in self._newest.items():
            if newest.get(alg, key).kid != key.kid:
                self._before_until_s[alg] = (key, until_s)
        # An ended key signs no more, not even during this interval.
        self._before_until_s = {a: kept for a, kept in self._before_until_s.items() if kept[0].kid in keys}
        self._newest = newest

    async def _open(self, row: Row) -> SigningKey:
        pem = await self._sealer.opened(row["private_pem"], _place(row["kid"]))
        return from_pem(row["alg"], row["kid"], pem)


def _place(kid: str) -> str:
    return f"signing_keys.private_pem.{kid}"
