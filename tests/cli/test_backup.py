"""`croupier backup` and `restore`: a home comes back whole, nothing that stands is lost, and each refusal says what to do."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from croupier.apps import backup
from croupier.kit.age_file import read_key
from croupier.store.embedded.directory import find_place
from tests.cli.conftest import Cli, Zygote, end
from tests.conftest import make_home, remove_home

pytestmark = pytest.mark.one_in(2)


@pytest.fixture(scope="module")
def cli(zygote: Zygote) -> Iterator[Cli]:
    """A home of these tests alone: they exchange its database."""
    home = make_home()
    made = Cli(home, zygote)
    made.ok("casino", "add", "Aurora", "--url", "https://casino.example", "--currency", "EUR")
    yield made
    remove_home(home)


@pytest.fixture
def elsewhere(zygote: Zygote) -> Iterator[Cli]:
    """Another machine: an empty home."""
    home = make_home()
    yield Cli(home, zygote)
    remove_home(home)


def backed_up(cli: Cli, to: Path, *words: str) -> dict[str, object]:
    said = cli("backup", "--to", str(to), "--json", *words)
    assert said.code == 0, said.err
    return dict(said.json())


def move_keys(cli: Cli, elsewhere: Cli) -> None:
    for name in ("backup.key", "key"):
        shutil.copy(cli.home / name, elsewhere.home / name)


@pytest.mark.slow
def test_a_backup_is_restored_on_another_machine(cli: Cli, elsewhere: Cli, tmp_path: Path) -> None:
    made = backed_up(cli, tmp_path)
    assert Path(str(made["path"])).stat().st_size == made["bytes"]
    assert list(cli.home.glob("backup-*")) == []
    move_keys(cli, elsewhere)
    said = elsewhere("restore", str(made["path"]))
    assert said.code == 0, said.err
    assert "recovery mode" in said.out
    theirs = [casino["name"] for casino in elsewhere("casino", "list", "--json").json()]
    assert theirs == [casino["name"] for casino in cli("casino", "list", "--json").json()]
    assert elsewhere("audit").code == 0


def test_a_home_with_a_database_is_replaced_on_request_only_and_the_old_one_is_kept(cli: Cli, tmp_path: Path) -> None:
    made = backed_up(cli, tmp_path)
    assert cli("casino", "add", "Later Casino", "--url", "https://later.example", "--currency", "EUR").code == 0
    refused = cli("restore", str(made["path"]))
    assert (refused.code, "--replace" in refused.err) == (1, True)
    assert "Later Casino" in cli("casino", "list").out
    done = cli("restore", str(made["path"]), "--replace", "--json")
    assert done.code == 0, done.err
    assert done.json()["kept_as"].startswith("croupier_before_")
    assert "Later Casino" not in cli("casino", "list").out


@pytest.mark.slow
def test_a_home_that_a_hub_serves_is_not_replaced(elsewhere: Cli, tmp_path: Path) -> None:
    elsewhere.ok("casino", "add", "Aurora", "--url", "https://casino.example", "--currency", "EUR")
    process = elsewhere.start("serve", "--port", "0")
    try:
        assert process.stderr is not None
        assert any("worker.ready" in line for line in process.stderr)
        made = backed_up(elsewhere, tmp_path)
        refused = elsewhere("restore", str(made["path"]), "--replace")
        assert (refused.code, "a hub serves this home: stop it" in refused.err) == (1, True)
    finally:
        assert end(process).code == 0
    assert elsewhere("restore", str(made["path"]), "--replace").code == 0
    told = elsewhere("doctor").out.lower()
    assert "no process serves" in told, "the processes of the backup are not taken for living ones"


@pytest.mark.slow
def test_only_the_newest_backups_are_kept_and_other_files_are_left_alone(cli: Cli, tmp_path: Path) -> None:
    old = [tmp_path / f"croupier-2025110{n}T030000Z.tar.age" for n in range(1, 4)]
    for path in (*old, tmp_path / "mine.tar.age"):
        path.write_text("old")
    made = backed_up(cli, tmp_path, "--keep", "2")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [old[2].name, "mine.tar.age", Path(str(made["path"])).name]
    )
    assert made["deleted"] == [str(path) for path in old[:2]]


@pytest.mark.slow
def test_a_missing_key_a_wrong_one_and_a_damaged_file_are_told_apart(cli: Cli, elsewhere: Cli, tmp_path: Path) -> None:
    path = Path(str(backed_up(cli, tmp_path)["path"]))
    assert "CROUPIER_BACKUP_KEY_FILE" in elsewhere("restore", str(path)).err
    (elsewhere.home / "backup.key").write_text("AGE-SECRET-KEY-1NONSENSE")
    assert "damaged" in elsewhere("restore", str(path)).err
    move_keys(cli, elsewhere)
    path.write_bytes(path.read_bytes()[:-20])
    said = elsewhere("restore", str(path))
    assert (said.code, "does not open" in said.err) == (1, True)
    assert find_place(elsewhere.home) is None, "nothing was made"


def test_an_empty_or_missing_home_has_nothing_to_back_up(elsewhere: Cli, tmp_path: Path) -> None:
    said = elsewhere("backup", "--to", str(tmp_path))
    assert said.code == 1
    assert "there is no hub in" in said.err


def test_a_database_of_ones_own_is_left_to_its_own_tools(cli: Cli, tmp_path: Path) -> None:
    for words in (("backup", "--to", str(tmp_path)), ("restore", __file__)):
        said = cli(*words, CROUPIER_DATABASE_URL="postgresql://nobody@localhost/none")
        assert said.code == 1
        assert "CROUPIER_DATABASE_URL" in said.err


def test_what_is_newer_than_the_program_is_refused_before_anything_is_made(
    cli: Cli, elsewhere: Cli, tmp_path: Path
) -> None:
    assert backed_up(cli, tmp_path)
    manifest = backup.Manifest(backup.FORM, "9.9.9", "9999_from_the_future", "2031-01-01T00:00:00Z", 1)
    (tmp_path / "dump").write_text("x")
    key = read_key(cli.home / "backup.key")
    backup.write(key, backup.Contents(manifest, tmp_path / "dump", tmp_path / "none"), tmp_path / "new.tar.age")
    move_keys(cli, elsewhere)
    said = elsewhere("restore", str(tmp_path / "new.tar.age"))
    assert said.code == 1
    assert "9.9.9" in said.err
    assert find_place(elsewhere.home) is None


@pytest.mark.slow
def test_the_key_of_the_backups_is_announced_once(cli: Cli, tmp_path: Path) -> None:
    (cli.home / "backup.key").unlink(missing_ok=True)
    first, second = cli("backup", "--to", str(tmp_path)), cli("backup", "--to", str(tmp_path))
    assert ("is the new key" in first.out, "is the new key" in second.out) == (True, False)
    assert json.dumps(first.out).count("AGE-SECRET-KEY") == 0


@pytest.mark.slow
def test_the_doctor_says_when_the_nightly_backup_is_late(cli: Cli, tmp_path: Path) -> None:
    def told() -> dict[str, tuple[str, str]]:
        return {check["name"]: (check["result"], check["says"]) for check in cli("doctor", "--json").json()["checks"]}

    made = backed_up(cli, tmp_path)
    note = cli.home / "last-backup.json"
    assert json.loads(note.read_text())["file"] == made["path"]
    assert told()["backup"] == ("ok", "the last one is 0 h old")
    two_days_ago = note.stat().st_mtime - 48 * 3600
    os.utime(note, (two_days_ago, two_days_ago))
    result, says = told()["backup"]
    assert result == "look"
    assert "48 h old: see why the nightly one does not run" in says
