"""A request that came whole goes the short way, and nobody outside can tell it from the usual one."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response

from croupier.apps.hot_routes import HubApp
from croupier.apps.http_guard import HttpGuard
from croupier.apps.whole_request import WholeCycle
from croupier.apps.worker import _WorkerServer
from croupier.feed.sockets import PATHS
from croupier.kit.clock import SystemClock, monotonic_s
from croupier.kit.inbound import MAX_BODY, HotRequest, TooLarge, WrongType
from croupier.kit.json_reply import JsonReply
from croupier.kit.measured_routes import HotAnswer, HotRoute, hot_routes
from croupier.kit.metrics import Metrics
from croupier.kit.openapi import Operation

PATIENCE_S = 20.0
LARGE = b'"' + b"x" * 4_000_000 + b'"'
TRUSTED = "127.0.0.1,10.0.0.0/8"


@dataclass
class Measures:
    """A clock and metrics."""

    clock: SystemClock = field(default_factory=SystemClock)
    metrics: Metrics = field(default_factory=Metrics)
    tracer: None = None


@dataclass
class House:
    """A server with hot routes: what came to them, and how many requests went the short way."""

    port: int
    measures: Measures = field(default_factory=Measures)
    short: int = 0
    begun: int = 0
    done: int = 0
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    server: Any = None

    async def echo(self, request: HotRequest) -> Response:
        """Tell all that a handler can see."""
        try:
            body = await request.read_body() if request.whole_body is None else request.whole_body
        except TooLarge:
            return JsonReply(b'"too large"', 413)
        try:
            request.require_json()
            kind = "json"
        except WrongType:
            kind = "other"
        told = (
            request.method, request.path, [[n.decode("latin-1"), v.decode("latin-1")] for n, v in request.headers],
            request.address, request.path_params, request.bearer(), kind, body.decode("latin-1"), sorted(map(str, request.once)),
        )  # fmt: skip
        return JsonReply(json.dumps(told).encode(), 200, {"Content-Type": "application/json"})

    async def slow(self, _: HotRequest) -> Response:
        self.begun += 1
        await self.go_on.wait()
        self.done += 1
        return JsonReply(b'"late"', 200)

    async def fail(self, _: HotRequest) -> Response:
        raise ValueError("a bug")

    async def cancelled(self, _: HotRequest) -> Response:
        raise asyncio.CancelledError

    async def own(self, _: HotRequest) -> Response:
        return JsonReply(b"{}", 401, {"WWW-Authenticate": "Bearer", "X-Problem": "no good bearer"})

    async def framed(self, _: HotRequest) -> Response:
        return Response(b"[]", media_type="application/json", headers={"Cache-Control": "private"})

    async def large(self, _: HotRequest) -> Response:
        return JsonReply(LARGE, 200)

    def routes(self) -> list[HotRoute]:
        handles = {
            "POST echo": self.echo, "GET look": self.echo, "GET slow": self.slow, "POST fail": self.fail,
            "POST cancelled": self.cancelled, "POST own": self.own, "GET framed": self.framed, "GET large": self.large,
        }  # fmt: skip

        def answer_of(operation: Operation) -> HotAnswer:
            return handles[f"{operation.method} {operation.name}"]

        operations = [
            Operation(method, f"/t/{{session_id}}/{name}", name, "", "", ())
            for method, name in (words.split() for words in handles)
        ]
        return hot_routes(operations, answer_of, side="provider", measures=self.measures)


@asynccontextmanager
async def house(*, short_way: bool, **options: Any) -> AsyncIterator[House]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        made = House(sock.getsockname()[1])

        class Counting(HttpGuard):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                if not short_way:
                    self._short_way = None

            def _start_asgi_task(self, cycle: Any, app: Any) -> None:
                made.short += isinstance(cycle, WholeCycle)
                super()._start_asgi_task(cycle, app)

        hot = made.routes()
        usual: Any = {
            "http": Counting, "ws": "none", "lifespan": "off", "log_config": None, "access_log": False,
            "server_header": False, "forwarded_allow_ips": TRUSTED, "timeout_graceful_shutdown": 4,
        }  # fmt: skip
        config = uvicorn.Config(HubApp(Starlette(routes=hot), hot), **usual | options)
        made.server = _WorkerServer(config)
        running = asyncio.create_task(made.server.serve(sockets=[sock]))
        try:
            yield made
        finally:
            made.go_on.set()
            made.server.should_exit = True
            await running


async def told(house: House, *pieces: bytes) -> list[bytes]:
    """Send these pieces, and return the responses until the server hangs up, without their dates."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    try:
        async with asyncio.timeout(PATIENCE_S):
            for number, piece in enumerate(pieces):
                if number:
                    await asyncio.sleep(0.05)
                writer.write(piece)
                await writer.drain()
            text = await reader.read(-1)
    finally:
        writer.close()
    return re.sub(rb"date: [^\r]+\r\n", b"date: today\r\n", text).split(b"HTTP/1.1 ")


