"""Two hosts on one PostgreSQL: one hub is killed under load, and the other finishes every payment.

Two `croupier serve` with homes of their own and the same key file, behind a balancer that sends each connection to one that
answers. What docs/SCALING.md says of hosts is proved here.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from croupier.apps.world import LocalWorld, _introduce, start_hub, stop
from croupier.kit.config import load
from croupier.kit.http import HttpWire
from tests.apps.load import WAITS, play_through
from tests.apps.postgres_servers import servers
from tests.conftest import make_home, remove_home


class Balancer:
    """Sends each connection to the next hub that takes it."""

    def __init__(self, urls: list[str]) -> None:
        self._turns: Iterator[int] = itertools.cycle([urlsplit(url).port or 0 for url in urls])
        self._count = len(urls)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(self._count):
            try:
                there_reader, there_writer = await asyncio.open_connection("127.0.0.1", next(self._turns))
            except OSError:
                continue
            await asyncio.gather(self._carry(reader, there_writer), self._carry(there_reader, writer))
            return
        writer.close()

    @staticmethod
    async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_of_two_hubs_on_one_database_one_is_killed_and_the_other_finishes_everything() -> None:
    homes = [make_home(), make_home()]
    try:
        with servers(standby=False) as pair:
            asyncio.run(two_hubs(homes, pair.url))
    finally:
        for home in homes:
            remove_home(home)


async def two_hubs(homes: list[Path], url: str) -> None:
    around = {name: value for name, value in os.environ.items() if not name.startswith("CROUPIER_")}
    shared = {**around, **WAITS, "CROUPIER_DATABASE_URL": url, "CROUPIER_ALLOW_PRIVATE_PEERS": "1"}
    first, first_url = await start_hub({**shared, "CROUPIER_HOME": str(homes[0])}, 1, log=homes[0] / "hub.log")
    hubs = [first]
    wire = HttpWire(allow_private=True)
    try:
        shutil.copy(homes[0] / "key", homes[1] / "key")
        second, second_url = await start_hub({**shared, "CROUPIER_HOME": str(homes[1])}, 1, log=homes[1] / "hub.log")
        hubs.append(second)
        balancer = await asyncio.start_server(Balancer([first_url, second_url]).serve, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{balancer.sockets[0].getsockname()[1]}"
        environ = {**shared, "CROUPIER_HOME": str(homes[1])}
        settings = load({name: value for name, value in environ.items() if name.startswith("CROUPIER_")})
        world = LocalWorld(settings, environ, wire, second, address)
        with (homes[1] / "sides.log").open("ab") as sink:
            try:
                await _introduce(world, sink)
                await play_through(world, lambda: killed(first.pid))
            finally:
                await stop(world.processes)
        balancer.close()
    finally:
        await stop(hubs)
        await wire.close()


async def killed(pid: int) -> None:
    """The whole hub at once, its workers included."""
    os.killpg(pid, signal.SIGKILL)
