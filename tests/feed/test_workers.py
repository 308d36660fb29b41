"""A real hub with two workers: both take clients, a snapshot of any process reaches both, and one may be killed."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from croupier.apps.feed import feed_tokens, open_channel
from croupier.apps.wiring import open_hub
from croupier.feed.channel import Channel
from croupier.kit.config import load
from tests.conftest import make_home, remove_home
from tests.feed.hall import HELLO, Browser, Hall, snapshot

PATIENCE_S = 60.0


@dataclass
class Running:
    """The process, its address, its log."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    home: Path
    apart: bool


@pytest.fixture(params=["apart", "in the workers"])
async def running(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Running]:
    """With a process of the feed, or with its clients in the workers."""
    apart = request.param == "apart"
    home, log = make_home(), tmp_path / "log"
    own = {k: v for k, v in os.environ.items() if not k.startswith("CROUPIER_")}
    command = "from croupier.cli import main; main()"
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: ASYNC220 - starting takes no time
            [sys.executable, "-c", command, "serve", "--port", "0", "--workers", "2"],
            env={
                **own,
                "CROUPIER_HOME": str(home),
                "PYTHONPATH": "src",
                "CROUPIER_LOG_LEVEL": "debug",
                "CROUPIER_FEED_PROCESS": str(int(apart)),
            },
            stderr=errors,
        )
    async with asyncio.timeout(PATIENCE_S):
        while log.read_text().count("worker.ready") < 2 or log.read_text().count("feed.ready") < apart:
            assert process.poll() is None, log.read_text()
            await asyncio.sleep(0.05)
    port = int(log.read_text().split("croupier listens on http://127.0.0.1:")[1].split()[0])
    yield Running(process, port, log, home, apart)
    if process.poll() is None:
        process.terminate()
        await asyncio.to_thread(process.wait)
    remove_home(home)


async def opened(stack: AsyncExitStack, running: Running) -> tuple[Hall, Channel]:
    """A casino with an access token, and a publisher that is in none of the hub's processes."""
    settings = load({"CROUPIER_HOME": str(running.home)})
    desk = await stack.enter_async_context(open_hub(settings))
    http = await stack.enter_async_context(aiohttp.ClientSession())
    casino, secret = await desk.store.casinos.add("Rialto", "https://rialto.example", ["EUR"])
    token = await feed_tokens(desk, settings).issue(casino.casino_id, secret, "127.0.0.1")
    nobody: dict[str, None] = dict.fromkeys(("hub", "connections", "server"))
    channel = open_channel(desk, settings)
    stack.push_async_callback(channel.close)
    return Hall(port=running.port, http=http, casino_id=casino.casino_id, token=token, **nobody), channel  # type: ignore[arg-type]


@pytest.mark.slow
async def test_two_workers_follow_one_publisher_and_one_may_be_killed(running: Running) -> None:
    async with AsyncExitStack() as stack:
        hall, channel = await opened(stack, running)
        clients = [await connected(stack, hall) for _ in range(8)]
        for sequence in (1, 2):
            await channel.publish(snapshot(sequence))
            assert [await client.sequence() for client in clients] == [sequence] * 8
        victim = worker_pids(running)[0]
        os.kill(victim, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_S):
            while running.log.read_text().count("worker.ready") < 3:
                await asyncio.sleep(0.05)
        late = await connected(stack, hall)
        await asyncio.sleep(1)  # a new worker begins to listen
        await channel.publish(snapshot(3))
        while await late.sequence() != 3:
            """A worker that ran on has the one before, too."""
        if running.apart:
            assert [await client.sequence() for client in clients] == [3] * 8, "no worker had them"
        running.process.terminate()
        assert await late.next() == {"type": 7, "allowReconnect": True}
        assert await asyncio.to_thread(running.process.wait, 20) == 0
    told = running.log.read_text()
    assert hall.token not in told
    assert hall.token.split(".")[2] not in told
    assert "Traceback" not in told
    assert "worker_killed" not in told


@pytest.mark.slow
@pytest.mark.parametrize("running", ["apart"], indirect=True)
async def test_the_process_of_the_feed_is_killed_and_who_connects_meanwhile_is_served_by_the_next(
    running: Running,
) -> None:
    async with AsyncExitStack() as stack:
        hall, channel = await opened(stack, running)
        cut = await connected(stack, hall)
        (victim,) = [int(pid) for pid in re.findall(r"feed\.ready.* pid=([0-9]+)", running.log.read_text())]
        os.kill(victim, signal.SIGKILL)
        with pytest.raises(ConnectionClosed):
            await cut.next()
        async with hall.http.get(f"http://127.0.0.1:{running.port}/readyz") as answer:
            assert answer.status == 200
        late = await connected(stack, hall)
        assert running.log.read_text().count("feed.ready") == 2
        await asyncio.sleep(1)  # the new process begins to listen
        await channel.publish(snapshot(1))
        assert await late.sequence() == 1
        running.process.terminate()
        assert await late.next() == {"type": 7, "allowReconnect": True}
        assert await asyncio.to_thread(running.process.wait, 20) == 0
    assert "Traceback" not in running.log.read_text()


async def connected(stack: AsyncExitStack, hall: Hall) -> Browser:
    """A client of one of the workers, subscribed."""
    line = await stack.enter_async_context(hall.line(f"?access_token={hall.token}", {}))
    await line.send(HELLO)
    browser = Browser(line)
    assert await browser.next() == {}
    await browser.ask(hall.casino_id)
    answers = [await browser.next()]
    assert {"type": 3, "invocationId": "1"} in answers
    return browser


def worker_pids(running: Running) -> list[int]:
    return [int(pid) for pid in re.findall(r"worker\.ready.* pid=([0-9]+)", running.log.read_text())]
