"""All sealed values of the database: they are resealed with the newest key, or replaced by new ones.

Owns: the list of sealed columns, their resealing, their renewal when the key is lost. Never: the keys' file
(kit.key_file). A value is replaced only if it is still the one that was read, so that a concurrent change of a secret
wins. An interrupted run is repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.seal import SealBroken, Sealer
from croupier.store.db import Db, Tx
from croupier.store.parties.counterparties import SECRET_BYTES
from croupier.store.parties.key_rows import LOCK

PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """One sealed column: its table and name, the row's key and that key's type."""

    table: str
    column: str
    key: str
    type: str = "bigint"
    first: Any = -1

    def place(self, key: object) -> str:
        """Return the context that its value is bound to, the same as its readers give."""
        return f"{self.table}.{self.column}.{key}"


COLUMNS: Final = (
    SealedColumn("casinos", "secret", "casino_id"),
    SealedColumn("casinos", "old_secret", "casino_id"),
    SealedColumn("providers", "secret", "provider_id"),
    SealedColumn("providers", "old_secret", "provider_id"),
    SealedColumn("signing_keys", "private_pem", "kid", "text", ""),
    SealedColumn("players", "refresh_token", "player_id"),
    SealedColumn("jackpots", "secret", "pot_id"),
    SealedColumn("notification_targets", "secret", "target_id"),
)


@dataclass(slots=True)
class Resealed:
    """The result of one pass: the number of resealed values, and those that no key opens."""

    moved: int = 0
    broken: list[str] | None = None


async def reseal(db: Db, sealer: Sealer) -> Resealed:
    """Reseal with the newest key the values of older keys. Call it again until it finds none."""
    done = Resealed(broken=[])
    for column in COLUMNS:
        await _reseal_column(db, sealer, column, done=done)
    return done


async def _reseal_column(db: Db, sealer: Sealer, column: SealedColumn, *, done: Resealed) -> None:
    table, name, key = column.table, column.column, column.key
    page = f"""
select {key} as key, {name} as sealed from {table} where {key} > $1::{column.type} and length({name}) > 0
and substr({name}, 1, length($2::bytea)) <> $2::bytea order by {key} limit {PAGE}"""
    change = f"update {table} set {name} = $3 where {key} = $1 and {name} = $2"
    after = column.first
    while rows := await db.fetch(page, after, sealer.mark()):
        for row in rows:
            place = column.place(row["key"])
            try:
                plain = await sealer.opened(row["sealed"], place)
            except SealBroken:
                assert done.broken is not None
                done.broken.append(place)
                continue
            done.moved += await db.execute(change, row["key"], row["sealed"], await sealer.sealed(plain, place))
        after = rows[-1]["key"]


@dataclass(frozen=True, slots=True)
class NewSecret:
    """One counterparty and its new secret."""

    id: int | str
    name: str
    secret: str


@dataclass(frozen=True, slots=True)
class Renewed:
    """The counterparties with a new secret."""

    casinos: list[NewSecret]
    providers: list[NewSecret]
    keys: int
    """Signing keys that were revoked."""


class Renewal:
    """The renewal of every secret in the database."""

    def __init__(self, db: Db, sealer: Sealer, *, clock: Clock, chance: Chance) -> None:
        self._db = db
        self._sealer = sealer
        self._clock = clock
        self._chance = chance

    async def renew(self, author: str, reason: str) -> Renewed:
        """Renew every secret, revoke every signing key and drop every player's token, in one transaction."""
        now_ms = self._clock.now_ms()
        async with self._db.transaction() as tx:
            await tx.execute(LOCK)
            casinos = await tx.fetch(
                "select casino_id as key, casino_id as id, name from casinos order by 1 for update"
            )
            providers = await tx.fetch(
                "select provider_id as key, counterparty_id as id, name from providers order by 1 for update"
            )
            renewed = [await self._tell(tx, COLUMNS[0], row) for row in casinos]
            await tx.execute(
                "update casinos set old_secret = null, old_secret_until_ms = null, kid = null, tokens_from_s = $1",
                now_ms // 1000 + 1,
            )
            studios = [await self._tell(tx, COLUMNS[2], row) for row in providers]
            await tx.execute("update providers set old_secret = null, old_secret_until_ms = null")
            await tx.execute("update players set refresh_token = null where refresh_token is not null")
            # No key opens these either. A target without its secret says so at its next message.
            await tx.execute("update notification_targets set secret = null where secret is not null")
            keys = await tx.execute(
                "update signing_keys set retired_ms = coalesce(retired_ms, $1), revoked_ms = $1, revoked_by = $2,"
                " revoke_reason = $3, private_pem = '' where revoked_ms is null",
                now_ms,
                author,
                reason,
            )
        return Renewed(renewed, studios, keys)

    async def _tell(self, tx: Tx, column: SealedColumn, row: Any) -> NewSecret:  # noqa: ANN401 - a row
        secret = self._chance.hex(SECRET_BYTES)
        sealed = await self._sealer.sealed(secret.encode(), column.place(row["key"]))
        sql = f"update {column.table} set {column.column} = $2 where {column.key} = $1"
        await tx.execute(sql, row["key"], sealed)
        return NewSecret(row["id"], row["name"], secret)
