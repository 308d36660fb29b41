"""`croupier demo`, told to stop before it is done: nothing that it started outlives it."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from croupier.apps.demo import _show_links
from croupier.apps.world import local_world
from tests.conftest import make_home, remove_home

PATIENCE_S = 60.0


@pytest.fixture
def home() -> Iterator[Path]:
    made = make_home()
    yield made
    remove_home(made)


def children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    rows = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return [child for child, parent in rows if parent == pid]


def lives(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.slow
def test_a_demo_that_is_stopped_takes_its_hub_with_it(home: Path, number: signal.Signals, code: int) -> None:
    """The hub has a session of its own, so no signal of the terminal reaches it: the demo must end it."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("CROUPIER_")}
    demo = subprocess.Popen(
        [sys.executable, "-m", "croupier.cli", "demo"],
        env={**own, "PYTHONPATH": "src", "CROUPIER_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        # Whoever starts the tests in the background has SIGINT ignored, and children keep that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no lock is held
    )
    patience = time.monotonic() + PATIENCE_S
    while not (started := children(demo.pid)) and time.monotonic() < patience:
        time.sleep(0.02)
    assert started
    demo.send_signal(number)
    said, _ = demo.communicate(timeout=PATIENCE_S)
    assert demo.returncode == code, said
    assert b"Traceback" not in said
    while any(map(lives, started)) and time.monotonic() < patience:
        time.sleep(0.02)
    assert not any(map(lives, started))


@pytest.mark.slow
async def test_the_printed_command_watches_the_feed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "src")
    said = io.StringIO()
    async with local_world(home) as world:
        _show_links(world, 1, Console(file=said), stay=True)
        (words,) = re.findall(r"^  \S+ (feed watch .*)$", said.getvalue(), re.MULTILINE)
        assert world.casino_file.stat().st_mode & 0o777 == 0o600
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "croupier.cli", *words.split(), "--count", "2",
            stdout=asyncio.subprocess.PIPE, env=dict(world.environ),
        )  # fmt: skip
        told, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 0
    assert told.count(b"no draw yet") == 2


@pytest.mark.slow
async def test_a_local_world_never_touches_the_database_of_the_settings_around_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Demo money in somebody's real books would be there for ever."""
    monkeypatch.setenv("CROUPIER_DATABASE_URL", "postgresql://hub@127.0.0.1:1/real")
    monkeypatch.setenv("PYTHONPATH", "src")
    async with local_world(home) as world:
        assert world.settings.database_url is None
        assert not [name for name in world.environ if name.startswith("CROUPIER_DATABASE_URL")]


@pytest.mark.slow
def test_a_program_reads_the_report(home: Path) -> None:
    """One JSON object on standard output, and nothing else."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("CROUPIER_")}
    done = subprocess.run(
        [sys.executable, "-m", "croupier.cli", "demo", "--rounds", "1", "--json"],
        env={**own, "PYTHONPATH": "src", "CROUPIER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["as_expected"] is True
    assert {"bet and win", "refund", "cashback, then cancelled"} <= {one["name"] for one in report["rounds"]}
    assert sum(one["balance"] for one in report["ledger"]) == 0
    assert not any(one["violations"] for one in report["invariants"])
