"""The client in a casino's page: what old pages write, the messages, the token's way, and what a foreign or hostile page gets."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from croupier.apps.world import LocalWorld
from croupier.webframe.client_files import NEWEST, client_files, published
from tests.browser.chromium import NEEDS_CHROMIUM
from tests.browser.conftest import CARDS, FRAME, Scene

pytestmark = [NEEDS_CHROMIUM, pytest.mark.slow]


async def test_a_page_of_the_ancestors_kind_works(scene: Scene) -> None:
    """`TvbetFrame`, the server without a path, `.mount()`, a missing container, the old options and the old messages."""
    token = await scene.token("olga")
    body = (
        f'<header id="top">Top</header><script src="{scene.hub}/assets/frame.js"></script><script>'
        f'const frame = new TvbetFrame({{ lng: "de", clientId: "{scene.client_id}", server: "{scene.hub}", tokenAuth: "{token}",'
        ' floatTop: "#top", nosoon: true, nojackpot: false, page: ["slots"], exitUrl: "https://x.example/" }); frame.mount();</script>'
    )
    page = await scene.browser.page(scene.own.put("/old", body))
    await page.until(CARDS, "checkAccess=1")
    assert await page.run("document.querySelectorAll('iframe').length") == 1
    url = str(await page.run("frame.url"))
    query = url.partition("?")[2].partition("#")[0].split("&")
    assert {"lng=de", "nosoon=1", "page=slots", f"clientId={scene.client_id}"} <= set(query)
    assert not any(
        part.split("=")[0] in ("server", "floatTop", "containerId", "nojackpot", "token", "tokenAuth") for part in query
    )
    assert url.endswith("#/slots")
    assert await page.run("document.documentElement.lang", "checkAccess=1") == "de"
    assert (
        await page.run("document.querySelector('.chip[aria-pressed=true]').innerText", "checkAccess=1") == "Automaten"
    )
    await page.until("document.querySelector('header .money')", "checkAccess=1")
    assert await page.run("!!document.getElementById('tvbet-game')")
    await page.close()


async def test_a_page_that_writes_the_address_itself_gets_the_old_messages(scene: Scene) -> None:
    """No envelope, the token in the query: the ancestor's height comes as JSON text, and the token leaves the address at once."""
    token = await scene.token("pia")
    body = (
        "<script>window.heard = []; addEventListener('message', (e) => heard.push([typeof e.data, e.data]));</script>"
        f'<iframe src="{scene.hub}/frame?clientId={scene.client_id}&lng=en&token={token}"></iframe>'
    )
    page = await scene.browser.page(scene.own.put("/by-hand", body))
    await page.until("document.querySelector('header .money')", FRAME)
    assert await page.until(
        "heard.some(([kind, data]) => kind === 'string' && JSON.parse(data).type === 'tvbet_height')"
    )
    assert await page.run("heard.every(([kind]) => kind === 'string')")
    assert token not in str(await page.run("location.href", FRAME))
    await page.close()


async def test_the_token_is_in_no_address_history_or_referer(scene: Scene) -> None:
    token = await scene.token("tina")
    page = await scene.embedded(f'token: "{token}", onToken: (told) => {{ window.next = told.token; }}')
    fresh = str(await page.until("window.next"))
    assert fresh != token
    for secret in (token, fresh):
        assert not [url for url in page.requests if secret in url]
        assert not [told for told in page.headers if any(secret in str(value) for value in told.values())]
    inner = [
        told for told in page.headers if told["url"].startswith(scene.hub) and "/casino-api/v1/frame" in told["url"]
    ]
    assert inner
    assert not [told for told in inner if told.get("Referer") or told.get("Cookie")]
    log = (scene.world.settings.home / "hub.log").read_text("utf-8")
    assert token not in log
    assert fresh not in log
    await page.close()


