"""store.games, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from croupier.core.commands import GameListing
from croupier.core.session import Game
from croupier.store.db import Db
from croupier.store.parties.games import GameAmbiguous, Games, GameUnknown, changes_from_text
from croupier.store.parties.listings import Counts
from croupier.store.parties.profiles import BadProfile
from tests.store.cast import NOW_MS, HandClock, make_casinos, make_providers


@dataclass
class Shelf:
    games: Games
    clock: HandClock
    one: int
    two: int


@pytest.fixture
async def shelf(db: Db) -> Shelf:
    """Two providers without games."""
    providers, clock = make_providers(db), HandClock()
    made = [await providers.add(name, "https://x.example") for name in ("Reelwright", "Drumlin")]
    return Shelf(Games(db, clock), clock, made[0][0].provider_id, made[1][0].provider_id)


@pytest.fixture
async def other_db(database_url: str) -> AsyncIterator[Db]:
    """Another process's connections to the same database."""
    connected = await Db.connect(database_url, size=3)
    yield connected
    await connected.close()


def listing(ref: str, name: str = "A game", category: str = "slots") -> GameListing:
    return GameListing(ref, name, category, max_odd="100", image_url="https://x.example/i.png")


async def take(shelf: Shelf, *listings: GameListing, enabled: bool = True, skipped: tuple[str, ...] = ()) -> Counts:
    return await shelf.games.take_listing(shelf.one, listings, enabled_for_new=enabled, skipped_refs=skipped)


async def by_ref(shelf: Shelf) -> dict[str, Game]:
    return {game.game_ref: game for game in await shelf.games.all(shelf.one)}


async def test_a_listing_brings_new_games_with_everything_told(shelf: Shelf) -> None:
    assert await take(shelf, listing("a"), GameListing("b", "Bare", "odd_category")) == Counts(new=2)
    games = await by_ref(shelf)
    a = games["a"]
    assert a == Game(a.game_id, shelf.one, "a", "A game", "slots", max_odd="100", image_url="https://x.example/i.png")
    assert games["b"].category == "odd_category"


async def test_new_games_arrive_switched_off_where_that_is_set_and_known_ones_stay_as_they_are(shelf: Shelf) -> None:
    await take(shelf, listing("a"), listing("b"), enabled=False)
    game = (await by_ref(shelf))["a"]
    assert not game.enabled
    await shelf.games.set(game.game_id, enabled=True)
    assert await take(shelf, listing("a", "Renamed"), listing("b"), enabled=False) == Counts(changed=1)
    games = await by_ref(shelf)
    assert (games["a"].enabled, games["a"].name, games["b"].enabled) == (True, "Renamed", False)


async def test_the_same_listing_again_changes_nothing(db: Db, shelf: Shelf) -> None:
    await take(shelf, listing("a"), GameListing("b", "Bare", "slots"))
    shelf.clock.ms += 1000
    assert await take(shelf, listing("a"), GameListing("b", "Bare", "slots")) == Counts()
    assert await db.fetchval("select max(changed_ms) from games") == NOW_MS


async def test_a_vanished_game_stays_and_comes_back(db: Db, shelf: Shelf) -> None:
    await take(shelf, listing("a"), listing("b"))
    shelf.clock.ms += 1000
    assert await take(shelf, listing("b")) == Counts(vanished=1)
    assert not (await by_ref(shelf))["a"].listed
    assert await db.fetchval("select changed_ms from games where game_ref = 'a'") == NOW_MS + 1000
    assert await take(shelf, listing("b")) == Counts()
    assert await take(shelf, listing("a"), listing("b")) == Counts(changed=1)
    assert (await by_ref(shelf))["a"].listed


async def test_a_game_that_could_not_be_read_is_not_taken_for_vanished(shelf: Shelf) -> None:
    await take(shelf, listing("a"), listing("b"))
    assert await take(shelf, listing("b"), skipped=("a", "never-seen")) == Counts()
    assert (await by_ref(shelf))["a"].listed


