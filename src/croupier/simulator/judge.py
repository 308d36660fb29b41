"""The final check of a world at rest: the books of all parties and the answers to providers are compared.

Owns: the comparison of three independent records (casino's book, hub's rows, provider's answers). Never: reads a
rule of the hub; the hub's rows are checked by its own auditor beside this. Spec: money.md 5.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from croupier.core.bet import Bet, BetState
from croupier.core.cashback import Cashback, CashbackState
from croupier.core.payment import PaymentState
from croupier.core.readings import PaymentKind
from croupier.simulator.book import Key
from croupier.simulator.dials import TRUTHFUL
from croupier.simulator.payment_times import PaymentTimes
from croupier.simulator.sim_casino import SimCasino
from croupier.simulator.sim_provider import REPLAY, ProviderBet

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

REFUSALS = 2
"""Number of refusals after which a cashback that cannot be queried calls for a person."""
UNBOOKED = (PaymentState.REFUSED, PaymentState.EXPIRED)
DECIDED = {PaymentState.ACCEPTED, PaymentState.REFUSED, PaymentState.EXPIRED}
NOT_TAKEN = {0, 8, 99}
"""Answers without an outcome: no answer, not authenticated because a clock jumped, not known."""
BAD_AMOUNT = 6
REFUSED_AS = {103802: 3}
"""The answer to the provider for a casino's code; all others are a 4."""

POT_WIN = " jackpot "
"""Begins the betId of a win of the hub's own pots; no provider asked for it."""
QUARANTINED = "quarantined"
"""A call whose processes crashed five times stays parked until a person looks, at any casino (money.md 4.4)."""


@dataclass(slots=True)
class Judgement:
    """The result of the check. `lost` and `doubled` count payments, `undecided` payments without an outcome."""

    lost: int = 0
    doubled: int = 0
    undecided: int = 0
    violations: list[str] = field(default_factory=list)

    def wrong(self, invariant: str, text: str) -> None:
        """Record a violation."""
        self.violations.append(f"{invariant}: {text}")


@dataclass(frozen=True, slots=True)
class Case:
    """One bet or cashback with all records of it."""

    subject: Bet | Cashback
    casino: SimCasino
    reported: ProviderBet | None
    incidents: frozenset[str]
    may_be_refused_early: bool = False
    """It may have been refused before it was opened, by a late copy of the first call: early answers prove nothing."""

    @property
    def name(self) -> str:
        """Return its name in the log."""
        return self.subject.bet_ref if isinstance(self.subject, Bet) else self.subject.ref

    @property
    def truthful(self) -> bool:
        """Return whether its casino's books must agree, and everything must have ended."""
        left_to_it = self.casino.undoes_late and "contradiction" in self.incidents
        dials = self.casino.dials
        crashed = QUARANTINED in self.incidents and bool(dials.crash_every_s or dials.pause_every_s)
        return self.casino.character in TRUTHFUL and not crashed and not left_to_it


def judge(cases: list[Case], verdict: Judgement) -> None:
    """Check every bet and cashback."""
    for case in cases:
        _payments(case, verdict)
        _ended(case, verdict)
        if isinstance(case.subject, Bet):
            _bet(case, case.subject, verdict)
    _witnesses(cases, verdict)


def judge_on(
    cases: list[Case], said_on: Collection[tuple[int, str]], verdict: Judgement, *, times: PaymentTimes, late_s: float
) -> None:
    """I6: a bet that is on was answered with success. A stake that no request waited for is unclaimed (money.md 3.5).

    A process that dies or pauses between its commit and its answer has not answered, and the bet is on all the same. So has one
    whose slow database, at most `late_s` at a time, let the hold time pass between both.
    """
    for case in cases:
        bet, dials = case.subject, case.casino.dials
        still = not (dials.crash_every_s or dials.pause_every_s or dials.lost_commits)
        if (
            isinstance(bet, Bet)
            and still
            and bet.state is BetState.ON
            and (bet.provider_id, bet.bet_ref) not in said_on
            and not (dials.slow_db_s and _answered_at_once(case, times, late_s))
        ):
            verdict.wrong("I6", f"{case.name} is on, and nobody ever said so")


