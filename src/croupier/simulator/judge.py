"""What must be true when the world is at rest: books against books, and against what providers were told.

Owns: the comparison of three independent memories (casino's book, hub's rows, provider's answers). Never: reads a
rule of the hub; the hub's rows are checked by its own auditor beside this. Spec: money.md section 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from croupier.core.bet import Bet, BetState
from croupier.core.cashback import Cashback, CashbackState
from croupier.core.payment import PaymentState
from croupier.core.readings import PaymentKind
from croupier.simulator.dials import TRUTHFUL
from croupier.simulator.sim_casino import Booking, Key, SimCasino
from croupier.simulator.sim_provider import HOLD_S, LATEST_S, Told

NUMBERS = {
    PaymentKind.STAKE: -1,
    PaymentKind.PAYOUT: 1,
    PaymentKind.BET_RETURN: 2,
    PaymentKind.PAYOUT_RETURN: -2,
    PaymentKind.JACKPOT: 4,
    PaymentKind.CASHBACK: 1,
    PaymentKind.CASHBACK_CANCEL: -1,
}
OF_CASHBACK = (PaymentKind.CASHBACK, PaymentKind.CASHBACK_CANCEL)
ENDED = (
    BetState.SETTLED,
    BetState.RETURNED,
    BetState.REFUSED,
    BetState.EXPIRED,
    BetState.CANCELLED,
    BetState.TOMBSTONE,
)

QUARANTINED = "quarantined"
"""A call whose processes died five times stands until a person looks, at any casino (money.md 4)."""


@dataclass(slots=True)
class Verdict:
    """What was found. `lost` and `doubled` count payments, `undecided` payments without an outcome."""

    lost: int = 0
    doubled: int = 0
    undecided: int = 0
    violations: list[str] = field(default_factory=list)

    def wrong(self, invariant: str, text: str) -> None:
        """Note a violation."""
        self.violations.append(f"{invariant}: {text}")


@dataclass(frozen=True, slots=True)
class Case:
    """One bet or cashback and all that is known of it."""

    subject: Bet | Cashback
    casino: SimCasino
    told: Told | None
    incidents: frozenset[str]

    @property
    def name(self) -> str:
        """As the log calls it."""
        return self.subject.bet_ref if isinstance(self.subject, Bet) else self.subject.ref

    @property
    def truthful(self) -> bool:
        """Its casino's books must agree, and everything must have ended."""
        left_to_it = self.casino.undoes_late and "contradiction" in self.incidents
        return self.casino.character in TRUTHFUL and QUARANTINED not in self.incidents and not left_to_it


def judge(cases: list[Case], verdict: Verdict) -> None:
    """Judge every bet and cashback."""
    for case in cases:
        _payments(case, verdict)
        _ended(case, verdict)
        if isinstance(case.subject, Bet):
            _bet(case, case.subject, verdict)


def _payments(case: Case, verdict: Verdict) -> None:
    """I2, I5: each accepted payment is in the casino's book once; each booking is an accepted payment."""
    book = case.casino.book.bookings
    seen: set[Key] = set()
    for kind, payment in case.subject.payments.items():
        key = (case.subject.subject_id, NUMBERS[kind], kind in OF_CASHBACK)
        seen.add(key)
        booking = book.get(key)
        booked = booking is not None and not booking.forgotten
        if payment.undecided and case.truthful:
            verdict.undecided += 1
            verdict.wrong("I4", f"{case.name} {kind.value} has no outcome")
        if payment.state is PaymentState.ACCEPTED and not booked and case.truthful:
            verdict.lost += 1
            verdict.wrong("I2", f"{case.name} {kind.value} is accepted but not in the casino's book")
        if booked and payment.state in (PaymentState.REFUSED, PaymentState.EXPIRED) and case.truthful:
            verdict.doubled += 1
            verdict.wrong("I2", f"{case.name} {kind.value} is booked but {payment.state.value} in the hub")
        if booking is not None and booking.amount != payment.amount:
            verdict.wrong("I2", f"{case.name} {kind.value} has another amount at the casino")
    for key in _strays(case, book, seen):
        verdict.doubled += 1
        verdict.wrong("I5", f"{case.name} type {key[1]} is in the casino's book and not in the hub")


def _strays(case: Case, book: Mapping[Key, Booking], seen: set[Key]) -> list[Key]:
    cashback = isinstance(case.subject, Cashback)
    return [k for k in book if k[0] == case.subject.subject_id and k[2] is cashback and k not in seen]


