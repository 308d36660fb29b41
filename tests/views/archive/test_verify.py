"""Archives on real rows: what is over is in them with all its rows, and they verify by the files alone.

Whoever changes a file, leaves one out or signs it with another key is found. So is a change of the rows before the archive was written.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from croupier.apps.archive import Archived, ArchivePlan, ArchiveRefused, write_archive
from croupier.kit.signed_file import SignedFileWriter
from croupier.kit.signed_lines import SignedLines
from croupier.views.archive.verify import FileReport, verify_files
from tests.core.samples import T0
from tests.views.world import DAY_MS, World, everything

SEED = bytes(range(32))
BEFORE_MS = T0 + 365 * DAY_MS
NOT_OVER = {
    "asked", "unclaimed", "on", "unwanted", "paying", "undoing", "disputed", "returning", "waiting return", "parked", "cashback",
    "both",
    "on by a person",
}  # fmt: skip


class Room:
    """A hub as far as an archive needs one: the real rows, and a key."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.db = world.db
        self.store = self
        self.clock = world.clock
        self.notary = SignedLines(folder / "trail", SEED)
        self.folder = folder / "archive"
        self.now_ms = BEFORE_MS + DAY_MS

    async def write(self, *, part: int = 50_000, before_ms: int = BEFORE_MS, counts: bool = False) -> Archived:
        hub: Any = self
        self.clock.at_ms = self.now_ms
        return await write_archive(
            hub, ArchivePlan(before_ms, None if counts else self.folder, lambda _: None, part=part)
        )

    def verify(self, *paths: Path) -> list[FileReport]:
        return verify_files(paths, self.notary.owns)

    def problem(self, *paths: Path) -> str:
        """What is wrong with them, in the words of the first problem."""
        return next(problem for report in self.verify(*paths) for problem in report.problems)


@pytest.fixture
def room(world: World, tmp_path: Path) -> Room:
    return Room(world, tmp_path)


def kept(path: Path) -> list[dict[str, Any]]:
    """The lines of a file."""
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


async def settled(world: World, n: int) -> list[int]:
    """So many bets that are over."""
    stories = [world.story() for _ in range(n)]
    for story in stories:
        story.settled()
    world.clock.at_ms = T0
    await world.keep(*stories)
    await world.db.execute("delete from calls where slot = 'close'")  # the casino has closed them
    return [story.subject_id for story in stories]


async def close_incidents(world: World) -> None:
    await world.db.execute("update incidents set closed_ms = $1, closed_by = 'mia', close_note = 'seen'", T0)


@pytest.mark.slow
async def test_every_way_to_be_over_is_in_the_archive_and_nothing_else(room: Room) -> None:
    """The books of each verify from its own rows, whatever protocols and persons did with it."""
    stories = everything(room.world)
    await room.world.keep(*stories.values())
    await close_incidents(room.world)
    await room.world.db.execute("delete from calls where slot = 'close'")
    await room.world.db.execute("update comparisons set wanted = false")
    done = await room.write()
    names = {story.subject_id: name for name, story in stories.items()}
    there = {names[line["subject"]] for line in kept(done.paths[0])[1:-1]}
    assert not there & NOT_OVER
    assert {"settled", "lost", "undone", "returned", "tombstone", "jackpot", "refused", "paid cashback"} <= there
    assert {"given up", "kept cashback", "undone by a person", "paid after all by a person"} <= there
    assert (done.subjects, done.left) == (len(there), len(stories) - len(there))
    (report,) = room.verify(*done.paths)
    assert report.problems == []


async def test_a_bet_is_there_with_every_row_and_its_sums(room: Room) -> None:
    (bet,) = await settled(room.world, 1)
    done = await room.write()
    head, line, end = kept(done.paths[0])
    assert (head["what"], head["part"], head["before_ms"]) == ("archive", 1, BEFORE_MS)
    assert line["bet"]["bet_ref"] == f"b-{bet}"
    assert (line["casino"], line["provider"], line["game"]) == ("Aurora", "Fable", "Fifty Owls")
    for table, rows in (("payments", 2), ("ledger", 4), ("numbers", 2)):
        assert len(line[table]) == rows, table
    stored = await room.world.db.fetchval("select count(*) from events where subject_id = $1", bet)
    assert len(line["events"]) == stored
    assert end["totals"]["EUR"]["ggr/11/22"] == -1500
    assert (end["subjects"], end["last"]) == (1, True)


