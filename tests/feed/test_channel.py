"""Every channel carries snapshots to all processes, and heals by itself: with a real PostgreSQL and a real Redis."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from croupier.feed.channel import (
    NAME,
    Channel,
    Heard,
    InProcessChannel,
    LineDown,
    NotificationLine,
    SharedChannel,
)
from croupier.feed.redis_line import RedisLine, RedisMissing
from croupier.feed.snapshot import Snapshot
from croupier.kit.chance import SeededChance
from croupier.kit.clock import SystemClock
from croupier.store.db import Db
from croupier.store.notifications import Notifications
from tests.feed.test_carried import LARGE

PATIENCE_S = 20.0
REDIS = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(
    REDIS is None, reason="redis-server is not installed (Debian: apt install redis-server)"
)


def snapshot(sequence: int, game_type: int = 3) -> Snapshot:
    return Snapshot(game_type, sequence, 1_700_000_000_000 + sequence, {"sId": sequence, "wgi": [{"i": "é"}]})


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.01)


class Ear:
    """What one process hears, without what it heard already."""

    def __init__(self) -> None:
        self.heard: list[Snapshot] = []

    def __call__(self, said: Snapshot) -> None:
        if said not in self.heard:
            self.heard.append(said)


async def heal(sender: Channel, ear: Ear, sequence: int) -> None:
    """Publish until the other side hears again, as a publisher does."""
    async with asyncio.timeout(PATIENCE_S):
        while not ear.heard or ear.heard[-1].sequence < sequence:
            sequence += 1
            await sender.publish(snapshot(sequence))
            await asyncio.sleep(0.05)


def shared(line: Any) -> SharedChannel:
    return SharedChannel(line, SystemClock(), SeededChance(1))


@asynccontextmanager
async def ears(*channels: Channel) -> AsyncIterator[list[Ear]]:
    made = [Ear() for _ in channels]
    for channel, ear in zip(channels, made, strict=True):
        await channel.listen(ear)
    try:
        yield made
    finally:
        for channel in channels:
            await channel.close()


async def both_hear(first: Channel, second: Channel) -> None:
    async with ears(first, second) as (here, there):
        await heal(first, there, 0)
        await heal(second, here, 1000)
        # Again and again, as a publisher does: a session may be lost in between, and the next snapshot heals it.
        async with asyncio.timeout(PATIENCE_S):
            while not (LARGE in there.heard and LARGE in here.heard):
                await first.publish(LARGE)
                await asyncio.sleep(0.05)


async def test_in_one_process_it_is_heard_at_once() -> None:
    channel = InProcessChannel()
    await channel.publish(snapshot(0))
    async with ears(channel) as (ear,):
        await channel.publish(snapshot(1))
        assert ear.heard == [snapshot(1)]


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def over(db: Db) -> SharedChannel:
    return shared(NotificationLine(Notifications(db, NAME)))


async def test_notifications_reach_every_process(db: Db) -> None:
    await both_hear(over(db), over(db))


async def test_lost_sessions_are_opened_again(db: Db) -> None:
    first, second = over(db), over(db)
    async with ears(first, second) as (_, there):
        await heal(first, there, 0)
        with structlog.testing.capture_logs() as lines:
            cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity where query ilike 'listen%' or query ilike '%pg_notify(%'"
            cut += " and datname = current_database() and pid <> pg_backend_pid()"
            assert await db.fetchval(cut)
            await heal(first, there, 2000)
            await until(lambda: {"feed.channel_lost", "feed.channel_back"} <= {line["event"] for line in lines})


async def test_without_a_database_the_own_process_still_hears(db: Db) -> None:
    """Who publishes is not held up and gets no error."""
    channel = over(db)
    async with ears(channel) as (here,):
        await db.close()
        await channel.close()
        await channel.publish(snapshot(5))
        assert here.heard == [snapshot(5)]


async def test_what_others_notify_is_passed_over(db: Db) -> None:
    channel = over(db)
    async with ears(channel) as (here,):
        await heal(channel, here, 0)
        with structlog.testing.capture_logs() as lines:
            # Again until it is heard: the channel hears itself before its session listens.
            async with asyncio.timeout(PATIENCE_S):
                while not any(line["event"] == "feed.unreadable_snapshot" for line in lines):
                    await db.fetchval("select pg_notify($1, 'hello')", NAME)
                    await asyncio.sleep(0.05)
        await heal(channel, here, 50)


# --- coalescing and waits ---------------------------------------------------------------------------------------------


class SlowLine:
    """A line that sends when it is let."""

    name = "slow"

    def __init__(self) -> None:
        self.sent: list[list[Snapshot]] = []
        self.go = asyncio.Event()
        self.opened = 0

    async def send(self, snapshots: Sequence[Snapshot]) -> None:
        await self.go.wait()
        self.sent.append(list(snapshots))

    async def hear(self, heard: Heard, listening: Callable[[], None]) -> None:
        self.opened += 1
        raise LineDown("away")

    async def close(self) -> None:
        """Nothing is open."""


async def test_while_a_send_is_under_way_only_the_newest_of_each_game_type_waits() -> None:
    line = SlowLine()
    channel = shared(line)
    said = [snapshot(n, game_type) for n in range(1, 6) for game_type in (3, 23)]
    sends = [asyncio.create_task(channel.publish(one)) for one in said]
    await asyncio.sleep(0)
    line.go.set()
    await asyncio.gather(*sends)
    assert sum(len(batch) for batch in line.sent) <= 4
    assert {one.game_type: one.sequence for batch in line.sent for one in batch} == {3: 5, 23: 5}


class Waits(SystemClock):
    """A clock that notes the waits."""

    def __init__(self) -> None:
        super().__init__()
        self.waits_s: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits_s.append(seconds)
        await asyncio.sleep(0)


async def test_a_line_that_stays_away_is_tried_again_with_growing_waits_and_told_once() -> None:
    line, clock = SlowLine(), Waits()
    channel = SharedChannel(line, clock, SeededChance(1))
    with structlog.testing.capture_logs() as lines:
        await channel.listen(lambda _: None)
        await until(lambda: line.opened > 12)
        await channel.close()
    assert [entry["event"] for entry in lines] == ["feed.channel_lost"]
    assert max(clock.waits_s) <= 10
    assert clock.waits_s[0] < 0.26
    assert clock.waits_s[10] >= 5


# --- Redis ------------------------------------------------------------------------------------------------------------


class Redis:
    """A real server on a free port, without files."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        assert REDIS is not None
        told = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(  # noqa: ASYNC220 - starting takes no time
            [REDIS, *told, "--dir", str(self._folder)], stdout=subprocess.DEVNULL
        )
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[Redis]:
    server = Redis(tmp_path)
    await server.start()
    yield server
    server.stop()


