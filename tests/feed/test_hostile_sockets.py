"""Clients that do harm: each is refused or cut off, and the others notice nothing."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import redirect_stderr, suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from croupier.apps import socket_guard
from croupier.feed import client as client_module
from croupier.feed import connections as connections_module
from croupier.feed.client import MOST_UNSENT
from croupier.feed.signalr.messages import MAX_MESSAGE
from croupier.kit import log
from croupier.store.db import Db
from tests.feed.hall import END, HELLO, Browser, Hall, open_hall, until

pytestmark = pytest.mark.one_in(2)

LARGE = 100_000


@pytest.fixture
async def hall(db: Db, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hall]:
    monkeypatch.setattr(connections_module, "WATCH_S", 0.05)
    async with open_hall(db) as made:
        yield made


class Raw:
    """A client made of bytes, which reads only when it is told to."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._sock = socket.socket()
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._sock.setblocking(False)

    async def open(self) -> Raw:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._sock, ("127.0.0.1", self._hall.port))
        key = base64.b64encode(b"0123456789abcdef").decode()
        head = f"GET {self._hall.path}?access_token={self._hall.token} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
        head += f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        await self.send(head.encode())
        assert (await self.read()).startswith(b"HTTP/1.1 101")
        return self

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._sock, data)

    async def text(self, text: str) -> None:
        await self.send(Frame(Opcode.TEXT, text.encode()).serialize(mask=True))

    async def read(self) -> bytes:
        async with asyncio.timeout(20):
            return await asyncio.get_running_loop().sock_recv(self._sock, 65_536)

    async def to_the_end(self) -> bytes:
        heard = b""
        try:
            while piece := await self.read():
                heard += piece
        except ConnectionError:
            pass
        return heard

    def close(self) -> None:
        self._sock.close()


async def still_served(hall: Hall, browser: Browser, sequence: int) -> None:
    hall.push(sequence)
    assert await browser.sequence() == sequence


async def test_a_message_that_is_too_large_ends_its_connection_alone(hall: Hall) -> None:
    async with hall.subscriber() as other:
        async with hall.browser() as browser:
            await browser.line.send("x" * (MAX_MESSAGE + 1))
            closed = await browser.next()
            assert closed["type"] == 7
            assert "at most" in closed["error"]
        async with hall.browser() as browser:
            await browser.line.send("x" * (2 * MAX_MESSAGE + 1))
            with pytest.raises(ConnectionClosed):
                await browser.next()
        await still_served(hall, other, 1)


async def test_a_message_in_many_frames_and_many_in_one_are_read(hall: Hall) -> None:
    async with hall.line() as line:
        for letter in HELLO:
            await line.send(letter)
        assert await line.recv() == "{}" + END
        await line.recv()
        await line.send(
            [('{"type":6}' + END) * 3, '{"type":1,"target":"X","arguments":[],', '"invocationId":"4"}' + END]
        )
        assert '"invocationId":"4"' in str(await line.recv())


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "junk", ["hello" + END, "[]" + END, '{"type":99}' + END, '{"type":"1"}' + END, "{" * 9000 + END]
)
async def test_what_is_no_message_ends_the_connection(hall: Hall, junk: str) -> None:
    async with hall.browser() as browser:
        await browser.line.send(junk)
        assert (await browser.next())["type"] == 7
        with pytest.raises(ConnectionClosed):
            await browser.next()


async def test_half_a_frame_and_a_hang_up_leave_nothing_behind(hall: Hall) -> None:
    raw = await Raw(hall).open()
    await until(lambda: len(hall.connections) == 1)
    await raw.send(Frame(Opcode.TEXT, HELLO.encode()).serialize(mask=True)[:9])
    raw.close()
    await until(lambda: len(hall.connections) == 0)


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.PING, Opcode.BINARY])
async def test_a_flood_of_frames_is_cut_off(hall: Hall, opcode: Opcode) -> None:
    async with hall.subscriber() as other:
        raw = await Raw(hall).open()
        await raw.text(HELLO)
        flood = Frame(opcode, b"").serialize(mask=True) * (4 * socket_guard.FRAMES)
        with suppress(ConnectionError):
            await raw.send(flood)
        await raw.to_the_end()
        raw.close()
        await until(lambda: len(hall.connections) == 1)
        await still_served(hall, other, 1)


