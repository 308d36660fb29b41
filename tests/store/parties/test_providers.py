"""store.providers, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from croupier.store.db import Db
from croupier.store.parties.counterparties import CounterpartyUnknown, NameAmbiguous, NameTaken
from croupier.store.parties.profiles import BadProfile
from croupier.store.ttl_cache import KEPT_S
from tests.store.cast import HandClock, make_providers

URL = "https://reelwright.example"


@pytest.fixture
async def other_db(database_url: str) -> AsyncIterator[Db]:
    """Another process's connections to the same database."""
    connected = await Db.connect(database_url, size=3)
    yield connected
    await connected.close()


async def test_a_new_provider_is_found_by_all_its_names(db: Db) -> None:
    providers = make_providers(db)
    provider, secret = await providers.add("Reelwright", URL, hold_s=2.5)
    assert (provider.url, provider.protocol, provider.hold_s, provider.claim_s) == (URL, "betcore_v1", 2.5, 15.0)
    assert len(secret) >= 43
    number, guid = provider.provider_id, provider.counterparty_id
    for key in (number, str(number), guid, guid.upper(), "Reelwright"):
        assert await providers.find(key) == provider
    for key in (guid, guid.upper(), str(number)):
        assert await providers.by_counterparty(key) == provider
    assert await providers.get(number) == provider
    assert await providers.all() == [provider]


@pytest.mark.parametrize("key", ["", "Reelwright", "01", "0", "-1", "x\0", "\ud800", "9" * 30])
async def test_a_header_that_names_nobody_finds_nobody(db: Db, key: str) -> None:
    providers = make_providers(db)
    provider, _ = await providers.add("Reelwright", URL)
    # Also while the read travels together with a good one.
    found = await asyncio.gather(providers.by_counterparty(key), providers.by_counterparty(provider.counterparty_id))
    assert found == [None, provider]


async def test_a_wrong_provider_is_not_added(db: Db) -> None:
    providers = make_providers(db)
    wrongs: list[dict[str, Any]] = [{"name": "12"}, {"url": "x"}, {"hold_s": 0}, {"batch": 1}, {"currencies": ["EUR"]}]
    for wrong in wrongs:
        with pytest.raises(BadProfile):
            await providers.add(**{"name": "Reelwright", "url": URL, **wrong})
    assert await providers.all() == []


async def test_a_name_belongs_to_one_provider(db: Db) -> None:
    providers = make_providers(db)
    await providers.add("Reelwright", URL)
    second, _ = await providers.add("Drumlin", URL)
    with pytest.raises(NameTaken):
        await providers.add("Reelwright", URL)
    with pytest.raises(NameTaken):
        await providers.change(second.provider_id, {"name": "Reelwright"})


async def test_a_change_holds_here_at_once_and_elsewhere_within_half_a_second(db: Db, other_db: Db) -> None:
    clock = HandClock()
    here, there = make_providers(db, clock), make_providers(other_db, clock)
    provider, secret = await here.add("Reelwright", URL)
    assert await there.by_counterparty(provider.counterparty_id) == provider  # new: at once
    assert await there.secrets(provider.provider_id) == (secret,)
    assert await here.by_counterparty(provider.counterparty_id) == provider
    changed = await here.disable(provider.provider_id)
    assert not changed.enabled
    new = await here.rotate_secret(provider.provider_id)
    assert await here.by_counterparty(provider.counterparty_id) == changed
    assert await here.get(provider.provider_id) == changed
    clock.ms += round(KEPT_S * 1000)
    assert await there.by_counterparty(provider.counterparty_id) == changed
    assert await there.secrets(provider.provider_id) == (new, secret)
    assert (await here.enable(provider.provider_id)).enabled


async def test_an_unknown_provider_cannot_be_changed(db: Db) -> None:
    providers = make_providers(db)
    for unknown in (1, 0, 2**70):
        with pytest.raises(CounterpartyUnknown):
            await providers.change(unknown, {"hold_s": 1.0})
        with pytest.raises(CounterpartyUnknown):
            await providers.rotate_secret(unknown)
        assert await providers.secrets(unknown) == ()
        assert await providers.get(unknown) is None


# --- secrets -----------------------------------------------------------------------------------------------


