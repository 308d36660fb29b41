"""The feed on a real hub with two workers: one publishes, and when it is killed the other goes on with the next number."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.feed.site import Site, open_site, until

pytestmark = pytest.mark.slow

QUIET_S = 8.0
"""A publisher that was killed is replaced within the lease and a moment."""


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path) as made:
        yield made


async def test_the_publisher_is_killed_and_the_other_worker_follows_the_draw_to_its_result(site: Site) -> None:
    async def shows_bets() -> bool:
        wgi = (await site.snapshot())[1].get("wgi", [])
        return [draw["ps"] for draw in wgi] == [1]

    assert await site.publish() == 1
    await until(shows_bets)
    killed, (number, _) = await site.publishing_pid(), await site.snapshot()
    os.kill(killed, signal.SIGKILL)
    over_ms = time.time_ns() // 1_000_000 - 1
    result = {"state": 3, "playState": 2, "bettingEndsAt": over_ms, "results": [7, 12, 31]}

    async def taken() -> bool:
        try:
            return await site.publish(version=2, startsAt=over_ms - 1000, **result) == 1
        except aiohttp.ClientError:
            return False

    async def shows_result() -> bool:
        wgi = (await site.snapshot())[1]["wgi"]
        return [draw["res"] for draw in wgi] == [[7, 12, 31]]

    await until(taken)
    await until(shows_result, QUIET_S)
    assert (await site.snapshot())[0] > number
    assert await site.publishing_pid() != killed
    (draw,) = (await site.value("games/list?GameType=23"))["GameResults"]
    assert (draw["s"], draw["res"], draw["lrId"]) == (3, [7, 12, 31], draw["i"])


async def test_a_snapshot_every_half_second_and_at_once_on_a_change(site: Site) -> None:
    async def published() -> bool:
        return (await site.snapshot())[0] >= 0

    await until(published)
    first, _ = await site.snapshot()
    await asyncio.sleep(3.0)
    later, _ = await site.snapshot()
    assert 3 <= later - first <= 8, "six, on a machine that is not asleep"
    async with site.http.get(f"{site.url}/metrics") as answer:
        assert 'croupier_feed_snapshots_total{game_type="23"}' in await answer.text()