@pytest.mark.parametrize("sql", [
    "update incidents set closed_ms = null",
    "insert into findings (casino_id, subject_id, about, name, words, evidence, first_ms, last_ms)"
    " values (11, {bet}, 'bet', 'differs', 'x', '{{}}', 0, 0)",
    "update comparisons set wanted = true",
    "insert into calls (subject_id, slot, casino_id, step, due_ms, failures, acked, crashes, fence, lease_until_ms)"
    " values ({bet}, 'close', 11, 'close', 0, 0, false, 0, 0, 0)",
])  # fmt: skip
async def test_what_waits_for_somebody_stays_out(room: Room, sql: str) -> None:
    (bet,) = await settled(room.world, 1)
    await room.world.db.execute(
        "insert into incidents (subject_id, name, note, first_ms, last_ms, closed_ms, closed_by, close_note)"
        " values ($1, 'stuck', 'x', 0, 0, 1, 'mia', 'seen')", bet)  # fmt: skip
    await room.world.db.execute(
        "insert into comparisons (subject_id, casino_id, result, times, wanted) values ($1, 11, 'agrees', 1, false)"
        " on conflict (subject_id) do update set wanted = false", bet)  # fmt: skip
    assert (await room.write(counts=True)).subjects == 1
    await room.world.db.execute(sql.format(bet=bet))
    assert ((done := await room.write(counts=True)).subjects, done.left) == (0, 1)


async def test_what_went_on_after_the_day_stays_out(room: Room) -> None:
    await settled(room.world, 1)
    assert (await room.write(counts=True, before_ms=T0)).subjects == 0
    room.now_ms = T0
    with pytest.raises(ArchiveRefused, match="must be over"):
        await room.write(before_ms=T0 + 1)


async def test_parts_name_each_other_and_none_may_be_missing(room: Room) -> None:
    bets = await settled(room.world, 7)
    done = await room.write(part=3)
    assert [line["subject"] for path in done.paths for line in kept(path)[1:-1]] == bets
    assert [report.problems for report in room.verify(*reversed(done.paths))] == [[], [], []]
    first, second, third = done.paths
    assert room.problem(second, third) == "it is part 2, and part 1 of this archive belongs here"
    assert room.problem(first, third) == "it is part 3, and part 2 of this archive belongs here"
    assert room.problem(first, second) == "it is not the last part of its archive: the next one is missing"
    assert "part 1, and part 2" in room.problem(first, first, second, third)


async def test_a_repeat_writes_the_same_bytes_and_other_rows_are_refused(room: Room) -> None:
    """After any interruption the command is run again. What was written before is never lost."""
    await settled(room.world, 4)
    done = await room.write(part=3)
    before = [path.read_bytes() for path in done.paths]
    done.paths[1].unlink()
    (room.folder / f".{done.paths[1].name}.draft").write_bytes(b"torn")
    assert [path.read_bytes() for path in (await room.write(part=3)).paths] == before
    assert {path.name for path in room.folder.iterdir()} == {path.name for path in done.paths}
    await settled(room.world, 1)
    with pytest.raises(ArchiveRefused, match="holds something else"):
        await room.write(part=5)
    assert [path.read_bytes() for path in done.paths] == before


async def test_any_change_of_a_file_is_found(room: Room) -> None:
    await settled(room.world, 2)
    (path,) = (await room.write()).paths
    whole = gzip.decompress(path.read_bytes())
    lines = whole.splitlines(keepends=True)
    for changed, says in (
        (whole.replace(b'"amount": 1000', b'"amount": 1001', 1), "are not those that were signed"),
        (b"".join(lines[:-1]), "its last line is no signature"),
        (b"".join([lines[0], *lines[2:]]), "are not those that were signed"),
        (b"".join([*lines[:2], lines[1], *lines[2:]]), "are not those that were signed"),
        (whole.replace(b'"last":true', b'"last":false'), "its signature does not fit"),
        (whole + b"{}\n", "its last line is no signature"),
        (whole[:-1], "a line is not whole"),
        (b"", "its last line is no signature"),
    ):
        assert changed != whole
        path.write_bytes(gzip.compress(changed))
        assert says in room.problem(path)
    path.write_bytes(gzip.compress(whole)[:-20])
    assert "no whole gzip file" in room.problem(path)
    path.write_bytes(b"not packed at all")
    assert "no whole gzip file" in room.problem(path)


