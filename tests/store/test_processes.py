"""store.processes: real processes that live, die, and leave their pid to others."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from croupier.store import processes as module
from croupier.store.db import Db
from croupier.store.processes import Processes, start_mark, this_host
from tests.store.cast import HandClock


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits until it is told to end."""
    running = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    yield running
    running.kill()
    running.wait()
    assert running.stdin is not None
    running.stdin.close()


async def register(db: Db, process_id: str, pid: int, *, host: str | None = None, mark: str | None = None) -> None:
    """As another process would do it."""
    started = mark or start_mark(pid)
    assert started is not None
    await Processes(db, HandClock()).register(process_id, host or this_host(), pid, started=started)


async def test_a_living_process_is_not_gone_and_a_dead_one_is(db: Db, child: subprocess.Popen[bytes]) -> None:
    await register(db, "child", child.pid)
    await register(db, "me", os.getpid())
    looker = Processes(db, HandClock())
    assert await looker.gone_on_this_host() == []
    child.kill()
    child.wait()
    assert await looker.gone_on_this_host() == ["child"]


async def test_a_dead_process_that_nobody_collected_is_gone(db: Db, child: subprocess.Popen[bytes]) -> None:
    await register(db, "child", child.pid)
    child.kill()
    patience = time.monotonic() + 20
    while start_mark(child.pid) is not None and time.monotonic() < patience:
        await asyncio.sleep(0.01)
    assert child.returncode is None  # not waited for: it is a zombie
    assert await Processes(db, HandClock()).gone_on_this_host() == ["child"]


async def test_a_pid_that_was_given_to_another_process_does_not_keep_the_first_alive(db: Db) -> None:
    await register(db, "before", os.getpid(), mark="some other start")
    assert await Processes(db, HandClock()).gone_on_this_host() == ["before"]


async def test_of_other_hosts_nothing_is_said(db: Db) -> None:
    await register(db, "far", 2**22 + 5, host="elsewhere", mark="x")
    assert await Processes(db, HandClock()).gone_on_this_host() == []


async def test_a_process_whose_beat_stands_still_is_silent_wherever_it_runs(db: Db) -> None:
    """A stopped process, or a host that is gone: the looker goes by what it saw and by its own clock alone."""
    theirs, mine = HandClock(), HandClock()
    theirs.ms -= 300_000  # their clock is five minutes behind
    far = Processes(db, theirs)
    await far.register("far", "elsewhere", 7, started="x")
    looker = Processes(db, mine)
    await looker.register("me", this_host(), os.getpid(), started="m")
    assert await looker.silent(8.0) == []
    for _ in range(5):
        await mine.sleep(4.0)
        theirs.ms += 1
        assert await far.beat("far")
        assert await looker.silent(8.0) == []
    await mine.sleep(7.9)
    assert await looker.silent(8.0) == []
    await mine.sleep(0.1)
    assert await looker.silent(8.0) == ["far"]
    theirs.ms += 1
    assert await far.beat("far")
    assert await looker.silent(8.0) == []


async def test_it_never_names_itself(db: Db) -> None:
    me = Processes(db, HandClock())
    await me.register("me", this_host(), os.getpid(), started="a mark that is wrong")
    assert await me.gone_on_this_host() == []


async def test_the_forgotten_are_struck_and_must_register_again(db: Db) -> None:
    clock = HandClock()
    mine = Processes(db, clock)
    for name in ("a", "b", "c"):
        await mine.register(name, this_host(), os.getpid(), started="m")
    clock.ms += 5
    assert await mine.beat("a")
    assert await db.fetchval("select beat_ms from processes where process_id = 'a'") == clock.ms
    await mine.forget(["a", "b", "unknown"])
    assert [row["process_id"] for row in await db.fetch("select process_id from processes")] == ["c"]
    assert not await mine.beat("a")
    await mine.register("c", this_host(), 5, started="n")
    assert await db.fetchval("select pid from processes") == 5


def test_marks_of_one_process_are_equal_and_of_two_differ(child: subprocess.Popen[bytes]) -> None:
    assert start_mark(child.pid) == start_mark(child.pid)
    assert start_mark(os.getpid()) not in (None, start_mark(child.pid))
    assert start_mark(2**22 + 5) is None


@pytest.mark.skipif(not Path(module.PS).exists(), reason="no ps on this machine")
def test_where_there_is_no_proc_ps_is_asked(monkeypatch: pytest.MonkeyPatch, child: subprocess.Popen[bytes]) -> None:
    monkeypatch.setattr(module, "_PROC", Path("/no-such-place"))
    mark = start_mark(child.pid)
    assert mark is not None
    assert mark == start_mark(child.pid)
    assert start_mark(2**22 + 5) is None
    child.kill()
    patience = time.monotonic() + 20
    while start_mark(child.pid) is not None and time.monotonic() < patience:
        time.sleep(0.05)
    assert start_mark(child.pid) is None  # collected by nobody yet


def test_a_process_whose_name_holds_brackets_and_spaces_is_read_right(tmp_path: Path) -> None:
    odd = tmp_path / "a) Z (b"
    odd.symlink_to(sys.executable)
    running = subprocess.Popen([str(odd), "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert start_mark(running.pid) is not None
    finally:
        running.kill()
        running.communicate()