def post(
    *headers: str, path: str = "/t/s-1/echo", body: bytes = b'{"a":1}', version: str = "1.1", last: bool = True
) -> bytes:
    """Return a POST with these headers, and with a Content-Length where none of them says what comes."""
    sized = any(header.lower().startswith(("content-length", "transfer-encoding")) for header in headers)
    lines = ["Host: h", *headers, *([] if sized else [f"Content-Length: {len(body)}"])]
    lines += ["Connection: close"] if last else []
    return "\r\n".join([f"POST {path} HTTP/{version}", *lines, "", ""]).encode("latin-1") + body


def get(path: str, *headers: str, method: str = "GET", last: bool = True) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: h", *headers, *(["Connection: close"] if last else []), "", ""]
    return "\r\n".join(lines).encode("latin-1")


JSON = "Content-Type: application/json"
FOR = "X-Forwarded-For:"
TABLE: dict[str, tuple[int, list[bytes]]] = {
    "plain": (1, [post(JSON)]),
    "its names in capitals": (1, [post("CONTENT-TYPE: application/json", "AUTHORIZATION: Bearer abc")]),
    "spaces around values": (1, [post("Content-Type: \t application/json \t", "Authorization:  Bearer abc  ")]),
    "no type": (1, [post()]),
    "no body": (1, [post(JSON, body=b"")]),
    "no length": (1, [get("/t/s-1/echo", JSON, method="POST")]),
    "get": (1, [get("/t/s-1/look")]),
    "get with a body": (1, [get("/t/s-1/look", "Content-Length: 2") + b"ab"]),
    "three on one connection": (3, [post(JSON, last=False), post(JSON, last=False), post(JSON)]),
    "three at once": (1, [post(JSON, last=False) * 2 + post(JSON)]),
    "the largest": (1, [post(JSON, body=b"x" * MAX_BODY)]),
    "too large": (0, [post(JSON, body=b"x" * (MAX_BODY + 1))]),
    "a long length": (0, [post(JSON, "Content-Length: 0000000000007")]),
    "no such length": (0, [post(JSON, "Content-Length: x")]),
    "two lengths": (0, [post(JSON, "Content-Length: 7", "Content-Length: 7")]),
    "a head and its body": (0, [post(JSON)[:-7], b'{"a":1}']),
    "a body in pieces": (0, [post(JSON)[:-3], b":1", b"}"]),
    "a head in pieces": (1, [post(JSON)[:30], post(JSON)[30:]]),
    "chunked": (0, [post(JSON, "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n\r\n")]),
    "an expectation": (0, [post(JSON, "Expect: 100-continue")]),
    "an upgrade": (0, [post(JSON, "Upgrade: h2c", "Connection: upgrade", last=False) + post(JSON)]),
    "a websocket": (0, [get("/t/s-1/look", "Upgrade: websocket", "Connection: upgrade", last=False) + get("/t/s-1/look")]),
    "two types": (0, [post(JSON, JSON)]),
    "two bearers": (0, [post(JSON, "Authorization: Bearer a", "Authorization: Bearer a")]),
    "two of anything": (0, [post(JSON, "X-A: 1", "x-a: 2")]),
    "an escaped path": (0, [post(JSON, path="/t/s%2D1/echo")]),
    "a query": (0, [post(JSON, path="/t/s-1/echo?a=1")]),
    "a fragment": (0, [post(JSON, path="/t/s-1/echo#a")]),
    "a whole address": (0, [post(JSON, path="http://h/t/s-1/echo")]),
    "two slashes": (0, [post(JSON, path="//t/s-1/echo")]),
    "a slash at the end": (0, [post(JSON, path="/t/s-1/echo/")]),
    "an unknown path": (0, [post(JSON, path="/t/s-1/x/echo")]),
    "a name with a dot": (0, [post(JSON, path="/t/s.1/echo")]),
    "no path": (0, [post(JSON, path="*")]),
    "another method": (0, [get("/t/s-1/echo")]),
    "a head": (0, [get("/t/s-1/look", method="HEAD")]),
    "an older version": (0, [post(JSON, version="1.0")]),
    "an older version kept": (0, [post(JSON, "Connection: keep-alive", version="1.0", last=False)]),
    "a newer version": (0, [post(JSON, version="2.0")]),
    "no version": (0, [b"POST /t/s-1/echo\r\n\r\n"]),
    "more after the last": (1, [post(JSON) + b"GET /t/s-1/look HTTP/1.1\r\n\r\n"]),
    "nonsense after it": (1, [post(JSON, last=False) + b"\x00\x01\r\n\r\n"]),
    "one address": (1, [post(JSON, f"{FOR} 198.51.100.7")]),
    "two addresses": (1, [post(JSON, f"{FOR} 203.0.113.9, 198.51.100.7")]),
    "proxies behind proxies": (1, [post(JSON, f"{FOR} 198.51.100.7, 10.0.0.2, 127.0.0.1")]),
    "only proxies": (1, [post(JSON, f"{FOR} 10.0.0.3, 10.0.0.2")]),
    "an address and a port": (1, [post(JSON, f"{FOR} [2001:db8::1]:80")]),
    "no address": (1, [post(JSON, FOR)]),
    "words": (1, [post(JSON, f"{FOR} unknown, \xe4")]),
    "a comma": (1, [post(JSON, f"{FOR} 198.51.100.7,")]),
    "two such headers": (0, [post(JSON, f"{FOR} 198.51.100.7", f"{FOR} 203.0.113.9")]),
    "a scheme": (1, [post(JSON, "X-Forwarded-Proto: https", f"{FOR} 198.51.100.7")]),
    "a bug": (1, [post(JSON, path="/t/s-1/fail", last=False)]),
    "a bug and one more": (1, [post(JSON, path="/t/s-1/fail", last=False) + post(JSON)]),
    "a task that was cancelled": (1, [post(JSON, path="/t/s-1/cancelled")]),
    "headers of its own": (1, [post(JSON, path="/t/s-1/own")]),
    "headers of its own, kept": (2, [post(JSON, path="/t/s-1/own", last=False), post(JSON)]),
    "a response of the framework": (1, [get("/t/s-1/framed")]),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
async def test_both_ways_answer_alike(case: str, caplog: pytest.LogCaptureFixture) -> None:
    expected, pieces = TABLE[case]
    logs = []
    answers = []
    for short_way in (True, False):
        caplog.clear()
        async with house(short_way=short_way) as one:
            answers.append(await told(one, *pieces))
            assert one.short == (expected if short_way else 0)
            counts = [line for line in one.measures.metrics.render().decode().splitlines() if "requests_total" in line]
        logs.append([r.message for r in caplog.records if r.name.startswith("uvicorn") and "process" not in r.message])
        answers[-1] += [line.encode() for line in counts]
    assert answers[0] == answers[1]
    assert logs[0] == logs[1]


@pytest.mark.parametrize("trusted", ["*", "10.0.0.0/8", ""])
async def test_an_address_is_believed_as_the_setting_says(trusted: str) -> None:
    answers = []
    for short_way in (True, False):
        async with house(short_way=short_way, forwarded_allow_ips=trusted) as one:
            answers.append(
                [await told(one, post(JSON, f"{FOR} {who}")) for who in ("198.51.100.7", "1.1.1.1, 10.0.0.1", "")]
            )
            assert one.short == (3 if short_way else 0)
    assert answers[0] == answers[1]
    assert (b"198.51.100.7" in answers[0][0][1].partition(b"]]")[2]) == (trusted == "*")


@pytest.mark.parametrize(
    "options",
    [{"root_path": "/t"}, {"limit_concurrency": 100}, {"reset_contextvars": True}],
    ids=lambda one: next(iter(one)),
)
async def test_what_uvicorn_is_told_to_do_with_each_request_it_does(options: dict[str, Any]) -> None:
    async with house(short_way=True, **options) as one:
        await told(one, post(JSON))
        assert one.short == 0


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("short_way", [True, False])
async def test_a_server_that_stops_answers_what_it_has_begun(short_way: bool) -> None:
    async with house(short_way=short_way) as one:
        asking = asyncio.create_task(told(one, get("/t/s-1/slow", last=False)))
        await until(lambda: one.begun == 1)
        one.server.should_exit = True
        await asyncio.sleep(0.3)
        one.go_on.set()
        (_, answer) = await asking
        assert answer.endswith(b'connection: close\r\n\r\n"late"')
        assert one.short == short_way


@pytest.mark.parametrize("short_way", [True, False])
async def test_who_leaves_before_the_answer_stops_nothing(short_way: bool, caplog: pytest.LogCaptureFixture) -> None:
    async with house(short_way=short_way) as one:
        _, writer = await asyncio.open_connection("127.0.0.1", one.port)
        writer.write(get("/t/s-1/slow"))
        await until(lambda: one.begun == 1)
        writer.close()
        await asyncio.sleep(0.1)
        one.go_on.set()
        await until(lambda: one.done == 1)
        assert one.short == short_way
    assert "Exception" not in caplog.text


@pytest.mark.parametrize("short_way", [True, False])
async def test_who_reads_slowly_is_waited_for(short_way: bool) -> None:
    """The first answer fills the socket, so that the second one waits for its turn, as uvicorn has it wait."""
    async with house(short_way=short_way) as one:
        reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
        writer.write(get("/t/s-1/large", last=False))
        await asyncio.sleep(0.2)
        writer.write(get("/t/s-1/large"))
        await asyncio.sleep(0.2)
        async with asyncio.timeout(PATIENCE_S):
            text = await reader.read(-1)
        writer.close()
        assert text.count(LARGE) == 2
        assert one.short == (2 if short_way else 0)


@pytest.mark.parametrize("short_way", [True, False])
async def test_a_connection_is_kept_from_its_last_answer_on(short_way: bool) -> None:
    """One timer serves many requests, and none of them ends it early or late."""
    async with house(short_way=short_way, timeout_keep_alive=1) as one:
        reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
        for path in ("look", "framed", "look", "slow"):
            writer.write(get(f"/t/s-1/{path}", last=False))
            if path == "slow":
                await asyncio.sleep(1.5)
                one.go_on.set()
            assert await reader.read(65536)
            await asyncio.sleep(0.5)
        began_s = monotonic_s()
        async with asyncio.timeout(PATIENCE_S):
            assert await reader.read(-1) == b""
        assert 0.2 < monotonic_s() - began_s < 3
        writer.close()


async def test_a_connection_that_became_a_websocket_is_not_closed_as_an_idle_one() -> None:
    came: list[bytes] = []

    class Elsewhere(asyncio.Protocol):
        def __init__(self, **_: Any) -> None: ...

        def data_received(self, data: bytes) -> None:
            came.append(data)

    async with house(short_way=True, timeout_keep_alive=1, ws=Elsewhere) as one:
        reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
        writer.write(get("/t/s-1/look", last=False))
        assert await reader.read(65536)
        upgrade = get(PATHS[0], "Upgrade: websocket", "Connection: upgrade", last=False)
        writer.write(upgrade)
        await until(lambda: bool(came))
        await asyncio.sleep(1.5)
        writer.write(b"still here")
        await until(lambda: came[-1] == b"still here")
        writer.close()
