"""The watcher of an embedded database: starts PostgreSQL while its home is used, stops it after the last user.

Owns: the life of the database's processes, and the four locks that say who lives. Never: making the data directory
(directory), connecting to the database. Spec: operate.md 7 and 8.

It runs as a process of its own in a session of its own, by path and from the standard library alone, so that no
signal of a terminal and no fault of the hub reaches it. Locks (flock, so that the kernel drops them at any death),
each a file in the place:

    users   shared by every process that uses the database; the watcher takes it alone to stop
    watch   held by the one watcher
    server  inherited by every process of PostgreSQL: free means that none of them is left
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

POLL_S = 0.1
STOP_S = 30.0
"""A fast stop writes a checkpoint; past this the server is told to quit at once, and recovers at its next start."""
LEFTOVERS_S = 3.0
"""Processes of a killed server notice its death by themselves; past this they are killed."""
QUICK_DEATHS = 3
"""Starts that may fail within `QUICK_S` each before the watcher gives up; the log says why."""
QUICK_S = 5.0
LOG_BYTES = 10_000_000
"""Size of the server's log in bytes, checked in every turn. The previous part of the same size is kept."""

OPEN = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
"""No link is followed: root opens files in a directory that belongs to PostgreSQL's user."""


@dataclass(frozen=True, slots=True)
class Orders:
    """The watcher's arguments. `uid` and `gid` are None where PostgreSQL runs as the starting user."""

    place: str
    postgres: str
    uid: int | None
    gid: int | None
    settings: tuple[tuple[str, str], ...]

    @property
    def data(self) -> Path:
        """Return the data directory."""
        return Path(self.place, "data")

    @property
    def log(self) -> Path:
        """Return the path of PostgreSQL's log."""
        return Path(self.place, "postgres.log")


def try_lock(path: Path, how: int) -> int | None:
    """Open `path` and lock it (fcntl.LOCK_SH or LOCK_EX) without waiting: a descriptor to close, or None if taken."""
    descriptor = os.open(path, OPEN, 0o600)
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def is_locked(path: Path) -> bool:
    """Return whether a process holds the exclusive lock of `path` at this moment."""
    descriptor = try_lock(path, fcntl.LOCK_SH)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is None


def postmaster(data: Path) -> int | None:
    """Return the pid of the server that runs on `data`, or None. A pid file proves nothing: its number may be reused."""
    try:
        pid = int((data / "postmaster.pid").read_bytes().split(b"\n", 1)[0])
    except (OSError, ValueError):
        return None
    command = _command_of(pid)
    return pid if all(word in command for word in (b"postgres", b"-D", os.fsencode(data))) else None


