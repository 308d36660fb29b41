"""A migration only expands: the program of the version before goes on, and may start again, on the newer schema.

Each file is applied to a real database, and the catalogue is compared before and after it. What an older program cannot
work with is a finding. Files that take something away stand in a list of their own, each with its reason (decision 0099).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from croupier.store.db import Db
from croupier.store.migrate import migrate
from croupier.store.migration_files import FOLDER, Migration, read_files

pytestmark = pytest.mark.one_in(3)

FIRST_UNDER_THE_RULE = 26
"""Files before this number are older than the rule, and were applied while nobody served two versions."""
CONTRACTS: dict[str, str] = {
    "0029_archived.sql": "the triggers of ledger and events allow one thing more, a deletion, and no older program deletes",
    "0030_session_changes.sql": "its triggers on tables that were there write to a new table and refuse nothing that an older program does",
}
"""Files with findings that a person has judged: the name, and why no program since the version before is hurt."""

_TABLES = """
select c.relname as name, c.relfilenode::text as said from pg_class c
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'S')"""
_COLUMNS = """
select c.relname || '.' || a.attname as name,
    format_type(a.atttypid, a.atttypmod) || ' ' || a.attcollation || ' ' || a.attgenerated::text as said,
    a.attnotnull and not a.atthasdef and a.attidentity = '' as must_be_given, a.attnotnull as never_null, c.relname as place
