"""A compressed file of JSON lines that ends with a signature over everything before it.

Owns: the form of the file, the signature, reading line by line. Never: the contents of a line but the last, or which key is
trusted. Any change of a byte is detected, and so is a missing end. The bytes depend on the lines and the key alone, so the same
rows give the same file.

The file is gzip. Its last line is a JSON object with three more keys: `sha256`, the digest of all lines before it with their
line ends; `key`, the raw Ed25519 public key in base64url; and `sig`, the signature in base64url over everything before `,"sig"`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from croupier.kit.keys import from_base64url, to_base64url
from croupier.kit.signed_lines import public_of

LONGEST: Final = 64 * 1024 * 1024
"""Bytes of a line."""
_LEVEL: Final = 6
_END = re.compile(rb'(\{.*,"sha256":"([0-9a-f]{64})","key":"([A-Za-z0-9_-]{43})"),"sig":"([A-Za-z0-9_-]{86})"\}\n')


class FileBroken(Exception):
    """The file is not whole or not what was signed. The text names the problem."""


class SignedFileWriter:
    """Writes one file. `seed` is the 32 bytes of an Ed25519 key."""

    def __init__(self, sink: BinaryIO, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = public_of(seed)
        self._packed = gzip.GzipFile(filename="", mode="wb", fileobj=sink, compresslevel=_LEVEL, mtime=0)
        self._digest = hashlib.sha256()

    def add(self, line: str) -> None:
        """Add a line, a JSON object without line ends."""
        whole = line.encode("utf-8") + b"\n"
        if len(whole) > LONGEST:
            raise ValueError(f"a line has at most {LONGEST} bytes")
        self._digest.update(whole)
        self._packed.write(whole)

    def end(self, said: Mapping[str, Any]) -> str:
        """Write the signed last line. Return the SHA-256 of the lines before it, in hex."""
        digest = self._digest.hexdigest()
        last = {**said, "sha256": digest, "key": to_base64url(self._public)}
        signed = json.dumps(last, separators=(",", ":"), ensure_ascii=True)[:-1].encode("ascii")
        self._packed.write(signed + b',"sig":"' + to_base64url(self._key.sign(signed)).encode("ascii") + b'"}\n')
        self._packed.close()
        return digest


class SignedFileReader:
    """Reads one file. `end` and `key` are known, and the signature is verified, when `lines` has ended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.end: Mapping[str, Any] = {}
        self.key = ""
        """The public key that signed it, in base64url."""

    def lines(self) -> Iterator[bytes]:
        """Yield every line but the last. Raises FileBroken, OSError."""
        digest = hashlib.sha256()
        held: bytes | None = None
        for line in self._raw():
            if held is not None:
                digest.update(held)
                yield held
            held = line
        self._verify(held or b"", digest.hexdigest())

    def _raw(self) -> Iterator[bytes]:
        try:
            with gzip.open(self._path, "rb") as file:
                while line := file.readline(LONGEST + 1):
                    if len(line) > LONGEST or not line.endswith(b"\n"):
                        raise FileBroken("a line is not whole: the file was cut or changed")
                    yield line
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileBroken(f"it is no whole gzip file ({error}): it was cut or changed") from None

    def _verify(self, last: bytes, digest: str) -> None:
        found = _END.fullmatch(last)
        if found is None:
            raise FileBroken("its last line is no signature: the end of the file is missing")
        key = found[3].decode()
        try:
            Ed25519PublicKey.from_public_bytes(from_base64url(key)).verify(from_base64url(found[4].decode()), found[1])
            self.end = json.loads(found[1] + b"}")
        except (InvalidSignature, ValueError):
            raise FileBroken("its signature does not fit: the last line was changed") from None
        if found[2].decode() != digest:
            raise FileBroken("its lines are not those that were signed")
        self.key = key
