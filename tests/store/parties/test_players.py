"""store.players, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from croupier.core.money import UnknownCurrency
from croupier.store.db import Db, DbViolation
from croupier.store.parties.players import Block, CurrencyDiffers, Player, Players
from tests.store.cast import NOW_MS, SEALER, HandClock, make_casinos


@pytest.fixture
async def casino_ids(db: Db) -> list[int]:
    casinos = make_casinos(db)
    made = [await casinos.add(name, "https://x.example", ["EUR"]) for name in ("Rialto", "Lido")]
    return [casino.casino_id for casino, _ in made]


@pytest.fixture
async def other_db(database_url: str) -> AsyncIterator[Db]:
    """Another process's connections to the same database."""
    connected = await Db.connect(database_url, size=3)
    yield connected
    await connected.close()


def make_players(db: Db) -> Players:
    return Players(db, SEALER, HandClock())


async def test_a_player_is_made_once_and_brought_up_to_date(db: Db, casino_ids: list[int]) -> None:
    players = make_players(db)
    first = await players.register(casino_ids[0], "anna", "EUR", language="de", is_test=True)
    assert first == Player(first.player_id, casino_ids[0], "anna", "EUR", "de", None, is_test=True)
    again = await players.register(casino_ids[0], "anna", "EUR", language="it", country="AT")
    assert again == Player(first.player_id, casino_ids[0], "anna", "EUR", "it", "AT", is_test=True)
    assert not (await players.register(casino_ids[0], "anna", "EUR", is_test=False)).is_test
    kept = await players.get(first.player_id)
    assert kept == Player(first.player_id, casino_ids[0], "anna", "EUR", "it", "AT")
    assert await players.find(casino_ids[0], "anna") == kept


async def test_the_same_ref_at_another_casino_is_another_player(db: Db, casino_ids: list[int]) -> None:
    players = make_players(db)
    here = await players.register(casino_ids[0], "anna", "EUR")
    there = await players.register(casino_ids[1], "anna", "JPY")
    assert here.player_id != there.player_id
    assert await players.find(casino_ids[1], "anna") == there


async def test_a_player_has_one_currency_per_casino_and_the_other_changes_nothing(
    db: Db, casino_ids: list[int]
) -> None:
    players = make_players(db)
    player = await players.register(casino_ids[0], "anna", "EUR", language="de", refresh_token="t")
    with pytest.raises(CurrencyDiffers) as caught:
        await players.register(casino_ids[0], "anna", "JPY", language="it", refresh_token="u")
    assert (caught.value.has, caught.value.asked) == ("EUR", "JPY")
    assert await players.get(player.player_id) == player
    assert await players.refresh_token(player.player_id) == "t"
    with pytest.raises(UnknownCurrency):
        await players.register(casino_ids[0], "otto", "XXQ")


async def test_registered_at_once_in_two_currencies_one_wins(db: Db, other_db: Db, casino_ids: list[int]) -> None:
    wishes = [
        make_players(where).register(casino_ids[0], "anna", currency)
        for where, currency in zip([db, other_db] * 4, ["EUR", "JPY"] * 4, strict=True)
    ]
    outcomes = await asyncio.gather(*wishes, return_exceptions=True)
    won = {o.currency for o in outcomes if isinstance(o, Player)}
    assert len(won) == 1
    assert {o.has for o in outcomes if isinstance(o, CurrencyDiffers)} == won
    assert await db.fetchval("select count(*) from players") == 1


async def test_a_refresh_token_is_kept_sealed_and_replaced(db: Db, casino_ids: list[int]) -> None:
    players = make_players(db)
    player = await players.register(casino_ids[0], "anna", "EUR")
    assert await players.refresh_token(player.player_id) is None
    await players.keep_refresh_token(player.player_id, "first-token")
    await players.register(casino_ids[0], "anna", "EUR", refresh_token="second-token ✓")
    assert await players.refresh_token(player.player_id) == "second-token ✓"
    assert b"second-token" not in await db.fetchval("select refresh_token from players")
    await players.register(casino_ids[0], "anna", "EUR")
    assert await players.refresh_token(player.player_id) == "second-token ✓"
    assert await players.refresh_token(player.player_id + 1) is None


async def test_a_player_is_blocked_and_let_in_again_and_registering_does_not_let_in(
    db: Db, casino_ids: list[int]
) -> None:
    players = make_players(db)
    player = await players.register(casino_ids[0], "anna", "EUR")
    await players.block(player.player_id, True, reason="a wish of hers", author="mia")
    assert (await players.register(casino_ids[0], "anna", "EUR")).blocked
    await players.block(player.player_id, False, reason="her pause is over", author="leo")
    assert await players.get(player.player_id) == player


async def test_why_a_player_was_blocked_is_kept_for_good_and_the_last_word_is_told(
    db: Db, casino_ids: list[int]
) -> None:
    players = make_players(db)
    anna, otto = [await players.register(casino_ids[0], ref, "EUR") for ref in ("anna", "otto")]
    await players.register(casino_ids[1], "anna", "EUR")
    assert await players.page(casino_ids[0], 0, 10) == [anna, otto]
    assert await players.page(casino_ids[0], 0, 1) == [anna]
    assert await players.page(casino_ids[0], anna.player_id, 10) == [otto]
    await players.block(otto.player_id, True, reason="first", author="mia")
    await players.block(otto.player_id, True, reason="second", author="leo")
    await players.block(otto.player_id + 99, True, reason="nobody", author="leo")
    assert await players.blocks([anna.player_id, otto.player_id]) == {
        otto.player_id: Block(otto.player_id, "second", "leo", NOW_MS)
    }
    assert await players.blocks([anna.player_id]) == {}
    assert [p.blocked for p in await players.page(casino_ids[0], 0, 10)] == [False, True]
    with pytest.raises(DbViolation):
        await db.execute("delete from player_blocks")


async def test_an_impossible_player_is_nobody(db: Db, casino_ids: list[int]) -> None:
    players = make_players(db)
    assert await players.get(0) is None
    assert await players.get(2**70) is None
    for ref in ("", "x\0", "\ud800"):
        assert await players.find(casino_ids[0], ref) is None
