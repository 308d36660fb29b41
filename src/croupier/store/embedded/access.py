"""Access to an embedded database: only a client that knows the password in its home may connect.

Owns: the password's file, its verifier, and the server's access list (pg_hba.conf). Never: starting
anything. Decided in docs/decisions/0031.

The password is 32 random bytes, so one round of SCRAM is as safe as thousands, and a connection costs no time. The server
receives the verifier alone: the password is in no statement, no argument and no log.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from croupier.kit.seal import sync_folder

FILE = "postgres.password"
"""The password's file in the home; mode 600, owned by the home's owner."""
_WELL_FORMED = re.compile(r"[0-9a-f]{64}")
_ROUNDS = 1


def password_of(home: Path) -> str | None:
    """Return the password of the home's database, None if it has none yet. Raises OSError if the caller may not read it."""
    try:
        told = (home / FILE).read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return told if _WELL_FORMED.fullmatch(told) else None


def make_password(home: Path) -> str:
    """Make a new password, durable before anybody receives it. The caller holds the home's start lock."""
    made = secrets.token_hex(32)
    draft = home / f".{FILE}.new"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        if os.geteuid() == 0:
            owner = home.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        file.write(made + "\n")
        file.flush()
        os.fsync(descriptor)
    draft.replace(home / FILE)
    sync_folder(home)
    return made


def verifier(password: str) -> str:
    """Return the verifier that the server keeps of a password (RFC 5803). Nobody can log in with it."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _ROUNDS)
    stored = hashlib.sha256(_keyed(salted, b"Client Key")).digest()
    parts = (_text(salt), f"{_text(stored)}:{_text(_keyed(salted, b'Server Key'))}")
    return f"SCRAM-SHA-256${_ROUNDS}:{parts[0]}${parts[1]}"


def access_list(password: str) -> str:
    """Return the whole pg_hba.conf. It holds a fingerprint of its password, so that a replaced password is noticed."""
    mark = hashlib.sha256(password.encode("ascii")).hexdigest()[:16]
    return f"# Written by croupier for password {mark}: nobody is let in without it.\nlocal all all scram-sha-256\n"


def _keyed(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, "sha256").digest()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
