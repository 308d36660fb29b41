"""Play in a real browser, from the casino's page on one origin, in the hub's frame on another, in the studio's game on a third."""

from __future__ import annotations

import pytest

from tests.browser.chromium import NEEDS_CHROMIUM, Page
from tests.browser.conftest import FRAME, PLAY, Scene

pytestmark = [NEEDS_CHROMIUM, pytest.mark.slow]


async def bet_on_keno(page: Page) -> None:
    """Pick three numbers and bet as soon as bets are open."""
    await page.until("document.body.dataset.phase === 'betting'", PLAY)
    await page.run("[3, 17, 44].forEach((n) => document.querySelectorAll('.number')[n - 1].click())", PLAY)
    await page.click("#bet", PLAY)


async def test_a_player_logs_in_and_plays_keno_with_real_wallet_movements(scene: Scene) -> None:
    """The smoke: login, lobby, a bet, the wallet, the draw, its proof recomputed in the page, the balance right after."""
    page = await scene.casino_page("anna")
    await scene.open_game(page, "Pebble Keno")
    await page.until("document.querySelector('#bet')", PLAY)
    await bet_on_keno(page)
    await page.until("document.querySelector('#mine').innerText.includes('3 17 44')", PLAY)
    await page.until("document.querySelector('.bar .money').innerText.includes('999')", FRAME)
    await scene.booked("anna", ["-1"])
    await page.until("document.querySelector('#past [data-verified]')", PLAY)
    assert await page.run(
        "[...document.querySelectorAll('#past [data-verified]')].every((e) => e.dataset.verified === 'true')", PLAY
    )
    await page.until("document.querySelector('#mine').innerText.includes('returned')", PLAY)
    wallet = await scene.booked("anna", ["-1", "1"])
    shown = await page.text(".bar .money", FRAME)
    await page.until(
        f"document.querySelector('.bar .money').innerText.replace(/[^0-9.]/g, '') === '{float(wallet['balance']):.2f}'",
        FRAME,
    )
    assert shown
    assert not [line for line in page.console if line.startswith("exception")]
    await page.close()


async def test_a_crash_round_is_left_by_hand(scene: Scene) -> None:
    page = await scene.casino_page("carl")
    await scene.open_game(page, "Heron Crash")
    for _ in range(12):
        await page.until("document.body.dataset.phase === 'betting'", PLAY)
        await page.run("document.querySelector('#manual').checked || document.querySelector('#manual').click()", PLAY)
        await page.click("#bet", PLAY)
        if (
            await page.until(
                "(() => { const b = [...document.querySelectorAll('.crash .big')].find((x) => !x.hidden);"
                " if (b) { b.click(); return 'left'; } return document.body.dataset.phase === 'results' && 'crashed'; })()",
                PLAY,
            )
            == "left"
        ):
            break
    await page.until("/Left at|not taken/.test(document.querySelector('.slip .note').innerText)", PLAY)
    await page.close()


@pytest.mark.parametrize(("game", "board"), [("Harbour Lights", ".wheel"), ("Drift Poker", ".hands")])
async def test_wheel_and_poker_show_their_draw(scene: Scene, game: str, board: str) -> None:
    page = await scene.casino_page("wilma")
    await scene.open_game(page, game)
    await page.until(f"document.querySelector('{board}')", PLAY)
    await page.until("document.body.dataset.phase === 'betting'", PLAY)
    await page.click(".option", PLAY)
    await page.click("#bet", PLAY)
    await page.until("document.querySelectorAll('#mine li b').length > 0", PLAY)
    await page.until("document.querySelector('#past [data-verified=true]')", PLAY)
    await page.close()


async def test_a_guest_plays_the_demo_and_a_real_game_asks_for_a_login(scene: Scene) -> None:
    page = await scene.casino_page()
    await scene.open_game(page, "Lantern Tumble")
    await page.until("document.getElementById('messages').innerText.includes('auth')")
    assert await page.run("document.activeElement.id") == "player", "gameAuth of the casino's page was called"
    await scene.open_game(page, "Pebble Keno", button="demo")
    await page.until("document.querySelector('#bet')", PLAY)
    assert "Demo money" in await page.text(".demo", PLAY)
    await bet_on_keno(page)
    await page.until("document.querySelector('.bar .money').innerText !== '–'", FRAME)
    assert (await page.text(".bar .tag", FRAME)) == "Demo money"
    await page.close()


