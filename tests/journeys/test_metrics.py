"""`/metrics` of a hub with two workers: whichever answers the scrape, it shows what both did."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Iterator

import aiohttp

from croupier.apps.worker import FLUSH_S
from tests.journeys.stage import Stage, fresh

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
    await asyncio.sleep(2 * FLUSH_S)
    for stopped in (one, other):
        with standing_still(stopped):
            assert await refused(stage) >= before + 6


async def test_the_answers_to_a_provider_and_the_calls_to_a_casino_are_timed(stage: Stage) -> None:
    """By provider and route, and by casino and step; a request that nobody signed belongs to no provider."""
    table = await stage.table(await stage.new_casino(), await stage.new_studio())
    assert (await table.line.balance(table.session)).status == 200
    assert (await table.line.pay_in(table.session, fresh("b"))).outcome == (200, 1)
    await table.line.send("GET", f"/v1/sessions/{table.session}/balance", headers=table.line.signed(sign="0" * 64))
    await asyncio.sleep(2 * FLUSH_S)
    text = (await get(stage, "/metrics")).decode()
    provider, casino = table.line.provider_id, table.casino.line.client_id
    for route in ("balance", "pay-in"):
        assert f'croupier_provider_request_seconds_count{{provider="{provider}",route="{route}"}} 1.0' in text
    for step in ("balance", "make"):
        assert re.search(rf'croupier_call_seconds_count{{casino="{casino}",step="{step}"}} [1-9]', text)
