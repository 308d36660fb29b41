"""Every use of the admin API: who asked for what, from where, and why it was refused if it was.

Owns: the rows of `admin_uses`, which the audit trail binds. Never: a token, a secret, or the answer. Spec: decision 0102.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.kit.clock import Clock
from croupier.store.db import Db
from croupier.store.storable import storable_text

MOST_CHARACTERS = 2000
_PUT = """
insert into admin_uses (at_ms, account, command, parameters, address, refused) values ($1, $2, $3, $4, $5, $6)"""
_NEWEST = """
select use_id, at_ms, account, command, parameters, address, refused from admin_uses
where use_id < $1 and ($2::text is null or account = $2) order by use_id desc limit $3"""


@dataclass(frozen=True, slots=True)
class AdminUse:
    """One use. `parameters` is JSON, cut at 2,000 characters."""

    use_id: int
    at_ms: int
    account: str
    command: str
    parameters: str
    address: str
    refused: str | None


class AdminUses:
    """The stored uses."""

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def put(self, account: str, command: str, parameters: str, *, address: str, refused: str | None) -> None:
        """Store a use. It comes before the work, so that nothing is done that is not recorded."""
        text = parameters if storable_text(parameters) else ascii(parameters)
        await self._db.execute(
            _PUT, self._clock.now_ms(), account, command, text[:MOST_CHARACTERS], address, refused
        )  # fmt: skip

    async def newest(self, before_id: int, most: int, account: str | None = None) -> list[AdminUse]:
        """Return the newest uses with lower ids than this, of one person or of all."""
        return [AdminUse(**row) for row in await self._db.fetch(_NEWEST, before_id, account, most)]
