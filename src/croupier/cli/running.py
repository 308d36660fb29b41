"""Access of a command to the hub: settings, logs and database, which are closed at its end.

Owns: this access, and the options that several commands share. Never: calls to peers: a command decides and commits,
and the serving hub sends the calls. Spec: operate.md 7.
"""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, TypeVar, cast

import typer

from croupier.admin_api.command import Command, Params
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import BadParameter, CommandError
from croupier.admin_api.words import for_the_books
from croupier.apps.schema import Aim
from croupier.apps.wiring import open_db, open_hub
from croupier.cli.remote import ask_over_http
from croupier.cli.show import note
from croupier.cli.signed_in import signed_in
from croupier.core.account import Role
from croupier.flows.hub import Hub
from croupier.kit.config import Settings, load
from croupier.kit.log import configure
from croupier.kit.names import problem_of
from croupier.store.db import Db
from croupier.store.parties.switchings import acting
from croupier.store.processes import Processes

T = TypeVar("T")
P = TypeVar("P", bound=Params)
R = TypeVar("R")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value on standard output, and nothing else.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print comma-separated values, with a line of names first.")]
WAITS_FOR_A_PERSON = 3
"""The exit code of a list that is done and shows something open that needs a person."""


def _reason(words: str) -> str:
    """Return a reason without its outer white space. Raises typer.BadParameter."""
    try:
        return for_the_books(words)
    except BadParameter as wrong:
        raise typer.BadParameter(wrong.problem) from None


def _name_for_the_books(name: str) -> str:
    """Return the author's name. Raises typer.BadParameter if it could be mistaken for another name."""
    problem = problem_of(name)
    if problem is not None:
        raise typer.BadParameter(problem)
    return name


def said_for_the_books(words: str | None) -> str | None:
    """Return an optional reason, as `_reason` does."""
    return None if words is None else _reason(words)


Reason = Annotated[str, typer.Option("--reason", callback=_reason, help="The reason, which is stored with your name.")]


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


def ask(
    asked: Command[P, R], params: P, *, author: str | None = None, may_make: bool = False, waits: str | None = None
) -> R:
    """Carry out a command here, or at the hub of CROUPIER_HUB_URL, and return its result.

    `author` is the name for the books, by default the user's. `may_make` and `waits` as of `with_hub`.
    """
    params.check()
    loaded = settings()
    if loaded.hub_url is not None:
        if author not in (None, who()):
            raise BadParameter("author", "is your account at the hub of CROUPIER_HUB_URL: leave it out")
        return cast("R", ask_over_http(loaded, asked, params))

    async def work(hub: Hub, _: Settings) -> R:
        name = author if asked.reads else await author_of(hub, loaded, author or who(), needed=asked.role)
        desk = desk_of(hub, loaded, name)
        with acting(desk.author, getattr(params, "reason", None)):
            return await asked.run(desk, params)

    return with_look(work) if asked.reads else with_hub(work, may_make=may_make, waits=waits)


async def author_of(hub: Hub, loaded: Settings, given: str, *, needed: Role) -> str:
    """Return the name for the books: that of the account whose token is set, otherwise the given one.

    Raises BadParameter, NotSignedIn, NotAllowed.
    """
    if loaded.token is None:
        return given
    account = await signed_in(hub, loaded, needed)
    if given not in (who(), account.name):
        raise BadParameter("author", "is your account while CROUPIER_TOKEN is set: leave it out")
    return account.name


def desk_of(hub: Hub, loaded: Settings, author: str | None = None) -> Desk:
    """Return the desk of the person at this machine, who sees everything. `author` as of `ask`."""
    return Desk(hub, loaded, author or who(), partial(signed_in, hub, loaded))


def with_hub(work: Callable[[Hub, Settings], Awaitable[T]], *, may_make: bool = False, waits: str | None = None) -> T:
    """Run the work with a hub that decides and leaves the calls to the serving hub.

    With `may_make` the command may create an embedded home. `waits` names the part of the work that a serving hub
    does; if none serves, a note says that it waits.
    """
    loaded = _here()

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
    loaded = _here()

    async def run() -> T:
        async with open_hub(loaded, aim=Aim.LOOK) as hub:
            return await work(hub, loaded)

    return asyncio.run(run())


def with_db(work: Callable[[Db], Awaitable[T]], *, may_make: bool = False) -> T:
    """Run the work with the database, without any migration. With `may_make` an embedded home may be created."""
    loaded = _here()

    async def run() -> T:
        async with open_db(loaded, may_make=may_make) as db:
            return await work(db)

    return asyncio.run(run())


def of_what(loaded: Settings) -> str:
    """Return a short name of the hub of these settings."""
    return str(loaded.home.absolute()) if loaded.database_url is None else "the database of CROUPIER_DATABASE_URL"


def _here() -> Settings:
    """Return the settings of a command that works on this machine, and log only warnings. Raises BadSettings, CommandError."""
    loaded = settings()
    if loaded.hub_url is not None:
        raise CommandError("this command works only on the machine of the hub: unset CROUPIER_HUB_URL")
    level = loaded.log_level if loaded.log_level in ("debug", "error") else "warning"
    configure(level, as_json=loaded.log_json)
    return loaded
