"""A bet or a cashback with everything that happens to it, for tests of the pure rules.

A `Story` keeps the subject, the time, the ledger and the incidents; every decision it takes is held against what
must be true after any decision (`check`). Amounts are cents, times seconds since the story began.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from croupier.core import bet_requests, cashback_effects, person, pursuit
from croupier.core.bet import IS_ON, Bet, BetState, Origin
from croupier.core.bet_requests import RecordedAnswer, RequestContents, Wait
from croupier.core.cashback import Cashback
from croupier.core.counterparty import Casino, Provider
from croupier.core.draft import Decision, Draft, Terms
from croupier.core.ledger import Entry
from croupier.core.money import format_amount
from croupier.core.payment import GIVES, SLOT_CLAIM, Payment, PaymentState, Step
from croupier.core.pursuit import Verdict
from croupier.core.readings import (
    Acknowledgement,
    CloseReading,
    Contents,
    Exists,
    InfoList,
    InfoReading,
    No,
    PaymentKind,
    PaymentOutcome,
    Received,
    Unknown,
    Yes,
)
from croupier.core.refusals import CasinoNo
from croupier.core.waits import MS, Waits

K = PaymentKind
S = PaymentState
T0 = 1_760_000_000_000
HOLD_S = 6.0
CASINO = Casino(casino_id=11, name="Aurora", protocol="betcore_v2", url="http://casino.test", currencies=("EUR",))
PROVIDER = Provider(provider_id=22, counterparty_id="cp", name="Fable", protocol="betcore_v1", url="http://studio.test")
RECEIVED, SILENCE = Received(), Unknown("no answer")
FUNDS = No(CasinoNo.NOT_ENOUGH_FUNDS, 103802, "Not enough funds")
NOT_ADDED = No(CasinoNo.NOT_ADDED, 102823, "Error adding transaction")
NOT_FOUND = No(CasinoNo.BET_UNKNOWN, 103805, "Bet not found")
NO_INFO = Unknown("HTTP 500")


ALONE = (7, 8)
"""The bet and the cashback of a story that has no others."""


def number_of(subject_id: int, kind: PaymentKind) -> str:
    """The casino's own number of a payment: no other payment of it has the same."""
    alone = subject_id == ALONE[kind in (K.CASHBACK, K.CASHBACK_CANCEL)]
    return f"tx-{kind.value}" if alone else f"tx-{subject_id}-{kind.value}"


def terms(at_s: float = 0.0, **changes: Any) -> Terms:
    """Terms of a decision `at_s` seconds after T0."""
    plain = {"casino": CASINO, "provider": PROVIDER, "waits": Waits(), "luck": 0.5, "process": "p1"}
    return Terms(now_ms=T0 + round(at_s * MS), **{**plain, **changes})


def new_bet(**changes: Any) -> Bet:
    """A bet of 10.00 EUR that nobody has decided anything about."""
    plain = {
        "bet_id": 7, "casino_id": 11, "provider_id": 22, "player_id": 33, "player_ref": "ann", "bet_ref": "b-1",
        "round_ref": "r-1", "session_id": "s-1", "game_id": 44, "origin": Origin.PAY_IN, "currency": "EUR",
        "stake": 1000, "created_ms": T0, "waiting_until_ms": T0 + 6000,
    }  # fmt: skip
    return Bet(**{**plain, **changes})


def new_cashback(**changes: Any) -> Cashback:
    """A cashback of 5.00 EUR that nobody has decided anything about."""
    plain = {
        "cashback_id": 8, "casino_id": 11, "player_id": 33, "player_ref": "ann", "currency": "EUR", "amount": 500,
        "ref": "week 12", "created_ms": T0,
    }  # fmt: skip
    return Cashback(**{**plain, **changes})


def facts_of(subject: Any) -> dict[PaymentKind, Payment]:
    """The payments without what is only remembered of the casino's words."""
    return {kind: replace(payment, heard=None) for kind, payment in subject.payments.items()}


