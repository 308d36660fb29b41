"""Tab completes commands in bash, zsh and fish: by the protocol of each shell, and in a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from croupier.cli import app, completion
from croupier.cli.completion import SUBCOMMANDS, complete
from croupier.cli.index import COMMANDS, COMPLETE

RUN = "import sys\nfrom croupier.cli import main\nmain()\n"


def asks(shell: str, line: str, **more: str) -> dict[str, str]:
    """What a shell sets when Tab is pressed at the end of this line."""
    words = line.split(" ")
    if shell == "bash":
        return {COMPLETE: "complete_bash", "COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    return {COMPLETE: f"complete_{shell}", "_TYPER_COMPLETE_ARGS": line, **more}


def names(shell: str, line: str) -> list[str]:
    more = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"} if shell == "fish" else {}
    answer = complete(asks(shell, line, **more))
    assert answer is not None
    text, code = answer
    assert code == 0
    if shell == "zsh":
        assert text.startswith("_arguments '*: :((")
        text = text.removeprefix("_arguments '*: :((").removesuffix("))'\n")
        return [line.split('"')[1] for line in text.splitlines()]
    return [line.split("\t")[0] for line in text.splitlines()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_first_word(shell: str) -> None:
    assert names(shell, "croupier ca") == ["casino", "cashback"]
    assert names(shell, "croupier ") == list(COMMANDS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_words_of_a_group(shell: str) -> None:
    assert names(shell, "croupier casino ") == SUBCOMMANDS["casino"].split()
    assert names(shell, "croupier casino s") == ["show", "set", "secret"]
    assert names(shell, "croupier notify add ") == ["webhook", "mail"]


def test_fish_asks_first_whether_there_is_anything() -> None:
    there = complete(asks("fish", "croupier ca", _TYPER_COMPLETE_FISH_ACTION="is-args"))
    none = complete(asks("fish", "croupier zz", _TYPER_COMPLETE_FISH_ACTION="is-args"))
    assert (there, none) == (("", 0), ("", 1))


def test_nothing_that_fits() -> None:
    assert complete(asks("bash", "croupier zz")) == ("", 0)
    assert complete(asks("zsh", "croupier zz")) == ("_files\n", 0)


@pytest.mark.parametrize(
    "environ",
    [
        {}, asks("bash", "croupier casino add "), asks("bash", "croupier --v"), asks("zsh", "croupier trace "),
        asks("bash", "croupier nothing "), {COMPLETE: "source_bash"}, {COMPLETE: "complete_tcsh"},
        {COMPLETE: "complete_bash", "COMP_WORDS": "croupier"}, {COMPLETE: "complete_bash", "COMP_CWORD": "x"},
    ],
)  # fmt: skip
def test_what_only_the_command_knows_is_left_to_it(environ: dict[str, str]) -> None:
    assert complete(environ) is None


def test_an_open_quote_is_no_error() -> None:
    assert complete({COMPLETE: "complete_zsh", "_TYPER_COMPLETE_ARGS": "croupier casino show 'Aur"}) is None


def test_the_table_is_what_the_groups_have() -> None:
    found: dict[str, str] = {}

    def walk(command: Any, path: str) -> None:
        below = getattr(command, "commands", {})
        if below:
            found[path] = " ".join(name for name, one in below.items() if not one.hidden)
        for name, one in below.items():
            walk(one, f"{path} {name}")

    for name, entry in COMMANDS.items():
        walk(app._load(name, entry), name)
    assert found == SUBCOMMANDS, "a new subcommand belongs into the table of cli/completion.py"


def run(environ: dict[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    around = {name: value for name, value in os.environ.items() if not name.startswith("CROUPIER_")}
    return subprocess.run(
        [sys.executable, "-c", RUN + "\n".join(more)],
        env={**around, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_tab_loads_no_command_and_no_library() -> None:
    look = "import atexit, sys\natexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
    done = subprocess.run(
        [sys.executable, "-c", look + RUN], env={**os.environ, **asks("bash", "croupier ca")}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["casino", "cashback"]
    loaded = {name for name in done.stderr.split() if name.startswith("croupier")}
    assert loaded == {"croupier", "croupier.cli", "croupier.cli.index", "croupier.cli.completion"}
    assert "typer" not in done.stderr.split()


@pytest.mark.slow
def test_options_are_completed_by_the_command() -> None:
    said = run(asks("bash", "croupier casino add --cur"))
    assert (said.stdout.split(), said.returncode) == (["--currency"], 0)
    assert "--install-completion" in run(asks("bash", "croupier --inst")).stdout


BASH = shutil.which("bash")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A directory with a program `croupier`."""
    made = tmp_path / "bin" / "croupier"
    made.parent.mkdir()
    made.write_text(f"#!{sys.executable}\n{RUN}")
    made.chmod(0o755)
    return made.parent


@pytest.mark.slow
@pytest.mark.skipif(BASH is None, reason="bash is not here (Debian: bash)")
def test_a_real_bash_completes_after_the_installation(program: Path, tmp_path: Path) -> None:
    """The installation as a person does it, from a bash, and then Tab in a new one."""
    assert BASH is not None
    around = {name: value for name, value in os.environ.items() if not name.startswith("CROUPIER_")}
    environ = {**around, "PATH": f"{program}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    # Nothing but a shell above it tells the program which shell it is.
    installed = subprocess.run(
        [BASH, "--norc", "-c", "croupier --install-completion; exit $?"], env=environ, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert installed.returncode == 0, installed
    press = (
        'source "$HOME/.bashrc"; COMP_WORDS=({words}); COMP_CWORD={at}; _croupier_completion croupier;'
        'printf "%s " "${{COMPREPLY[@]}}"'
    )
    for words, at, found in (("croupier ca", 1, "casino cashback "), ("croupier casino ''", 2, None)):
        said = subprocess.run(
            [BASH, "--norc", "-c", press.format(words=words, at=at)], env=environ, capture_output=True, text=True,
            check=True,
        ).stdout  # fmt: skip
        assert said == (found or SUBCOMMANDS["casino"] + " ")


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_is_shown(shell: str) -> None:
    said = run({COMPLETE: f"source_{shell}"})
    assert said.returncode == 0
    assert f"{COMPLETE}=complete_{shell}" in said.stdout
    assert completion.COMPLETE in said.stdout
