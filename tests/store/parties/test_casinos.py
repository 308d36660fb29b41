"""store.casinos, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from croupier.core.counterparty import LateAccept
from croupier.core.refusals import CasinoNo
from croupier.kit.chance import SeededChance
from croupier.kit.seal import SealBroken, Sealer
from croupier.store.db import Db
from croupier.store.parties.casinos import Casinos
from croupier.store.parties.counterparties import (
    SECRET_BYTES,
    CounterpartyUnknown,
    NameAmbiguous,
    NameTaken,
    StillNeeded,
)
from croupier.store.parties.keys import Keys
from croupier.store.parties.profiles import BadProfile
from croupier.store.ttl_cache import KEPT_S
from tests.store.cast import CHANCE, SEALER, HandClock, has_secret, make_casinos, make_cast

URL = "https://rialto.example"


@pytest.fixture
async def other_db(database_url: str) -> AsyncIterator[Db]:
    """Another process's connections to the same database."""
    connected = await Db.connect(database_url, size=3)
    yield connected
    await connected.close()


async def test_a_new_casino_is_found_by_id_and_name_with_defaults(db: Db) -> None:
    casinos = make_casinos(db)
    casino, _ = await casinos.add("Rialto", URL, ["EUR", "JPY"])
    assert (casino.name, casino.url, casino.currencies, casino.protocol) == (
        "Rialto",
        URL,
        ("EUR", "JPY"),
        "betcore_v2",
    )
    assert (casino.alg, casino.kid, casino.enabled, casino.codes) == ("RS256", None, True, {})
    assert await casinos.get(casino.casino_id) == casino
    assert await casinos.find(casino.casino_id) == casino
    assert await casinos.find(str(casino.casino_id)) == casino
    assert await casinos.find("Rialto") == casino
    assert await casinos.all() == [casino]


@pytest.mark.parametrize("key", [0, -1, 2**63, 10**30])
async def test_an_impossible_id_is_nobody(db: Db, key: int) -> None:
    casinos = make_casinos(db)
    assert await casinos.get(key) is None
    assert await casinos.find(key) is None
    assert not await has_secret(casinos, key, "x")


@pytest.mark.parametrize("key", ["rialto", "", "\0", "\ud800", "9" * 40])
async def test_an_impossible_name_is_nobody(db: Db, key: str) -> None:
    casinos = make_casinos(db)
    await casinos.add("Rialto", URL, ["EUR"])
    assert await casinos.find(key) is None


async def test_quirks_come_back_typed_and_only_those_that_differ_are_stored(db: Db) -> None:
    casinos = make_casinos(db)
    quirks: dict[str, Any] = {"late_accept": LateAccept.REFUSE, "codes": {CasinoNo.OTHER: 500}, "batch": 100}
    casino, _ = await casinos.add("Rialto", URL, ["EUR"], alg="ES256", **quirks)
    assert (casino.late_accept, casino.codes, casino.alg) == (LateAccept.REFUSE, {CasinoNo.OTHER: 500}, "ES256")
    stored = await db.fetchval("select profile from casinos")
    assert all(word in stored for word in ("late_accept", "codes", "alg"))
    assert "batch" not in stored


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": ""}, "name must have"),
        ({"name": " x"}, "name must not begin or end"),
        ({"name": "a\nb"}, "control"),
        ({"name": "a\x85b"}, "control"),
        ({"name": "x" * 129}, "name must have"),
        ({"name": "a\u200b"}, "invisible"),
        ({"name": "3F0C8D52-6f0e-4a53-9b1c-0f6f3a2f7c11"}, "a number or a GUID"),
        ({"name": "77"}, "must not be a number"),
        ({"url": "ftp://x.example"}, "url must begin"),
        ({"currencies": []}, "at least one"),
        ({"currencies": "EUR"}, "at least one"),
        ({"currencies": ["EUR", "EUR"]}, "different"),
        ({"currencies": ["eur"]}, "'eur' is not known"),
        ({"alg": "HS256"}, "alg must be"),
        ({"hold_s": 2.0}, "setting of a provider"),
    ],
)
async def test_a_casino_that_could_not_work_is_not_added(db: Db, wrong: dict[str, Any], says: str) -> None:
    casinos = make_casinos(db)
    given = {"name": "Rialto", "url": URL, "currencies": ["EUR"], **wrong}
    with pytest.raises(BadProfile, match=says):
        await casinos.add(**given)
    assert await casinos.all() == []


