"""What a provider's list changes is stored, waits where a person reviews it, and can be undone for good. Contract: provider.md 3.1."""

from __future__ import annotations

import pytest

from croupier.core.commands import GameListing
from croupier.store.db import Db
from croupier.store.parties.games import Games
from croupier.store.parties.listings import CatalogueDiffs, Counts, DiffUnknown
from tests.store.cast import HandClock, make_providers

OWL, FOX = GameListing("owl", "Night Owl", "slots"), GameListing("fox", "Fox", "table")


class Shelf:
    """One provider's games and the differences of its lists."""

    def __init__(self, db: Db, provider_id: int) -> None:
        self.games = Games(db, HandClock())
        self.diffs = CatalogueDiffs(db, HandClock())
        self.provider_id = provider_id

    async def take(self, *listings: GameListing, review: bool = False) -> Counts:
        return await self.games.take_listing(self.provider_id, listings, enabled_for_new=True, review=review)

    async def listed(self) -> dict[str, str]:
        return {game.game_ref: game.name for game in await self.games.all(self.provider_id) if game.listed}

    async def latest(self) -> tuple[int, str]:
        found = (await self.diffs.latest(provider_ids=(self.provider_id,)))[0]
        return found.diff_id, found.state


@pytest.fixture
async def shelf(db: Db) -> Shelf:
    provider, _ = await make_providers(db).add("Reelwright", "https://reelwright.example")
    return Shelf(db, provider.provider_id)


async def test_a_difference_is_stored_and_undone_and_does_not_come_back(shelf: Shelf) -> None:
    await shelf.take(OWL, FOX)
    assert await shelf.take(GameListing("owl", "Owl 2", "slots")) == Counts(changed=1, vanished=1)
    number, state = await shelf.latest()
    assert state == "applied"
    (diff,) = await shelf.diffs.latest(diff_id=number)
    assert {c.game_ref: (c.before is None, c.after is None) for c in diff.changes} == {
        "owl": (False, False),
        "fox": (False, True),
    }
    assert await shelf.diffs.undo(number, author="eve") == (2, [])
    assert await shelf.listed() == {"owl": "Night Owl", "fox": "Fox"}
    assert await shelf.take(GameListing("owl", "Owl 2", "slots")) == Counts(), "the same list says nothing new"
    assert await shelf.listed() == {"owl": "Night Owl", "fox": "Fox"}
    assert await shelf.take(GameListing("owl", "Owl 3", "slots")) == Counts(changed=1), "another word is news"
    assert await shelf.listed() == {"owl": "Owl 3", "fox": "Fox"}
    with pytest.raises(DiffUnknown):
        await shelf.diffs.undo(number, author="eve")


async def test_what_was_undone_can_be_applied_again(shelf: Shelf) -> None:
    await shelf.take(OWL, FOX)
    await shelf.take(OWL)
    number, _ = await shelf.latest()
    await shelf.diffs.undo(number, author="eve")
    assert await shelf.diffs.apply(number, author="eve") == 1
    assert await shelf.listed() == {"owl": "Night Owl"}
    assert await shelf.take(OWL, FOX) == Counts(changed=1)
    assert await shelf.take(OWL) == Counts(vanished=1), "an applied difference is forgotten as an undone one"


async def test_a_reviewed_list_waits_and_a_later_one_replaces_it(shelf: Shelf) -> None:
    await shelf.take(OWL)
    assert await shelf.take(OWL, FOX, review=True) == Counts(waiting=1)
    first, state = await shelf.latest()
    assert (state, await shelf.listed()) == ("waiting", {"owl": "Night Owl"})
    assert await shelf.take(FOX, review=True) == Counts(waiting=2)
    second, _ = await shelf.latest()
    with pytest.raises(DiffUnknown):
        await shelf.diffs.apply(first, author="eve")
    assert await shelf.diffs.apply(second, author="eve") == 2
    assert await shelf.listed() == {"fox": "Fox"}
    with pytest.raises(DiffUnknown):
        await shelf.diffs.apply(second, author="eve")


async def test_a_game_that_changed_since_stays_as_it_is(shelf: Shelf) -> None:
    await shelf.take(OWL, FOX)
    number, _ = await shelf.latest()
    await shelf.take(GameListing("owl", "Owl 2", "slots"), FOX)
    assert await shelf.diffs.undo(number, author="eve") == (1, ["owl"])
    assert await shelf.listed() == {"owl": "Owl 2"}


async def test_who_listed_and_who_undid_is_noted(shelf: Shelf, db: Db) -> None:
    await shelf.take(OWL)
    number, _ = await shelf.latest()
    await shelf.diffs.undo(number, author="eve")
    (diff,) = await shelf.diffs.latest(diff_id=number)
    assert (diff.author, diff.decided_by, diff.state) == ("the provider's list", "eve", "undone")
    rows = await db.fetch("select switch, value from switchings order by switching_id")
    assert [(row["switch"], row["value"]) for row in rows] == [("listed", "true"), ("listed", "false")]