def _ended(case: Case, verdict: Verdict) -> None:
    """I4: it ended, or stands with an incident; at a truthful casino it ended."""
    subject = case.subject
    if isinstance(subject, Cashback):
        over = subject.state in (CashbackState.PAID, CashbackState.CANCELLED, CashbackState.KEPT)
    else:
        told = case.told
        left_alone = told is not None and (told.vanished or 1 not in told.pay_out)
        over = subject.state in ENDED or (subject.state is BetState.ON and left_alone)
        # A take-back that the casino refused ends the matter for the hub; a person has it on the list (money.md 2).
        over = over or (subject.state is BetState.DISPUTED and "payout_kept" in case.incidents)
    if not over and (case.truthful or not case.incidents):
        verdict.wrong("I4", f"{case.name} stands {subject.state.value} with incidents {sorted(case.incidents)}")
    open_calls = [slot for slot in subject.calls if not _late_question(subject, slot)]
    if case.truthful and open_calls:
        verdict.wrong("I4", f"{case.name} still has calls {sorted(open_calls)}")


def _late_question(subject: Bet | Cashback, slot: str) -> bool:
    """An expired stake is asked after once more, a day later: that may stand."""
    stake = subject.payments.get(PaymentKind.STAKE)
    return slot == PaymentKind.STAKE.value and stake is not None and stake.state is PaymentState.EXPIRED


def _bet(case: Case, bet: Bet, verdict: Verdict) -> None:
    told = case.told
    if told is None:
        verdict.wrong("I3", f"{case.name} is in the hub and no provider asked for it")
        return
    verdict.violations += _told_what_is(case, bet, told)
    _answers_hold(case, told, verdict)
    if case.truthful and not any(p.undecided for p in bet.payments.values()):
        _net(case, bet, verdict)
        verdict.violations += _refused_is_nothing(case, bet, told)


def _told_what_is(case: Case, bet: Bet, told: Told) -> list[str]:
    """I3, I6: a yes that the provider holds is a fact in the hub."""
    kept = bet.state in (BetState.SETTLED, BetState.UNDOING, BetState.DISPUTED, BetState.RETURNED)
    found = []
    if 1 in told.pay_out and not kept:
        found.append(f"I3: {case.name} was told paid out and is {bet.state.value}")
    if 1 in told.pay_out and not told.refunded and bet.win != told.win:
        found.append(f"I3: {case.name} was told a win of {told.win} and has {bet.win}")
    if 1 in told.pay_in and not bet.stake_confirmed:
        found.append(f"I6: {case.name} was told yes and its stake was never confirmed")
    if told.refunded and bet.state in (BetState.ON, BetState.SETTLED, BetState.UNCLAIMED):
        found.append(f"I3: {case.name} was told refunded and is {bet.state.value}")
    return found


def _answers_hold(case: Case, told: Told, verdict: Verdict) -> None:
    """I9: one definite answer to all repeats, until a return; I16: in time."""
    definite = {code for code in told.pay_in if code not in (0, 99, 7, 8)}
    if len(definite) > 1:
        verdict.wrong("I9", f"{case.name} got {sorted(definite)} to the same pay-in")
    if set(told.others) - {0, 2, 7, 8, 99}:
        verdict.wrong("I9", f"{case.name} with other contents got {sorted(set(told.others))}")
    if told.slowest_s > HOLD_S + LATEST_S:
        verdict.wrong("I16", f"{case.name} waited {told.slowest_s:.3f} s for an answer")


def _net(case: Case, bet: Bet, verdict: Verdict) -> None:
    """I7: what the casino's book did for the bet is what it came to in the hub."""
    net = case.casino.book.net(bet.bet_id)
    if bet.state is BetState.ON:
        expected = -bet.stake
    elif bet.state in (BetState.SETTLED, BetState.DISPUTED):
        expected = (bet.win or 0) - bet.stake
    else:
        expected = 0
    if net == expected:
        return
    if abs(net) > abs(expected):
        verdict.doubled += 1
    else:
        verdict.lost += 1
    verdict.wrong("I7", f"{case.name} {bet.state.value}: the casino moved {net}, it should be {expected}")


def _refused_is_nothing(case: Case, bet: Bet, told: Told) -> list[str]:
    """I7: a bet that was refused towards its provider, and never more, nets 0 at the casino."""
    net = case.casino.book.net(bet.bet_id)
    refused = bool({2, 3, 4, 6, 7} & set(told.pay_in)) and 1 not in told.pay_in + told.pay_out
    if refused and not told.refunded and net:
        return [f"I7: {case.name} was refused towards the provider and {net} stands at the casino"]
    return []
