"""The guides' pages, literally, in a browser: five lines embed the games."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from croupier.webframe.client_files import NEWEST, published
from tests.browser.chromium import NEEDS_CHROMIUM
from tests.browser.conftest import FRAME, Scene

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
CARDS = "document.querySelectorAll('.card .play').length"
pytestmark = [NEEDS_CHROMIUM, pytest.mark.slow]


def blocks(guide: str) -> list[str]:
    return re.findall(r"^```html\n(.*?)^```$", (GUIDES / guide).read_text("utf-8"), re.MULTILINE | re.DOTALL)


async def filled(scene: Scene, block: str, player: str = "gina") -> str:
    path = f"/assets/{NEWEST}/frame.js"
    told = {
        "https://HUB": scene.hub, "http://127.0.0.1:8080": scene.hub, "CLIENT_ID": str(scene.client_id), "VERSION": NEWEST,
        "REFRESH_TOKEN": await scene.token(player), "INTEGRITY": published()[NEWEST][path],
    }  # fmt: skip
    for word, value in told.items():
        block = block.replace(word, value)
    return block


async def test_five_lines_embed_the_games_of_a_player(scene: Scene) -> None:
    five = blocks("webframe.md")[0]
    assert len(five.strip().splitlines()) == 5
    page = await scene.browser.page(scene.own.put("/five", await filled(scene, five)))
    await page.until(CARDS, FRAME)
    await page.until("document.querySelector('header .money').innerText.includes('1,000.00')", FRAME)
    await page.close()


async def test_the_newcomers_page_embeds_them_for_a_guest(scene: Scene) -> None:
    (block,) = blocks("getting_started.md")
    page = await scene.browser.page(scene.own.put("/start", await filled(scene, block)))
    await page.until(CARDS, FRAME)
    await page.close()


async def test_the_element_and_the_pinned_script_work_as_written(scene: Scene) -> None:
    _, element, pinned = blocks("webframe.md")
    page = await scene.browser.page(scene.own.put("/element-of-the-guide", await filled(scene, element)))
    await page.until(CARDS, FRAME)
    await page.open(scene.own.put("/pin-of-the-guide", await filled(scene, pinned)))
    assert await page.run("typeof WebFrame") == "function"
    await page.close()
