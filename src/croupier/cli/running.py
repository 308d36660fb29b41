"""Access of a command to the hub: settings, logs and database, which are closed at its end.

Owns: this access, and the options that several commands share. Never: calls to peers: a command decides and commits,
and the serving hub sends the calls. Spec: operate.md 7.
"""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from croupier.apps.schema import Aim
from croupier.apps.wiring import open_db, open_hub
from croupier.cli.show import note
from croupier.flows.hub import Hub
from croupier.kit.config import Settings, load
from croupier.kit.log import configure
from croupier.kit.names import problem_of, unreadable
from croupier.store.db import Db
from croupier.store.parties.switchings import acting
from croupier.store.processes import Processes

T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value on standard output, and nothing else.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print comma-separated values, with a line of names first.")]
LONGEST_WORDS = 500
WAITS_FOR_A_PERSON = 3
"""The exit code of a list that is done and shows something open that needs a person."""


def _for_the_books(words: str) -> str:
    """Return a reason without its outer white space. Raises BadParameter if it is empty, too long or unreadable."""
    said = words.strip()
    if not 1 <= len(said) <= LONGEST_WORDS or unreadable(said):
        raise typer.BadParameter(f"must be 1 to {LONGEST_WORDS} characters on one line, and say something")
    return said


def _name_for_the_books(name: str) -> str:
    """Return the author's name. Raises BadParameter if it could be mistaken for another name."""
    problem = problem_of(name)
    if problem is not None:
        raise typer.BadParameter(problem)
    return name


def said_for_the_books(words: str | None) -> str | None:
    """Return an optional reason, as `_for_the_books` does."""
    return None if words is None else _for_the_books(words)


Reason = Annotated[
    str, typer.Option("--reason", callback=_for_the_books, help="The reason, which is stored with your name.")
]


def who() -> str:
    """Return the name of the current user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return f"uid {os.getuid()}"


Author = Annotated[
    str,
    typer.Option(
        "--author",
        callback=_name_for_the_books,
        default_factory=who,
        show_default="your user name",
        help="The person who decides this.",
    ),
]


def settings() -> Settings:
    """Return the settings of the environment. Raises BadSettings."""
    return load(os.environ)


def with_hub(work: Callable[[Hub, Settings], Awaitable[T]], *, may_make: bool = False, waits: str | None = None) -> T:
    """Run the work with a hub that decides and leaves the calls to the serving hub.

    With `may_make` the command may create an embedded home. `waits` names the part of the work that a serving hub
    does; if none serves, a note says that it waits.
    """
    loaded = settings()
    _quiet(loaded)

    async def run() -> T:
        async with open_hub(loaded, aim=Aim.MAKE if may_make else Aim.CHANGE) as hub:
            done = await work(hub, loaded)
            if waits is not None and done is not None and not await Processes(hub.store.db, hub.clock).serving():
                note(f"No hub serves {of_what(loaded)}: {waits} until `croupier serve` runs.")
            return done

    with acting(who()):
        return asyncio.run(run())


def with_look(work: Callable[[Hub, Settings], Awaitable[T]]) -> T:
    """Run work that only reads. It never creates a hub; if there is none, the error names the place."""
    loaded = settings()
    _quiet(loaded)

    async def run() -> T:
        async with open_hub(loaded, aim=Aim.LOOK) as hub:
            return await work(hub, loaded)

    return asyncio.run(run())


def with_db(work: Callable[[Db], Awaitable[T]], *, may_make: bool = False) -> T:
    """Run the work with the database, without any migration. With `may_make` an embedded home may be created."""
    loaded = settings()
    _quiet(loaded)

    async def run() -> T:
        async with open_db(loaded, may_make=may_make) as db:
            return await work(db)

    return asyncio.run(run())


def of_what(loaded: Settings) -> str:
    """Return a short name of the hub of these settings."""
    return str(loaded.home.absolute()) if loaded.database_url is None else "the database of CROUPIER_DATABASE_URL"


def _quiet(loaded: Settings) -> None:
    """Log only warnings, unless the settings ask for more."""
    level = loaded.log_level if loaded.log_level in ("debug", "error") else "warning"
    configure(level, as_json=loaded.log_json)
