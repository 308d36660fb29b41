"""axe-core in every page, dark and light: no fault that is more than minor. `make browser` fetches it (tests/browser/axe)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import NEEDS_CHROMIUM, Page
from tests.browser.conftest import CARDS, FRAME, PLAY, Scene

AXE = Path(__file__).parent / "axe" / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = [
    NEEDS_CHROMIUM,
    pytest.mark.slow,
    pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there: make browser"),
]
TOLD = """axe.run(document, { iframes: false, resultTypes: ["violations"] }).then((told) => told.violations.map(
  ({ id, impact, nodes }) => ({ id, impact, nodes: nodes.slice(0, 4).map((n) => `${n.target} ${n.any.map((a) => a.message)}`) })))"""
LIGHTS = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


async def faults(page: Page, frame: str | None = None) -> list[Any]:
    """What axe finds in one document, beyond what is minor."""
    await page.run(AXE.read_text("utf-8") + ";0", frame)
    return [fault for fault in await page.run(TOLD, frame) if fault["impact"] != "minor"]


async def opened(scene: Scene, address: str, *, dark: bool, width: int = 1280) -> Page:
    page = await scene.browser.page()
    await page.look(width, 900, dark=dark)
    await page.open(address)
    return page


@LIGHTS
@pytest.mark.parametrize("width", [360, 1280])
async def test_the_site_and_the_lobby(scene: Scene, width: int, *, dark: bool) -> None:
    page = await opened(scene, scene.world.casino_url + "/", dark=dark, width=width)
    await page.until(CARDS, FRAME)
    await page.until("document.querySelector('.draw')", FRAME)
    assert (await faults(page), await faults(page, FRAME)) == ([], [])
    await page.run("document.getElementById('player').value = 'axel'; document.getElementById('login').requestSubmit()")
    await page.until("document.querySelector('header .money')", FRAME)
    await page.click(".chip:nth-child(2)", FRAME)
    assert (await faults(page), await faults(page, FRAME)) == ([], [])
    await page.close()


@LIGHTS
@pytest.mark.parametrize("game", ["Pebble Keno", "Harbour Lights", "Heron Crash", "Drift Poker"])
async def test_the_games(scene: Scene, game: str, *, dark: bool) -> None:
    """Before a bet, and with the results of a draw."""
    page = await opened(scene, scene.world.casino_url + "/", dark=dark, width=360)
    await scene.open_game(page, game, button="demo")
    await page.until("document.querySelector('#bet')", PLAY)
    await page.until("document.body.dataset.phase === 'betting'", PLAY)
    await page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })", PLAY)
    await page.run("document.querySelector('.number, .option, #manual').click()", PLAY)
    assert (await faults(page, FRAME), await faults(page, PLAY)) == ([], [])
    await page.until("document.querySelector('#past [data-verified]')", PLAY)
    assert await faults(page, PLAY) == []
    await page.close()


@LIGHTS
async def test_what_goes_wrong_and_what_ends_play(scene: Scene, *, dark: bool) -> None:
    base = f"{scene.hub}/frame?clientId="
    page = await opened(scene, base + "987654", dark=dark)
    await page.until("document.querySelector('.problem')")
    assert await faults(page) == []
    await page.open(f"{base}{scene.client_id}&code=00")
    await page.until("document.querySelector('.problem')")
    assert await faults(page) == []
    await page.open("about:blank")
    await page.open(f"{base}{scene.client_id}#/game_id/999999999/demo")
    await page.until("document.querySelector('.problem')")
    assert await faults(page) == []
    token = await scene.token("axel")
    await page.open(scene.own.put("/axe", scene.script(f'token: "{token}", realityCheck: 0.02')))
    await page.until("document.querySelector('dialog.check[open]')", FRAME)
    assert await faults(page, FRAME) == []
    await page.run("frame.stop('Enough for today.')")
    await page.until("document.querySelector('.stop')", FRAME)
    assert await faults(page, FRAME) == []
    await page.close()


@LIGHTS
@pytest.mark.parametrize(
    "path", ["/docs", "/docs/guides/casino", "/docs/api/providers/pay-in", "/docs/api/feed/socket"]
)
async def test_the_documentation(scene: Scene, path: str, *, dark: bool) -> None:
    page = await opened(scene, scene.hub + path, dark=dark)
    assert await faults(page) == []
    await page.close()
