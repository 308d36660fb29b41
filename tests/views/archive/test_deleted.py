"""Entries and events leave the database only when a signed file holds them, and everything computed from them stays the same.

The rows are real, and so are the files. Whoever deletes more, changes a file or loses one is found.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from croupier.apps import prune as prune_module
from croupier.apps.archive import ArchivePlan, ArchiveRefused, write_archive
from croupier.apps.prune import Pruned, PrunePlan, prune
from croupier.core.bet_requests import RecordedAnswer, RequestContents, pay_in
from croupier.kit.chance import SeededChance
from croupier.kit.signed_lines import SignedLines
from croupier.store.db import DbDown, DbViolation, Tx
from croupier.store.money.rows import BET_QUERY, read_bet
from croupier.store.oversight.archived_rows import DeletedRows
from croupier.store.oversight.trail import STRANDS, Trail, digest_sql
from croupier.views.archive.deleted import DeletedReport, verify_deleted
from croupier.views.audit.auditor import audit
from croupier.views.audit.cycle import Marks, run_turn
from croupier.views.casino_books import day
from croupier.views.ggr import DIMENSIONS, ggr
from croupier.views.sums import sums, totals
from croupier.views.trace import trace
from croupier.views.trail.links import Walk, walk
from tests.core.samples import T0
from tests.views.world import DAY_MS, Kept, World, everything

SEED = bytes(range(32))
BEFORE_MS = T0 + 30 * DAY_MS
LATER_MS = T0 + 11 * 366 * DAY_MS
YEARS = 10
GONE = "its file is not here, and holds the only copy of what was deleted"


class Room:
    """A hub eleven years later: the real rows, bound by the trail, and a key."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.db = world.db
        self.store = self
        self.clock = world.clock
        self.notary = SignedLines(folder / "trail", SEED)
        self.folder = folder / "archive"
        self.trail = Trail(world.db, world.clock, SeededChance(3))

    @property
    def hub(self) -> Any:
        return self

    async def keep(self, *stories: Kept) -> None:
        """Commit the stories, which are over as far as they can be, and bind their rows."""
        self.clock.at_ms = T0
        await self.world.keep(*stories)
        await self.db.execute("update incidents set closed_ms = $1, closed_by = 'mia', close_note = 'seen'", T0)
        await self.db.execute("delete from calls where slot = 'close'")
        await self.db.execute("update comparisons set wanted = false")
        await self.bind()
        self.clock.at_ms = LATER_MS

    async def bind(self) -> None:
        for _ in range(3):
            await self.trail.bind()

    async def settled(self, n: int) -> list[int]:
        """So many bets that are over."""
        stories = [self.world.story() for _ in range(n)]
        for story in stories:
            story.settled()
        await self.keep(*stories)
        return [story.subject_id for story in stories]

    async def plan_close(self, bet_id: int) -> None:
        """Plan a close again: the bet is not over any more."""
        await self.db.execute(
            "insert into calls (subject_id, slot, casino_id, step, due_ms, failures, acked, crashes, fence, lease_until_ms)"
            " values ($1, 'close', 11, 'close', 0, 0, false, 0, 0, 0)", bet_id)  # fmt: skip

    async def write(self, *, part: int = 50_000, before_ms: int = BEFORE_MS) -> list[Path]:
        return (await write_archive(self.hub, ArchivePlan(before_ms, self.folder, lambda _: None, part=part))).paths

    async def prune(self, paths: Sequence[Path], *, dry_run: bool = False, years: int = YEARS) -> Pruned:
        done = await prune(self.hub, PrunePlan(paths, years, "mia", "ten years are over", dry_run, lambda _: None))
        await self.bind()
        return done

    async def verify(self) -> DeletedReport:
        return await verify_deleted(self.db, sorted(self.folder.glob("*.gz")), self.notary.owns)

    async def problems(self) -> list[str]:
        report = await self.verify()
        return [problem for one in report.files for problem in one.problems] + report.problems

    async def trail_breaks(self) -> list[str]:
        on = Walk()
        async for _ in walk(self.db, on, most=100):
            pass
        return [one.what for one in on.breaks]

    async def broken(self) -> list[tuple[str, str]]:
        """What the whole audit and a turn of the continuous auditor find."""
        whole = [(result.name, v.what) for result in await audit(self.db) for v in result.violations]
        turn = await run_turn(self.db, self.clock, Marks())
        return whole + [(name, v.what) for name, answer in turn.answers.items() for _, v in answer.violations]

    async def figures(self) -> list[object]:
        """All that is computed from entries."""
        reports = [await ggr(self.db, 0, LATER_MS, by=by) for by in (DIMENSIONS, ("day",), ("casino", "test"))]
        days = [await day(self.db, 11, from_ms=at, until_ms=at + DAY_MS) for at in _days()]
        return [await sums(self.db), *reports, days]


