"""A payment: one money movement between hub and casino, its states and its one next action.

A payment is `created` in the transaction that decides it, together with the call that must go out. `sent`
may be written later than the first byte left, so after a crash both mean "perhaps sent". A payment without
an outcome is unknown; that is no state and no guess: it has an owner (the hub) and exactly one next
action with a time, its `Call`. `parked` waits for a person; a later success still ends it. The only way
back is `revive`: the return of a stake that was never confirmed was refused, then the stake appeared.

Owns: the table, the records. Never: what an outcome means for a bet. Spec: money.md 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from croupier.core.readings import PaymentKind


class PaymentState(Enum):
    """Where a payment stands; the value is what is stored."""

    CREATED = "created"
    """Committed with its outgoing call; perhaps sent."""
    SENT = "sent"
    """At least one try was made; no outcome."""
    ACCEPTED = "accepted"
    """The casino booked it."""
    REFUSED = "refused"
    """It ended unbooked."""
    EXPIRED = "expired"
    """A stake without an outcome in time; asked after a little longer."""
    PARKED = "parked"
    """A person must look; a later success still ends it."""


class PaymentEvent(Enum):
    """What can happen to a payment."""

    SEND = "send"
    """A try ended without an outcome."""
    ACCEPT = "accept"
    """The casino booked it, or a person says so."""
    REFUSE = "refuse"
    """The casino refused it for good, or a person gave it up."""
    EXPIRE = "expire"
    """The questions after a stake ended without an outcome."""
    PARK = "park"
    """The schedule is used up, or the casino has it with other contents."""
    REVIVE = "revive"
    """What a refused return or cancel was to undo was confirmed after all: it is wanted again."""


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
"""`(state, event) -> state`; a pair that is not here is a bug (IllegalPayment) and aborts the decision."""

UNDECIDED = frozenset({_S.CREATED, _S.SENT})
GIVES = frozenset({PaymentKind.PAYOUT, PaymentKind.BET_RETURN, PaymentKind.JACKPOT, PaymentKind.CASHBACK})
REVIVED = frozenset({PaymentKind.BET_RETURN, PaymentKind.CASHBACK_CANCEL})
TAKES_BACK = frozenset({PaymentKind.PAYOUT_RETURN, PaymentKind.CASHBACK_CANCEL})


class IllegalPayment(AssertionError):
    """A payment was asked to do what the table does not know."""


def next_state(kind: PaymentKind, state: PaymentState, event: PaymentEvent) -> PaymentState:
    """The table, with its two restrictions by kind; raises IllegalPayment."""
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
    """One payment. Amounts are minor units of the subject's currency, `tax` None where none is due."""

    subject_id: int
    kind: PaymentKind
    amount: int
    tax: int | None
    created_ms: int
    state: PaymentState = PaymentState.CREATED
    partner_tx: str | None = None
    """PartnerTransactionId, known once accepted."""
    code: int | None = None
    """The casino's last own code that was not a success."""
    reason: str | None = None
    """CasinoNo value of the last refusal."""
    message: str | None = None
    heard: str | None = None
    """Words of the casino that were taken in and did not end it (core.remembered)."""
    decided_ms: int | None = None
    unanswered: bool = False
    """Some try of it went without an outcome of its own: no later refusal proves that nothing was booked."""

    @property
    def undecided(self) -> bool:
        """No outcome yet: the casino may or may not have booked it."""
        return self.state in UNDECIDED


class Step(Enum):
    """What a call does when it is due."""

    MAKE = "make"
    INFO = "info"
    CLOSE = "close"
    REOPEN = "reopen"
    CLAIM_DUE = "claim_due"
    """No network: the time in which an unclaimed stake could be claimed is over."""


SLOT_CLOSE = "close"
SLOT_CLAIM = "claim"


@dataclass(frozen=True, slots=True)
class Call:
    """The one next action in a slot of a bet or cashback: a payment's kind, `close` or `claim`.

    While `lease_until_ms` is ahead the call belongs to `lease_owner`; `fence` rises with every takeover,
    and a result that comes back under an older fence changes nothing.
    """

    slot: str
    step: Step
    due_ms: int
    failures: int = 0
    acked: bool = False
    crashes: int = 0
    """How often its process died before a result came."""
    fence: int = 0
    lease_owner: str | None = None
    lease_until_ms: int = 0
