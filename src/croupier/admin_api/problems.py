"""The errors of the admin API as RFC 9457 problems.

Owns: the HTTP status of each code of an error, and the bytes. Never: the codes (errors). Spec: decision 0102.
"""

from __future__ import annotations

import json
from typing import Final

MEDIA: Final = "application/problem+json"
TOO_MANY: Final = "too_many_requests"
METHOD: Final = "method_not_allowed"
TOO_LARGE: Final = "too_large"
WRONG_TYPE: Final = "wrong_type"
UNAVAILABLE: Final = "not_now"
STATUSES: Final[dict[str, tuple[int, str]]] = {
    "usage": (400, "The request cannot be read"),
    "not_signed_in": (401, "No good token"),
    "not_allowed": (403, "The account may not do this"),
    "not_found": (404, "Not found"),
    METHOD: (405, "No such method of this path"),
    "ambiguous": (409, "The name fits several"),
    "name_taken": (409, "The name is taken"),
    "refused": (409, "Refused"),
    TOO_LARGE: (413, "The body is too large"),
    WRONG_TYPE: (415, "The body is not declared as JSON"),
    TOO_MANY: (429, "Too many requests"),
    "bug": (500, "A bug of the hub"),
    "books": (500, "The books would not balance"),
    "key": (500, "The hub's key file does not fit"),
    "peer": (502, "The other side did not answer"),
    "busy": (503, "Other work had the same rows"),
    "database": (503, "The database is away"),
    UNAVAILABLE: (503, "Not available now"),
}
"""The status and title of each code."""
TO_DO: Final[dict[str, str]] = {
    "usage": "Correct the `field` that is named.",
    "not_signed_in": "Send the token of an open account as bearer.",
    "not_allowed": "Ask somebody whose role or scope allows it.",
    "not_found": "It is not there, or not yours to see.",
    METHOD: "Look at the method.",
    "ambiguous": "Give the id.",
    "name_taken": "Choose another name.",
    "refused": "Read `detail`: it says why and what to do.",
    TOO_LARGE: "Send less than 64 KB.",
    WRONG_TYPE: "Send `Content-Type: application/json`.",
    TOO_MANY: "Wait for `Retry-After` seconds.",
    "bug": "Look into the hub's log.",
    "books": "Look at the incidents.",
    "key": "Put the key file back.",
    "peer": "Check its address and that it runs, and try again.",
    "busy": "Ask again.",
    "database": "Ask again after a moment.",
    UNAVAILABLE: "Ask again after a moment.",
}


def problem(code: str, detail: str, *, field: str | None = None) -> tuple[int, bytes]:
    """Return the status and the JSON of a problem."""
    status, title = STATUSES[code]
    told: dict[str, object] = {
        "type": f"urn:croupier:problem:{code}", "title": title, "status": status, "code": code, "detail": detail,
    }  # fmt: skip
    if field is not None:
        told["field"] = field
    return status, json.dumps(told, separators=(",", ":")).encode()
