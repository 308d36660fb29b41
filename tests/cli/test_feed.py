"""`croupier feed watch` against a real hub: its three forms, what it says when something is wrong, and that it comes back."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from croupier.apps.world import start_hub, stop
from tests.cli.conftest import Cli
from tests.feed.site import Site, open_site

pytestmark = pytest.mark.slow
PATIENCE_S = 40.0


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path) as made:
        (tmp_path / "owl.json").write_text(json.dumps(made.casino), "utf-8")
        yield made


class Watching:
    """The command as a process, and its output line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self, *words: str) -> str:
        """The next line of standard output that holds these words."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while True:
                line = (await self.process.stdout.readline()).decode()
                assert line, await self.error()
                if all(word in line for word in words):
                    return line

    async def event(self, name: str) -> dict[str, Any]:
        """The next JSON object of this kind."""
        told: dict[str, Any] = json.loads(await self.line(f'"event":"{name}"'))
        return told

    async def error(self) -> str:
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()


@asynccontextmanager
async def watching(site: Site, folder: Path, *words: str) -> AsyncIterator[Watching]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "croupier.cli", "feed", "watch", "23", "--hub", site.url,
        "--credentials", str(folder / "owl.json"), *words,
        env=site.environ, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Watching(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_a_pipe_gets_a_line_per_snapshot_from_betting_to_the_result(site: Site, tmp_path: Path) -> None:
    async with watching(site, tmp_path) as watch:
        assert "no draw yet" in await watch.line("#")
        assert await site.publish() == 1
        betting = await watch.line("23/1 betting, round 0")
        assert "age " in betting
        assert " s left" in betting
        over_ms = time.time_ns() // 1_000_000 - 1
        result = {"state": 3, "playState": 2, "bettingEndsAt": over_ms, "startsAt": over_ms, "results": [7, 12, 31]}
        assert await site.publish(version=2, **result) == 1
        assert "23/1 finished, round 0: 7 12 31" in await watch.line("last")
        watch.process.send_signal(signal.SIGINT)
        assert await watch.process.wait() == 130
        assert "Connected as" in await watch.error()


async def test_json_is_an_object_per_line_and_a_lost_hub_is_found_again(site: Site, tmp_path: Path) -> None:
    async with watching(site, tmp_path, "--json") as watch:
        assert len((await watch.event("connected"))["connectionId"]) == 32
        first = await watch.event("snapshot")
        assert first["gameType"] == 23
        assert 0 <= first["ageMs"] < 10_000
        assert set(first["snapshot"]) == {"sId", "tst", "im", "bt", "wgi"}
        await stop([site.process])
        assert (await watch.event("lost"))["why"]
        port = int(site.url.rpartition(":")[2])
        again, _ = await start_hub(site.environ, 1, port=port, log=tmp_path / "again")
        try:
            await watch.event("connected")
            assert (await watch.event("snapshot"))["snapshot"]["sId"] > first["snapshot"]["sId"]
        finally:
            await stop([again])


async def test_maintenance_is_seen_within_a_second(site: Site, tmp_path: Path) -> None:
    async with watching(site, tmp_path, "--json") as watch:
        assert (await watch.event("snapshot"))["snapshot"]["im"] is False
        switch = [sys.executable, "-m", "croupier.cli", "game-type", "set", "23", "--maintenance"]
        done = await asyncio.create_subprocess_exec(*switch, env=site.environ, stdout=asyncio.subprocess.DEVNULL)
        assert await done.wait() == 0
        switched_ms = time.time_ns() // 1_000_000
        while not (told := await watch.event("snapshot"))["snapshot"]["im"]:
            """Snapshots that were made before."""
        made_ms = datetime.fromisoformat(told["snapshot"]["tst"]).timestamp() * 1000
        assert made_ms - switched_ms < 1_000


async def test_it_ends_after_so_many_snapshots_and_keeps_the_secret_to_itself(site: Site, tmp_path: Path) -> None:
    async with watching(site, tmp_path, "--count", "3", "--json") as watch:
        if sys.platform == "linux":
            assert site.casino["Secret"] not in Path(f"/proc/{watch.process.pid}/cmdline").read_text("utf-8")
        events = [json.loads(line) async for line in watch.process.stdout or ()]
        assert [event["event"] for event in events] == ["connected"] + ["snapshot"] * 3
        assert await watch.process.wait() == 0


async def test_a_terminal_shows_the_state_that_is_now(site: Site, tmp_path: Path) -> None:
    assert await site.publish() == 1
    ours, theirs = pty.openpty()
    command = ["feed", "watch", "23", "--hub", site.url, "--credentials", str(tmp_path / "owl.json"), "--count", "4"]
    process = subprocess.Popen(  # noqa: ASYNC220 - starting takes no time
        [sys.executable, "-m", "croupier.cli", *command],
        env={**site.environ, "TERM": "xterm", "COLUMNS": "120"}, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = await asyncio.to_thread(read_all, ours)
    assert process.wait(PATIENCE_S) == 0, shown
    for words in ("Game type 23", "23/1 betting, round 0", "s left", "Snapshot ", "s old"):
        assert words in shown


def read_all(descriptor: int) -> str:
    pieces = []
    with suppress(OSError):  # the other end of the terminal is closed
        while piece := os.read(descriptor, 65536):
            pieces.append(piece)
    return b"".join(pieces).decode(errors="replace")


async def test_what_is_wrong_is_said_in_one_sentence(site: Site, tmp_path: Path, nowhere: Cli) -> None:
    good, wrong, none = tmp_path / "owl.json", tmp_path / "wrong.json", tmp_path / "none.json"
    wrong.write_text(json.dumps({**site.casino, "Secret": "not-the-secret"}), "utf-8")
    none.write_text("{}", "utf-8")

    def complaint(credentials: Path, hub: str = site.url) -> str:
        return nowhere.complaint("feed", "watch", "23", "--hub", hub, "--credentials", str(credentials))

    refused = await asyncio.to_thread(complaint, wrong)
    assert "auth/token answered 103752 with HTTP 401: check PartnerClientId" in refused
    assert "not-the-secret" not in refused
    assert "credentials are not those of a casino" in await asyncio.to_thread(complaint, none)
    assert "nothing.json" in await asyncio.to_thread(complaint, tmp_path / "nothing.json")
    assert "no hub answers at http://127.0.0.1:1" in await asyncio.to_thread(complaint, good, "http://127.0.0.1:1")
    words = ("feed", "watch", "23", "--hub", "127.0.0.1:8080", "--credentials", str(good))
    assert "--hub must begin with" in await asyncio.to_thread(nowhere.complaint, *words, code=2)


async def test_a_game_type_without_a_provider_is_named(site: Site, tmp_path: Path) -> None:
    async with watching(site, tmp_path, "--json") as watch:
        await watch.event("connected")
        await site.desk.store.providers.change(
            (await site.desk.store.providers.all())[0].provider_id, {"game_types": ()}
        )
        assert (await watch.event("silent"))["seconds"] >= 3
