"""`croupier archive` writes signed files, and `croupier verify-archive` needs neither the home nor the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from croupier.core.payment import SLOT_CLOSE
from croupier.core.readings import CloseDone
from tests.cli.conftest import Cli

pytestmark = pytest.mark.one_in(2)


def bet_that_is_over(cli: Cli) -> None:
    """Write a settled bet that the casino has closed."""
    story = cli.story()
    story.settled()
    story.closed(SLOT_CLOSE, CloseDone())
    cli.keep(story)


def test_what_is_written_is_verified_by_the_file_and_the_key_alone(cli: Cli, nowhere: Cli, tmp_path: Path) -> None:
    bet_that_is_over(cli)
    counted = cli.json("archive", "--before", "2026-01-01", "--to", str(tmp_path / "a"), "--dry-run")
    assert not (tmp_path / "a").exists()
    done = cli.json("archive", "--before", "2026-01-01", "--to", str(tmp_path / "a"))
    assert (counted["subjects"], counted["paths"]) == (done["subjects"], [])
    assert done["subjects"] > 0
    (path,) = done["paths"]
    assert Path(path).stat().st_mode & 0o777 == 0o600
    assert cli.json("verify-archive", path)["holds"] is True
    report = nowhere.json("verify-archive", path, "--key", done["key"])
    assert (report["holds"], report["files"][0]["subjects"]) == (True, done["subjects"])
    assert not nowhere.home.exists()
    assert "The archives verify." in cli.ok("verify-archive", path).out


def test_what_does_not_hold_ends_with_1(cli: Cli, nowhere: Cli, tmp_path: Path) -> None:
    bet_that_is_over(cli)
    done = cli.json("archive", "--before", "2026-01-01", "--to", str(tmp_path))
    path, other = done["paths"][0], "A" * 43
    said = nowhere("verify-archive", path, "--key", other)
    assert said.code == 1
    assert "DO NOT VERIFY" in said.out
    Path(path).write_bytes(Path(path).read_bytes()[:-9])
    said = cli("verify-archive", path, "--json")
    assert (said.code, said.json()["holds"]) == (1, False)


def test_nothing_is_signed_with_a_key_that_nobody_keeps(cli: Cli, tmp_path: Path) -> None:
    """A command that only looks has a key for the moment where the key file is missing: its signature would prove nothing."""
    key = str(tmp_path / "none")
    said = cli("archive", "--before", "2026-01-01", "--to", str(tmp_path / "a"), CROUPIER_KEY_FILE=key)
    assert said.code == 1
    assert not (tmp_path / "a").exists()


def test_what_cannot_be_done_is_said(cli: Cli, nowhere: Cli, tmp_path: Path) -> None:
    assert "must be over" in cli.complaint("archive", "--before", "2999-01-01", "--to", str(tmp_path))
    assert "--before must be a day" in cli.complaint("archive", "--before", "soon", code=2)
    assert "is not a file" in nowhere.complaint("verify-archive", str(tmp_path / "none.gz"))
    file = tmp_path / "any.gz"
    file.write_bytes(b"")
    assert "43 characters" in nowhere.complaint("verify-archive", str(file), "--key", "short", code=2)
    assert "key" in nowhere.complaint("verify-archive", str(file))
