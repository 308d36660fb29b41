"""`croupier archive` writes signed files, and `croupier verify-archive` needs neither the home nor the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from croupier.core.payment import SLOT_CLOSE
from croupier.core.readings import CloseDone
from croupier.kit.chance import SeededChance
from croupier.store.oversight.trail import Trail
from tests.cli.conftest import Cli, Zygote, furnished
from tests.views.world import World

EVENTS = 5
"""Of a settled bet that was closed."""

pytestmark = pytest.mark.one_in(2)


def bet_that_is_over(cli: Cli) -> int:
    """Write a settled bet that the casino has closed, and return its number."""
    story = cli.story()
    story.settled()
    story.closed(SLOT_CLOSE, CloseDone())
    cli.keep(story)
    return story.subject_id


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


def grow_old(cli: Cli, bet_id: int) -> None:
    """Let all rows of a bet be eleven years older, as a superuser, and bind them."""
    years_ms = 11 * 366 * 86_400_000

    async def work(world: World) -> None:
        async with world.lawless() as connection:
            for table, key in (("ledger", "subject_id"), ("events", "subject_id")):
                await connection.execute(f"update {table} set at_ms = at_ms - {years_ms} where {key} = {bet_id}")
            await connection.execute(f"update bets set created_ms = created_ms - {years_ms} where bet_id = {bet_id}")
        trail = Trail(world.db, world.clock, SeededChance(3))
        for _ in range(3):
            await trail.bind()

    cli.world(work)
    cli.ok("audit", "--trail", "--vouch", "rows were made old")


@pytest.fixture
def own(zygote: Zygote) -> Iterator[Cli]:
    """The command in a home whose trail is this test's alone."""
    with furnished(zygote) as made:
        yield made


def test_old_rows_are_deleted_once_their_files_prove_them(own: Cli, tmp_path: Path) -> None:
    """The trace says where they are, and the audit compares the files with what was deleted."""
    own.ok("casino", "enable", "Aurora")  # the first change names the installation, which archives name too
    bet_id = bet_that_is_over(own)
    grow_old(own, bet_id)
    assert "No entry and no event was ever deleted." in own.ok("audit", "--archives", str(tmp_path)).out
    (path,) = own.json("archive", "--before", "2015-06-01", "--to", str(tmp_path))["paths"]
    counted = own.json("prune", path, "--reason", "ten years are over", "--dry-run")
    assert (counted["subjects"], counted["entries"], counted["stay"]) == (1, 0, {})
    assert "1 bets and cashbacks lost 4 entries" in own.ok("prune", path, "--reason", "ten years are over").out
    assert "deleted already" in own.ok("prune", path, "--reason", "ten years are over").out
    told = own.ok("trace", str(bet_id)).out
    assert "Its entries and events were deleted after" in told
    assert "part 1 of the archive of 2015-06-01" in " ".join(told.split())
    report = own.json("audit", "--archives", str(tmp_path))
    assert (report["holds"], report["files"][0]["subjects"], report["files"][0]["rows"]) == (True, 1, 4 + EVENTS)
    assert "hold every entry and event" in own.ok("audit", "--archives", str(tmp_path)).out
    Path(path).unlink()
    lost = own("audit", "--archives", str(tmp_path))
    assert lost.code == 1
    assert "holds the only copy" in " ".join(lost.out.split())


def test_a_deletion_that_must_not_be_says_why(cli: Cli, nowhere: Cli, tmp_path: Path) -> None:
    cli.ok("casino", "enable", "Aurora")
    bet_that_is_over(cli)
    (path,) = cli.json("archive", "--before", "2026-01-01", "--to", str(tmp_path))["paths"]
    assert "CROUPIER_MONEY_KEEP_YEARS=10" in cli.complaint("prune", path, "--reason", "too soon")
    assert "between 5 and 100" in cli("prune", path, "--reason", "x", CROUPIER_MONEY_KEEP_YEARS="1").err
    assert "is not a file" in nowhere.complaint("prune", str(tmp_path / "none.gz"), "--reason", "x")
    assert "is not a directory" in nowhere.complaint("audit", "--archives", str(tmp_path / "none"))
    assert "--archives: goes with no other check" in cli.complaint(
        "audit", "--archives", str(tmp_path), "--trail", code=2
    )
