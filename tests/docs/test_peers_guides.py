"""The guides of casinos and providers, followed literally in an empty folder: their programs play a round against a real hub.

In each language both programs come from the guides: a studio in PHP plays at a casino in PHP. Only ports are others.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

import croupier
from croupier.apps.world import start_hub, stop
from croupier.casinos.betcore_v2 import outcomes as casino_outcomes
from croupier.core.refusals import Refusal
from croupier.providers.betcore_v1 import outcomes as provider_outcomes
from tests.conftest import make_home, remove_home
from tests.sockets import free_port, reachable

ROOT = Path(__file__).parents[2]
TEXTS = {name: (ROOT / f"docs/guides/{name}.md").read_text("utf-8") for name in ("casino", "provider")}
ENDINGS = {"python": "py", "javascript": "mjs", "php": "php"}
PROGRAMS = {"python": sys.executable, "javascript": shutil.which("node"), "php": shutil.which("php")}
PACKAGES = {"javascript": "nodejs", "php": "php-cli"}
PATIENCE_S = 60.0
BLOCK = re.compile(r"^```(python|javascript|php)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"\*\*(\w+)\.py\*\*, \*\*\1\.mjs\*\* or \*\*\1\.php\*\*")

needs_language = [
    pytest.param(
        language,
        marks=pytest.mark.skipif(
            PROGRAMS[language] is None, reason=f"{language} is not here (Debian: apt install {PACKAGES.get(language)})"
        ),
    )
    for language in ENDINGS
]


def files(language: str) -> dict[str, str]:
    """Name to text of every program of the guides in a language."""
    found = {}
    for text in TEXTS.values():
        names = [name[1] for name in NAMED.finditer(text)]
        blocks = [body for kind, body in BLOCK.findall(text) if kind == language]
        assert len(names) == len(blocks)
        found |= {f"{name}.{ENDINGS[language]}": body for name, body in zip(names, blocks, strict=True)}
    return found


@dataclass
class Folder:
    """The empty folder with the programs of one language, and the hub."""

    path: Path
    language: str
    environ: dict[str, str]

    async def croupier(self, *words: str, said: str = "") -> str:
        """Run a command of the operator; its output."""
        return await self._run(str(Path(sys.executable).with_name("croupier")), *words, said=said)

    async def program(self, name: str, *words: str) -> str:
        """Run a program of the guide to its end; its output."""
        return await self._run(str(PROGRAMS[self.language]), f"{name}.{ENDINGS[self.language]}", *words)

    async def _run(self, *words: str, said: str = "") -> str:
        process = await asyncio.create_subprocess_exec(
            *words, cwd=self.path, env=self.environ, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await asyncio.wait_for(process.communicate(said.encode()), PATIENCE_S)
        assert process.returncode == 0, (words, told.decode())
        return told.decode()

    @asynccontextmanager
    async def server(self, name: str, port: int) -> AsyncIterator[None]:
        """A program of the guide that goes on, with all processes that it starts."""
        program = f"{name}.{ENDINGS[self.language]}"
        words = ["-S", f"127.0.0.1:{port}", program] if self.language == "php" else [program]
        environ = {**self.environ, "PHP_CLI_SERVER_WORKERS": "4"}
        log = (self.path / f"{name}.log").open("wb")
        process = await asyncio.create_subprocess_exec(
            str(PROGRAMS[self.language]), *words, cwd=self.path, env=environ, start_new_session=True,
            stdout=log, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        log.close()
        try:
            await reachable(port, PATIENCE_S)
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def reported(self, times: int) -> None:
        """Wait until the casino has reported so many outcomes, each of which the hub took."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                told = re.findall(r"reported -?[0-9]+ ([0-9]+)", (self.path / "casino.log").read_text("utf-8"))
                assert set(told) <= {"200"}
                if len(told) >= times:
                    return
                await asyncio.sleep(0.1)


