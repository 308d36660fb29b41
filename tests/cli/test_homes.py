"""Who may make a home or change a schema: a look leaves everything as it was and says where it looked."""

from __future__ import annotations

import asyncio
import re
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from croupier.store.db import Db
from croupier.store.embedded.server import Attached, attach
from croupier.store.migrate import FOLDER, migrate
from tests.cli.conftest import Cli, end
from tests.conftest import make_home, remove_home

pytestmark = pytest.mark.one_in(2)

LOOKS = (
    "casino list", "casino show Aurora", "provider list", "provider show Fable", "game list", "player list --casino Aurora",
    "trace 1", "audit", "audit --trail", "incidents", "ggr --from 2025-11-01 --to 2025-11-02", "reconcile", "recover status",
)  # fmt: skip
CHANGES = (
    "casino set Aurora batch=1", "casino disable Aurora", "provider sync Fable", "game set g enabled=false",
    "session open --casino Aurora --player p --currency EUR --game g", "incidents close 1 --reason r",
    "cashback pay --casino Aurora --player p --amount 1 --currency EUR --ref week-1", "payment retry 1:payout --reason r",
    "bet return 1 --reason r", "reconcile --open", "recover begin --reason r", "casino keys rotate",
    "player block --casino Aurora --player p --reason r",
)  # fmt: skip
FIRST = ("casino add Aurora --url http://127.0.0.1:9 --currency EUR", "provider add Fable --url http://127.0.0.1:9")
TABLES = "select count(*) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
APPLIED = "select count(*) from schema_migrations"
FILES = sorted(path.name for path in FOLDER.glob("*.sql"))


def ask(url: str, sql: str) -> int:
    async def run() -> int:
        db = await Db.connect(url, size=1, pinned=1)
        try:
            return int(await db.fetchval(sql))
        finally:
            await db.close()

    return asyncio.run(run())


