"""The wire without a network: an app gets real bytes, and fails like a real peer."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from croupier.kit.clock import SystemClock
from croupier.kit.wire import PeerError, WireRequest
from croupier.simulator.in_process_http import InProcessWire

ORIGIN = "http://casino.test"


@pytest.fixture
async def wire() -> AsyncIterator[InProcessWire]:
    made = InProcessWire(SystemClock())
    yield made
    await made.close()


async def echo(request: Request) -> Response:
    seen = {
        "method": request.method,
        "path": request.url.path,
        "raw": request.scope["raw_path"].decode(),
        "query": request.url.query,
        "host": request.headers["host"],
        "sign": request.headers.get("x-sign"),
        "body": (await request.body()).decode(),
    }
    return JSONResponse(seen, 207, {"X-One": "a"})


def post(url: str = f"{ORIGIN}/pay", body: bytes = b"{}", **limits: Any) -> WireRequest:
    return WireRequest("POST", url, {"X-Sign": "ab"}, body, **limits)


async def fails(wire: InProcessWire, request: WireRequest) -> PeerError:
    with pytest.raises(PeerError) as failed:
        await wire.send(request)
    return failed.value


async def test_an_app_gets_the_request_and_its_answer_comes_back(wire: InProcessWire) -> None:
    wire.mount(ORIGIN + "/", Starlette(routes=[Route("/v1/{rest:path}", echo, methods=["POST"])]))
    answer = await wire.send(post("http://Casino.Test/v1/a%2Fb?x=%41", b'"jwt"'))
    assert answer.status == 207
    assert answer.headers["x-one"] == "a"
    assert json.loads(answer.body) == {
        "method": "POST",
        "path": "/v1/a/b",
        "raw": "/v1/a%2Fb",
        "query": "x=%41",
        "host": "Casino.Test",
        "sign": "ab",
        "body": '"jwt"',
    }


async def test_apps_that_wrap_and_stream_work_as_on_a_server(wire: InProcessWire) -> None:
    async def streamed(_request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            for piece in (b"one ", b"two"):
                await asyncio.sleep(0)
                yield piece

        return StreamingResponse(pieces())

    async def passed_on(request: Request, call_next: Any) -> Response:
        result: Response = await call_next(request)
        return result

    wire.mount(ORIGIN, Starlette(routes=[Route("/", streamed)], middleware=[Middleware(BaseHTTPMiddleware, passed_on)]))
    assert (await wire.send(WireRequest("GET", ORIGIN))).body == b"one two"


async def test_nobody_mounted_means_nothing_sent(wire: InProcessWire) -> None:
    wire.mount(ORIGIN, Starlette())
    assert not (await fails(wire, post("http://other.test/"))).sent
    assert not (await fails(wire, post("https://casino.test/"))).sent


async def test_an_app_that_crashes_answers_500_like_a_server(wire: InProcessWire) -> None:
    async def crash(_scope: Any, _receive: Any, _send: Any) -> None:
        raise RuntimeError("bug")

    wire.mount(ORIGIN, crash)
    assert (await wire.send(post())).status == 500


@pytest.mark.parametrize("crashes", [True, False])
async def test_an_answer_that_breaks_off_is_a_peer_error(wire: InProcessWire, crashes: bool) -> None:
    async def half(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"part", "more_body": True})
        if crashes:
            raise RuntimeError("bug")

    wire.mount(ORIGIN, half)
    assert (await fails(wire, post())).sent


async def test_an_app_that_is_slow_goes_on_after_it_was_given_up(wire: InProcessWire) -> None:
    went_on = asyncio.Event()
    heard: list[str] = []

    async def slow(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        heard.append((await receive())["type"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"late"})
        went_on.set()

    wire.mount(ORIGIN, slow)
    failed = await fails(wire, post(total_s=0.05))
    assert failed.why == "no whole answer in time"
    assert failed.sent
    await asyncio.wait_for(went_on.wait(), 5)
    assert heard == ["http.disconnect"]


async def test_the_limit_is_measured_by_the_clock_given() -> None:
    class InstantClock(SystemClock):
        async def sleep(self, seconds: float) -> None:
            assert seconds == 3600
            await asyncio.sleep(0.01)

    wire = InProcessWire(InstantClock())

    async def silent(_scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.Event().wait()

    wire.mount(ORIGIN, silent)
    assert (await fails(wire, post(total_s=3600))).sent
    await wire.close()


async def test_a_body_over_the_limit_is_a_peer_error(wire: InProcessWire) -> None:
    async def big(_request: Request) -> Response:
        return Response(b"x" * 101)

    wire.mount(ORIGIN, Starlette(routes=[Route("/pay", big, methods=["POST"])]))
    assert len((await wire.send(post(max_bytes=101))).body) == 101
    assert "more than 100" in (await fails(wire, post(max_bytes=100))).why


async def test_close_stops_what_was_given_up_and_answers_who_still_waits() -> None:
    stopped: list[bool] = []

    async def silent(_scope: Any, _receive: Any, _send: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(True)

    wire = InProcessWire(SystemClock())
    wire.mount(ORIGIN, silent)
    waiting = asyncio.create_task(wire.send(post()))
    await fails(wire, post(total_s=0.01))
    await wire.close()
    with pytest.raises(PeerError, match="stopped"):
        await waiting
    assert stopped == [True, True]
