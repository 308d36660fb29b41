"""Ends what a test run left behind that was killed: `python -m tests.browser.keeper MARK...` waits until its input ends.

Whoever starts it holds the other end, which the kernel closes at any death. A mark is a directory that no other run has: the home of
the hub's processes is in their environment, the profile of a browser in its command.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

GRACE_S = 15.0


@contextmanager
def kept(*marks: Path) -> Iterator[None]:
    """No process with one of these marks outlives this process by long."""
    command = [sys.executable, "-m", "tests.browser.keeper", *map(str, marks)]
    keeper = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, cwd=Path(__file__).parents[2])
    try:
        yield
    finally:
        assert keeper.stdin is not None
        keeper.stdin.close()
        keeper.wait(2 * GRACE_S)


def left_behind(marks: Sequence[str]) -> list[int]:
    """Processes with one of the marks. A mark ends where a path ends, so that none is the beginning of another."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            told = (folder / "environ").read_bytes() + b"\0" + (folder / "cmdline").read_bytes()
            values = {part.rpartition(b"=")[2].decode(errors="replace") for part in told.split(b"\0")}
            # The embedded database serves whoever comes next, and its watcher ends it.
            if values & set(marks) and int(folder.name) != os.getpid() and b"tests.browser.keeper" not in told:
                found.append(int(folder.name))
    return found


def end(marks: Sequence[str]) -> None:
    """Terminate them, and kill those that do not end."""
    for sign, patience_s in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, 1.0)):
        for pid in left_behind(marks):
            with suppress(OSError):
                os.kill(pid, sign)
        until = time.monotonic() + patience_s
        while left_behind(marks) and time.monotonic() < until:
            time.sleep(0.1)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    end(sys.argv[1:])
