"""The loops beside the app: one that fails begins anew, and none ends unseen."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from croupier.apps.worker import AGAIN_S, SEEN_KEPT_MS, SILENT_S, _loops, every, restart_forever, take_over
from croupier.flows.recovery import detect_restore
from croupier.simulator.stage import settings_for
from croupier.store.db import DbConflict, DbDown
from croupier.store.installation import Lifeline
from croupier.store.parties.profiles import PROVIDERS, BadProfile, profile_from_settings
from croupier.store.processes import Processes, this_host
from tests.flows.desk import Desk
from tests.store.cast import NOW_MS

Loop = Callable[[], Awaitable[None]]


class Ends:
    """A loop that ends in these ways, one after the other, and then runs on for ever."""

    def __init__(self, *ways: Exception | None) -> None:
        self.ways = list(ways)
        self.runs_on = asyncio.Event()

    async def __call__(self) -> None:
        if not self.ways:
            self.runs_on.set()
            await asyncio.Event().wait()
        way = self.ways.pop(0)
        if way is not None:
            raise way


async def kept_up(desk: Desk, loop: Ends) -> list[Any]:
    """The log lines until the loop runs on. It is then cancelled, and ends by that."""
    with structlog.testing.capture_logs() as lines:
        task = asyncio.create_task(restart_forever(desk.hub, loop))
        await loop.runs_on.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    return lines


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("way", "event", "level"),
    [
        (DbDown("gone"), "database.trouble", "error"),
        (DbConflict("in the way"), "database.trouble", "error"),
        (ValueError("a bug"), "worker.loop", "error"),
        (AssertionError("a law"), "worker.loop", "error"),
    ],
)
async def test_a_loop_that_fails_is_told_and_begins_anew(desk: Desk, way: Exception, event: str, level: str) -> None:
    lines = await kept_up(desk, Ends(way, way))
    told = 2 if event == "worker.loop" else 1  # of trouble with the database one line speaks for many
    assert [(line["event"], line["log_level"]) for line in lines] == [(event, level)] * told
    assert all(line.get("exc_info") for line in lines) is (event == "worker.loop"), "a bug comes with its traceback"


async def test_between_two_beginnings_there_is_a_rest(desk: Desk) -> None:
    """A database that is away is not asked in a hot loop."""
    await kept_up(desk, Ends(DbDown("gone"), DbDown("gone"), None))
    assert desk.clock.now_ms() - NOW_MS == 3 * AGAIN_S * 1000


async def test_every_so_often_means_rest_first_then_work_again_and_again(desk: Desk) -> None:
    at: list[int] = []

    async def work() -> None:
        at.append(desk.clock.now_ms() - NOW_MS)
        if len(at) == 3:
            raise DbDown("gone")

    with pytest.raises(DbDown):
        await every(desk.hub, 2.0, work)
    assert at == [2000, 4000, 6000]


async def test_request_ids_are_kept_for_longer_than_any_request_can_be_fresh(desk: Desk) -> None:
    """From the earliest clock to the latest that a provider's row allows."""
    assert profile_from_settings({"fresh_s": "300"}, PROVIDERS) == {"fresh_s": 300.0}
    with pytest.raises(BadProfile):
        profile_from_settings({"fresh_s": "301"}, PROVIDERS)
    assert SEEN_KEPT_MS > 2 * 300 * 1000


async def test_every_loop_of_a_worker_can_be_begun_again(desk: Desk) -> None:
    """A coroutine runs once; a loop that is kept up is something that makes one."""
    desk.hub.state.poller = Ends()  # type: ignore[assignment]
    desk.hub.state.poller.run = Ends()  # type: ignore[union-attr,method-assign,assignment]
    loops = _loops(desk.hub, Processes(desk.db, desk.clock), settings_for())  # type: ignore[arg-type]
    assert len(loops) == 16
    assert all(callable(loop) and not asyncio.iscoroutine(loop) for loop in loops)


async def test_a_process_that_fell_silent_leaves_the_list_after_its_leases_and_comes_back_if_it_wakes(
    desk: Desk,
) -> None:
    """Machines that are gone for good must not stay on the list for ever."""
    other, here = Processes(desk.db, desk.clock), Processes(desk.db, desk.clock)  # type: ignore[arg-type]
    await other.register("w-far", "another machine", 1, started="m")
    await take_over(desk.hub, here)
    desk.clock.ms += 10_000
    await take_over(desk.hub, here)
    assert await other.beat("w-far"), "its leases may still run"
    desk.clock.ms += 10_000
    await take_over(desk.hub, here)
    desk.clock.ms += round((SILENT_S + desk.hub.waits.lease_s) * 1000)
    await take_over(desk.hub, here)
    assert not await other.beat("w-far")


async def test_a_forgotten_process_registers_again_with_its_next_beat(desk: Desk, tmp_path: Path) -> None:
    desk.hub.state.poller = Ends()  # type: ignore[assignment]
    desk.hub.state.poller.run = Ends()  # type: ignore[union-attr,method-assign,assignment]
    settings = replace(settings_for(), home=tmp_path)
    await detect_restore(desk.hub, Lifeline(tmp_path))
    beat = next(loop for loop in _loops(desk.hub, Processes(desk.db, desk.clock), settings) if "beat" in repr(loop))  # type: ignore[arg-type]
    beating = asyncio.create_task(beat())  # type: ignore[arg-type]
    while not await desk.db.fetchval("select count(*) from processes"):
        await asyncio.sleep(0.01)
    beating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await beating


LONE = """
import os, socket, sys
from croupier.apps.worker import work
from croupier.kit.config import load
with socket.create_server(("127.0.0.1", 0)) as sock:
    sys.exit(work(load({k: v for k, v in os.environ.items() if k.startswith("CROUPIER_")}), sock, os.pipe()[0]))
"""


@pytest.mark.slow
def test_a_worker_without_a_database_says_so_in_one_line(tmp_path: Path) -> None:
    """It ends, and is started again; a traceback every half second would bury the one line that matters."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("CROUPIER_")}
    told = {"CROUPIER_HOME": str(tmp_path), "CROUPIER_DATABASE_URL": "postgresql://hub@127.0.0.1:1/hub"}
    done = subprocess.run(
        [sys.executable, "-c", LONE],
        env={**own, **told, "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "worker.without_database" in done.stderr
    assert "Traceback" not in done.stderr


async def test_what_a_dead_process_held_is_told_by_the_worker_that_took_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers of one host see the same dead process at once; the second one has taken over nothing."""
    bet = await desk.bet()
    first, second = Processes(desk.db, desk.clock), Processes(desk.db, desk.clock)  # type: ignore[arg-type]
    await Processes(desk.db, desk.clock).register("w-dead", this_host(), 1, started="m")  # type: ignore[arg-type]
    await desk.db.execute(
        "update calls set lease_owner = 'w-dead', lease_until_ms = $2 where subject_id = $1",
        bet.bet_id,
        desk.clock.now_ms() + 60_000,
    )

    async def seen() -> list[str]:
        return ["w-dead"]

    with structlog.testing.capture_logs() as lines:
        for worker in (first, second):
            monkeypatch.setattr(worker, "gone_on_this_host", seen)
            await take_over(desk.hub, worker)
    (told,) = [line for line in lines if line["event"] == "worker.took_over"]
    assert (told["gone"], told["calls"]) == (1, 1)
