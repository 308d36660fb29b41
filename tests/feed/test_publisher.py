"""One publisher per game type: numbers rise by one across takeovers and restarts, changes show at once, a database that
is away leaves the last snapshot standing. Contract: feed.md 3.5.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from croupier.feed.publisher import EVERY_MS, Publisher
from croupier.feed.snapshot import Snapshot
from croupier.kit.metrics import Metrics
from croupier.store.db import Db, DbDown, DbViolation
from croupier.store.feed.streams import LEASE_MS, Streams
from tests.flows.desk import Desk, make_desk
from tests.flows.feed_line import FeedLine, draw, feed_line, finished
from tests.store.cast import NOW_MS


class Kept:
    """A channel that keeps what it is handed."""

    def __init__(self) -> None:
        self.all: list[Snapshot] = []
        self.hangs = False

    async def publish(self, snapshot: Snapshot) -> None:
        """Keep it, or hang."""
        if self.hangs:
            await asyncio.Event().wait()
        self.all.append(snapshot)

    def of(self, game_type: int) -> list[Snapshot]:
        return [snapshot for snapshot in self.all if snapshot.game_type == game_type]


class Post:
    """One process that publishes."""

    def __init__(self, desk: Desk, name: str, channel: Kept) -> None:
        self.streams = Streams(desk.db, desk.clock, name)
        self.metrics = Metrics()
        self.publisher = Publisher(self.streams, desk.clock, self.metrics, channel=channel)

    async def turn(self) -> None:
        await self.publisher.turn()


@pytest.fixture
async def desk(db: Db) -> AsyncIterator[Desk]:
    """The hub's app, asked without a network."""
    made = await make_desk(db)
    yield made
    await made.line.close()


@pytest.fixture
async def line(desk: Desk) -> FeedLine:
    return await feed_line(desk)


@pytest.fixture
def channel() -> Kept:
    return Kept()


async def test_every_half_second_a_snapshot_and_one_at_once_on_a_change(
    desk: Desk, line: FeedLine, channel: Kept
) -> None:
    post = Post(desk, "w-1", channel)
    await post.turn()
    assert [(s.game_type, s.sequence) for s in channel.all] == [(3, 0), (23, 0)]
    await post.turn()
    assert len(channel.all) == 2, "nothing is due"
    assert await line.code(draw()) == 1
    await post.turn()
    assert [(s.game_type, s.sequence) for s in channel.all[2:]] == [(23, 1)]
    desk.clock.ms += EVERY_MS
    await post.turn()
    assert [(s.game_type, s.sequence) for s in channel.all[3:]] == [(3, 1), (23, 2)]


async def test_a_snapshot_says_what_the_contract_says(desk: Desk, line: FeedLine, channel: Kept) -> None:
    done, begun = finished(gameEdition=500, proof={"seed": "ab"}), draw()
    assert await line.code(done, begun, draw(gameEdition=502, state=1, startsAt=NOW_MS + 60_000)) == 1
    await Post(desk, "w-1", channel).turn()
    (snapshot,) = channel.of(23)
    told = snapshot.argument
    assert {k: told[k] for k in ("sId", "tst", "im", "bt")} == {
        "sId": 0, "tst": "2025-10-09T08:53:20.000Z", "im": False, "bt": (NOW_MS + 10_000) // 1000,
    }  # fmt: skip
    assert [(one["ge"], one["s"], one["ps"]) for one in told["wgi"]] == [(502, 1, 1), (501, 2, 1), (500, 3, 2)]
    last = told["wgi"][2]
    assert {one["lrId"] for one in told["wgi"]} == {last["i"]}
    assert (last["t"], last["cr"], last["res"], last["proof"]) == (23, 0, [7, 12], {"seed": "ab"})
    assert (last["sdt"], last["edt"]) == ("2025-10-09T08:53:00.000Z", "2025-10-09T08:53:20.000Z")


async def test_maintenance_shows_at_once(desk: Desk, line: FeedLine, channel: Kept) -> None:
    post = Post(desk, "w-1", channel)
    await post.turn()
    assert await desk.hub.store.game_types.switch_maintenance(23, on=True)
    await post.turn()
    assert [one.argument["im"] for one in channel.of(23)] == [False, True]
    assert not await desk.hub.store.game_types.switch_maintenance(99, on=True)


async def test_one_of_two_publishes_and_the_other_goes_on_with_the_next_number(
    desk: Desk, line: FeedLine, channel: Kept
) -> None:
    first, second = Post(desk, "w-1", channel), Post(desk, "w-2", channel)
    for _ in range(4):
        await first.turn()
        await second.turn()
        desk.clock.ms += EVERY_MS
    assert [one.sequence for one in channel.of(23)] == [0, 1, 2, 3]
    desk.clock.ms += LEASE_MS  # the first one is killed
    await second.turn()
    assert [one.sequence for one in channel.of(23)] == [0, 1, 2, 3, 4]
    await first.turn()
    desk.clock.ms += EVERY_MS
    await second.turn()
    assert [one.sequence for one in channel.of(23)] == [0, 1, 2, 3, 4, 5], "who slept through its lease numbers nothing"


