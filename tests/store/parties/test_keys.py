"""store.keys, on a real database: which key signs for whom, before, during and after a rotation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from croupier.core.counterparty import Casino
from croupier.kit.jwt import public_keys_from_jwks, sign, verify
from croupier.kit.keys import BadKey
from croupier.kit.seal import SealBroken, Sealer
from croupier.store.db import Db, DbViolation
from croupier.store.parties.casinos import Casinos
from croupier.store.parties.key_rows import list_keys
from croupier.store.parties.keys import KNOWN_EVERYWHERE_MS, PIN_SEEN_S, KeyInUse, Keys, KeyUnknown, NoKey, Revoked
from croupier.store.ttl_cache import KEPT_S
from tests.store.cast import CHANCE, SEALER, HandClock, make_casinos

pytestmark = pytest.mark.one_in(2)

URL = "https://rialto.example"


@pytest.fixture
async def other_db(database_url: str) -> AsyncIterator[Db]:
    """Another process's connections to the same database."""
    connected = await Db.connect(database_url, size=3)
    yield connected
    await connected.close()


def make_keys(db: Db, clock: HandClock | None = None) -> Keys:
    return Keys(db, SEALER, clock or HandClock(), chance=CHANCE)


async def found(casinos: Casinos, name: str) -> Casino:
    casino = await casinos.find(name)
    assert casino is not None
    return casino


async def test_loading_makes_a_token_key_and_one_per_algorithm_that_a_casino_has(db: Db) -> None:
    casinos, keys = make_casinos(db), make_keys(db)
    await keys.load()
    assert [key["alg"] for key in keys.jwk_set()["keys"]] == ["RS256"]
    casino, _ = await casinos.add("Rialto", URL, ["EUR"], alg="EdDSA")
    with pytest.raises(NoKey):
        keys.signing_key(casino)
    await keys.load()
    assert [key["alg"] for key in keys.jwk_set()["keys"]] == ["RS256", "EdDSA"]
    assert keys.signing_key(casino).alg == "EdDSA"
    await keys.load()
    assert len(keys.jwk_set()["keys"]) == 2


async def test_what_it_signs_is_verified_by_the_set_that_it_publishes(db: Db) -> None:
    keys = make_keys(db)
    await keys.load()
    token = sign(keys.token_key(), {"exp": 2000})
    assert verify(token, public_keys_from_jwks(keys.jwk_set()), now_s=1000)["exp"] == "2000"
    assert verify(token, keys.verify_keys(), now_s=1000)["exp"] == "2000"


async def test_processes_that_start_at_once_come_away_with_the_same_keys(db: Db, other_db: Db) -> None:
    many = [make_keys(where) for where in (db, other_db, db, other_db)]
    await asyncio.gather(*(keys.load() for keys in many))
    for keys in many:
        await keys.load()
    assert len({keys.token_key().kid for keys in many}) == 1
    assert await db.fetchval("select count(*) from signing_keys") == 1


async def test_of_many_who_need_a_first_key_at_once_one_makes_it(db: Db, other_db: Db) -> None:
    many = [make_keys(where) for where in (db, other_db) * 6]
    await asyncio.gather(*(keys.ensure("EdDSA") for keys in many))
    assert len({keys.newest_kid("EdDSA") for keys in many}) == 1
    assert await db.fetchval("select count(*) from signing_keys") == 1


async def test_keys_outlive_the_process_and_only_with_the_sealing_key(db: Db) -> None:
    first = make_keys(db)
    await first.load()
    second = make_keys(db)
    await second.load()
    assert second.jwk_set() == first.jwk_set()
    assert b"PRIVATE" not in await db.fetchval("select private_pem from signing_keys")
    with pytest.raises(SealBroken):
        await Keys(db, Sealer(bytes(32)), HandClock(), chance=CHANCE).load()


