"""The audit trail against somebody with every right on the database: each way to change the past is found and named.

All damage is done by a superuser past every trigger. The key and the checkpoints lie outside of the database, where he
does not get at them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from croupier.flows.hub import Hub
from croupier.flows.keep_trail import sign, vouch
from croupier.kit.chance import SeededChance
from croupier.kit.metrics import Metrics
from croupier.kit.signed_lines import SignedLines
from croupier.store.db import Db
from croupier.store.embedded.server import Attached
from croupier.store.oversight.incidents import Incidents
from croupier.store.oversight.trail import STRANDS, Trail
from croupier.views.audit.auditor import audit
from croupier.views.trail.links import COVERS, Walk, walk
from croupier.views.trail.verify import TrailReport, verify_trail
from tests.views.world import World, everything

pytestmark = pytest.mark.one_in(2)

SEED = bytes(range(32))
MINUTE_MS = 60_000


class Room:
    """A world whose rows are bound, and the folder where checkpoints are signed."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.notary = SignedLines(folder, SEED)
        self.trail = Trail(world.db, world.clock, SeededChance(3))
        self.incidents = Incidents(world.db, world.clock)
        self.metrics = Metrics()
        self.clock = world.clock

    @property
    def hub(self) -> Hub:
        """As much of a hub as the signer needs: the real parts."""
        room: Any = self
        room.store = self
        return room

    async def work(self, n: int = 2) -> list[int]:
        """So many more bets that end, bound and signed a minute later."""
        stories = [self.world.story() for _ in range(n)]
        for story in stories:
            story.settled()
        await self.world.keep(*stories)
        await self.trail.bind()
        self.clock.at_ms += MINUTE_MS
        assert await sign(self.hub, 60.0)
        return [story.subject_id for story in stories]

    async def report(self) -> TrailReport:
        return await verify_trail(self.world.db, self.notary)

    async def found(self) -> set[tuple[str, str | None, int | None]]:
        """What is broken: kind, table, row."""
        report = await self.report()
        assert report.holds is (not report.breaks)
        return {(b.kind, b.table, b.row_id) for b in report.breaks}

    async def sentences(self) -> str:
        return "\n".join(b.what for b in (await self.report()).breaks)


@pytest.fixture
async def room(world: World, tmp_path: Path) -> Room:
    made = Room(world, tmp_path / "trail")
    for _ in range(3):
        await made.work()
    return made


async def test_a_trail_that_nobody_touched_verifies(room: Room) -> None:
    report = await room.report()
    assert report.breaks == []
    assert report.holds
    assert report.signed is not None
    assert (report.links, report.rows, report.not_signed) == (6, report.signed.rows, 0)
    rows = await room.world.db.fetchval("select (select count(*) from ledger) + (select count(*) from events)")
    assert report.rows == rows > 20
    assert report.checkpoints == 3
    assert all(waiting.rows == 0 for waiting in report.waiting)


# --- the seven -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "key", "change"),
    [
        ("ledger", "entry_id", "amount = amount + 1"),
        ("ledger", "entry_id", "author = 'mia'"),
        ("ledger", "entry_id", "at_ms = at_ms - 1"),
        ("events", "event_id", "detail = detail || ' '"),
        ("events", "event_id", "author = ''"),
    ],
)
@pytest.mark.one_in(3)
async def test_an_edit_is_found_and_the_row_is_named(room: Room, table: str, key: str, change: str) -> None:
    await room.world.break_by(f"update {table} set {change} where {key} = 4")
    assert await room.found() == {("edited", table, 4)}
    assert f"row 4 of {table} is not what it was when it was bound" in await room.sentences()


async def test_a_delete_in_the_middle_is_found_and_the_row_is_named(room: Room) -> None:
    await room.world.break_by("delete from ledger where entry_id in (4, 5)")
    assert await room.found() == {("missing", "ledger", 4), ("missing", "ledger", 5)}


