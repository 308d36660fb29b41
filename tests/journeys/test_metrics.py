"""`/metrics` of a hub with two workers: whichever answers the scrape, it shows what both did."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator

import aiohttp

from tests.journeys.stage import Stage

REFUSED = re.compile(
    rb'^croupier_requests_total\{outcome="401",route="balance",side="provider"\} ([0-9.]+)$', re.MULTILINE
)


@contextlib.contextmanager
def standing_still(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def get(stage: Stage, path: str) -> bytes:
    """On a connection of its own, so that the worker that runs takes it."""
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http,
        http.get(f"{stage.facts.hub_url}{path}") as answer,
    ):
        return await answer.read()


async def refused(stage: Stage) -> float:
    found = REFUSED.search(await get(stage, "/metrics"))
    return float(found[1]) if found else 0.0


async def test_each_worker_shows_the_requests_of_both(stage: Stage) -> None:
    rows = await stage.desk.store.db.fetch("select pid from processes order by pid")
    one, other = (row["pid"] for row in rows)
    before = await refused(stage)
    for stopped in (one, other):
        with standing_still(stopped):
            for _ in range(3):
                await get(stage, "/v1/sessions/s/balance")
    for stopped in (one, other):
        with standing_still(stopped):
            assert await refused(stage) >= before + 6
