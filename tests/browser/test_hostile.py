"""What a hostile name, translation, address or page of another origin gets in a real browser: nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import pytest

from croupier.apps.wiring import open_hub
from croupier.core.draws import JackpotMeter
from tests.browser.chromium import NEEDS_CHROMIUM, Page
from tests.browser.conftest import CARDS, FRAME, Scene

pytestmark = [NEEDS_CHROMIUM, pytest.mark.slow]
EVIL = '"><img class="xss" src=x onerror="window.owned=1"><script class="xss">window.owned=1</script>'
HARMED = "!!window.owned || document.querySelectorAll('.xss').length"
LABELS = "[...document.querySelectorAll('header button')].map((b) => b.innerText)"


@asynccontextmanager
async def hostile_names(scene: Scene) -> AsyncIterator[None]:
    """A game, its translation, its category, a jackpot and the casino have names that are markup."""
    assert scene.world.provider is not None
    async with open_hub(scene.world.settings) as hub:
        db, game = hub.store.db, await scene.game_id("Paper Dice")
        before = await db.fetchrow("select name, category, texts::text as texts from games where game_id = $1", game)
        casino = await db.fetchval("select name from casinos where casino_id = $1", scene.client_id)
        assert before is not None
        told = "update games set name = $2, category = $3, texts = $4::text::jsonb where game_id = $1"
        rename = "update casinos set name = $2 where casino_id = $1"
        texts = json.dumps({"en": {"name": EVIL, "description": EVIL}})
        await db.execute(told, game, EVIL, EVIL[:60], texts)
        await db.execute(rename, scene.client_id, EVIL)
        async with hub.store.draws.publication() as tx:
            meter = JackpotMeter("evil-pot", EVIL, 100, "EUR")
            await hub.store.draws.put_meter(tx, scene.world.provider.provider_id, meter)
        try:
            yield
        finally:
            await db.execute(told, game, before["name"], before["category"], before["texts"])
            await db.execute(rename, scene.client_id, casino)
            await db.execute("delete from jackpot_meters where jackpot_ref = 'evil-pot'")


async def shown(scene: Scene) -> Page:
    """A lobby that shows the hostile names."""
    page = await scene.browser.page(f"{scene.hub}/frame?clientId={scene.client_id}")
    await page.until("[...document.querySelectorAll('.card h2')].some((h) => h.innerText.includes('onerror'))")
    await page.until("[...document.querySelectorAll('.jackpot')].some((h) => h.innerText.includes('onerror'))")
    return page


async def test_names_and_translations_are_text(scene: Scene) -> None:
    async with hostile_names(scene):
        page = await shown(scene)
        assert await page.run("[...document.querySelectorAll('.chip')].some((c) => c.innerText.includes('onerror'))")
        assert not await page.run(HARMED)
        game = await scene.game_id(EVIL)
        await page.run(f"location.hash = '#/game_id/{game}/demo'")
        await page.until("document.querySelector('.bar h1').innerText.includes('onerror')")
        await page.until("document.querySelector('.inner')?.title.includes('onerror')")
        assert not await page.run(HARMED)
        await page.close()


@pytest.mark.parametrize("option", ["exitUrl", "gameAuth"])
async def test_an_address_of_the_query_leads_to_the_casinos_pages_alone(scene: Scene, option: str) -> None:
    """Anybody may write the frame's address."""
    host = scene.own.origin.removeprefix("http://")
    page, target = await scene.browser.page(), f"{scene.hub}/frame?clientId={scene.client_id}"
    for address in (
        "javascript:alert(1)", "data:text/html,x", "//evil.example/", scene.other.origin, f"http://evil.example\\@{host}/",
        f"http://{host}.evil.example/", f"http://evil.example/?{scene.own.origin}", f"ftp://{host}/", f" java\tscript:alert('{host}')",
    ):  # fmt: skip
        await page.open("about:blank")
        await page.send("Page.navigate", url=f"{target}&{option}={quote(address, safe='')}")
        await page.until(CARDS)
        where = await page.run("location.href")
        if option == "exitUrl":
            assert "Exit" not in await page.run(LABELS), address
        else:
            await page.click("header .primary")
            await page.run("new Promise((done) => setTimeout(done, 200))")
        assert await page.run("location.href") == where, address
    scene.own.put("/own", "The casino")
    await page.send("Page.navigate", url=f"{target}&{option}={quote(scene.own.origin + '/own', safe='')}")
    await page.until(CARDS)
    await page.run(
        f"{LABELS}.length && document.querySelector('header .{'ghosted' if option == 'exitUrl' else 'primary'}').click()"
    )
    await page.until(f"location.href === {scene.own.origin + '/own'!r}")
    await page.close()


async def test_nothing_of_a_session_is_kept_by_the_browser(scene: Scene) -> None:
    """No cookie, no storage, no address, no name of a window, no entry of the history."""
    token = await scene.token("kim")
    page = await scene.embedded(f'token: "{token}", onToken: (told) => {{ window.next = told.token; }}')
    await page.until("document.querySelector('header .money')", FRAME)
    fresh = str(await page.run("window.next"))
    everything = "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, window.name, history.state])"
    kept = str(await page.run(everything, FRAME)) + str(await page.run(everything))
    history = await page.send("Page.getNavigationHistory")
    cookies = await page.send("Network.getAllCookies")
    assert token not in kept + str(history)
    assert fresh not in kept + str(history)
    assert "eyJ" not in kept, "no bearer"
    assert cookies["cookies"] == []
    await page.close()


async def test_a_page_of_another_origin_cannot_call_for_a_player(scene: Scene) -> None:
    """Not with a bearer that it has got hold of, not by a form, not without a preflight."""
    page = await scene.browser.page(scene.other.put("/csrf", "hello"))
    root = f"{scene.hub}/casino-api/v1/frame/session"
    tries = (
        f"fetch('{root}', {{ method: 'POST', headers: {{ 'Content-Type': 'application/json' }}, body: '{{\"clientId\": {scene.client_id}}}' }})",
        f"fetch('{root}', {{ headers: {{ Authorization: 'Bearer x' }} }})",
        f"fetch('{root}', {{ credentials: 'include' }})",
        f"fetch('{scene.hub}/frame/live?clientId={scene.client_id}')",
    )
    for one in tries:
        assert await page.run(f"{one}.then((a) => a.status, () => 'blocked')") == "blocked", one
    plain = f"fetch('{root}', {{ method: 'POST', mode: 'no-cors', body: '{{\"clientId\": {scene.client_id}}}' }})"
    assert await page.run(f"{plain}.then((a) => a.type, () => 'blocked')") in ("opaque", "blocked")
    await page.close()
