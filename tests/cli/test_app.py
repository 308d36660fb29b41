"""The command as a whole: version, help, usage, and that every failure is one sentence with the right exit code."""

from __future__ import annotations

import subprocess
import sys

import pytest

from croupier import __version__
from croupier.cli import app, index
from tests.cli.conftest import Cli

COMMANDS = (
    "serve", "demo", "migrate", "archive", "verify-archive", "doctor", "openapi", "trace", "audit", "simulate", "verify-draw",
    "reconcile", "reconcile close", "recover begin", "recover status", "recover end", "ggr", "incidents", "incidents close",
    "casino add", "casino list", "casino show", "casino set", "casino disable", "casino keys rotate",
    "provider add", "provider list", "provider show", "provider set", "provider disable", "provider sync",
    "provider secret rotate", "game list", "game set", "game switch", "player list", "player block", "player unblock",
    "session open", "cashback pay", "cashback cancel",
    "session list", "bet list", "payment list", "player show", "reconcile list", "payment retry", "payment accept", "payment give-up", "bet return", "bet settle",
    "sandbox casino", "sandbox studio", "bench",
)  # fmt: skip


@pytest.mark.slow
def test_the_version(nowhere: Cli) -> None:
    assert nowhere.ok("--version").out == f"croupier {__version__}\n"
    assert not nowhere.home.exists()


HEAVY = ("aiohttp", "asyncpg", "structlog", "uvicorn", "starlette", "rich", "cryptography", "msgspec", "typer")


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("words", "allowed"), [
    (["--version"], ()), (["--help"], ()), ([], ()), (["croup"], ("typer", "rich", "msgspec")),
])  # fmt: skip
def test_what_needs_no_command_loads_none(nowhere: Cli, words: list[str], allowed: tuple[str, ...]) -> None:
    """Loading the program takes seconds of a processor: the version, the help and a wrong word wait for none of it."""
    program = (
        "import sys\nfrom croupier.cli import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        "print(*(n for n in sys.modules if '.' not in n or n.startswith('croupier.')), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=nowhere.environ(), capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.splitlines()[-1].split())
    assert loaded & set(HEAVY) <= set(allowed)
    ours = {name for name in loaded if name.startswith("croupier.")}
    assert ours <= {
        "croupier.cli",
        "croupier.cli.index",
        "croupier.cli.app",
        "croupier.cli.examples",
        "croupier.cli.show",
    }


@pytest.mark.parametrize("name", index.COMMANDS)
@pytest.mark.one_in(4)
def test_the_index_says_of_each_command_what_it_says_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run([name, "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert index.COMMANDS[name].summary in said


@pytest.mark.slow
def test_the_module_is_the_command_with_its_exit_code(nowhere: Cli) -> None:
    """Every other test takes the same way from `main` on, in a process that has its modules already."""
    for words, code in ((("--version",), 0), (("croup",), 2), (("audit",), 1)):
        environ = nowhere.environ(CROUPIER_PORT="x")
        done = subprocess.run(
            [sys.executable, "-m", "croupier.cli", *words], env=environ, capture_output=True, check=False
        )
        assert done.returncode == code
        assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_without_a_word_it_shows_its_help(nowhere: Cli) -> None:
    said = nowhere.ok()
    assert all(f" {name.split()[0]} " in said.out for name in COMMANDS)
    assert said.out == nowhere.ok("--help").out


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.one_in(4)
def test_every_command_has_a_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run([*name.split(), "--help"]) == 0
    out = capsys.readouterr().out
    assert f"croupier {name}" in out
    # `serve` writes its events as JSON with CROUPIER_LOG_JSON.
    assert ("--json" in out) == (name != "serve")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("croup",), "No such command 'croup'"),
        (("casino",), "Missing command"),
        (("casino", "add", "Aurora"), "Missing option '--url'"),
        (("audit", "--fast"), "No such option: --fast"),
        (("trace",), "give one of BETID"),
        (("serve", "--port", "70000"), "'--port'"),
        (("serve", "--workers", "0"), "'--workers'"),
        (("demo", "--rounds", "none"), "'--rounds'"),
    ],
)
def test_wrong_usage_is_one_sentence_that_names_the_help(nowhere: Cli, words: tuple[str, ...], says: str) -> None:
    complaint = nowhere.complaint(*words, code=2)
    assert says in complaint
    assert "--help`." in complaint


def test_all_wrong_settings_are_told_at_once(nowhere: Cli) -> None:
    said = nowhere("audit", CROUPIER_PORT="x", CROUPIER_WORKRES="2", CROUPIER_HOLD_S="-1")
    assert said.code == 1
    assert said.err.splitlines()[0] == "croupier: wrong settings:"
    assert all(name in said.err for name in ("CROUPIER_PORT", "CROUPIER_WORKERS?", "CROUPIER_HOLD_S"))


def test_a_database_that_is_away_is_told_without_its_password(nowhere: Cli) -> None:
    url = "postgresql://croupier:hush-hush@127.0.0.1:1/croupier"
    complaint = nowhere.complaint("audit", CROUPIER_DATABASE_URL=url)
    assert "CROUPIER_DATABASE_URL" in complaint
    assert "hush-hush" not in complaint


def test_a_bug_is_told_as_one_and_its_place_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("croupier.cli.running.load", lambda _: {}["secret=hunter2"])
    monkeypatch.delenv("CROUPIER_LOG_LEVEL", raising=False)
    assert app.run(["audit"]) == 1
    err = capsys.readouterr().err
    assert "croupier has a bug (KeyError" in err
    assert "CROUPIER_LOG_LEVEL=debug" in err
    assert "hunter2" not in err
    monkeypatch.setenv("CROUPIER_LOG_LEVEL", "debug")
    with pytest.raises(KeyError):
        app.run(["audit"])
