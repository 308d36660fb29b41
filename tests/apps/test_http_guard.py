"""What is too slow or too large on the socket is cut off, and what is only unusual is served."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from croupier.apps import http_guard
from croupier.apps.http_guard import MAX_HEAD, MAX_REQUEST, HttpGuard
from croupier.apps.worker import _WorkerServer
from croupier.kit.clock import monotonic_s
from croupier.kit.inbound import ARRIVED
from croupier.kit.json_reply import JsonReply

pytestmark = pytest.mark.one_in(2)

PATIENCE_S = 20.0
SHORT_S = 0.3
POST = b"POST / HTTP/1.1\r\nHost: h\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.heard = b""

    async def send(self, raw: bytes) -> None:
        self.writer.write(raw)
        await self.writer.drain()

    async def until(self, word: bytes) -> bytes:
        """Everything up to this word."""
        async with asyncio.timeout(PATIENCE_S):
            while word not in self.heard:
                piece = await self.reader.read(65536)
                assert piece, f"closed after {self.heard!r}"
                self.heard += piece
        return self.heard

    async def to_the_end(self) -> bytes:
        """Everything until the server hangs up; a reset is an end too."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while piece := await self.reader.read(65536):
                    self.heard += piece
            except ConnectionError:
                pass
        return self.heard

    async def flood(self, piece: bytes, most: int) -> int:
        """Send until the server hangs up or so much is sent; how much it was."""
        sent = 0
        try:
            async with asyncio.timeout(PATIENCE_S):
                while sent < most:
                    await self.send(piece)
                    sent += len(piece)
        except ConnectionError:
            pass
        return sent


class Served:
    """A server with the guard, and what its app met."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.bodies: list[int] = []
        self.left = 0
        self.lines: list[Line] = []

    async def line(self) -> Line:
        made = Line(*await asyncio.open_connection("127.0.0.1", self.port))
        self.lines.append(made)
        return made


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        made = Served(sock.getsockname()[1])

        async def app(request: Request) -> Response:
            try:
                made.bodies.append(len(await request.body()))
            except ClientDisconnect:
                made.left += 1
            return JsonReply(b'"served"', 200) if request.url.path == "/json" else Response(b"served")

        routes: Any = [Route("/{rest:path}", app, methods=["GET", "POST"])]
        config = uvicorn.Config(
            Starlette(routes=routes), http=HttpGuard, ws="none", lifespan="off", log_config=None, access_log=False
        )
        server = _WorkerServer(config)
        running = asyncio.create_task(server.serve(sockets=[sock]))
        yield made
        for line in made.lines:
            line.writer.close()
        server.should_exit = True
        await running


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every patience is short."""
    for name in ("FIRST_BYTE_S", "HEAD_S", "BODY_S"):
        monkeypatch.setattr(http_guard, name, SHORT_S)


# --- time -----------------------------------------------------------------------------------------------------------


