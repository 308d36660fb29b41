"""store.sealed, on a real database: every sealed value is sealed anew, or ended, wherever it stands."""

from __future__ import annotations

import pytest

from croupier.kit.seal import SealBroken, Sealer
from croupier.store.db import Db
from croupier.store.parties.casinos import Casinos
from croupier.store.parties.keys import Keys
from croupier.store.parties.players import Players
from croupier.store.parties.providers import Providers
from croupier.store.parties.sealed import COLUMNS, Renewal, reseal
from tests.store.cast import CHANCE, HandClock, has_secret

OLD, NEW = bytes(range(32)), bytes(range(1, 33))


class Rows:
    """One of everything that is sealed, as an older process sealed it."""

    def __init__(self, db: Db, *keys: bytes) -> None:
        self.sealer, self.clock = Sealer(*keys), HandClock()
        self.db = db
        self.casinos = Casinos(db, self.sealer, self.clock, chance=CHANCE)
        self.providers = Providers(db, self.sealer, self.clock, chance=CHANCE)
        self.players = Players(db, self.sealer, self.clock)
        self.keys = Keys(db, self.sealer, self.clock, chance=CHANCE)

    async def fill(self) -> tuple[list[str], list[str]]:
        casino, first = await self.casinos.add("Rialto", "https://rialto.example", ["EUR"])
        second = await self.casinos.rotate_secret(casino.casino_id)
        provider, one = await self.providers.add("Reelwright", "https://reelwright.example")
        two = await self.providers.rotate_secret(provider.provider_id)
        await self.players.register(casino.casino_id, "anna", "EUR", refresh_token="r-1")
        await self.players.register(casino.casino_id, "bob", "EUR")
        await self.keys.load()
        await self.keys.revoke(self.keys.newest_kid("RS256"), author="ann", reason="x")
        return [second, first], [two, one]


async def marks(db: Db) -> set[bytes]:
    """How every sealed value begins."""
    found = set()
    for column in COLUMNS:
        sql = f"select substr({column.column}, 1, 5) as mark from {column.table} where length({column.column}) > 0"
        found |= {row["mark"] for row in await db.fetch(sql)}
    return found


async def test_the_list_knows_every_sealed_column(db: Db) -> None:
    """Whatever is stored as bytes is sealed, but for the digests of the audit trail, of requests, draws, launch codes and tokens."""
    rows = await db.fetch(
        "select table_name || '.' || column_name as name from information_schema.columns"
        " where table_schema = 'public' and udt_name = 'bytea'"
    )
    sealed = {f"{column.table}.{column.column}" for column in COLUMNS}
    others = {row["name"] for row in rows} - sealed
    assert {name.split(".")[0] for name in others} <= {
        "trail",
        "seen_requests",
        "draw_versions",
        "launch_codes",
        "accounts",
        "archived_digests",
    }, others


async def test_everything_is_sealed_anew_and_says_the_same(db: Db) -> None:
    casino, provider = await Rows(db, OLD).fill()
    both = Rows(db, NEW, OLD)
    done = await reseal(db, both.sealer)
    assert (done.moved, done.broken) == (6, [])
    assert await marks(db) == {Sealer(NEW).mark()}
    assert (await reseal(db, both.sealer)).moved == 0
    after = Rows(db, NEW)
    row = await after.casinos.find("Rialto")
    assert row is not None
    assert [await has_secret(after.casinos, row.casino_id, one) for one in casino] == [True, True]
    known = await after.providers.find("Reelwright")
    assert known is not None
    assert list(await after.providers.secrets(known.provider_id)) == provider
    assert await after.players.refresh_token(1) == "r-1"
    await after.keys.load()
    assert after.keys.token_key().private


async def test_values_from_before_keys_had_ids_are_sealed_anew_too(db: Db) -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - the form of an older version

    rows = Rows(db, OLD)
    casino, secret = await rows.casinos.add("Rialto", "https://rialto.example", ["EUR"])
    place, nonce = f"casinos.secret.{casino.casino_id}", bytes(12)
    old = b"\x01" + nonce + AESGCM(OLD).encrypt(nonce, secret.encode(), b"\x01" + place.encode())
    await db.execute("update casinos set secret = $1", old)
    assert await has_secret(rows.casinos, casino.casino_id, secret)
    assert (await reseal(db, Sealer(NEW, OLD))).moved == 1
    assert await has_secret(Rows(db, NEW).casinos, casino.casino_id, secret)


async def test_who_changes_a_secret_meanwhile_wins(db: Db) -> None:
    rows = Rows(db, OLD)
    casino, _ = await rows.casinos.add("Rialto", "https://rialto.example", ["EUR"])

    class Slow(Sealer):
        """Between the reading and the writing somebody rotates."""

        async def sealed(self, plain: bytes, place: str) -> bytes:
            made.append(await super().sealed(plain, place))
            return made[-1]

    made: list[bytes] = []
    slow = Slow(NEW, OLD)
    rotated: list[str] = []
    fetch = db.fetch

    async def then_rotate(sql: str, *args: object) -> object:
        found = await fetch(sql, *args)
        if "casinos" in sql and not rotated:
            rotated.append(await rows.casinos.rotate_secret(casino.casino_id, 0))
        return found

    db.fetch = then_rotate  # type: ignore[method-assign, assignment]
    try:
        done = await reseal(db, slow)
    finally:
        db.fetch = fetch  # type: ignore[method-assign]
    assert (done.moved, len(made)) == (0, 1)
    assert (await reseal(db, slow)).moved == 1
    assert await has_secret(Rows(db, NEW).casinos, casino.casino_id, rotated[0])


async def test_what_no_key_opens_is_named_and_left_alone(db: Db) -> None:
    await Rows(db, OLD).fill()
    before = await marks(db)
    done = await reseal(db, Sealer(NEW))
    assert done.moved == 0
    assert done.broken is not None
    assert len(done.broken) == 6
    assert "casinos.secret.1" in done.broken
    assert await marks(db) == before


async def test_when_the_key_is_lost_everybody_gets_new_secrets(db: Db) -> None:
    lost = Rows(db, OLD)
    casino, provider = await lost.fill()
    token_kid = lost.keys.token_key().kid
    now = Rows(db, NEW)
    with pytest.raises(SealBroken):
        await now.keys.load()
    renewed = await Renewal(db, now.sealer, clock=now.clock, chance=CHANCE).renew("ann", "the key is lost")
    assert [told.name for told in renewed.casinos + renewed.providers] == ["Rialto", "Reelwright"]
    assert renewed.keys == 1
    assert await has_secret(now.casinos, 1, renewed.casinos[0].secret)
    assert [await has_secret(now.casinos, 1, one) for one in casino] == [False, False]
    assert await now.providers.secrets(1) == (renewed.providers[0].secret,)
    assert provider[0] != renewed.providers[0].secret
    assert await now.players.refresh_token(1) is None
    await now.keys.load()
    assert token_kid not in now.keys.verify_keys()
    assert await marks(db) == {now.sealer.mark()}
