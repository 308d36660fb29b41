"""The bet: one stake and all money that follows it, from the provider's request to the last outcome.

A bet starts `asked`: its stake was sent to the casino and has no outcome. An accept while a provider's request
waits makes it `on`. An accept with no request waiting makes it `unclaimed`, until a repeated request claims it or
its time is over. A refund of a stake in flight makes it `unwanted`: it ends without a stake, whatever the outcome.
`refused`, `expired` and `cancelled` have no stake at the casino as far as the hub knows; a late accept turns each
into `returned`. `settled` owes or has paid a win, which may be 0. The reversal of a settled bet takes the payout
back first (`undoing`); if the casino refuses that, the bet is `disputed`. `returned` owes the stake back or has
given it back. A `tombstone` records a refund that arrived before its bet.

Owns: the record, the states, the state table. Never: the effect of a request or an outcome (bet_requests, outcomes).
Spec: money.md 3, provider.md 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from croupier.core.payment import Call, Payment, PaymentState
from croupier.core.readings import PaymentKind
from croupier.core.words import Word


class BetState(Word):
    """The states of a bet; the value is stored."""

    ASKED = "asked"
    """The stake was sent to the casino and has no outcome."""
    UNWANTED = "unwanted"
    """As `asked`, but refunded: the bet ends without a stake, whatever the outcome."""
    UNCLAIMED = "unclaimed"
    """The stake was accepted while no request waited; a repeated request may still claim it."""
    ON = "on"
    """The stake is taken, and a pay-in is answered with success."""
    REFUSED = "refused"
    """The casino did not take the stake."""
    EXPIRED = "expired"
    """The stake had no outcome in time; as far as the hub knows it was not taken."""
    CANCELLED = "cancelled"
    """Refunded; as far as the hub knows the stake was not taken."""
    TOMBSTONE = "tombstone"
    """A refund arrived before its bet; a later pay-in is refused."""
    SETTLED = "settled"
    """The win, or 0, is owed or paid."""
    UNDOING = "undoing"
    """A settled bet was refunded; its payout must come back first."""
    DISPUTED = "disputed"
    """The casino refused to give the payout back; the bet stays settled and is held for review."""
    RETURNED = "returned"
    """The stake is owed back or has been given back."""


class BetEvent(Word):
    """The events of the state table."""

    ACCEPTED_WAITED = "accepted_waited"
    """The stake was accepted while a request waited for it."""
    ACCEPTED_UNWAITED = "accepted_unwaited"
    """The stake was accepted after the last request had stopped waiting."""
    ACCEPTED_LATE = "accepted_late"
    """The stake was accepted for a bet that had ended or been refunded."""
    STAKE_REFUSED = "stake_refused"
    """The casino refused the stake, or a person gave it up."""
    STAKE_EXPIRED = "stake_expired"
    """The schedule of info queries ended without an outcome."""
    CLAIMED = "claimed"
    """A repeated pay-in, or a pay-out, arrived in time."""
    CLAIM_OVER = "claim_over"
    """The time to claim the stake is over."""
    SETTLE = "settle"
    """A pay-out arrived, or the pay-in carried the win."""
    REFUND = "refund"
    """The provider or a person refunded the bet."""
    REFUND_PAID = "refund_paid"
    """A settled bet was refunded whose payout must be taken back first."""
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
"""`(state, event) -> state`. A pair that is missing here is a bug: IllegalBet aborts the decision."""

BORN = frozenset({_S.ASKED, _S.ON, _S.SETTLED, _S.TOMBSTONE})
"""Initial states: `on` for a stake of 0 that is not sent, `settled` for a jackpot win."""
STAKE_UNDECIDED = frozenset({_S.ASKED, _S.UNWANTED})
IS_ON = frozenset({_S.UNCLAIMED, _S.ON})
"""The account open-bets holds the stakes of these bets (I13)."""
NOT_WANTED = frozenset({_S.UNWANTED, _S.CANCELLED, _S.TOMBSTONE, _S.UNDOING, _S.DISPUTED, _S.RETURNED})
"""A refund was answered with success, or the stake went back: a pay-in of this betId is answered `conflict`."""
ENDED = frozenset({_S.SETTLED, _S.RETURNED, _S.DISPUTED})
"""No payment is created any more without a new request: these bets are closed at the casino."""


class IllegalBet(AssertionError):
    """An event that the table does not allow in this state."""


class Origin(Word):
    """The request that created the bet."""

    PAY_IN = "pay_in"
    PAY_IN_OUT = "pay_in_out"
    JACKPOT = "jackpot"
    TOMBSTONE = "tombstone"


class Closing(Word):
    """The state of the close at the casino (`payments/close`)."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    REOPENED = "reopened"


OK = "ok"
"""The stored form of a success; a refusal is stored by its value."""


@dataclass(frozen=True, slots=True)
class Bet:
    """One bet with its payments and next actions. Amounts are minor units of `currency`."""

    bet_id: int
    """The hub's own number, sent to the casino as BetId."""
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
    """Stored with the request (pay-in-out) or with the settlement."""
    waiting_until_ms: int | None = None
    """The deadline of the request that waits for the stake's outcome; None if no request waits."""
    was_on: bool = False
    """True once the stake was booked to open-bets; otherwise a return goes through suspense."""
    tag_id: int | None = None
    closing: Closing = Closing.OPEN
    pay_in_answer: str | None = None
    pay_in_balance: int | None = None
    pay_out_answer: str | None = None
    pay_out_balance: int | None = None
    refund_answer: str | None = None
    refund_balance: int | None = None
    ended_ms: int | None = None
    """The instant at which the bet was settled or returned."""
    payments: Mapping[PaymentKind, Payment] = field(default_factory=dict)
    calls: Mapping[str, Call] = field(default_factory=dict)

    @property
    def subject_id(self) -> int:
        """The id carried by its payments, calls, entries and events."""
        return self.bet_id

    @property
    def stake_confirmed(self) -> bool:
        """True if the casino accepted the stake."""
        stake = self.payments.get(PaymentKind.STAKE)
        return stake is not None and stake.state is PaymentState.ACCEPTED

    @property
    def may_win(self) -> bool:
        """True if a pay-out may still settle the bet."""
        return self.state in (BetState.ASKED, BetState.UNCLAIMED, BetState.ON)

    @property
    def stake_parked(self) -> bool:
        """True if the stake is held for review."""
        stake = self.payments.get(PaymentKind.STAKE)
        return stake is not None and stake.state is PaymentState.PARKED

    @property
    def net(self) -> int:
        """The change of the player's wallet once every decided payment is done, net of tax; minor units."""
        if self.state in IS_ON:
            return -self.stake
        if self.state not in (BetState.SETTLED, BetState.DISPUTED):
            return 0
        wins = (self.payments.get(kind) for kind in (PaymentKind.PAYOUT, PaymentKind.JACKPOT))
        owed = (p for p in wins if p is not None and p.state is not PaymentState.REFUSED)
        return sum(p.amount - (p.tax or 0) for p in owed) - self.stake

    def waited_for(self, now_ms: int) -> bool:
        """Return whether a request waits for the stake's outcome at this instant."""
        return self.waiting_until_ms is not None and now_ms < self.waiting_until_ms


def next_bet_state(state: BetState, event: BetEvent) -> BetState:
    """Return the next state by the table; raises IllegalBet."""
    after = BET_TABLE.get((state, event))
    if after is None:
        msg = f"a bet that is {state.value} does not allow {event.value}"
        raise IllegalBet(msg)
    return after