@pytest.mark.one_in(3)
@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("begun", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: h\r\n", b"GET / HTTP/1.1\r\nX-A: "])
async def test_a_head_that_does_not_come_is_not_waited_for(served: Served, begun: bytes) -> None:
    line = await served.line()
    await line.send(begun)
    assert (await line.to_the_end()).startswith(b"HTTP/1.1 408 ")
    assert served.bodies == []


@pytest.mark.usefixtures("hurried")
async def test_nor_is_one_that_comes_byte_by_byte(served: Served) -> None:
    """Each byte is a sign of life, and the whole is too slow all the same."""
    line = await served.line()
    sent = 0
    try:
        for byte in b"GET / HTTP/1.1\r\nX-A: " + b"a" * 1000:
            await line.send(bytes([byte]))
            sent += 1
            await asyncio.sleep(SHORT_S / 10)
    except ConnectionError:
        pass
    assert sent < 1000
    assert (await line.to_the_end())[:12] in (b"HTTP/1.1 408", b"")


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("begun", [POST + b"Content-Length: 10\r\n\r\n12345", CHUNKED + b"a\r\n12345", CHUNKED])
async def test_a_body_that_does_not_come_is_not_waited_for(served: Served, begun: bytes) -> None:
    line = await served.line()
    await line.send(begun)
    assert await line.to_the_end() == b""
    async with asyncio.timeout(PATIENCE_S):
        while not served.left:
            await asyncio.sleep(0.01)
    assert served.bodies == []


@pytest.mark.slow
@pytest.mark.usefixtures("hurried")
async def test_between_two_requests_a_connection_may_rest(served: Served) -> None:
    """The deadlines are those of a request, and end with it."""
    line = await served.line()
    for _ in range(3):
        await line.send(GET)
        await line.until(b"served")
        line.heard = b""
        await asyncio.sleep(2 * SHORT_S)


# --- size -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begun", "piece"),
    [
        (b"GET / HTTP/1.1\r\nX-A: ", b"a" * 16_384),
        (b"GET / HTTP/1.1\r\n", b"X-Abc: defghijk\r\n" * 1024),
        (b"GET /", b"a" * 16_384),
        (b"", b"\r\n" * 8192),
        (CHUNKED + b"2;", b"x" * 16_384),
        (CHUNKED + b"0\r\n", b"X-Abc: defghijk\r\n" * 1024),
        (CHUNKED, b"1\r\nx\r\n" * 4096),
        (POST + b"Content-Length: 900000000\r\n\r\n", b"x" * 16_384),
    ],
    ids=["header", "headers", "url", "blank lines", "chunk extension", "trailers", "small chunks", "body"],
)
async def test_what_has_no_end_is_cut_off(served: Served, begun: bytes, piece: bytes) -> None:
    line = await served.line()
    await line.send(begun)
    sent = await line.flood(piece, 64 * MAX_REQUEST)
    assert sent < 64 * MAX_REQUEST
    assert b" 200 " not in await line.to_the_end()


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: h\r\nX-A: " + b"a" * MAX_HEAD + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-Abc: defghijk\r\n" * 5000 + b"\r\n",
    ],
)
async def test_a_head_of_more_than_64_kb_is_431(served: Served, head: bytes) -> None:
    line = await served.line()
    await line.flood(head, 1)
    assert (await line.to_the_end())[:12] in (b"HTTP/1.1 431", b"")
    assert served.bodies == []