async def test_a_cut_tail_is_found_when_the_rows_are_cut(room: Room) -> None:
    last = await room.world.db.fetchval("select max(event_id) from events")
    await room.world.break_by(f"delete from events where event_id >= {last - 1}")
    assert await room.found() == {("missing", "events", last - 1), ("missing", "events", last)}


async def test_a_cut_tail_is_found_when_the_links_are_cut_with_the_rows(room: Room) -> None:
    """Then the chain that is left verifies by itself; what was signed is longer."""
    await cut_after(room, 4)
    assert await room.found() == {("checkpoint", None, None)}
    assert "the chain ends at link 4, and link 6 was signed on" in await room.sentences()


async def cut_after(room: Room, link: int) -> None:
    async with room.world.lawless() as connection:
        for strand in STRANDS:
            upto = "coalesce((select max(upto_id) from trail where strand = $1 and link <= $2), 0)"
            await connection.execute(f"delete from {strand.table} where {strand.key} > {upto}", strand.table, link)
        await connection.execute("delete from trail where link > $1", link)


async def test_an_insert_is_found_and_the_row_is_named(room: Room) -> None:
    """Where there was never a row: a number that a lost transaction had taken, or one below all others."""
    copied = ", ".join(COVERS["ledger"][1:])
    for number in (-7, 0):
        await room.world.break_by(
            f"insert into ledger (entry_id, {copied}) overriding system value select {number}, {copied} from ledger"
            " where entry_id = 4"
        )
    assert await room.found() == {("inserted", "ledger", -7), ("inserted", "ledger", 0)}


async def test_an_insert_into_a_gap_of_the_numbers_is_found(room: Room) -> None:
    gap = await room.world.db.fetchval("select nextval('ledger_entry_id_seq')")
    await room.work()
    assert await room.found() == set()
    copied = ", ".join(COVERS["ledger"][1:])
    await room.world.break_by(
        f"insert into ledger (entry_id, {copied}) overriding system value select {gap}, {copied} from ledger"
        " where entry_id = 4"
    )
    assert await room.found() == {("inserted", "ledger", gap)}


async def test_rows_that_change_places_are_found(room: Room) -> None:
    """Two rows take each other's number: no content is new, and none is missing."""
    others = ", ".join(COVERS["ledger"][1:])
    await room.world.break_by(
        f"update ledger l set ({others}) = (select {others} from ledger o where o.entry_id = 9 - l.entry_id)"
        " where entry_id in (4, 5)"
    )
    assert await room.found() == {("edited", "ledger", 4), ("edited", "ledger", 5)}


async def test_links_that_change_places_are_found(room: Room) -> None:
    async with room.world.lawless() as connection:
        for was, now in ((3, -1), (5, 3), (-1, 5)):
            await connection.execute("update trail set link = $2 where link = $1", was, now)
    assert {kind for kind, _, _ in await room.found()} == {"chain"}
    assert "link 3 is not as it was made" in await room.sentences()


async def bind_anew(room: Room) -> None:
    """Another process: one that has bound these rows does not look for them again."""
    other = Trail(room.world.db, room.world.clock, SeededChance(4))
    while (await other.bind()) > 0:
        pass


async def test_a_chain_that_was_made_anew_is_found(room: Room) -> None:
    """A superuser edits a row and computes every link again, with the hub's own statements: it verifies in itself."""
    await room.world.break_by("update ledger set amount = amount + 1 where entry_id = 4")
    begun = await room.world.db.fetchrow("select at_ms, head from trail where link = 0")
    assert begun is not None
    async with room.world.lawless() as connection:
        await connection.execute("delete from trail where link > 0")
    await bind_anew(room)
    alone = Walk()
    async for _ in walk(room.world.db, alone, most=100):
        pass
    assert alone.breaks == [], "the new chain should verify in itself, or this test shows nothing"
    assert {kind for kind, _, _ in await room.found()} == {"checkpoint"}
    assert "the chain was made anew" in await room.sentences()


