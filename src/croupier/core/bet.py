"""A bet: one stake and all money that follows it, from the provider's ask to the last outcome.

A bet starts `asked`: its stake is with the casino. Accepted while a provider waits makes it `on`; accepted
with nobody waiting makes it `unclaimed` until a repeat claims it or its time is over. A refund of a stake in
flight makes it `unwanted`: whatever the casino then says, the bet will not be on. `refused`, `expired` and
`cancelled` have no stake at the casino as far as we know; a late accept turns each into `returned`.
`settled` owes a win (or 0). Undoing a settled bet takes the payout back first (`undoing`); a casino that
refuses that leaves it `disputed`. `returned` owes the stake back or has given it. A `tombstone` marks a
refund that came before its bet.

Owns: the record, the states, their table. Never: what a request or an outcome does (requests, outcomes).
Spec: money.md 3, provider.md 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from croupier.core.payment import Call, Payment, PaymentState
from croupier.core.readings import PaymentKind


class BetState(Enum):
    """Where a bet stands; the value is what is stored."""

    ASKED = "asked"
    """The stake is with the casino and has no outcome."""
    UNWANTED = "unwanted"
    """As asked, but a refund came: whatever the casino says, the bet will not be on."""
    UNCLAIMED = "unclaimed"
    """The stake was accepted when nobody waited; a repeat may still claim it."""
    ON = "on"
    """The stake is taken and the provider may be told so."""
    REFUSED = "refused"
    """The casino did not take the stake."""
    EXPIRED = "expired"
    """The stake got no outcome in time; as far as we know it was not taken."""
    CANCELLED = "cancelled"
    """Refunded, and as far as we know the stake was not taken."""
    TOMBSTONE = "tombstone"
    """A refund came before its bet; the bet will never be."""
    SETTLED = "settled"
    """The win, or 0, is owed or paid."""
    UNDOING = "undoing"
    """A settled bet was refunded and its payout must come back first."""
    DISPUTED = "disputed"
    """The casino refused to give the payout back; the bet stays settled and a person looks."""
    RETURNED = "returned"
    """The stake is owed back or has been given back."""


class BetEvent(Enum):
    """What can happen to a bet."""

    ACCEPTED_WAITED = "accepted_waited"
    """The stake was accepted while a provider waited for it."""
    ACCEPTED_UNWAITED = "accepted_unwaited"
    """The stake was accepted when nobody waited for it any more."""
    ACCEPTED_LATE = "accepted_late"
    """The stake was accepted for a bet that is not wanted any more."""
    STAKE_REFUSED = "stake_refused"
    """The casino refused the stake, or a person gave it up."""
    STAKE_EXPIRED = "stake_expired"
    """The schedule of questions ended without an outcome."""
    CLAIMED = "claimed"
    """A repeat of the pay-in, or a pay-out, came in time."""
    CLAIM_OVER = "claim_over"
    """The time in which the stake could be claimed is over."""
    SETTLE = "settle"
    """A pay-out came, or the bet carried its win from the start."""
    REFUND = "refund"
    """The provider undid the bet, or a person did."""
    REFUND_PAID = "refund_paid"
    """Refund of a settled bet whose payout must be taken back first."""
    PAYOUT_TAKEN_BACK = "payout_taken_back"
    """The casino gave the payout back, or it was never paid."""
    PAYOUT_KEPT = "payout_kept"
    """The casino refused to give the payout back."""


_S, _E = BetState, BetEvent

BET_TABLE: dict[tuple[BetState, BetEvent], BetState] = {
    (_S.ASKED, _E.ACCEPTED_WAITED): _S.ON,
    (_S.ASKED, _E.ACCEPTED_UNWAITED): _S.UNCLAIMED,
    (_S.ASKED, _E.STAKE_REFUSED): _S.REFUSED,
    (_S.ASKED, _E.STAKE_EXPIRED): _S.EXPIRED,
    (_S.ASKED, _E.REFUND): _S.UNWANTED,
    (_S.UNWANTED, _E.ACCEPTED_LATE): _S.RETURNED,
    (_S.UNWANTED, _E.STAKE_REFUSED): _S.CANCELLED,
    (_S.UNWANTED, _E.STAKE_EXPIRED): _S.CANCELLED,
    (_S.UNCLAIMED, _E.CLAIMED): _S.ON,
    (_S.UNCLAIMED, _E.CLAIM_OVER): _S.RETURNED,
    (_S.UNCLAIMED, _E.REFUND): _S.RETURNED,
    (_S.ON, _E.SETTLE): _S.SETTLED,
    (_S.ON, _E.REFUND): _S.RETURNED,
    (_S.SETTLED, _E.REFUND): _S.RETURNED,
    (_S.SETTLED, _E.REFUND_PAID): _S.UNDOING,
    (_S.UNDOING, _E.PAYOUT_TAKEN_BACK): _S.RETURNED,
    (_S.UNDOING, _E.PAYOUT_KEPT): _S.DISPUTED,
    (_S.DISPUTED, _E.PAYOUT_TAKEN_BACK): _S.RETURNED,
    (_S.REFUSED, _E.REFUND): _S.CANCELLED,
    (_S.EXPIRED, _E.REFUND): _S.CANCELLED,
    (_S.REFUSED, _E.ACCEPTED_LATE): _S.RETURNED,
    (_S.EXPIRED, _E.ACCEPTED_LATE): _S.RETURNED,
    (_S.CANCELLED, _E.ACCEPTED_LATE): _S.RETURNED,
}
"""`(state, event) -> state`; a pair that is not here is a bug (IllegalBet) and aborts the decision."""

BORN = frozenset({_S.ASKED, _S.ON, _S.SETTLED, _S.TOMBSTONE})
"""States a bet may start in: `on` for a stake of 0 that is not sent, `settled` for a jackpot win."""
STAKE_UNDECIDED = frozenset({_S.ASKED, _S.UNWANTED})
IS_ON = frozenset({_S.UNCLAIMED, _S.ON})
"""The stakes of these bets are what open-bets holds (I13)."""
NOT_WANTED = frozenset({_S.UNWANTED, _S.CANCELLED, _S.TOMBSTONE, _S.UNDOING, _S.DISPUTED, _S.RETURNED})
"""A refund was answered with success, or the stake went back: a pay-in of this betId gets `conflict`."""
ENDED = frozenset({_S.SETTLED, _S.RETURNED, _S.DISPUTED})
"""No payment is decided any more unless somebody asks: what the casino is told to close."""


class IllegalBet(AssertionError):
    """A bet was asked to do what the table does not know."""


class Origin(Enum):
    """Which request made the bet."""

    PAY_IN = "pay_in"
    PAY_IN_OUT = "pay_in_out"
    JACKPOT = "jackpot"
    TOMBSTONE = "tombstone"


class Closing(Enum):
    """What the casino knows of the bet's end (`payments/close`)."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    REOPENED = "reopened"