async def test_every_name_let_in_is_one_the_table_takes(db: Db) -> None:
    casinos = make_casinos(db)
    for name in ("x" * 128, "Zoë's 777 (Ø)", "😀", "a/b", "\U0001fae8"):
        casino, _ = await casinos.add(name, URL, ["EUR"])
        assert await casinos.find(name) == casino


async def test_a_name_belongs_to_one_casino(db: Db) -> None:
    casinos = make_casinos(db)
    await casinos.add("Rialto", URL, ["EUR"])
    second, _ = await casinos.add("Lido", URL, ["EUR"])
    with pytest.raises(NameTaken):
        await casinos.add("Rialto", URL, ["EUR"])
    with pytest.raises(NameTaken):
        await casinos.change(second.casino_id, {"name": "Rialto"})


async def test_only_its_own_secret_is_a_casinos_secret(db: Db) -> None:
    casinos = make_casinos(db)
    one, secret = await casinos.add("Rialto", URL, ["EUR"])
    two, other = await casinos.add("Lido", URL, ["EUR"])
    assert len(secret) >= 43
    assert await has_secret(casinos, one.casino_id, secret)
    for wrong in (other, secret[:-1], secret.upper() + "x", "", "\ud800", "ü"):
        assert not await has_secret(casinos, one.casino_id, wrong)
    assert not await has_secret(casinos, two.casino_id, secret)
    assert not await has_secret(casinos, two.casino_id + 1, secret)
    await casinos.disable(one.casino_id)
    assert await has_secret(casinos, one.casino_id, secret)  # its accepts go on


async def test_a_new_secret_and_the_one_before_are_both_good_for_a_while(db: Db) -> None:
    clock = HandClock()
    casinos = make_casinos(db, clock)
    casino, first = await casinos.add("Rialto", URL, ["EUR"])
    second = await casinos.rotate_secret(casino.casino_id, 60)
    assert await casinos.admit(casino.casino_id, first) == await casinos.admit(casino.casino_id, second) == 0
    clock.ms += 60_000
    assert not await has_secret(casinos, casino.casino_id, first)
    third = await casinos.rotate_secret(casino.casino_id, 60)
    good = [await has_secret(casinos, casino.casino_id, one) for one in (first, second, third)]
    assert good == [False, True, True], "two at once, never three"
    with pytest.raises(CounterpartyUnknown):
        await casinos.rotate_secret(99)


async def test_a_secret_that_leaked_ends_at_once_and_with_it_the_tokens_from_before(db: Db) -> None:
    clock = HandClock()
    casinos = make_casinos(db, clock)
    casino, first = await casinos.add("Rialto", URL, ["EUR"])
    second = await casinos.rotate_secret(casino.casino_id, 0)
    assert not await has_secret(casinos, casino.casino_id, first)
    starts_s = await casinos.admit(casino.casino_id, second)
    known = await casinos.get(casino.casino_id)
    assert known is not None
    assert starts_s == known.tokens_from_s == clock.ms // 1000 + 1
    assert await casinos.rotate_secret(casino.casino_id, 60) != second
    assert (await casinos.find("Rialto")) == known, "a rotation without hurry leaves the tokens alone"


async def test_a_closed_casino_has_no_secret_and_is_opened_as_it_was(db: Db) -> None:
    casinos = make_casinos(db)
    casino, secret = await casinos.add("Rialto", URL, ["EUR"])
    await casinos.close(casino.casino_id)
    closed = await casinos.get(casino.casino_id)
    assert closed is not None
    assert (closed.enabled, closed.closed, closed.takes_new) == (True, True, False)
    assert not await has_secret(casinos, casino.casino_id, secret)
    await casinos.enable(casino.casino_id)
    assert not await has_secret(casinos, casino.casino_id, secret), "closed is not disabled"
    await casinos.open(casino.casino_id)
    assert await has_secret(casinos, casino.casino_id, secret)
    for what in (casinos.close, casinos.open):
        with pytest.raises(CounterpartyUnknown):
            await what(99)


class CountingSealer(Sealer):
    """Counts how often it opened something."""

    times = 0

    async def opened(self, sealed: bytes, place: str) -> bytes:
        self.times += 1
        return await super().opened(sealed, place)


