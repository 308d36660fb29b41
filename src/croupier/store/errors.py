"""What the database may answer instead of rows: a closed list, and the driver's errors put into it.

Owns: that list, and which error leaves its connection unusable. Never: what is done about one. An error that is on no
list is a bug and keeps the driver's name.
"""

from __future__ import annotations

from typing import Final

import asyncpg


class DbError(Exception):
    """What the database may answer instead of rows. Exactly those below; anything else is a bug."""


class DbDown(DbError):
    """The database cannot be reached or the connection was lost: it is not known whether the statement took effect."""


class DbUnfit(DbDown):
    """The database answers that it cannot do its work (read-only, full, forbidden, another password): nothing was written."""


class DbConflict(DbError):
    """Another transaction was in the way (serialization, deadlock, lock): nothing was written, try the whole again."""


class DbLocked(DbConflict):
    """Somebody else holds a row for longer than anybody here waits for one: nothing was written."""


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
    # Whoever stands between us and PostgreSQL and hands one session to several of us does not keep our statements.
    asyncpg.DuplicatePreparedStatementError,
    asyncpg.InvalidSQLStatementNameError,
    asyncpg.exceptions.TargetServerAttributeNotMatched,
)
_DOWN: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # What the driver says of a statement on a connection whose end PostgreSQL has announced and that still stands.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.StatementCompletionUnknownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
_CONFLICT: Final = (asyncpg.TransactionRollbackError, asyncpg.exceptions.InvalidCachedStatementError)
_STAYS: Final = (asyncpg.QueryCanceledError, asyncpg.InsufficientPrivilegeError)
"""What says nothing against the connection it came by, though the work is not done."""


def in_our_words(error: BaseException) -> DbError | None:
    """Our name for a driver's error, or None for one that is a bug (or no error of the database at all)."""
    words = str(error) or (
        "a statement outlasted its limit" if isinstance(error, TimeoutError) else type(error).__name__
    )
    if isinstance(error, DbError):
        return error
    if isinstance(error, asyncpg.IntegrityConstraintViolationError | asyncpg.RaiseError):
        return DbViolation(words, error.constraint_name or "")
    if isinstance(error, asyncpg.LockNotAvailableError):
        return DbLocked(words)
    for kinds, ours in ((_UNFIT, DbUnfit), (_DOWN, DbDown), (_CONFLICT, DbConflict)):
        if isinstance(error, kinds):
            return ours(words)
    return None


def spoils(error: BaseException) -> bool:
    """Whether the connection that this came by must not be used again: it is lost, late, or of the wrong sort."""
    if not isinstance(error, Exception):
        return True
    return isinstance(error, (*_UNFIT, *_DOWN)) and not isinstance(error, _STAYS)