async def test_an_odd_algorithm_gets_no_key(db: Db) -> None:
    keys = make_keys(db)
    for alg in ("HS256", "none", "", "RS512"):
        with pytest.raises(BadKey):
            await keys.ensure(alg)
    assert await db.fetchval("select count(*) from signing_keys") == 0


async def test_an_old_key_signs_for_a_casino_until_that_has_fetched_the_set(db: Db) -> None:
    clock = HandClock()
    casinos, keys = make_casinos(db, clock), make_keys(db, clock)
    for name in ("Rialto", "Lido"):
        await casinos.add(name, URL, ["EUR"], alg="ES256")
    await casinos.add("Other", URL, ["EUR"], alg="EdDSA")
    await keys.load()
    old = keys.newest_kid("ES256")
    new = await keys.rotate("ES256")
    assert old != new
    assert {key["kid"] for key in keys.jwk_set()["keys"]} >= {old, new}
    assert (await found(casinos, "Other")).kid is None
    rialto = await found(casinos, "Rialto")
    await casinos.saw_keys(rialto.casino_id, new)
    assert keys.signing_key(await found(casinos, "Rialto")).kid == new
    assert keys.signing_key(await found(casinos, "Lido")).kid == old
    newcomer, _ = await casinos.add("Newcomer", URL, ["EUR"], alg="ES256")
    assert keys.signing_key(newcomer).kid == new


async def test_a_second_rotation_moves_nobody_who_has_not_fetched(db: Db) -> None:
    casinos, keys = make_casinos(db), make_keys(db)
    casino, _ = await casinos.add("Rialto", URL, ["EUR"], alg="ES256")
    await keys.load()
    oldest = keys.newest_kid("ES256")
    kids = [await keys.rotate("ES256"), await keys.rotate("ES256")]
    assert keys.signing_key(await found(casinos, "Rialto")).kid == oldest
    await casinos.saw_keys(casino.casino_id, kids[0])
    assert keys.signing_key(await found(casinos, "Rialto")).kid == kids[0]
    assert keys.newest_kid("ES256") == kids[1]


async def test_the_operator_forces_one_casino_or_all(db: Db) -> None:
    casinos, keys = make_casinos(db), make_keys(db)
    names = ("Rialto", "Lido", "Brenta")
    for name in names:
        await casinos.add(name, URL, ["EUR"], alg="ES256")
    await keys.load()
    old = keys.newest_kid("ES256")
    new = await keys.rotate("ES256")
    assert await keys.force((await found(casinos, "Lido")).casino_id) == 1
    assert [keys.signing_key(await found(casinos, name)).kid for name in names] == [old, new, old]
    assert await keys.force(None) == 2
    assert [keys.signing_key(await found(casinos, name)).kid for name in names] == [new] * 3


async def test_a_pin_of_another_algorithm_does_not_count(db: Db) -> None:
    keys = make_keys(db)
    await keys.load()
    await keys.ensure("ES256")
    casino = Casino(1, "Rialto", "p", URL, ("EUR",), alg="ES256", kid=keys.newest_kid("RS256"))
    assert keys.signing_key(casino).alg == "ES256"
    gone = Casino(1, "Rialto", "p", URL, ("EUR",), kid="vanished")
    assert keys.signing_key(gone).kid == keys.newest_kid("RS256")


async def test_another_process_knows_a_rotation_within_half_a_second(db: Db, other_db: Db) -> None:
    clock = HandClock()
    here, there = make_keys(db, clock), make_keys(other_db, clock)
    await here.load()
    await there.refresh_if_stale()
    new = await here.rotate("RS256")
    await there.refresh_if_stale()
    assert new not in there.verify_keys()
    clock.ms += round(KEPT_S * 1000)
    await asyncio.gather(*(there.refresh_if_stale() for _ in range(10)))
    assert new in there.verify_keys()


