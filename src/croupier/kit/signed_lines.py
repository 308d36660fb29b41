"""Append-only files of signed lines, each bound to the line before: the notary's store beside a database.

Owns: the directory of files, the form of a line, durable appends, reading. Never: the contents of a line. Somebody who
can write the files without the key can remove lines from the end unnoticed; any other change is detected.

A file `2026-11.jsonl` holds the lines of one month, each one JSON object. This module adds the last two keys: `before`,
the SHA-256 of the line before (without its line end; 64 zeros for the first), and `sig`, an Ed25519 signature in
base64url over everything before `,"sig"`. The last line's signature therefore covers all lines.

A line is written with one call, and the file is synced before `add` returns. A process that dies in between leaves a
torn line without a line end. The next writer begins a new line after it, and readers report it as not whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from croupier.kit.key_file import sync_folder
from croupier.kit.keys import from_base64url, to_base64url
from croupier.kit.seal import Lineage

FIRST = "0" * 64
LONGEST = 4096
"""Bytes of a line."""
_TAIL = 4 * LONGEST
_WHOLE = re.compile(rb'(\{.*,"before":"([0-9a-f]{64})"),"sig":"([A-Za-z0-9_-]{86})"\}')


class LinesRefused(Exception):
    """The directory cannot be used as it is. The text names the problem."""


@dataclass(frozen=True, slots=True)
class SignedLine:
    """One line as read from a file."""

    said: Mapping[str, Any]
    digest: str
    """The `before` that the next line must have."""
    before: str
    signed: bytes
    sig: str


class SignedLines:
    """The lines of one directory. Methods block on the disk; call them in a thread."""

    def __init__(self, folder: Path, seed: bytes, lineage: Callable[[], Lineage] | None = None) -> None:
        """Create the store. `seed` is the 32 bytes of an Ed25519 key. The directory is created with the first line.

        `lineage` returns the newest key and the older ones, whose signatures stay valid.
        """
        self.folder = folder
        self._lineage = lineage
        self._hold(Lineage(seed, (), ()) if lineage is None else lineage())

    @property
    def key_id(self) -> str:
        """Return the public id of the key."""
        return hashlib.sha256(public_of(self._held.seed)).hexdigest()[:16]

    @property
    def seed(self) -> bytes:
        """Return the seed of the current key, for files that are signed with it (kit.signed_file)."""
        return self._held.seed

    @property
    def public(self) -> str:
        """Return the current public key in base64url."""
        return to_base64url(public_of(self._held.seed))

    def owns(self, public: str) -> bool:
        """Return whether this public key, in base64url, is the current one or an older one of ours."""
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        return any(to_base64url(key.public_bytes(*raw)) == public for key in self._ours)

    def refresh(self) -> None:
        """Switch to the newest key. Reads the disk if the keys were changed."""
        if self._lineage is not None:
            self._hold(self._lineage())

    def _hold(self, lineage: Lineage) -> None:
        self._held = lineage
        self._key = Ed25519PrivateKey.from_private_bytes(lineage.seed)
        raw = [public_of(lineage.seed), *map(public_of, lineage.older), *lineage.signed]
        self._ours = [Ed25519PublicKey.from_public_bytes(one) for one in raw]

    def add(self, said: Mapping[str, Any], now_ms: int, *, after: str) -> bool:
        """Append a line durably if the last line still has the digest `after` (`FIRST`: if there is no line).

        Return False if it has not, or if another process holds the lock; the call never waits for a lock.
        Raises OSError of the file system, ValueError for a line that is too long.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone() as alone:
            last = self.last()
            if not alone or (FIRST if last is None else last.digest) != after:
                return False
            self._write(self._month(now_ms), self._line(said, after))
        return True

    def last(self) -> SignedLine | None:
        """Return the last whole line, or None. Raises OSError, but not for a missing directory.

        The keys are refreshed first, because the caller verifies the line next.
        """
        self.refresh()
        for path in reversed(self._files()):
            with path.open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(0, end - _TAIL))
                found = [line for line in map(_read, file.read().split(b"\n")) if line is not None]
            if found:
                return found[-1]
        return None

    def lines(self) -> Iterator[SignedLine | None]:
        """Yield every line in order, None for one that is not whole. Raises OSError."""
        for path in self._files():
            with path.open("rb") as file:
                yield from (_read(line.rstrip(b"\n")) for line in file)

    def is_ours(self, line: SignedLine) -> bool:
        """Return whether the current key or an older one signed this line."""
        return any(_signed(key, line) for key in self._ours)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9].jsonl"))

    def _month(self, now_ms: int) -> Path:
        """Return the file of this month, never one before the newest, so that a clock that goes back keeps the order."""
        name = datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y-%m.jsonl")
        return max([self.folder / name, *self._files()])

    def _line(self, said: Mapping[str, Any], before: str) -> bytes:
        whole = json.dumps({**said, "before": before}, separators=(",", ":"), ensure_ascii=True)
        signed = whole[:-1].encode("ascii")
        line = signed + b',"sig":"' + to_base64url(self._key.sign(signed)).encode("ascii") + b'"}'
        if len(line) > LONGEST:
            raise ValueError(f"a line has at most {LONGEST} bytes")
        return line

    def _write(self, path: Path, line: bytes) -> None:
        is_new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            end = os.fstat(descriptor).st_size
            torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"
            content = (b"\n" if torn else b"") + line + b"\n"
            if os.write(descriptor, content) != len(content):
                raise LinesRefused(f"{path} took a line in part: is the disk full?")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            sync_folder(self.folder)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Take the lock of the writer on this machine; yield whether it was free."""
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)


def public_of(seed: bytes) -> bytes:
    """Return the raw public key of this seed."""
    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(*raw)


def _signed(key: Ed25519PublicKey, line: SignedLine) -> bool:
    try:
        key.verify(from_base64url(line.sig), line.signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _read(line: bytes) -> SignedLine | None:
    whole = _WHOLE.fullmatch(line)
    if whole is None:
        return None
    try:
        said = json.loads(whole[1] + b"}")
    except ValueError:
        return None
    return SignedLine(said, hashlib.sha256(line).hexdigest(), whole[2].decode(), whole[1], whole[3].decode())
