"""Commands about the keys that sign calls to casinos and access tokens. Spec: operate.md 2, casino.md 1.4.

Owns: the work and its parameters. Never: which key signs for whom (store.keys), the sealing key: that is a file of the machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from croupier.admin_api.command import NoParams, Params, command
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import BadParameter
from croupier.admin_api.words import Reason
from croupier.core.account import Role
from croupier.kit.keys import ALGORITHMS
from croupier.store.parties.key_rows import KeyRow, list_keys


class RotateKeyParams(Params, frozen=True, kw_only=True):
    """For whom a new key is made."""

    casino: Annotated[str | None, Meta(description="A casino, whose algorithm the new key gets.")] = None
    alg: Annotated[str | None, Meta(description="RS256, ES256 or EdDSA; RS256 by default.")] = None
    force: Annotated[bool, Meta(description="Sign with the new key at once, for the casino or for all.")] = False

    def check(self) -> None:
        """Raise BadParameter for an unknown algorithm, or one besides a casino."""
        if self.casino is not None and self.alg is not None:
            raise BadParameter("alg", "and a casino are given: give one, not both")
        if self.alg is not None and self.alg not in ALGORITHMS:
            raise BadParameter("alg", f"must be one of {', '.join(ALGORITHMS)}, not {self.alg[:20]!r}")


class KeyParams(Params, frozen=True, kw_only=True):
    """A key."""

    kid: Annotated[str, Meta(description="The key's id.")]


class RevokeKeyParams(KeyParams, frozen=True, kw_only=True):
    """A key that leaked."""

    reason: Reason = "no reason was given"


class RotatedKey(Struct, frozen=True):
    """A new key, the number of casinos that were moved to it, and the old keys of its algorithm that casinos still hold."""

    kid: str
    alg: str
    forced: int
    waiting: dict[str, tuple[str, ...]]


class RevokedKey(Struct, frozen=True):
    """A revoked key, and the one that signs for its algorithm now. `moved` casinos were pinned to the revoked one."""

    revoked: str
    alg: str
    already: bool
    moved: int
    kid: str


class RetiredKey(Struct, frozen=True):
    """A key that is no longer in the key set."""

    retired: str


@command("GET keys", words="keys list", role=Role.LOOK, whole_hub=True)
async def keys(desk: Desk, _: NoParams) -> list[KeyRow]:
    """Show every key, past ones included, and the casinos for which it signs."""
    return await list_keys(desk.hub.store.db)


@command("POST keys/rotate", words="keys rotate", role=Role.ADMINISTER, whole_hub=True)
async def rotate(desk: Desk, wish: RotateKeyParams) -> RotatedKey:
    """Make a new signing key. The old one signs for each casino until that casino has fetched the new key set."""
    store = desk.hub.store
    casino = None if wish.casino is None else await desk.casino(wish.casino)
    wanted = wish.alg or (casino.alg if casino else "RS256")
    kid = await store.keys.rotate(wanted)
    moved = await store.keys.force(casino.casino_id if casino else None) if wish.force else 0
    left = {row.kid: row.casinos for row in waiting(await list_keys(store.db)) if row.alg == wanted}
    return RotatedKey(kid, wanted, moved, left)


@command("POST keys/{kid}/revoke", words="keys revoke", role=Role.ADMINISTER, whole_hub=True)
async def revoke(desk: Desk, wish: RevokeKeyParams) -> RevokedKey:
    """Revoke a leaked key: within a second its signatures are no longer accepted, and it signs nothing more."""
    done = await desk.hub.store.keys.revoke(wish.kid, author=desk.author, reason=wish.reason)
    return RevokedKey(wish.kid, done.alg, done.already, done.moved, done.kid)


@command("POST keys/{kid}/retire", words="keys retire", role=Role.ADMINISTER, whole_hub=True)
async def retire(desk: Desk, wish: KeyParams) -> RetiredKey:
    """Remove an old key from the key set, once it signs for no casino."""
    await desk.hub.store.keys.retire(wish.kid)
    return RetiredKey(wish.kid)


def waiting(rows: Iterable[KeyRow]) -> list[KeyRow]:
    """Return the unfinished rotations: old keys that casinos still hold."""
    return [row for row in rows if row.state == "old" and row.casinos]
