"""The token that `negotiate` gives and the socket brings back: signed and short-lived, so that any worker can take it.

Owns: its form. It admits nobody, the access token does: it only keeps a connection's id. Never: keys, time.
Contract: feed.md 3.2.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Final

VALID_S: Final = 60
"""Seconds between negotiate and the socket."""
ID_BYTES: Final = 16
_FORM = re.compile(r"([0-9a-f]{32})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})", re.ASCII)


def issue(key: bytes, connection_id: str, casino_id: int, *, now_s: int) -> str:
    """A token for this connection of this casino."""
    expires_s = now_s + VALID_S
    return f"{connection_id}.{expires_s}.{_signature(key, f'{connection_id} {casino_id} {expires_s}')}"


def connection_id(key: bytes, token: str, casino_id: int, *, now_s: int) -> str | None:
    """The connection's id, or None for a token that is none, of another casino, or expired."""
    parts = _FORM.fullmatch(token)
    if parts is None or int(parts[2]) <= now_s:
        return None
    signed = _signature(key, f"{parts[1]} {casino_id} {parts[2]}")
    return parts[1] if hmac.compare_digest(signed, parts[3]) else None


def _signature(key: bytes, signed: str) -> str:
    return (
        base64.urlsafe_b64encode(hmac.digest(key, signed.encode("ascii"), hashlib.sha256)).decode("ascii").rstrip("=")
    )
