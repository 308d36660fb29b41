"""Checks that this database and role can run the hub: privileges, durability settings, and a trial of the payment path.

Owns: the queries and the sentences that say what to do. Never: changes anything: a trial is always rolled back.
Encoding and poolers are looked at when connecting (pool). Spec: operate.md 2 (`croupier doctor`), decision 0036.
"""

from __future__ import annotations

from croupier.store.db import Db, Tx

_TABLES = """
select current_user::text as role, current_schema()::text as place,
    coalesce(string_agg(c.relname, ', ' order by c.relname) filter (where not case c.relkind
        when 'S' then has_sequence_privilege(c.oid, 'usage')
        else has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')
            and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete') end), '') as lacking
from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'S')"""
_PROMISES = """
select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
    current_setting('synchronous_commit') as synchronous_commit,
    current_setting('default_transaction_isolation') as isolation, current_setting('lock_timeout') as lock_timeout"""
_VERSION = """
select datcollate, datcollversion as noted, pg_database_collation_actual_version(oid) as actual
from pg_database where datname = current_database()"""
_HAS_VERSION = "select exists (select from pg_attribute where attrelid = 'pg_database'::regclass and attname = $1)"

# No row is written, yet every privilege and trigger of the payment path is checked.
_TRIAL = """
insert into bets (bet_id) select 0 where false;
update bets set version = version where false;
insert into cashbacks (cashback_id) select 0 where false;
insert into payments (subject_id) select 0 where false;
update payments set state = state where false;
insert into calls (subject_id) select 0 where false;
update calls set fence = fence where false;
delete from calls where false;
insert into ledger (subject_id) select 0 where false;
insert into events (subject_id) select 0 where false;
insert into incidents (subject_id) select 0 where false"""
# Some pages, so that a full disk is noticed.
_PAGES = """
insert into turns (name, owner, until_ms)
select 'trial ' || $1, string_agg(md5($1 || n), ''), 0 from generate_series(1, 1000) n"""


class _TrialOver(Exception):
    """Raised when the trial passed, so that it is rolled back."""


async def trial(db: Db, process: str) -> None:
    """Try the writes of a decision and roll them back. Raises DbError if they fail."""
    try:
        async with db.transaction() as tx:
            await _try(tx, process)
    except _TrialOver:
        return


async def _try(tx: Tx, process: str) -> None:
    await tx.execute(_TRIAL)
    await tx.execute(_PAGES, process)
    raise _TrialOver


async def lacking(db: Db) -> str | None:
    """Return a sentence with the privileges that must be granted to this role; None if none is missing."""
    row = await db.fetchrow(_TABLES)
    if row is None or not row["lacking"]:
        return None
    role, place = row["role"], row["place"]
    return (
        f"role {role} lacks rights in schema {place} ({row['lacking'][:200]}): as their owner, grant select, insert, update, "
        f"delete on all tables in schema {place} to {role}; grant usage, select, update on all sequences in schema {place} "
        f"to {role}"
    )


async def broken_promises(db: Db) -> list[str]:
    """Return a sentence for each server setting that could lose a committed transaction."""
    row = await db.fetchrow(_PROMISES)
    assert row is not None
    wrong = [f"{name} is off: a loss of power can lose or spoil what was committed; set it to on" for name in
        ("fsync", "full_page_writes") if row[name] != "on"]  # fmt: skip
    if row["synchronous_commit"] not in ("on", "remote_apply"):
        wrong.append(f"synchronous_commit is {row['synchronous_commit']} in our sessions, and should be on")
    if row["isolation"] != "read committed":
        wrong.append(f"transactions are {row['isolation']} in our sessions, and should be read committed")
    if row["lock_timeout"] == "0":
        wrong.append("lock_timeout is not in force in our sessions: something between us and PostgreSQL drops settings")
    return wrong


async def collation_moved(db: Db) -> str | None:
    """Return a sentence if the sort order of text may have changed under the indexes (a new libc or ICU), else None."""
    if not await db.fetchval(_HAS_VERSION, "datcollversion"):
        return None
    row = await db.fetchrow(_VERSION)
    if row is None or row["noted"] is None or row["noted"] == row["actual"]:
        return None
    return (
        f"the database's collation {row['datcollate']} was version {row['noted']} and is {row['actual']} now: reindex it "
        "(`reindex database`), then `alter database ... refresh collation version`"
    )
