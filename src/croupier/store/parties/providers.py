"""Providers: who they are, in what they differ, their shared secrets.

Owns: the rows of `providers`, the rotation of a secret. Never: signatures, or what a quirk means. A secret is shown
once and stored sealed. Spec: operate.md 2 (`croupier provider`), provider.md 1.1, feed.md 4.1 (game types).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from croupier.core.counterparty import HOLD_S, Provider
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.seal import Sealer
from croupier.store.db import Db, DbViolation, Row, Tx
from croupier.store.money.standing import STANDING_BETS
from croupier.store.parties.counterparties import (
    COLUMNS,
    SECRET_BYTES,
    CounterpartyUnknown,
    NameAmbiguous,
    NameTaken,
    Undecided,
    check_columns,
)
from croupier.store.parties.profiles import PROVIDERS, BadProfile, read_profile, write_profile
from croupier.store.storable import id_of, storable_id, storable_text
from croupier.store.ttl_cache import TtlCache

_COLUMNS = (
    "provider_id, counterparty_id, name, protocol, url, enabled, closed_ms is not null as closed,"
    " profile::text as profile"
)
_NEXT_ID = "select nextval(pg_get_serial_sequence('providers', 'provider_id'))"
_INSERT = f"""
insert into providers (provider_id, counterparty_id, name, protocol, url, profile, secret, created_ms)
values ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8)
on conflict (name) do nothing returning {_COLUMNS}"""
_UPDATE = f"""
update providers set name = $2, url = $3, enabled = $4, profile = $5::text::jsonb
where provider_id = $1 returning {_COLUMNS}"""
_ROTATE = """
update providers set secret = $2, old_secret = $3, old_secret_until_ms = $4 where provider_id = $1"""
_COUNTS = f"""
select (select count(*) from bets where provider_id = $1
    and state in {STANDING_BETS}) as bets"""
_CLOSE = "update providers set closed_ms = coalesce(closed_ms, $2) where provider_id = $1"
_OPEN = "update providers set closed_ms = null where provider_id = $1"
_BY_COUNTERPARTY = f"""
select k.spelling, {_COLUMNS} from providers join unnest($1::text[], $2::text[], $3::bigint[]) k(spelling, guid, id)
on counterparty_id = k.guid or provider_id = k.id"""
_TYPES_LOCK = "select pg_advisory_xact_lock(hashtextextended('providers.game_types', 0))"


@dataclass(frozen=True, slots=True)
class _Secrets:
    new: str
    old: str | None
    old_until_ms: int


class Providers:
    """The providers of this hub."""

    def __init__(
        self, db: Db, sealer: Sealer, clock: Clock, chance: Chance, waits: Mapping[str, float] | None = None
    ) -> None:
        """`waits` are seconds that hold for every provider instead of its own (`hold_s`, `claim_s`)."""
        self._waits = dict(waits or {})
        self.usual_hold_s = self._waits.get("hold_s", HOLD_S)
        """How long a provider waits whose row was not read yet."""
        self._db = db
        self._sealer = sealer
        self._clock = clock
        self._chance = chance
        self._by_id: TtlCache[int, Provider] = TtlCache(self._read, clock)
        self._by_counterparty: TtlCache[str, Provider] = TtlCache(self._read_counterparties, clock)
        self._secrets: TtlCache[int, _Secrets] = TtlCache(self._read_secrets, clock)

    async def add(
        self,
        name: str,
        url: str,
        *,
        protocol: str = "betcore_v1",
        **profile: Any,  # noqa: ANN401 - any quirk of Provider, checked by profiles
    ) -> tuple[Provider, str]:
        """A new provider and its secret, which is never shown again. Raises BadSettings, NameTaken."""
        check_columns({"name": name, "url": url})
        document = write_profile(PROVIDERS, "{}", profile)
        provider_id: int = await self._db.fetchval(_NEXT_ID)
        secret = self._chance.hex(SECRET_BYTES)
        sealed = self._sealer.seal(secret.encode(), _place(provider_id))
        async with self._db.transaction() as tx:
            await _refuse_taken_types(tx, provider_id, document)
            row = await tx.fetchrow(
                _INSERT, provider_id, self._chance.guid(), name, protocol, url, document, sealed, self._clock.now_ms()
            )
        if row is None:
            raise NameTaken("provider", name)
        return _provider(row), secret

    async def get(self, provider_id: int) -> Provider | None:
        """The provider as it was at most half a second ago."""
        return await self._by_id.get(provider_id) if storable_id(provider_id) else None

    async def by_counterparty(self, counterparty_id: str) -> Provider | None:
        """The provider that X-Counterparty-Id names, by its GUID or by its number; at most half a second old."""
        return await self._by_counterparty.get(counterparty_id) if storable_text(counterparty_id) else None

    async def find(self, id_or_counterparty_or_name: int | str) -> Provider | None:
        """The provider of this id, counterparty id or name, as it is now. Raises NameAmbiguous.

        Names of before the rule of today may be spelled like the id of another provider.
        """
        text = str(id_or_counterparty_or_name)
        if not storable_text(text):
            return None
        rows = await self._db.fetch(
            f"select {_COLUMNS} from providers where provider_id = $1 or counterparty_id = lower($2) or name = $2"
            " order by provider_id",
            id_of(text),
            text,
        )
        if len(rows) > 1:
            raise NameAmbiguous("provider", text, [f"{row['provider_id']} ({row['name']})" for row in rows])
        return _provider(rows[0]) if rows else None

    async def all(self) -> list[Provider]:
        """Every provider, oldest first."""
        rows = await self._db.fetch(f"select {_COLUMNS} from providers order by provider_id")
        return [_provider(row) for row in rows]

    async def change(self, provider_id: int, changes: Mapping[str, Any]) -> Provider:
        """Change name, url, enabled or quirks. Raises BadSettings, NameTaken, CounterpartyUnknown; then nothing is."""
        columns = {name: value for name, value in changes.items() if name in COLUMNS and name != "currencies"}
        check_columns(columns)
        quirks = {name: value for name, value in changes.items() if name not in columns}
        try:
            async with self._db.transaction() as tx:
                provider = _provider(await _write(tx, provider_id, columns, quirks))
        except DbViolation as refused:
            if refused.constraint == "providers_name_key":
                raise NameTaken("provider", columns["name"]) from None
            raise
        finally:
            self._forget()
        return provider

    async def enable(self, provider_id: int) -> Provider:
        """Let it launch and bet again. Raises CounterpartyUnknown."""
        return await self.change(provider_id, {"enabled": True})

    async def disable(self, provider_id: int) -> Provider:
        """Stop launches and new bets; what is under way goes on. Raises CounterpartyUnknown."""
        return await self.change(provider_id, {"enabled": False})

    async def close(self, provider_id: int, *, force: bool = False) -> None:
        """Believe nothing any more that it signs. Raises Undecided without `force`, CounterpartyUnknown."""
        async with self._db.transaction() as tx:
            row = await _locked(tx, provider_id, "name")
            counts = await tx.fetchrow(_COUNTS, provider_id)
            if not force and counts is not None and any(counts.values()):
                raise Undecided("provider", row["name"], dict(counts))
            await tx.execute(_CLOSE, provider_id, self._clock.now_ms())
        self._forget()

    async def open(self, provider_id: int) -> None:
        """Believe it again; whether it is enabled is as it was. Raises CounterpartyUnknown."""
        async with self._db.transaction() as tx:
            await _locked(tx, provider_id, "provider_id")
            await tx.execute(_OPEN, provider_id)
        self._forget()

    async def secrets(self, provider_id: int) -> tuple[str, ...]:
        """The secrets valid now, the new one first; during a rotation the old one too. None for an unknown provider."""
        found = await self._secrets.get(provider_id) if storable_id(provider_id) else None
        if found is None:
            return ()
        if found.old is None or self._clock.now_ms() >= found.old_until_ms:
            return (found.new,)
        return (found.new, found.old)

    async def rotate_secret(self, provider_id: int, keep_old_s: float = 86400) -> str:
        """A new secret, never shown again; the one before stays valid beside it for so long (0: not at all).

        Raises CounterpartyUnknown.
        """
        secret = self._chance.hex(SECRET_BYTES)
        until_ms = self._clock.now_ms() + round(keep_old_s * 1000)
        async with self._db.transaction() as tx:
            row = await _locked(tx, provider_id, "secret")
            kept = keep_old_s > 0
            before = self._sealer.open(row["secret"], _place(provider_id)) if kept else b""
            old = self._sealer.seal(before, _old_place(provider_id)) if kept else None
            sealed = self._sealer.seal(secret.encode(), _place(provider_id))
            await tx.execute(_ROTATE, provider_id, sealed, old, until_ms if old else None)
        self._forget()
        return secret

    def _forget(self) -> None:
        for recent in (self._by_id, self._by_counterparty, self._secrets):
            recent.forget()

    async def _read(self, keys: Sequence[int]) -> dict[int, Provider]:
        rows = await self._db.fetch(f"select {_COLUMNS} from providers where provider_id = any($1)", list(keys))
        return {row["provider_id"]: self._as_told(row) for row in rows}

    def _as_told(self, row: Mapping[str, Any]) -> Provider:
        return replace(_provider(row), **self._waits)  # type: ignore[arg-type] # two names, both seconds

    async def _read_counterparties(self, keys: Sequence[str]) -> dict[str, Provider]:
        numbers = [id_of(key) if not key.startswith("0") else None for key in keys]
        rows = await self._db.fetch(_BY_COUNTERPARTY, list(keys), [key.lower() for key in keys], numbers)
        return {row["spelling"]: self._as_told(row) for row in rows}

    async def _read_secrets(self, keys: Sequence[int]) -> dict[int, _Secrets]:
        rows = await self._db.fetch(
            "select provider_id, secret, old_secret, old_secret_until_ms from providers where provider_id = any($1)",
            list(keys),
        )
        return {row["provider_id"]: self._open(row) for row in rows}

    def _open(self, row: Row) -> _Secrets:
        provider_id, old = row["provider_id"], row["old_secret"]
        return _Secrets(
            self._sealer.open(row["secret"], _place(provider_id)).decode(),
            None if old is None else self._sealer.open(old, _old_place(provider_id)).decode(),
            row["old_secret_until_ms"] or 0,
        )


async def _locked(tx: Tx, provider_id: int, columns: str) -> Row:
    row = None
    if storable_id(provider_id):
        row = await tx.fetchrow(f"select {columns} from providers where provider_id = $1 for update", provider_id)
    if row is None:
        raise CounterpartyUnknown("provider", provider_id)
    return row


async def _write(tx: Tx, provider_id: int, columns: Mapping[str, Any], quirks: Mapping[str, Any]) -> Row:
    before = await _locked(tx, provider_id, _COLUMNS)
    document = write_profile(PROVIDERS, before["profile"], quirks)
    if "game_types" in quirks:
        await _refuse_taken_types(tx, provider_id, document)
    after = {**before, **columns}
    row = await tx.fetchrow(_UPDATE, provider_id, after["name"], after["url"], after["enabled"], document)
    assert row is not None
    return row


async def _refuse_taken_types(tx: Tx, provider_id: int, document: str) -> None:
    """A game type belongs to one provider. One writer at a time looks, or two would not see each other."""
    wanted = set(read_profile(PROVIDERS, document).get("game_types", ()))
    if not wanted:
        return
    await tx.execute(_TYPES_LOCK)
    rows = await tx.fetch(f"select {_COLUMNS} from providers where provider_id <> $1 order by provider_id", provider_id)
    problems = [
        f"game_types: {game_type} belongs to provider {other.name!r}"
        for other in map(_provider, rows)
        for game_type in sorted(wanted & set(other.game_types))
    ]
    if problems:
        raise BadProfile(problems)


def _provider(row: Mapping[str, Any]) -> Provider:
    return Provider(
        provider_id=row["provider_id"],
        counterparty_id=row["counterparty_id"],
        name=row["name"],
        protocol=row["protocol"],
        url=row["url"],
        enabled=row["enabled"],
        closed=row["closed"],
        **read_profile(PROVIDERS, row["profile"]),
    )


def _place(provider_id: int) -> str:
    return f"providers.secret.{provider_id}"


def _old_place(provider_id: int) -> str:
    return f"providers.old_secret.{provider_id}"
