"""`croupier bench`: real runs of a second, its options, the table's width, and that nothing is left running."""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from croupier.benchmark import hub, runs
from croupier.benchmark.figures import Figures
from croupier.cli import app, bench, show
from tests.cli.conftest import Cli, end
from tests.kit.test_log import set_back  # noqa: F401 - the command runs in this process and sets up its own log

SHORT = ("bench", "--seconds", "1", "--players", "20")


def processes(home: str) -> list[str]:
    """The processes whose command or environment names this folder for temporary files."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            said = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if home.encode() in said:
            found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def wait_for(come: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not come():
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.slow
def test_runs_at_two_concurrencies_have_figures_and_books_that_agree(nowhere: Cli) -> None:
    told = nowhere.json(*SHORT, "--in-flight", "2,16")
    assert (told["audit"], told["drift"]) == ("holds", 0)
    assert [run["in_flight"] for run in told["runs"]] == [2, 16]
    for run in told["runs"]:
        assert (run["stack"], run["mode"], run["rate"], run["errors"]) == ("croupier", "bets", None, 0)
        assert run["bets"] > 0
        assert 0 < run["p50_ms"] <= run["p99_ms"] <= run["p999_ms"] <= run["max_ms"]
        assert min(run["hub_cpu_us"], run["pg_cpu_us"], run["wal_bytes"], run["transactions"], run["calls"]) > 0
    assert told["machine"]["command"] == "croupier bench --in-flight 2,16 --players 20 --seconds 1"
    assert not nowhere.home.exists(), "the hub of this environment is not touched"


@pytest.mark.slow
def test_whole_rounds_at_a_rate_with_single_makes(nowhere: Cli) -> None:
    told = nowhere.json(*SHORT, "--rate", "20", "--mode", "rounds", "--batch", "1", "--alg", "ES256")
    (run,) = told["runs"]
    assert told["audit"] == "holds"
    assert (run["mode"], run["rate"], run["batch"]) == ("rounds", 20.0, 1.0)
    assert run["pay_out"]["p50_ms"] > 0
    assert run["calls"] > 2, "two makes and a close"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_that_it_started(nowhere: Cli, tmp_path: Path, number: signal.Signals) -> None:
    """A script before it left its hub running, which took the processor from the next run."""
    process = nowhere.start("bench", "--seconds", "60", "--players", "20", TMPDIR=str(tmp_path))
    wait_for(lambda: any("benchmark.side provider" in one for one in processes(str(tmp_path))))
    assert any("serve" in one for one in processes(str(tmp_path)))
    assert end(process, number).code == 130
    assert processes(str(tmp_path)) == []
    assert list(tmp_path.glob("croupier-bench-*")) == []


@pytest.mark.slow
def test_a_benchmark_that_is_killed_takes_its_hub_along(nowhere: Cli, tmp_path: Path) -> None:
    """Nothing of it can end the hub any more, so the casino's side does."""
    process = nowhere.start("bench", "--seconds", "60", "--players", "20", TMPDIR=str(tmp_path))
    wait_for(lambda: any("benchmark.side provider" in one for one in processes(str(tmp_path))))
    process.kill()
    process.communicate()
    wait_for(lambda: processes(str(tmp_path)) == [])


@pytest.mark.slow
def test_a_wrong_answer_leaves_no_result_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sessions that the hub does not know: each pay-in is answered 2."""
    introduce = hub.HubTarget.introduce

    async def forged(self: Any, url: str) -> Any:
        site = await introduce(self, url)
        return replace(site, sessions=(*site.sessions[:-1], "no-such-session"))

    monkeypatch.setattr(hub.HubTarget, "introduce", forged)
    assert app.run([*SHORT, "--in-flight", "4", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["runs"] == []
    assert "wrong answers" in told["audit"]
    assert '"_responseCode":2' in told["audit"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--in-flight", "1,,2"), "'--in-flight'"),
        (("--in-flight", "0"), "'--in-flight'"),
        (("--in-flight", "1,2,3,4,5,6"), "at most 5"),
        (("--mode", "games"), "bets, rounds"),
        (("--alg", "none"), "RS256, ES256"),
        (("--batch", "101"), "'--batch'"),
    ],
)
def test_wrong_options_are_told_before_anything_is_started(
    words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(["bench", *words]) == 2
    told = capsys.readouterr()
    assert says.strip("'") in told.err
    assert told.out == ""


def run_at(in_flight: int) -> Figures:
    values: dict[str, Any] = dict.fromkeys(Figures.__slots__, 99_999.9)
    return Figures(**{**values, "stack": "croupier", "mode": "rounds", "in_flight": in_flight, "rate": None})


def test_the_widest_table_fits_80_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    columns, rows = bench.table_of([run_at(n) for n in (1, 16, 64, 256, 1000)])
    show.show_table("croupier bench", columns, rows)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, map(str.rstrip, lines))) <= 80
    assert any(line.split()[:2] == ["rounds", "per"] for line in lines)
    assert len(lines) == len(bench.ROWS) + 3


def test_progress_is_one_line_of_a_terminal_and_nothing_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.Progress()("starting")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    shown = bench.Progress()
    shown("x" * 200)
    shown.clear()
    assert capsys.readouterr().err == f"\r\x1b[K{'x' * 79}\r\x1b[K"


def test_the_command_of_a_run_repeats_it() -> None:
    assert bench._command(bench.Wish()) == "croupier bench"
    assert bench._command(bench.Wish(rate=50.0, mode="rounds")) == "croupier bench --rate 50 --mode rounds"


def test_the_plan_of_the_options() -> None:
    assert bench.Wish(in_flight="1,64", mode="rounds").plan() == runs.Plan((1, 64), None, rounds=True, seconds=10.0)
    assert bench.Wish(rate=200.0).plan().rate == 200.0