async def test_a_chain_that_was_made_anew_link_by_link_is_found(room: Room) -> None:
    """The same, but every link covers what it covered and says the time it said."""
    await room.world.break_by("update ledger set amount = amount + 1 where entry_id = 4")
    await restamp(room)
    alone = Walk()
    async for _ in walk(room.world.db, alone, most=100):
        pass
    assert alone.breaks == []
    assert {kind for kind, _, _ in await room.found()} == {"checkpoint"}
    assert "link 2 is not the one that was signed on" in await room.sentences()


async def restamp(room: Room) -> None:
    """Compute prints and heads anew over the rows as they are now."""
    from croupier.views.trail import links as link_module  # noqa: PLC0415 - what an intruder would use

    async with room.world.db.transaction(snapshot=True) as tx:
        links = [link_module._Link(**row) for row in await tx.fetch(link_module._LINKS, 0, 1000)]
        rows = await link_module._rows_of(tx, links)
    head = await room.world.db.fetchval("select head from trail where link = 0")
    async with room.world.lawless() as connection:
        for link in links:
            digests = [link_module.digest(link.strand, row) for row in rows[link.link]]
            head = link_module.head_of(head, link, digests)
            prints = b"".join(digest[:8] for digest in digests)
            await connection.execute(
                "update trail set prints = $2, head = $3 where link = $1", link.link, prints, head
            )  # fmt: skip


async def test_another_beginning_is_found(room: Room) -> None:
    """Everything anew, the first link too."""
    async with room.world.lawless() as connection:
        await connection.execute("delete from trail")
    await bind_anew(room)
    assert "it is another database, or its chain was made anew from the beginning" in await room.sentences()


@pytest.mark.slow
async def test_a_restored_old_copy_is_found(room: Room, postgres: Attached, database_url: str) -> None:
    """A whole database as it was two minutes ago: nothing in it contradicts anything in it."""
    name = database_url.split("?", maxsplit=1)[0].rpartition("/")[2]
    copy = f"{name}_copy"
    admin = await Db.connect({**postgres.connect_kwargs, "database": "postgres"}, size=1, pinned=1)
    try:
        await room.world.db.close()
        await admin.execute(f"create database {copy} template {name}")
        async with works_on(room, database_url):
            await room.work()
            assert await room.found() == set()
        async with works_on(room, database_url.replace(name, copy)):
            assert {kind for kind, _, _ in await room.found()} == {"checkpoint"}
            assert "an older copy of the database was put back" in await room.sentences()
            await goes_on(room)
    finally:
        await admin.execute(f"drop database if exists {copy} with (force)")
        await admin.close()


@asynccontextmanager
async def works_on(room: Room, url: str) -> AsyncIterator[None]:
    """The same process, on this database."""
    db = await Db.connect(url, size=3)
    room.trail._db = room.world.db = room.world.group_commit._db = room.incidents._db = db
    try:
        yield
    finally:
        await db.close()


async def goes_on(room: Room) -> None:
    """The copy works on, past the link that was signed: nobody signs it, and it is found all the same."""
    stories = [room.world.story() for _ in range(4)]
    for story in stories:
        story.settled()
    for story in stories:
        await room.world.keep(story)
        await room.trail.bind()
    room.clock.at_ms += MINUTE_MS
    assert not await sign(room.hub, 60.0)
    assert {i.name for i in await room.incidents.open_ones()} == {"trail_broken"}
    assert "an older copy of the database was put back and has gone on from there" in await room.sentences()
    await room.trail.bind()
    assert await vouch(room.hub, "mia", "restored from the dump of tonight")
    report = await room.report()
    assert report.holds, report.breaks
    assert any("mia vouched" in remark and "tonight" in remark for remark in report.remarks)
    room.clock.at_ms += MINUTE_MS
    assert await sign(room.hub, 60.0), "checkpoints go on from there"
    assert (await room.report()).holds


