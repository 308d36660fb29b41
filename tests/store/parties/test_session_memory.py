"""store.parties.session_memory, on a real database: what is forgotten when, and when nothing is believed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from croupier.core.commands import GameListing
from croupier.core.protection import PlayLimits
from croupier.core.session import Session
from croupier.store.db import Db, DbDown
from croupier.store.parties import session_memory
from croupier.store.parties.exclusions import Exclusions
from croupier.store.parties.games import Games
from croupier.store.parties.players import Players
from croupier.store.parties.session_memory import BELIEVED_S, FOLLOW_S, KEPT_S, SessionMemory
from croupier.store.parties.sessions import Sessions
from tests.store.cast import NOW_MS, SEALER, Cast, HandClock, another_session, make_cast


@dataclass
class Worker:
    """A process that remembers, with the stores through which it changes things itself."""

    db: Db
    clock: HandClock
    cast: Cast

    def __post_init__(self) -> None:
        self.memory = SessionMemory(self.db, self.clock.monotonic_s)
        self.sessions = Sessions(self.db, self.memory)
        self.games = Games(self.db, self.clock, memory=self.memory)
        self.players = Players(self.db, SEALER, self.clock, memory=self.memory)
        self.exclusions = Exclusions(self.db, self.clock, memory=self.memory)

    async def knows(self, session_id: str = "s-1") -> Session:
        """Follow, read the session, and have it at hand."""
        await self.memory.follow()
        read = await self.sessions.get(session_id)
        assert read is not None
        assert self.sessions.at_hand(session_id) == read
        return read


@pytest.fixture
async def worker(db: Db) -> Worker:
    return Worker(db, HandClock(), await make_cast(db))


async def ended(by: Worker) -> None:
    told = {"now_ms": NOW_MS + 5, "author": "mia", "reason": "closed"}
    assert await by.sessions.end(by.cast.casino.casino_id, "s-1", **told)  # type: ignore[arg-type] # a dict


async def excluded(by: Worker) -> None:
    assert await by.exclusions.exclude(by.cast.player.player_id, NOW_MS + 9_000, reason="a wish", author="mia") == 1


async def readmitted(by: Worker) -> None:
    await by.exclusions.readmit(by.cast.player.player_id, reason="a wish", author="mia")


async def limited(by: Worker) -> None:
    await by.exclusions.limit(by.cast.player.player_id, PlayLimits(max_bet=5))


async def blocked(by: Worker) -> None:
    await by.players.block(by.cast.player.player_id, True, reason="a wish", author="mia")


async def game_set(by: Worker) -> None:
    await by.games.set(by.cast.game.game_id, max_bet="9.99")


async def game_off(by: Worker) -> None:
    await by.games.switch(by.cast.casino.casino_id, by.cast.game.game_id, False)


async def game_off_in_currency(by: Worker) -> None:
    await by.games.switch(None, by.cast.game.game_id, False, currency="EUR")


async def unlisted(by: Worker) -> None:
    await by.games.take_listing(by.cast.provider.provider_id, [], enabled_for_new=True)


CHANGES = [ended, excluded, readmitted, limited, blocked, game_set, game_off, game_off_in_currency, unlisted]
"""Everything that changes what a session says, by the programs. `readmitted` changes nothing here, and may be forgotten."""


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_holds_at_once_in_the_process_that_made_it(
    worker: Worker, change: Callable[[Worker], Awaitable[None]]
) -> None:
    await worker.knows()
    await change(worker)
    assert worker.sessions.at_hand("s-1") is None
    assert await worker.sessions.get("s-1") == worker.sessions.at_hand("s-1")


@pytest.mark.parametrize("change", [c for c in CHANGES if c is not readmitted])
async def test_a_change_by_another_process_holds_from_the_next_look(
    worker: Worker, change: Callable[[Worker], Awaitable[None]]
) -> None:
    before = await worker.knows()
    await change(Worker(worker.db, HandClock(), worker.cast))
    assert worker.sessions.at_hand("s-1") == before, "until it looks, and for less than a second"
    await worker.memory.follow()
    assert worker.sessions.at_hand("s-1") is None
    assert await worker.sessions.get("s-1") != before


BY_HAND = [
    "update sessions set expires_ms = 5",
    "update players set country = 'XX'",
    "update games set min_bet = '2'",
    "insert into casino_games (casino_id, game_id, enabled) select casino_id, game_id, false from sessions",
    "update casino_games set enabled = false",
    "delete from casino_games",
    "insert into game_switches (game_id, currency) select game_id, 'EUR' from sessions",
    "update game_switches set currency = 'EUR'",
    "delete from game_switches",
    "delete from sessions",
]


@pytest.mark.parametrize("sql", BY_HAND)
async def test_what_a_person_changes_by_hand_is_seen_too(worker: Worker, sql: str) -> None:
    await worker.db.execute(
        "insert into casino_games (casino_id, game_id, enabled) select casino_id, game_id, true from sessions"
        if "insert" not in sql
        else "delete from casino_games"
    )
    await worker.db.execute("insert into game_switches (game_id, currency) select game_id, 'JPY' from sessions")
    await worker.knows()
    assert await worker.db.execute(sql) == 1
    await worker.memory.follow()
    assert worker.sessions.at_hand("s-1") is None


async def test_what_says_nothing_new_is_no_change(worker: Worker) -> None:
    """A launch registers its player each time, and a listing says what it said."""
    await worker.knows()
    other = Worker(worker.db, HandClock(), worker.cast)
    await other.players.register(worker.cast.casino.casino_id, "anna", "EUR")
    listing = GameListing(worker.cast.game.game_ref, "Lucky Seven", "slots")
    await other.games.take_listing(worker.cast.provider.provider_id, [listing], enabled_for_new=True)
    await worker.memory.follow()
    assert worker.sessions.at_hand("s-1") is not None


async def test_only_those_are_forgotten_whom_the_change_is_about(worker: Worker) -> None:
    await another_session(worker.db, worker.cast, "s-2", player_ref="ben")
    await worker.knows()
    await worker.knows("s-2")
    await blocked(Worker(worker.db, HandClock(), worker.cast))
    await worker.memory.follow()
    assert worker.sessions.at_hand("s-1") is None
    assert worker.sessions.at_hand("s-2") is not None


async def test_nothing_is_believed_before_the_first_look(worker: Worker) -> None:
    assert await worker.sessions.get("s-1") is not None
    assert worker.sessions.at_hand("s-1") is None
    await worker.memory.follow()
    assert worker.sessions.at_hand("s-1") is None, "it may have changed between the read and the look"


async def test_nothing_is_believed_when_a_look_is_late(worker: Worker) -> None:
    assert FOLLOW_S < BELIEVED_S < 1
    await worker.knows()
    worker.clock.ms += round(BELIEVED_S * 1000) - 1
    assert worker.sessions.at_hand("s-1") is not None
    worker.clock.ms += 1
    assert worker.sessions.at_hand("s-1") is None
    await worker.memory.follow()
    assert worker.sessions.at_hand("s-1") is not None, "the late look says that nothing changed"


async def test_nothing_is_believed_when_looks_fail(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    await worker.knows()

    async def down(*_: object) -> None:
        raise DbDown("gone")

    monkeypatch.setattr(worker.db, "fetch", down)
    worker.clock.ms += round(BELIEVED_S * 1000)
    with pytest.raises(DbDown):
        await worker.memory.follow()
    assert worker.sessions.at_hand("s-1") is None


async def test_a_slow_look_counts_from_its_beginning(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    await worker.knows()
    fetch = worker.db.fetch

    async def slow(sql: str, *args: object) -> object:
        rows = await fetch(sql, *args)
        worker.clock.ms += round(BELIEVED_S * 1000)
        return rows

    monkeypatch.setattr(worker.db, "fetch", slow)
    await worker.memory.follow()
    assert worker.sessions.at_hand("s-1") is None


async def test_a_session_is_read_again_after_a_minute_whatever_is_said(worker: Worker) -> None:
    await worker.knows()
    for _ in range(round(KEPT_S / BELIEVED_S * 2)):
        worker.clock.ms += round(BELIEVED_S * 500)
        assert (worker.sessions.at_hand("s-1") is not None) == (worker.clock.ms < NOW_MS + KEPT_S * 1000)
        await worker.memory.follow()
    assert worker.sessions.at_hand("s-1") is None


async def test_a_read_that_was_under_way_at_a_change_is_not_kept(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await worker.memory.follow()
    batch_fetch = worker.db.batch_fetch

    async def then_changed(sql: str, *args: object) -> object:
        rows = await batch_fetch(sql, *args)
        await blocked(Worker(worker.db, HandClock(), worker.cast))
        await worker.memory.follow()
        return rows

    monkeypatch.setattr(worker.db, "batch_fetch", then_changed)
    assert await worker.sessions.get("s-1") == worker.cast.session
    assert worker.sessions.at_hand("s-1") is None


async def test_a_change_that_commits_after_later_ones_is_not_missed(worker: Worker) -> None:
    """Its row has a smaller number than those that the look before has seen."""
    async with worker.db.transaction() as tx:
        await tx.execute("update players set blocked = true")
        await worker.db.execute("update games set min_bet = min_bet")
        await worker.knows()
        await worker.knows()
    await worker.memory.follow()
    assert worker.sessions.at_hand("s-1") is None


async def test_a_change_is_forgotten_once_however_long_others_take(worker: Worker) -> None:
    """A transaction of anybody, of another database too, keeps the reader from going on. What it saw it does not see anew."""
    async with worker.db.transaction() as tx:
        await tx.fetchval("select pg_current_xact_id()::text")
        await worker.memory.follow()
        await blocked(Worker(worker.db, HandClock(), worker.cast))
        await worker.knows()
        await worker.memory.follow()
        assert worker.sessions.at_hand("s-1") is not None
        await limited(Worker(worker.db, HandClock(), worker.cast))
        await worker.memory.follow()
        assert worker.sessions.at_hand("s-1") is None


async def _looked_and_purged(worker: Worker, other: SessionMemory) -> None:
    """Half a minute of another process, in which some transaction ran."""
    await worker.db.fetchval("select pg_current_xact_id()::text")
    await other.follow()
    await other.purge()


async def test_who_missed_rows_that_are_deleted_forgets_everything(worker: Worker) -> None:
    await worker.knows()
    await blocked(Worker(worker.db, HandClock(), worker.cast))
    other = SessionMemory(worker.db)
    left: list[tuple[Any, ...]] = []
    async with asyncio.timeout(20):  # a transaction of another test on this server holds the purge up
        while left != [(None, None, None)]:
            await _looked_and_purged(worker, other)
            rows = await worker.db.fetch("select player_id, session_id, game_id from session_changes")
            left = [tuple(row) for row in rows]
    await worker.memory.follow()
    assert worker.sessions.at_hand("s-1") is None


async def test_who_missed_nothing_forgets_nothing(worker: Worker) -> None:
    await blocked(Worker(worker.db, HandClock(), worker.cast))
    other = SessionMemory(worker.db)
    await _looked_and_purged(worker, other)
    await worker.knows()
    await _looked_and_purged(worker, other)
    await worker.memory.follow()
    assert worker.sessions.at_hand("s-1") is not None


async def test_a_server_that_has_come_less_far_is_another_one(worker: Worker) -> None:
    await worker.knows()
    worker.memory._from_xid += 1_000_000
    await worker.memory.follow()
    assert worker.sessions.at_hand("s-1") is None


async def test_rows_of_another_server_say_nothing_and_go(worker: Worker) -> None:
    await worker.db.execute("insert into session_changes (xid) values (9000000000000)")
    await worker.knows()
    await worker.memory.follow()
    assert worker.sessions.at_hand("s-1") is not None
    other = SessionMemory(worker.db)
    async with asyncio.timeout(20):  # as above
        while await worker.db.fetchval("select count(*) from session_changes where xid = 9000000000000"):
            await _looked_and_purged(worker, other)


async def test_the_memory_is_bounded(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_memory, "MOST", 2)
    await worker.knows()
    begun = worker.memory.mark()
    worker.memory.keep({name: replace(worker.cast.session, session_id=name) for name in ("b", "c")}, begun)
    assert [worker.sessions.at_hand(key) is not None for key in ("s-1", "b", "c")] == [False, True, True]


async def test_what_does_not_exist_is_not_remembered(worker: Worker) -> None:
    await worker.memory.follow()
    assert await worker.sessions.get("nobody") is None
    found = await asyncio.gather(*(worker.sessions.get("s-1") for _ in range(3)))
    assert found == [worker.cast.session] * 3
    assert [worker.sessions.at_hand(key) for key in ("nobody", "", "\0", "s-1\0")] == [None] * 4