@needs_redis
@pytest.mark.slow
async def test_redis_reaches_every_process(redis: Redis) -> None:
    await both_hear(shared(RedisLine(redis.url)), shared(RedisLine(redis.url)))


@needs_redis
async def test_a_redis_that_comes_back_is_used_again(redis: Redis) -> None:
    first, second = shared(RedisLine(redis.url)), shared(RedisLine(redis.url))
    async with ears(first, second) as (here, there):
        await heal(first, there, 0)
        redis.stop()
        await first.publish(snapshot(500))
        assert here.heard[-1] == snapshot(500), "the own process hears without the server"
        await redis.start()
        await heal(first, there, 1000)


@needs_redis
@pytest.mark.slow
async def test_what_others_publish_there_is_passed_over(redis: Redis) -> None:
    channel = shared(RedisLine(redis.url))
    async with ears(channel) as (here,):
        await heal(channel, here, 0)
        with structlog.testing.capture_logs() as lines:
            async with asyncio.timeout(PATIENCE_S):
                _, writer = await asyncio.open_connection("127.0.0.1", redis.port)
                while not any(line["event"] == "feed.unreadable_snapshot" for line in lines):
                    writer.write(f"PUBLISH {NAME} hello\r\n".encode())
                    await asyncio.sleep(0.05)
                writer.close()


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib  # noqa: PLC0415 - patched here

    def gone(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", gone)
    with pytest.raises(RedisMissing, match=r"croupier\[redis\]"):
        RedisLine("redis://127.0.0.1/0")