# --- the chain's own table --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "at_ms = at_ms + 1",
        "rows_upto = rows_upto + 1",
        "ids = ids[2:] || ids[1]",
        "ids = ids || 999::bigint",
        "prints = prints || 'x'::bytea",
        "head = sha256(head)",
        "strand = 'players'",
        "after_id = after_id + 1",
        "upto_id = upto_id - 1",
        "upto_id = upto_id + 1",
    ],
)
@pytest.mark.one_in(9)
async def test_a_link_that_was_edited_is_found(room: Room, change: str) -> None:
    await room.world.break_by(f"update trail set {change} where link = 3")
    report = await room.report()
    assert not report.holds
    assert any(b.link in (3, 4, 5) for b in report.breaks), report.breaks


async def test_a_link_that_is_gone_is_found(room: Room) -> None:
    await room.world.break_by("delete from trail where link = 3")
    assert "link 3 is gone from the chain" in await room.sentences()


async def test_many_rows_put_in_do_not_hide_others(room: Room) -> None:
    """More than a page takes: every link is then read by itself, and what is in order stays in order."""
    gap = await room.world.db.fetchval(
        "select setval('ledger_entry_id_seq', nextval('ledger_entry_id_seq') + 3000) - 3000"
    )
    await room.work()
    copied = ", ".join(COVERS["ledger"][1:])
    await room.world.break_by(
        f"insert into ledger (entry_id, {copied}) overriding system value select n, {copied} from ledger,"
        f" generate_series({gap}, {gap + 2999}) n where entry_id = 4"
    )
    assert {(kind, table) for kind, table, _ in await room.found()} == {("inserted", "ledger")}


# --- incidents and persons --------------------------------------------------------------------------------


async def test_what_persons_did_is_bound(room: Room) -> None:
    """An incident's closing, and a player's exclusion."""
    await room.incidents.raise_for(7, "parked", "look")
    (incident,) = await room.incidents.open_ones()
    assert await room.incidents.close([incident], "mia", "looked")
    await room.world.db.execute("insert into player_blocks (player_id, blocked, reason, author, at_ms)"
        " values (33, true, 'asked for it', 'mia', 5), (33, false, 'asked again', 'mia', 6)")  # fmt: skip
    await room.work()
    assert await room.found() == set()
    await room.world.break_by("update incident_log set closed_by = 'eve' where closed_by = 'mia'")
    await room.world.break_by("update player_blocks set blocked = false where at_ms = 5")
    assert {("edited", "player_blocks", 1), ("edited", "incident_log", 2)} <= await room.found()


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("update incidents set closed_ms = 5, closed_by = 'mia'", "is not what its log says"),
        ("update incidents set note = 'nothing'", "is not what its log says"),
        ("delete from incidents", "is gone"),
        ("delete from incident_log", "has no line in its log"),
    ],
)
async def test_an_incident_that_is_not_what_its_log_says_is_found(room: Room, sql: str, what: str) -> None:
    await room.incidents.raise_for(7, "parked", "look")
    await room.world.break_by(sql)
    assert f"incident 1, about 7, {what}" in await room.sentences()


# --- the notary ------------------------------------------------------------------------------------------


async def test_a_lost_folder_of_checkpoints_is_said(room: Room) -> None:
    shutil.rmtree(room.notary.folder)
    assert await room.found() == {("unsigned", None, None)}
    assert "there is no checkpoint in" in await room.sentences()


async def test_a_folder_that_cannot_be_read_is_said(room: Room) -> None:
    (file,) = room.notary.folder.glob("*.jsonl")
    file.unlink()
    file.mkdir()
    assert ("unsigned", None, None) in await room.found()
    assert "cannot be read" in await room.sentences()


async def test_a_checkpoint_that_was_rewritten_is_found(room: Room) -> None:
    """By somebody who has the files and not the key."""
    (file,) = room.notary.folder.glob("*.jsonl")
    lines = file.read_text().splitlines()
    for n in (1, 2):
        changed = lines.copy()
        changed[n] = lines[n].replace('"rows":', '"rows":1')
        file.write_text("\n".join(changed) + "\n")
        assert ("checkpoint", None, None) in await room.found()


async def test_checkpoints_of_another_key_are_found(room: Room) -> None:
    room.notary = SignedLines(room.notary.folder, bytes(32))
    assert "is signed by key" in await room.sentences()


