"""The request signatures of the sandbox studio, in both directions. Spec: provider.md 1.1 to 1.3.

Owns: the headers, the signed parts, freshness and replay protection. Never: the contents of a body.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Mapping

from croupier.kit import hmac

FRESH_MS = 30_000
_REQUEST_ID = re.compile(r"[0-9a-f]{32}")
_TIMESTAMP = re.compile(r"[0-9]{13}")


def compact(document: Mapping[str, object]) -> bytes:
    """Return the bytes to send and to sign: JSON with sorted keys and without white space."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signature(secret: str, *, counterparty: str, timestamp: str, request_id: str, body: bytes) -> str:
    """Return the value of X-Sign. An empty body is not part of it."""
    parts = [counterparty.encode(), timestamp.encode(), request_id.encode()]
    return hmac.sign(secret, [body, *parts] if body else parts)


def signed_headers(secret: str, *, counterparty: str, now_ms: int, request_id: str, body: bytes) -> dict[str, str]:
    """Return the four headers of one request."""
    timestamp = str(now_ms)
    return {
        "X-Counterparty-Id": counterparty,
        "X-Timestamp": timestamp,
        "X-Request-Id": request_id,
        "X-Sign": signature(secret, counterparty=counterparty, timestamp=timestamp, request_id=request_id, body=body),
    }


class RequestVerifier:
    """Verifies the hub's signatures, with replay protection."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, int] = OrderedDict()

    def problem(
        self, headers: Mapping[str, str], body: bytes, *, counterparty: str, secret: str, now_ms: int
    ) -> str | None:
        """Return why this request is refused, as text for the log, or None. The names in `headers` are lower case."""
        timestamp, request_id = headers.get("x-timestamp", ""), headers.get("x-request-id", "")
        if headers.get("x-counterparty-id") != counterparty:
            return "another counterparty"
        if not _TIMESTAMP.fullmatch(timestamp) or abs(int(timestamp) - now_ms) > FRESH_MS:
            return "the timestamp is not milliseconds of now"
        if not _REQUEST_ID.fullmatch(request_id):
            return "the request id is not 32 hex digits"
        right = signature(secret, counterparty=counterparty, timestamp=timestamp, request_id=request_id, body=body)
        if not hmac.equal(headers.get("x-sign", ""), right):
            return "the signature does not hold"
        return None if self._first_time(request_id, now_ms) else "the request id came before"

    def _first_time(self, request_id: str, now_ms: int) -> bool:
        while self._seen and next(iter(self._seen.values())) < now_ms - 2 * FRESH_MS:
            self._seen.popitem(last=False)
        if request_id in self._seen:
            return False
        self._seen[request_id] = now_ms
        return True
