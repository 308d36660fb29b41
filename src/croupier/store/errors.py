"""The errors of the database: a closed list, to which the driver's errors are mapped.

Owns: that list, and which error leaves its connection unusable. Never: the handling of one. An error outside the list
is a bug and keeps the driver's name.
"""

from __future__ import annotations

from typing import Final

import asyncpg

from croupier.kit.os_words import os_words


class DbError(Exception):
    """An error of the database. Its subclasses below are the whole list; any other error is a bug."""


class DbDown(DbError):
    """The database cannot be reached or the connection was lost: it is not known whether the statement took effect."""


class DbUnfit(DbDown):
    """The database answers that it cannot do its work (read-only, full, forbidden, another password): nothing was written."""


class DbConflict(DbError):
    """A conflict with another transaction (serialization, deadlock, lock): nothing was written, retry the whole."""


class DbLocked(DbConflict):
    """Another session holds a row for longer than the lock timeout: nothing was written."""


class DbViolation(DbError):
    """The database refused: an invariant would not have held. `constraint` is its name, or empty for a trigger."""

    def __init__(self, message: str, constraint: str) -> None:
        super().__init__(message)
        self.constraint = constraint


_UNFIT: Final = (
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.UntranslatableCharacterError,
    asyncpg.CharacterNotInRepertoireError,
    asyncpg.DataCorruptedError,
    asyncpg.IndexCorruptedError,
    # A pooler that shares one session among several clients loses prepared statements.
    asyncpg.DuplicatePreparedStatementError,
    asyncpg.InvalidSQLStatementNameError,
    asyncpg.exceptions.TargetServerAttributeNotMatched,
)
_DOWN: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # The driver's message for a statement on an open connection whose end PostgreSQL has announced.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.StatementCompletionUnknownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
_CONFLICT: Final = (asyncpg.TransactionRollbackError, asyncpg.exceptions.InvalidCachedStatementError)
_STAYS: Final = (asyncpg.QueryCanceledError, asyncpg.InsufficientPrivilegeError)
"""Errors that leave the connection usable, though the work is not done."""


def in_our_words(error: BaseException) -> DbError | None:
    """Return the error of this list for a driver's error; None for a bug or an error that is not the database's."""
    if isinstance(error, DbError):
        return error
    words = _words(error)
    if isinstance(error, asyncpg.IntegrityConstraintViolationError | asyncpg.RaiseError):
        return DbViolation(words, error.constraint_name or "")
    if isinstance(error, asyncpg.LockNotAvailableError):
        return DbLocked(words)
    for kinds, ours in ((_UNFIT, DbUnfit), (_DOWN, DbDown), (_CONFLICT, DbConflict)):
        if isinstance(error, kinds):
            return ours(words)
    return None


def _words(error: BaseException) -> str:
    """Return cause and remedy of what the driver or the system found, and the text of what PostgreSQL answered."""
    if isinstance(error, TimeoutError):
        return "a statement outlasted its limit; see what else keeps the database busy"
    if isinstance(error, OSError):
        return os_words(error)
    if isinstance(error, asyncpg.exceptions.TargetServerAttributeNotMatched):
        return "no server of the address has the wanted role; check target_session_attrs in CROUPIER_DATABASE_URL"
    if isinstance(error, asyncpg.exceptions.ClientConfigurationError):
        return f"the database's address cannot be used ({error}); correct it"
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError | asyncpg.ConnectionDoesNotExistError):
        return "the connection to the database was lost; see PostgreSQL's log for why"
    # PostgreSQL's own sentence says what it refused, in the words of its manual.
    return str(error) or "PostgreSQL refused the statement; see its log for why"


def spoils(error: BaseException) -> bool:
    """Return whether the connection must not be used after this error: it is lost, late, or unfit."""
    if not isinstance(error, Exception):
        return True
    return isinstance(error, (*_UNFIT, *_DOWN)) and not isinstance(error, _STAYS)