async def test_what_is_only_unusual_is_served(served: Served) -> None:
    line = await served.line()
    for raw in (
        b"GET / HTTP/1.1\r\nHost: h\r\nX-A: " + b"a" * (MAX_HEAD - 100) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-Abc: def\r\n" * 3000 + b"\r\n",
        b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        CHUNKED + b"1\r\nx\r\n" * 65_536 + b"0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    ):
        await line.send(raw)
        await line.until(b"served")
        line.heard = b""
    assert served.bodies == [0, 0, 0, 65_536, 0]


@pytest.mark.slow
async def test_pipelined_requests_are_answered_each_and_do_not_add_up(served: Served) -> None:
    line = await served.line()
    count = 2 * MAX_HEAD // len(GET)

    async def ask() -> None:
        await line.send(GET * count)

    asking = asyncio.create_task(ask())
    async with asyncio.timeout(PATIENCE_S):
        while line.heard.count(b"served") < count:
            line.heard += await line.reader.read(65536)
    await asking
    assert len(served.bodies) == count


async def test_a_reply_in_one_piece_is_a_whole_response_and_the_connection_goes_on(served: Served) -> None:
    line = await served.line()
    for _ in range(2):
        await line.send(b"GET /json HTTP/1.1\r\nHost: h\r\n\r\n" * 2)
        async with asyncio.timeout(PATIENCE_S):
            while line.heard.count(b"served") < 2:
                line.heard += await line.reader.read(65536)
        first = line.heard.partition(b'"served"')[0]
        assert first.startswith(b"HTTP/1.1 200 OK\r\n")
        assert first.endswith(b"\r\n\r\n")
        heads = sorted(one.partition(b":")[0] for one in first.split(b"\r\n")[1:-2])
        assert heads == [b"content-length", b"content-type", b"date", b"server"]
        line.heard = b""


async def test_a_reply_in_one_piece_ends_a_connection_that_is_not_to_be_kept(served: Served) -> None:
    line = await served.line()
    await line.send(b"GET /json HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    told = await line.to_the_end()
    assert b"connection: close\r\n" in told
    assert told.endswith(b'\r\n\r\n"served"')


async def test_the_answer_to_a_head_has_no_body_and_the_connection_goes_on(served: Served) -> None:
    """A body that nobody reads would become the answer to the next request on the connection."""
    line = await served.line()
    await line.send(b"HEAD /json HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    told = await line.to_the_end()
    head, _, rest = told.partition(b"\r\n\r\n")
    assert b"content-length: 8" in head
    assert rest.startswith(b"HTTP/1.1 200")
    assert told.count(b"served") == 1


async def test_an_upgrade_is_no_line_in_the_log(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    line = await served.line()
    await line.send(b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    await line.until(b"served")
    assert "upgrade" not in caplog.text.lower()


# --- number ---------------------------------------------------------------------------------------------------------


async def test_over_the_bound_the_connection_that_was_idle_for_longest_goes(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_guard, "most_connections", lambda: 3)
    lines = []
    for _ in range(3):
        line = await served.line()
        await line.send(GET)
        await line.until(b"served")
        lines.append(line)
    newcomer = await served.line()
    await newcomer.send(GET)
    await newcomer.until(b"served")
    assert await lines[0].to_the_end() == lines[0].heard
    await lines[2].send(GET)
    await lines[2].until(b"served")


async def test_where_none_is_idle_the_newcomer_is_told_so(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests under way are never cut off for somebody new."""
    monkeypatch.setattr(http_guard, "most_connections", lambda: 2)
    busy = [await served.line(), await served.line()]
    for line in busy:
        await line.send(POST + b"Content-Length: 2\r\n\r\na")
    await asyncio.sleep(0.05)
    newcomer = await served.line()
    assert (await newcomer.to_the_end()).startswith(b"HTTP/1.1 503 ")
    for line in busy:
        await line.send(b"b")
        await line.until(b"served")


def test_incoming_connections_leave_descriptors_for_the_money_path(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"limit": (1024, 4096)}
    monkeypatch.setattr(http_guard.resource, "getrlimit", lambda _: told["limit"])
    monkeypatch.setattr(http_guard.resource, "setrlimit", lambda _, pair: told.update(limit=pair))
    assert http_guard.most_connections() == 1024 - 256
    http_guard.raise_descriptors()
    assert told["limit"] == (4096, 4096)
    assert http_guard.most_connections() == 4096 - 256
    told["limit"] = (64, 64)
    assert http_guard.most_connections() == 32


async def _served_whole(request: Request) -> Response:
    """An answer that comes after the whole request."""
    await request.body()
    return Response(b"served")


async def test_the_first_byte_is_when_a_request_arrived(served: Served) -> None:
    """A body that takes its time does not make the request younger."""
    seen: list[float] = []

    class Noting(HttpGuard):
        def on_message_complete(self) -> None:
            seen.append(monotonic_s() - self.scope[ARRIVED])  # type: ignore[literal-required]
            super().on_message_complete()

    with socket.create_server(("127.0.0.1", 0)) as sock:
        app: Any = Starlette(routes=[Route("/", _served_whole, methods=["POST"])])
        config = uvicorn.Config(app, http=Noting, ws="none", lifespan="off", log_config=None, access_log=False)
        server = _WorkerServer(config)
        running = asyncio.create_task(server.serve(sockets=[sock]))
        line = Line(*await asyncio.open_connection("127.0.0.1", sock.getsockname()[1]))
        await line.send(POST + b"Content-Length: 2\r\n\r\na")
        await asyncio.sleep(0.3)
        await line.send(b"b")
        await line.until(b"served")
        line.writer.close()
        server.should_exit = True
        await running
    assert 0.25 < seen[0] < PATIENCE_S