class Story:
    """One subject and what happens to it. Each deed takes its decision and returns what the asker is told."""

    def __init__(self, *, casino: Casino = CASINO, provider: Provider = PROVIDER, luck: float = 0.5) -> None:
        self.casino, self.provider, self.luck = casino, provider, luck
        self.subject: Any = None
        self.now_s = 0.0
        self.entries: list[Entry] = []
        self.incidents: Counter[str] = Counter()
        self.moves: set[tuple[str, str, str]] = set()
        self.events: list[str] = []

    # --- time and the record

    def at(self, seconds: float) -> Story:
        """It is `seconds` after the beginning."""
        self.now_s = seconds
        return self

    def terms(self) -> Terms:
        return terms(self.now_s, casino=self.casino, provider=self.provider, luck=self.luck)

    def take(self, decision: Decision[Any]) -> str:
        """Commit a decision: the name of its event."""
        before, after = decision.before, decision.after
        assert before == self.subject, "decided on something else than was read"
        self._moved(before, after)
        self.subject = after
        self.entries += decision.entries
        self.incidents.update(i.name for i in decision.incidents)
        self.events.append(decision.event)
        check(self)
        return decision.event

    def _moved(self, before: Any, after: Any) -> None:
        if before is None:
            return
        thing = "bet" if isinstance(after, Bet) else "cashback"
        steps = [(thing, before.state, after.state)]
        steps += [("payment", p.state, after.payments[k].state) for k, p in before.payments.items()]
        self.moves |= {(thing, a.value, b.value) for thing, a, b in steps if a is not b}

    def change(self, deed: Callable[[Draft[Any]], Any], event: str = "test") -> Any:
        """Let `deed` write on a draft of the subject, and take the decision."""
        d: Draft[Any] = Draft(self.subject, self.terms())
        told = deed(d)
        self.take(d.finish(event))
        return told

    def payment(self, kind: PaymentKind) -> Payment:
        found: Payment = self.subject.payments[kind]
        return found

    def state(self, kind: PaymentKind) -> PaymentState | None:
        """Where a payment stands; None if there is none."""
        payment = self.subject.payments.get(kind)
        return None if payment is None else payment.state

    def parked(self) -> bool:
        """Whether any payment waits for a person."""
        return any(p.state is S.PARKED for p in self.subject.payments.values())

    def call(self, slot: PaymentKind | str) -> tuple[Step, float] | None:
        """What the slot does next and when, in seconds; None when nothing is planned."""
        call = self.subject.calls.get(slot if isinstance(slot, str) else slot.value)
        return None if call is None else (call.step, (call.due_ms - T0) / MS)

    def balance(self, account: str) -> int:
        """What stands in the account: the sum of its entries."""
        gone = sum(e.amount for e in self.entries if e.source.split("/")[0] == account)
        return sum(e.amount for e in self.entries if e.target.split("/")[0] == account) - gone

    def balances(self) -> dict[str, int]:
        """Every account that is not 0."""
        names = {side.split("/")[0] for e in self.entries for side in (e.source, e.target)}
        return {name: money for name in sorted(names) if (money := self.balance(name))}

    # --- births

    def opened(self, **changes: Any) -> Story:
        """A bet was asked for; its stake is on the way."""
        self.take(bet_requests.open_bet(new_bet(**changes), self.terms()))
        return self

    def opened_both(self, win: int = 2500, **changes: Any) -> Story:
        """A pay-in-out was asked for."""
        return self.opened(origin=Origin.PAY_IN_OUT, win=win, **changes)

    def on(self, **changes: Any) -> Story:
        """The stake was accepted in time."""
        self.opened(**changes).accept(K.STAKE)
        return self

    def settled(self, win: int = 2500, *, paid: bool = True) -> Story:
        """The bet was paid out."""
        self.on().pay_out(win)
        if paid:
            self.accept(K.PAYOUT)
        return self

    def cashback(self) -> Story:
        """A cashback was decided."""
        d: Draft[Cashback] = Draft(new_cashback(), self.terms(), new=True)
        cashback_effects.decide(d)
        self.take(d.finish("decided"))
        return self

    # --- what a provider asks

    def _told(self, ruling: bet_requests.Ruling) -> str:
        if isinstance(ruling, Decision):
            return self.take(ruling)
        if isinstance(ruling, Wait):
            return "wait"
        assert isinstance(ruling, RecordedAnswer)
        return "ok" if ruling.refusal is None else ruling.refusal.value

    def pay_in(self, *, waited: bool = False, until_s: float | None = None, **other: Any) -> str:
        """A pay-in (or pay-in-out) with the bet's own contents, or with `other` ones."""
        bet: Bet = self.subject
        win = bet.win if bet.origin is Origin.PAY_IN_OUT else None
        asked = replace(RequestContents(bet.casino_id, bet.player_id, bet.round_ref, bet.stake, win), **other)
        until_ms = T0 + round((self.now_s + HOLD_S if until_s is None else until_s) * MS)
        return self._told(bet_requests.pay_in(bet, asked, self.terms(), until_ms=until_ms, waited=waited))

    def pay_out(self, win: int, *, waited: bool = False, **other: Any) -> str:
        bet: Bet = self.subject
        asked = replace(RequestContents(bet.casino_id, bet.player_id, bet.round_ref, win=win), **other)
        return self._told(bet_requests.pay_out(bet, asked, self.terms(), waited=waited))

    def refund(self, *, casino_id: int = 11, player_id: int = 33) -> str:
        return self._told(bet_requests.refund(self.subject, self.terms(), casino_id=casino_id, player_id=player_id))

    # --- what a casino says

    def said(self, kind: PaymentKind, /, **other: Any) -> Contents:
        """The payment as the casino states it, with `other` facts."""
        payment, currency = self.payment(kind), self.subject.currency
        plain = Contents(
            subject_id=payment.subject_id,
            player_ref=self.subject.player_ref,
            kind=kind,
            amount=format_amount(payment.amount, currency),
            tax=None if payment.tax is None else format_amount(payment.tax, currency),
            partner_tx=number_of(payment.subject_id, kind),
        )
        return replace(plain, **other)

    def hear(self, kind: PaymentKind, outcome: PaymentOutcome) -> Verdict:
        """An accept came."""
        told: Verdict = self.change(lambda d: pursuit.apply_outcome(d, kind, outcome), "heard")
        return told

    def accept(self, kind: PaymentKind, /, **other: Any) -> Verdict:
        return self.hear(kind, Yes(self.said(kind, **other)))

    def exists(self, kind: PaymentKind, /, **other: Any) -> Verdict:
        return self.hear(kind, Exists(self.said(kind, **other)))

    def made(self, kind: PaymentKind, reading: Acknowledgement) -> Story:
        """A make of ours was answered."""
        calls = self.subject.calls
        if kind.value in calls:
            # It was taken up by somebody first, as every call is.
            taken = replace(calls[kind.value], lease_owner=calls[kind.value].lease_owner or "p1")
            self.subject = replace(self.subject, calls={**calls, kind.value: taken})
        self.change(lambda d: pursuit.apply_make_answer(d, kind, reading), "made")
        return self

    def informed(self, kind: PaymentKind, reading: InfoReading, *, asked_at: float | None = None) -> Story:
        """A question of ours was answered at once, or one that left at `asked_at`."""
        asked_ms = T0 + round((self.now_s if asked_at is None else asked_at) * 1000)
        self.change(lambda d: pursuit.apply_info_answer(d, kind, reading, asked_ms=asked_ms), "informed")
        return self

    def shown(self, kind: PaymentKind, *kinds: PaymentKind, **other: Any) -> Story:
        """A question about `kind` was answered with a list of the payments of `kinds`."""
        return self.informed(kind, InfoList(tuple(self.said(k, **other) for k in kinds)))

    def closed(self, slot: str, reading: CloseReading) -> Story:
        self.change(lambda d: pursuit.apply_close_answer(d, slot, reading), "closed")
        return self

    def due(self, slot: PaymentKind | str) -> Step | None:
        """A call is taken up."""
        name = slot if isinstance(slot, str) else slot.value
        step: Step | None = self.change(lambda d: pursuit.step_when_due(d, name), "taken_up")
        return step

    def expired(self, *, with_return: bool = False) -> Story:
        """The stake's questions were answered with nothing, or not answered at all."""
        self.at(60).informed(K.STAKE, NO_INFO if with_return else InfoList(()))
        return self.at(61)

    # --- what a person decides

    def by_person(self, deed: Callable[..., Decision[Any]], kind: PaymentKind) -> str:
        d: Draft[Any] = Draft(self.subject, self.terms())
        return self.take(deed(d, kind, author="mia", reason="asked the casino"))

    def give_up(self, kind: PaymentKind) -> str:
        return self.by_person(person.give_up, kind)

    # --- a cashback's own

    def cancel(self) -> Story:
        self.change(cashback_effects.cancel, "cancel")
        return self


