"""The operator's list of signing keys with their casinos, and the end of a key: retired or revoked.

Owns: the statements that list and end a key. Never: making keys or signing (keys). Spec: operate.md 2 (`croupier keys`).

A revoked key verifies nothing any more. Its private half is erased with the same statement; the row stays, with the
author, the reason and the time, so that its kid is never used again and everybody can see what happened.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.store.db import Db, Row, Tx

LOCK = "select pg_advisory_xact_lock(hashtextextended('signing_keys', 0))"
"""Advisory lock held while a key is made or ended."""

_HELD_BY = """
select k.kid, k.alg, k.created_ms, k.retired_ms, k.revoked_ms, k.revoked_by, k.revoke_reason,
    k.retired_ms is null and not exists (select from signing_keys newer where newer.alg = k.alg
        and newer.retired_ms is null and (newer.created_ms, newer.kid) > (k.created_ms, k.kid)) as newest
from signing_keys k order by k.alg <> 'RS256', k.alg, k.created_ms desc, k.kid desc"""
_PINS = """
select c.casino_id, c.name, coalesce(c.profile ->> 'alg', 'RS256') as alg,
    (select k.kid from signing_keys k where k.kid = c.kid and k.retired_ms is null
        and k.alg = coalesce(c.profile ->> 'alg', 'RS256')) as kid
from casinos c order by c.casino_id"""
_KEY = """
select k.alg, k.revoked_ms, k.retired_ms is null and not exists (select from signing_keys newer
    where newer.alg = k.alg and newer.retired_ms is null and (newer.created_ms, newer.kid) > (k.created_ms, k.kid))
    as newest
from signing_keys k where k.kid = $1"""
_UNPIN = "update casinos set kid = null where kid = $1"
_REVOKE = """
update signing_keys set retired_ms = coalesce(retired_ms, $2), revoked_ms = $2, revoked_by = $3, revoke_reason = $4,
    private_pem = '' where kid = $1 and revoked_ms is null"""
_RETIRE = """
update signing_keys k set retired_ms = $2 where kid = $1 and retired_ms is null
and not exists (select from casinos c where c.kid = k.kid and coalesce(c.profile ->> 'alg', 'RS256') = k.alg)
and exists (select from signing_keys newer where newer.alg = k.alg and newer.retired_ms is null
    and (newer.created_ms, newer.kid) > (k.created_ms, k.kid))"""


class KeyInUse(Exception):
    """The key still signs, is retired already, or is unknown; nothing was changed."""


class KeyUnknown(LookupError):
    """There is no key of this kid."""

    def __init__(self, kid: str) -> None:
        super().__init__(f"there is no signing key {kid:.64}: `croupier keys list` shows them")


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One signing key. `casinos` are those whose messages it signs."""

    kid: str
    alg: str
    state: str
    """One of: newest, old (a rotation is under way), retired, revoked."""
    created_ms: int
    retired_ms: int | None
    revoked_ms: int | None
    revoked_by: str | None
    revoke_reason: str | None
    casinos: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A key that is to end."""

    alg: str
    newest: bool
    revoked: bool


async def list_keys(db: Db) -> list[KeyRow]:
    """Return every key that ever existed: RS256 first, then newest first."""
    keys = await db.fetch(_HELD_BY)
    newest = {row["alg"]: row["kid"] for row in keys if row["newest"]}
    held: dict[str, list[str]] = {}
    for pin in await db.fetch(_PINS):
        kid = pin["kid"] or newest.get(pin["alg"])
        if kid is not None:
            held.setdefault(kid, []).append(pin["name"])
    return [
        KeyRow(
            kid=row["kid"],
            alg=row["alg"],
            state=_state(row),
            created_ms=row["created_ms"],
            retired_ms=row["retired_ms"],
            revoked_ms=row["revoked_ms"],
            revoked_by=row["revoked_by"],
            revoke_reason=row["revoke_reason"],
            casinos=tuple(held.get(row["kid"], ())),
        )
        for row in keys
    ]


async def standing(tx: Tx, kid: str) -> Standing:
    """Return the state of a key before its end. Raises KeyUnknown. The caller holds the lock."""
    row = await tx.fetchrow(_KEY, kid)
    if row is None:
        raise KeyUnknown(kid)
    return Standing(row["alg"], row["newest"], row["revoked_ms"] is not None)


async def revoke(tx: Tx, kid: str, now_ms: int, *, author: str, reason: str) -> int:
    """Revoke a key; return how many casinos were pinned to it. The caller holds the lock and has made a newer key."""
    await tx.execute(_REVOKE, kid, now_ms, author, reason)
    return await tx.execute(_UNPIN, kid)


async def retire(tx: Tx, kid: str, now_ms: int) -> None:
    """Retire a key: it is listed no more. Raises KeyInUse while it is the newest of its kind or a casino is pinned to it."""
    if not await tx.execute(_RETIRE, kid, now_ms):
        raise KeyInUse(f"key {kid:.64} signs still, or is not there: `croupier keys list` shows who waits for what")


def _state(row: Row) -> str:
    if row["revoked_ms"] is not None:
        return "revoked"
    if row["retired_ms"] is not None:
        return "retired"
    return "newest" if row["newest"] else "old"