def _command_of(pid: int) -> bytes:
    """Return a process's command line, empty if it is gone (or a zombie)."""
    if Path("/proc/self").exists():
        with suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes()
        return b""
    return subprocess.run(["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, check=False).stdout


def leftovers(data: Path) -> list[int]:
    """Return the processes that work in the data directory: only PostgreSQL's do. Empty where there is no /proc."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            if entry.readlink() == data:
                found.append(int(entry.parent.name))
    return found


def bound(log: Path) -> None:
    """Keep the log small while the server writes on: past `LOG_BYTES` it becomes `.1`, in place of the one before.

    The server goes on appending to the same file, which is emptied. No link is followed and nothing overwritten: root
    may do this in a directory of another account. Errors are ignored: the watcher must not end because of a log.
    """
    with suppress(OSError):
        if log.lstat().st_size <= LOG_BYTES:
            return
        with os.fdopen(os.open(log, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW), "r+b") as full:
            try:
                _set_aside(full, log)
            finally:
                full.truncate(0)


def _set_aside(full: BinaryIO, log: Path) -> None:
    """Copy the end of the log to its other name."""
    draft = log.with_name(f"{log.name}.new")
    draft.unlink(missing_ok=True)
    owner = os.fstat(full.fileno())
    with os.fdopen(os.open(draft, OPEN | os.O_EXCL, 0o600), "wb") as kept:
        if os.geteuid() == 0:
            os.fchown(kept.fileno(), owner.st_uid, owner.st_gid)
        full.seek(max(0, owner.st_size - LOG_BYTES))
        shutil.copyfileobj(full, kept)
    draft.replace(log.with_name(f"{log.name}.1"))


class Watcher:
    """The watcher's loop: check for users and for the server. All its state is in locks and pids."""

    def __init__(self, orders: Orders, held: int) -> None:
        self._orders = orders
        self._held = os.fstat(held)
        self._place = Path(orders.place)
        self._child: subprocess.Popen[bytes] | None = None
        self._deaths: list[float] = []

    def run(self) -> None:
        """Return when the last user is gone and the server with it, or when it will not start."""
        while True:
            if not self._in_place() or try_lock(self._place / "users", fcntl.LOCK_EX) is not None:
                self._stop()
                return
            if not self._alive() and not self._start():
                return
            bound(self._orders.log)
            time.sleep(POLL_S)

    def _in_place(self) -> bool:
        """Return whether the directory is still the same one. The server of a removed home is stopped."""
        try:
            return os.path.samestat(self._held, (self._place / "watch").stat())
        except OSError:
            return False

    def _alive(self) -> bool:
        if self._child is not None and self._child.poll() is None:
            return True
        return postmaster(self._orders.data) is not None

    def _start(self) -> bool:
        """Start the server if none of its processes is left. Return False if it ended too often to be tried again."""
        self._deaths = [died for died in self._deaths if time.monotonic() - died < QUICK_S]
        if len(self._deaths) >= QUICK_DEATHS:
            return False
        server = self._own_server_lock()
        try:
            self._poller()
            self._child = self._spawn(server)
        finally:
            os.close(server)
        self._deaths.append(time.monotonic())
        return True

    def _own_server_lock(self) -> int:
        """Wait until no process of a dead server is left, and kill those that do not end."""
        patience = time.monotonic() + LEFTOVERS_S
        while True:
            server = try_lock(self._place / "server", fcntl.LOCK_EX)
            if server is not None:
                return server
            if time.monotonic() > patience:
                for pid in leftovers(self._orders.data):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            time.sleep(POLL_S)

    def _poller(self) -> None:
        """Remove what a killed server left. Safe, because the lock shows that none of its processes lives."""
        for stale in (self._orders.data / "postmaster.pid", *self._place.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def _spawn(self, server: int) -> subprocess.Popen[bytes]:
        """Start PostgreSQL, every process of which inherits the lock `server`."""
        settings = [word for name, value in self._orders.settings for word in ("-c", f"{name}={value}")]
        with os.fdopen(os.open(self._orders.log, OPEN | os.O_APPEND, 0o600), "ab") as log:
            return subprocess.Popen(
                [self._orders.postgres, "-D", str(self._orders.data), *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._place,
                env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
                pass_fds=(server,),
                umask=0o077,
                start_new_session=True,
                **as_user(self._orders.uid, self._orders.gid),
            )

    def _stop(self) -> None:
        """End the server: a fast stop first, an immediate one if that takes too long."""
        for how in (signal.SIGINT, signal.SIGQUIT):
            pid = self._child.pid if self._child and self._child.poll() is None else postmaster(self._orders.data)
            if pid is None:
                return
            with suppress(ProcessLookupError):
                os.kill(pid, how)
            self._wait_for_end()

    def _wait_for_end(self) -> None:
        patience = time.monotonic() + STOP_S
        while self._alive() and time.monotonic() < patience:
            time.sleep(0.01)


def as_user(uid: int | None, gid: int | None) -> dict[str, Any]:
    """Return subprocess's arguments to run a program as `uid`; none where no privilege is to be dropped."""
    return {} if uid is None or gid is None else {"user": uid, "group": gid, "extra_groups": []}


def watch(orders: Orders) -> None:
    """Leave the starter's session, become the one watcher of the place (or end, if there is one), and watch."""
    held = try_lock(Path(orders.place, "watch"), fcntl.LOCK_EX)
    if held is None or os.fork():
        os._exit(0)
    os.setsid()
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A handler, not SIG_IGN: PostgreSQL would inherit an ignored signal.
        signal.signal(ignored, lambda *_: None)
    Watcher(orders, held).run()


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    watch(Orders(**{**told, "settings": tuple(map(tuple, told["settings"]))}))
