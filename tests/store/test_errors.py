"""The driver's errors become those of a closed list, in words that a person can act on."""

from __future__ import annotations

import errno
import os

import asyncpg
import pytest

from croupier.store.db import Db
from croupier.store.errors import DbConflict, DbDown, DbError, DbLocked, DbUnfit, DbViolation, in_our_words


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (
            OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED)),
            DbDown,
            "nothing listens at this address; check",
        ),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed"), DbDown, "nothing listens at this address"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), DbDown, "there is no such file"),
        (TimeoutError(), DbDown, "a statement outlasted its limit; see what else"),
        (
            asyncpg.InterfaceError("cannot perform operation: connection is closed"),
            DbDown,
            "was lost; see PostgreSQL's",
        ),
        (asyncpg.InternalClientError("got result for unknown protocol state 3"), DbDown, "was lost; see PostgreSQL's"),
        (asyncpg.ConnectionDoesNotExistError("connection was closed in the middle"), DbDown, "was lost; see"),
        (asyncpg.exceptions.ClientConfigurationError("invalid DSN"), DbDown, "(invalid DSN); correct it"),
        (asyncpg.exceptions.TargetServerAttributeNotMatched("None"), DbUnfit, "check target_session_attrs"),
        (asyncpg.DiskFullError("could not extend file"), DbUnfit, "could not extend file"),
        (asyncpg.InvalidPasswordError(""), DbUnfit, "see its log for why"),
        (asyncpg.LockNotAvailableError("canceling statement due to lock timeout"), DbLocked, "lock timeout"),
        (asyncpg.DeadlockDetectedError("deadlock detected"), DbConflict, "deadlock"),
        (asyncpg.RaiseError("a ledger entry is never changed"), DbViolation, "a ledger entry is never changed"),
    ],
)
def test_each_has_its_kind_and_its_words(error: Exception, kind: type[DbError], says: str) -> None:
    ours = in_our_words(error)
    assert type(ours) is kind
    assert says in str(ours)
    assert not any(raw in str(ours) for raw in ("Errno", "Error", "protocol state", "cannot perform operation"))


def test_a_bug_is_not_renamed() -> None:
    assert in_our_words(KeyError("x")) is None
    assert in_our_words(asyncpg.UndefinedTableError("relation x")) is None
    own = DbDown("own words")
    assert in_our_words(own) is own


async def test_a_database_where_nothing_listens_says_so() -> None:
    with pytest.raises(DbDown, match="cannot connect to the database: nothing listens at this address; check host"):
        await Db.connect("postgresql://hub@127.0.0.1:1/hub")


async def test_an_address_that_cannot_be_read_says_so() -> None:
    with pytest.raises(DbDown, match="cannot connect to the database") as problem:
        await Db.connect("postgresql://hub@127.0.0.1:1/hub?sslmode=maybe")
    assert "Error" not in str(problem.value)
