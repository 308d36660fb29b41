"""`croupier archive`, `prune` and `verify-archive`: old bets in signed files. Spec: operate.md 2, decisions 0100 and 0104.

Owns: the words. Never: what an archive holds (views.archive), its writing (apps.archive), or a deletion (apps.prune).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from croupier.admin_api.days import day_ms
from croupier.admin_api.errors import CommandError
from croupier.apps.archive import Archived, ArchivePlan, write_archive
from croupier.apps.prune import Pruned, PrunePlan
from croupier.apps.prune import prune as delete_archived
from croupier.apps.wiring import notary_of
from croupier.cli.running import AsJson, Author, Reason, author_of, settings, with_hub, with_look
from croupier.cli.show import instant, note, say, show_json, show_table
from croupier.core.account import Role
from croupier.flows.hub import Hub
from croupier.kit.seal import Sealer
from croupier.kit.settings import Settings
from croupier.store.db import patience
from croupier.views.archive.verify import FileReport, verify_files

_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
LONGEST_S = 3600.0
"""The longest statement of the long commands about archives."""
Files = Annotated[list[Path], typer.Argument(help="All files of an archive.")]


def archive(
    *,
    before: Annotated[
        str, typer.Option("--before", help="Take what ended before this day in UTC, such as 2020-11-01.")
    ],
    to: Annotated[
        Path, typer.Option("--to", help="Directory for the files. Put it on another disk or machine.")
    ] = Path("archive"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only, and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write bets and cashbacks that are over, with all their rows, into signed files. Nothing is deleted."""
    before_ms = day_ms(before, "before")

    async def work(hub: Hub, loaded: Settings) -> Archived:
        if not loaded.key_path.is_file():  # who only looks has a key for the moment, which must sign nothing
            raise CommandError(f"{loaded.key_path} is not there, and its key signs archives: put the key file back")
        with patience(LONGEST_S):
            return await write_archive(hub, ArchivePlan(before_ms, None if dry_run else to, note))

    done = with_look(work)
    if as_json:
        show_json({
            "before": instant(before_ms), "subjects": done.subjects, "left": done.left, "key": done.key, "dry_run": dry_run,
            "paths": [str(path) for path in done.paths],
        })  # fmt: skip
        return
    what = "would be in the archive" if dry_run else f"are in {len(done.paths)} files, read back whole"
    say(f"{done.subjects} bets and cashbacks that were over before {instant(before_ms)} {what}.")
    if done.left:
        say(f"{done.left} older ones are not over, or have an open incident or finding: they stay out.")
    if done.paths:
        say(f"Keep the public key apart from the files: {done.key}")


def prune(
    files: Files,
    *,
    reason: Reason,
    author: Author,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only, and delete nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete the entries and events that archives hold and that are older than CROUPIER_MONEY_KEEP_YEARS.

    Bets, cashbacks and payments stay. The files are the only copy afterwards: keep them, and the public key.
    """
    _check_files(files)

    async def work(hub: Hub, loaded: Settings) -> Pruned:
        name = await author_of(hub, loaded, author, needed=Role.ADMINISTER)
        plan = PrunePlan(files, loaded.money_keep_years, name, reason, dry_run, note)
        with patience(LONGEST_S):
            return await delete_archived(hub, plan)

    done = with_look(work) if dry_run else with_hub(work)
    if as_json:
        show_json({
            "subjects": done.subjects, "entries": done.entries, "events": done.events, "stay": dict(done.stay), "dry_run": dry_run,
        })  # fmt: skip
        return
    if dry_run:
        say(f"{done.subjects} bets and cashbacks would lose their entries and events.")
    else:
        say(f"{done.subjects} bets and cashbacks lost {done.entries} entries and {done.events} events.")
    show_table("What stays", (">bets and cashbacks", "why"), [(count, why) for why, count in sorted(done.stay.items())])


def verify_archive(
    files: Files,
    *,
    key: Annotated[
        str | None,
        typer.Option("--key", help="The public key that `croupier archive` printed; otherwise this home's keys."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify archives by their files alone: signatures, parts, and the books of every bet. Exit code 1 if one does not hold."""
    _check_files(files)
    reports = verify_files(files, _trusted(key))
    holds = not any(report.problems for report in reports)
    if as_json:
        show_json({"holds": holds, "files": [_facts(report) for report in reports]})
    else:
        _show(reports)
        say("The archives verify." if holds else "THE ARCHIVES DO NOT VERIFY: see OPERATIONS, Retention.")
    if not holds:
        raise typer.Exit(1)


def _check_files(files: list[Path]) -> None:
    for path in files:
        if not path.is_file():
            raise CommandError(f"{path} is not a file: name the files that `croupier archive` wrote")


def _trusted(key: str | None) -> Callable[[str], bool]:
    """Return which keys may sign: the one that was given, or those of this home's key file, which need no database."""
    if key is None:
        loaded = settings()
        return notary_of(loaded, Sealer.of_file(loaded.key_path, may_make=False)).owns
    if _KEY.fullmatch(key) is None:
        raise typer.BadParameter("must be a public key of 43 characters", param_hint="--key")
    return key.__eq__


def _facts(report: FileReport) -> dict[str, Any]:
    return {
        "path": str(report.path), "part": report.part, "last": report.last, "before": instant(report.before_ms),
        "installation": report.installation, "subjects": report.subjects, "entries": report.entries, "key": report.key,
        "sha256": report.sha256, "totals": report.totals, "problems": report.problems,
    }  # fmt: skip


def _show(reports: list[FileReport]) -> None:
    rows = [(r.path, r.part, instant(r.before_ms), r.subjects, r.entries, not r.problems) for r in reports]
    show_table("Archives", ("file", ">part", "before", ">bets", ">entries", "verifies"), rows)
    show_table("Problems", ("file", "what"), [(r.path, problem) for r in reports for problem in r.problems])