def _days() -> list[int]:
    first = T0 // DAY_MS * DAY_MS
    return [first, first + DAY_MS]


@pytest.fixture
def room(world: World, tmp_path: Path) -> Room:
    return Room(world, tmp_path)


@pytest.mark.slow
async def test_whatever_was_done_the_figures_stay_and_the_audit_and_the_trail_hold(room: Room) -> None:
    stories = everything(room.world)
    await room.keep(*stories.values())
    names = {story.subject_id: name for name, story in stories.items()}
    before, broken = await room.figures(), await room.broken()
    paths = await room.write()
    done = await room.prune(paths)
    assert (done.subjects, done.stay) == (len(await deleted(room)), {"win of a jackpot pot, whose books name it": 1})
    gone = {names[subject_id] for subject_id in await deleted(room)}
    assert {"settled", "lost", "undone", "returned", "tombstone", "refused", "paid cashback", "given up"} <= gone
    assert not gone & {"on", "asked", "paying", "jackpot", "parked", "cashback"}
    for table in ("ledger", "events"):
        assert (
            await room.db.fetchval(f"select count(*) from {table} where subject_id = any($1)", await deleted(room)) == 0
        )
    assert await room.figures() == before
    assert not any(totals(await sums(room.db)).values())
    assert await room.broken() == broken
    assert await room.trail_breaks() == []
    assert await room.problems() == []


async def deleted(room: Room) -> list[int]:
    return [row["subject_id"] for row in await room.db.fetch("select subject_id from archived order by subject_id")]


async def test_a_repeat_gets_the_first_answer_and_the_trace_names_the_file(room: Room) -> None:
    (bet_id,) = await room.settled(1)
    (path,) = await room.write()
    told = await trace(room.db, str(bet_id))
    done = await room.prune([path])
    assert (done.subjects, done.entries, done.events) == (1, 4, len(told.moments) if told else 0)
    bet = read_bet(await room.db.fetchrow(f"{BET_QUERY} where bet_id = $1", bet_id))  # type: ignore[arg-type]
    again = RequestContents(bet.casino_id, bet.player_id, bet.round_ref, bet.stake, None)
    story = room.world.story()
    ruling = pay_in(bet, again, story.terms(), until_ms=LATER_MS + 6000, waited=False)
    assert isinstance(ruling, RecordedAnswer)
    assert ruling.refusal is None
    after = await trace(room.db, str(bet_id))
    assert told is not None
    assert after is not None
    assert (after.subject, after.told, after.payments) == (told.subject, told.told, told.payments)
    assert after.moments == ()
    assert after.archived is not None
    (file,) = (await room.verify()).files
    assert (after.archived.sha256, after.archived.author) == (file.sha256, "mia")
    assert (file.subjects, file.rows, file.path) == (1, done.entries + done.events, str(path))


async def test_a_repeat_of_the_command_deletes_nothing_more_and_a_dry_run_nothing_at_all(room: Room) -> None:
    await room.settled(3)
    paths = await room.write(part=2)
    assert len(paths) == 2
    counted = await room.prune(paths, dry_run=True)
    assert (counted.subjects, counted.entries, await deleted(room), (await room.verify()).files) == (3, 0, [], [])
    assert (await room.prune(paths)).subjects == 3
    again = await room.prune(paths)
    assert (again.subjects, again.entries, again.stay) == (0, 0, {"deleted already": 3})
    assert [one.subjects for one in (await room.verify()).files] == [2, 1]
    assert await room.write(before_ms=BEFORE_MS + DAY_MS) == []


