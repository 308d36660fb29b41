"""A run of the tests that is killed leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.browser.keeper import left_behind

RUN = """
import os, subprocess, sys, time
from pathlib import Path
from tests.browser.keeper import kept
with kept(Path(sys.argv[1])):
    for command in (["sleep", "300"], ["sh", "-c", "trap '' TERM; while :; do sleep 1; done", f"--profile={sys.argv[1]}"]):
        subprocess.Popen(command, env={**os.environ, "CROUPIER_HOME": sys.argv[1]}, start_new_session=True)
    print("started", flush=True)
    time.sleep(300)
"""


@pytest.mark.slow
def test_processes_of_a_killed_run_end(tmp_path: Path) -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert run.stdout is not None
    with run.stdout:
        assert run.stdout.readline() == b"started\n"
        assert len(left_behind([str(tmp_path)])) >= 2
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    until = time.monotonic() + 60
    while left_behind([str(tmp_path)]) and time.monotonic() < until:
        time.sleep(0.1)
    assert left_behind([str(tmp_path)]) == []
