"""store.group commit: one group commit that is held up by a row, a backend or a line holds up no decision but its own."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import pytest

from croupier.core import bet_requests
from croupier.core.bet import Bet
from croupier.core.draft import Decision, Draft
from croupier.flows.advance import terms_of
from croupier.kit.clock import SystemClock
from croupier.kit.metrics import Metrics
from croupier.store.db import Db, DbDown, DbLocked, DbUnfit, Limits
from croupier.store.embedded.directory import SOCKET
from croupier.store.embedded.server import Attached
from croupier.store.money import group_commit as module
from croupier.store.money.group_commit import GroupCommit
from tests.chaos.proxy import Cable
from tests.core.samples import new_bet
from tests.flows.desk import Desk, make_desk

SHORT = Limits(pinned_s=1.0, lock_s=0.2, statement_s=1.0)


@pytest.fixture
async def desk(db: Db) -> Desk:
    return await make_desk(db)


def train_on(db: Db, name: str = "p") -> GroupCommit:
    return GroupCommit(db, SystemClock(), name, metrics=Metrics())


@asynccontextmanager
async def other_session(database_url: str, *statements: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody who runs these in a transaction and keeps it open."""
    other = await asyncpg.connect(database_url)
    try:
        await other.execute("begin")
        for statement in statements:
            await other.execute(statement)
        yield other
    finally:
        await other.close()


async def birth(desk: Desk, bet_id: int, bet_ref: str) -> Decision[Bet]:
    cast = desk.cast
    born = new_bet(
        bet_id=bet_id, bet_ref=bet_ref, casino_id=cast.casino.casino_id, session_id=cast.session.session_id,
        provider_id=cast.provider.provider_id, player_id=cast.player.player_id, game_id=cast.game.game_id,
        player_ref=cast.player.player_ref,
    )  # fmt: skip
    return bet_requests.open_bet(born, await terms_of(desk.hub, born))


async def touched(desk: Desk, bet: Bet) -> Decision[Bet]:
    """Any decision about a bet that is there."""
    draft: Draft[Bet] = Draft(bet, await terms_of(desk.hub, bet))
    draft.subject = replace(draft.subject, waiting_until_ms=5)
    return draft.finish("touched")


async def took(work: Any) -> tuple[float, Any]:
    """How long it took, and how it ended: whether the decision was written, or the error."""
    began = time.monotonic()
    (ended,) = await asyncio.gather(work, return_exceptions=True)
    return time.monotonic() - began, ended if isinstance(ended, BaseException) else ended is not None


