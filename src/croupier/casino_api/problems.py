"""The errors of this API as RFC 9457 problems: a closed list of codes, each with a status and a stable `type`.

Owns: the list, and the bytes of a problem. Never: when one is answered. Spec: casino.md 3.6.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Final

from croupier.core.availability import Rule

MEDIA: Final = "application/problem+json"
_TYPE: Final = "urn:croupier:problem:"


class ProblemCode(Enum):
    """The codes, each with its HTTP status and title. The value never changes."""

    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN_ORIGIN = "forbidden_origin"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_AVAILABLE = "not_available"
    PLAYER_REFUSED = "player_refused"
    CODE_NOT_VALID = "code_not_valid"
    TOO_LARGE = "too_large"
    WRONG_TYPE = "wrong_type"
    TOO_MANY_REQUESTS = "too_many_requests"
    PEER_UNANSWERED = "peer_unanswered"
    NOT_NOW = "not_now"


_SAYS: Final[dict[ProblemCode, tuple[int, str]]] = {
    ProblemCode.BAD_REQUEST: (400, "The request cannot be read"),
    ProblemCode.UNAUTHORIZED: (401, "No good bearer, id or secret"),
    ProblemCode.FORBIDDEN_ORIGIN: (403, "This web page may not ask"),
    ProblemCode.NOT_FOUND: (404, "Not found"),
    ProblemCode.METHOD_NOT_ALLOWED: (405, "No such method of this path"),
    ProblemCode.NOT_AVAILABLE: (409, "The game is not available"),
    ProblemCode.PLAYER_REFUSED: (403, "The player may not play"),
    ProblemCode.CODE_NOT_VALID: (410, "The launch code opens nothing"),
    ProblemCode.TOO_LARGE: (413, "The body is too large"),
    ProblemCode.WRONG_TYPE: (415, "The body is not declared as JSON"),
    ProblemCode.TOO_MANY_REQUESTS: (429, "Too many requests"),
    ProblemCode.PEER_UNANSWERED: (502, "The other side did not answer"),
    ProblemCode.NOT_NOW: (503, "Not available now"),
}


_TO_DO: Final[dict[ProblemCode, str]] = {
    ProblemCode.BAD_REQUEST: "Correct the `field` that is named.",
    ProblemCode.UNAUTHORIZED: "Get a new token; see whether the casino is closed.",
    ProblemCode.FORBIDDEN_ORIGIN: "Add the page's origin to the casino's `origins`.",
    ProblemCode.NOT_FOUND: "It is not there, or it is not yours.",
    ProblemCode.METHOD_NOT_ALLOWED: "Look at the method.",
    ProblemCode.NOT_AVAILABLE: "Ask `GET /games/{gameId}/why`.",
    ProblemCode.PLAYER_REFUSED: "Tell the player what `rule` says: blocked, excluded, another currency.",
    ProblemCode.CODE_NOT_VALID: "Launch again: a code lives 60 s and works once.",
    ProblemCode.TOO_LARGE: "Send less than 64 KB.",
    ProblemCode.WRONG_TYPE: "Send `Content-Type: application/json`.",
    ProblemCode.TOO_MANY_REQUESTS: "Wait for `Retry-After` seconds.",
    ProblemCode.PEER_UNANSWERED: "The provider, or the casino's `users/auth`, did not answer: try again.",
    ProblemCode.NOT_NOW: "Ask again after a moment.",
}


@dataclass(eq=False)
class Problem(Exception):
    """One problem: the code, what is wrong in words, the field at fault, the rule, and when to ask again."""

    code: ProblemCode
    detail: str
    field: str | None = None
    rule: Rule | None = None
    retry_after_s: int | None = None

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _SAYS[self.code][0]

    def body(self) -> bytes:
        """Return the JSON of the problem."""
        told: dict[str, object] = {
            "type": _TYPE + self.code.value,
            "title": _SAYS[self.code][1],
            "status": self.status,
            "code": self.code.value,
            "detail": self.detail,
        }
        if self.field is not None:
            told["field"] = self.field
        if self.rule is not None:
            told["rule"] = self.rule.value
        return json.dumps(told, separators=(",", ":")).encode()

    def headers(self) -> dict[str, str]:
        """Return the headers that go with it."""
        told = {"Cache-Control": "no-store"}
        if self.status == 401:
            told["WWW-Authenticate"] = "Bearer"
        if self.retry_after_s is not None:
            told["Retry-After"] = str(self.retry_after_s)
        return told


def status_of(code: ProblemCode) -> int:
    """Return the HTTP status of a code."""
    return _SAYS[code][0]


def title_of(code: ProblemCode) -> str:
    """Return the title of a code."""
    return _SAYS[code][1]


def to_do(code: ProblemCode) -> str:
    """Return what the caller does about a code."""
    return _TO_DO[code]


def bad(field: str, why: str) -> Problem:
    """Return the problem of one field."""
    return Problem(ProblemCode.BAD_REQUEST, f"{field} {why}", field)
