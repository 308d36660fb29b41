"""`croupier audit --archives`: the archive files hold every entry and event that was deleted. Spec: operate.md 2, decision 0104.

Owns: how that is shown. Never: the comparison (views.archive.deleted).
"""

from __future__ import annotations

from pathlib import Path

from croupier.admin_api.errors import CommandError
from croupier.apps.archive import SUFFIX
from croupier.cli.archive import LONGEST_S
from croupier.cli.running import with_look
from croupier.cli.show import instant, say, show_json, show_table
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings
from croupier.store.db import patience
from croupier.views.archive.deleted import DeletedReport, verify_deleted


def show_deleted(folder: Path, *, as_json: bool) -> int:
    """Compare the files of this directory with what was deleted. Return the exit code."""
    if not folder.is_dir():
        raise CommandError(f"{folder} is not a directory: name the one that holds the files of `croupier archive`")
    paths = sorted(folder.rglob(f"*{SUFFIX}"))

    async def work(hub: Hub, loaded: Settings) -> DeletedReport:
        if not loaded.key_path.is_file():
            raise CommandError(
                f"{loaded.key_path} is not there, and tells which archives are yours: put the key file back"
            )
        with patience(LONGEST_S):
            return await verify_deleted(hub.store.db, paths, hub.notary.owns)

    report = with_look(work)
    if as_json:
        show_json({"holds": report.holds, "files": report.files, "problems": report.problems})
        return 0 if report.holds else 1
    rows = [
        (one.path or "missing", one.part, instant(one.before_ms), one.subjects, one.rows, one.author, not one.problems)
        for one in report.files
    ]
    show_table("Deleted after archiving", ("file", ">part", "before", ">bets", ">rows", "by", "verifies"), rows)
    problems = [(one.path or one.sha256, problem) for one in report.files for problem in one.problems]
    show_table("Problems", ("file", "what"), [*problems, *((None, problem) for problem in report.problems)])
    if not report.holds:
        say("WHAT WAS DELETED IS NOT ALL IN THESE FILES: see OPERATIONS, Retention.")
    elif report.files:
        say("The files hold every entry and event that was deleted.")
    else:
        say("No entry and no event was ever deleted.")
    return 0 if report.holds else 1