async def test_two_trains_with_the_same_bets_under_other_numbers_do_not_deadlock(
    desk: Desk, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same providers' betIds reach two processes in opposite orders: each gives them numbers of its own."""
    patient = await Db.connect(database_url, limits=Limits(lock_s=20, pinned_s=30))
    conflicts: list[Exception] = []
    real = patient.commit_group

    async def noted(sql: str, *args: object) -> Any:
        try:
            return await real(sql, *args)
        except Exception as error:
            conflicts.append(error)
            raise

    monkeypatch.setattr(patient, "commit_group", noted)
    refs = ["x", "middle", "y"]
    one = [await birth(desk, 2000 + n, ref) for n, ref in enumerate(refs)]
    two = [await birth(desk, 3000 + n, ref) for n, ref in enumerate(reversed(refs))]
    holds = (
        'insert into bets select (jsonb_populate_record(b, \'{"bet_id": 1, "bet_ref": "middle"}\')).* from bets b'
        " where bet_ref = 'b-1001'"
    )
    await desk.bet()
    async with other_session(database_url, holds) as other:
        groups = train_on(patient, "p1"), train_on(patient, "p2")
        all_of_them = [
            group_commit.commit(d)
            for group_commit, d in [*((groups[0], d) for d in one), *((groups[1], d) for d in two)]
        ]
        done = asyncio.gather(*all_of_them)
        while await desk.db.fetchval("select count(*) from pg_locks where not granted") < 2:
            await asyncio.sleep(0.01)
        await other.execute("rollback")
        won = await done
    assert sum(decision is not None for decision in won) == 3
    assert conflicts == []
    await patient.close()


@pytest.mark.slow
async def test_a_locked_row_holds_up_its_own_decision_and_no_other(desk: Desk, database_url: str) -> None:
    db = await Db.connect(database_url, limits=SHORT)
    group_commit, bets = train_on(db), [await desk.bet(1001 + n) for n in range(6)]
    decisions = [await touched(desk, bet) for bet in bets]
    async with other_session(database_url, "select * from bets where bet_id = 1003 for update"):
        ends = await asyncio.gather(*(took(group_commit.commit(d)) for d in decisions))
        locked = ends.pop(2)
        assert isinstance(locked[1], DbLocked)
        assert 1.0 < locked[0] < module.ASIDE_S + 1.5
        assert [won for _, won in ends] == [True] * 5
        assert max(seconds for seconds, _ in ends) < 1.5
        later = await took(group_commit.commit(await birth(desk, 5000, "later")))
        assert later[1] is True
        assert later[0] < 0.7
    assert (await desk.again(bets[2])).version == bets[2].version, "a refusal to decide has written nothing"
    assert await group_commit.commit(decisions[2]), "and it can be decided once the row is free"
    await db.close()


@pytest.mark.parametrize("table", ["calls", "payments"])
async def test_a_row_beneath_a_bet_may_be_the_locked_one(desk: Desk, database_url: str, table: str) -> None:
    db = await Db.connect(database_url, limits=SHORT)
    group_commit, bets = train_on(db), [await desk.bet(1001 + n) for n in range(3)]
    async with other_session(database_url, f"select * from {table} where subject_id = 1002 for update"):
        held = await group_commit._held(
            [module._Item(await touched(desk, b), "m", asyncio.Future(), 0.0) for b in bets], module.BETS
        )
    assert [item.decision.after.bet_id for item in held] == [1002]
    await db.close()


@pytest.mark.slow
async def test_a_row_that_is_free_again_in_time_is_decided(desk: Desk, database_url: str) -> None:
    db = await Db.connect(database_url, limits=SHORT)
    group_commit, bet = train_on(db), await desk.bet()
    async with other_session(database_url, "select * from bets for update"):
        committing = asyncio.create_task(group_commit.commit(await touched(desk, bet)))
        await asyncio.sleep(0.6)
    assert await committing is not None
    await db.close()


@pytest.mark.slow
async def test_a_birth_that_another_session_has_not_committed_holds_up_no_other_birth(
    desk: Desk, database_url: str
) -> None:
    db = await Db.connect(database_url, limits=SHORT)
    group_commit = train_on(db)
    await desk.bet()
    holds = 'insert into bets select (jsonb_populate_record(b, \'{"bet_id": 1, "bet_ref": "n-2"}\')).* from bets b'
    births = [await birth(desk, 4000 + n, f"n-{n}") for n in range(6)]
    async with other_session(database_url, holds):
        ends = await asyncio.gather(*(took(group_commit.commit(d)) for d in births))
    assert isinstance(ends[2][1], DbLocked)
    assert [won for _, won in ends[:2] + ends[3:]] == [True] * 5
    assert max(seconds for seconds, _ in ends[:2] + ends[3:]) < 2.0
    await db.close()


@pytest.mark.slow
async def test_a_frozen_backend_costs_its_own_train_alone(desk: Desk, database_url: str) -> None:
    """A commit that stalls: what left with it is looked up, what came after it left beside it."""
    db = await Db.connect(database_url, limits=SHORT)
    group_commit = train_on(db)
    pid = (await db.batch_fetch("select pg_backend_pid()"))[0][0]
    os.kill(pid, signal.SIGSTOP)
    try:
        first = asyncio.create_task(took(group_commit.commit(await birth(desk, 5001, "frozen"))))
        await asyncio.sleep(0.1)
        assert (await took(group_commit.commit(await birth(desk, 5002, "other"))))[1] is True
        assert not first.done()
        assert group_commit.stuck_s() == 0.0
        seconds, won = await first
        assert seconds < 4.0
        assert won is False, "its mark is not there: it is decided anew, or not at all"
    finally:
        os.kill(pid, signal.SIGCONT)
    await db.close()


@pytest.mark.slow
async def test_a_silent_line_is_given_up_and_the_next_one_works(
    desk: Desk, postgres: Attached, database_url: str, tmp_path: Path
) -> None:
    """Half-open: what we send vanishes, and nobody says so. New connections reach the database."""
    cable = Cable("database", Path(postgres.host, SOCKET), Random(1))
    await cable.open(tmp_path / SOCKET)
    name = await desk.db.fetchval("select current_database()")
    db = await Db.connect({**postgres.connect_kwargs, "host": str(tmp_path), "database": name}, limits=SHORT)
    try:
        group_commit = train_on(db)
        assert await group_commit.commit(await birth(desk, 6001, "before"))
        standing = list(cable._pairs)
        cable.turn("half-open-there")
        began = time.monotonic()
        lost = asyncio.create_task(took(group_commit.commit(await birth(desk, 6002, "lost"))))
        await asyncio.sleep(0.2)
        for pair in standing:
            pair.lost = False
        cable.dial = type(cable.dial)()
        seconds, _ = await lost
        assert seconds < 4.0
        assert await group_commit.commit(await birth(desk, 6003, "after"))
        assert time.monotonic() - began < 6.0
        assert await db.fetchval("select 1") == 1
    finally:
        await cable.close()
        await db.close()


async def test_what_the_database_refuses_altogether_was_not_written(desk: Desk, database_url: str) -> None:
    """A full disk, a right that was taken away: nothing is looked up, nothing is in doubt."""
    group_commit = train_on(desk.db)
    full = (
        "create function full_() returns trigger language plpgsql as $$ begin"
        " raise exception 'no space left' using errcode = '53100'; end $$;"
        "create trigger full_ before insert on bets for each statement execute function full_()"
    )
    await desk.db.execute(full)
    ends = await asyncio.gather(
        *[group_commit.commit(await birth(desk, 7000 + n, f"f-{n}")) for n in range(3)], return_exceptions=True
    )
    assert [type(end) for end in ends] == [DbUnfit] * 3


async def test_after_a_lost_connection_a_rival_of_the_same_version_is_not_ours(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both decided on the bet as it was, so both are its next version: only the mark tells whose it became."""
    bet = await desk.bet()
    ours, rivals = await touched(desk, bet), await touched(desk, bet)
    assert ours.after.version == rivals.after.version
    assert await train_on(desk.db, "rival").commit(rivals)

    async def lost(*_: object) -> Any:
        raise DbDown

    monkeypatch.setattr(desk.db, "commit_group", lost)
    assert await train_on(desk.db, "ours").commit(ours) is None


async def test_after_a_lost_connection_our_own_mark_says_that_it_was_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, real = await touched(desk, await desk.bet()), desk.db.commit_group

    async def lost_after_it(sql: str, *args: object) -> Any:
        await real(sql, *args)
        raise DbDown

    monkeypatch.setattr(desk.db, "commit_group", lost_after_it)
    assert await train_on(desk.db, "ours").commit(ours) == ours


async def test_a_process_that_dies_writes_nothing_any_more(desk: Desk) -> None:
    group_commit = train_on(desk.db)
    committing = asyncio.create_task(group_commit.commit(await birth(desk, 8000, "dead")))
    await asyncio.sleep(0)
    group_commit.die()
    with suppress(TimeoutError):
        await asyncio.wait_for(committing, 0.2)
    assert await desk.hub.store.bets.by_id(8000) is None
