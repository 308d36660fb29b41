"""Why a command does not do what it was asked, and the code and sentence of each error that a command may meet.

Owns: the errors of commands, and both tables for everything below this layer. Never: a status of HTTP (problems) or an exit
code. Spec: operate.md 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from croupier.core.bet_requests import CannotDo
from croupier.core.jackpot import BadPot
from croupier.core.money import UnknownCurrency
from croupier.flows.advance import Contended
from croupier.flows.cashback import CashbackRefused
from croupier.flows.launch import LaunchRefused
from croupier.kit.key_file import KeyFileRefused
from croupier.kit.log import scrub_text
from croupier.kit.seal import SealBroken
from croupier.kit.wire import PeerError
from croupier.store.db import DbConflict, DbDown, DbUnfit
from croupier.store.money.group_commit import Broken
from croupier.store.money.jackpots import PotNameTaken
from croupier.store.oversight.accounts import AccountNameTaken
from croupier.store.parties import profiles
from croupier.store.parties.counterparties import CounterpartyUnknown, NameAmbiguous, NameTaken, Undecided
from croupier.store.parties.games import GameAmbiguous
from croupier.store.parties.keys import KeyInUse, KeyUnknown
from croupier.store.parties.listings import DiffUnknown
from croupier.store.parties.players import CurrencyDiffers
from croupier.views.subjects import SeveralFound, SubjectAmbiguous


class CommandError(Exception):
    """A command cannot do its work. The text says why and what to do."""


class NotFound(CommandError):
    """What the command is about does not exist, or is not the person's to see."""


class NotAllowed(CommandError):
    """The person's role or scope does not allow the command."""


class NotSignedIn(CommandError):
    """Nobody knows who asks."""


class BadParameter(CommandError):
    """A parameter cannot be read, or does not go with another one. `problem` follows the parameter's name."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field} {problem}")
        self.field = field
        self.problem = problem


SAY_IT_THEMSELVES = (
    CommandError,
    profiles.BadProfile,
    NameTaken,
    AccountNameTaken,
    CounterpartyUnknown,
    CurrencyDiffers,
    DiffUnknown,
    GameAmbiguous,
    NameAmbiguous,
    SeveralFound,
    SubjectAmbiguous,
    KeyInUse,
    KeyUnknown,
    Undecided,
    LaunchRefused,
    CashbackRefused,
    CannotDo,
    BadPot,
    PotNameTaken,
    KeyFileRefused,
)

IN_OUR_WORDS: tuple[tuple[type[Exception], Callable[[Any], str]], ...] = (
    (DbUnfit, lambda e: f"the database cannot do its work: {e}{_what_to_check(str(e))}"),
    (DbDown, lambda e: f"the database is away ({e}): see that it runs, and that CROUPIER_DATABASE_URL names it"),
    (UnknownCurrency, lambda e: f"{e}: {e.todo}"),
    (DbConflict, lambda _: "the database was busy with the same rows: run the command again"),
    (Contended, lambda _: "other processes keep changing it at this moment: run the command again"),
    (Broken, lambda e: f"nothing was changed, because the books would not balance ({e}): see `croupier incidents`"),
    (SealBroken, lambda e: f"the key file does not open {e}: put the file back that it was sealed with"),
    (PeerError, lambda e: f"the peer did not answer correctly ({e}): check its address, and that it runs"),
)

USAGE = "usage"
BUG = "bug"
CODES: tuple[tuple[str, tuple[type[Exception], ...]], ...] = (
    (USAGE, (BadParameter,)),
    ("not_found", (NotFound, CounterpartyUnknown, DiffUnknown, KeyUnknown)),
    ("not_allowed", (NotAllowed,)),
    ("not_signed_in", (NotSignedIn,)),
    ("ambiguous", (NameAmbiguous, GameAmbiguous, SubjectAmbiguous, SeveralFound)),
    ("name_taken", (NameTaken, PotNameTaken, AccountNameTaken)),
    ("key", (KeyFileRefused, SealBroken)),
    ("busy", (DbConflict, Contended)),
    ("database", (DbUnfit, DbDown)),
    ("books", (Broken,)),
    ("peer", (PeerError,)),
    ("refused", SAY_IT_THEMSELVES),
    ("refused", (UnknownCurrency,)),
)


def code_of(error: Exception) -> str:
    """Return the code of this error, for programs."""
    return next((code for code, kinds in CODES if isinstance(error, kinds)), BUG)


def sentence(error: Exception) -> str | None:
    """Return the message of this error; None for one that no command should meet."""
    if isinstance(error, SAY_IT_THEMSELVES):
        return scrub_text(str(error))
    return next((scrub_text(words(error)) for kind, words in IN_OUR_WORDS if isinstance(error, kind)), None)


def _what_to_check(refusal: str) -> str:
    """Return advice for a database that refused the login."""
    login = any(words in refusal for words in ("authentication failed", "does not exist", "not permitted to log in"))
    return ": check user, password and database in CROUPIER_DATABASE_URL" if login else ""
