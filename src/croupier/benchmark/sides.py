"""The load sides as processes: starting one, giving it orders, ending it.

Owns: the pipe to a side, whose end ends the side too. Never: what an order means.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

ANSWER_S = 30.0
END_S = 5.0


class SideFailed(Exception):
    """A load side ended, or did not answer. The text says which."""


class Side:
    """A running load side."""

    def __init__(self, name: str, process: Process) -> None:
        self.name = name
        self.process = process

    async def read(self) -> dict[str, Any]:
        """Return its next answer. Raises SideFailed."""
        assert self.process.stdout is not None
        try:
            async with asyncio.timeout(ANSWER_S):
                line = await self.process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            raise SideFailed(f"the {self.name} of the benchmark ended or does not answer; its output says why")
        told: dict[str, Any] = json.loads(line)
        return told

    async def ask(self, order: str | Mapping[str, object]) -> dict[str, Any]:
        """Give it an order and return its figures. Raises SideFailed."""
        assert self.process.stdin is not None
        text = order if isinstance(order, str) else json.dumps(order)
        with contextlib.suppress(ConnectionError):  # reading says that it has ended
            self.process.stdin.write(text.encode() + b"\n")
            await self.process.stdin.drain()
        return await self.read()


@asynccontextmanager
async def load_side(name: str, processor: str) -> AsyncIterator[tuple[Side, dict[str, Any]]]:
    """Run a side, `provider` or `casino`, on a processor. Yield it with its first answer; it has ended behind the block."""
    command = [sys.executable, "-m", "croupier.benchmark.side", name, processor]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, start_new_session=True, limit=2**20
    )
    side = Side(name, process)
    try:
        yield side, await side.read()
    finally:
        await _end(side)


async def _end(side: Side) -> None:
    """Order a side to end, and kill it if it does not."""
    process = side.process
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(b"end\n")
        await process.stdin.drain()
    process.stdin.close()
    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
