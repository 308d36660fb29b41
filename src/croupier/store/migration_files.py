"""Migration files: their names, their digests, and the marked ones that run outside a transaction.

Owns: reading the folder, and every rule that a file keeps before it reaches the database. Never: applies a file
(store.migrate). Design: decision 0046.

A file runs in one transaction unless its first line is `-- outside a transaction`. Such a file holds one statement, and
that statement can be repeated after any interruption:

    create [unique] index concurrently if not exists NAME ...
    drop index concurrently if exists NAME
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("migrations")
OUTSIDE = "-- outside a transaction"
"""The first line of a file that runs outside a transaction."""

_NAME = re.compile(r"\d{4}_[a-z0-9_]+\.sql")
_GOES_WITH = re.compile(r"^-- goes with (\d{4})$", re.MULTILINE)
_COMMENT = re.compile(r"--.*")
_CONCURRENT = re.compile(
    r"""\s* (?P<verb> create \s+ (?:unique \s+)? index | drop \s+ index) \s+ concurrently \s+
    (?P<rest> if \s+ (?:not \s+)? exists \s+ (?P<index> [a-z_][a-z0-9_]*) \b [^;]*) ;? \s*""",
    re.VERBOSE,
)


class MigrationError(Exception):
    """The files and the database do not fit together. The text says what to do. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class ConcurrentStep:
    """The one statement of a file that runs outside a transaction."""

    index: str
    """The name of the index that the statement builds or drops."""
    sql: str
    blocking_sql: str
    """The same statement without `concurrently`, for the transaction that sets up an empty database."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """The digest of its text, in hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def goes_with(self) -> str | None:
        """The number of the last file that a program must know to serve on this schema; None if it must know this one."""
        line = _GOES_WITH.search(self.sql)
        return line[1] if line else None

    @property
    def concurrent(self) -> ConcurrentStep | None:
        """The statement to run outside a transaction; None for a file without the marker.

        Raises MigrationError for a marked file that holds anything but one statement of the two known forms.
        """
        if not self.sql.startswith(f"{OUTSIDE}\n"):
            return None
        statement = _COMMENT.sub("", self.sql)
        form = _CONCURRENT.fullmatch(statement)
        if form is None:
            raise MigrationError(
                f"{self.name} says `{OUTSIDE}`, so it must hold exactly one statement, `create [unique] index concurrently "
                "if not exists NAME ...` or `drop index concurrently if exists NAME`: put everything else into another file"
            )
        return ConcurrentStep(form["index"], statement.strip(), f"{form['verb']} {form['rest']}")


def read_files(folder: Path) -> list[Migration]:
    """Return the files of a folder in order. Raises MigrationError unless they are numbered 0001, 0002 and on."""
    files = [Migration(path.name, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.sql"))]
    for number, file in enumerate(files, start=1):
        if not _NAME.fullmatch(file.name) or int(file.name[:4]) != number:
            raise MigrationError(f"{file.name} should be named {number:04}_what_it_does.sql")
        _ = file.concurrent
    return files
