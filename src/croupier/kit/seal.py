"""Secrets at rest: AES-256-GCM, each one bound to the place where it is stored.

Owns: the sealed form, the key file. Never: what is sealed or where it is kept. A secret is
shown once (operate.md) and stored sealed; the key is made on first start with mode 600.

The sealed form is one version byte, a random 12-byte nonce, then the ciphertext with its 16-byte tag. Version and
place are associated data, so a value copied to another row or column does not open.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16


class SealBroken(Exception):
    """The sealed bytes were changed, belong to another place, or were sealed with another key."""


class KeyFileRefused(Exception):
    """The key file cannot be used; the text says what to do."""


class Sealer:
    """Seals and opens with one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a sealing key has {KEY_BYTES} bytes, not {len(key)}")
        self._cipher = AESGCM(key)
        self._key = key

    def seal(self, plain: bytes, place: str) -> bytes:
        """Seal for one place, written `table.column.rowid`. The same plain text seals differently each time."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plain, _bound(place))

    def open(self, sealed: bytes, place: str) -> bytes:
        """The plain text, or SealBroken."""
        body = sealed[1:]
        if sealed[:1] != _VERSION or len(body) < _NONCE_BYTES + _TAG_BYTES:
            raise SealBroken(place)
        try:
            return self._cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _bound(place))
        except InvalidTag:
            raise SealBroken(place) from None

    def derive(self, purpose: str) -> bytes:
        """32 bytes that only this key gives, for one purpose; they say nothing of the key, nor of other purposes."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"croupier " + purpose.encode("utf-8")).derive(self._key)


def load_or_make_key(path: Path, *, may_make: bool = True) -> bytes:
    """The key in this file, made now if there is none. Raises KeyFileRefused, or OSError of the file system.

    Processes that start at once all come away with the same key. `may_make` is False where something is sealed
    already: a new key would not open it.
    """
    try:
        return _load(path)
    except FileNotFoundError:
        if not may_make:
            raise KeyFileRefused(
                f"the key file {path} is gone, and no other opens the secrets in the database: put it back from your "
                "backup, or name it in CROUPIER_KEY_FILE"
            ) from None
        _make(path)
        return _load(path)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _bound(place: str) -> bytes:
    return _VERSION + place.encode("utf-8")


def _load(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        key = file.read(KEY_BYTES + 1)
    if stat.S_IMODE(mode) & 0o077:
        raise KeyFileRefused(
            f"others may read the key file {path}: run `chmod 600 {path}`, and change the secrets if they did"
        )
    if len(key) != KEY_BYTES:
        raise KeyFileRefused(
            f"the key file {path} must hold exactly {KEY_BYTES} bytes: put the right file back from your backup"
        )
    return key


def _make(path: Path) -> None:
    # Written whole beside its place, then linked into it: nobody ever sees half a key, and of two processes that
    # race only one link succeeds.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        _write_new(draft, secrets.token_bytes(KEY_BYTES))
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
