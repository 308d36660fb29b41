"""The guide of the feed, followed literally in an empty folder: its files and commands are run against a real hub.

Only addresses are others, since ports may be taken, and what is downloaded is there already (`make test-clients`).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from croupier.feed.rest import messages
from tests.feed.site import Site, open_site
from tests.sockets import reachable

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guides/feed.md").read_text("utf-8")
CLIENTS = ROOT / "tests/feed/clients"
LIBRARY = CLIENTS / "node_modules/@microsoft/signalr/dist/browser/signalr.min.js"
NODE, CHROMIUM = shutil.which("node"), shutil.which("chromium") or shutil.which("google-chrome")
PATIENCE_S = 60.0
FENCED = re.findall(r"([^\n]*)\n\n```(\w*)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
"""The line before each block, its language, and its text."""
FILES = {name[1]: body for line, kind, body in FENCED if kind and (name := re.search(r"\*\*(\S+)\*\*[^*]*:$", line))}
COMMANDS = [body for _, kind, body in FENCED if not kind]

needs_library = pytest.mark.skipif(not LIBRARY.exists(), reason="the clients are not there: make test-clients")


def block(word: str) -> str:
    """The block of commands that holds this word."""
    (found,) = [text for text in COMMANDS if word in text]
    return found


@dataclass
class Folder:
    """The empty folder, and the hub."""

    path: Path
    site: Site
    page_port: int

    def ours(self, text: str) -> str:
        """The text with the addresses of this run."""
        return text.replace("http://127.0.0.1:8080", self.site.url).replace("8000", str(self.page_port))

    def paste(self, name: str) -> None:
        (self.path / name).write_text(self.ours(FILES[name]), "utf-8")

    async def shell(self, commands: str) -> str:
        """Run a block as a person pastes it; its output."""
        environ = {**self.site.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        process = await asyncio.create_subprocess_exec(
            "bash", "-e", "-c", self.ours(commands), cwd=self.path, env=environ,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        assert process.returncode == 0, told
        return told.decode()

    @asynccontextmanager
    async def started(self, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A program of the guide, until the end of the block."""
        process = await asyncio.create_subprocess_exec(
            *words, cwd=self.path, env={**os.environ, "PYTHONUNBUFFERED": "1"}, stdout=asyncio.subprocess.PIPE
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    """The folder after the operator's commands, with a draw of keno under way."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    empty = tmp_path / "empty"
    empty.mkdir()
    async with open_site(tmp_path, workers=1) as site:
        made = Folder(empty, site, port)
        await made.shell(block("casino add"))
        assert await site.publish() == 1
        yield made


async def line_with(process: asyncio.subprocess.Process, *words: str) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        while line := (await process.stdout.readline()).decode():
            if all(word in line for word in words):
                return
    raise AssertionError(f"it ended without {words}")


@pytest.mark.slow
async def test_the_rest_calls_and_the_terminal(folder: Folder) -> None:
    told = await folder.shell(block("auth/token"))
    assert told.count('"ErrorCode":200') == 3
    assert '"GameResults":[{"i":1,"t":23' in told
    watch = block("feed watch 23").strip() + f" --hub {folder.site.url} --count 1"
    assert "23/1 betting" in await folder.shell(watch)


@pytest.mark.slow
async def test_the_python_program(folder: Folder) -> None:
    folder.paste("follow.py")
    async with folder.started(sys.executable, "follow.py") as follows:
        await line_with(follows, '"ge": 1', '"s": 2')


@pytest.mark.slow
@needs_library
@pytest.mark.skipif(NODE is None, reason="Node is not installed (Debian: apt install nodejs npm)")
async def test_the_javascript_program(folder: Folder) -> None:
    folder.paste("follow.mjs")
    (folder.path / "node_modules").symlink_to(CLIENTS / "node_modules")
    async with folder.started(str(NODE), "follow.mjs") as follows:
        await line_with(follows, '"ge":1', '"s":2')


@pytest.mark.slow
@needs_library
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)")
async def test_the_page_in_a_browser(folder: Folder) -> None:
    """The page is served by the guide's server; one line more tells the test what it shows."""
    said: asyncio.Queue[str] = asyncio.Queue()

    async def hear(request: web.Request) -> web.Response:
        said.put_nowait(await request.text())
        return web.Response()

    (folder.path / "node_modules").symlink_to(CLIENTS / "node_modules")
    await folder.shell(block("npm install @microsoft/signalr@").split("\n", 1)[1])
    for name in ("page.html", "server.py"):
        folder.paste(name)
    app = web.Application()
    app.router.add_post("/said", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    tell = f'fetch("http://127.0.0.1:{runner.addresses[0][1]}/said", {{method: "POST", mode: "no-cors", body: document.body.innerText}})'
    with (folder.path / "page.html").open("a") as page:
        page.write(f"<script>setInterval(() => {tell}, 200)</script>\n")
    browser = [
        str(CHROMIUM),
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--remote-debugging-port=0",
    ]
    try:
        async with folder.started(sys.executable, "server.py"):
            await reachable(folder.page_port, PATIENCE_S)
            address = f"http://127.0.0.1:{folder.page_port}/"
            async with (
                folder.started(*browser, f"--user-data-dir={folder.path / 'browser'}", address),
                asyncio.timeout(PATIENCE_S),
            ):
                shown = ""
                while not ("23/1 running" in shown and "betting closes in" in shown):
                    shown = await said.get()
    finally:
        await runner.cleanup()


@needs_library
def test_the_hash_of_the_library_is_that_of_the_version_in_the_guide() -> None:
    (named,) = set(re.findall(r"npm install @microsoft/signalr@([0-9.]+[0-9])", GUIDE))
    assert f'"version": "{named}"' in (LIBRARY.parents[2] / "package.json").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha384(LIBRARY.read_bytes()).digest()).decode()
    assert f'integrity="sha384-{digest}"' in GUIDE


def test_the_server_serves_no_other_file_of_its_folder() -> None:
    """The credentials lie beside the page."""
    served = re.search(r"^FILES = (\{.*\})$", FILES["server.py"], re.MULTILINE)
    assert served is not None
    assert "json" not in served[1]
    assert "super()" not in FILES["server.py"]


@pytest.mark.parametrize("answer", [v for v in vars(messages).values() if isinstance(v, messages.FeedAnswer)], ids=str)
def test_every_code_of_the_rest_calls_is_explained(answer: Any) -> None:
    assert answer.code == messages.OK.code or re.search(rf"ErrorCode {answer.code}\b", GUIDE)


@pytest.mark.parametrize("quoted", re.findall(r"^\| (?:negotiate|completion): `([^`]+)`", GUIDE, re.MULTILINE))
def test_every_message_in_the_table_of_errors_is_one_of_the_hub(quoted: str) -> None:
    source = " ".join(path.read_text("utf-8") for path in (ROOT / "src/croupier/feed").glob("*.py"))
    assert f'"{quoted}"' in source


def test_shell_blocks_hold_no_secret_on_a_command_line() -> None:
    assert not [text for text in COMMANDS if re.search(r"Secret|Bearer [A-Za-z]", text)]


def test_the_blocks_are_all_there() -> None:
    assert set(FILES) == {"page.html", "server.py", "follow.mjs", "follow.py"}
    assert subprocess.run(["bash", "-n"], input="\n".join(COMMANDS), text=True, check=False).returncode == 0