async def test_of_two_listings_with_one_id_the_last_holds(shelf: Shelf) -> None:
    assert await take(shelf, listing("a", "First"), listing("a", "Last")) == Counts(new=1)
    assert (await by_ref(shelf))["a"].name == "Last"


async def test_a_listing_touches_its_own_provider_only(shelf: Shelf) -> None:
    await take(shelf, listing("a"))
    assert await shelf.games.take_listing(shelf.two, [listing("a")], enabled_for_new=True) == Counts(new=1)
    assert await shelf.games.take_listing(shelf.two, [], enabled_for_new=True) == Counts(vanished=1)
    assert (await by_ref(shelf))["a"].listed
    assert len(await shelf.games.all()) == 2


async def test_two_processes_that_take_a_listing_at_once_count_each_game_once(
    db: Db, other_db: Db, shelf: Shelf
) -> None:
    """Each tells the games by other names, so that every one of them changes rows."""
    there = Games(other_db, shelf.clock)
    takes = [
        games.take_listing(shelf.one, [listing(f"g-{n}", f"By {who}") for n in range(40)], enabled_for_new=True)
        for who, games in enumerate([shelf.games, there] * 3)
    ]
    counts = await asyncio.gather(*takes)
    assert sorted((c.new, c.changed) for c in counts) == [(0, 40)] * 5 + [(40, 0)]


refs = st.sampled_from("abcde")
listing_sets = st.dictionaries(refs, st.sampled_from(["One", "Two"]), max_size=5)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(listing_sets, st.sets(refs)), min_size=1, max_size=6))
@pytest.mark.slow
async def test_any_sequence_of_listings_does_what_a_model_does(
    db: Db, shelf: Shelf, steps: list[tuple[dict[str, str], set[str]]]
) -> None:
    await db.execute("delete from games")
    model: dict[str, tuple[str, bool]] = {}
    for told, skipped in steps:
        counts = await take(shelf, *(listing(r, n) for r, n in told.items()), skipped=tuple(skipped))
        gone = {r for r, (_, listed) in model.items() if listed and r not in told and r not in skipped}
        changed = {r for r, n in told.items() if r in model and model[r] != (n, True)}
        assert counts == Counts(len(told.keys() - model.keys()), len(changed), len(gone))
        model |= {r: (model[r][0], False) for r in gone} | {r: (n, True) for r, n in told.items()}
        assert {r: (g.name, g.listed) for r, g in (await by_ref(shelf)).items()} == model


# --- finding -----------------------------------------------------------------------------------------------


async def test_a_game_is_found_by_its_ref_or_with_its_provider(shelf: Shelf) -> None:
    await take(shelf, listing("a"))
    game = (await by_ref(shelf))["a"]
    for text in ("a", "Reelwright/a", f"{shelf.one}/a"):
        assert await shelf.games.find(text) == game
    for text in ("b", "Drumlin/a", "/a", "a/", "", "x\0", "\ud800", "Reelwright/"):
        assert await shelf.games.find(text) is None
    assert await shelf.games.get(game.game_id) == game
    assert await shelf.games.get(2**70) is None


async def test_a_ref_of_two_providers_must_be_named_with_its_provider(shelf: Shelf) -> None:
    await take(shelf, listing("a"))
    await shelf.games.take_listing(shelf.two, [listing("a")], enabled_for_new=True)
    with pytest.raises(GameAmbiguous) as caught:
        await shelf.games.find("a")
    assert caught.value.choices == ("Reelwright/a", "Drumlin/a")
    for choice, provider_id in zip(caught.value.choices, (shelf.one, shelf.two), strict=True):
        found = await shelf.games.find(choice)
        assert found is not None
        assert found.provider_id == provider_id


