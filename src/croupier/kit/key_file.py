"""The file of the keys that encrypt secrets: reading, creation, atomic replacement.

Owns: its format, its permissions, its durability. Never: encryption (kit.seal).

A file with one key is that key's 32 bytes. After `croupier keys reseal` it is a JSON object: several keys, the newest
first, and the public keys of former signers of checkpoints. Mode 600.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from croupier.kit.keys import from_base64url, to_base64url

KEY_BYTES = 32
MOST_KEYS = 16
MOST_BYTES = 65_536
_FORM = "croupier keys 1"


class KeyFileRefused(Exception):
    """The key file cannot be used; the text names the remedy."""


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys, the newest first. The newest encrypts, all decrypt. `signed` are public keys of former notaries."""

    keys: tuple[bytes, ...]
    signed: tuple[bytes, ...] = ()


def load_or_make_ring(path: Path, *, may_make: bool = True) -> Ring:
    """Return the keys of this file; create it with a new key if it is missing. Raises KeyFileRefused, OSError.

    Processes that start at the same time get the same key. Pass `may_make=False` if secrets are stored already, which a
    new key could not decrypt.
    """
    try:
        return read_ring(path)
    except FileNotFoundError:
        if not may_make:
            raise KeyFileRefused(
                f"the key file {path} is gone, and no other opens the secrets in the database: put it back from your "
                "backup, or name it in CROUPIER_KEY_FILE. If it is lost for good: `croupier secrets renew`"
            ) from None
        _make(path)
        return read_ring(path)


def load_or_make_key(path: Path, *, may_make: bool = True) -> bytes:
    """Return the newest key of this file; see `load_or_make_ring`."""
    return load_or_make_ring(path, may_make=may_make).keys[0]


def new_key() -> bytes:
    """Return a new random key."""
    return secrets.token_bytes(KEY_BYTES)


def read_ring(path: Path) -> Ring:
    """Return the keys of this file. Raises FileNotFoundError, KeyFileRefused, OSError."""
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        content = file.read(MOST_BYTES + 1)
    if stat.S_IMODE(mode) & 0o077:
        raise KeyFileRefused(
            f"others may read the key file {path}: run `chmod 600 {path}`, and change the secrets if they did"
        )
    ring = Ring((content,)) if len(content) == KEY_BYTES else _read(content)
    if ring is None:
        raise KeyFileRefused(
            f"the key file {path} must hold exactly {KEY_BYTES} bytes, or what `croupier keys reseal` wrote: put the right "
            "file back from your backup"
        )
    return ring


def write_ring(path: Path, ring: Ring) -> None:
    """Replace the file atomically and durably; permissions are 600, the owner is kept."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        _write_new(draft, _content(ring), path)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextmanager
def key_file_lock(path: Path) -> Iterator[None]:
    """Hold the lock of the key file. Raises KeyFileRefused while another process holds it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise KeyFileRefused(f"another command is changing the key file {path}: wait until it has ended") from None
        yield
    finally:
        os.close(lock)


def sync_folder(folder: Path) -> None:
    """Sync a directory, so that its entries are durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _content(ring: Ring) -> bytes:
    if len(ring.keys) == 1 and not ring.signed:
        return ring.keys[0]
    stored = {"form": _FORM, "keys": [*map(to_base64url, ring.keys)], "signed": [*map(to_base64url, ring.signed)]}
    return json.dumps(stored, indent=1).encode("ascii") + b"\n"


def _read(content: bytes) -> Ring | None:
    try:
        stored = json.loads(content)
        ring = Ring(tuple(map(from_base64url, stored["keys"])), tuple(map(from_base64url, stored["signed"])))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    fits = stored.get("form") == _FORM and 1 <= len(ring.keys) <= MOST_KEYS
    return ring if fits and all(len(key) == KEY_BYTES for key in (*ring.keys, *ring.signed)) else None


def _make(path: Path) -> None:
    # Written to a temporary file, then linked: no reader sees half a key, and of two processes that race only one link
    # succeeds.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        _write_new(draft, new_key())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def _write_new(path: Path, content: bytes, like: Path | None = None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)
        if like is not None and like.exists() and os.geteuid() == 0:
            owner = like.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
