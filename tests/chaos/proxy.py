"""A cable: a proxy between two parties, over TCP or a Unix socket, whose faults are switched at run time.

Owns: listening, passing bytes on, and the faults on their way: delay with jitter, a cut, a half-open connection, one byte
at a time, a reset. Never: looks into the bytes. It runs in the event loop of whoever opened it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

Place = Path | tuple[str, int]
"""A Unix socket's path, or host and port."""

CHUNK = 65_536
DRIP_S = 0.0005
"""Pause between two bytes of a dripping cable: a message of 2 KB takes a second."""
FAULTS = ("delay", "cut", "half-open-there", "half-open-back", "drip", "reset")


@dataclass(slots=True)
class Dial:
    """The current faults of a cable. Durations are seconds."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    drip: bool = False
    refused: bool = False
    """New connections are reset at once."""
    swallows: str = ""
    """`there` or `back`: bytes in that direction are dropped while the connection stays open, as after a power cut."""
    keeps: bool = False
    """The end of one side is not passed on: last bytes arrive, and the connection stays open."""


@dataclass(eq=False, slots=True)
class _Pair:
    """One connection through the cable, with both of its ends."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    lost: bool = False
    """Bytes were dropped, so the connection can never be correct again."""

    def reset(self) -> None:
        """End it as a crashed host does: with RST over TCP, abruptly otherwise."""
        for end in (self.near, self.far):
            sock = end.get_extra_info("socket")
            if sock is not None and sock.family == socket.AF_INET:
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.transport.abort()


@dataclass(slots=True)
class Cable:
    """A named cable from its listening address to `target`."""

    name: str
    target: Place
    chance: Random
    dial: Dial = field(default_factory=Dial)
    seen: dict[str, int] = field(default_factory=dict)
    """Number of times that each fault was switched on."""
    _pairs: set[_Pair] = field(default_factory=set)
    _server: asyncio.Server | None = None
    port: int = 0

    async def open(self, at: Path | None = None) -> None:
        """Listen on loopback, or on a Unix socket."""
        if at is None:
            self._server = await asyncio.start_server(self._taken, "127.0.0.1", 0)
            self.port = self._server.sockets[0].getsockname()[1]
        else:
            self._server = await asyncio.start_unix_server(self._taken, at)

    @property
    def url(self) -> str:
        """Return the address on which it listens, for HTTP."""
        return f"http://127.0.0.1:{self.port}"

    async def close(self) -> None:
        """End every connection and stop listening."""
        assert self._server is not None
        self._server.close()
        self.reset()

    # --- the dial -----------------------------------------------------------------------------------------------

    def turn(self, fault: str) -> None:
        """Switch on one of FAULTS, until `heal`."""
        self.seen[fault] = self.seen.get(fault, 0) + 1
        match fault:
            case "delay":
                self.dial = Dial(delay_s=self.chance.uniform(0.02, 0.3), jitter_s=self.chance.uniform(0.0, 0.5))
            case "drip":
                self.dial = Dial(drip=True)
            case "cut":
                self.dial = Dial(refused=True)
                self.reset()
            case "reset":
                self.reset()
            case _:
                self.dial = Dial(swallows=fault.rpartition("-")[2])

    def heal(self) -> None:
        """Switch all faults off. Connections that have lost bytes end."""
        self.dial = Dial()
        for pair in [p for p in self._pairs if p.lost]:
            pair.reset()

    def reset(self) -> None:
        """End every connection at once."""
        for pair in list(self._pairs):
            pair.reset()

    # --- the bytes ----------------------------------------------------------------------------------------------

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.dial.refused:
            _Pair(writer, writer).reset()
            return
        try:
            far_reader, far_writer = await self._reach()
        except OSError:
            _Pair(writer, writer).reset()
            return
        pair = _Pair(writer, far_writer)
        self._pairs.add(pair)
        try:
            await asyncio.gather(
                self._carry(pair, reader, far_writer, "there"), self._carry(pair, far_reader, writer, "back")
            )
        finally:
            self._pairs.discard(pair)
            for end in (writer, far_writer):
                end.close()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, Path):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection(*self.target)

    async def _carry(self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        """Forward bytes until that side ends, then notify the other side."""
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK):
                await self._pass_on(pair, writer, chunk, way)
        while self.dial.keeps:
            await asyncio.sleep(0.01)
        with contextlib.suppress(OSError, RuntimeError):
            if writer.can_write_eof():
                writer.write_eof()

    async def _pass_on(self, pair: _Pair, writer: asyncio.StreamWriter, chunk: bytes, way: str) -> None:
        dial = self.dial
        if dial.swallows == way:
            pair.lost = True
            return
        if dial.delay_s or dial.jitter_s:
            await asyncio.sleep(dial.delay_s + self.chance.random() * dial.jitter_s)
        if not dial.drip:
            writer.write(chunk)
            await writer.drain()
            return
        for n in range(len(chunk)):
            writer.write(chunk[n : n + 1])
            await writer.drain()
            if self.dial.drip:
                await asyncio.sleep(DRIP_S)
