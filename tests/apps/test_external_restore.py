"""The drills of OPERATIONS for an external PostgreSQL: backup under load, the machine's data lost, restore, and the books agree.

Every command for PostgreSQL is read from the page. What is put in its place on this machine stands in `Drill.text` alone.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from croupier.apps.world import LocalWorld, local_world, stop
from tests.apps.postgres_servers import Pair, servers
from tests.apps.restoring import WAITS, Load, prove_nothing_lost_or_doubled, run_croupier, until, up, wallet
from tests.conftest import make_home, remove_home

PAGE = Path(__file__).parents[2] / "docs" / "OPERATIONS.md"
SIGNED_OFTEN = {"CROUPIER_BIND_EVERY_S": "0.5", "CROUPIER_SIGN_EVERY_S": "1"}
"""The drill does not wait a minute for a checkpoint that is newer than the backup."""
WORDS = (
    "pg_dump", "pg_restore", "archive_command", "pg_stat_archiver", "pg_basebackup", "recovery.signal",
    "pg_get_wal_replay_pause_state", "pg_promote", "croupier recover status",
)  # fmt: skip
"""A word of each block of the page, in its order."""
EMPTIED = "select not exists (select from ledger where entry_id <= 100)"
DUMP, RESTORE, ARCHIVE, WATCH, BASE, PUT_BACK, LOOK, PROMOTE, AFTERWARDS = WORDS
OF_THE_DUMP = {DUMP, RESTORE, AFTERWARDS}
OF_THE_ARCHIVE = {ARCHIVE, WATCH, BASE, PUT_BACK, LOOK, PROMOTE, AFTERWARDS}


def blocks() -> list[str]:
    """The fenced blocks of the section."""
    section = PAGE.read_text("utf-8").split("\n### An external PostgreSQL\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@dataclass
class Drill:
    """An external server, and the commands of the page with the names of this machine."""

    pair: Pair
    target: str = ""
    run: set[str] = field(default_factory=set)
    """The words of the blocks that were executed."""

    def text(self, word: str) -> str:
        """The block of the page that has this word. Replaced are paths, the time, and a minute's wait."""
        (found,) = [block for block in blocks() if word in block]
        self.run.add(word)
        for there, here in {
            "/mnt/backups": f"{self.pair.folder}/backups",
            "/mnt/wal": f"{self.pair.folder}/wal",
            "/var/lib/postgresql/main": f"{self.pair.folder}/0",
            "2025-11-01 14:59:00+00": self.target,
            "archive_timeout = 60": "archive_timeout = 1",
        }.items():
            found = found.replace(there, here)
        return found

    async def shell(self, word: str, *, without: str = "") -> str:
        """Execute a block as the server's account, perhaps without one of its lines, and return its output."""
        lines = self.text(word).splitlines(keepends=True)
        script = "".join(line for line in lines if not (without and line.startswith(without)))
        return await asyncio.to_thread(self.pair.shell, script, {
            "CROUPIER_DATABASE_URL": self.pair.primary_url(),
            "NEW_DATABASE_URL": self.pair.primary_url(),
            "ADMIN_URL": self.pair.primary_url("postgres"),
        })  # fmt: skip

    async def ask(self, text: str) -> Any:
        return await asyncio.to_thread(self.pair.ask, text)

    async def holds(self, taken: set[str]) -> None:
        """Assert that these bets are in the database, with their entries in the ledger."""
        entries = "exists (select from ledger l where l.subject_id = b.bet_id)"
        assert set(await self.ask(f"select array_agg(bet_ref) from bets b where was_on and {entries}")) >= taken

    async def lose_the_machine(self, load: Load) -> None:
        """The server dies under load with its data, and a person stops the hub."""
        await asyncio.to_thread(self.pair.lose_primary)
        await asyncio.sleep(1)
        await load.stop()
        await stop([load.world.hub])

    async def archived(self) -> None:
        """Wait until everything that is written by now is in the archive."""
        now = await self.ask("select pg_walfile_name(pg_current_wal_lsn())")
        text = f"select coalesce(last_archived_wal >= '{now}', false) from pg_stat_archiver"

        async def there() -> bool:
            return bool(await self.ask(text))

        await until(there, 60, "nothing is archived")

    async def confirm(self, world: LocalWorld) -> None:
        """The last block: a person looks, confirms the restored trail, and all books hold."""
        code, out, _ = await run_croupier(world, "audit", "--trail", "--json")
        assert code == 1, out
        assert '"checkpoint"' in out, "the checkpoints are newer than the database"
        for line in self.text(AFTERWARDS).splitlines():
            command, *words = shlex.split(line)
            assert command == "croupier"
            code, out, err = await run_croupier(world, *words)
            assert code == 0, out + err


@pytest.fixture
def pair() -> Iterator[Pair]:
    with servers(standby=False) as made:
        for name in ("backups", "wal"):
            made.shell(f"mkdir {made.folder}/{name}", {})
        yield made


