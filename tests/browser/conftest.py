"""One world of real processes for the browser tests: hub, casino with its site on another origin, studio with draws. And a browser."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from croupier.apps.wiring import open_hub
from croupier.apps.world import LocalWorld, local_world
from tests.browser.chromium import CHROMIUM, PATIENCE_S, Browser, Page, chromium
from tests.browser.keeper import kept
from tests.conftest import make_home, remove_home

HERE = Path(__file__).parent
FRAME, PLAY = "/frame?", "/play/"
CARDS = "document.querySelectorAll('.card .play').length"
PACE = 4


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here share one world and one event loop, so one process of pytest-xdist runs them all."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.xdist_group("browser"))
            item.add_marker(pytest.mark.timeout(300))
            if pytest_asyncio.is_async_test(item):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@dataclass
class Site:
    """Another web site, whose pages a test writes."""

    origin: str
    pages: dict[str, str] = field(default_factory=dict)

    def put(self, path: str, body: str) -> str:
        """Serve this page; return its address."""
        self.pages[path] = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>A page</title><body>{body}'
        )
        return self.origin + path


@dataclass
class Scene:
    """Everything that a test needs."""

    world: LocalWorld
    browser: Browser
    other: Site
    """A site that is no casino's."""
    own: Site
    """A site among the casino's origins."""

    @property
    def hub(self) -> str:
        return self.world.hub_url

    @property
    def client_id(self) -> int:
        assert self.world.casino is not None
        return self.world.casino.casino_id

    async def casino_page(self, player: str | None = None) -> Page:
        """The pretend casino's page with the lobby in it, a player logged in if named."""
        page = await self.browser.page(self.world.casino_url + "/")
        await page.until("document.querySelectorAll('.card .play').length", FRAME)
        if player is not None:
            await page.run(
                f"document.getElementById('player').value = {player!r}; document.getElementById('login').requestSubmit()"
            )
            await page.until("document.querySelector('header .money')", FRAME)
        return page

    async def open_game(self, page: Page, name: str, *, button: str = "play") -> None:
        """Press Play or Demo of a game, once the lobby shows it."""
        card = f"[...document.querySelectorAll('.card')].find((c) => c.innerText.includes({name!r}))"
        await page.until(f"!!{card}?.querySelector('.{button}')", FRAME)
        await page.run(f"{card}.querySelector('.{button}').click()", FRAME)

    async def wallet(self, player: str) -> Any:
        return await self.world.ask(f"{self.world.casino_url}/_sandbox/wallet/{player}")

    async def booked(self, player: str, kinds: list[str], *, within_s: float = PATIENCE_S) -> Any:
        """Wait until the casino has booked exactly these payments of the player; return the wallet."""
        async with asyncio.timeout(within_s):
            while True:
                wallet = await self.wallet(player)
                if sorted(booking["TransactionType"] for booking in wallet["bookings"]) == kinds:
                    return wallet
                await asyncio.sleep(0.1)

    async def launched(self, player: str, game: str, **more: Any) -> Any:
        """The casino's server opens a game by the hub's API; the answer holds the launch code."""
        told = json.loads(self.world.casino_file.read_text("utf-8"))
        entry = {"clientId": told["PartnerClientId"], "secret": told["Secret"]}
        wish = {"playerId": player, "currency": "EUR", "gameId": await self.game_id(game), **more}
        async with aiohttp.ClientSession(f"{self.hub}/casino-api/v1/") as http:
            token = (await (await http.post("auth/token", json=entry)).json())["accessToken"]
            answer = await http.post("sessions", json=wish, headers={"Authorization": f"Bearer {token}"})
            assert answer.status == 201, await answer.text()
            return await answer.json()

    def script(self, options: str, before: str = "") -> str:
        """A page's body that embeds the frame."""
        return (
            f'{before}<script src="{self.hub}/assets/frame.js"></script><script>window.heard = [];'
            f'const frame = new WebFrame({{ server: "{self.hub}/frame", clientId: {self.client_id}, {options} }});</script>'
        )

    async def embedded(self, options: str = "", path: str = "/page") -> Page:
        """A page of the casino's with the lobby in it."""
        page = await self.browser.page(self.own.put(path, self.script(options)))
        await page.until(CARDS, FRAME)
        return page

    async def token(self, player: str) -> str:
        told = await self.world.ask(f"{self.world.casino_url}/_sandbox/token", {"player": player})
        return str(told["RefreshToken"])

    async def game_id(self, name: str) -> int:
        async with open_hub(self.world.settings) as hub:
            assert self.world.provider is not None
            games = await hub.store.games.all(self.world.provider.provider_id)
        return next(game.game_id for game in games if game.name == name)


async def _site(stack: AsyncExitStack) -> Site:
    app, made = web.Application(), Site("")

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=made.pages.get(request.path, ""), content_type="text/html")

    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    return made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt install chromium)")
    home = make_home()
    async with AsyncExitStack() as stack:
        stack.callback(remove_home, home)
        profile = tmp_path_factory.mktemp("profile")
        stack.enter_context(kept(home, profile))
        world = await stack.enter_async_context(local_world(home, log=home / "hub.log"))
        await world.ask(f"{world.studio_url}/_sandbox/draws/start", {"pace": PACE})
        browser = await stack.enter_async_context(chromium(profile))
        other, own = await _site(stack), await _site(stack)
        assert world.casino is not None
        async with open_hub(world.settings) as hub:
            await hub.store.casinos.change(world.casino.casino_id, {"origins": (world.casino_url, own.origin)})
        await asyncio.sleep(1)  # a casino's row is kept for half a second
        yield Scene(world, browser, other, own)
