"""Work that takes long shows a line on a terminal, and nothing to a pipe or to a caller of `--json`."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from croupier.cli.progress import progress_line
from tests.cli.conftest import Cli

HIDES_AGAIN = "\x1b[2K"
"""What takes the line away."""


class Terminal:
    """A real terminal whose other end keeps what was shown."""

    def __init__(self) -> None:
        self._there, self.end = pty.openpty()
        self._shown = b""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                part = os.read(self._there, 4096)
            except OSError:  # the last holder of the other end has closed it
                return
            if not part:
                return
            self._shown += part

    def shown(self) -> str:
        """Close the terminal and return what it showed."""
        os.close(self.end)
        self._reader.join(20)
        os.close(self._there)
        return self._shown.decode(errors="replace")


def plain(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]) -> str:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with os.fdopen(os.dup(terminal.end), "w") as screen:
        monkeypatch.setattr(sys, "stderr", screen)
        work()
    monkeypatch.undo()
    return terminal.shown()


def test_a_person_sees_what_is_under_way_and_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        with progress_line("Opening [the] database") as tell:
            tell("Applying \x1b]0;x 0001_hub.sql", 1_250, 20_000)

    shown = on_a_terminal(monkeypatch, work)
    assert "Applying  ]0;x 0001_hub.sql" in plain(shown)
    assert "1,250 of 20,000" in plain(shown)
    assert shown.rstrip().endswith(HIDES_AGAIN), "the line is gone at the end"


def test_work_of_unknown_length_says_what_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        with progress_line("Opening [the] database"):
            pass

    assert "Opening [the] database" in plain(on_a_terminal(monkeypatch, work))


def test_a_caller_of_json_sees_nothing_on_a_terminal_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        with progress_line("Opening", as_json=True) as tell:
            tell("Applying", 1, 2)

    assert on_a_terminal(monkeypatch, work) == ""


def test_a_pipe_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    with progress_line("Opening") as tell:
        tell("Applying", 1, 2)
    assert pipe.getvalue() == ""


def test_work_that_fails_leaves_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        with pytest.raises(KeyError), progress_line("Opening"):
            raise KeyError

    assert on_a_terminal(monkeypatch, work).rstrip().endswith(HIDES_AGAIN)


def run(words: Sequence[str], environ: dict[str, str]) -> tuple[int, str, str]:
    """Run the program with a terminal as standard error. Return exit code, standard output, and what the terminal showed."""
    terminal = Terminal()
    process = subprocess.Popen(
        [sys.executable, "-m", "croupier.cli", *words], env={**environ, "TERM": "xterm", "COLUMNS": "120"},
        stdout=subprocess.PIPE, stderr=terminal.end, text=True,
    )  # fmt: skip
    out, _ = process.communicate(timeout=100)
    return process.returncode, out, terminal.shown()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("audit", "Verifying the audit trail"),
        ("migrate", "Opening the database"),
        ("reconcile --open", "Reading the books"),
    ],
)
def test_a_command_on_a_terminal(cli: Cli, words: str, says: str) -> None:
    _, out, shown = run(words.split(), cli.environ())
    assert says in plain(shown)
    assert "\x1b" not in out
    _, _, quiet = run([*words.split(), "--json"], cli.environ())
    assert quiet == ""


@pytest.mark.slow
def test_a_backup_and_its_restore_on_a_terminal(tmp_path: Path, cli: Cli) -> None:
    code, out, shown = run(["backup", "--to", str(tmp_path)], cli.environ())
    assert code == 0, shown
    assert "Opening the database" in plain(shown)
    assert "Encrypting and comparing" in plain(shown), "the last step is always drawn"
    assert "Dumping" not in out
    (file,) = tmp_path.glob("*.age")
    code, _, shown = run(["restore", str(file)], cli.environ())
    assert code == 1, "the home has a database"
    assert "Decrypting" in plain(shown)


@pytest.mark.slow
def test_a_simulation_on_a_terminal(nowhere: Cli) -> None:
    code, _, shown = run(["simulate", "--payments", "20"], nowhere.environ())
    assert code == 0, shown
    assert "20 of 20" in plain(shown)
