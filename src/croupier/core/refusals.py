"""The closed list of ways the hub says no to a provider, and the ways a casino says no to the hub.

Owns: the two enums and the one table between them. Never: wire codes or HTTP statuses, which live
in the `outcomes` table of each protocol. Spec: provider.md 2, casino.md 1.1.
"""

from __future__ import annotations

from enum import Enum


class Refusal(Enum):
    """Why a provider's request is not answered with success. The value is what is stored."""

    SESSION_UNKNOWN = "session_unknown"
    NOT_ENOUGH_FUNDS = "not_enough_funds"
    PLAYER_BLOCKED = "player_blocked"
    LIMIT = "limit"
    CASINO_REFUSED = "casino_refused"
    BET_UNKNOWN = "bet_unknown"
    WRONG_DATA = "wrong_data"
    CONFLICT = "conflict"
    """The bet exists with other contents, or is already finished otherwise."""
    UNAUTHORIZED = "unauthorized"
    OUTCOME_UNKNOWN = "outcome_unknown"
    """Not decided yet: the provider repeats or refunds."""
    NOT_TAKEN = "not_taken"
    """Nothing was written: overload, shutting down, breaker open. Safe to repeat."""


class CasinoNo(Enum):
    """Why a casino refused a payment. The value is what is stored beside the casino's own code."""

    NOT_ENOUGH_FUNDS = "not_enough_funds"
    USER_UNKNOWN = "user_unknown"
    USER_BLOCKED = "user_blocked"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_DATA = "wrong_data"
    NOT_ADDED = "not_added"
    BET_UNKNOWN = "bet_unknown"
    """The proof that nothing moved: the casino has never seen this bet."""
    OTHER = "other"


CASINO_NO_TO_REFUSAL: dict[CasinoNo, Refusal] = {
    CasinoNo.NOT_ENOUGH_FUNDS: Refusal.NOT_ENOUGH_FUNDS,
    CasinoNo.USER_BLOCKED: Refusal.PLAYER_BLOCKED,
    CasinoNo.USER_UNKNOWN: Refusal.PLAYER_BLOCKED,
    CasinoNo.WRONG_AMOUNT: Refusal.WRONG_DATA,
    CasinoNo.WRONG_DATA: Refusal.WRONG_DATA,
    CasinoNo.NOT_ADDED: Refusal.CASINO_REFUSED,
    CasinoNo.BET_UNKNOWN: Refusal.CASINO_REFUSED,
    CasinoNo.OTHER: Refusal.CASINO_REFUSED,
}
"""What the provider is told when the casino refuses a stake (provider.md 2.2)."""