async def test_slashes_in_refs_and_names_leave_every_game_reachable(db: Db, shelf: Shelf) -> None:
    third, _ = await make_providers(db).add("Reel/wright", "https://x.example")
    await take(shelf, listing("a"), listing("a/b"), listing("Drumlin/a"))
    await shelf.games.take_listing(shelf.two, [listing("a")], enabled_for_new=True)
    await shelf.games.take_listing(third.provider_id, [listing("a"), listing("b/a")], enabled_for_new=True)
    ids = {p.provider_id: p.counterparty_id for p in await make_providers(db).all()}
    for game in await shelf.games.all():
        assert await shelf.games.find(f"{ids[game.provider_id]}/{game.game_ref}") == game
    bare = await shelf.games.find("a/b")
    assert bare is not None
    assert bare.game_ref == "a/b"


async def test_a_game_id_that_reads_like_a_provider_and_its_game_is_ambiguous(shelf: Shelf) -> None:
    """Each choice that is offered then names one game, and another one."""
    await take(shelf, listing("Drumlin/a"))
    await shelf.games.take_listing(shelf.two, [listing("a")], enabled_for_new=True)
    with pytest.raises(GameAmbiguous) as caught:
        await shelf.games.find("Drumlin/a")
    found = [await shelf.games.find(choice) for choice in caught.value.choices]
    assert {game.provider_id for game in found if game is not None} == {shelf.one, shelf.two}


# --- switching ---------------------------------------------------------------------------------------------


async def test_a_game_is_set_and_the_rest_of_it_stays(db: Db, shelf: Shelf) -> None:
    await take(shelf, listing("a"))
    game = (await by_ref(shelf))["a"]
    shelf.clock.ms += 5
    changed = await shelf.games.set(game.game_id, min_bet="0.50", jackpot_wins=True)
    assert (changed.min_bet, changed.max_bet, changed.jackpot_wins, changed.enabled) == ("0.50", None, True, True)
    assert await db.fetchval("select changed_ms from games") == NOW_MS + 5
    assert (await shelf.games.set(game.game_id, min_bet=None)).min_bet is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"enabled": None}, "true or false"),
        ({"enabled": "yes"}, "true or false"),
        ({"min_bet": "1e3"}, "1 to 15 digits"),
        ({"min_bet": "5", "max_bet": "4.99"}, "above"),
        ({"listed": True}, "not a setting of a game"),
        ({"name": "x"}, "not a setting of a game"),
    ],
)
async def test_a_game_is_not_set_to_nonsense(shelf: Shelf, changes: dict[str, bool | str | None], says: str) -> None:
    await take(shelf, listing("a"))
    game = (await by_ref(shelf))["a"]
    with pytest.raises(BadProfile, match=says):
        await shelf.games.set(game.game_id, **changes)
    assert await shelf.games.get(game.game_id) == game


async def test_what_is_not_there_is_neither_set_nor_switched(db: Db, shelf: Shelf) -> None:
    await take(shelf, listing("a"))
    game = (await by_ref(shelf))["a"]
    casino, _ = await make_casinos(db).add("Rialto", "https://x.example", ["EUR"])
    with pytest.raises(GameUnknown):
        await shelf.games.set(game.game_id + 1, enabled=True)
    with pytest.raises(GameUnknown):
        await shelf.games.switch(casino.casino_id, game.game_id + 1, False)
    with pytest.raises(GameUnknown):
        await shelf.games.switch(casino.casino_id + 1, game.game_id, False)
    await shelf.games.switch(casino.casino_id, game.game_id, False)
    assert await shelf.games.switched_off() == {game.game_id: [casino.casino_id]}
    await shelf.games.switch(casino.casino_id, game.game_id, True)
    assert await db.fetchval("select enabled from casino_games")
    assert await shelf.games.switched_off() == {}


def test_what_is_set_in_words_is_typed_and_all_that_is_wrong_is_named() -> None:
    told = {"enabled": "off", "jackpot_wins": " yes", "min_bet": "0.50", "max_bet": "none"}
    assert changes_from_text(told) == {"enabled": False, "jackpot_wins": True, "min_bet": "0.50", "max_bet": None}
    with pytest.raises(BadProfile) as caught:
        changes_from_text({"enabled": "perhaps", "min_bet": "1e3", "odd": "1"})
    assert len(caught.value.problems) == 3
