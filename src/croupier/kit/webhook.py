"""Signatures of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, with a secret `whsec_` and base64.

Owns: the secret's form and the three headers. Never: who is called, or retries.
Source: the specification of Standard Webhooks, version 1.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
SHORTEST: Final = 24
"""Bytes of a secret that a receiver brings."""


def secret_of(key: bytes) -> str:
    """Return a secret as both sides write it."""
    return PREFIX + base64.b64encode(key).decode("ascii")


def headers(secret: str, message_id: str, body: bytes, *, now_s: int) -> dict[str, str]:
    """Return the headers of a message. Raises ValueError for a secret that is none."""
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(now_s),
        "webhook-signature": _signature(secret, message_id, str(now_s), body=body),
    }


def _signature(secret: str, message_id: str, sent_s: str, *, body: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("the secret of a webhook is whsec_ and base64") from None
    signed = b".".join((message_id.encode(), sent_s.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode("ascii")
