"""`croupier backup` and `croupier restore`: the home's database and audit trail in one encrypted file.

Owns: the words. Never: what a backup holds (apps.backup).
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from croupier.apps.backup import back_up
from croupier.apps.backup import restore as put_back
from croupier.cli.progress import progress_line
from croupier.cli.running import AsJson, settings
from croupier.cli.show import say, show_json
from croupier.kit.clock import SystemClock
from croupier.kit.log import configure


def backup(
    *,
    to: Annotated[Path, typer.Option("--to", help="Directory for the file. Put it on another disk or machine.")] = Path(
        "backups"
    ),
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, help="Delete older backups of that directory beyond so many.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the database and the audit trail's checkpoints into one encrypted file. The hub may serve meanwhile.

    Example: croupier backup --to /mnt/backups --keep 30
    """
    loaded = settings()
    configure("warning", as_json=loaded.log_json)
    with progress_line("Opening the database", as_json=as_json) as tell:
        made = asyncio.run(back_up(loaded, SystemClock(), to, keep=keep, tell=tell))
    if as_json:
        show_json(
            {**asdict(made), "path": str(made.path), "key": str(made.key), "deleted": [str(p) for p in made.deleted]}
        )
        return
    say(
        f"{made.path}: {made.bytes:,} bytes, {made.manifest.tables} tables, schema {made.manifest.schema}, read back whole."
    )
    if made.deleted:
        say(f"Deleted {len(made.deleted)} older backups.")
    if made.key_is_new:
        say(f"{made.key} is the new key of the backups. Keep a copy of it, and of {loaded.key_path}, apart from them.")


def restore(
    file: Annotated[Path, typer.Argument(help="The file that `croupier backup` wrote.", exists=True, dir_okay=False)],
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Restore although the home has a database. It is kept under another name.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup into a home that no hub serves. The next start of the hub enters recovery mode by itself.

    Example: croupier restore /mnt/backups/croupier-20251101T030000Z.tar.age
    """
    loaded = settings()
    configure("warning", as_json=loaded.log_json)
    with progress_line("Opening the backup", as_json=as_json) as tell:
        done = asyncio.run(put_back(loaded, SystemClock(), file, replace=replace, tell=tell))
    if as_json:
        show_json(asdict(done))
        return
    say(
        f"Restored the backup of {done.manifest.made_at}, schema {done.manifest.schema}, made by {done.manifest.program}."
    )
    if done.kept_as is not None:
        say(f"The database that was there is kept in the same server as {done.kept_as}.")
    say(
        "The checkpoints of the audit trail came with it."
        if done.trail
        else "The home keeps its own checkpoints of the audit trail."
    )
    if not done.has_key:
        say(f"Put the key file back to {loaded.key_path} before you serve: no secret opens without it.")
    say(
        "Next: croupier doctor, then croupier serve. It begins in recovery mode: croupier recover status shows how far it is."
    )