async def test_a_line_taken_out_of_the_checkpoints_is_found(room: Room) -> None:
    (file,) = room.notary.folder.glob("*.jsonl")
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], lines[2]]) + "\n")
    assert "line 2 of the checkpoints does not follow the one before" in await room.sentences()


async def test_a_vouched_line_that_is_repeated_vouches_for_nothing(room: Room) -> None:
    """Somebody who has the files may copy what a person once signed; it does not follow its new neighbour."""
    assert await vouch(room.hub, "mia", "first")
    await room.work()
    (file,) = room.notary.folder.glob("*.jsonl")
    lines = file.read_text().splitlines()
    vouched = next(line for line in lines if json.loads(line)["what"] == "vouched")
    await cut_after(room, 4)
    file.write_text("\n".join([*lines, vouched]) + "\n")
    assert {kind for kind, _, _ in await room.found()} == {"checkpoint"}


# --- what is not there yet --------------------------------------------------------------------------------


async def test_an_empty_database_verifies(db: Db, tmp_path: Path) -> None:
    report = await verify_trail(db, SignedLines(tmp_path, SEED))
    assert report.holds
    assert (report.links, report.rows, report.bound_ms, report.signed) == (0, 0, None, None)


async def test_an_empty_database_beside_checkpoints_does_not(room: Room) -> None:
    async with room.world.lawless() as connection:
        for table in ("trail", *COVERS):
            await connection.execute(f"delete from {table}")
    assert "the chain is empty, and link" in await room.sentences()


async def test_rows_that_wait_are_counted(room: Room) -> None:
    story = room.world.story()
    story.on()
    await room.world.keep(story)
    report = await room.report()
    assert report.holds
    assert {w.table: w.rows for w in report.waiting if w.rows} == {"events": 2, "ledger": 1}
    await room.trail.bind()
    report = await room.report()
    assert (report.not_signed, sum(w.rows for w in report.waiting)) == (3, 0)


async def test_it_stops_after_so_many_breaks_and_says_so(room: Room) -> None:
    await room.world.break_by("update ledger set amount = amount + 1")
    report = await verify_trail(room.world.db, room.notary, most=2)
    assert not report.holds
    assert any("there may be more" in remark for remark in report.remarks)


async def test_every_column_of_every_table_of_the_trail_is_covered(db: Db) -> None:
    """A column that comes later must be bound too; and both sides know the same tables."""
    rows = await db.fetch(
        "select table_name, array_agg(column_name::text) as columns from information_schema.columns"
        " where table_name = any($1) group by 1", list(COVERS),
    )  # fmt: skip
    assert {row["table_name"]: set(row["columns"]) for row in rows} == {t: set(c) for t, c in COVERS.items()}
    assert {s.table: s.columns for s in STRANDS} == dict(COVERS)


async def test_every_kind_of_text_has_one_form_on_both_sides(world: World, tmp_path: Path) -> None:
    """PostgreSQL's length of a text and Python's, its numbers and Python's."""
    room = Room(world, tmp_path / "trail")
    for n, text in enumerate(["", "-", "3:abc", "ß€😀", "a\nb\tc\\d'\"", "e\u0301", "\u202e", "x" * 20_000]):
        await room.incidents.raise_for(2**62 - n, f"name {n}", text)
    await room.work()
    assert await room.found() == set()


async def test_the_audit_asks_it_where_the_notary_is_at_hand(room: Room) -> None:
    async def trail_of() -> Any:
        return next(f for f in await audit(room.world.db, notary=room.notary) if f.name == "I12")

    assert (await trail_of()).checked
    assert (await trail_of()).violations == ()
    await room.world.break_by("update ledger set amount = amount + 1 where entry_id = 4")
    assert [v.what for v in (await trail_of()).violations] == ["row 4 of ledger is not what it was when it was bound"]


async def test_every_story_that_the_core_writes_is_bound(world: World, tmp_path: Path) -> None:
    room = Room(world, tmp_path / "trail")
    await world.keep(*everything(world).values())
    await room.work()
    report = await room.report()
    assert report.holds
    assert report.rows > 100
