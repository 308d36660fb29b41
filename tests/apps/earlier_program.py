"""The program of an earlier schema, taken out of the repository's own history.

Owns: which commit that is, and its files in a directory of the test. Never: runs it.
"""

from __future__ import annotations

import subprocess
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from croupier.store.migration_files import FOLDER
from tests.house.source import ROOT

_MIGRATIONS = FOLDER.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Earlier:
    """An earlier program: its commit, and the newest migration that it knows."""

    commit: str
    newest: str


def find_earlier() -> Earlier | str:
    """Return the last program that knows the first of this one's migrations, and not all; or why there is none."""
    if not (ROOT / ".git").exists():
        return "a source archive has no history"
    own = {path.name: _git("hash-object", str(path)).strip() for path in FOLDER.glob("*.sql")}
    changes = _git("rev-list", "HEAD", "--", _MIGRATIONS).split()
    for commit in ("HEAD", *(f"{change}^" for change in changes)):
        known = _known(commit)
        if (
            known
            and len(known) < len(own)
            and known.items() <= own.items()
            and max(known) == sorted(own)[len(known) - 1]
        ):
            return Earlier(_git("rev-parse", commit).strip(), max(known))
    return "this history holds no earlier program, as in a clone of one commit"


def unpack(earlier: Earlier, folder: Path) -> Path:
    """Write the earlier program's files and return the directory to put on the path of Python."""
    packed = subprocess.run(["git", "archive", earlier.commit, "src"], cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as files:
        # The first versions of Python 3.11 have no filters; the archive is git's own.
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        files.extractall(folder, **safely)  # type: ignore[arg-type]
    return folder / "src"


def _known(commit: str) -> dict[str, str]:
    """Return the commit's migrations by name, each with its digest in git; none if it is not there."""
    done = subprocess.run(
        ["git", "ls-tree", "-r", commit, "--", _MIGRATIONS],
        cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip
    rows = [line.split() for line in done.stdout.splitlines()]
    return {Path(path).name: blob for _, _, blob, path in rows if path.endswith(".sql")}


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, check=False, capture_output=True, text=True)
    return done.stdout
