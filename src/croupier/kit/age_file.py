"""Files encrypted in the format of age, with a key file of its own that the program `age` opens too.

Owns: the key file, and streams through the library. Never: what is encrypted. The format and its proofs are age's
(https://age-encryption.org/v1); a stream that was cut or changed does not decrypt.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import BinaryIO

import pyrage

_SECRET = re.compile(r"^AGE-SECRET-KEY-1[0-9A-Z]+$", re.MULTILINE)


class BadBackupKey(Exception):
    """The key cannot be used, or does not open the file. The text says which, and what to do."""


def read_key(path: Path) -> pyrage.x25519.Identity:
    """Return the key of this file. Raises BadBackupKey, FileNotFoundError, OSError."""
    found = _SECRET.search(path.read_text("utf-8", errors="replace"))
    if found is None:
        raise BadBackupKey(f"{path} holds no key of a backup: it is a line that begins with AGE-SECRET-KEY-1")
    try:
        return pyrage.x25519.Identity.from_str(found[0])
    except pyrage.IdentityError:
        raise BadBackupKey(f"the key in {path} is damaged: put the file back from where you keep it") from None


def read_or_make_key(path: Path) -> tuple[pyrage.x25519.Identity, bool]:
    """Return the key of this file, and whether it was made now. Raises BadBackupKey, OSError."""
    try:
        return read_key(path), False
    except FileNotFoundError:
        made = pyrage.x25519.Identity.generate()
    text = f"# The key of Croupier's backups. Keep a copy apart from them.\n# public key: {made.to_public()}\n{made}\n"
    with suppress(FileExistsError), os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return read_key(path), True


class Digest:
    """A file that only counts what is written into it: for a check without a copy."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Add bytes."""
        self._sha256.update(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing."""

    def hexdigest(self) -> str:
        """Return the SHA-256 of all bytes so far, as hex."""
        return self._sha256.hexdigest()


def encrypt(key: pyrage.x25519.Identity, write: Callable[[BinaryIO], None], to: Path) -> None:
    """Encrypt what `write` writes into a new file, and sync it to the disk. Nothing is held in memory whole."""
    with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        _through_pipe(write, lambda source: pyrage.encrypt_io(source, file, [key.to_public()]))
        file.flush()
        os.fsync(file.fileno())


def decrypt(key: pyrage.x25519.Identity, path: Path, read: Callable[[BinaryIO], None]) -> None:
    """Let `read` read the decrypted contents. Raises BadBackupKey if the key or the file is wrong."""

    def write(sink: BinaryIO) -> None:
        with path.open("rb") as file:
            try:
                pyrage.decrypt_io(file, sink, [key])
            except (pyrage.DecryptError, OSError) as error:
                # The library reports damage in the middle of a stream as an OSError without a number.
                if isinstance(error, OSError) and error.errno is not None:
                    raise
                raise BadBackupKey(f"{path} does not open with this key, or is damaged ({error})") from None

    _through_pipe(write, read)


def digest(key: pyrage.x25519.Identity, path: Path) -> str:
    """Return the SHA-256 of the decrypted contents, as hex. Raises BadBackupKey."""
    seen = Digest()

    def read(source: BinaryIO) -> None:
        while data := source.read(1 << 20):
            seen.write(data)

    decrypt(key, path, read)
    return seen.hexdigest()


def _through_pipe(write: Callable[[BinaryIO], None], read: Callable[[BinaryIO], None]) -> None:
    """Run the writer in a thread and the reader here, with a pipe between. The writer's error is raised first."""
    out, into = os.pipe()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with os.fdopen(into, "wb") as sink:
                write(sink)
            # Closing the pipe is what the reader waits for. It writes what is left, so it may fail like a write.
        except BrokenPipeError:
            pass  # the reader gave up, and says why
        except BaseException as error:  # noqa: BLE001 - raised again below, in the caller's thread
            failed.append(error)

    writer = Thread(target=run, name="backup", daemon=True)
    writer.start()
    try:
        with os.fdopen(out, "rb") as source:
            read(source)
    except BaseException:
        writer.join()
        if failed:
            raise failed[0] from None
        raise
    writer.join()
    if failed:
        raise failed[0]