def _answered_at_once(case: Case, times: PaymentTimes, late_s: float) -> bool:
    """Return whether the provider got its last answer so soon after the stake was accepted."""
    accepted_s = times.accepted_s.get((case.subject.subject_id, PaymentKind.STAKE.value))
    return case.reported is not None and accepted_s is not None and case.reported.span_s[1] - accepted_s <= late_s


def judge_answers(reported: list[ProviderBet], verdict: Judgement, *, skewed: bool = False) -> None:
    """Check the answers to providers, with or without a bet. `skewed`: an old timestamp may be valid."""
    believed = NOT_TAKEN | ({1, 2, 3, 4, 6, 7} if skewed else set())
    for bet in reported:
        for what, codes, allowed in (
            ("other contents or another session", bet.others, NOT_TAKEN | {2, 7}),
            ("a bet that was refunded", bet.afterwards, NOT_TAKEN | {7}),
            ("a session of another provider", bet.trespass, NOT_TAKEN | {2}),
            ("a stake above the limit", bet.too_much, NOT_TAKEN | {2, 4}),
            ("an amount finer than its currency", bet.too_fine, NOT_TAKEN | {2, BAD_AMOUNT}),
            ("a request that must not be believed", bet.replayed, believed),
        ):
            if set(codes) - allowed:
                verdict.wrong("I9", f"{bet.ref} got {sorted(set(codes))} to {what}")
        for verb, codes in (("pay-out", bet.pay_out), ("refund", bet.refund)):
            if codes and codes[-1] in NOT_TAKEN and not bet.cut_short:
                verdict.wrong("I4", f"{bet.ref} got no answer to its {verb} in {len(codes)} tries")
        for verb, balances in bet.balances.items():
            if len(balances) > 1:
                verdict.wrong("I9", f"{bet.ref} got the balances {sorted(balances)} to the same {verb}")


def _witnesses(cases: list[Case], verdict: Judgement) -> None:
    """Report the casinos' complaints, and bookings without a bet in the hub."""
    names = {case.subject.subject_id: case.name for case in cases}
    for casino in dict.fromkeys(case.casino for case in cases):
        for invariant, subject_id, text in casino.witness.complaints:
            verdict.wrong(invariant, f"{names.get(subject_id, subject_id)} {text}")
        for key in casino.book.bookings:
            if key[0] not in names:
                verdict.doubled += 1
                verdict.wrong("I5", f"{key[0]} type {key[1]} is in a casino's book and its bet is not in the hub")


def _payments(case: Case, verdict: Judgement) -> None:
    """I2, I5: each accepted payment is in the casino's book once; each booking is an accepted payment."""
    book = case.casino.book.bookings
    seen: set[Key] = set()
    for kind, payment in case.subject.payments.items():
        key = key_of(case, kind)
        seen.add(key)
        booking = book.get(key)
        booked = case.casino.book.holds(key)
        if payment.undecided and case.truthful:
            verdict.undecided += 1
            verdict.wrong("I4", f"{case.name} {kind.value} has no outcome")
        if payment.state is PaymentState.ACCEPTED and not booked and case.truthful:
            verdict.lost += 1
            verdict.wrong("I2", f"{case.name} {kind.value} is accepted but not in the casino's book")
        if booked and payment.state in UNBOOKED and case.truthful:
            verdict.doubled += 1
            verdict.wrong("I2", f"{case.name} {kind.value} is booked but {payment.state.value} in the hub")
        if booking is not None and booking.amount != payment.amount:
            verdict.wrong("I2", f"{case.name} {kind.value} has another amount at the casino")
    for key in _strays(case, seen):
        verdict.doubled += 1
        verdict.wrong("I5", f"{case.name} type {key[1]} is in the casino's book and not in the hub")


def key_of(case: Case, kind: PaymentKind) -> Key:
    """Return the key of this payment in the casino's book."""
    return case.subject.subject_id, NUMBERS[kind], kind in OF_CASHBACK


def _strays(case: Case, seen: set[Key]) -> list[Key]:
    booked = case.casino.book.of(case.subject.subject_id, cashback=isinstance(case.subject, Cashback))
    return [key for key in booked if key not in seen]