async def test_a_deletion_that_breaks_off_is_begun_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch is whole or not there, and what the first run deleted stays proven by the same file."""
    bets = await room.settled(4)
    paths = await room.write()
    monkeypatch.setattr("croupier.apps.prune.BATCH", 1)
    real, calls = prune_module.delete_rows, []

    async def breaks(tx: Tx, file_id: int, ids: Sequence[int]) -> DeletedRows:
        done = await real(tx, file_id, ids)
        calls.append(ids)
        if len(calls) == 3:
            raise DbDown("the process ended inside its transaction")
        return done

    monkeypatch.setattr(prune_module, "delete_rows", breaks)
    with pytest.raises(DbDown):
        await room.prune(paths)
    await room.bind()
    assert await deleted(room) == bets[:2]
    assert (await room.verify()).holds
    assert await room.trail_breaks() == []
    monkeypatch.setattr(prune_module, "delete_rows", real)
    again = await room.prune(paths)
    assert (again.subjects, again.stay) == (2, {"deleted already": 2})
    assert await deleted(room) == bets
    assert (await room.verify()).holds
    assert await room.trail_breaks() == []


async def test_what_changed_since_the_file_was_written_stays(room: Room) -> None:
    kept, changed = await room.settled(2)
    paths = await room.write()
    await room.db.execute(
        "insert into events (subject_id, version, at_ms, event, state, detail, author, process, mark)"
        " select subject_id, version + 1, at_ms, 'note', state, detail, author, process, mark from events"
        " where subject_id = $1 order by version desc limit 1", changed)  # fmt: skip
    done = await room.prune(paths)
    assert (await deleted(room), done.stay) == ([kept], {"changed since the file was written": 1})


async def test_what_is_open_again_stays(room: Room) -> None:
    (bet_id,) = await room.settled(1)
    paths = await room.write()
    await room.plan_close(bet_id)
    assert (await room.prune(paths)).stay == {"not over any more": 1}
    assert await deleted(room) == []


async def test_rows_that_no_link_covers_stay(room: Room) -> None:
    story = room.world.story()
    story.settled()
    room.clock.at_ms = T0
    await room.world.keep(story)
    await room.db.execute("delete from calls where slot = 'close'")
    room.clock.at_ms = LATER_MS
    paths = await room.write()
    assert (await room.prune(paths)).stay == {"not bound by the audit trail yet": 1}
    assert (await room.prune(paths)).subjects == 1


async def test_nothing_goes_before_its_time(room: Room) -> None:
    await room.settled(1)
    paths = await room.write()
    with pytest.raises(ArchiveRefused, match="CROUPIER_MONEY_KEEP_YEARS=12"):
        await room.prune(paths, years=12)
    room.clock.at_ms = T0 + 6 * 366 * DAY_MS
    with pytest.raises(ArchiveRefused, match="over before"):
        await room.prune(paths)
    assert (await room.prune(paths, years=5)).subjects == 1


async def test_nothing_goes_without_files_that_prove_it(room: Room, tmp_path: Path) -> None:
    await room.settled(3)
    first, last = await room.write(part=2)
    with pytest.raises(ArchiveRefused, match="not the last part"):
        await room.prune([first])
    with pytest.raises(ArchiveRefused, match="part 1 of this archive belongs here"):
        await room.prune([last])
    whole = first.read_bytes()
    first.write_bytes(whole[:-20])
    with pytest.raises(ArchiveRefused, match="does not verify"):
        await room.prune([first, last])
    first.write_bytes(whole)
    owner, room.notary = room.notary, SignedLines(tmp_path / "other", bytes(32))
    with pytest.raises(ArchiveRefused, match="not one of yours"):
        await room.prune([first, last])
    room.notary = owner
    await room.db.execute(
        "insert into installation (installation_id, birthplace, beat, beat_ms) values ('another', 'x', 0, 0)"
    )
    with pytest.raises(ArchiveRefused, match="another hub"):
        await room.prune([first, last])
    assert await deleted(room) == []


async def test_the_database_itself_refuses_what_no_archive_holds(room: Room) -> None:
    kept, gone = await room.settled(2)
    for table in ("ledger", "events"):
        with pytest.raises(DbViolation, match="are in no archive"):
            await room.db.execute(f"delete from {table} where subject_id = $1", kept)
        with pytest.raises(DbViolation, match="append-only"):
            await room.db.execute(f"update {table} set author = 'x' where subject_id = $1", kept)
    with pytest.raises(DbViolation):
        await room.db.execute(
            "insert into archive_files (at_ms, sha256, before_ms, part, key, author, reason) values ($1, 'x', $1, 1, 'k', 'a', 'r')",
            LATER_MS,
        )
    await room.prune(await room.write())
    assert await deleted(room) == [kept, gone]
    for table in ("archived", "archived_sums", "archived_digests", "archive_files"):
        with pytest.raises(DbViolation, match="append-only"):
            await room.db.execute(f"delete from {table}")


@pytest.mark.parametrize(("sql", "found"), [
    ("delete from archived_digests", "is gone"),
    ("update archived_digests set digests = sha256('x') || substr(digests, 33)", "is not what it was when it was bound"),
    ("update archive_files set author = 'ben'", "row 1 of archive_files is not what it was"),
    ("insert into ledger (entry_id, subject_id, source, target, amount, currency, why, version, at_ms) overriding system value"
     " values (1, 1001, 'ggr/11/22', 'owed/11', 5, 'EUR', 'won', 1, 0)", "put in among bound rows"),
])  # fmt: skip
async def test_an_intruder_cannot_hide_behind_a_deletion(room: Room, sql: str, found: str) -> None:
    await room.settled(2)
    await room.prune(await room.write())
    assert await room.trail_breaks() == []
    await room.world.break_by(sql)
    assert found in "; ".join(await room.trail_breaks())


async def test_a_deletion_that_no_file_holds_is_found(room: Room) -> None:
    """Somebody with every right on the database deletes one bet more, digests and all."""
    archived, other = await room.settled(2)
    paths = await room.write()
    await room.plan_close(other)
    await room.prune(paths)
    assert await deleted(room) == [archived]
    assert await room.problems() == []
    await room.world.break_by(f"insert into archived select {other}, file_id from archive_files")
    await room.world.break_by(f"delete from events where subject_id = {other}")
    assert any("are gone" in what or "is gone" in what for what in await room.trail_breaks())
    assert "were deleted" in (await room.problems())[0] or "is not the one" in (await room.problems())[0]


async def test_digests_without_a_deletion_prove_nothing(room: Room) -> None:
    """An intruder keeps the right digests of what he deletes, and names an archive that is not."""
    (bet_id,) = await room.settled(1)
    for table, key in (("ledger", "entry_id"), ("events", "event_id")):
        strand = next(one for one in STRANDS if one.table == table)
        await room.world.break_by(
            "insert into archived_digests (strand, bucket, first_id, ids, digests, file_id)"
            f" select '{table}', {key} / 4096, min({key}), array_agg({key} order by {key}),"
            f" string_agg({digest_sql(strand)}, ''::bytea order by {key}), 999 from {table} where subject_id = {bet_id} group by 2"
        )
    await room.world.break_by(f"insert into archived values ({bet_id}, 999)")
    for table in ("ledger", "events"):
        await room.world.break_by(f"delete from {table} where subject_id = {bet_id}")
    assert any("is gone" in what for what in await room.trail_breaks())
    assert any("never was" in what for what in await room.problems())
    assert any("an archive that is not named" in what for _, what in await room.broken())


async def test_a_false_sum_is_found(room: Room) -> None:
    """The sums are what GGR and the casinos' days are computed from."""
    await room.settled(1)
    await room.prune(await room.write())
    await room.db.execute(
        "insert into archived_sums (file_id, day_ms, casino_id, provider_id, source, target, currency, why, entries, amount)"
        " values (1, $1, 11, 22, 'ggr/11/22', 'owed/11', 'EUR', 'won', 1, 500000)", T0 // DAY_MS * DAY_MS)  # fmt: skip
    assert "and the database says 500000" in "; ".join(await room.problems())


async def test_a_mark_does_not_blind_the_audit(room: Room) -> None:
    """Who is left out of an invariant has nothing of before, and is older than the archive."""
    old, young = await room.settled(2)
    await room.prune(await room.write())
    await room.db.execute("insert into ledger (subject_id, source, target, amount, currency, why, version, at_ms)"
        " values ($1, 'ggr/11/22', 'owed/11', 5, 'EUR', 'won', 1, $2)", old, T0)  # fmt: skip
    await room.world.break_by(f"update bets set created_ms = {LATER_MS} where bet_id = {young}")
    told = {what for name, what in await room.broken() if name in ("I11", "owed")}
    assert "its entries and events are said to be in an archive of what was over before it began" in told
    assert any(what.endswith("is there, and an archive has it") for what in told)
    assert any("is owed to the player" in what for what in told)


async def test_a_row_with_a_number_that_was_never_given_keeps_its_bet(room: Room) -> None:
    """Otherwise an archive would wash what an intruder put in."""
    (bet_id,) = await room.settled(1)
    await room.world.break_by(
        "insert into ledger (entry_id, subject_id, source, target, amount, currency, why, version, at_ms) overriding system value"
        f" select -n, {bet_id}, 'ggr/11/22', 'ggr/11/23', 5, 'EUR', 'won', 1, {T0} from generate_series(5, 6) n"
    )
    assert (await room.prune(await room.write())).stay == {"not bound by the audit trail yet": 1}


async def test_a_file_of_which_nothing_was_deleted_may_go(room: Room) -> None:
    (bet_id,) = await room.settled(1)
    paths = await room.write()
    await room.plan_close(bet_id)
    await room.prune(paths)
    paths[0].unlink()
    assert (await room.verify()).holds


async def test_each_deletion_names_its_own_person(room: Room) -> None:
    first, second = await room.settled(2)
    paths = await room.write()
    await room.plan_close(second)
    await room.prune(paths)
    await room.db.execute("delete from calls")
    await prune(room.hub, PrunePlan(paths, YEARS, "ben", "the rest", dry_run=False, progress=lambda _: None))
    told = [await trace(room.db, str(bet_id)) for bet_id in (first, second)]
    assert [one.archived.author for one in told if one is not None and one.archived is not None] == ["mia", "ben"]
    assert (await room.verify()).holds


async def test_a_turn_of_the_auditor_stops_among_deleted_rows_too(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its cost does not grow with what was deleted."""
    await room.settled(6)
    await room.settled(6)
    await room.prune(await room.write())
    monkeypatch.setattr("croupier.views.audit.cycle.TRAIL_ROWS", 10)
    turn = await run_turn(room.db, room.clock, Marks())
    assert turn.goes_on.link > 0


async def test_a_lost_and_a_changed_file_are_named(room: Room) -> None:
    await room.settled(1)
    (path,) = await room.write()
    await room.prune([path])
    path.rename(path.with_suffix(".away"))
    assert await room.problems() == [GONE]
    whole = path.with_suffix(".away").read_bytes()
    path.write_bytes(whole[:-30])
    assert any(f"{path}: it is no whole gzip file" in problem for problem in await room.problems())
    lines = gzip.decompress(path.with_suffix(".away").read_bytes()).splitlines(keepends=True)
    said = json.loads(lines[1])
    said["events"][0]["detail"] = '{"x":1}'
    lines[1] = json.dumps(said).encode() + b"\n"
    path.write_bytes(gzip.compress(b"".join(lines)))
    assert any("its lines are not those that were signed" in problem for problem in await room.problems())
    assert GONE in await room.problems()
