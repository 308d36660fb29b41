"""A receiver of Standard Webhooks, written from the specification: it shares no code with the hub."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

TOLERANCE_S = 300


def is_genuine(secret: str, received: Mapping[str, str], body: bytes, *, now_s: int) -> bool:
    """Whether these headers (names in lower case) belong to this body, and are not old."""
    message_id, sent_s = received.get("webhook-id", ""), received.get("webhook-timestamp", "")
    if not (sent_s.isascii() and sent_s.isdigit()) or abs(now_s - int(sent_s)) > TOLERANCE_S:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{sent_s}.".encode() + body
    good = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return good in received.get("webhook-signature", "").split(" ")
