"""Providers: their data, quirks and shared secrets.

Owns: the rows of `providers`, the rotation of a secret. Never: signatures, or the meaning of a quirk. A secret is shown
once and stored sealed. Spec: operate.md 2 (`croupier provider`), provider.md 1.1, feed.md 4.1 (game types).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from croupier.core.counterparty import HOLD_S, Provider
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.seal import Sealer
from croupier.store.db import Db, Row, Tx
from croupier.store.feed.game_types import own_game_types
from croupier.store.money.standing import STANDING_BETS
from croupier.store.parties.counterparties import (
    COLUMNS,
    SECRET_BYTES,
    Changes,
    Counterparties,
    CounterpartyKind,
    NameTaken,
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
_COUNTS = f"""
select (select count(*) from bets where provider_id = $1
    and state in {STANDING_BETS}) as bets"""
_BY_COUNTERPARTY = f"""
select k.spelling, {_COLUMNS} from providers join unnest($1::text[], $2::text[], $3::bigint[]) k(spelling, guid, id)
on counterparty_id = k.guid or provider_id = k.id"""


@dataclass(frozen=True, slots=True)
class _Secrets:
    new: str
    old: str | None
    old_until_ms: int


class Providers(Counterparties[Provider]):
    """The providers of this hub."""

    def __init__(
        self, db: Db, sealer: Sealer, clock: Clock, *, chance: Chance, waits: Mapping[str, float] | None = None
    ) -> None:
        """`waits` are seconds that override every provider's own (`hold_s`, `claim_s`)."""
        super().__init__(_PROVIDER, db, sealer, clock=clock, chance=chance)
        self._waits = dict(waits or {})
        self.usual_hold_s = self._waits.get("hold_s", HOLD_S)
        """The waits of a provider whose row was not read yet."""
        self._by_id: TtlCache[int, Provider] = TtlCache(self._read, clock)
        self.at_hand = self._by_id.at_hand
        """The provider of this id if it was read in the last half second, else None: then `get` reads it."""
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
        """Add a provider and return it with its secret, which is never shown again. Raises BadProfile, NameTaken."""
        check_columns({"name": name, "url": url})
        document = write_profile(PROVIDERS, "{}", profile)
        provider_id: int = await self._db.fetchval(_NEXT_ID)
        secret = self._chance.hex(SECRET_BYTES)
        sealed = await self._sealer.sealed(secret.encode(), self._place(provider_id))
        async with self._db.transaction() as tx:
            row = await tx.fetchrow(
                _INSERT, provider_id, self._chance.guid(), name, protocol, url, document, sealed, self._clock.now_ms()
            )
            if row is None:
                raise NameTaken("provider", name)
            await _own_types(tx, provider_id, document)
        return _provider(row), secret

    async def get(self, provider_id: int) -> Provider | None:
        """Return the provider, at most half a second old."""
        return self.at_hand(provider_id) or (await self._by_id.get(provider_id) if storable_id(provider_id) else None)

    async def by_counterparty(self, counterparty_id: str) -> Provider | None:
        """Return the provider that X-Counterparty-Id names, by GUID or number; at most half a second old."""
        known = self._by_counterparty.at_hand(counterparty_id)
        if known is None and storable_text(counterparty_id):
            known = await self._by_counterparty.get(counterparty_id)
        return known

    async def secrets(self, provider_id: int) -> tuple[str, ...]:
        """Return the secrets valid now, the new one first; during a rotation the old one too. None for an unknown provider."""
        found = self._secrets.at_hand(provider_id)
        if found is None and storable_id(provider_id):
            found = await self._secrets.get(provider_id)
        if found is None:
            return ()
        if found.old is None or self._clock.now_ms() >= found.old_until_ms:
            return (found.new,)
        return (found.new, found.old)

    async def _write(self, tx: Tx, party_id: int, changes: Changes) -> Row:
        before = await self._locked(tx, party_id, _COLUMNS)
        document = write_profile(PROVIDERS, before["profile"], changes.quirks)
        if "game_types" in changes.quirks:
            await _own_types(tx, party_id, document)
        after = {**before, **changes.columns}
        row = await tx.fetchrow(_UPDATE, party_id, after["name"], after["url"], after["enabled"], document)
        assert row is not None
        return row

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
        return {row["provider_id"]: await self._open(row) for row in rows}

    async def _open(self, row: Row) -> _Secrets:
        provider_id, old = row["provider_id"], row["old_secret"]
        return _Secrets(
            (await self._sealer.opened(row["secret"], self._place(provider_id))).decode(),
            None if old is None else (await self._sealer.opened(old, self._old_place(provider_id))).decode(),
            row["old_secret_until_ms"] or 0,
        )


async def _own_types(tx: Tx, provider_id: int, document: str) -> None:
    """Store the provider's game types; the table's key gives each type to one provider. Raises BadProfile."""
    others = await own_game_types(tx, provider_id, read_profile(PROVIDERS, document).get("game_types", ()))
    if others:
        raise BadProfile([f"game_types: {number} belongs to provider {name!r}" for number, name in others.items()])


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


_PROVIDER: Final = CounterpartyKind(
    "provider",
    _COLUMNS,
    _provider,
    found_by="provider_id = $1 or counterparty_id = lower($2) or name = $2",
    counts=_COUNTS,
    settable=COLUMNS - {"currencies"},
)
