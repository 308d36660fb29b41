"""A network that is slow, or gone for a while in the middle of a game: the frame says so, goes on, and no bet is doubled."""

from __future__ import annotations

import asyncio

import pytest

from tests.browser.chromium import NEEDS_CHROMIUM
from tests.browser.conftest import FRAME, PLAY, Scene

pytestmark = [NEEDS_CHROMIUM, pytest.mark.slow]
AWAY_S = 5.0


async def test_a_slow_network_only_takes_longer(scene: Scene) -> None:
    """400 ms of latency and 50 KB/s: lobby, game and bet work, and what loads says so meanwhile."""
    page = await scene.browser.page()
    await page.network(latency_ms=400, bytes_per_s=50_000)
    await page.open(scene.world.casino_url + "/")
    await page.until("document.querySelectorAll('.card .play').length", FRAME)
    await page.run("document.getElementById('player').value = 'sven'; document.getElementById('login').requestSubmit()")
    await page.until("document.querySelector('header .money')", FRAME)
    await scene.open_game(page, "Pebble Keno")
    await page.until("document.querySelector('.loading')", FRAME)
    await page.until("document.querySelector('#bet')", PLAY)
    await page.until("document.body.dataset.phase === 'betting'", PLAY)
    await page.run("[3, 4].forEach((n) => document.querySelectorAll('.number')[n].click())", PLAY)
    await page.run("document.querySelector('#bet').click(); document.querySelector('#bet').click()", PLAY)
    await page.until("document.querySelector('#mine').innerText.includes('4 5')", PLAY)
    await scene.booked("sven", ["-1", "1"])
    assert await page.run("document.querySelector('.noline').hidden", FRAME)
    await page.close()


async def test_offline_in_the_middle_of_a_game(scene: Scene) -> None:
    """The bet is pressed while the line is gone: the frame and the game say so, recover, and one bet at most is booked."""
    page = await scene.casino_page("olaf")
    await scene.open_game(page, "Pebble Keno")
    await page.until("document.querySelector('#bet')", PLAY)
    await page.until("document.body.dataset.phase === 'betting'", PLAY)
    await page.run("[3, 4].forEach((n) => document.querySelectorAll('.number')[n].click())", PLAY)
    await page.click("#bet", PLAY)
    await page.until("document.querySelector('#mine').innerText.includes('4 5')", PLAY)
    await page.network(offline=True)
    await page.run("document.querySelector('#bet').click()", PLAY)
    await page.until("!document.querySelector('.noline').hidden", FRAME)
    assert "bets that were placed are safe" in await page.text(".noline", FRAME)
    await page.until("!document.querySelector('.slip .note').hidden", PLAY)
    await asyncio.sleep(AWAY_S)
    await page.network()
    await page.until("document.querySelector('.noline').hidden", FRAME)
    await page.until("!/No connection/.test(document.querySelector('.slip .note').innerText)", PLAY)
    wallet = await scene.booked("olaf", ["-1", "1"])
    await page.until(
        f"document.querySelector('.bar .money').innerText.replace(/[^0-9.]/g, '') === '{float(wallet['balance']):.2f}'",
        FRAME,
    )
    await page.close()


async def test_a_lobby_that_could_not_load_loads_by_itself_when_the_line_is_back(scene: Scene) -> None:
    page = await scene.casino_page("otto")
    await scene.open_game(page, "Pebble Keno")
    await page.until("document.querySelector('#bet')", PLAY)
    await page.network(offline=True)
    await page.click("header .back", FRAME)
    await page.until("document.querySelector('.problem')", FRAME)
    assert "no connection" in await page.text(".problem", FRAME)
    await page.network()
    await page.until("document.querySelectorAll('.card .play').length", FRAME)
    await page.close()
