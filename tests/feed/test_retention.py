"""Old draws are deleted: never one that has not ended, never the last finished one of a type, in batches, and none comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from croupier.feed import retention
from croupier.feed.retention import forget_old_draws
from croupier.flows.deletion import DAY_MS
from croupier.store.db import Db, DbViolation
from tests.flows.desk import Desk, make_desk
from tests.flows.feed_line import FeedLine, draw, feed_line, finished
from tests.store.cast import NOW_MS

KEEP_DAYS = 30
LATER_MS = (KEEP_DAYS + 1) * DAY_MS


@pytest.fixture
async def desk(db: Db) -> AsyncIterator[Desk]:
    """The hub's app, asked without a network."""
    made = await make_desk(db)
    yield made
    await made.line.close()


@pytest.fixture
async def line(desk: Desk) -> FeedLine:
    return await feed_line(desk)


def cancelled(**what: Any) -> dict[str, Any]:
    return draw(**{"version": 2, "state": 5, "playState": 2, **what})


async def editions(desk: Desk) -> list[int]:
    return [row["edition"] for row in await desk.db.fetch("select edition from draws order by edition")]


async def versions(desk: Desk) -> int:
    return int(await desk.db.fetchval("select count(*) from draw_versions"))


async def test_what_ended_long_ago_goes_and_what_is_needed_stays(desk: Desk, line: FeedLine) -> None:
    ended = [finished(gameEdition=edition) for edition in (501, 502)]
    assert (
        await line.code(*ended, cancelled(gameEdition=503), draw(gameEdition=504), draw(gameEdition=505, state=4)) == 1
    )
    assert await forget_old_draws(desk.hub, KEEP_DAYS) == 0, "nothing is old yet"
    desk.clock.ms += LATER_MS
    assert await forget_old_draws(desk.hub, KEEP_DAYS) == 2
    assert await editions(desk) == [502, 504, 505], "the last finished one, one that runs, and one under review"
    assert await versions(desk) == 3
    assert await forget_old_draws(desk.hub, KEEP_DAYS) == 0


async def test_each_game_type_keeps_its_own_last_finished_draw(desk: Desk, line: FeedLine) -> None:
    assert await line.code(*(finished(gameType=t, gameEdition=e) for t in (3, 23) for e in (1, 2))) == 1
    desk.clock.ms += LATER_MS
    assert await forget_old_draws(desk.hub, KEEP_DAYS) == 2
    rows = await desk.db.fetch("select game_type, edition from draws order by 1")
    assert [(row["game_type"], row["edition"]) for row in rows] == [(3, 2), (23, 2)]


async def test_a_draw_that_was_deleted_does_not_come_back(desk: Desk, line: FeedLine) -> None:
    """Neither as the repeat that it is, nor as a draw that begins anew."""
    assert await line.code(finished()) == 1
    assert await line.code(finished(gameEdition=502)) == 1
    desk.clock.ms += LATER_MS
    assert await forget_old_draws(desk.hub, KEEP_DAYS) == 1
    for again in (finished(), finished(version=1), draw(), draw(version=9)):
        _, told = await line.send([again])
        assert told["_responseCode"] == 7
    now_ms = desk.clock.ms
    assert await line.code(finished(gameEdition=502, version=4, proof={"seed": "ab"})) == 1, "one that is known goes on"
    assert await line.code(draw(gameEdition=503, startsAt=now_ms, bettingEndsAt=now_ms + 1)) == 1


async def test_a_draw_that_starts_in_the_far_future_closes_no_game_type(desk: Desk, line: FeedLine) -> None:
    far_ms = NOW_MS + 1000 * DAY_MS
    assert await line.code(cancelled(startsAt=far_ms, bettingEndsAt=far_ms), finished(gameEdition=502)) == 1
    desk.clock.ms += LATER_MS
    assert await forget_old_draws(desk.hub, KEEP_DAYS) == 0
    now_ms = desk.clock.ms
    assert await line.code(draw(gameEdition=503, startsAt=now_ms, bettingEndsAt=now_ms + 1)) == 1


async def test_it_goes_in_batches_and_another_process_waits_for_the_lease(
    desk: Desk, line: FeedLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("croupier.flows.deletion.BATCH", 4)
    monkeypatch.setattr(retention, "MOST_BATCHES", 2)
    assert await line.code(*(finished(gameEdition=edition) for edition in range(1, 12))) == 1
    desk.clock.ms += LATER_MS
    assert await desk.hub.store.singleton_leases.take("feed retention", "another", retention.LEASE_S)
    assert await forget_old_draws(desk.hub, KEEP_DAYS) == 0
    desk.clock.ms += 1000 * retention.LEASE_S
    assert [await forget_old_draws(desk.hub, KEEP_DAYS) for _ in range(3)] == [8, 2, 0]
    assert await editions(desk) == [11]


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "sql",
    [
        "delete from draws where edition = 502",
        "delete from draws where edition = 503",
        "delete from draws",
        "truncate draws cascade",
        "delete from draw_versions",
        "update draw_versions set version = version + 1",
        "update game_types set forgotten_ms = 9e15; delete from draws where edition in (501, 502)",
        "update game_types set forgotten_ms = 9e15; delete from draws where edition = 503",
        "update game_types set forgotten_ms = 9e15; "
        "insert into draws (game_type, edition, version, state, play_state, round, starts_ms, betting_ends_ms, proof) "
        "values (23, 9, 1, 1, 1, 0, 1, 1, '{}')",
    ],
)
async def test_the_database_itself_deletes_nothing_that_is_needed(desk: Desk, line: FeedLine, sql: str) -> None:
    """501 is finished and not the last one, 502 is the last one, 503 runs."""
    assert await line.code(finished(), finished(gameEdition=502), draw(gameEdition=503)) == 1
    with pytest.raises(DbViolation):
        async with desk.db.transaction() as tx:
            for statement in sql.split("; "):
                await tx.execute(statement)
    assert await editions(desk) == [501, 502, 503]
