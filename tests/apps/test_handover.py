"""apps.handover: a WebSocket moves to another process as it is, and where it cannot, its client is told to come again."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from croupier.apps.handover import MOST, Taking, handing_over, pair
from croupier.apps.http_guard import HttpGuard
from croupier.apps.worker import SOCKETS, _WorkerServer
from croupier.feed.sockets import PATHS
from tests.feed.test_workers import PATIENCE_S

SEEN: list[dict[str, Any]] = []


async def echo(scope: Any, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    """Answers every message with itself."""
    await receive()
    SEEN.append(scope)
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        await send({"type": "websocket.send", "text": message["text"]})


async def nobody(scope: Any, receive: Any, send: Any) -> None:
    del receive
    assert scope["type"] == "http", "no WebSocket is served here"
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def ends() -> AsyncIterator[tuple[int, Taking]]:
    """A port of a worker, and the feed's end of the same process."""
    SEEN.clear()
    give, take = pair()
    config = uvicorn.Config(
        nobody, http=HttpGuard, **{**SOCKETS, "ws": handing_over(give)}, log_config=None, lifespan="off"
    )
    sock = socket.create_server(("127.0.0.1", 0))
    server = _WorkerServer(config)
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    yield sock.getsockname()[1], Taking(take, uvicorn.Config(echo, **SOCKETS, log_config=None, lifespan="off"))
    asyncio.get_running_loop().remove_reader(take)
    server.should_exit = True
    await serving
    give.close()
    take.close()


async def test_a_client_talks_on_with_the_other_end(ends: tuple[int, Taking]) -> None:
    port, taking = ends
    taking.begin()
    long = "x" * 8000
    async with (
        asyncio.timeout(PATIENCE_S),
        connect(f"ws://127.0.0.1:{port}{PATHS[0]}?access_token={long}&id=%20") as line,
    ):
        for text in ("one", "two" * 10_000):
            await line.send(text)
            assert await line.recv() == text
        (scope,) = SEEN
        assert scope["query_string"] == f"access_token={long}&id=%20".encode()
        assert scope["client"][0] == "127.0.0.1"
        assert scope["client"][1] == line.local_address[1], "the peer's own address, not that of the pair"


async def test_who_comes_while_nobody_takes_is_served_later(ends: tuple[int, Taking]) -> None:
    port, taking = ends
    waiting = [asyncio.create_task(connect(f"ws://127.0.0.1:{port}{PATHS[0]}").__aenter__()) for _ in range(20)]
    await asyncio.sleep(0.2)
    assert not any(one.done() for one in waiting)
    taking.begin()
    lines = await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_S)
    for line in lines:
        await line.send("here")
    assert [await line.recv() for line in lines] == ["here"] * 20
    for line in lines:
        await line.close()


@pytest.mark.slow
async def test_a_full_way_is_a_503_and_the_worker_serves_on(ends: tuple[int, Taking]) -> None:
    port, taking = ends
    large = {f"x-{number}": "x" * 8000 for number in range(6)}
    refused, waiting = 0, []
    for _ in range(40):
        one = asyncio.create_task(connect(f"ws://127.0.0.1:{port}{PATHS[0]}", additional_headers=large).__aenter__())
        await asyncio.wait([one], timeout=0.3)
        if not one.done():
            waiting.append(one)
            continue
        with pytest.raises(InvalidStatus) as told:
            await one
        assert told.value.response.status_code == 503
        assert told.value.response.headers["retry-after"] == "2"
        refused += 1
        if refused == 3:
            break
    assert refused == 3
    assert waiting, "some fit in"
    taking.begin()
    for line in await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_S):
        await line.close()


async def test_a_client_that_left_meanwhile_disturbs_nobody(ends: tuple[int, Taking]) -> None:
    port, taking = ends
    request = f"GET {PATHS[0]} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    request += "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    for _ in range(5):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request.encode())
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
    taking.begin()
    async with asyncio.timeout(PATIENCE_S), connect(f"ws://127.0.0.1:{port}{PATHS[0]}") as line:
        await line.send("still here")
        assert await line.recv() == "still here"


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [("x" * 30_000, {}, 414), ("", {"x": "x" * 30_000}, 431), ("", {f"x-{n}": "1" for n in range(200)}, 431)],
    ids=["long line", "long header", "many headers"],
)
async def test_a_request_that_the_sockets_parser_does_not_read_is_answered(
    ends: tuple[int, Taking], query: str, headers: dict[str, str], status: int
) -> None:
    port, taking = ends
    taking.begin()
    with pytest.raises(InvalidStatus) as told:
        async with (
            asyncio.timeout(PATIENCE_S),
            connect(f"ws://127.0.0.1:{port}{PATHS[0]}?{query}", additional_headers=headers),
        ):
            """It is refused."""
    assert told.value.response.status_code == status


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_no_descriptor_is_left_behind(ends: tuple[int, Taking]) -> None:
    port, taking = ends
    taking.begin()

    async def once() -> None:
        async with connect(f"ws://127.0.0.1:{port}{PATHS[0]}") as line:
            await line.send("x")
            await line.recv()

    await once()
    before = open_descriptors()
    for _ in range(30):
        await once()
    async with asyncio.timeout(PATIENCE_S):
        while open_descriptors() > before:
            await asyncio.sleep(0.05)


def test_a_request_that_the_guard_lets_pass_fits_into_a_message() -> None:
    give, take = pair()
    with give, take, socket.socket() as any_connection:
        socket.send_fds(give, [b"x" * 66_000], [any_connection.fileno()])
        data, descriptors, flags, _ = socket.recv_fds(take, MOST, 1)
        assert (len(data), flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC)) == (66_000, 0)
        for descriptor in descriptors:
            os.close(descriptor)
