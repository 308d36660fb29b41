"""`@microsoft/signalr` in Node, unmodified: `make test-clients` fetches it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from croupier.feed import connections as connections_module
from croupier.feed.sockets import PATHS
from croupier.store.db import Db
from tests.feed.hall import Hall, open_hall
from tests.feed.site import open_site, until

HERE = Path(__file__).parent
NODE = shutil.which("node")
PATIENCE_S = 40.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NODE is None, reason="Node is not installed (Debian: apt install nodejs npm)"),
    pytest.mark.skipif(not (HERE / "node_modules").exists(), reason="the clients are not there: make test-clients"),
]


@pytest.fixture
async def hall(db: Db, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hall]:
    monkeypatch.setattr(connections_module, "WATCH_S", 0.05)
    async with open_hall(db) as made:
        yield made


class Follower:
    """The client's process and what it said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []

    async def until(self, event: str, **more: Any) -> dict[str, Any]:
        """The next line of this kind; what is said before it is passed over."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while True:
                line = await self.process.stdout.readline()
                assert line, self.said
                one: dict[str, Any] = json.loads(line)
                self.said.append(one)
                if one["event"] == event and more.items() <= one.items():
                    return one


@asynccontextmanager
async def follower(hall: Hall, **more: Any) -> AsyncIterator[Follower]:
    told = {"url": hall.url, "token": hall.token, "casino": hall.casino_id, "gameType": 3}
    async with node(**{**told, **more}) as client:
        yield client


@asynccontextmanager
async def node(**more: Any) -> AsyncIterator[Follower]:
    told = {"header": True, "skip": False}
    assert NODE is not None
    process = await asyncio.create_subprocess_exec(
        NODE, "follow.mjs", json.dumps({**told, **more}), cwd=HERE,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Follower(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("protocol", ["json", "messagepack"])
@pytest.mark.parametrize("skip", [False, True], ids=["negotiated", "direct"])
@pytest.mark.parametrize("header", [True, False], ids=["header", "query"])
async def test_it_follows_a_game_type(hall: Hall, protocol: str, skip: bool, header: bool) -> None:
    hall.push(1)
    async with follower(hall, protocol=protocol, skip=skip, header=header) as client:
        started = await client.until("started")
        if not skip:
            assert started["id"].startswith(next(iter(hall.connections._clients)).connection_id)
        await client.until("push", sId=1)
        refused = await client.until("refused")
        assert "not that of the access token" in refused["error"]
        hall.push(2)
        await client.until("push", sId=2)
        assert client.process.stdin is not None
        client.process.stdin.write(b"\n")
        assert await client.process.wait() == 0
    async with asyncio.timeout(PATIENCE_S):
        while len(hall.connections):
            await asyncio.sleep(0.01)


async def test_a_bad_token_fails_at_once(hall: Hall) -> None:
    async with follower(hall, token="x") as client:
        assert "401" in (await client.until("failed"))["error"]


async def test_it_comes_back_after_a_cut_socket(hall: Hall) -> None:
    hall.push(1)
    async with follower(hall) as client:
        await client.until("refused")
        next(iter(hall.connections._clients)).socket.abort()
        await client.until("reconnected")
        hall.push(2)
        await client.until("push", sId=2)


@pytest.mark.parametrize("protocol", ["json", "messagepack"])
async def test_it_comes_back_to_a_server_that_was_restarted(db: Db, protocol: str) -> None:
    """The old one says that it may; the new one takes the old one's port and token."""
    async with open_hall(db) as first, follower(first, protocol=protocol) as client:
        await client.until("refused")
        closing = asyncio.create_task(first.connections.close())
        first.server.should_exit = True
        await client.until("reconnecting")
        await closing
        async with open_hall(db, port=first.port) as second:
            await client.until("reconnected")
            second.push(9)
            await client.until("push", sId=9)


async def test_it_leaves_a_server_that_fell_silent_and_comes_back(hall: Hall) -> None:
    async with follower(hall, silence=1000) as client:
        await client.until("refused")
        assert "timeout" in (await client.until("reconnecting"))["error"].lower()
        await client.until("reconnected")
        hall.push(5)
        await client.until("push", sId=5)


async def test_it_follows_a_draw_from_betting_to_its_result_while_a_worker_is_killed(tmp_path: Path) -> None:
    """A hub with two workers as `serve` runs it; the one that publishes is killed, which may be the client's own."""
    async with open_site(tmp_path, workers=2) as site:
        assert await site.publish() == 1
        told = {"url": site.url + PATHS[0], "token": await site.token(), "casino": site.casino["PartnerClientId"]}
        async with node(**told, gameType=23, protocol="json") as client:
            await client.until("push", draws=["2:"])
            os.kill(await site.publishing_pid(), signal.SIGKILL)
            over_ms = time.time_ns() // 1_000_000 - 1
            result = {"state": 3, "playState": 2, "startsAt": over_ms, "bettingEndsAt": over_ms, "results": [7, 12, 31]}

            async def taken() -> bool:
                with suppress(aiohttp.ClientError):
                    return await site.publish(version=2, **result) == 1
                return False

            await until(taken)
            await client.until("push", draws=["3:7,12,31"])
