"""apps.serve.Workers: forks that are replaced, asked to end, and never outlive their supervisor unnoticed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SUPERVISOR = """
import os, pathlib, signal, sys, time
from croupier.apps.serve import Workers

def work(life, place):
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    pathlib.Path(sys.argv[1], str(os.getpid())).touch()
    os.read(life, 1)
    pathlib.Path(sys.argv[1], f"alone-{os.getpid()}").touch()
    return 3

workers = Workers(2, work, None)
workers.start()
workers.watch()
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": "src"},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    yield running
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def pids(folder: Path) -> set[int]:
    return {int(path.name) for path in folder.iterdir() if path.name.isdigit()}


def wait_for(holds: Callable[[], bool]) -> None:
    patience = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < patience
        time.sleep(0.02)


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_all_end_with_sigterm(
    supervisor: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    wait_for(lambda: len(pids(tmp_path)) == 2)
    first = pids(tmp_path)
    os.kill(min(first), signal.SIGKILL)
    wait_for(lambda: len(pids(tmp_path)) == 3)
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(30) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids(tmp_path))


@pytest.mark.slow
def test_workers_notice_that_their_supervisor_was_killed(supervisor: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """A worker that kept the supervisor's end of the pipe would keep every other one from noticing."""
    wait_for(lambda: len(pids(tmp_path)) == 2)
    supervisor.kill()
    supervisor.wait()
    wait_for(lambda: {path.name for path in tmp_path.iterdir()} >= {f"alone-{pid}" for pid in pids(tmp_path)})