async def test_messages_of_others_are_ignored(scene: Scene) -> None:
    """Wrong window, wrong origin, wrong nonce, wrong version: neither side moves."""
    page = await scene.embedded("onBalance: () => heard.push('balance'), onExit: () => heard.push('exit')")
    src = str(await page.run("document.querySelector('iframe').src"))
    nonce = src.split("wf=1.")[1][:32]
    # The page hears itself and another frame that even knows the nonce, but is neither the frame's window nor its origin.
    evil = scene.other.put(
        "/evil",
        f"<script>parent.postMessage({{ webframe: 1, nonce: '{nonce}', type: 'exit', data: {{}} }}, '*')</script>",
    )
    await page.run(f"postMessage({{ webframe: 1, nonce: '{nonce}', type: 'exit', data: {{}} }}, location.origin)")
    await page.run(f"document.body.append(Object.assign(document.createElement('iframe'), {{ src: '{evil}' }}))")
    # The frame hears its parent with another nonce and version, and a child that it does not have.
    for envelope in (
        "{ webframe: 1, nonce: '0'.repeat(32), type: 'stop', data: { reason: 'x' } }",
        f"{{ webframe: 2, nonce: '{nonce}', type: 'stop', data: {{ reason: 'x' }} }}",
        "{ type: 'stop' }", "'{\"type\":\"stop\"}'", "null", "'no json'",
    ):  # fmt: skip
        await page.run(f"document.querySelector('iframe').contentWindow.postMessage({envelope}, '{scene.hub}')")
    await page.run(
        f"postMessage({{ webframe: 1, nonce: '{nonce}', type: 'stop', data: {{}} }}, location.origin)", FRAME
    )
    await asyncio.sleep(1)
    assert await page.run("heard") == []
    assert not await page.run("!!document.querySelector('.stop')", FRAME)
    await page.run("frame.stop('enough')")
    await page.until("document.querySelector('.stop')", FRAME)
    await page.close()


async def test_a_foreign_page_cannot_embed_the_frame(scene: Scene) -> None:
    page = await scene.browser.page(scene.other.put("/foreign", scene.script("")))
    await page.until("true")
    await asyncio.sleep(2)
    assert not await page.run("!!document.querySelector('iframe')?.contentDocument")
    assert any("frame-ancestors" in line for line in page.console)
    await page.close()


async def test_a_frame_leads_to_no_strange_exit(scene: Scene) -> None:
    """Without the envelope `exitUrl` stands in an address that anybody may write: only the casino's own pages are followed."""
    for address, leads in (
        ("javascript:alert(1)", False),
        (scene.other.origin, False),
        (scene.own.origin + "/bye", True),
    ):
        page = await scene.browser.page(f"{scene.hub}/frame?clientId={scene.client_id}&exitUrl={address}")
        await page.until(CARDS)
        labels = await page.run("[...document.querySelectorAll('header button')].map((b) => b.innerText)")
        assert ("Exit" in labels) is leads
        await page.close()


async def test_a_providers_address_that_is_no_web_page_is_not_opened(scene: Scene) -> None:
    page = await scene.browser.page(f"{scene.hub}/frame?clientId={scene.client_id}")
    await page.until(CARDS)
    root = next(url for url in page.requests if url.endswith("/app.js")).removesuffix("app.js")
    for address in (
        "javascript:alert(1)",
        "data:text/html,x",
        scene.hub + "/frame",
        "http://a:b@x.example/",
        "no address",
    ):
        told = await page.run(
            f"import('{root}game.js').then((m) => {{ try {{ return m.frameAddress({address!r}).href; }} catch (e) {{ return e.code; }} }})"
        )
        assert told == "bad_frame", address
    assert await page.run(f"import('{root}game.js').then((m) => m.frameAddress('https://play.example/x').href)")
    await page.close()