@asynccontextmanager
async def opened(folder: Path, language: str) -> AsyncIterator[Folder]:
    """The hub, the operator's commands, and both programs running."""
    home = make_home()
    own = {k: v for k, v in os.environ.items() if not k.startswith("CROUPIER_")}
    environ = {**own, "CROUPIER_HOME": str(home), "CROUPIER_ALLOW_PRIVATE_PEERS": "1", "CROUPIER_HOLD_S": "25"}
    environ["PYTHONPATH"] = str(Path(croupier.__file__).parents[1])
    process, url = await start_hub(environ, 1, log=folder / "hub.log")
    ports = {"9001": str(free_port()), "9002": str(free_port())}
    try:
        made = Folder(folder, language, {**environ, "HUB": url, "PYTHONUNBUFFERED": "1"})
        for name, text in files(language).items():
            (folder / name).write_text(re.sub("9001|9002", lambda port: ports[port[0]], text), "utf-8")
        await made.croupier(
            "casino",
            "add",
            "Corner Bet",
            "--url",
            f"http://127.0.0.1:{ports['9001']}",
            "--currency",
            "EUR",
            "--secret-file",
            "corner.json",
        )
        await made.croupier(
            "provider", "add", "Kite Studio", "--url", f"http://127.0.0.1:{ports['9002']}", "--secret-file", "kite.json"
        )
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(made.server("casino", int(ports["9001"])))
            await stack.enter_async_context(made.server("studio", int(ports["9002"])))
            yield made
    finally:
        await stop([process])
        remove_home(home)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("language", needs_language)
async def test_a_newcomer_plays_a_round_between_the_two_programs(tmp_path: Path, language: str) -> None:
    async with opened(tmp_path, language) as folder:
        assert "1 new" in await folder.croupier("provider", "sync", "Kite Studio")
        launched = await folder.croupier(
            "session",
            "open",
            "--casino",
            "Corner Bet",
            "--token",
            "-",
            "--game",
            "lantern-dice",
            "--json",
            said="anna-1\n",
        )
        session = json.loads(launched)["sessionId"]
        _, end, code, balance = (await folder.program("play", session, "10.00", "25.00")).split()
        assert (end, code, float(balance)) == ("settled", "1", 1015.0)
        _, end, code, *_ = (await folder.program("play", session, "5000.00", "0")).split()
        assert (end, code) == ("refused", "3")
        await folder.croupier(
            "cashback", "pay", "--casino", "Corner Bet", "--player", "anna", "--amount", "5.00", "--currency", "EUR"
        )
        await folder.reported(3)  # the stake, the win, the cashback
        await folder.croupier("provider", "set", "Kite Studio", "game_types=31")
        drawn = await folder.program("draws")
        assert len(re.findall(r"_responseCode['\"]?: ?1\b", drawn)) == 2, drawn
        assert "Incidents: none" in await folder.croupier("incidents")
        await folder.croupier("audit")


@pytest.mark.parametrize("name", TEXTS)
def test_every_program_is_there_in_three_languages(name: str) -> None:
    kinds = [kind for kind, _ in BLOCK.findall(TEXTS[name])]
    assert kinds == list(ENDINGS) * len(NAMED.findall(TEXTS[name]))


def test_the_casinos_codes_are_those_of_the_protocol() -> None:
    told = {int(code) for code in re.findall(r"^\| ([0-9]{3,6}) \|", TEXTS["casino"], re.MULTILINE)}
    assert {*casino_outcomes.DEFAULT_CODES.values(), casino_outcomes.SUCCESS, casino_outcomes.EXISTS} <= told
    answers = {
        (row.status, row.code) for row in vars(casino_outcomes).values() if isinstance(row, casino_outcomes.HubAnswer)
    }
    shown = set()
    for statuses, code in re.findall(r"^\| ([0-9, ]+) \| ([0-9]+) \|", TEXTS["casino"], re.MULTILINE):
        shown |= {(int(status), int(code)) for status in statuses.split(", ")}
    assert shown == answers


def test_the_providers_codes_are_those_of_the_protocol() -> None:
    rows = re.findall(r"^\| ([0-9]+) \| ([0-9, ]+) \|", TEXTS["provider"], re.MULTILINE)
    shown = {(int(code), int(status)) for code, statuses in rows for status in statuses.split(", ")}
    wanted = [provider_outcomes.SUCCESS, *(provider_outcomes.REFUSALS[refusal] for refusal in Refusal)]
    wanted += provider_outcomes.FAULTS.values()
    assert shown == {(row.code, row.status) for row in wanted}


def test_the_vector_of_the_guide_is_that_of_the_contract() -> None:
    vector = re.findall(r"`([0-9a-f]{64})`", TEXTS["provider"])
    assert vector == [re.findall(r"\| none \| `([0-9a-f]{64})`", (ROOT / "docs/contract/provider.md").read_text())[0]]