async def test_an_unknown_casinos_secret_costs_the_same_work(db: Db) -> None:
    sealer = CountingSealer(bytes(32))
    casinos = Casinos(db, sealer, HandClock(), chance=CHANCE)
    casino, secret = await casinos.add("Rialto", URL, ["EUR"])
    for casino_id, given in ((casino.casino_id, secret), (casino.casino_id, "x"), (99, "x"), (0, "x"), (2**70, "x")):
        before = sealer.times
        await has_secret(casinos, casino_id, given)
        assert sealer.times == before + 2, "as many as there are during a rotation"


async def test_what_an_unknown_casinos_secret_is_compared_with_opens_nothing(db: Db) -> None:
    nobodys = SeededChance(1).hex(SECRET_BYTES)
    casinos = Casinos(db, SEALER, HandClock(), chance=SeededChance(1))
    for casino_id in (0, 1, 2**70):
        assert not await has_secret(casinos, casino_id, nobodys)


async def test_secrets_are_sealed_each_for_its_own_row(db: Db) -> None:
    casinos = make_casinos(db)
    one, secret = await casinos.add("Rialto", URL, ["EUR"])
    two, _ = await casinos.add("Lido", URL, ["EUR"])
    assert secret.encode() not in await db.fetchval("select secret from casinos where name = 'Rialto'")
    await db.execute("update casinos set secret = (select secret from casinos where name = 'Rialto')")
    assert await has_secret(casinos, one.casino_id, secret)
    with pytest.raises(SealBroken):
        await has_secret(casinos, two.casino_id, secret)


async def test_a_change_holds_here_at_once_and_elsewhere_within_half_a_second(db: Db, other_db: Db) -> None:
    clock = HandClock()
    here, there = make_casinos(db, clock), make_casinos(other_db, clock)
    casino, _ = await here.add("Rialto", URL, ["EUR"])
    assert await there.get(casino.casino_id) == casino  # new: at once
    assert await here.get(casino.casino_id) == casino
    changed = await here.change(casino.casino_id, {"batch": 1, "enabled": False, "url": URL + "/v2"})
    assert (changed.batch, changed.enabled, changed.url) == (1, False, URL + "/v2")
    assert await here.get(casino.casino_id) == changed
    clock.ms += round(KEPT_S * 1000)
    assert await there.get(casino.casino_id) == changed


async def test_a_wrong_change_changes_nothing(db: Db) -> None:
    casinos = make_casinos(db)
    casino, _ = await casinos.add("Rialto", URL, ["EUR"])
    for wrong in ({"batch": 1, "tax_bp": -1}, {"batch": 1, "currencies": []}, {"batch": 1, "kid": "k"}):
        with pytest.raises(BadProfile):
            await casinos.change(casino.casino_id, wrong)
    assert await casinos.find("Rialto") == casino
    for unknown in (casino.casino_id + 1, 0, 2**70):
        with pytest.raises(CounterpartyUnknown):
            await casinos.change(unknown, {"batch": 1})


async def test_two_processes_that_change_different_quirks_at_once_lose_none(db: Db, other_db: Db) -> None:
    here, there = make_casinos(db), make_casinos(other_db)
    casino, _ = await here.add("Rialto", URL, ["EUR"])
    changes: list[dict[str, Any]] = [
        {"batch": 3}, {"in_flight": 7}, {"info": False}, {"close": False}, {"codes.other": 1}, {"codes.not_added": 2},
    ]  # fmt: skip
    await asyncio.gather(*(who.change(casino.casino_id, c) for who, c in zip([here, there] * 3, changes, strict=True)))
    found = await here.find("Rialto")
    assert found is not None
    assert (found.batch, found.in_flight, found.info, found.close) == (3, 7, False, False)
    assert found.codes == {CasinoNo.OTHER: 1, CasinoNo.NOT_ADDED: 2}


async def test_it_is_switched_off_and_on(db: Db) -> None:
    casinos = make_casinos(db)
    casino, _ = await casinos.add("Rialto", URL, ["EUR"])
    assert not (await casinos.disable(casino.casino_id)).enabled
    assert (await casinos.enable(casino.casino_id)) == casino


# --- keys --------------------------------------------------------------------------------------------------