async def test_update_and_destroy(scene: Scene) -> None:
    """Log in, change the language and open a game without a reload of the page; then nothing is left of the frame."""
    page = await scene.embedded()
    await page.run("window.kept = 1; document.body.insertAdjacentHTML('afterbegin', '<button id=before>x</button>')")
    await page.run(f"frame.update({{ token: '{await scene.token('uli')}' }})")
    await page.until("document.querySelector('header .money')", FRAME)
    await page.run("frame.update({ lng: 'de' })")
    await page.until("document.documentElement.lang === 'de' && document.querySelector('header .money')", FRAME)
    game = await scene.game_id("Lantern Tumble")
    await page.run(f"frame.update({{ gameId: {game} }})")
    await page.until("document.querySelector('.inner')", FRAME)
    assert await page.run("history.length") <= 3
    await page.run("frame.destroy()")
    assert await page.run("document.querySelectorAll('iframe, #tvbet-game').length") == 0
    assert await page.run("window.kept") == 1
    await page.close()


async def test_the_element_and_the_module(scene: Scene) -> None:
    element = (
        f'<script type="module" src="{scene.hub}/assets/frame.mjs"></script>'
        f'<web-frame server="{scene.hub}/frame" client-id="{scene.client_id}" lng="en"></web-frame>'
        "<script>addEventListener('webframe-ready', (e) => { window.ready = e.detail; });</script>"
    )
    page = await scene.browser.page(scene.own.put("/element", element))
    assert (await page.until("window.ready")) == {"guest": True, "language": "en"}
    await page.until(CARDS, FRAME)
    await page.run("document.querySelector('web-frame').remove()")
    assert await page.run("document.querySelectorAll('iframe').length") == 0
    await page.close()


async def test_a_page_may_pin_the_version_by_its_hash(scene: Scene) -> None:
    path = f"/assets/{NEWEST}/frame.js"
    good = published()[NEWEST][path]
    for integrity, works in ((good, True), (good[:-4] + "AAAA", False)):
        body = f'<script src="{scene.hub}{path}" integrity="{integrity}" crossorigin></script>'
        page = await scene.browser.page(scene.own.put("/pinned", body))
        assert (await page.run("typeof window.WebFrame === 'function'")) is works
        await page.close()
    assert len(gzip.compress(client_files()[path].body, 9)) <= 4096


async def test_without_server_or_client_nothing_is_embedded(scene: Scene) -> None:
    body = f'<script src="{scene.hub}/assets/frame.js"></script><script>new TvbetFrame({{ lng: "en" }}); new TvbetFrame({{ server: "{scene.hub}" }});</script>'
    page = await scene.browser.page(scene.own.put("/nothing", body))
    assert await page.run("document.querySelectorAll('iframe').length") == 0
    assert sum("nothing is embedded" in line for line in page.console) == 2
    await page.close()


async def test_no_third_party_is_asked(scene: Scene) -> None:
    page = await scene.casino_page("vera")
    await scene.open_game(page, "Pebble Keno")
    await page.until("document.querySelector('#bet')", "/play/")
    known = (scene.hub, scene.world.casino_url, scene.world.studio_url, "data:", "about:")
    assert [url for url in page.requests if not url.startswith(known)] == []
    await page.close()


async def test_a_hub_that_restarts_in_the_middle_of_a_game_doubles_nothing(scene: Scene) -> None:
    """The page goes on, the bet is booked once, and the frame finds the hub again."""
    page = await scene.casino_page("rosa")
    await scene.open_game(page, "Pebble Keno")
    await page.until("document.body.dataset.phase === 'betting'", "/play/")
    await page.run("document.querySelectorAll('.number')[6].click()", "/play/")
    await page.click("#bet", "/play/")
    await page.until("document.querySelector('#mine').innerText.includes('accepted')", "/play/")
    await _restart(scene.world)
    await scene.booked("rosa", ["-1", "1"], within_s=200)
    await page.until("document.querySelector('#past [data-verified=true]')", "/play/")
    await page.click("header .back", FRAME)
    await page.until(CARDS, FRAME)
    await page.close()


async def _restart(world: LocalWorld) -> None:
    from croupier.apps.world import start_hub, stop  # noqa: PLC0415 - only here

    port = int(world.hub_url.rpartition(":")[2])
    await stop([world.hub])
    world.hub, _ = await start_hub(world.environ, 1, port=port, log=world.settings.home / "hub.log")
