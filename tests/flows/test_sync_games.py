"""A catalogue is taken as it is listed; what could not be read of it makes no known game vanish."""

from __future__ import annotations

import pytest
import structlog

from croupier.core.commands import Catalogue, GameListing
from croupier.core.counterparty import Provider
from croupier.flows.sync_games import sync_games
from croupier.kit.wire import PeerError
from tests.flows.desk import Desk


class Studio:
    """A provider that lists what it is told to; everything else of a gateway is asked by nobody here."""

    def __init__(self, lists: Catalogue | PeerError) -> None:
        self.lists = lists
        self.secrets: list[str] = []

    async def catalogue(self, _: Provider, secret: str) -> Catalogue:
        self.secrets.append(secret)
        if isinstance(self.lists, PeerError):
            raise self.lists
        return self.lists


def listing(*refs: str) -> tuple[GameListing, ...]:
    return tuple(GameListing(ref, ref.title(), "slots") for ref in refs)


async def listed(desk: Desk) -> dict[str, bool]:
    return {game.game_ref: game.listed for game in await desk.hub.store.games.all(desk.cast.provider.provider_id)}


async def sync(desk: Desk, lists: Catalogue | PeerError) -> tuple[int, int]:
    studio = Studio(lists)
    desk.hub.provider_gateways = {desk.cast.provider.protocol: studio}  # type: ignore[dict-item]
    counts = await sync_games(desk.hub, desk.cast.provider)
    assert studio.secrets == [(await desk.hub.store.providers.secrets(desk.cast.provider.provider_id))[0]]
    return counts.new, counts.vanished


async def test_what_is_new_arrives_and_what_is_not_listed_any_more_vanishes(desk: Desk) -> None:
    assert await sync(desk, Catalogue(listing("owl", "fox"))) == (2, 1)
    assert await listed(desk) == {"lucky-7": False, "owl": True, "fox": True}


async def test_elements_that_were_skipped_keep_every_known_game_listed_and_are_logged(desk: Desk) -> None:
    skipped = tuple(f"game {n}: no name" for n in range(7))
    with structlog.testing.capture_logs() as lines:
        assert await sync(desk, Catalogue(listing("owl"), skipped)) == (1, 0)
    assert await listed(desk) == {"lucky-7": True, "owl": True}
    (line,) = [line for line in lines if line["event"] == "games.skipped"]
    assert (line["provider"], line["count"], line["first"]) == (desk.cast.provider.name, 7, skipped[:5])


async def test_skipped_elements_bring_no_vanished_game_back(desk: Desk) -> None:
    await sync(desk, Catalogue(listing("owl")))
    await sync(desk, Catalogue(listing("fox"), ("the second: no gameId",)))
    assert await listed(desk) == {"lucky-7": False, "owl": True, "fox": True}


async def test_a_provider_without_an_answer_changes_nothing(desk: Desk) -> None:
    with pytest.raises(PeerError):
        await sync(desk, PeerError("timed out"))
    assert await listed(desk) == {"lucky-7": True}
