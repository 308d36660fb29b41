"""Permission to change the schema: reading a production database must never upgrade it.

Owns: what each kind of program may do to a database that is empty, or older than the program. Never: a migration itself
(store.migrate). `croupier migrate` is always allowed. Spec: operate.md 7.
"""

from __future__ import annotations

from enum import Enum

from croupier.kit.config import Settings
from croupier.store.db import Db
from croupier.store.migrate import MigrationError, is_empty, migrate, pending, set_up

_MOST_NAMES = 3


class Aim(Enum):
    """The purpose for which a program opens the database."""

    LOOK = "look"
    """Read only: it creates no home, no key and no table."""
    CHANGE = "change"
    """A worker, or a command about existing data: it creates no home and no table."""
    MAKE = "make"
    """A command that may be the first one: it sets up an empty embedded home, and nothing else."""
    SERVE = "serve"
    """The hub itself at its start: as far as CROUPIER_MIGRATE_ON_SERVE allows."""


async def make_ready(db: Db, settings: Settings, aim: Aim) -> None:
    """Bring the database to the current schema if the program may; raises MigrationError with the remedy."""
    if not await pending(db):
        return
    if _may_set_up(settings, aim):
        await set_up(db, limit_s=settings.db_migration_s)
    if _may_upgrade(settings, aim):
        await migrate(db, limit_s=settings.db_migration_s)
    missing = await pending(db)
    if missing:
        raise MigrationError(what_to_do(settings, missing, empty=await is_empty(db)))


def what_to_do(settings: Settings, missing: list[str], *, empty: bool) -> str:
    """Return why this database cannot be used yet, and the command that changes it."""
    where = "the embedded one of this home" if settings.database_url is None else "the one of CROUPIER_DATABASE_URL"
    if empty:
        return f"the database ({where}) has no tables yet: `croupier migrate` makes them"
    more = len(missing) - _MOST_NAMES
    names = ", ".join(missing[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
    also = " (`croupier serve` does it too)" if _may_upgrade(settings, Aim.SERVE) else ""
    return (
        f"the database ({where}) is older than this program, it lacks {names}: make a backup, then run "
        f"`croupier migrate`{also}"
    )


def _may_set_up(settings: Settings, aim: Aim) -> bool:
    """Return whether an empty database may be set up."""
    if settings.database_url is None:
        return aim in (Aim.MAKE, Aim.SERVE)
    return aim is Aim.SERVE and settings.migrate_on_serve is not False


def _may_upgrade(settings: Settings, aim: Aim) -> bool:
    """Return whether a database with tables may be upgraded."""
    told = settings.migrate_on_serve
    return aim is Aim.SERVE and (settings.database_url is None if told is None else told)
