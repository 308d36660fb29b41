"""store.sessions, on a real database."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from croupier.core.commands import GameListing
from croupier.store.db import Db, DbViolation
from croupier.store.parties.games import Games
from croupier.store.parties.players import Players
from croupier.store.parties.sessions import Sessions
from tests.store.cast import SEALER, HandClock, another_session, make_cast


async def test_a_session_comes_back_as_it_was_opened(db: Db) -> None:
    cast, sessions = await make_cast(db), Sessions(db)
    assert await sessions.get("s-1") == cast.session
    bare = replace(cast.session, session_id="s-2", tag_id=None, demo=False)
    await sessions.open(bare)
    assert await sessions.get("s-2") == bare


async def test_a_session_id_is_used_once(db: Db) -> None:
    cast = await make_cast(db)
    with pytest.raises(DbViolation):
        await Sessions(db).open(cast.session)


async def test_the_frame_is_kept_and_replaced(db: Db) -> None:
    cast, sessions = await make_cast(db), Sessions(db)
    assert await sessions.frame("s-1") == "https://reelwright.example/play"
    await another_session(db, cast, "s-2")
    assert await sessions.frame("s-2") is None
    await sessions.set_frame("s-2", "https://reelwright.example/2")
    assert await sessions.frame("s-2") == "https://reelwright.example/2"
    assert await sessions.frame("s-1") == "https://reelwright.example/play"
    assert await sessions.frame("nobody") is None
    assert await sessions.frame("\0") is None


async def test_what_other_tables_say_of_it_holds_at_the_next_read(db: Db) -> None:
    cast, sessions = await make_cast(db), Sessions(db)
    games, players = Games(db, HandClock()), Players(db, SEALER, HandClock())

    async def now() -> tuple[bool, bool, bool]:
        s = await sessions.get("s-1")
        assert s is not None
        return (s.blocked, s.game_open, s.jackpot_wins)

    game_id, casino_id = cast.game.game_id, cast.casino.casino_id
    assert await now() == (False, True, False)
    await players.block(cast.player.player_id, True, reason="a wish", author="mia")
    assert await now() == (True, True, False)
    await games.set(game_id, enabled=False, jackpot_wins=True)
    assert await now() == (True, False, True)
    await games.set(game_id, enabled=True)
    await games.switch(casino_id, game_id, False)
    assert await now() == (True, False, True)
    await games.switch(casino_id, game_id, True)
    assert await now() == (True, True, True)
    await games.take_listing(cast.provider.provider_id, [], enabled_for_new=True)
    assert await now() == (True, False, True)


async def test_a_switch_is_for_one_game_of_one_casino(db: Db) -> None:
    cast, sessions = await make_cast(db), Sessions(db)
    other_game = GameListing("other", "Other", "slots")
    games = Games(db, HandClock())
    await games.take_listing(
        cast.provider.provider_id, [other_game], enabled_for_new=True, skipped_refs=[cast.game.game_ref]
    )
    for game in await games.all():
        await games.switch(cast.casino.casino_id, game.game_id, game.game_ref != "other")
    await db.execute(
        "insert into casinos (name, protocol, url, currencies, secret, created_ms)"
        " values ('Lido', 'p', 'u', '{EUR}', '', 0)"
    )
    other = await db.fetchval("select casino_id from casinos where name = 'Lido'")
    await Games(db, HandClock()).switch(other, cast.game.game_id, False)
    assert await sessions.get("s-1") == cast.session


async def test_impossible_ids_are_nobodys_and_spoil_no_other_read(db: Db) -> None:
    cast, sessions = await make_cast(db), Sessions(db)
    asked = ["s-1", "", "s-1\0", "\ud800", "S-1", "s-1"]
    found = await asyncio.gather(*(sessions.get(key) for key in asked))
    assert found == [cast.session, None, None, None, None, cast.session]