OK = "ok"
"""The stored answer of success; a refusal is stored by its value."""


@dataclass(frozen=True, slots=True)
class Bet:
    """One bet with its payments and next actions. Amounts are minor units of `currency`."""

    bet_id: int
    """The hub's own number, BetId towards the casino."""
    casino_id: int
    provider_id: int
    player_id: int
    player_ref: str
    """The player's id at the casino."""
    bet_ref: str
    """The provider's betId."""
    round_ref: str
    session_id: str
    game_id: int
    origin: Origin
    currency: str
    stake: int
    created_ms: int
    state: BetState = BetState.ASKED
    version: int = 0
    win: int | None = None
    """Stored with the ask (pay-in-out) or with the settlement."""
    waiting_until_ms: int | None = None
    """Until when a provider waits for the stake's outcome; None when nobody does."""
    was_on: bool = False
    """Its stake once stood in open-bets; else a return goes through suspense."""
    tag_id: int | None = None
    closing: Closing = Closing.OPEN
    pay_in_answer: str | None = None
    pay_in_balance: int | None = None
    pay_out_answer: str | None = None
    pay_out_balance: int | None = None
    refund_answer: str | None = None
    refund_balance: int | None = None
    ended_ms: int | None = None
    """When the bet was settled or returned."""
    payments: Mapping[PaymentKind, Payment] = field(default_factory=dict)
    calls: Mapping[str, Call] = field(default_factory=dict)

    @property
    def subject_id(self) -> int:
        """The id that its payments, calls, entries and events carry."""
        return self.bet_id

    @property
    def stake_confirmed(self) -> bool:
        """The casino said yes to the stake."""
        stake = self.payments.get(PaymentKind.STAKE)
        return stake is not None and stake.state is PaymentState.ACCEPTED

    @property
    def may_win(self) -> bool:
        """A win may still be decided: nothing ended it, or it is not even born."""
        return self.state in (BetState.ASKED, BetState.UNCLAIMED, BetState.ON)

    @property
    def stake_parked(self) -> bool:
        """The stake waits for a person."""
        stake = self.payments.get(PaymentKind.STAKE)
        return stake is not None and stake.state is PaymentState.PARKED

    @property
    def net(self) -> int:
        """What it will have moved the player's wallet by, once all that is decided of it is done; less the tax withheld."""
        if self.state in IS_ON:
            return -self.stake
        if self.state not in (BetState.SETTLED, BetState.DISPUTED):
            return 0
        wins = (self.payments.get(kind) for kind in (PaymentKind.PAYOUT, PaymentKind.JACKPOT))
        owed = (p for p in wins if p is not None and p.state is not PaymentState.REFUSED)
        return sum(p.amount - (p.tax or 0) for p in owed) - self.stake

    def waited_for(self, now_ms: int) -> bool:
        """Whether a provider waits for the stake's outcome at this instant."""
        return self.waiting_until_ms is not None and now_ms < self.waiting_until_ms


def next_bet_state(state: BetState, event: BetEvent) -> BetState:
    """The table; raises IllegalBet."""
    after = BET_TABLE.get((state, event))
    if after is None:
        msg = f"a bet that is {state.value} does not know {event.value}"
        raise IllegalBet(msg)
    return after
