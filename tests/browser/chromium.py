"""A real browser for the tests: Debian's Chromium, driven over its DevTools protocol. No package beyond those of the other tests."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE_S = 60.0
NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0", "--mute-audio",
    "--disable-dev-shm-usage", "--disable-background-networking", "--hide-scrollbars", "--force-color-profile=srgb",
)  # fmt: skip
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowRight": 39, "ArrowLeft": 37}


class Failed(AssertionError):
    """The page's script raised, or what was waited for did not come."""


@dataclass
class Page:
    """One tab. `frame` of each method is a part of the address of a frame inside it; None is the page itself."""

    browser: Browser
    session: str
    target: str
    contexts: dict[str, int] = field(default_factory=dict)
    """Frame id to its execution context."""
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, Any]] = field(default_factory=list)
    """Headers of every request, with its address under `url`."""

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        return await self.browser.send(method, params, self.session)

    async def open(self, url: str) -> None:
        await self.send("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def _context(self, frame: str | None) -> int | None:
        tree = (await self.send("Page.getFrameTree"))["frameTree"]
        if frame is None:
            return self.contexts.get(tree["frame"]["id"])
        waiting = [tree]
        while waiting:
            one = waiting.pop(0)
            waiting += one.get("childFrames", [])
            if frame in one["frame"]["url"]:
                return self.contexts.get(one["frame"]["id"])
        return None

    async def run(self, script: str, frame: str | None = None) -> Any:
        """The value of an expression, awaited."""
        context = await self._context(frame)
        if context is None:
            raise Failed(f"no frame {frame}")
        told = await self.send(
            "Runtime.evaluate", expression=script, contextId=context, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in told:
            raise Failed(told["exceptionDetails"].get("exception", {}).get("description", str(told)))
        return told["result"].get("value")

    async def until(self, script: str, frame: str | None = None, *, within_s: float = PATIENCE_S) -> Any:
        """Wait until the expression is true; return its value."""
        end = asyncio.get_running_loop().time() + within_s
        problem = ""
        while asyncio.get_running_loop().time() < end:
            with suppress(Failed, ProtocolFailed):
                value = await self.run(script, frame)
                if value or value == {}:  # an element comes as an empty object
                    return value
            await asyncio.sleep(0.05)
        with suppress(Failed, ProtocolFailed):
            problem = str(await self.run("document.body.innerText", frame))
        raise Failed(f"never true: {script} in {frame}; console {self.console[-5:]}; page: {problem[:800]}")

    async def click(self, selector: str, frame: str | None = None) -> None:
        """Wait for an element and click it."""
        found = f"document.querySelector({json.dumps(selector)})"
        await self.until(f"{found} && !{found}.disabled", frame)
        await self.run(f"{found}.click()", frame)

    async def text(self, selector: str, frame: str | None = None) -> str:
        return str(await self.until(f"document.querySelector({json.dumps(selector)})?.innerText", frame))

    async def press(self, key: str, times: int = 1) -> None:
        """A key of the keyboard, where the focus is."""
        code = KEYS.get(key, ord(key.upper()[0]))
        told: dict[str, Any] = {"key": key, "windowsVirtualKeyCode": code}
        text = {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else "")
        for _ in range(times):
            await self.send("Input.dispatchKeyEvent", type="keyDown", **told, **({"text": text} if text else {}))
            await self.send("Input.dispatchKeyEvent", type="keyUp", **told)

    async def look(self, width: int, height: int, *, dark: bool = False, still: bool = True) -> None:
        """Set the window's size and the reader's preferences."""
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 700
        )
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"},
        ]
        await self.send("Emulation.setEmulatedMedia", features=features)

    async def network(self, *, latency_ms: float = 0, bytes_per_s: float = -1, offline: bool = False) -> None:
        """Make the line slow or cut it; without arguments it is as before."""
        await self.send(
            "Network.emulateNetworkConditions", offline=offline, latency=latency_ms, downloadThroughput=bytes_per_s,
            uploadThroughput=bytes_per_s,
        )  # fmt: skip

    async def shot(self, path: Path) -> None:
        told = await self.send("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(told["data"]))

    async def close(self) -> None:
        await self.browser.send("Target.closeTarget", {"targetId": self.target})


class ProtocolFailed(Exception):
    """The browser refused a command."""


class Browser:
    """A running Chromium."""

    def __init__(self, line: aiohttp.ClientWebSocketResponse) -> None:
        self._line = line
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._pages: dict[str, Page] = {}
        self.traced: list[dict[str, Any]] = []
        """Events of the trace that was taken last."""
        self.trace_done = asyncio.Event()
        self._reading = asyncio.get_running_loop().create_task(self._read())

    async def send(self, method: str, params: dict[str, Any], session: str | None = None) -> dict[str, Any]:
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._line.send_json({
            "id": number, "method": method, "params": params, **({"sessionId": session} if session else {}),
        })  # fmt: skip
        async with asyncio.timeout(PATIENCE_S):
            told = await answer
        if "error" in told:
            raise ProtocolFailed(f"{method}: {told['error']}")
        result: dict[str, Any] = told["result"]
        return result

    async def page(self, url: str | None = None) -> Page:
        target = (await self.send("Target.createTarget", {"url": "about:blank"}))["targetId"]
        session = (await self.send("Target.attachToTarget", {"targetId": target, "flatten": True}))["sessionId"]
        page = self._pages[session] = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log", "Network"):
            await page.send(f"{domain}.enable")
        if url is not None:
            await page.open(url)
        return page

    async def close(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        async for message in self._line:
            told = json.loads(message.data)
            if "id" in told:
                answer = self._waiting.pop(told["id"], None)
                if answer is not None and not answer.done():
                    answer.set_result(told)
            elif told["method"] == "Tracing.dataCollected":
                self.traced += told["params"]["value"]
            elif told["method"] == "Tracing.tracingComplete":
                self.trace_done.set()
            elif told.get("sessionId") in self._pages:
                _note(self._pages[told["sessionId"]], told["method"], told["params"])


def _note(page: Page, method: str, params: dict[str, Any]) -> None:
    """Keep what the tests look at."""
    if method == "Runtime.executionContextCreated":
        about = params["context"].get("auxData", {})
        if about.get("isDefault"):
            page.contexts[about["frameId"]] = params["context"]["id"]
    elif method == "Runtime.executionContextDestroyed":
        page.contexts = {f: c for f, c in page.contexts.items() if c != params["executionContextId"]}
    elif method == "Runtime.consoleAPICalled":
        page.console.append(f"{params['type']}: {[a.get('value', a.get('description')) for a in params['args']]}")
    elif method == "Runtime.exceptionThrown":
        page.console.append(f"exception: {params['exceptionDetails'].get('exception', {}).get('description')}")
    elif method == "Log.entryAdded":
        page.console.append(f"{params['entry']['level']}: {params['entry']['text']}")
    elif method == "Network.requestWillBeSent":
        page.requests.append(params["request"]["url"])
        page.headers.append({**params["request"]["headers"], "url": params["request"]["url"]})


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Browser]:
    """A browser with a fresh profile in `folder`."""
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, *FLAGS, f"--user-data-dir={folder}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, env={**os.environ, "LANG": "en_US.UTF-8"},
    )  # fmt: skip
    try:
        port, path = await _address(folder / "DevToolsActivePort")
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"ws://127.0.0.1:{port}{path}", max_msg_size=0) as line,
        ):
            browser = Browser(line)
            yield browser
            await browser.close()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 10)
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _address(file: Path) -> tuple[str, str]:
    async with asyncio.timeout(PATIENCE_S):
        while not file.exists() or len(file.read_text().split()) < 2:
            await asyncio.sleep(0.05)
    port, path = file.read_text().split()
    return port, path
