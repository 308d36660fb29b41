"""HMAC-SHA256 over parts joined by dots, and comparison in constant time.

Owns: the computation. Never: which parts are signed, or how fresh they must be; these belong to the protocols
(provider.md 1.1 and 1.2).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence


def sign(secret: str, parts: Sequence[bytes]) -> str:
    """Return the lower-case hex HMAC-SHA256 of the parts joined by `.`; the key is the secret as UTF-8."""
    return hmac.digest(secret.encode("utf-8"), b".".join(parts), "sha256").hex()


def equal(a: str, b: str) -> bool:
    """Return whether two texts are equal, in constant time for texts of one length. Any characters are allowed."""
    return hmac.compare_digest(a.encode("utf-8", "surrogatepass"), b.encode("utf-8", "surrogatepass"))
