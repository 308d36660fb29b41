"""A studio's process that is killed in the middle of a draw, against a real hub and casino: every bet still comes to its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from croupier.apps.wiring import open_hub
from croupier.apps.world import LocalWorld, local_world, stop
from tests.conftest import make_home, remove_home

WHEEL, CRASH = 24, 25
PATIENCE_S = 60.0
ENDED = {"settled", "refunded", "refused", "returned"}


@pytest.fixture
def home() -> Iterator[Path]:
    made = make_home()
    yield made
    remove_home(made)


def studio_process(hub_url: str, home: Path, credentials: Path) -> subprocess.Popen[bytes]:
    words = ["--hub", hub_url, "--draws", str(home / "draws"), "--pace", "5", "--credentials", str(credentials)]
    return subprocess.Popen(
        [sys.executable, "-m", "croupier.sandbox.serve", "studio", *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "src"},
    )  # fmt: skip


async def started(world: LocalWorld, home: Path) -> subprocess.Popen[bytes]:
    """A studio with draws under the world's provider; the world's own studio makes way."""
    assert world.provider is not None
    async with open_hub(world.settings) as hub:
        (secret, *_) = await hub.store.providers.secrets(world.provider.provider_id)
        file = home / "studio.json"
        file.write_text(json.dumps({"CounterpartyId": world.provider.counterparty_id, "Secret": secret}))
        process = studio_process(world.hub_url, home, file)
        assert process.stdout is not None
        world.studio_url = json.loads(await asyncio.to_thread(process.stdout.readline))["url"]
        await hub.store.providers.change(world.provider.provider_id, {"url": world.studio_url})
    return process


async def bet(world: LocalWorld, session: str, choice: str) -> Any:
    asked = {"session": session, "choice": choice, "stake": "2.00"}
    async with asyncio.timeout(PATIENCE_S):
        while "bet" not in (told := await world.ask(f"{world.studio_url}/_sandbox/draws/bet", asked)):
            await asyncio.sleep(0.05)
    return told


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_studio_that_is_killed_in_the_middle_of_draws_ends_every_bet(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "src")
    async with local_world(home) as world:
        process = await started(world, home)
        bets: list[str] = []
        try:
            for _ in range(3):
                sessions = {
                    game: (await world.launch("anna", game)).session_id for game in ("harbour-lights", "heron-crash")
                }
                for session, choice in ((sessions["harbour-lights"], "grey"), (sessions["heron-crash"], "1.50")):
                    told = await bet(world, session, choice)
                    assert int(told["code"]) == 1
                    bets.append(str(told["bet"]))
                process.send_signal(signal.SIGKILL)
                await asyncio.to_thread(process.wait)
                await stop([process])
                process = await started(world, home)
            async with open_hub(world.settings) as hub, asyncio.timeout(PATIENCE_S):
                while True:
                    rows = await hub.store.db.fetch("select state from bets where bet_ref = any($1)", bets)
                    states = [row["state"] for row in rows]
                    if len(states) == len(bets) and set(states) <= ENDED:
                        break
                    await asyncio.sleep(0.2)
        finally:
            await stop([process])
