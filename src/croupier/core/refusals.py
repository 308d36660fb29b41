"""Refusals: the closed list of the hub's refusals to a provider, and of a casino's refusals to the hub.

Owns: the two enums and the table between them. Never: wire codes or HTTP statuses, which are in the `outcomes` table
of each protocol. Spec: provider.md 2, casino.md 1.1.
"""

from __future__ import annotations

from croupier.core.words import Word


class Refusal(Word):
    """Reasons why the hub refuses a provider's request. The value is stored."""

    SESSION_UNKNOWN = "session_unknown"
    NOT_ENOUGH_FUNDS = "not_enough_funds"
    PLAYER_BLOCKED = "player_blocked"
    LIMIT = "limit"
    CASINO_REFUSED = "casino_refused"
    BET_UNKNOWN = "bet_unknown"
    WRONG_DATA = "wrong_data"
    CONFLICT = "conflict"
    """The bet exists with other contents, or has already ended in another way."""
    UNAUTHORIZED = "unauthorized"
    OUTCOME_UNKNOWN = "outcome_unknown"
    """Not decided yet: the provider retries or refunds."""
    NOT_TAKEN = "not_taken"
    """Nothing was written: overload, shutdown, or an open circuit breaker. Safe to retry."""
    RATE_LIMITED = "rate_limited"
    """Nothing was written: the provider, or its address, sends more than its limit. Safe to retry later."""


class CasinoNo(Word):
    """Reasons why a casino refused a payment. The value is stored beside the casino's own code."""

    NOT_ENOUGH_FUNDS = "not_enough_funds"
    USER_UNKNOWN = "user_unknown"
    USER_BLOCKED = "user_blocked"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_DATA = "wrong_data"
    NOT_ADDED = "not_added"
    BET_UNKNOWN = "bet_unknown"
    """The casino does not know the bet, which proves that no money moved."""
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
"""The answer to the provider when the casino refuses a stake (provider.md 2.2)."""
