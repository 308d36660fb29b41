"""The table of codes of this protocol: the meaning of a casino's codes, and the codes of the hub's answers.

Owns: the codes, their texts and HTTP statuses. Never: JSON. A code without a row has no meaning here:
the caller decides (an acknowledgement becomes unknown, an accept a final refusal).
Spec: casino.md 1.1 and 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from croupier.core.counterparty import Casino
from croupier.core.refusals import CasinoNo

SUCCESS: Final = 200
EXISTS: Final = 103804

DEFAULT_CODES: Final[dict[CasinoNo, int]] = {
    CasinoNo.USER_UNKNOWN: 102145,
    CasinoNo.WRONG_AMOUNT: 103801,
    CasinoNo.NOT_ADDED: 102823,
    CasinoNo.USER_BLOCKED: 103779,
    CasinoNo.WRONG_DATA: 103753,
    CasinoNo.NOT_ENOUGH_FUNDS: 103802,
    CasinoNo.BET_UNKNOWN: 103805,
}
"""The default codes of a casino's refusals. A row of `Casino.codes` replaces the code of its reason."""

_DEFAULT_REASONS: Final = {code: reason for reason, code in DEFAULT_CODES.items()}

CodeMeaning = Literal["yes", "exists"] | CasinoNo | None


def meaning_of(code: int, casino: Casino) -> CodeMeaning:
    """Return the meaning of `code` at this casino, or None if it is in no row.

    The two success codes cannot be overridden. A casino's own code takes precedence over the default code of
    another reason, so that a code has one meaning at one casino.
    """
    if code == SUCCESS:
        return "yes"
    if code == EXISTS:
        return "exists"
    for reason, own in casino.codes.items():
        if own == code:
            return reason
    reason_by_default = _DEFAULT_REASONS.get(code)
    return None if reason_by_default in casino.codes else reason_by_default


@dataclass(frozen=True, slots=True)
class HubAnswer:
    """One answer of the hub to a casino: HTTP status, and the code and text of the envelope."""

    status: int
    code: int
    message: str


OK: Final = HubAnswer(200, 200, "Success")
NOT_ACCEPTED: Final = HubAnswer(200, 102823, "Error accepting transaction")
"""A final refusal. An unknown payment and another casino's payment get the same text, so that it discloses nothing."""
NOT_NOW: Final = HubAnswer(500, 102823, "Error accepting transaction")
"""The accept was not processed, or its result is not known: the casino retries. Its status also keeps it from being cached as keys."""
UNREADABLE: Final = HubAnswer(400, 103752, "Incorrect request parameters")
UNAUTHORIZED: Final = HubAnswer(401, 103752, "Incorrect request parameters")
TOO_LARGE: Final = HubAnswer(413, 103752, "Incorrect request parameters")
WRONG_TYPE: Final = HubAnswer(415, 103752, "Incorrect request parameters")
RATE_LIMITED: Final = HubAnswer(429, 103752, "Incorrect request parameters")
"""Only `auth/token` is limited, never an accept."""
NOT_VERIFIED: Final = HubAnswer(200, 103753, "Request data error")
"""The answer to a `POST /auth/verify` of an expired or foreign JWT, one sent to another casino, or an access token."""
