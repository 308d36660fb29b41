"""The cashback: money given to a player outside any bet, and its cancellation.

A cashback is `owed` until the casino accepts it (`paid`). A cancel waits for that outcome (`cancel_wanted`). A paid
cashback is taken back (`taking_back`) and ends `cancelled`, or `kept` if the casino refuses. A refused one is
`cancelled` at once and not retried. `given_up` is a person's decision.

Owns: the record, the states, the state table. Never: sends anything. Spec: money.md 2.6, 2.7, 2.9 and 6.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from croupier.core.payment import Call, Payment
from croupier.core.readings import PaymentKind
from croupier.core.words import Word


class CashbackState(Word):
    """The states of a cashback; the value is stored."""

    OWED = "owed"
    """Decided; the casino has not accepted it."""
    PAID = "paid"
    """The casino paid it."""
    CANCEL_WANTED = "cancel_wanted"
    """A cancel waits for the outcome."""
    TAKING_BACK = "taking_back"
    """Paid; the cancel was sent to the casino."""
    CANCELLED = "cancelled"
    """Never paid, or taken back."""
    KEPT = "kept"
    """The casino refused to take it back; the cashback stays paid and is held for review."""
    GIVEN_UP = "given_up"
    """A person ended it unpaid."""


class CashbackEvent(Word):
    """The events of the state table."""

    ACCEPTED = "accepted"
    """The casino paid it."""
    REFUSED_FOR_GOOD = "refused_for_good"
    """The casino refused a cashback with a cancel pending; it is not retried."""
    CANCEL = "cancel"
    """Its cancellation was requested."""
    CANCEL_ACCEPTED = "cancel_accepted"
    """The casino took it back."""
    CANCEL_REFUSED = "cancel_refused"
    """The casino refused to take it back, or a person gave up the cancel."""
    GIVE_UP = "give_up"
    """A person ended it unpaid."""


_S, _E = CashbackState, CashbackEvent

CASHBACK_TABLE: dict[tuple[CashbackState, CashbackEvent], CashbackState] = {
    (_S.OWED, _E.ACCEPTED): _S.PAID,
    (_S.OWED, _E.CANCEL): _S.CANCEL_WANTED,
    (_S.OWED, _E.GIVE_UP): _S.GIVEN_UP,
    (_S.CANCEL_WANTED, _E.ACCEPTED): _S.TAKING_BACK,
    (_S.CANCEL_WANTED, _E.REFUSED_FOR_GOOD): _S.CANCELLED,
    (_S.CANCEL_WANTED, _E.GIVE_UP): _S.CANCELLED,
    (_S.PAID, _E.CANCEL): _S.TAKING_BACK,
    (_S.TAKING_BACK, _E.CANCEL_ACCEPTED): _S.CANCELLED,
    (_S.TAKING_BACK, _E.CANCEL_REFUSED): _S.KEPT,
    (_S.KEPT, _E.CANCEL_ACCEPTED): _S.CANCELLED,
    (_S.CANCELLED, _E.ACCEPTED): _S.TAKING_BACK,
    (_S.GIVEN_UP, _E.ACCEPTED): _S.PAID,
}
"""`(state, event) -> state`. A pair that is missing here is a bug (IllegalCashback)."""


class IllegalCashback(AssertionError):
    """An event that the table does not allow in this state."""


def next_cashback_state(state: CashbackState, event: CashbackEvent) -> CashbackState:
    """Return the next state by the table; raises IllegalCashback."""
    after = CASHBACK_TABLE.get((state, event))
    if after is None:
        msg = f"a cashback that is {state.value} does not allow {event.value}"
        raise IllegalCashback(msg)
    return after


@dataclass(frozen=True, slots=True)
class Cashback:
    """One cashback with its payments and next actions. `amount` is minor units of `currency`."""

    cashback_id: int
    casino_id: int
    player_id: int
    player_ref: str
    currency: str
    amount: int
    ref: str
    """The caller's own reference, unique per casino."""
    created_ms: int
    state: CashbackState = CashbackState.OWED
    version: int = 0
    tag_id: int | None = None
    payments: Mapping[PaymentKind, Payment] = field(default_factory=dict)
    calls: Mapping[str, Call] = field(default_factory=dict)

    @property
    def subject_id(self) -> int:
        """The id carried by its payments, calls, entries and events."""
        return self.cashback_id