from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped"""
_DEFAULTS = """
select c.relname || '.' || a.attname as name, pg_get_expr(d.adbin, d.adrelid) as said
from pg_attrdef d join pg_class c on c.oid = d.adrelid join pg_attribute a on a.attrelid = c.oid and a.attnum = d.adnum
where c.relnamespace = current_schema()::regnamespace"""
_RULES = """
select c.relname as place, c.relname || ' ' || r.conname as name, pg_get_constraintdef(r.oid) as said
from pg_constraint r join pg_class c on c.oid = r.conrelid where c.relnamespace = current_schema()::regnamespace and r.contype <> 'n'
union all
select c.relname, c.relname || ' ' || t.tgname, pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid
where c.relnamespace = current_schema()::regnamespace and not t.tgisinternal
union all
select c.relname, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) || case when i.indisunique then '' else ' plain' end
from pg_index i join pg_class c on c.oid = i.indrelid where c.relnamespace = current_schema()::regnamespace"""
_FUNCTIONS = """
select p.oid::regprocedure::text as name, md5(p.prosrc) as said from pg_proc p
where p.pronamespace = current_schema()::regnamespace"""
_MOVES = "select thing || ' ' || from_state || ' to ' || to_state as name, '' as said from state_moves"
_BODY = re.compile(r"\$\$.*?\$\$", re.DOTALL)
_REWRITES = re.compile(r"^\s*(update|delete\s+from|truncate)\s+(\w+)", re.MULTILINE)


class Shape:
    """The catalogue of a database at one moment."""

    def __init__(self) -> None:
        self.tables: dict[str, str] = {}
        self.columns: dict[str, dict[str, object]] = {}
        self.defaults: dict[str, str] = {}
        self.rules: dict[str, tuple[str, str]] = {}
        self.functions: dict[str, str] = {}
        self.moves: dict[str, str] = {}

    @classmethod
    async def of(cls, db: Db) -> Shape:
        shape = cls()
        shape.tables = await _named(db, _TABLES)
        shape.columns = {row["name"]: dict(row) for row in await db.fetch(_COLUMNS)}
        shape.defaults = await _named(db, _DEFAULTS)
        shape.rules = {row["name"]: (row["place"], row["said"]) for row in await db.fetch(_RULES)}
        shape.functions = await _named(db, _FUNCTIONS)
        if "state_moves" in shape.tables:
            shape.moves = await _named(db, _MOVES)
        return shape


async def _named(db: Db, sql: str) -> dict[str, str]:
    return {row["name"]: row["said"] for row in await db.fetch(sql)}


def taken_away(before: Shape, after: Shape) -> list[str]:
    """Return what the older program finds no more, or otherwise."""
    found = [f"{name} is gone" for name in _lacking(before.tables, after.tables)]
    found += [f"{name} is gone" for name in _lacking(before.columns, after.columns)]
    found += [f"the state {name} is refused" for name in _lacking(before.moves, after.moves)]
    found += [f"{name} was rewritten, under a lock" for name in _changed(before.tables, after.tables)]
    kinds = {name: str(row["said"]) for name, row in before.columns.items()}
    found += [
        f"{name} has another type"
        for name in _changed(kinds, {name: str(row["said"]) for name, row in after.columns.items()})
    ]
    return found + [
        f"{name} lost its default, or has another"
        for name, said in before.defaults.items()
        if name in after.columns and after.defaults.get(name) != said
    ]


def demanded(before: Shape, after: Shape, *, concurrent: bool) -> list[str]:
    """Return what the older program would have to do, and does not know."""
    found = []
    for name, row in after.columns.items():
        known = before.columns.get(name)
        if row["place"] not in before.tables:
            continue
        if known is None and row["must_be_given"]:
            found.append(f"{name} is not null and has no default")
        if known is not None and row["never_null"] and not known["never_null"]:
            found.append(f"{name} must not be null any more")
    for name, (place, said) in after.rules.items():
        was = before.rules.get(name)
        if place not in before.tables or was == (place, said):
            continue
        if not said.endswith(" plain"):
            found.append(f"{name} is a rule of a table that was there: {said}")
        elif not concurrent:
            found.append(f"{name} is built under a lock: use a file outside a transaction")
    gone = [name for name in _lacking(before.rules, after.rules) if before.rules[name][0] in after.tables]
    found += [f"{name} is gone" for name in gone if not before.rules[name][1].endswith(" plain")]
    return found + [f"{name} does something else" for name in _changed(before.functions, after.functions)]


def _lacking(before: Iterable[str], after: Iterable[str]) -> list[str]:
    return sorted(set(before) - set(after))


def _changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return sorted(name for name in before.keys() & after.keys() if before[name] != after[name])


def rewritten(file: Migration, before: Shape) -> list[str]:
    """Return the statements that change rows of a table that was there: they lock rows that payments need."""
    text = re.sub(r"--.*", "", _BODY.sub("", file.sql))
    return [f"{verb} {table} changes rows" for verb, table in _REWRITES.findall(text) if table in before.tables]


async def findings(db: Db, folder: Path, file: Migration) -> list[str]:
    """Apply one more file, and return what an older program cannot work with."""
    before = await Shape.of(db)
    assert await migrate(db, folder) == [file.name]
    after = await Shape.of(db)
    concurrent = file.concurrent is not None
    return [*taken_away(before, after), *demanded(before, after, concurrent=concurrent), *rewritten(file, before)]


@pytest.fixture
async def bare(db: Db) -> Db:
    await db.execute("drop schema public cascade; create schema public; drop schema if exists pristine cascade")
    return db


async def test_every_migration_only_expands_and_says_whom_it_goes_with(bare: Db, tmp_path: Path) -> None:
    """Otherwise an upgrade needs a stop, and there is no way back without a restore."""
    files = read_files(FOLDER)
    for file in files[: FIRST_UNDER_THE_RULE - 1]:
        (tmp_path / file.name).write_text(file.sql)
    await migrate(bare, tmp_path)
    for file in files[FIRST_UNDER_THE_RULE - 1 :]:
        (tmp_path / file.name).write_text(file.sql)
        found = await findings(bare, tmp_path, file)
        if file.name in CONTRACTS:
            assert found, f"{file.name} only expands: it needs no line in CONTRACTS"
            continue
        assert found == [], f"{file.name} does not only expand (decision 0099): {found}"
        assert file.goes_with is not None, (
            f"{file.name} must say `-- goes with NNNN`: the last file of the version before"
        )
        assert file.goes_with < file.name[:4]


def test_the_list_of_contracts_names_files_and_reasons() -> None:
    names = {file.name for file in read_files(FOLDER)}
    assert CONTRACTS.keys() <= names
    assert all(len(reason.split()) > 3 for reason in CONTRACTS.values())


BASE = """
create table coins (id bigint primary key, worth bigint not null default 1, note text);
create table state_moves (thing text, from_state text, to_state text);
insert into state_moves values ('coin', 'new', 'spent');
create index coins_by_worth on coins (worth);
create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
create trigger kept before delete on coins for each statement execute function refuse();
"""
EXPANDS = (
    "alter table coins add column minted_ms bigint",
    "alter table coins add column mint text not null default 'here'",
    "create table purses (id bigint primary key, worth bigint not null); create index purses_w on purses (worth)",
    "insert into state_moves values ('coin', 'new', 'lost')",
    "drop index coins_by_worth",
    "alter table coins alter column worth drop not null",
    "-- outside a transaction\ncreate index concurrently if not exists coins_by_note on coins (note)",
    "create sequence purse_ids",
)
TAKES_AWAY = (
    ("drop table coins", "coins is gone"),
    ("alter table coins drop column note", "coins.note is gone"),
    ("alter table coins rename column note to words", "coins.note is gone"),
    ("alter table coins rename to money", "coins is gone"),
    ("alter table coins alter column worth type numeric", "coins.worth has another type"),
    ('alter table coins alter column note type text collate "C"', "coins.note has another type"),
    ("alter table coins alter column worth drop default", "coins.worth lost its default"),
    ("alter table coins add column mint text not null", "coins.mint is not null and has no default"),
    ("alter table coins alter column note set not null", "coins.note must not be null"),
    ("alter table coins add check (worth > 0)", "coins coins_worth_check is a rule"),
    ("alter table coins add constraint u unique (note)", "coins u is a rule"),
    ("alter table coins drop constraint coins_pkey", "coins coins_pkey is gone"),
    ("create index coins_by_note on coins (note)", "coins_by_note is built under a lock"),
    ("-- outside a transaction\ncreate unique index concurrently if not exists u on coins (note)", "u is a rule"),
    ("create trigger no before update on coins for each statement execute function refuse()", "coins no is a rule"),
    ("drop trigger kept on coins", "coins kept is gone"),
    (
        "create or replace function refuse() returns trigger language plpgsql as $$ begin return null; end $$",
        "refuse() does something else",
    ),
    ("delete from state_moves", "the state coin new to spent is refused"),
    ("alter table coins add column r double precision default random()", "coins was rewritten"),
    ("update coins set worth = 2", "update coins changes rows"),
)  # fmt: skip


async def test_what_expands_is_no_finding(bare: Db, tmp_path: Path) -> None:
    for n, sql in enumerate(EXPANDS):
        assert await _of_step(bare, tmp_path / str(n), sql) == [], sql


async def test_what_takes_away_or_demands_is_found(bare: Db, tmp_path: Path) -> None:
    for n, (sql, says) in enumerate(TAKES_AWAY):
        found = await _of_step(bare, tmp_path / str(n), sql)
        assert any(one.startswith(says) for one in found), (sql, found)


async def _of_step(db: Db, folder: Path, sql: str) -> list[str]:
    folder.mkdir()
    await db.execute("drop schema public cascade; create schema public")
    (folder / "0001_coins.sql").write_text(BASE)
    await migrate(db, folder)
    (folder / "0002_step.sql").write_text(sql)
    return await findings(db, folder, read_files(folder)[1])