def _ended(case: Case, verdict: Judgement) -> None:
    """I4: the subject has ended, or has an incident; at a truthful casino it has ended."""
    subject = case.subject
    if isinstance(subject, Cashback):
        over = subject.state in (CashbackState.PAID, CashbackState.CANCELLED, CashbackState.KEPT)
        over = over or ("parked" in case.incidents and _cannot_be_queried(subject))
        if case.truthful and _parked_too_early(case):
            verdict.wrong("I4", f"{case.name} is parked, and its casino said no only once")
    else:
        reported = case.reported
        left_alone = reported is not None and (reported.vanished or 1 not in reported.pay_out)
        left_alone = left_alone or _has_an_old_stamp(case)
        over = subject.state in ENDED or (subject.state is BetState.ON and left_alone)
        # After a refused take-back the hub does nothing more; a person has the bet on the list (money.md 2.6).
        over = over or (subject.state is BetState.DISPUTED and "payout_kept" in case.incidents)
    if not over and (case.truthful or not case.incidents):
        verdict.wrong("I4", f"{case.name} stands {subject.state.value} with incidents {sorted(case.incidents)}")
    if case.truthful and _not_closed(case):
        verdict.wrong("I4", f"{case.name} has ended, and the casino was not told so after its last payment")
    open_calls = [slot for slot in subject.calls if not _is_late_query(subject, slot)]
    if case.truthful and open_calls:
        verdict.wrong("I4", f"{case.name} still has calls {sorted(open_calls)}")


def _cannot_be_queried(cashback: Cashback) -> bool:
    """Return whether a cashback was refused after an unanswered try: it cannot be queried (money.md 2.5)."""
    return any(p.state is PaymentState.PARKED and p.unanswered and p.reason for p in cashback.payments.values())


def _parked_too_early(case: Case) -> bool:
    """Return whether a cashback calls for a person before its casino has refused it twice (money.md 2.5)."""
    if not isinstance(case.subject, Cashback):
        return False
    refused = case.casino.witness.refused
    return any(
        payment.state is PaymentState.PARKED and payment.reason is not None and refused[key_of(case, kind)] < REFUSALS
        for kind, payment in case.subject.payments.items()
    )


def _not_closed(case: Case) -> bool:
    """Return whether a bet that ended with money moved was not closed after its last outcome (money.md 3.9)."""
    bet = case.subject
    if not isinstance(bet, Bet) or bet.state not in (BetState.SETTLED, BetState.RETURNED, BetState.DISPUTED):
        return False
    states = {payment.state for payment in bet.payments.values()}
    return states <= DECIDED and PaymentState.ACCEPTED in states and bet.bet_id not in case.casino.witness.ended


def _is_late_query(subject: Bet | Cashback, slot: str) -> bool:
    """Return whether this is the last late query of a stake that expired or was refused unread."""
    stake = subject.payments.get(PaymentKind.STAKE)
    return slot == PaymentKind.STAKE.value and stake is not None and stake.state in UNBOOKED


def _has_an_old_stamp(case: Case) -> bool:
    """Return whether a clock that jumped back took an old request as fresh: see judge_answers. No provider knows of that bet."""
    return case.reported is None and bool(case.casino.dials.skew_ms) and case.name.endswith(REPLAY)


def _bet(case: Case, bet: Bet, verdict: Judgement) -> None:
    reported = case.reported
    if _has_an_old_stamp(case):
        return
    if reported is None and bet.bet_ref.startswith(POT_WIN):
        return  # a win of the hub's own pots: see judge_pots
    if reported is None:
        verdict.wrong("I3", f"{case.name} is in the hub and no provider asked for it")
        return
    verdict.violations += _answers_are_stored(case, bet, reported)
    _answers_are_equal(case, reported, verdict)
    _never_both(case, bet, verdict)
    if case.truthful and not any(p.undecided for p in bet.payments.values()):
        _net(case, bet, verdict)
    if case.truthful and not case.may_be_refused_early and not any(p.undecided for p in bet.payments.values()):
        verdict.violations += _refused_is_nothing(case, bet, reported)
        verdict.violations += _refused_by_the_casino(case, bet, reported)


