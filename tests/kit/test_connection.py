"""Bytes that nobody asked for never become the answer to the next call: raw peers that say too much, on both loops."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest
import uvloop

from croupier.kit.http import HttpWire
from croupier.kit.wire import PeerError, TooLate, WireRequest

T = TypeVar("T")
Runs = Callable[[Coroutine[Any, Any, T]], T]
Answer = Callable[[asyncio.StreamWriter, int], Awaitable[None]]
"""`answer(writer, turn)`: what is said to the request with this number, the first is 1."""


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Runs[Any]:
    """Run a story on the plain loop and on the one that serves."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def on_it(story: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(story)

    return on_it


@dataclass
class Peer:
    """A raw server and what it saw."""

    port: int = 0
    turns: int = 0
    connections: list[asyncio.StreamWriter] = field(default_factory=list)

    def ask(self, method: str = "POST", **more: Any) -> WireRequest:
        body = b"" if method == "GET" else b"{}"
        return WireRequest(method, f"http://127.0.0.1:{self.port}/", body=body, **{"total_s": 2.0, **more})


@asynccontextmanager
async def peer(answer: Answer) -> AsyncIterator[Peer]:
    there = Peer()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there.connections.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if b"content-length" in head.lower():
                    await reader.readexactly(2)
                there.turns += 1
                await answer(writer, there.turns)
        except (OSError, asyncio.IncompleteReadError):
            pass

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    there.port = server.sockets[0].getsockname()[1]
    try:
        yield there
    finally:
        server.close()
        for writer in there.connections:
            writer.transport.abort()
        await asyncio.sleep(0)


@asynccontextmanager
async def a_wire(rest_s: float | None = None) -> AsyncIterator[HttpWire]:
    wire = HttpWire(allow_private=True) if rest_s is None else HttpWire(allow_private=True, rest_s=rest_s)
    try:
        yield wire
    finally:
        await wire.close()


def said(text: str) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text.encode())


def in_chunks(text: str, behind: bytes = b"") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(text), text.encode()) + behind


async def twice_at_once(writer: asyncio.StreamWriter, turn: int) -> None:
    writer.write(said(f"answer {turn}") * 2)


def again_after(seconds: float, most: int = 2**20) -> Answer:
    """The same answer once more, so much later; only of the first so many."""

    async def answer(writer: asyncio.StreamWriter, turn: int) -> None:
        writer.write(said(f"answer {turn}"))
        if turn <= most:
            loop = asyncio.get_running_loop()
            loop.call_later(seconds, lambda: writer.is_closing() or writer.write(said(f"answer {turn}")))

    return answer


async def half_behind(writer: asyncio.StreamWriter, turn: int) -> None:
    writer.write(said(f"answer {turn}") + said("a lie")[:20])
    asyncio.get_running_loop().call_later(0.03, lambda: writer.write(said("a lie")[20:]))


async def half_idle(writer: asyncio.StreamWriter, turn: int) -> None:
    writer.write(said(f"answer {turn}"))
    asyncio.get_running_loop().call_later(0.03, lambda: writer.write(b"HTTP/1.1 200 OK\r\n"))


async def chunks_and_rubbish(writer: asyncio.StreamWriter, turn: int) -> None:
    writer.write(in_chunks(f"answer {turn}", said("a lie")))


async def chunks_and_one_byte(writer: asyncio.StreamWriter, turn: int) -> None:
    writer.write(in_chunks(f"answer {turn}", b"H"))


async def longer_than_said(writer: asyncio.StreamWriter, turn: int) -> None:
    writer.write(said(f"answer {turn}") + b" and more")


