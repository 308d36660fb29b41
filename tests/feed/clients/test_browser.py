"""`@microsoft/signalr` in Chromium: a page of an allowed origin follows the feed, a page of another one cannot negotiate."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web

from croupier.store.db import Db
from tests.feed.hall import Hall, open_hall

HERE = Path(__file__).parent
LIBRARY = HERE / "node_modules" / "@microsoft" / "signalr" / "dist" / "browser" / "signalr.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE_S = 60.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)"),
    pytest.mark.skipif(not LIBRARY.exists(), reason="the client is not there: make test-clients"),
]


class Site:
    """A casino's web site with one page, and what the page said."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.origin = ""

    async def hear(self, request: web.Request) -> web.Response:
        self.said.put_nowait(json.loads(await request.text()))
        return web.Response()

    async def page(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(HERE / "page.html")

    async def library(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(LIBRARY)

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            return await self.said.get()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made, app = Site(), web.Application()
    app.router.add_post("/said", made.hear)
    app.router.add_get("/", made.page)
    app.router.add_get("/signalr.js", made.library)
    runner = web.AppRunner(app)
    await runner.setup()
    listening = web.TCPSite(runner, "127.0.0.1", 0)
    await listening.start()
    port = runner.addresses[0][1]
    made.origin = f"http://127.0.0.1:{port}"
    yield made
    await runner.cleanup()


@asynccontextmanager
async def opened(site: Site, hall: Hall, token: str, casino: int, folder: Path) -> AsyncIterator[None]:
    """The page in a browser."""
    told = quote(json.dumps({"url": hall.url, "token": token, "casino": casino}))
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={folder}",
        "--remote-debugging-port=0", f"{site.origin}/#{told}",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def test_a_page_of_an_allowed_origin_follows_the_feed(db: Db, site: Site, tmp_path: Path) -> None:
    async with open_hall(db) as hall:
        casino, token = await hall.casino("Corner", origins=[site.origin])
        hall.push(1)
        async with opened(site, hall, token, casino, tmp_path):
            first = [await site.next(), await site.next()]
            assert {"event": "push", "sId": 1} in first
            assert {"event": "subscribed"} in first
            hall.push(2)
            assert await site.next() == {"event": "push", "sId": 2}


async def test_a_page_of_another_origin_cannot_even_negotiate(db: Db, site: Site, tmp_path: Path) -> None:
    async with open_hall(db) as hall:
        casino, token = await hall.casino("Corner", origins=["https://corner.example"])
        async with opened(site, hall, token, casino, tmp_path):
            assert (await site.next())["event"] == "failed"
            assert len(hall.connections) == 0
