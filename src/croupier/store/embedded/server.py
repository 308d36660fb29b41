"""PostgreSQL that comes with croupier: attach to a home's server, which the first process starts.

Owns: attaching and releasing. Never: its contents. Spec: operate.md 7.

Each attached process holds a shared lock in the directory, which the kernel releases when the process ends. A watcher (watcher),
one per place, keeps the server alive while someone holds that lock and stops it after the last one. So a command that
started the database does not stop it under a `serve` that came later, and nobody needs to be asked.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from croupier.store.embedded import watcher
from croupier.store.embedded.access import password_of
from croupier.store.embedded.account import shared_account
from croupier.store.embedded.directory import SOCKET, USER, EmbeddedError, Ground, find_place, prepare
from croupier.store.embedded.watcher import OPEN, Orders, is_locked, try_lock

__all__ = ["Attached", "EmbeddedError", "NoHome", "account_shared_by", "attach", "has_database"]

START_S = 120.0
"""Time limit of a start: recovery after a kill replays at most a gigabyte of log."""
TURN_S = 0.02
ATTEMPTS = 3
LOG_LINES = 12

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    # A committed transaction survives a loss of power.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "max_wal_size": "1GB",
    # Short statements on small sets: planning for more than that costs more than it gives.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


class Attached:
    """A held embedded database. It stays up at least until `release`, or until this process ends."""

    host: str
    """The directory of the Unix socket."""
    port = 5432
    user = USER
    database = USER

    def __init__(self, place: Path, lock: int, password: str | None = None) -> None:
        self.host = str(place)
        self._password = password
        self._lock: int | None = lock

    @property
    def dsn(self) -> str:
        """Return the address as a URL, in the form of CROUPIER_DATABASE_URL."""
        who = self.user if self._password is None else f"{self.user}:{self._password}"
        return f"postgresql://{who}@/{self.database}?host={quote(self.host, safe='')}&port={self.port}"

    @property
    def connect_kwargs(self) -> dict[str, str | int]:
        """Return the address as the driver's arguments."""
        address: dict[str, str | int] = {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "database": self.database,
        }
        return address if self._password is None else {**address, "password": self._password}

    @property
    def log(self) -> Path:
        """Return the path of PostgreSQL's log."""
        return Path(self.host, "postgres.log")

    def release(self) -> None:
        """Detach from the database, which stops shortly after its last user. A second call does nothing."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        """Hold it for a block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Release it."""
        self.release()


class NoHome(EmbeddedError):
    """There is no embedded database where one was looked for, and none was to be made."""


def attach(home: Path, *, may_make: bool = True) -> Attached:
    """Use the embedded database of `home`: make it if there is none, start it if nobody has, wait until it answers.

    Without `may_make` a missing database is not made, and NoHome is raised.

    Blocks, so an event loop calls it in a thread. Safe to call from many processes at once, after any kill, and as
    root (PostgreSQL then runs with the privileges of the data's owner). EmbeddedError says what to do.
    """
    try:
        if not may_make and not has_database(home):
            raise NoHome(
                f"there is no hub in {home.absolute()} (`croupier serve` makes one there; CROUPIER_HOME names another home)"
            )
        return _attach(_make_home(home))
    except PermissionError as error:
        raise EmbeddedError(
            f"may not use {error.filename or home} ({error.strerror}): run croupier as its owner, or name another home in "
            "CROUPIER_HOME"
        ) from error


def account_shared_by(home: Path) -> str | None:
    """Return the owner of this home's embedded database if other programs share that account, else None."""
    place = find_place(home.resolve())
    return None if place is None else shared_account(home.resolve(), place)


def has_database(home: Path) -> bool:
    """Return whether this home holds an embedded database, running or not."""
    place = find_place(home)
    return place is not None and (place / "data").exists()


def _attach(home: Path) -> Attached:
    patience = time.monotonic() + START_S
    place = find_place(home)
    if place is None or not (place / "data").exists():
        with _start_lock(home, patience):
            place = prepare(home).place
    lock = _use(place, patience)
    try:
        _await_answer(home, place, patience)
        # None where a server of an older version, which asks for none, has outlived its watcher.
        password = password_of(home)
    except BaseException:
        os.close(lock)
        raise
    return Attached(place, lock, password)


def _make_home(home: Path) -> Path:
    """Make the home and return its true path. Root's may be passed through, so that PostgreSQL's user can."""
    try:
        home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(
            f"cannot make the home {home} ({error.strerror}): name another one in CROUPIER_HOME"
        ) from error
    return home.resolve()


@contextmanager
def _start_lock(home: Path, patience: float) -> Iterator[None]:
    """Hold the start lock: one process at a time looks for a watcher or makes a database."""
    lock = _take(home / "postgres.lock", fcntl.LOCK_EX, patience)
    try:
        yield
    finally:
        os.close(lock)


def _use(place: Path, patience: float) -> int:
    """Take the shared lock of a user. It is refused while a watcher stops the server, which ends soon."""
    return _take(place / "users", fcntl.LOCK_SH, patience)


def _take(path: Path, how: int, patience: float) -> int:
    """Wait for a lock."""
    while (lock := try_lock(path, how)) is None:
        _check(patience, path, "another process holds it; see who with `fuser`")
        time.sleep(TURN_S)
    if os.geteuid() == 0:
        # A lock file that root made must not lock out its directory's owner later.
        owner = path.parent.stat()
        os.fchown(lock, owner.st_uid, owner.st_gid)
    return lock


def _await_answer(home: Path, place: Path, patience: float) -> None:
    """Start a watcher if there is none, and wait until the server answers."""
    attempts = 0
    while True:
        with _start_lock(home, patience):
            if not is_locked(place / "watch"):
                attempts += 1
                if attempts > ATTEMPTS:
                    raise EmbeddedError(f"PostgreSQL does not start in {place}. It says:\n{_last_lines(place)}")
                _send_watcher(prepare(home))
        if answers(place / SOCKET):
            return
        _check(patience, place, f"PostgreSQL does not answer. It says:\n{_last_lines(place)}")
        time.sleep(TURN_S)


def _send_watcher(ground: Ground) -> None:
    """Start a watcher; when this returns it holds its lock. It leaves our session before it starts anything."""
    settings = {**SETTINGS, "unix_socket_directories": str(ground.place)}
    orders = Orders(
        place=str(ground.place),
        postgres=str(ground.binaries / "bin/postgres"),
        uid=ground.owner.uid,
        gid=ground.owner.gid,
        settings=tuple(settings.items()),
    )
    for name in ("watch", "server", "postgres.log"):
        os.close(os.open(ground.place / name, OPEN, 0o600))
        ground.owner.adopt(ground.place / name)
    with os.fdopen(os.open(ground.place / "postgres.log", OPEN | os.O_APPEND), "ab") as log:
        subprocess.run(
            [sys.executable, "-S", "-E", watcher.__file__, json.dumps(asdict(orders))],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            check=True,
        )


def answers(path: Path) -> bool:
    """Return whether a server on this socket accepts a client or asks for its password (PostgreSQL's startup message)."""
    opening = struct.pack("!I", 3 << 16) + f"user\0{USER}\0database\0{USER}\0\0".encode()
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5.0)
        try:
            line.connect(str(path))
            line.sendall(struct.pack("!I", len(opening) + 4) + opening)
            # The whole reply is read, so that the server logs no error about a connection that ends here.
            welcome = line.recv(1024)[:1] == b"R"
        except OSError:
            return False
    return welcome


def _check(patience: float, where: Path, why: str) -> None:
    """Raise EmbeddedError when the time is over."""
    if time.monotonic() > patience:
        raise EmbeddedError(f"gave up on {where} after {START_S:.0f} s: {why}")


def _last_lines(place: Path) -> str:
    """Return the end of the server's log."""
    log = place / "postgres.log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-LOG_LINES:])