async def test_a_casinos_row_from_before_a_rotation_is_signed_with_the_key_that_the_casino_knows(
    db: Db, other_db: Db
) -> None:
    """The row says nothing of the pin yet, and may be a moment old wherever it is held."""
    clock = HandClock()
    here, there = make_keys(db, clock), make_keys(other_db, clock)
    await here.load()
    await there.load()
    read_before = Casino(1, "Rialto", "p", URL, ("EUR",))
    old, new = here.newest_kid("RS256"), await here.rotate("RS256")
    await there.load()
    assert there.signing_key(read_before).kid == old
    clock.ms += round(PIN_SEEN_S * 1000)
    assert there.signing_key(read_before).kid == new


async def test_a_new_token_key_signs_only_when_every_process_can_verify_it(db: Db) -> None:
    clock = HandClock()
    keys = make_keys(db, clock)
    await keys.load()
    old = keys.token_key().kid
    clock.ms += KNOWN_EVERYWHERE_MS
    new = await keys.rotate("RS256")
    assert keys.token_key().kid == old
    clock.ms += KNOWN_EVERYWHERE_MS - 1
    assert keys.token_key().kid == old
    clock.ms += 1
    assert keys.token_key().kid == new


async def test_the_newest_key_is_the_newest_even_if_the_clock_went_back(db: Db) -> None:
    clock = HandClock()
    keys = make_keys(db, clock)
    await keys.load()
    clock.ms -= 86_400_000
    kids = [await keys.rotate("RS256") for _ in range(2)]
    assert keys.newest_kid("RS256") == kids[-1]
    assert keys.jwk_set()["keys"][0]["kid"] == kids[-1]


async def test_rotations_at_once_all_count(db: Db, other_db: Db) -> None:
    casinos = make_casinos(db)
    await casinos.add("Rialto", URL, ["EUR"], alg="ES256")
    here, there = make_keys(db), make_keys(other_db)
    await here.load()
    await there.load()
    old = here.newest_kid("ES256")
    kids = await asyncio.gather(*(keys.rotate("ES256") for keys in [here, there] * 3))
    await here.load()
    assert here.newest_kid("ES256") in kids
    assert {old, *kids} <= set(here.verify_keys())
    assert here.signing_key(await found(casinos, "Rialto")).kid == old


async def test_a_key_is_retired_only_when_nobody_needs_it(db: Db) -> None:
    casinos, keys = make_casinos(db), make_keys(db)
    await casinos.add("Rialto", URL, ["EUR"], alg="ES256")
    await keys.load()
    old = keys.newest_kid("ES256")
    for kid in (old, "unknown"):
        with pytest.raises(KeyInUse):
            await keys.retire(kid)
    await keys.rotate("ES256")
    with pytest.raises(KeyInUse):
        await keys.retire(old)
    await keys.force(None)
    await keys.retire(old)
    assert old not in keys.verify_keys()
    assert old not in {key["kid"] for key in keys.jwk_set()["keys"]}


async def test_a_revoked_key_verifies_and_signs_nothing_and_its_casinos_move(db: Db, other_db: Db) -> None:
    clock = HandClock()
    casinos, keys, there = make_casinos(db, clock), make_keys(db, clock), make_keys(other_db, clock)
    await casinos.add("Rialto", URL, ["EUR"], alg="ES256")
    await keys.load()
    old = keys.newest_kid("ES256")
    new = await keys.rotate("ES256")
    await there.load()
    assert keys.signing_key(await found(casinos, "Rialto")).kid == old
    done = await keys.revoke(old, author="ann", reason="it leaked")
    assert done == Revoked(new, "ES256", 1, already=False)
    clock.ms += round(KEPT_S * 1000)
    await there.ready("ES256")
    for process in (keys, there):
        assert old not in process.verify_keys()
        assert old not in {key["kid"] for key in process.jwk_set()["keys"]}
        assert process.signing_key(await found(casinos, "Rialto")).kid == new


