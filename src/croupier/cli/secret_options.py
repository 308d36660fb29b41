"""The options of the commands that make new secrets, and the way in which a command takes one in.

Owns: how long an old secret stays valid; reading a secret from standard input, a prompt or a file. Never: a secret as a
word of the command: every user of the machine sees those. Spec: operate.md 2.
"""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

MOST_S = 365 * 86_400.0
LONGEST_SECRET = 65_536
STANDARD_INPUT = "-"

KeepOld = Annotated[
    float | None,
    typer.Option(
        "--keep-old", min=0, max=MOST_S, help="Seconds for which the old secret stays valid too; a day by default."
    ),
]
Now = Annotated[
    bool, typer.Option("--now", help="The old secret ends at once: it has leaked. The same as --keep-old 0.")
]


def kept_s(keep_old: float | None, *, now: bool) -> float:
    """How long the old secret stays valid."""
    if now and keep_old:
        raise typer.BadParameter("give --now or --keep-old, not both")
    if now:
        return 0.0
    return 86_400.0 if keep_old is None else keep_old


def taken_in(option: str, where: str) -> str:
    """The secret that `--option -` reads from standard input (a terminal is asked, without echo) or `--option PATH` in a file.

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