async def test_the_keyboard_alone_is_enough(scene: Scene) -> None:
    """From the login to a bet, with Tab, Enter and space; the focus can leave the frame again."""
    page = await scene.casino_page()
    await page.run("document.getElementById('player').focus()")
    await page.press("Enter")
    await page.until("document.querySelector('header .money')", FRAME)
    await page.run("document.getElementById('language').focus()")
    seen = set()
    for _ in range(60):
        await page.press("Tab")
        label = await page.run(
            "document.activeElement?.getAttribute('aria-label') || document.activeElement?.innerText", FRAME
        )
        seen.add(label)
        if label == "Play Pebble Keno with real money":
            break
    assert "Play Pebble Keno with real money" in seen
    await page.press("Enter")
    await page.until("document.querySelector('#bet')", PLAY)
    await page.until("document.body.dataset.phase === 'betting'", PLAY)
    await page.run("document.querySelectorAll('.number')[6].focus()", PLAY)
    await page.press(" ")
    await page.run("document.querySelector('#bet').focus()", PLAY)
    await page.press("Enter")
    await page.until("document.querySelector('#mine').innerText.includes('7')", PLAY)
    await page.run("document.querySelector('#bet').focus()", PLAY)
    for _ in range(12):
        await page.press("Tab")
    assert not await page.run("document.activeElement?.id === 'bet'", PLAY)
    await page.close()


@pytest.mark.parametrize(("width", "height"), [(320, 640), (390, 844), (1440, 900), (3840, 2160)])
async def test_nothing_is_cut_off_at_any_width(scene: Scene, width: int, height: int) -> None:
    page = await scene.browser.page()
    await page.look(width, height)
    await page.open(scene.world.casino_url + "/")
    await page.until("document.querySelectorAll('.card .play').length", FRAME)
    wide = "document.documentElement.scrollWidth <= innerWidth"
    assert await page.run(wide)
    assert await page.run(wide, FRAME)
    await scene.open_game(page, "Pebble Keno", button="demo")
    await page.until("document.querySelector('#bet')", PLAY)
    assert await page.run(wide, FRAME)
    assert await page.run(wide, PLAY)
    box = "(() => { const r = document.querySelector('#bet').getBoundingClientRect(); return r.bottom <= innerHeight + 1 && r.height >= 44; })()"
    assert await page.run(box, PLAY), "the bet button is in reach of a thumb"
    await page.close()


@pytest.mark.parametrize("width", [360, 1280])
async def test_the_frame_can_be_read_from_right_to_left(scene: Scene, width: int) -> None:
    """No catalogue of such a language ships. The pages turn round with the direction alone, and nothing is cut off."""
    page = await scene.casino_page("anna")
    await page.look(width, 800)
    await page.until("document.querySelectorAll('.card .play').length", FRAME)
    places = """['header .money', '.card'].map((name) => {
        const box = document.querySelector(name).getBoundingClientRect();
        return (box.left + box.right) / 2 < innerWidth / 2 ? 'left' : 'right';
    })"""
    wide = width > 1000
    assert not wide or await page.run(places, FRAME) == ["right", "left"]
    await page.run("document.documentElement.dir = 'rtl'", FRAME)
    assert not wide or await page.run(places, FRAME) == ["left", "right"], "the first game is where reading begins"
    assert await page.run("document.documentElement.scrollWidth <= innerWidth", FRAME)
    await scene.open_game(page, "Pebble Keno", button="demo")
    await page.until("document.querySelector('#bet')", PLAY)
    assert await page.run("document.documentElement.scrollWidth <= innerWidth", FRAME)
    await page.close()


async def test_a_reality_check_stops_play_until_it_is_answered(scene: Scene) -> None:
    page = await scene.casino_page("rita")
    await page.until("document.querySelectorAll('.card .play').length", FRAME)
    own = scene.own.put("/check", _embedding(scene, await scene.token("rita"), "realityCheck: 0.02"))
    await page.open(own)
    await page.until("document.querySelector('dialog.check[open]')", FRAME)
    told = await page.text("dialog.check dl", FRAME)
    top = await page.run("document.querySelector('dialog.check').getBoundingClientRect().top", FRAME)
    assert top < 100, "at the top of the frame, however high that is: the page scrolls there"
    for row in ("Time played", "Staked", "Returned", "Result", "€0.00"):
        assert row in told
    await page.press("Escape")
    assert await page.run("!!document.querySelector('dialog.check[open]')", FRAME), "it is answered by a choice alone"
    await page.click("dialog.check .primary", FRAME)
    await page.until("!document.querySelector('dialog.check')", FRAME)
    await page.run("frame.stop('You have reached the limit that you set.')")
    await page.until("document.querySelector('.stop')?.innerText.includes('the limit that you set')", FRAME)
    await page.close()


def _embedding(scene: Scene, token: str, more: str = "") -> str:
    return (
        f'<div id="tvbet-game"></div><script src="{scene.hub}/assets/frame.js"></script><script>'
        f'const frame = new WebFrame({{ server: "{scene.hub}/frame", clientId: {scene.client_id}, token: "{token}", {more} }});</script>'
    )