async def test_the_old_secret_is_valid_beside_the_new_one_until_its_time_is_over(db: Db) -> None:
    clock = HandClock()
    providers = make_providers(db, clock)
    provider, first = await providers.add("Reelwright", URL)
    assert await providers.secrets(provider.provider_id) == (first,)
    second = await providers.rotate_secret(provider.provider_id, keep_old_s=0.2)
    assert len({first, second}) == 2
    assert await providers.secrets(provider.provider_id) == (second, first)
    clock.ms += 199
    assert await providers.secrets(provider.provider_id) == (second, first)
    clock.ms += 1  # still the kept value, judged anew
    assert await providers.secrets(provider.provider_id) == (second,)


async def test_a_second_rotation_leaves_two_secrets_and_one_without_keeping_leaves_one(db: Db) -> None:
    providers = make_providers(db)
    provider, _ = await providers.add("Reelwright", URL)
    second = await providers.rotate_secret(provider.provider_id)
    third = await providers.rotate_secret(provider.provider_id)
    assert await providers.secrets(provider.provider_id) == (third, second)
    fourth = await providers.rotate_secret(provider.provider_id, keep_old_s=0)
    assert await providers.secrets(provider.provider_id) == (fourth,)
    assert await db.fetchval("select old_secret from providers") is None


async def test_rotations_at_once_leave_the_last_two_secrets(db: Db, other_db: Db) -> None:
    clock = HandClock()
    here, there = make_providers(db, clock), make_providers(other_db, clock)
    provider, _ = await here.add("Reelwright", URL)
    made = await asyncio.gather(*(who.rotate_secret(provider.provider_id) for who in [here, there] * 3))
    clock.ms += 1000
    left = await here.secrets(provider.provider_id)
    assert left == await there.secrets(provider.provider_id)
    assert len(left) == 2
    assert set(left) <= set(made)


async def test_no_secret_is_stored_in_the_open(db: Db) -> None:
    providers = make_providers(db)
    provider, first = await providers.add("Reelwright", URL)
    second = await providers.rotate_secret(provider.provider_id)
    row = await db.fetchrow("select secret, old_secret from providers")
    assert row is not None
    assert not any(secret.encode() in bytes(cell) for secret in (first, second) for cell in row.values())


# --- game types --------------------------------------------------------------------------------------------


async def test_a_game_type_belongs_to_one_provider(db: Db) -> None:
    providers = make_providers(db)
    one, _ = await providers.add("Reelwright", URL, game_types=(3, 23))
    with pytest.raises(BadProfile, match="23 belongs to provider 'Reelwright'"):
        await providers.add("Drumlin", URL, game_types=(4, 23))
    two, _ = await providers.add("Drumlin", URL, game_types=(4,))
    with pytest.raises(BadProfile, match="3 belongs"):
        await providers.change(two.provider_id, {"game_types": (3, 4)})
    assert (await providers.change(one.provider_id, {"game_types": (3, 5)})).game_types == (3, 5)
    assert (await providers.change(two.provider_id, {"game_types": (23,)})).game_types == (23,)


async def test_two_processes_that_want_one_game_type_at_once_do_not_both_get_it(db: Db, other_db: Db) -> None:
    here, there = make_providers(db), make_providers(other_db)
    numbers = [(await here.add(f"Provider {letter}", URL))[0].provider_id for letter in "abcdef"]
    wishes = [who.change(n, {"game_types": (9,)}) for who, n in zip([here, there] * 3, numbers, strict=True)]
    outcomes = await asyncio.gather(*wishes, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BadProfile"] * 5 + ["Provider"]


async def test_a_name_of_before_the_rule_that_reads_like_an_id_is_refused_and_not_guessed(db: Db) -> None:
    providers = make_providers(db)
    first, _ = await providers.add("Reelwright", URL)
    second, _ = await providers.add("Drumlin", URL)
    await db.execute("update providers set name = $2 where provider_id = $1", second.provider_id, first.counterparty_id)
    with pytest.raises(NameAmbiguous) as caught:
        await providers.find(first.counterparty_id)
    assert [choice.split()[0] for choice in caught.value.choices] == [str(first.provider_id), str(second.provider_id)]
