"""The drill of OPERATIONS on real processes: a backup under load, the machine's data lost, the restore, and the books agree.

The sandbox casino and studio live on and remember what the backup does not know. Nothing is lost, nothing is paid twice.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from croupier.apps.wiring import open_hub
from croupier.apps.world import LocalWorld, local_world
from croupier.flows.hub import Hub
from croupier.flows.recovery import progress
from croupier.store.embedded.directory import find_place
from croupier.views.audit.auditor import audit
from tests.apps.test_restore_drill import WAITS, down, until, up
from tests.conftest import make_home, remove_home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
async def world() -> AsyncIterator[LocalWorld]:
    home = make_home()
    try:
        async with local_world(home, WAITS, workers=2, log=home / "hub.log") as made:
            yield made
    finally:
        remove_home(home)


async def croupier(world: LocalWorld, *words: str) -> dict[str, Any]:
    """Run the real command beside the hub and return its JSON."""
    environ = {**os.environ, **world.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "croupier.cli", *words, "--json", env=environ, stdout=-1, stderr=-1
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return dict(json.loads(out))


async def play(world: LocalWorld, session: str, asked: list[str], first: int) -> None:
    """One bet after the other: a stake of 1.00, and a win of 0.50 for every second one."""
    for n in range(first, 10_000, 4):
        asked.append(f"b{n}")
        await world.call("pay-in", session=session, bet=f"b{n}", amount="1.00", round="r")
        if n % 2:
            await world.call("pay-out", session=session, bet=f"b{n}", win="0.50", round="r")


def lose_all_but_the_keys(world: LocalWorld) -> None:
    """The machine's disk is gone; a person puts the two key files on a new one."""
    home = world.settings.home
    place = find_place(home)
    assert place is not None
    keys = {name: (home / name).read_bytes() for name in ("key", "backup.key")}
    shutil.rmtree(place)
    for path in home.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, data in keys.items():
        (home / name).write_bytes(data)
        (home / name).chmod(0o600)


async def test_backup_under_load_loss_of_the_data_and_restore(world: LocalWorld, tmp_path: Path) -> None:
    session = (await world.launch("ann", "lantern-tumble")).session_id
    asked: list[str] = []
    players = [asyncio.create_task(play(world, session, asked, first)) for first in range(4)]
    await asyncio.sleep(3)
    made = await croupier(world, "backup", "--to", str(tmp_path))
    at_backup = len(asked)
    await asyncio.sleep(3)
    for task in players:
        task.cancel()
    await asyncio.gather(*players, return_exceptions=True)
    assert len(asked) > at_backup > 0, "bets went on behind the backup"
    await asyncio.sleep(2)
    before = await wallet(world)
    used = {int(b["BetId"]) for b in before["bookings"]}

    await down(world, killed=True)
    lose_all_but_the_keys(world)
    done = await croupier(world, "restore", str(made["path"]))
    assert (done["kept_as"], done["trail"], done["has_key"]) == (None, True, True)
    await up(world)

    assert await world.call("pay-in", session=session, bet="new", amount="2.00", round="r") == (503, 99)
    async with open_hub(world.settings) as desk:
        assert desk.state.recovery is not None, "recovery mode begins by itself"
        for bet in asked:  # the studio repeats what it may not have had an answer to
            await world.call("pay-in", session=session, bet=bet, amount="1.00", round="r")
        await every_lost_bet_is_found(desk, used)
    assert (await wallet(world))["change"] == before["change"], "not a cent moved"

    async def taken() -> bool:
        return await world.call("pay-in", session=session, bet="new", amount="2.00", round="r") == (200, 1)

    await until(taken, 20, "new bets are not taken again")
    bookings = [(int(b["BetId"]), int(b["TransactionType"])) for b in (await wallet(world))["bookings"]]
    assert len(bookings) == len(set(bookings)), "nothing is booked twice"
    async with open_hub(world.settings) as desk:
        assert [found for found in await audit(desk.store.db) if found.violations] == []


async def wallet(world: LocalWorld) -> dict[str, Any]:
    return dict(await world.ask(f"{world.casino_url}/_sandbox/wallet/ann"))


async def every_lost_bet_is_found(desk: Hub, used: set[int]) -> None:
    """The casino knows bets that the backup does not: each is a finding, and recovery ends when a person has seen them."""
    known = {int(row["bet_id"]) for row in await desk.store.db.fetch("select bet_id from bets")}
    lost = used - known
    assert lost, "the load went on behind the backup"

    async def compared() -> bool:
        active = await desk.store.recoveries.active()
        assert active is not None
        now = await progress(desk, active)
        return now.settled and not (now.to_compare or now.to_probe)

    await until(compared, 200, "the window is not reconciled")
    findings = await desk.store.findings.open_ones(10_000)
    assert {f.subject_id for f in findings if f.subject_id} >= lost
    for finding in findings:
        assert await desk.store.findings.close([finding], "mia", "a drill")

    async def over() -> bool:
        return await desk.store.recoveries.active() is None

    await until(over, 60, "recovery does not end")
