"""store.fitness and store.pool: what is refused, and by which words; whose sessions are kept."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from croupier.store.db import Db, DbDown, DbUnfit, Limits, patience
from croupier.store.embedded.server import Attached
from croupier.store.fitness import broken_promises, collation_moved, lacking, trial
from croupier.store.migrate import MigrationError, migrate


@asynccontextmanager
async def database(postgres: Attached, name: str, how: str = "") -> AsyncIterator[dict[str, Any]]:
    """One more database, gone at the end."""
    name = f"{name}_{os.getpid()}"
    admin = await asyncpg.connect(**{**postgres.connect_kwargs, "database": "postgres"})
    await admin.execute(f"create database {name} {how}")
    try:
        yield {**postgres.connect_kwargs, "database": name}
    finally:
        await admin.execute(f"drop database {name} with (force)")
        await admin.close()


@asynccontextmanager
async def role(db: Db, postgres: Attached) -> AsyncIterator[dict[str, Any]]:
    """A role that owns nothing, and how it connects to this database."""
    name = f"guest_{os.getpid()}"
    await db.execute(f"create role {name} login password 'open'")
    try:
        yield {
            **postgres.connect_kwargs,
            "user": name,
            "password": "open",
            "database": await db.fetchval("select current_database()"),
        }
    finally:
        await db.execute(f"drop owned by {name}")
        await db.execute(f"drop role {name}")


async def test_a_database_that_cannot_hold_every_text_is_refused_with_what_to_do(postgres: Attached) -> None:
    async with database(postgres, "latin", "encoding 'LATIN1' template template0 locale 'C'") as where:
        with pytest.raises(DbUnfit, match="LATIN1.*create database .* encoding 'UTF8'"):
            await Db.connect(where)


async def test_a_database_that_lets_nobody_write_is_refused_and_heals(postgres: Attached, database_url: str) -> None:
    """After a failover: sessions from the time when it was read-only are not kept."""
    db = await Db.connect(database_url, limits=Limits(statement_s=2.0))
    name = await db.fetchval("select current_database()")
    await db.execute(f"alter database {name} set default_transaction_read_only = on")
    admin = await asyncpg.connect(**{**postgres.connect_kwargs, "database": "postgres"})
    hang_up = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1"
    await admin.fetch(hang_up, name)
    for _ in range(3):
        for work in (db.alive(), db.fetchval("select 1"), db.batch_fetch("select 1")):
            with pytest.raises(DbDown):
                await work
    with pytest.raises(DbUnfit, match="standby, or set to read-only"):
        await Db.connect(database_url)
    await admin.execute(f"alter database {name} reset default_transaction_read_only")
    await db.alive()
    assert await db.fetchval("select 1") == 1
    assert await db.execute("create table written (id bigint)") == 0
    await db.execute("drop table written")
    await admin.close()
    await db.close()


async def test_a_session_that_turns_read_only_is_given_up(database_url: str) -> None:
    db = await Db.connect(database_url, size=1)
    await db.execute("set default_transaction_read_only = on")
    with pytest.raises(DbUnfit):
        await db.execute("create table written (id bigint)")
    assert await db.execute("create table written (id bigint)") == 0
    await db.execute("drop table written")
    await db.close()


async def test_a_password_that_was_changed_is_no_bug(db: Db, postgres: Attached) -> None:
    """28000, 28P01, 3D000: whoever may not come in is told so in our words."""
    async with role(db, postgres) as where:
        guest = await Db.connect(where)
        await db.execute(f"alter role {where['user']} nologin")
        await db.fetch("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = $1", where["user"])
        for _ in range(2):
            with pytest.raises(DbDown):
                await guest.fetchval("select 1")
        with pytest.raises(DbUnfit, match="not permitted to log in"):
            await guest.alive()
        with pytest.raises(DbUnfit):
            await Db.connect(where)
        await db.execute(f"alter role {where['user']} login")
        assert await guest.fetchval("select 1") == 1
        await db.execute(f"alter role {where['user']} password 'rotated'")
        with pytest.raises(DbUnfit, match="password authentication failed"):
            await Db.connect(where)
        await (await Db.connect({**where, "password": "rotated"})).close()
        await guest.close()
    with pytest.raises(DbUnfit, match="does not exist"):
        await Db.connect({**postgres.connect_kwargs, "database": "nowhere"})


async def test_a_right_that_lacks_is_named_with_what_to_grant(db: Db, postgres: Attached) -> None:
    assert await lacking(db) is None
    async with role(db, postgres) as where:
        name = where["user"]
        guest = await Db.connect(where)
        told = await lacking(guest)
        assert told is not None
        assert "accounts, " in told
        grants = told.partition("as their owner, ")[2]
        with pytest.raises(DbUnfit, match="permission denied"):
            await trial(guest, "p")
        for grant in grants.split("; "):
            await db.execute(grant)
        assert await lacking(guest) is None
        await trial(guest, "p")
        await db.execute(f"revoke insert on bets from {name}")
        with pytest.raises(DbUnfit, match="permission denied for table bets"):
            await trial(guest, "p")
        await guest.close()
    assert await db.fetchval("select count(*) from turns") == 0


async def test_a_migration_by_a_role_that_owns_nothing_says_what_to_do(
    db: Db, postgres: Attached, tmp_path: Path
) -> None:
    (tmp_path / "0001_more.sql").write_text("alter table games add column more text")
    async with role(db, postgres) as where:
        guest = await Db.connect(where)
        await db.execute(f"grant all on all tables in schema public to {where['user']}")
        await db.execute("alter table schema_migrations rename to put_aside")
        with pytest.raises(
            MigrationError, match="croupier migrate` as croupier, or `reassign owned by croupier to guest"
        ):
            await migrate(guest, tmp_path)
        await db.execute("alter table put_aside rename to schema_migrations")
        await guest.close()


async def test_settings_hold_in_every_session_whatever_the_database_has_for_defaults(
    postgres: Attached, database_url: str
) -> None:
    admin = await asyncpg.connect(database_url)
    name = await admin.fetchval("select current_database()")
    weak = {
        "synchronous_commit": "off", "default_transaction_isolation": "serializable", "lock_timeout": "0",
        "statement_timeout": "700ms", "idle_session_timeout": "1s", "client_connection_check_interval": "0",
    }  # fmt: skip
    for setting, value in weak.items():
        await admin.execute(f"alter database {name} set {setting} = '{value}'")
    try:
        db = await Db.connect(database_url, limits=Limits(pinned_s=2.0, lock_s=0.25))
        asked = "select name, setting from pg_settings where name = any($1)"
        general = {row["name"]: row["setting"] for row in await db.fetch(asked, list(weak))}
        lines = {row["name"]: row["setting"] for row in await db.batch_fetch(asked, list(weak))}
        for found in (general, lines):
            assert found["synchronous_commit"] == "on"
            assert found["default_transaction_isolation"] == "read committed"
            assert found["idle_session_timeout"] == "0"
            assert found["client_connection_check_interval"] == "1000"
        assert (lines["lock_timeout"], lines["statement_timeout"]) == ("250", "2000")
        assert int(general["lock_timeout"]) > 250
        assert await broken_promises(db) == []
        await db.close()
    finally:
        for setting in weak:
            await admin.execute(f"alter database {name} reset {setting}")
        await admin.close()


async def test_a_stronger_promise_of_the_server_is_kept(database_url: str) -> None:
    admin = await asyncpg.connect(database_url)
    name = await admin.fetchval("select current_database()")
    await admin.execute(f"alter database {name} set synchronous_commit = remote_apply")
    db = await Db.connect(database_url)
    assert await db.fetchval("show synchronous_commit") == "remote_apply"
    await db.close()
    await admin.execute(f"alter database {name} reset synchronous_commit")
    await admin.close()


@pytest.mark.slow
async def test_a_report_may_take_longer_than_a_payment(database_url: str) -> None:
    db = await Db.connect(database_url, limits=Limits(statement_s=0.3, pinned_s=0.3))
    with pytest.raises(DbDown):
        await db.fetchval("select pg_sleep(0.6)")
    with patience(5.0):
        await db.fetchval("select pg_sleep(0.6)")
        with pytest.raises(DbDown):
            await db.batch_fetch("select pg_sleep(0.6)")
    await db.close()


async def test_every_text_key_is_compared_by_its_bytes(db: Db) -> None:
    """A text key of a new table says `collate "C"`, or a new libc may order it anew under its unique index."""
    found = await db.fetch(
        "select distinct c.relname || '.' || a.attname as key from pg_index i join pg_class c on c.oid = i.indrelid"
        " join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey::smallint[])"
        " where c.relnamespace = current_schema()::regnamespace and i.indisunique and a.atttypid = 'text'::regtype"
        " and a.attcollation <> '\"C\"'::regcollation and c.relname <> 'schema_migrations' and c.relname || a.attname <> 'callsslot'"
    )
    assert [row["key"] for row in found] == []
    assert await collation_moved(db) is None


POOLER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@asynccontextmanager
async def pooler(postgres: Attached, url: str, folder: Path, mode: str) -> AsyncIterator[str]:
    """PgBouncer in front of this database."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    name = url.partition("@/")[2].partition("?")[0]
    folder.chmod(0o777)
    (folder / "users").write_text(f'"{postgres.user}" ""\n')
    (folder / "ini").write_text(
        f"[databases]\n{name} = host={postgres.host} port={postgres.port} dbname={name} user={postgres.user}"
        f" password={postgres.connect_kwargs.get('password', '')}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"auth_file = {folder}/users\npool_mode = {mode}\nlogfile = {folder}/log\n"
    )
    user = ["-u", Path(postgres.host).owner()] if os.getuid() == 0 else []
    words = [POOLER or "", "-q", *user, str(folder / "ini")]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)  # noqa: ASYNC220 - it is started, not waited for
    try:
        patience_s = time.monotonic() + 10
        while time.monotonic() < patience_s:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                await asyncio.sleep(0.05)
        yield f"postgresql://{postgres.user}@127.0.0.1:{port}/{name}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.skipif(POOLER is None, reason="there is no PgBouncer on this machine")
async def test_a_pooler_that_shares_sessions_is_refused_and_one_that_does_not_works(
    postgres: Attached, database_url: str, tmp_path: Path
) -> None:
    for parent in tmp_path.parents[:3]:
        parent.chmod(0o755)
    (tmp_path / "t").mkdir()
    (tmp_path / "s").mkdir()
    tmp_path.chmod(0o755)
    async with pooler(postgres, database_url, tmp_path / "t", "transaction") as url:
        with pytest.raises(DbUnfit, match="a pooler stands in front"):
            await Db.connect(url)
    async with pooler(postgres, database_url, tmp_path / "s", "session") as url:
        db = await Db.connect(url)
        assert (await db.batch_fetch("show enable_seqscan"))[0][0] == "off"
        await db.close()
