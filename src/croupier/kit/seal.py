"""Encryption of secrets at rest: AES-256-GCM, each secret bound to its table, column and row.

Owns: the encrypted format, and the choice of the key. Never: the secrets or their storage; kit.key_file owns the key
file. A secret is shown once (operate.md 2) and stored encrypted.

The format is one version byte, the first four bytes of the key's id, a random 12-byte nonce, and the ciphertext with
its 16-byte tag. The bytes before the nonce and the place are associated data, so a value copied to another row or
column does not decrypt. Version 1, without a key id, is still read by trying every key.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from croupier.kit.key_file import (
    KEY_BYTES,
    KeyFileRefused,
    Ring,
    load_or_make_key,
    load_or_make_ring,
    read_ring,
    sync_folder,
)

__all__ = ["KeyFileRefused", "Lineage", "SealBroken", "Sealer", "load_or_make_key", "sync_folder"]

_WITHOUT_ID = b"\x01"
_VERSION = b"\x02"
_ID_BYTES = 4
_NONCE_BYTES = 12
_TAG_BYTES = 16


class SealBroken(Exception):
    """The bytes were changed, belong to another place, or were encrypted with another key."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Derived keys of one purpose: of the newest key, of the older keys, and public keys of former signers."""

    seed: bytes
    older: tuple[bytes, ...]
    signed: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Held:
    """The keys in use, replaced as a whole: a thread may replace them while another one encrypts."""

    ring: Ring
    ciphers: dict[bytes, AESGCM]
    """By the first bytes of the values that each encrypts."""


class Sealer:
    """Encrypts with one key of 32 bytes; decrypts with that key and older ones.

    `seal` and `open` block on the disk of the key file. Code in an event loop awaits `sealed` and `opened`: a disk that hangs
    must not stop the loop.
    """

    def __init__(self, key: bytes, *older: bytes) -> None:
        self._path: Path | None = None
        self._stamp: tuple[int, ...] = ()
        self._hold(Ring((key, *older)))

    @classmethod
    def of_file(cls, path: Path, *, may_make: bool = True) -> Self:
        """Return a sealer for this key file; it follows a replacement of the file. Raises KeyFileRefused, OSError."""
        ring = load_or_make_ring(path, may_make=may_make)
        made = cls(*ring.keys)
        made._path = path
        made.refresh()
        return made

    def seal(self, plain: bytes, place: str) -> bytes:
        """Encrypt for one place, written `table.column.rowid`. The result differs each time."""
        # Never encrypt with a key that has just been replaced.
        self.refresh()
        return self.encrypt(plain, place)

    async def sealed(self, plain: bytes, place: str) -> bytes:
        """Return what `seal` returns; the key file is looked at in a thread."""
        if self._path is not None:
            await asyncio.to_thread(self.refresh)
        return self.encrypt(plain, place)

    def encrypt(self, plain: bytes, place: str) -> bytes:
        """Encrypt with the newest key as last read. For a value that is not stored: the key may have been replaced."""
        held = self._held
        head = _mark_of(held.ring.keys[0])
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return head + nonce + held.ciphers[head].encrypt(nonce, plain, _bound(head, place))

    def open(self, sealed: bytes, place: str) -> bytes:
        """Return the plain text; raises SealBroken. If no key fits, the key file is read again."""
        plain = self._try(sealed, place)
        if plain is None and self.refresh():
            plain = self._try(sealed, place)
        if plain is None:
            raise SealBroken(place)
        return plain

    async def opened(self, sealed: bytes, place: str) -> bytes:
        """Return what `open` returns; the key file is read in a thread."""
        plain = self._try(sealed, place)
        if plain is None and self._path is not None and await asyncio.to_thread(self.refresh):
            plain = self._try(sealed, place)
        if plain is None:
            raise SealBroken(place)
        return plain

    def mark(self) -> bytes:
        """Return the first bytes of every value encrypted with the newest key."""
        return _mark_of(self._held.ring.keys[0])

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes derived from the newest key for one purpose; they reveal neither the key nor other purposes."""
        return _derived(self._held.ring.keys[0], f"croupier {purpose}")

    def lineage(self, purpose: str) -> Lineage:
        """Return the derived keys of one purpose, older keys included."""
        ring = self._held.ring
        derived = [_derived(key, f"croupier {purpose}") for key in ring.keys]
        return Lineage(derived[0], tuple(derived[1:]), ring.signed)

    def refresh(self) -> bool:
        """Read the key file again if it was replaced; return whether it was. A read error changes nothing."""
        if self._path is None:
            return False
        try:
            found = self._path.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp == self._stamp:
                return False
            self._hold(read_ring(self._path))
        except (OSError, KeyFileRefused):
            return False
        self._stamp = stamp
        return True

    def _hold(self, ring: Ring) -> None:
        for key in ring.keys:
            if len(key) != KEY_BYTES:
                raise ValueError(f"a sealing key has {KEY_BYTES} bytes, not {len(key)}")
        self._held = _Held(ring, {_mark_of(key): AESGCM(key) for key in ring.keys})

    def _try(self, sealed: bytes, place: str) -> bytes | None:
        ciphers = self._held.ciphers
        if sealed[:1] == _WITHOUT_ID:
            tried = (_opened(cipher, sealed, head=_WITHOUT_ID, place=place) for cipher in ciphers.values())
            return next((plain for plain in tried if plain is not None), None)
        head = sealed[: 1 + _ID_BYTES]
        cipher = ciphers.get(head)
        return None if cipher is None else _opened(cipher, sealed, head=head, place=place)


def _opened(cipher: AESGCM, sealed: bytes, *, head: bytes, place: str) -> bytes | None:
    body = sealed[len(head) :]
    if len(body) < _NONCE_BYTES + _TAG_BYTES:
        return None
    try:
        return cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _bound(head, place))
    except InvalidTag:
        return None


def _mark_of(key: bytes) -> bytes:
    return _VERSION + _derived(key, "croupier, the id of this key")[:_ID_BYTES]


def _derived(key: bytes, info: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=info.encode("utf-8")).derive(key)


def _bound(head: bytes, place: str) -> bytes:
    return head + place.encode("utf-8")
