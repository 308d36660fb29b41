"""README's first steps, run literally in a directory with nothing but what `make setup` leaves, by a shell of their own.

Only the three ports are others, since they may be taken. It runs both files of `examples` over real HTTP too.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import make_home, remove_home

ROOT = Path(__file__).parents[2]
PORTS = ("8080", "9001", "9002")
START_S = 90.0


def blocks() -> list[str]:
    """The shell blocks of the section, in order."""
    section = (
        (ROOT / "README.md").read_text("utf-8").split("## First steps after the demo\n", 1)[1].split("\n## ", 1)[0]
    )
    return re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def with_free_ports(text: str, ports: dict[str, str]) -> str:
    for named, free in ports.items():
        text = re.sub(rf"\b{named}\b", free, text)
    return text


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty directory with the environment and the examples, as a checkout has them after `make setup`."""
    made = make_home()
    (made / ".venv").symlink_to(sys.prefix)
    (made / "examples").symlink_to(ROOT / "examples")
    yield made
    remove_home(made / ".croupier")
    remove_home(made)


@pytest.fixture
def ports() -> dict[str, str]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    free = {named: str(one.getsockname()[1]) for named, one in zip(PORTS, taken, strict=True)}
    for one in taken:
        one.close()
    return free


def environ() -> dict[str, str]:
    """Of this process what a person's shell has: nothing of the program's, and no other tree of its source."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("CROUPIER_", "PYTHON"))} | {
        "PYTHONPATH": str(ROOT / "src")
    }


def shell(script: str, folder: Path, said: Path) -> subprocess.Popen[bytes]:
    """A shell that stops at the first line that fails, in a process group of its own."""
    with said.open("wb") as sink:
        return subprocess.Popen(
            ["bash", "-e", "-o", "pipefail", "-x", "-c", script],
            cwd=folder, env=environ(), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True,
        )  # fmt: skip


def await_words(said: Path, words: str, process: subprocess.Popen[bytes]) -> None:
    patience = time.monotonic() + START_S
    while words not in said.read_text("utf-8", "replace"):
        assert process.poll() is None, said.read_text("utf-8", "replace")
        assert time.monotonic() < patience, said.read_text("utf-8", "replace")
        time.sleep(0.05)


def end(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
        process.wait(timeout=20)
    except (ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.xdist_group("first steps")
@pytest.mark.slow
def test_the_first_steps_run_as_they_stand(folder: Path, ports: dict[str, str]) -> None:
    hub_block, other_block = (with_free_ports(block, ports) for block in blocks())
    hub_said, said = folder / "hub.log", folder / "steps.log"
    hub = shell(hub_block, folder, hub_said)
    steps = None
    try:
        await_words(hub_said, "worker.ready", hub)
        # What the page says is to be seen at its end; `wait` so that nothing outlives the shell.
        steps = shell(other_block + "\nwait || true\necho all steps done\n", folder, said)
        assert steps.wait(timeout=START_S) == 0, said.read_text("utf-8", "replace")
    finally:
        if steps is not None and steps.poll() is None:
            end(steps, signal.SIGTERM)
        end(hub, signal.SIGTERM)
    told = said.read_text("utf-8", "replace")
    assert "all steps done" in told
    assert "lantern-dice" in told
    assert "settled" in told, "the trace shows the round"
    assert "croupier audit" in told, "with -e it held"
    logs = [(folder / name).read_text("utf-8") for name in ("wallet.log", "studio.log")]
    assert all("Traceback" not in log for log in logs), logs
    assert set(json.loads((folder / "aurora.json").read_text("utf-8"))) == {"PartnerClientId", "Secret"}
    assert (folder / "kite.json").stat().st_mode & 0o077 == 0


def test_the_examples_need_nothing_but_the_standard_library_and_are_short() -> None:
    for name, most in (("casino_wallet.py", 150), ("studio.py", 150)):
        text = (ROOT / "examples" / name).read_text("utf-8")
        modules = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
        assert modules <= sys.stdlib_module_names, name
        assert len(text.splitlines()) <= most, name