async def test_the_last_key_is_revoked_for_a_new_one(db: Db, other_db: Db) -> None:
    """Who held the row of a casino from before is not signed for with it either, not for the moment of a rotation."""
    clock = HandClock()
    casinos, keys, there = make_casinos(db, clock), make_keys(db, clock), make_keys(other_db, clock)
    casino, _ = await casinos.add("Rialto", URL, ["EUR"])
    await keys.load()
    await there.load()
    old = keys.newest_kid("RS256")
    done = await keys.revoke(old, author="ann", reason="it leaked")
    await there.load()
    for process in (keys, there):
        kids = {process.token_key().kid, process.signing_key(casino).kid, process.newest_kid("RS256"), done.kid}
        assert len(kids) == 1
        assert old not in kids
    assert await keys.revoke(old, author="bob", reason="again") == Revoked(done.kid, "RS256", 0, already=True)
    with pytest.raises(KeyUnknown):
        await keys.revoke("nothing", author="bob", reason="x")


async def test_a_newest_key_that_leaked_brings_no_older_one_back(db: Db) -> None:
    """Casinos may have forgotten that."""
    casinos, keys = make_casinos(db), make_keys(db)
    await casinos.add("Rialto", URL, ["EUR"])
    await keys.load()
    old, leaked = keys.newest_kid("RS256"), await keys.rotate("RS256")
    await keys.force(None)
    done = await keys.revoke(leaked, author="ann", reason="it leaked")
    assert done.kid not in (old, leaked)
    assert keys.signing_key(await found(casinos, "Rialto")).kid == done.kid


async def test_a_reading_that_began_before_a_revocation_is_read_again(db: Db, other_db: Db) -> None:
    """The process asked, the key was revoked, then the answer came: it holds for half a second from the question."""
    clock = HandClock()
    keys, there = make_keys(db, clock), make_keys(other_db, clock)
    await keys.load()
    old = keys.newest_kid("RS256")
    asking = asyncio.create_task(there.load())
    await keys.revoke(old, author="ann", reason="it leaked")
    await asking
    clock.ms += round(KEPT_S * 1000)
    await there.refresh_if_stale()
    assert old not in there.verify_keys()


async def test_a_pin_that_came_late_counts_as_none_and_the_next_rotation_pins_anew(db: Db) -> None:
    """A casino fetched the set at the moment of the revocation: its row names a key that has ended."""
    casinos, keys = make_casinos(db), make_keys(db)
    await casinos.add("Rialto", URL, ["EUR"])
    await keys.load()
    leaked = keys.newest_kid("RS256")
    done = await keys.revoke(leaked, author="ann", reason="it leaked")
    await db.execute("update casinos set kid = $1", leaked)
    assert keys.signing_key(await found(casinos, "Rialto")).kid == done.kid
    await keys.rotate("RS256")
    assert keys.signing_key(await found(casinos, "Rialto")).kid == done.kid


async def test_what_happened_to_a_key_stays_on_record(db: Db) -> None:
    casinos, keys = make_casinos(db), make_keys(db)
    await casinos.add("Rialto", URL, ["EUR"])
    await keys.load()
    first = keys.newest_kid("RS256")
    second = await keys.rotate("RS256")
    assert [(k.kid, k.state, k.casinos) for k in await list_keys(db)] == [
        (second, "newest", ()), (first, "old", ("Rialto",)),
    ]  # fmt: skip
    await keys.revoke(first, author="ann", reason="it leaked")
    rows = {key.kid: key for key in await list_keys(db)}
    assert rows[second].casinos == ("Rialto",)
    ended = rows[first]
    assert (ended.state, ended.revoked_by, ended.revoke_reason) == ("revoked", "ann", "it leaked")
    assert await db.fetchval("select private_pem from signing_keys where kid = $1", first) == b""
    for change in ("revoked_ms = null, retired_ms = null", "revoked_by = 'nobody'", "alg = 'ES256'"):
        with pytest.raises(DbViolation):
            await db.execute(f"update signing_keys set {change} where kid = $1", first)
    with pytest.raises(DbViolation):
        await db.execute("delete from signing_keys")