async def close_is_a_lie(writer: asyncio.StreamWriter, turn: int) -> None:
    writer.write(said(f"answer {turn}").replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
    asyncio.get_running_loop().call_later(0.03, lambda: writer.write(said("a lie")))


async def continues_first(writer: asyncio.StreamWriter, turn: int) -> None:
    writer.write(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + said(f"answer {turn}")
    )


async def continues_behind(writer: asyncio.StreamWriter, turn: int) -> None:
    writer.write(said(f"answer {turn}") + b"HTTP/1.1 100 Continue\r\n\r\n")


TALKERS: tuple[Answer, ...] = (
    twice_at_once,
    again_after(0.001),
    again_after(0.005),
    again_after(0.05),
    again_after(0.2),
    half_behind,
    half_idle,
    chunks_and_rubbish,
    chunks_and_one_byte,
    longer_than_said,
    close_is_a_lie,
    continues_first,
    continues_behind,
)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("pause_s", [0.0, 0.01, 0.06, 0.4])
def test_every_call_gets_its_own_answer(run: Runs[list[bytes]], pause_s: float) -> None:
    """Whatever a peer says besides, and however long the next call waits."""

    async def three_calls(answer: Answer) -> list[bytes]:
        async with peer(answer) as there, a_wire() as wire:
            bodies = []
            for turn in (1, 2, 3):
                bodies.append((await wire.send(there.ask())).body)
                await asyncio.sleep(pause_s if turn < 3 else 0)
            return bodies

    async def story() -> list[list[bytes]]:
        return await asyncio.gather(*map(three_calls, TALKERS))

    assert run(story()) == [[b"answer 1", b"answer 2", b"answer 3"]] * len(TALKERS)


def test_what_lies_in_the_socket_unread_is_seen_before_the_request_leaves(run: Runs[None]) -> None:
    """The loop had no chance to read it: the bytes came after its last look at the socket."""

    async def story() -> None:
        async with peer(again_after(9)) as there, a_wire(rest_s=0) as wire:
            await wire.send(there.ask())
            raw: socket.socket = there.connections[0].get_extra_info("socket")
            taken = asyncio.ensure_future(wire.send(there.ask()))
            # Sent and delivered before the client's task runs for the first time.
            there.connections[0].write(said("a lie"))
            assert raw is not None
            assert (await taken).body == b"answer 2"
            assert len(there.connections) == 2

    run(story())


def test_a_peer_that_says_too_much_gets_a_new_connection_for_each_call(run: Runs[None]) -> None:
    """What it did once it does again; a second copy may be slower next time than any rest."""

    async def story() -> None:
        async with peer(again_after(0.01, most=1)) as there, a_wire(rest_s=0) as wire:
            await wire.send(there.ask())
            await asyncio.sleep(0.05)
            for _ in range(3):
                await wire.send(there.ask())
            assert len(there.connections) == 4

    run(story())


def test_a_kept_connection_rests_before_it_is_used_again(run: Runs[None]) -> None:
    async def story() -> None:
        async with peer(again_after(9)) as there, a_wire(rest_s=0.1) as wire:
            await wire.send(there.ask())
            await wire.send(there.ask())
            assert len(there.connections) == 2
            await asyncio.sleep(0.15)
            for _ in range(2):
                await wire.send(there.ask())
            assert len(there.connections) == 2

    run(story())


def test_two_peers_at_one_address_share_no_connection(run: Runs[None]) -> None:
    async def story() -> None:
        async with peer(again_after(9)) as there, a_wire(rest_s=0) as wire:
            for name in ("casino 1", "casino 2", "provider 1", "casino 1", "casino 2"):
                await wire.send(there.ask(peer=name))
            assert len(there.connections) == 3

    run(story())


def test_a_peer_that_speaks_first_has_not_answered(run: Runs[None]) -> None:
    async def story() -> None:
        said_first, over = asyncio.Event(), asyncio.Event()

        async def speak_first(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(said("a lie"))
            said_first.set()
            await over.wait()
            writer.transport.abort()

        server = await asyncio.start_server(speak_first, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, a_wire() as wire:
            with pytest.raises(PeerError):
                # A request that does not fit into the socket: its first bytes leave, its last ones never do.
                await wire.send(WireRequest("POST", f"http://127.0.0.1:{port}/", body=b"x" * 50_000_000, total_s=2.0))
            await said_first.wait()
            over.set()
            await asyncio.sleep(0.01)

    run(story())


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_leaves_none_for_the_next(run: Runs[None], status: int) -> None:
    async def story() -> None:
        async def answer(writer: asyncio.StreamWriter, turn: int) -> None:
            lie = said("a lie")
            writer.write(
                b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(lie), lie) if turn == 1 else said("2")
            )

        async with peer(answer) as there, a_wire(rest_s=0) as wire:
            first = await wire.send(there.ask())
            assert (first.status, first.body) == (status, b"")
            assert (await wire.send(there.ask())).body == b"2"

    run(story())


def test_an_answer_to_head_has_no_body_and_its_connection_is_not_kept(run: Runs[None]) -> None:
    async def story() -> None:
        async with peer(again_after(9)) as there, a_wire(rest_s=0) as wire:
            assert (await wire.send(there.ask("HEAD"))).body == b""
            assert (await wire.send(there.ask())).body == b"answer 2"
            assert len(there.connections) == 2

    run(story())


def test_a_kept_connection_that_the_peer_closed_is_not_used(run: Runs[None]) -> None:
    async def story() -> None:
        async def answer(writer: asyncio.StreamWriter, turn: int) -> None:
            writer.write(said(f"answer {turn}"))
            await writer.drain()
            writer.close()

        async with peer(answer) as there, a_wire(rest_s=0) as wire:
            for turn in range(1, 6):
                assert (await wire.send(there.ask())).body == f"answer {turn}".encode()
                await asyncio.sleep(0.01)

    run(story())


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\nContent-Length: 2\n\nok",
        b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nTrailer: t\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nServer: caf\xe9\r\nX-Odd: \x01\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_what_decides_nothing_is_forgiven(run: Runs[None], answer: bytes) -> None:
    async def story() -> None:
        async def dialect(writer: asyncio.StreamWriter, _turn: int) -> None:
            writer.write(answer)

        async with peer(dialect) as there, a_wire(rest_s=0) as wire:
            for _ in range(2):
                assert (await wire.send(there.ask())).body == b"ok"

    run(story())


def test_a_body_that_ends_with_the_connection_is_whole(run: Runs[None]) -> None:
    async def story() -> None:
        async def answer(writer: asyncio.StreamWriter, _turn: int) -> None:
            writer.write(b"HTTP/1.0 200 OK\r\n\r\nall of it")
            await writer.drain()
            writer.close()

        async with peer(answer) as there, a_wire() as wire:
            assert (await wire.send(there.ask())).body == b"all of it"

    run(story())


def test_the_body_is_made_when_a_connection_stands_and_nothing_is_sent_when_it_is_too_late(run: Runs[Any]) -> None:
    """A stake must not leave after its hold time, however long a name or a connection took."""

    async def answered(writer: asyncio.StreamWriter, _turn: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def story() -> None:
        async with peer(answered) as there:
            order: list[str] = []

            class Watched(HttpWire):
                async def _connected(self, *args: Any, **more: Any) -> Any:
                    line = await super()._connected(*args, **more)
                    order.append("connected")
                    return line

            wire = Watched(allow_private=True)

            def seal() -> bytes:
                order.append("sealed")
                if order.count("sealed") == 2:
                    raise TooLate("over")
                return b"{}"

            for _ in range(2):
                try:
                    await wire.send(replace(there.ask(), body=b"", seal=seal))
                except TooLate as late:
                    assert not late.sent
            await asyncio.sleep(0.05)
            assert there.turns == 1
            assert order[:2] == ["connected", "sealed"]
            await wire.close()

    run(story())
