"""The message of each error: one sentence that says what went wrong and what to do.

Owns: text and code for each error that a command may meet. Never: a traceback, or a secret. Spec: operate.md 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from croupier.apps.backup import BackupRefused
from croupier.apps.world import WorldFailed
from croupier.core.bet_requests import CannotDo
from croupier.core.jackpot import BadPot
from croupier.core.money import UnknownCurrency
from croupier.flows.advance import Contended
from croupier.flows.cashback import CashbackRefused
from croupier.flows.launch import LaunchRefused
from croupier.kit import config
from croupier.kit.age_file import BadBackupKey
from croupier.kit.log import scrub_text
from croupier.kit.seal import KeyFileRefused, SealBroken
from croupier.kit.wire import PeerError
from croupier.sandbox.draws.draw_journal import JournalBroken
from croupier.store.db import DbConflict, DbDown, DbUnfit
from croupier.store.embedded.server import EmbeddedError
from croupier.store.migrate import MigrationError
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
    """What the command is about does not exist."""


_SAY_IT_THEMSELVES = (
    CommandError,
    config.BadSettings,
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
    EmbeddedError,
    MigrationError,
    KeyFileRefused,
    JournalBroken,
    BackupRefused,
    BadBackupKey,
)

_IN_OUR_WORDS: tuple[tuple[type[Exception], Callable[[Any], str]], ...] = (
    (DbUnfit, lambda e: f"the database cannot do its work: {e}{_what_to_check(str(e))}"),
    (DbDown, lambda e: f"the database is away ({e}): see that it runs, and that CROUPIER_DATABASE_URL names it"),
    (UnknownCurrency, lambda e: f"{e}: {e.todo}"),
    (DbConflict, lambda _: "the database was busy with the same rows: run the command again"),
    (Contended, lambda _: "other processes keep changing it at this moment: run the command again"),
    (Broken, lambda e: f"nothing was changed, because the books would not balance ({e}): see `croupier incidents`"),
    (SealBroken, lambda e: f"the key file does not open {e}: put the file back that it was sealed with"),
    (PeerError, lambda e: f"the peer did not answer correctly ({e}): check its address, and that it runs"),
    (WorldFailed, lambda e: f"the demo could not start. {e}".replace(". croupier: ", ": ")),
    (OSError, lambda e: _about_file(e) if e.filename is not None else str(e)),
)


_CODES: tuple[tuple[str, tuple[type[Exception], ...]], ...] = (
    ("settings", (config.BadSettings,)),
    ("not_found", (NotFound, CounterpartyUnknown, DiffUnknown, KeyUnknown)),
    ("ambiguous", (NameAmbiguous, GameAmbiguous, SubjectAmbiguous, SeveralFound)),
    ("name_taken", (NameTaken, PotNameTaken, AccountNameTaken)),
    ("key", (KeyFileRefused, SealBroken, BadBackupKey)),
    ("busy", (DbConflict, Contended)),
    ("database", (DbUnfit, DbDown, EmbeddedError, MigrationError)),
    ("books", (Broken,)),
    ("peer", (PeerError, WorldFailed)),
    ("refused", _SAY_IT_THEMSELVES),
    ("refused", (UnknownCurrency,)),
    ("file", (OSError,)),
)
USAGE = "usage"
BUG = "bug"
CODES = frozenset({USAGE, BUG, *(code for code, _ in _CODES)})
"""Every code of an error, as docs/OPERATIONS.md lists them. A released code keeps its meaning."""


def code_of(error: Exception) -> str:
    """Return the code of this error, for programs."""
    return next((code for code, kinds in _CODES if isinstance(error, kinds)), BUG)


def _what_to_check(refusal: str) -> str:
    """Return advice for a database that refused the login."""
    login = any(words in refusal for words in ("authentication failed", "does not exist", "not permitted to log in"))
    return ": check user, password and database in CROUPIER_DATABASE_URL" if login else ""


def _about_file(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}; check its owner and permissions, or name another in the settings"


def sentence(error: Exception) -> str:
    """Return the message of this error."""
    if isinstance(error, _SAY_IT_THEMSELVES):
        return scrub_text(str(error))
    for kind, words in _IN_OUR_WORDS:
        if isinstance(error, kind):
            return scrub_text(words(error))
    what = scrub_text(f"{type(error).__name__}: {error}")
    return f"croupier has a bug ({what}): run it again with CROUPIER_LOG_LEVEL=debug to see where"
