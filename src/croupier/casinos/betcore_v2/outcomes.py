"""The one table of codes of this protocol: what a casino's number means, and the numbers the hub answers with.

Owns: the codes, their texts and HTTP statuses. Never: JSON. A code that stands in no row has no meaning here:
the caller decides what that is (in an acknowledgement unknown, in an accept the casino's last word).
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
"""A casino's refusals. A row of `Casino.codes` replaces the number of its reason."""

_DEFAULT_REASONS: Final = {code: reason for reason, code in DEFAULT_CODES.items()}

CodeMeaning = Literal["yes", "exists"] | CasinoNo | None


def meaning_of(code: int, casino: Casino) -> CodeMeaning:
    """What `code` means coming from this casino; None if it stands in no row.

    The two codes of success cannot be overridden, and a casino's own number goes before the default that
    another reason has: a number means one thing at one casino.
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
    """One thing the hub can say to a casino: the envelope's code and text, and the HTTP status around it."""

    status: int
    code: int
    message: str


OK: Final = HubAnswer(200, 200, "Success")
NOT_ACCEPTED: Final = HubAnswer(200, 102823, "Error accepting transaction")
"""It is final. Also for a payment that is unknown or another casino's: the same words, so that nothing is told."""
NOT_NOW: Final = HubAnswer(500, 102823, "Error accepting transaction")
"""It could not be taken in now, or it is not known whether it was: to be sent again. No casino may take it for a set of keys."""
UNREADABLE: Final = HubAnswer(400, 103752, "Incorrect request parameters")
UNAUTHORIZED: Final = HubAnswer(401, 103752, "Incorrect request parameters")
TOO_LARGE: Final = HubAnswer(413, 103752, "Incorrect request parameters")
WRONG_TYPE: Final = HubAnswer(415, 103752, "Incorrect request parameters")
NOT_VERIFIED: Final = HubAnswer(200, 103753, "Request data error")
"""`POST /auth/verify` of a JWT that is not ours, expired, sent to somebody else, or an access token."""
