"""The options of the commands that create secrets, and the input of a secret.

Owns: how long an old secret stays valid; the file that takes a new one; reading a secret from standard input, a prompt or a file. Never: a secret as a
word of the command: every user of the machine sees those. Spec: operate.md 2.
"""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from croupier.admin_api.errors import CommandError
from croupier.cli.show import note, show_facts, show_json
from croupier.kit import strictjson
from croupier.kit.strictjson import BadJson, Json

MOST_S = 365 * 86_400.0
LONGEST_SECRET = 65_536
STANDARD_INPUT = "-"
MOST_CREDENTIALS = 65_536

KeepOld = Annotated[
    float | None,
    typer.Option(
        "--keep-old", min=0, max=MOST_S, help="Seconds for which the old secret stays valid; a day by default."
    ),
]
Now = Annotated[
    bool, typer.Option("--now", help="End the old secret at once, as after a leak. The same as --keep-old 0.")
]

SecretFile = Annotated[
    Path | None,
    typer.Option(
        "--secret-file",
        help="Write id and secret as JSON into this new file, which only you may read, instead of printing them.",
    ),
]


@contextmanager
def new_file(path: Path | None) -> Iterator[TextIO | None]:
    """Open a new file that only its owner may read, and delete it if the work fails. None without a path.

    Raises CommandError where something is there already: it may be the only copy of a secret.
    """
    if path is None:
        yield None
        return
    try:
        file = open(path, "x", encoding="utf-8", opener=_for_its_owner)  # noqa: SIM115 - Path.open has no opener
    except FileExistsError:
        raise CommandError(
            f"{path} is there already and may hold the only copy of a secret: name another file"
        ) from None
    with file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def show_secret(title: str, credentials: dict[str, object], *, into: TextIO | None, as_json: bool) -> None:
    """Write the new credentials once, into the new file or to standard output."""
    if into is None:
        shown, warning = (
            credentials,
            f"Give both to the {title.partition(' ')[0].lower()} now: the secret is not shown again.",
        )
    else:
        into.write(json.dumps(credentials, indent=2) + "\n")
        shown = {name: value for name, value in credentials.items() if name != "Secret"} | {"SecretFile": into.name}
        warning = f"Id and secret are in {into.name}, and nowhere else: the secret is not shown again."
    if as_json:
        show_json(shown)
        return
    show_facts(title, shown)
    note(warning)


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def kept_s(keep_old: float | None, *, now: bool) -> float:
    """Return the seconds for which the old secret stays valid."""
    if now and keep_old:
        raise typer.BadParameter("give --now or --keep-old, not both")
    if now:
        return 0.0
    return 86_400.0 if keep_old is None else keep_old


def credentials_in(where: str) -> Json:
    """Return the JSON of the credentials file that `casino add --secret-file` wrote; `-` is standard input."""
    return json_in(where, MOST_CREDENTIALS)


def json_in(where: str, most: int) -> Json:
    """Return the JSON document of a file or, for `-`, of standard input. Raises CommandError, which repeats nothing of it."""
    body = sys.stdin.buffer.read(most + 1) if where == STANDARD_INPUT else Path(where).read_bytes()
    try:
        return strictjson.loads(body, max_bytes=most)
    except BadJson as problem:
        raise CommandError(f"{where} holds no JSON: it is {problem.why}") from None


def taken_in(option: str, where: str) -> str:
    """Return the secret that `--option -` reads from standard input (from a terminal without echo), or `--option PATH` from a file.

    What names no file may be the secret itself, so it is refused and never repeated.
    """
    if where == STANDARD_INPUT:
        told = getpass.getpass(f"{option}: ") if sys.stdin.isatty() else sys.stdin.read(LONGEST_SECRET)
        return told.strip()
    try:
        with Path(where).open(encoding="utf-8") as opened:
            return opened.read(LONGEST_SECRET).strip()
    except (OSError, ValueError):
        raise typer.BadParameter(
            f"--{option} takes no secret as a word of the command, which every user of this machine sees, but the place "
            f"where it is read: `--{option} -` for standard input, or `--{option}-file PATH` for a file, and this is none"
        ) from None
