"""The account that owns an embedded database started by root: a separate account, made if there is none.

Owns: the choice and the making of that account, and handing over the files of another account. Never: initdb, the server.
Decided in docs/decisions/0031: the other programs of a shared account could read the database, so its files must
not belong to one.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from croupier.kit.log import get
from croupier.store.embedded.watcher import as_user

log = get("embedded")

OWN = "croupier"
SHARED = ("postgres", "nobody")
"""Accounts that other programs may share: used only where no separate one can be made."""
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_WAYS = (
    (
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/bin/false",
        OWN,
    ),
    ("adduser", "-S", "-D", "-H", "-h", "/nonexistent", "-s", "/bin/false", OWN),
)
"""Commands that make a service account: shadow's tool, then busybox's."""


class EmbeddedError(Exception):
    """The embedded database cannot serve. The text says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of the database's files and processes; None means the user who runs this process."""

    uid: int | None = None
    gid: int | None = None

    def adopt(self, path: Path) -> None:
        """Give the owner a file or directory that root made."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def can(self, program: str, argument: Path) -> bool:
        """Return whether a shell command about `$1` succeeds with the owner's privileges."""
        words = ["/bin/sh", "-c", program, "sh", str(argument)]
        quiet = subprocess.DEVNULL
        done = subprocess.run(words, check=False, cwd="/", stdout=quiet, stderr=quiet, **as_user(self.uid, self.gid))
        return done.returncode == 0


def owner_of(place: Path | None, home: Path) -> Owner:
    """Return the present or future owner of root's files in this home. A directory of a shared account gets a separate one."""
    path = place or home
    found = path.stat()
    if found.st_uid != 0 and not (place and _is_roots(home) and found.st_uid in _shared_uids()):
        return Owner(found.st_uid, found.st_gid)
    account = _own_account()
    if account is not None:
        return account
    if found.st_uid != 0:
        return Owner(found.st_uid, found.st_gid)
    for name in SHARED:
        if (shared := _account(name)) is not None:
            return shared
    raise EmbeddedError("PostgreSQL refuses to run as root: make an account for it, `useradd --system croupier`")


def shared_account(home: Path, place: Path) -> str | None:
    """Return the shared account that this database belongs to; None if it has a separate owner."""
    uid = place.stat().st_uid
    if not _is_roots(home) or uid not in _shared_uids():
        return None
    return pwd.getpwuid(uid).pw_name


def hand_over(place: Path, owner: Owner) -> None:
    """Give the owner everything below a place that its owner until now had. Nothing else is touched, no link followed."""
    before = place.lstat().st_uid
    if owner.uid is None or owner.gid is None or before == owner.uid:
        return
    for _, folders, files, at in os.fwalk(place, topdown=False, follow_symlinks=False):
        for name in (*folders, *files):
            if os.stat(name, dir_fd=at, follow_symlinks=False).st_uid == before:
                os.chown(name, owner.uid, owner.gid, dir_fd=at, follow_symlinks=False)
    owner.adopt(place)
    log.warning("embedded.handed_over", place=str(place), account=OWN)


def _is_roots(home: Path) -> bool:
    return home.stat().st_uid == 0


def _shared_uids() -> set[int | None]:
    return {account.uid for name in SHARED if (account := _account(name)) is not None}


def _account(name: str) -> Owner | None:
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        return None
    return Owner(account.pw_uid, account.pw_gid) if account.pw_uid else None


def _own_account() -> Owner | None:
    """Return the separate account, made now if the machine can; None if it cannot."""
    found = _account(OWN)
    if found is not None:
        return found
    for program, *words in _WAYS:
        tool = shutil.which(program, path=_PATH)
        if tool is None:
            continue
        subprocess.run([tool, *words], check=False, cwd="/", capture_output=True, stdin=subprocess.DEVNULL)
        # Another process may have made it at the same moment, so only its existence counts.
        found = _account(OWN)
        if found is not None:
            log.warning("embedded.account_made", account=OWN)
            return found
    return None
