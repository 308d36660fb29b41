"""The drill on real processes: the files of the embedded database are put back to an earlier copy under a hub that is down.

Two workers, PostgreSQL's own files, a sandbox casino and studio that live on and remember. What the virtual drill of
tests/flows/test_recovery.py cannot see is seen here: the lifeline in the home, the workers' loops, the command.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from croupier.apps.wiring import open_hub
from croupier.apps.world import LocalWorld, local_world, stop
from croupier.flows.hub import Hub
from croupier.flows.recovery import progress
from croupier.store.embedded.directory import find_place
from croupier.store.embedded.watcher import is_locked
from croupier.views.audit.auditor import audit
from tests.apps.restoring import WAITS, until, up, wallet
from tests.conftest import make_home, remove_home


@pytest.fixture
async def world() -> AsyncIterator[LocalWorld]:
    home = make_home()
    try:
        async with local_world(home, WAITS, workers=2, log=home / "hub.log") as made:
            yield made
    finally:
        remove_home(home)


def data_of(world: LocalWorld) -> Path:
    place = find_place(world.settings.home)
    assert place is not None
    return place / "data"


async def down(world: LocalWorld, *, killed: bool) -> None:
    """The hub is gone, and PostgreSQL after it."""
    if killed:
        world.hub.send_signal(signal.SIGKILL)
    await stop([world.hub])
    watch = data_of(world).parent / "watch"

    async def still() -> bool:
        return not is_locked(watch)

    await until(still, 30, "PostgreSQL does not stop")


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_nothing_is_lost_doubled_or_numbered_twice_when_the_database_goes_back(
    world: LocalWorld, tmp_path: Path
) -> None:
    session = (await world.launch("ann", "lantern-tumble")).session_id

    async def call(verb: str, bet: str, **what: str) -> tuple[int | None, int | None]:
        if verb != "refund":
            what.setdefault("round", "r-1")
        return await world.call(verb, session=session, bet=bet, **what)

    for ref in ("won", "undone", "on"):
        assert await call("pay-in", ref, amount="10.00") == (200, 1)
    await asyncio.sleep(2.5)  # a beat is left in the home
    await down(world, killed=False)
    shutil.copytree(data_of(world), tmp_path / "backup", symlinks=True)

    await up(world)
    assert await call("pay-out", "won", win="25.00") == (200, 1)
    assert await call("refund", "undone") == (200, 1)
    for n in range(5):
        assert await call("pay-in", f"lost-{n}", amount="1.00") == (200, 1)
    await asyncio.sleep(2.5)
    before = await wallet(world)
    used = {int(b["BetId"]) for b in before["bookings"]}
    await down(world, killed=True)
    shutil.rmtree(data_of(world))
    shutil.copytree(tmp_path / "backup", data_of(world), symlinks=True, copy_function=shutil.copy2)
    give_to_its_owner(data_of(world))
    await up(world)

    # New bets are held off, known ones go on.
    assert await call("pay-in", "new", amount="2.00") == (503, 99)
    assert await call("pay-out", "lost-1", win="3.00") == (503, 99)
    assert await call("pay-in", "on", amount="10.00") == (200, 1)
    async with open_hub(world.settings) as desk:
        await recovered(desk, used)
    assert (await wallet(world))["change"] == before["change"], "not a cent moved"

    async def taken() -> bool:
        return await call("pay-in", "new", amount="2.00") == (200, 1)

    await until(taken, 10, "new bets are not taken again")
    assert await call("pay-out", "on", win="1.00") == (200, 1)
    assert await call("pay-out", "won", win="25.00") == (200, 1)
    await asyncio.sleep(2)
    bookings = [(int(b["BetId"]), int(b["TransactionType"])) for b in (await wallet(world))["bookings"]]
    assert len(bookings) == len(set(bookings)), "nothing is booked twice"
    (new,) = {bet for bet, _ in bookings} - used
    assert new > max(used), "no number is used again"
    async with open_hub(world.settings) as hub:
        assert [f for f in await audit(hub.store.db) if f.violations] == []
        assert await hub.store.db.fetchval("select count(*) from recoveries") == 1


async def recovered(desk: Hub, used: set[int]) -> None:
    """The workers do their part, then a person does: the five lost bets are found, and keep recovery on until settled."""
    recovery = desk.state.recovery
    assert recovery is not None
    assert "beat" in recovery.why
    assert recovery.ids_next > max(used)

    async def compared() -> bool:
        active = await desk.store.recoveries.active()
        assert active is not None
        now = await progress(desk, active)
        return now.settled and not (now.to_compare or now.to_probe) and now.lost_bets > 0

    await until(compared, 180, "the window is not reconciled")
    findings = await desk.store.findings.open_ones(100)
    numbered = {f.subject_id for f in findings if f.subject_id}
    assert len(numbered) == 5
    assert numbered <= used
    assert any(f.subject_id == 0 and "lost-1" in f.words for f in findings)
    for finding in findings:
        assert await desk.store.findings.close([finding], "mia", "a drill")

    async def over() -> bool:
        return await desk.store.recoveries.active() is None

    await until(over, 60, "recovery does not end")


def give_to_its_owner(data: Path) -> None:
    """What a copy by root made belongs to whom the place belongs to, as PostgreSQL wants."""
    owner = data.parent.stat()
    for path in (data, *data.rglob("*")):
        shutil.chown(path, owner.st_uid, owner.st_gid)
    data.chmod(0o700)
