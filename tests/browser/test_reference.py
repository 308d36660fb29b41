"""The documentation in a real browser: no page is wider than a phone, nothing comes from elsewhere, and the form makes a call."""

from __future__ import annotations

import json

import pytest

from croupier.apps.operations import openapi
from croupier.apps.wiring import open_hub
from croupier.reference.operation_page import operations
from croupier.reference.site import markdown_files, page_of
from tests.browser.chromium import NEEDS_CHROMIUM
from tests.browser.conftest import Scene

pytestmark = [NEEDS_CHROMIUM, pytest.mark.slow]

PAGES = [
    "/docs",
    "/docs/api/feed/socket",
    *map(page_of, markdown_files()),
    *(one.address for one in operations(openapi())),
]
SENT = "document.getElementById('try-answer').innerText"


async def test_every_page_fits_a_phone_and_asks_nobody_else(scene: Scene) -> None:
    page = await scene.browser.page()
    await page.look(360, 800)
    wide = []
    for path in PAGES:
        await page.open(scene.hub + path)
        width = await page.run("document.documentElement.scrollWidth")
        wide += [(path, width)] if width > 360 else []
    assert wide == []
    assert [url for url in page.requests if not url.startswith((scene.hub, "data:,", "about:"))] == []
    assert [line for line in page.console if "error" in line.lower()] == []
    assert await page.run("document.cookie") == ""
    await page.close()


async def test_the_form_of_a_sandbox_makes_a_call_with_a_token(scene: Scene) -> None:
    told = json.loads(scene.world.casino_file.read_text("utf-8"))
    page = await scene.browser.page(f"{scene.hub}/docs/api/casino-api/casino-api-post-auth-token")
    body = json.dumps({"clientId": told["PartnerClientId"], "secret": told["Secret"]})
    await page.run(
        f"document.getElementById('try-body').value = {body!r}; document.querySelector('form.try').requestSubmit()"
    )
    shown = str(await page.until(f"{SENT}.startsWith('HTTP 200') && {SENT}"))
    token = json.loads(shown.split("\n\n", 1)[1])["accessToken"]
    await page.open(f"{scene.hub}/docs/api/casino-api/casino-api-games")
    await page.run(f"document.querySelector('form.try').elements.token.value = {token!r}")
    await page.run(
        "document.querySelector('form.try').elements.limit.value = '1'; document.querySelector('form.try').requestSubmit()"
    )
    shown = str(await page.until(f"{SENT}.startsWith('HTTP 200') && {SENT}"))
    assert len(json.loads(shown.split("\n\n", 1)[1])["games"]) == 1
    await page.close()


async def test_the_form_signs_as_a_provider(scene: Scene) -> None:
    page = await scene.browser.page(f"{scene.hub}/docs/api/providers/balance")
    async with open_hub(scene.world.settings) as hub:
        provider, secret = await hub.store.providers.add("Signs in a browser", "https://studio.example")
    await page.run(
        f"document.querySelector('form.try').elements.counterparty.value = {provider.counterparty_id!r};"
        f"document.querySelector('form.try').elements.secret.value = {secret!r};"
        "document.querySelector('form.try').requestSubmit()"
    )
    shown = str(await page.until(f"{SENT}.startsWith('HTTP') && {SENT}"))
    assert '"_responseCode": 2' in shown, "believed: there is only no such session"
    await page.close()


async def test_tabs_and_the_filter_work_by_keyboard(scene: Scene) -> None:
    page = await scene.browser.page(f"{scene.hub}/docs/api/providers/pay-in")
    await page.run("document.querySelector('.tabs input').focus()")
    await page.press("ArrowRight")
    await page.until("getComputedStyle(document.querySelectorAll('.tabs > pre')[1]).display === 'block'")
    assert await page.run("getComputedStyle(document.querySelectorAll('.tabs > pre')[0]).display") == "none"
    await page.press("/")
    await page.until("document.activeElement.id === 'find'")
    await page.run(
        "const f = document.getElementById('find'); f.value = 'undo bet'; f.dispatchEvent(new Event('input'))"
    )
    shown = await page.run("[...document.querySelectorAll('#contents li:not([hidden]) a')].map((a) => a.pathname)")
    assert shown == ["/docs/api/providers/refund"]
    await page.close()