async def test_who_stops_gives_back_what_it_published(desk: Desk, line: FeedLine, channel: Kept) -> None:
    first, second = Post(desk, "w-1", channel), Post(desk, "w-2", channel)
    await first.turn()
    task = asyncio.create_task(first.publisher.run())
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await second.turn()
    numbers = [one.sequence for one in channel.of(23)]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= 2


async def test_a_restart_goes_on_with_the_numbers(desk: Desk, line: FeedLine, channel: Kept) -> None:
    for start in range(5):
        await Post(desk, f"w-{start}", channel).turn()
        desk.clock.ms += LEASE_MS + 1
    assert [one.sequence for one in channel.of(3)] == [0, 1, 2, 3, 4]


async def test_a_database_that_is_away_leaves_the_last_snapshot_standing(
    desk: Desk, line: FeedLine, channel: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is numbered meanwhile, the metric says how old the last one is, and the next number follows it."""
    post = Post(desk, "w-1", channel)
    await post.turn()

    async def away(*_: Any) -> Any:
        raise DbDown("away")

    with monkeypatch.context() as broken:
        broken.setattr(desk.db, "fetch", away)
        desk.clock.ms += EVERY_MS
        with pytest.raises(DbDown):
            await post.turn()
    assert len(channel.of(23)) == 1
    assert f'croupier_feed_snapshot_seconds{{game_type="23"}} {NOW_MS / 1000:.8e}'.split("e")[0] in (
        post.metrics.render().decode()
    )
    await post.turn()
    assert [one.sequence for one in channel.of(23)] == [0, 1]
    stored = await post.streams.latest()
    assert [(one.game_type, one.sequence) for one in stored] == [(3, 1), (23, 1)]


async def test_an_answer_that_was_lost_at_the_commit_loses_no_stream(
    desk: Desk, line: FeedLine, channel: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number was stored and the process does not know: it reads the number again and goes on."""
    post = Post(desk, "w-1", channel)
    real = post.streams.number

    async def lost(snapshots: Any, made_ms: int) -> set[int]:
        await real(snapshots, made_ms)
        raise DbDown("the answer was lost")

    with monkeypatch.context() as broken:
        broken.setattr(post.streams, "number", lost)
        with pytest.raises(DbDown):
            await post.turn()
    await post.turn()
    assert [one.sequence for one in channel.of(23)] == [1]


async def test_a_publisher_that_dies_between_storing_and_sending_leaves_a_number_out_and_its_successor_sends_at_once(
    desk: Desk, line: FeedLine, channel: Kept
) -> None:
    """Nobody sees the number, and nobody waits longer for what was in it than the lease: the next snapshot holds it."""
    first, second = Post(desk, "w-1", channel), Post(desk, "w-2", channel)
    await first.turn()
    assert await line.code(draw()) == 1
    channel.hangs = True
    dying = asyncio.create_task(first.turn())
    while (await first.streams.latest())[1].sequence < 1:
        await asyncio.sleep(0.01)
    dying.cancel()
    with suppress(asyncio.CancelledError):
        await dying
    channel.hangs = False
    desk.clock.ms += LEASE_MS
    await second.turn()
    assert [one.sequence for one in channel.of(23)] == [0, 2]
    assert [one["ge"] for one in channel.of(23)[-1].argument["wgi"]] == [501]


async def test_a_game_type_that_is_nobodys_any_more_is_let_go(desk: Desk, line: FeedLine, channel: Kept) -> None:
    post = Post(desk, "w-1", channel)
    await post.turn()
    await desk.hub.store.providers.change(line.provider_id, {"game_types": (23,)})
    desk.clock.ms += EVERY_MS
    await post.turn()
    assert [len(channel.of(3)), len(channel.of(23))] == [1, 2]


async def test_a_channel_that_hangs_keeps_no_publisher_from_its_next_snapshot(
    desk: Desk, line: FeedLine, channel: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("croupier.feed.publisher.SEND_S", 0.05)
    post = Post(desk, "w-1", channel)
    channel.hangs = True
    await post.turn()
    channel.hangs = False
    desk.clock.ms += EVERY_MS
    await post.turn()
    assert [one.sequence for one in channel.of(23)] == [1]


@pytest.mark.parametrize("step", [-1, 2])
async def test_the_database_itself_lets_no_number_be_lost_or_given_twice(
    desk: Desk, line: FeedLine, channel: Kept, step: int
) -> None:
    await Post(desk, "w-1", channel).turn()
    with pytest.raises(DbViolation):
        await desk.db.execute("update feed_streams set sequence = sequence + $1", step)
