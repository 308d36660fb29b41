"""The payment: one money movement between hub and casino, its states and its one next action.

A payment is `created` in the transaction that decides it, together with its outgoing call. `sent` may be written
after the first byte left, so after a crash both mean "perhaps sent". A payment without an outcome is unknown, which
is not a state: it has exactly one next action with a time, its `Call`. A `parked` payment is held for review; a later
success still ends it. Only `revive` leads back: the return of a stake that was never confirmed was refused, then the
stake appeared.

Owns: the state table, the records. Never: the effect of an outcome on a bet. Spec: money.md 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.core.readings import PaymentKind
from croupier.core.words import Word


class PaymentState(Word):
    """The states of a payment; the value is stored."""

    CREATED = "created"
    """Committed with its outgoing call; perhaps sent."""
    SENT = "sent"
    """At least one attempt was made; no outcome."""
    ACCEPTED = "accepted"
    """The casino booked it."""
    REFUSED = "refused"
    """It ended without a booking."""
    EXPIRED = "expired"
    """A stake without an outcome in time; info is still queried for a while."""
    PARKED = "parked"
    """Held for review; a later success still ends it."""


class PaymentEvent(Word):
    """The events of the state table."""

    SEND = "send"
    """An attempt ended without an outcome."""
    ACCEPT = "accept"
    """The casino booked it, or a person decided so."""
    REFUSE = "refuse"
    """The casino refused it for good, or a person gave it up."""
    EXPIRE = "expire"
    """The info queries for a stake ended without an outcome."""
    PARK = "park"
    """The retry schedule is used up, or the casino has it with other contents."""
    REVIVE = "revive"
    """The payment that a refused return or cancel would have undone was confirmed later: it is owed again."""


_S, _E = PaymentState, PaymentEvent

PAYMENT_TABLE: dict[tuple[PaymentState, PaymentEvent], PaymentState] = {
    (_S.CREATED, _E.SEND): _S.SENT,
    (_S.CREATED, _E.ACCEPT): _S.ACCEPTED,
    (_S.CREATED, _E.REFUSE): _S.REFUSED,
    (_S.CREATED, _E.EXPIRE): _S.EXPIRED,
    (_S.CREATED, _E.PARK): _S.PARKED,
    (_S.SENT, _E.SEND): _S.SENT,
    (_S.SENT, _E.ACCEPT): _S.ACCEPTED,
    (_S.SENT, _E.REFUSE): _S.REFUSED,
    (_S.SENT, _E.EXPIRE): _S.EXPIRED,
    (_S.SENT, _E.PARK): _S.PARKED,
    (_S.REFUSED, _E.ACCEPT): _S.ACCEPTED,
    (_S.REFUSED, _E.REVIVE): _S.CREATED,
    (_S.EXPIRED, _E.ACCEPT): _S.ACCEPTED,
    (_S.PARKED, _E.ACCEPT): _S.ACCEPTED,
    (_S.PARKED, _E.REFUSE): _S.REFUSED,
}
"""`(state, event) -> state`. A pair that is missing here is a bug: IllegalPayment aborts the decision."""

UNDECIDED = frozenset({_S.CREATED, _S.SENT})
GIVES = frozenset({PaymentKind.PAYOUT, PaymentKind.BET_RETURN, PaymentKind.JACKPOT, PaymentKind.CASHBACK})
REVIVED = frozenset({PaymentKind.BET_RETURN, PaymentKind.CASHBACK_CANCEL})


class IllegalPayment(AssertionError):
    """An event that the table does not allow in this state."""


def next_state(kind: PaymentKind, state: PaymentState, event: PaymentEvent) -> PaymentState:
    """Return the next state by the table and its two restrictions by kind; raises IllegalPayment."""
    after = PAYMENT_TABLE.get((state, event))
    legal = after is not None and (after is not _S.EXPIRED or kind is PaymentKind.STAKE)
    if event is _E.REVIVE and kind not in REVIVED:
        legal = False
    if after is None or not legal:
        msg = f"a {kind.value} payment that is {state.value} cannot {event.value}"
        raise IllegalPayment(msg)
    return after


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment. Amounts are minor units of the subject's currency; `tax` is None if none is due."""

    subject_id: int
    kind: PaymentKind
    amount: int
    tax: int | None
    created_ms: int
    state: PaymentState = PaymentState.CREATED
    partner_tx: str | None = None
    """PartnerTransactionId, known once accepted."""
    code: int | None = None
    """The casino's own code of the last answer that was not a success."""
    reason: str | None = None
    """CasinoNo value of the last refusal."""
    message: str | None = None
    heard: str | None = None
    """Marks of outcomes that were applied without ending it (core.remembered)."""
    decided_ms: int | None = None
    unanswered: bool = False
    """True if an attempt had no outcome of its own: no later refusal proves that nothing was booked."""

    @property
    def undecided(self) -> bool:
        """True without an outcome: the casino may or may not have booked it."""
        return self.state in UNDECIDED


class Step(Word):
    """The action of a call when it is due."""

    MAKE = "make"
    INFO = "info"
    CLOSE = "close"
    REOPEN = "reopen"
    CLAIM_DUE = "claim_due"
    """Without a network call: the time to claim an unclaimed stake is over."""


SLOT_CLOSE = "close"
SLOT_CLAIM = "claim"


@dataclass(frozen=True, slots=True)
class Call:
    """The one next action in a slot of a bet or cashback: a payment's kind, `close` or `claim`.

    Until `lease_until_ms` the call is leased to `lease_owner`. `fence` is its fencing token: it rises with every
    takeover, and a result under an older one plans nothing.
    """

    slot: str
    step: Step
    due_ms: int
    failures: int = 0
    acked: bool = False
    crashes: int = 0
    """The number of times that its process died before a result came."""
    fence: int = 0
    lease_owner: str | None = None
    lease_until_ms: int = 0
