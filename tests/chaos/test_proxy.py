"""A cable is good until its dial is turned, does each fault as named, and is good again when healed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from tests.chaos.proxy import FAULTS, Cable, Dial

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def cable() -> AsyncIterator[Cable]:
    """A cable to somebody who says everything back."""

    async def say_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(1000):
                writer.write(chunk)
        writer.close()

    server = await asyncio.start_server(say_back, "127.0.0.1", 0)
    made = Cable("test", ("127.0.0.1", server.sockets[0].getsockname()[1]), Random(1))
    await made.open()
    yield made
    while _plugged:
        _plugged.pop().close()
    made.heal()
    await made.close()
    server.close()
    await asyncio.sleep(0.05)


_plugged: list[asyncio.StreamWriter] = []


async def plug_in(cable: Cable) -> Ends:
    ends = await asyncio.open_connection("127.0.0.1", cable.port)
    _plugged.append(ends[1])
    return ends


async def echo(ends: Ends, said: bytes = b"hello") -> bytes:
    """What comes back within a second, empty if the other side ended."""
    ends[1].write(said)
    async with asyncio.timeout(1):
        return await ends[0].readexactly(len(said))


async def is_dead(ends: Ends) -> bool:
    try:
        async with asyncio.timeout(1):
            return await ends[0].read(1) == b""
    except ConnectionResetError:
        return True


async def test_it_passes_bytes_on_and_the_end_of_either_side(cable: Cable) -> None:
    ends = await plug_in(cable)
    assert await echo(ends) == b"hello"
    ends[1].write_eof()
    assert await is_dead(ends)


async def test_delay_is_waited_and_every_byte_arrives(cable: Cable) -> None:
    cable.dial = Dial(delay_s=0.1)
    began = time.monotonic()
    assert await echo(await plug_in(cable)) == b"hello"
    assert time.monotonic() - began >= 0.2


async def test_it_drips_byte_by_byte(cable: Cable) -> None:
    cable.turn("drip")
    reader, writer = await plug_in(cable)
    writer.write(b"hello")
    async with asyncio.timeout(5):
        assert [await reader.read(1000) for _ in range(5)] == [b"h", b"e", b"l", b"l", b"o"]


@pytest.mark.parametrize("fault", ["half-open-there", "half-open-back"])
async def test_half_open_swallows_and_stands_until_it_is_healed(cable: Cable, fault: str) -> None:
    ends = await plug_in(cable)
    assert await echo(ends) == b"hello"
    cable.turn(fault)
    with pytest.raises(TimeoutError):
        await echo(ends)
    cable.heal()
    assert await is_dead(ends), "what has lost bytes can never be right again"
    assert await echo(await plug_in(cable)) == b"hello"


async def test_reset_ends_what_stands_and_takes_what_is_new(cable: Cable) -> None:
    ends = await plug_in(cable)
    assert await echo(ends) == b"hello"
    cable.turn("reset")
    assert await is_dead(ends)
    assert await echo(await plug_in(cable)) == b"hello"


async def test_cut_ends_what_stands_and_refuses_what_is_new_until_it_is_healed(cable: Cable) -> None:
    ends = await plug_in(cable)
    assert await echo(ends) == b"hello"
    cable.turn("cut")
    assert await is_dead(ends)
    assert await is_dead(await plug_in(cable))
    cable.heal()
    assert await echo(await plug_in(cable)) == b"hello"


async def test_it_carries_a_unix_socket_as_well(cable: Cable, tmp_path: Path) -> None:
    outer = Cable("outer", ("127.0.0.1", cable.port), Random(1))
    await outer.open(tmp_path / "s")
    ends = await asyncio.open_unix_connection(tmp_path / "s")
    assert await echo(ends) == b"hello"
    ends[1].close()
    await asyncio.sleep(0.05)
    await outer.close()


async def test_what_was_turned_on_is_counted(cable: Cable) -> None:
    for fault in FAULTS:
        cable.turn(fault)
        cable.heal()
    assert cable.seen == dict.fromkeys(FAULTS, 1)
