"""A name that resolves slowly, or not at all, holds up its own peer and nobody else."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from croupier.kit import resolver
from croupier.kit.http import HttpWire
from croupier.kit.resolver import Lookup
from croupier.kit.wire import PeerError, WireRequest

REAL = socket.getaddrinfo


class Names:
    """The system's look-up of names, with some that hang until the end of the test, and some that are gone."""

    def __init__(self) -> None:
        self.hanging: set[str] = set()
        self.gone: set[str] = set()
        self.asked: list[str] = []
        self.over = threading.Event()

    def __call__(self, host: str, *args: Any, flags: int = 0, **more: Any) -> Any:
        if not flags & socket.AI_NUMERICHOST:
            self.asked.append(host)
            if host in self.hanging:
                self.over.wait(20)
            if host in self.hanging | self.gone:
                raise socket.gaierror(socket.EAI_AGAIN, "no answer")
            host = "127.0.0.1"
        return REAL(host, *args, flags=flags, **more)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    made = Names()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    yield made
    made.over.set()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    writer.close()


async def test_two_dead_names_do_not_hold_up_a_third(names: Names) -> None:
    """Issue: healthy pay-ins failed while two other casinos' names resolved slowly. A hundred calls wait for them."""
    names.hanging = {"dead-1.example", "dead-2.example"}
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    wire = HttpWire(allow_private=True)

    def call(peer: str, host: str, connect_s: float) -> asyncio.Task[Any]:
        url = f"http://{host}:{port}/"
        return asyncio.create_task(wire.send(WireRequest("POST", url, body=b"x", peer=peer, connect_s=connect_s)))

    before = threading.active_count()
    held = [call(f"casino {n % 2 + 1}", f"dead-{n % 2 + 1}.example", 15.0) for n in range(100)]
    await asyncio.sleep(0.05)
    assert threading.active_count() - before <= 2
    for _ in range(10):
        assert (await asyncio.wait_for(call("casino 3", "alive.example", 2.0), 2.0)).body == b"ok"
    assert not any(one.done() for one in held)
    names.over.set()
    failed = await asyncio.gather(*held, return_exceptions=True)
    assert all(isinstance(one, PeerError) and not one.sent for one in failed)
    await wire.close()
    server.close()


async def test_a_dead_name_costs_its_own_call_no_more_than_the_time_to_connect(names: Names) -> None:
    names.hanging = {"dead.example"}
    wire = HttpWire(allow_private=True)
    with pytest.raises(PeerError, match="in time") as failed:
        await wire.send(WireRequest("POST", "http://dead.example/", connect_s=0.1, total_s=10))
    assert not failed.value.sent
    await wire.close()


async def test_what_was_known_is_used_while_the_name_fails(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "FRESH_S", 0.0)
    monkeypatch.setattr(resolver, "PATIENCE_S", 0.05)
    asked = Lookup()
    first = await asked.addresses("casino.example", 80)
    assert [place[0] for *_, place in first] == ["127.0.0.1"]
    names.gone = {"casino.example"}
    assert await asked.addresses("casino.example", 80) == first
    names.hanging = {"casino.example"}
    assert await asyncio.wait_for(asked.addresses("casino.example", 80), 1.0) == first
    assert await asyncio.wait_for(asked.addresses("casino.example", 80), 1.0) == first


async def test_a_name_is_asked_after_once_for_all_who_wait(names: Names) -> None:
    asked = Lookup()
    await asyncio.gather(*(asked.addresses("casino.example", 80) for _ in range(20)))
    await asked.addresses("casino.example", 80)
    assert names.asked == ["casino.example"]


async def test_hanging_names_of_one_peer_take_no_more_threads_than_they_may(names: Names) -> None:
    names.hanging = {f"dead-{n}.example" for n in range(10)}
    asked = Lookup()
    waiting = [asyncio.create_task(asked.addresses(name, 80)) for name in sorted(names.hanging)]
    await asyncio.sleep(0.05)
    # By name: a thread of an earlier test may end meanwhile.
    lookups = [thread for thread in threading.enumerate() if thread.name.startswith("lookup dead-")]
    assert len(lookups) == resolver.MOST_AT_ONCE
    names.over.set()
    assert all(isinstance(one, OSError) for one in await asyncio.gather(*waiting, return_exceptions=True))


async def test_a_name_that_never_was_is_an_error(names: Names) -> None:
    names.gone = {"nobody.example"}
    with pytest.raises(OSError, match="nobody.example: the name server does not answer"):
        await Lookup().addresses("nobody.example", 80)


async def test_an_address_is_not_looked_up(names: Names) -> None:
    assert await Lookup().addresses("127.0.0.1", 8080) == (
        (socket.AF_INET, socket.SOCK_STREAM, 6, ("127.0.0.1", 8080)),
    )
    assert names.asked == []