NAMED = {
    "stake_accepted": {("wallets", "open-bets")},
    "accepted_late": {("wallets", "suspense")},
    "settled": {("open-bets", "ggr")},
    "won": {("ggr", "owed"), ("jackpot", "owed")},
    "paid": {("owed", "wallets")},
    "return_decided": {("open-bets", "owed"), ("ggr", "owed")},
    "returned": {("owed", "wallets"), ("suspense", "wallets")},
    "taken_back": {("wallets", "ggr"), ("wallets", "cashback")},
    "cashback_decided": {("cashback", "owed")},
    "ended_unpaid": {("owed", "cashback")},
}
"""What each kind of entry moves between (money.md 6.3)."""


def check(story: Story) -> None:
    """What holds after every decision (money.md 5: I1, I5, I10, I13; money.md 6)."""
    subject = story.subject
    for kind, payment in subject.payments.items():
        if payment.undecided:
            assert kind.value in subject.calls, f"I10: {kind.value} has no next action"
    assert story.balance("wallets") == wallet_change(subject), "I2"
    assert story.balance("owed") == owed(subject)
    for e in story.entries:
        accounts = e.source.split("/")[0], e.target.split("/")[0]
        assert e.why == "correction" or accounts in NAMED.get(e.why, ()), f"I1: {e}"
    if isinstance(subject, Cashback):
        return
    assert (subject.state is BetState.UNCLAIMED) == (SLOT_CLAIM in subject.calls)
    undecided = subject.state is BetState.ASKED or K.STAKE not in subject.payments
    assert subject.waiting_until_ms is None or undecided, "nobody waits for what is decided"
    assert story.balance("open-bets") == (subject.stake if subject.state in IS_ON else 0), "I13"
    back = subject.payments.get(K.BET_RETURN)
    if subject.state is BetState.RETURNED and back is not None and back.state is S.REFUSED:
        assert back.code == 0, "I7: only a person may keep a stake that the casino took"


def wallet_change(subject: Any) -> int:
    """What the accepted payments moved into the players' wallets."""
    taken = (K.STAKE, K.PAYOUT_RETURN, K.CASHBACK_CANCEL)
    accepted = [p for p in subject.payments.values() if p.state is S.ACCEPTED]
    return sum(-p.amount if p.kind in taken else p.amount for p in accepted)


def owed(subject: Any) -> int:
    """What was decided for the player and neither accepted nor given up; a return through suspense is not in it.

    The return of a bet that was on is owed from the moment it is decided, which may be before its payment exists
    (another payment of the bet is still in flight).
    """
    open_states = (S.CREATED, S.SENT, S.PARKED)
    gives = [p for p in subject.payments.values() if p.kind in GIVES and p.state in open_states]
    amount = sum(p.amount for p in gives if p.kind is not K.BET_RETURN)
    if not isinstance(subject, Bet) or not subject.was_on or subject.state is not BetState.RETURNED:
        return amount
    given = subject.payments.get(K.BET_RETURN)
    nothing_to_send = K.STAKE not in subject.payments
    waiting = given is None or given.state in open_states
    return amount + (subject.stake if waiting and not nothing_to_send else 0)
