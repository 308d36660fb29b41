"""The message of each error that a command may meet: one sentence that says what went wrong and what to do.

Owns: text and code for the errors that only this machine knows, and the last word. Never: those of a command's work (admin_api.errors), a
traceback, or a secret. Spec: operate.md 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from croupier.admin_api import errors
from croupier.admin_api.errors import BUG, USAGE
from croupier.apps.archive import ArchiveRefused
from croupier.apps.backup import BackupRefused
from croupier.apps.world import WorldFailed
from croupier.cli.remote import HubAway, HubRefused
from croupier.kit import config
from croupier.kit.age_file import BadBackupKey
from croupier.kit.log import scrub_text
from croupier.kit.os_words import os_words
from croupier.kit.otlp import OtelMissing
from croupier.sandbox.draws.draw_journal import JournalBroken
from croupier.store.embedded.server import EmbeddedError
from croupier.store.migrate import MigrationError

_SAY_IT_THEMSELVES = (
    config.BadSettings,
    EmbeddedError,
    MigrationError,
    JournalBroken,
    ArchiveRefused,
    BackupRefused,
    BadBackupKey,
    OtelMissing,
)

_IN_OUR_WORDS: tuple[tuple[type[Exception], Callable[[Any], str]], ...] = (
    (WorldFailed, lambda e: f"the demo could not start. {e}".replace(". croupier: ", ": ")),
    (OSError, lambda e: os_words(e) if e.filename is None else _about_file(e)),
)


_CODES: tuple[tuple[str, tuple[type[Exception], ...]], ...] = (
    ("settings", (config.BadSettings, OtelMissing)),
    ("peer", (WorldFailed, HubAway)),
    ("key", (BadBackupKey,)),
    ("database", (EmbeddedError, MigrationError)),
    *errors.CODES,
    ("refused", _SAY_IT_THEMSELVES),
    ("file", (OSError,)),
)
TOO_MANY = "too_many_requests"
CODES = frozenset({USAGE, BUG, TOO_MANY, *(code for code, _ in _CODES)})
"""Every code of an error, as docs/OPERATIONS.md lists them. A released code keeps its meaning."""


def code_of(error: Exception) -> str:
    """Return the code of this error, for programs."""
    if isinstance(error, HubRefused):
        return error.code
    return next((code for code, kinds in _CODES if isinstance(error, kinds)), BUG)


def sentence(error: Exception) -> str:
    """Return the message of this error."""
    said = str(error) if isinstance(error, _SAY_IT_THEMSELVES) else errors.sentence(error)
    if said is not None:
        return scrub_text(said)
    for kind, words in _IN_OUR_WORDS:
        if isinstance(error, kind):
            return scrub_text(words(error))
    what = scrub_text(f"{type(error).__name__}: {error}")
    return f"croupier has a bug ({what}): run it again with CROUPIER_LOG_LEVEL=debug to see where"


def _about_file(error: OSError) -> str:
    return f"{error.filename}: {os_words(error)}, or name another in the settings"