async def test_another_key_is_found(room: Room) -> None:
    """A file that somebody else signed anew is whole, and still not the hub's."""
    await settled(room.world, 1)
    (path,) = (await room.write()).paths
    theirs = SignedLines(room.folder / "theirs", bytes(32))
    assert not theirs.owns(room.notary.public)
    (report,) = verify_files([path], theirs.owns)
    assert report.problems == [f"it is signed with key {room.notary.public}, which is not one of yours"]


@pytest.mark.parametrize(("sql", "says"), [
    ("update ledger set amount = amount + 1 where why = 'won'", "is left in owed"),
    ("update ledger set amount = amount + 1 where why = 'stake_accepted'", "is left in open-bets"),
    ("update ledger set at_ms = at_ms + 1 where why = 'settled'", "belongs to no event"),
    ("update ledger set currency = 'SEK' where why = 'settled'", "is in SEK, its subject in EUR"),
    ("update events set state = 'on' where version = (select max(version) from events)", "its story ends with on"),
    ("delete from events where version = 0", "its story does not go on from 0"),
    ("update bets set win = win - 1", "in ggr"),
    ("update payments set state = 'refused' where kind = 'payout'", "into the wallet, the ledger says"),
])  # fmt: skip
async def test_rows_that_do_not_fit_are_refused_and_named(room: Room, sql: str, says: str) -> None:
    """An archive of wrong rows would vouch for them: the command refuses, and the file still names them."""
    await settled(room.world, 1)
    await room.world.db.execute("alter table bets disable trigger all")
    await room.world.break_by(sql)
    if "is left" in says:  # money that is left anywhere keeps a bet out
        assert (await room.write(counts=True)).subjects == 0
        return
    with pytest.raises(ArchiveRefused, match="does not verify"):
        await room.write()
    assert says in room.problem(*room.folder.iterdir())


def test_a_signed_file_of_another_form_says_so(tmp_path: Path) -> None:
    path = tmp_path / "later.jsonl.gz"
    with path.open("wb") as sink:
        writer = SignedFileWriter(sink, SEED)
        writer.add(json.dumps({"what": "archive", "form": 2, "program": "9.0.0", "part": 1, "before_ms": 0}))
        writer.end({"what": "end"})
    (report,) = verify_files([path], SignedLines(tmp_path, SEED).owns)
    assert "use the program that wrote it, 9.0.0" in report.problems[0]


_MANY = """
with s as (select generate_series(1, $1::bigint) * 10 + 1000000 as id)
insert into {table} ({columns}) select {values} from s cross join {table} r where r.{key} = $2"""


async def copies(world: World, n: int) -> None:
    """Write so many copies of a settled bet with all its rows, by SQL."""
    (bet,) = await settled(world, 1)
    own = {
        "bets": {"bet_id": "s.id", "bet_ref": "'m' || s.id"},
        "payments": {"subject_id": "s.id", "partner_tx": "'t' || s.id || r.kind"},
        "ledger": {"subject_id": "s.id"},
        "events": {"subject_id": "s.id"},
        "partner_transactions": {"subject_id": "s.id", "partner_tx": "'t' || s.id || r.kind"},
    }
    for table, changed in own.items():
        rows = await world.db.fetch(
            "select attname from pg_attribute where attrelid = $1::text::regclass and attnum > 0 and attidentity = ''",
            table,
        )
        names = [row["attname"] for row in rows]
        values = ", ".join(changed.get(name, f"r.{name}") for name in names)
        key = "bet_id" if table == "bets" else "subject_id"
        sql = _MANY.format(table=table, columns=", ".join(names), values=values, key=key)
        assert await world.db.execute(sql, n, bet) >= n


@pytest.mark.slow
async def test_ten_thousand_bets_in_parts(room: Room) -> None:
    await copies(room.world, 10_000)
    done = await room.write(part=4000)
    assert (done.subjects, done.left, len(done.paths)) == (10_001, 0, 3)
    reports = room.verify(*done.paths)
    assert [report.problems for report in reports] == [[], [], []]
    assert sum(report.totals["EUR"]["ggr/11/22"] for report in reports) == -1500 * 10_001
    assert sum(report.entries for report in reports) == await room.world.db.fetchval("select count(*) from ledger")