@pytest.fixture
def home() -> Iterator[Path]:
    made = make_home()
    yield made
    remove_home(made)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_dump_under_load_is_restored_into_a_new_server(pair: Pair, home: Path) -> None:
    """The machine is lost behind the dump. The hub notices the new server, and nothing is lost or doubled."""

    async def run() -> None:
        settings = {**WAITS, **SIGNED_OFTEN, "CROUPIER_DATABASE_URL": pair.primary_url()}
        async with local_world(home, settings, workers=2, log=home / "hub.log") as world:
            drill = Drill(pair)
            load = await Load.begin(world)
            await asyncio.sleep(3)
            taken = load.taken
            await drill.shell(DUMP)
            await asyncio.sleep(3)
            await drill.lose_the_machine(load)
            before = await wallet(world)
            await asyncio.to_thread(pair.make_primary)
            await drill.shell(RESTORE)
            await drill.holds(taken)
            await up(world)
            await prove_nothing_lost_or_doubled(load, before)
            await drill.confirm(world)
            assert drill.run == OF_THE_DUMP

    asyncio.run(run())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_emptied_table_is_back_after_recovery_to_a_time_before_the_accident(pair: Pair, home: Path) -> None:
    """A superuser empties the ledger under load, and the machine is lost. All that was answered before the accident is there."""

    async def run() -> None:
        drill = Drill(pair)
        pair.configure(drill.text(ARCHIVE))
        await asyncio.to_thread(pair.stop_primary)
        await asyncio.to_thread(pair.start_primary)
        settings = {**WAITS, **SIGNED_OFTEN, "CROUPIER_DATABASE_URL": pair.primary_url()}
        async with local_world(home, settings, workers=2, log=home / "hub.log") as world:
            load = await Load.begin(world)
            await asyncio.sleep(2)
            await drill.shell(BASE)
            taken = await accident(drill, load)
            await drill.lose_the_machine(load)
            before = await wallet(world)
            await recover_everything(drill)
            await recover_to(drill, taken)
            await up(world)
            await prove_nothing_lost_or_doubled(load, before)
            await drill.confirm(world)
            assert drill.run == OF_THE_ARCHIVE

    asyncio.run(run())


async def accident(drill: Drill, load: Load) -> set[str]:
    """Note the time, empty the ledger, and bet on. Return the bets that were taken before it."""
    at_base = set(load.answers)
    await asyncio.sleep(2)
    taken = load.taken
    assert taken - at_base, "bets are taken that only the archive has"
    drill.target = str(await drill.ask("select clock_timestamp()::text"))
    await asyncio.sleep(0.5)
    by_hand = "set session_replication_role = replica; truncate ledger"
    await asyncio.to_thread(drill.pair.shell, f'psql --dbname "{drill.pair.primary_url()}" --command "{by_hand}"', {})
    assert await drill.ask(EMPTIED)
    assert len(load.taken) > len(taken)
    await asyncio.sleep(2)
    await drill.archived()
    said = await drill.shell(WATCH)
    assert re.search(r"\|\s+0 \|", said), f"the archiver has not failed: {said}"
    return taken


async def recover_everything(drill: Drill) -> None:
    """Without a time the server replays the accident too and accepts writes by itself. A person begins again."""
    await drill.shell(PUT_BACK, without="recovery_target_time")
    await asyncio.to_thread(drill.pair.start_primary)

    async def promoted() -> bool:
        return not await drill.ask("select pg_is_in_recovery()")

    await until(promoted, 60, "the server does not end its recovery")
    assert await drill.ask(EMPTIED)
    await asyncio.to_thread(drill.pair.lose_primary)


async def recover_to(drill: Drill, taken: set[str]) -> None:
    """Put the base backup in place, have the server replay to the time, look, and promote it."""
    await drill.shell(PUT_BACK)
    await asyncio.to_thread(drill.pair.start_primary)

    async def paused() -> bool:
        return re.search(r"^ paused ", await drill.shell(LOOK), re.MULTILINE) is not None

    await until(paused, 60, "the server does not reach the time")
    assert await drill.ask("select count(*) from ledger") > 0, "the ledger is back"
    await drill.shell(PROMOTE)
    assert await drill.ask("select pg_is_in_recovery()") is False
    assert await drill.ask("select count(*) from pg_file_settings where name = 'recovery_target_time'") == 0
    await drill.holds(taken)


def test_every_block_of_the_page_belongs_to_a_drill() -> None:
    """In the order of their words, each block once: a new one must be executed too."""
    assert set(WORDS) == OF_THE_DUMP | OF_THE_ARCHIVE
    assert [[word for word in WORDS if word in block] for block in blocks()] == [[word] for word in WORDS]


def test_the_archive_command_never_overwrites(tmp_path: Path) -> None:
    """It takes a new segment, and one that it has already taken; another one of the same name it refuses."""
    (block,) = [block for block in blocks() if ARCHIVE in block]
    found = re.search(r"^archive_command = '(.*)'$", block, re.MULTILINE)
    assert found
    segment, archive = tmp_path / "segment", tmp_path / "wal"
    archive.mkdir()

    def archived(contents: str) -> bool:
        segment.write_text(contents)
        told = {"/mnt/wal": str(archive), "%p": str(segment), "%f": "000000010000000000000001"}
        command = re.sub("|".join(told), lambda word: told[word[0]], found[1])
        return subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=False).returncode == 0

    assert archived("first")
    assert archived("first")
    assert not archived("other")
    assert [(path.name, path.read_text()) for path in archive.iterdir()] == [("000000010000000000000001", "first")]