async def test_too_many_calls_end_the_connection(hall: Hall) -> None:
    async with hall.browser() as browser:
        await browser.line.send(('{"type":1,"target":"Shout","arguments":[]}' + END) * (client_module.BURST + 1))
        closed = await browser.next()
        assert closed == {"type": 7, "error": "too many messages"}
    await until(lambda: hall.metric("croupier_feed_dropped_total") == 1)


async def test_a_client_that_stops_reading_is_cut_to_the_newest_and_costs_a_bounded_buffer(hall: Hall) -> None:
    async with hall.subscriber() as other:
        raw = await Raw(hall).open()
        await raw.text(HELLO)
        told = json.dumps(json.dumps({"GameType": 3, "PartnerClientId": hall.casino_id}))
        await raw.text('{"type":1,"target":"Subscribe","arguments":["SubOnWholeGamesInfo",' + told + "]}" + END)
        await until(lambda: len(hall.connections.fan_out._subscribers.get(3, ())) == 2)
        for sequence in range(1, 61):
            hall.push(sequence, size=LARGE)
            assert await other.sequence() == sequence
            assert max(c.socket.unsent() for c in hall.connections._clients) <= MOST_UNSENT
        slow = max(hall.connections._clients, key=lambda client: client.socket.unsent())
        assert slow.socket.full
        heard = b""
        while b'"sId":60,' not in heard:
            heard = (heard + await raw.read())[-3 * LARGE :]
        await until(lambda: not slow.socket.full)
        assert hall.metric("croupier_feed_pushes_total") < 115, "what it did not read was not sent"
        raw.close()


@pytest.mark.slow
async def test_a_client_that_never_reads_is_dropped(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "STALLED_S", 0.3)
    raw = await Raw(hall).open()
    await raw.text(HELLO)
    told = json.dumps(json.dumps({"GameType": 3, "PartnerClientId": hall.casino_id}))
    await raw.text('{"type":1,"target":"Subscribe","arguments":["SubOnWholeGamesInfo",' + told + "]}" + END)
    await until(lambda: 3 in hall.connections.fan_out._subscribers)
    sequence = 0
    while len(hall.connections):
        sequence += 1
        hall.push(sequence, size=LARGE)
        await asyncio.sleep(0.02)
    raw.close()
    assert hall.metric('croupier_feed_dropped_total{why="stalled"}') == 1


async def test_no_token_and_no_connection_token_reaches_a_log(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """The libraries' lines included, at the most talkative level."""
    heard = io.StringIO()
    monkeypatch.setattr(logging.getLogger("websockets.client"), "disabled", True)  # the test's own client
    with redirect_stderr(heard):
        log.configure("debug")
        logging.getLogger().setLevel(logging.DEBUG)
        try:
            _, _, told = await hall.negotiate(f"?negotiateVersion=1&access_token={hall.token}")
            secret = told["connectionToken"]
            async with hall.line(f"?id={secret}&access_token={hall.token}", {}) as line:
                await line.send(HELLO)
                await line.recv()
                await line.send("junk" + END)
            raw = Raw(hall)
            hall.token, good = hall.token[:-3] + "xyz", hall.token
            with pytest.raises(AssertionError):
                await raw.open()
            raw.close()
            await asyncio.sleep(0.1)
        finally:
            log.configure()
            logging.getLogger().handlers.clear()
    lines = heard.getvalue()
    assert "feed.unauthorized" in lines
    for hidden in (good, hall.token, secret, good.split(".")[2][:-3], secret.split(".")[2]):
        assert hidden not in lines