@pytest.fixture
async def empty(postgres: Attached) -> AsyncIterator[str]:
    """The address of a database of one's own without a table."""
    name = f"own_{uuid.uuid4().hex}"
    db = await Db.connect(postgres.connect_kwargs, size=1, pinned=1)
    await db.execute(f"create database {name}")
    yield postgres.dsn.replace("/croupier?", f"/{name}?")
    await db.execute(f"drop database {name} with (force)")
    await db.close()


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The migrations of the version before this one."""
    folder = tmp_path / "earlier"
    folder.mkdir()
    for name in FILES[:-1]:
        shutil.copy(FOLDER / name, folder)
    return folder


def set_back(url: str, folder: Path) -> None:
    """Bring the database to the schema of the version before."""

    async def run() -> None:
        db = await Db.connect(url, size=1, pinned=1)
        try:
            await migrate(db, folder)
        finally:
            await db.close()

    asyncio.run(run())


@pytest.fixture
def home_of_before(cli: Cli, earlier: Path) -> Iterator[Cli]:
    """A home whose embedded database the version before has made."""
    home = make_home()
    try:
        with attach(home) as attached:
            set_back(attached.dsn, earlier)
            yield Cli(home, cli.zygote, attached)
    finally:
        remove_home(home)


@pytest.mark.parametrize("words", [*LOOKS, *CHANGES])
@pytest.mark.one_in(8)
def test_nothing_but_a_first_command_makes_a_home_and_all_say_where_they_looked(nowhere: Cli, words: str) -> None:
    complaint = nowhere.complaint(*words.split())
    assert f"there is no hub in {nowhere.home} (" in complaint
    assert "`croupier serve`" in complaint
    assert "CROUPIER_HOME" in complaint
    assert not nowhere.home.exists()


def test_the_doctor_makes_no_home_and_says_where_it_looked(nowhere: Cli) -> None:
    said = nowhere("doctor", "--json")
    assert said.code == 1
    assert said.json()["healthy"] is False
    assert f"there is no hub in {nowhere.home} (" in said.out
    assert not nowhere.home.exists()


def test_a_wrong_first_command_makes_no_home_either(nowhere: Cli) -> None:
    complaint = nowhere.complaint("casino", "add", "Aurora", "--url", "ftp://x", "--currency", "EUR", code=2)
    assert "--url" in complaint
    assert not nowhere.home.exists()


@pytest.mark.slow
def test_a_first_command_makes_the_home(cli: Cli) -> None:
    home = make_home()
    try:
        first = Cli(home, cli.zygote)
        first.ok(*FIRST[0].split())
        assert [row["name"] for row in first.json("casino", "list")] == ["Aurora"]
    finally:
        remove_home(home)


@pytest.mark.parametrize("words", [*LOOKS[::3], *CHANGES[::3], *FIRST])
@pytest.mark.one_in(16)
def test_no_command_makes_tables_in_a_database_of_ones_own(empty: str, nowhere: Cli, words: str) -> None:
    complaint = nowhere.complaint(*words.split(), CROUPIER_DATABASE_URL=empty)
    assert "has no tables yet: `croupier migrate` makes them" in complaint
    assert ask(empty, TABLES) == 0
    assert not nowhere.home.exists()


def test_the_doctor_makes_no_tables_and_says_what_does(empty: str, nowhere: Cli) -> None:
    said = nowhere("doctor", "--json", CROUPIER_DATABASE_URL=empty)
    assert said.code == 1
    (schema,) = [check for check in said.json()["checks"] if check["name"] == "schema"]
    assert schema["result"] == "wrong"
    assert "`croupier migrate`" in schema["says"]
    assert ask(empty, TABLES) == 0
    assert not nowhere.home.exists()


@pytest.mark.parametrize("words", ["doctor", *LOOKS[:2], CHANGES[0], FIRST[0], "serve --port 0"])
@pytest.mark.one_in(8)
def test_only_migrate_upgrades_a_database_of_ones_own(empty: str, nowhere: Cli, earlier: Path, words: str) -> None:
    set_back(empty, earlier)
    said = nowhere(*words.split(), CROUPIER_DATABASE_URL=empty)
    assert said.code == 1
    told = re.sub(r"\s+", " ", said.out + said.err)
    assert f"it lacks {FILES[-1]}: make a backup, then run `croupier migrate`" in told
    assert "serve` does it too" not in told
    assert ask(empty, APPLIED) == len(FILES) - 1
    assert nowhere.ok("migrate", "--json", CROUPIER_DATABASE_URL=empty).json() == {"applied": FILES[-1:]}


def serves(cli: Cli, **environ: str) -> bool:
    """Whether a hub starts; it is ended again."""
    process = cli.start("serve", "--port", "0", **environ)
    assert process.stderr is not None
    listens = "listens on" in process.stderr.readline()
    end(process)
    return listens


@pytest.mark.slow
def test_serve_sets_up_an_empty_database_and_upgrades_where_the_setting_allows_it(
    empty: str, nowhere: Cli, earlier: Path
) -> None:
    told = {"CROUPIER_DATABASE_URL": empty}
    assert not serves(nowhere, **told, CROUPIER_MIGRATE_ON_SERVE="0")
    assert ask(empty, TABLES) == 0
    set_back(empty, earlier)
    assert not serves(nowhere, **told)
    assert ask(empty, APPLIED) == len(FILES) - 1
    assert serves(nowhere, **told, CROUPIER_MIGRATE_ON_SERVE="1")
    assert ask(empty, APPLIED) == len(FILES)


def test_serve_sets_up_an_empty_database_of_ones_own(empty: str, nowhere: Cli) -> None:
    assert serves(nowhere, CROUPIER_DATABASE_URL=empty)
    assert ask(empty, APPLIED) == len(FILES)


@pytest.mark.slow
def test_a_command_upgrades_no_embedded_database_either_but_serve_does(home_of_before: Cli) -> None:
    for words in ("casino list", FIRST[0], CHANGES[0]):
        complaint = home_of_before.complaint(*words.split())
        assert f"it lacks {FILES[-1]}" in complaint
        assert "(`croupier serve` does it too)" in complaint
    assert not serves(home_of_before, CROUPIER_MIGRATE_ON_SERVE="0")
    assert serves(home_of_before)
    assert home_of_before.json("casino", "list") == []
