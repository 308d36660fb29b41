"""The table of the hub's refusals in betcore_v1.

Owns: `_responseCode` and HTTP status of every refusal, and of every fault found before a command exists. Never: the
choice of a refusal. Live providers abandon a stake on 2 to 8 and retry on 99, so a stake that may still be accepted
never gets 2 to 8. Spec: provider.md 2 and 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from croupier.core.refusals import Refusal


@dataclass(frozen=True, slots=True)
class WireOutcome:
    """The answer on the wire: `_responseCode` and HTTP status."""

    code: int
    status: int


SUCCESS = WireOutcome(1, 200)

REFUSALS: dict[Refusal, WireOutcome] = {
    Refusal.SESSION_UNKNOWN: WireOutcome(2, 404),
    Refusal.NOT_ENOUGH_FUNDS: WireOutcome(3, 402),
    Refusal.CASINO_REFUSED: WireOutcome(4, 403),
    Refusal.PLAYER_BLOCKED: WireOutcome(4, 403),
    Refusal.LIMIT: WireOutcome(4, 403),
    Refusal.BET_UNKNOWN: WireOutcome(5, 404),
    Refusal.WRONG_DATA: WireOutcome(6, 400),
    Refusal.CONFLICT: WireOutcome(7, 409),
    Refusal.UNAUTHORIZED: WireOutcome(8, 401),
    Refusal.OUTCOME_UNKNOWN: WireOutcome(99, 504),
    Refusal.NOT_TAKEN: WireOutcome(99, 503),
    Refusal.RATE_LIMITED: WireOutcome(99, 429),
}
"""The row of every refusal: each has exactly one, and several may share a code."""


class RequestFault(Enum):
    """A fault of a request that is found before its body is read."""

    TOO_LARGE = "too_large"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_PATH = "unknown_path"
    WRONG_METHOD = "wrong_method"


FAULTS: dict[RequestFault, WireOutcome] = {
    RequestFault.TOO_LARGE: WireOutcome(6, 413),
    RequestFault.WRONG_TYPE: WireOutcome(6, 415),
    RequestFault.UNKNOWN_PATH: WireOutcome(6, 404),
    RequestFault.WRONG_METHOD: WireOutcome(6, 405),
}

FAULT_TEXTS: dict[RequestFault, str] = {
    RequestFault.TOO_LARGE: "the body is too large",
    RequestFault.WRONG_TYPE: "the content type must be application/json",
    RequestFault.UNKNOWN_PATH: "there is no such call",
    RequestFault.WRONG_METHOD: "this call does not take that method",
}
"""Texts of the field `message`."""

NOT_TAKEN_STATUSES = frozenset({REFUSALS[Refusal.NOT_TAKEN].status, REFUSALS[Refusal.RATE_LIMITED].status})
"""The statuses of code 99 that promise nothing was written; they carry Retry-After. 429 is a rate limit, of the hub or of a proxy."""

RETRY_AFTER_S = 1
"""Default of Retry-After in seconds."""


def wire_outcome(refusal: Refusal | None) -> WireOutcome:
    """Return the row of a refusal. None is success."""
    return SUCCESS if refusal is None else REFUSALS[refusal]