async def test_a_fetched_key_set_moves_a_casino_forwards_and_never_back(db: Db) -> None:
    clock = HandClock()
    casinos, keys = make_casinos(db, clock), Keys(db, SEALER, clock, chance=CHANCE)
    await casinos.add("Rialto", URL, ["EUR"], alg="ES256")
    await keys.load()
    first = keys.newest_kid("ES256")
    foreign = keys.newest_kid("RS256")
    second = await keys.rotate("ES256")
    casino = await casinos.find("Rialto")
    assert casino is not None
    for kid, held in ((first, first), ("nonsense", first), (foreign, first), (second, second), (first, second)):
        await casinos.saw_keys(casino.casino_id, kid)
        found = await casinos.get(casino.casino_id)
        assert found is not None
        assert found.kid == held
    await casinos.saw_keys(999, second)  # nobody


async def test_another_algorithm_unpins_the_key(db: Db) -> None:
    clock = HandClock()
    casinos, keys = make_casinos(db, clock), Keys(db, SEALER, clock, chance=CHANCE)
    casino, _ = await casinos.add("Rialto", URL, ["EUR"], alg="EdDSA")
    await keys.load()
    await keys.rotate("EdDSA")
    pinned = await casinos.change(casino.casino_id, {"batch": 1})
    assert pinned.kid is not None
    assert (await casinos.change(casino.casino_id, {"alg": "ES256"})).kid is None


# --- deleting ----------------------------------------------------------------------------------------------

_BET = """
insert into bets (bet_id, casino_id, provider_id, player_id, player_ref, bet_ref, round_ref, session_id, game_id,
    origin, currency, stake, created_ms, state, version, was_on, closing)
values (5, $1, 1, $2, 'anna', 'b', 'r', 's-1', 1, 'pay_in', 'EUR', 100, 0, $3, 0, false, 'open')"""
_PAYMENT = """
insert into payments (subject_id, kind, amount, created_ms, state, player_id) values (5, 'payout', 1, 0, $2, $1)"""
_CALL = """
insert into calls values (5, 'payout', $1, 'make', 0, 0, false, 0, 0, null, 0)"""
_CASHBACK = """
insert into cashbacks (cashback_id, casino_id, player_id, player_ref, currency, amount, ref, created_ms, state, version)
values (6, $1, $2, 'anna', 'EUR', 5, 'r', 0, $3, 0)"""


async def test_a_casino_without_money_history_is_deleted_with_its_players_and_sessions(db: Db) -> None:
    cast = await make_cast(db)
    await db.execute("insert into demo_balances values ('s-1', 5)")
    casinos = make_casinos(db)
    assert await casinos.get(cast.casino.casino_id) is not None
    await casinos.delete(cast.casino.casino_id)
    assert await casinos.get(cast.casino.casino_id) is None
    assert await db.fetchval("select count(*) from players") == 0
    assert await db.fetchval("select count(*) from games") == 1
    with pytest.raises(CounterpartyUnknown):
        await casinos.delete(cast.casino.casino_id)


@pytest.mark.parametrize("undecided", ["bet", "payment", "parked", "call", "cashback"])
async def test_a_casino_with_anything_undecided_is_not_deleted(db: Db, undecided: str) -> None:
    cast = await make_cast(db)
    casino_id, player_id = cast.casino.casino_id, cast.player.player_id
    if undecided == "bet":
        await db.execute(_BET, casino_id, player_id, "asked")
    elif undecided in ("payment", "parked"):
        await db.execute(_PAYMENT, player_id, "sent" if undecided == "payment" else "parked")
    elif undecided == "call":
        await db.execute(_CALL, casino_id)
    else:
        await db.execute(_CASHBACK, casino_id, player_id, "owed")
    with pytest.raises(StillNeeded, match="undecided"):
        await make_casinos(db).delete(casino_id)
    assert await make_casinos(db).find(casino_id) == cast.casino


async def test_a_casino_with_history_is_not_deleted(db: Db) -> None:
    cast = await make_cast(db)
    await db.execute(_BET, cast.casino.casino_id, cast.player.player_id, "returned")
    with pytest.raises(StillNeeded, match="never deleted"):
        await make_casinos(db).delete(cast.casino.casino_id)


async def test_a_name_of_before_the_rule_that_reads_like_an_id_is_refused_and_not_guessed(db: Db) -> None:
    casinos = make_casinos(db)
    first, _ = await casinos.add("Rialto", URL, ["EUR"])
    second, _ = await casinos.add("Lido", URL, ["EUR"])
    await db.execute("update casinos set name = $2 where casino_id = $1", second.casino_id, str(first.casino_id))
    with pytest.raises(NameAmbiguous) as caught:
        await casinos.find(str(first.casino_id))
    assert len(caught.value.choices) == 2