def _answers_are_stored(case: Case, bet: Bet, reported: ProviderBet) -> list[str]:
    """I3, I6: the hub's rows confirm each success that the provider received."""
    kept = bet.state in (BetState.SETTLED, BetState.UNDOING, BetState.DISPUTED, BetState.RETURNED)
    found = []
    if 1 in reported.pay_out and not kept:
        found.append(f"I3: {case.name} was told paid out and is {bet.state.value}")
    if bet.pay_in_answer is not None and bet.stake != reported.stake:
        found.append(f"I3: {case.name} was asked with a stake of {reported.stake} and has {bet.stake}")
    if 1 in reported.pay_out and not reported.refunded and bet.win != reported.win:
        found.append(f"I3: {case.name} was told a win of {reported.win} and has {bet.win}")
    if 1 in reported.pay_in and not bet.stake_confirmed:
        found.append(f"I6: {case.name} was told yes and its stake was never confirmed")
    ours = PaymentKind.BET_RETURN in bet.payments
    if bet.bet_id in case.casino.book.given_back and bet.stake_confirmed and not ours:
        found.append(f"I7: {case.name} counts a stake that its casino shows as given back")
    if bet.round_ref != "r" and bet.pay_in_answer is not None:
        found.append(f"I9: {case.name} is of round r and stands as of {bet.round_ref}")
    if 1 in reported.pay_in and reported.pay_out and reported.pay_out[-1] not in NOT_TAKEN | {1, 7}:
        found.append(f"I3: {case.name} was told yes, and {reported.pay_out[-1]} to its pay-out")
    if reported.refund and reported.refund[-1] not in NOT_TAKEN | {1}:
        found.append(f"I3: {case.name} was told {reported.refund[-1]} to its refund")
    if reported.refunded and bet.state in (BetState.ON, BetState.SETTLED, BetState.UNCLAIMED):
        found.append(f"I3: {case.name} was told refunded and is {bet.state.value}")
    return found


def _answers_are_equal(case: Case, reported: ProviderBet, verdict: Judgement) -> None:
    """I9: all repeats get one definite answer, until a return."""
    definite = {code for code in reported.pay_in if code not in (0, 99, 7, 8)}
    if len(definite) > 1 and not case.may_be_refused_early:
        verdict.wrong("I9", f"{case.name} got {sorted(definite)} to the same pay-in")


def _net(case: Case, bet: Bet, verdict: Judgement) -> None:
    """I7: the net amount in the casino's book equals the result of the bet in the hub."""
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


def _never_both(case: Case, bet: Bet, verdict: Judgement) -> None:
    """I7: the hub does not return a stake that the casino undid itself, as agreed."""
    won = bet.state in (BetState.SETTLED, BetState.UNDOING, BetState.DISPUTED)
    if case.casino.undoes_late and case.casino.character in TRUTHFUL and not won:
        net = case.casino.book.net(bet.bet_id)
        if net > 0:
            verdict.doubled += 1
            verdict.wrong(
                "I7", f"{case.name} {bet.state.value}: the casino undid the stake, and {net} came back as well"
            )


def _refused_by_the_casino(case: Case, bet: Bet, reported: ProviderBet) -> list[str]:
    """I6: a final refusal comes from the casino, and the bet that it refused is answered as refused."""
    code = case.casino.book.refused.get((bet.bet_id, -1, False))
    no = {3, 4, 6} & set(reported.pay_in)
    expected = set() if code is None else {REFUSED_AS.get(code, 4)}
    if case.casino.unverified:
        # An envelope that came too late, or from a clock that jumped, is refused with 103753 (wrong data).
        expected.add(6)
    if no - expected:
        return [f"I6: {case.name} was told {sorted(no)}, and its casino said {code}"]
    if bet.state is BetState.REFUSED and set(reported.pay_in) - NOT_TAKEN - expected:
        return [f"I9: {case.name} is refused with {code} and was told {sorted(set(reported.pay_in))}"]
    return []


def _refused_is_nothing(case: Case, bet: Bet, reported: ProviderBet) -> list[str]:
    """I7: a bet that was answered as refused, and never otherwise, nets 0 at the casino."""
    net = case.casino.book.net(bet.bet_id)
    refused = bool({2, 3, 4, 6, 7} & set(reported.pay_in)) and 1 not in reported.pay_in + reported.pay_out
    if refused and not reported.refunded and net:
        return [f"I7: {case.name} was refused towards the provider and {net} stands at the casino"]
    return []
