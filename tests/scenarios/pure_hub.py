"""The pure world: core rules, rows in memory, a clock that jumps. It does with them what the flows do.

A heap of (time, action) is the loop: requests wait in it, calls leave and come back in it, leases run out in it. Every
decision is checked when it is committed. Owns: the hub's side of that world. Never: rules of its own; where the flows
decide something (joining, waiting, leases, fences) this follows them step by step.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from croupier.core import pursuit
from croupier.core.bet import Bet, BetState, Origin
from croupier.core.bet_requests import RecordedAnswer, Ruling, Wait
from croupier.core.cashback import Cashback
from croupier.core.commands import Order
from croupier.core.counterparty import Casino, Provider
from croupier.core.draft import Decision, Draft, Terms
from croupier.core.payment import SLOT_CLOSE, Call, PaymentState, Step
from croupier.core.pursuit import Verdict
from croupier.core.readings import (
    Acknowledgement,
    CloseDone,
    CloseReading,
    InfoList,
    InfoReading,
    PaymentKind,
    PaymentOutcome,
    Unknown,
)
from croupier.core.reconciliation import Found, doubles
from croupier.core.refusals import Refusal
from croupier.core.waits import Waits
from croupier.flows.admission import Admission
from croupier.kit.metrics import Metrics
from croupier.providers.betcore_v1.outcomes import wire_outcome
from tests.scenarios import invariants
from tests.scenarios.book import Book
from tests.scenarios.words import Treatment

T0 = 1_760_000_000_000
"""When every world begins, milliseconds since the epoch."""
WORST_LUCK = 1 - 1e-9
"""Jitter never shortens a wait."""
NOTHING = "nothing"
Subject = Bet | Cashback
Reading = Acknowledgement | InfoReading | CloseReading


@dataclass(frozen=True, slots=True)
class LeasedCall:
    """A call on its way, under the fence it left with."""

    subject_id: int
    slot: str
    fence: int
    step: Step


@dataclass(slots=True)
class Ticket:
    """A provider's request until it is answered."""

    rule: Callable[[Bet, Terms, bool], Ruling]
    bet_id: int
    until_ms: int
    waits_for_the_casino: bool = False
    """A pay-out that is answered only when the casino has it."""
    waiting: bool = False
    answer: str | None = None
    answered_ms: int = 0
    done: Callable[[], None] = lambda: None


class Clock:
    """The world's time as the gates see it."""

    def __init__(self, world: PureHub) -> None:
        self._world = world

    def now_ms(self) -> int:
        return self._world.now

    def monotonic_s(self) -> float:
        return self._world.now / 1000

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    def shift(self, offset_ms: int) -> None:
        raise NotImplementedError


class PureHub:
    """The hub, as rows and pure rules."""

    def __init__(self, casinos: list[Casino], providers: list[Provider], *, luck: float = WORST_LUCK) -> None:
        self.now = T0
        self.luck = luck
        self.waits = Waits()
        self.casinos = {c.casino_id: c for c in casinos}
        self.providers = {p.provider_id: p for p in providers}
        self.books = {c.casino_id: Book(c) for c in casinos}
        self.subjects: dict[int, Subject] = {}
        self.by_ref: dict[tuple[int, str], int] = {}
        self.numbers: dict[tuple[int, str | None], tuple[int, PaymentKind]] = {}
        """Which payment has which PartnerTransactionId of which casino."""
        self.ledger: Counter[str] = Counter()
        self.incidents: Counter[tuple[int, str]] = Counter()
        self.findings: set[tuple[int, Found]] = set()
        self.moves: invariants.Moves = set()
        self.sends: list[tuple[int, LeasedCall]] = []
        """Every call that left: when, and which."""
        self.alive = True
        self.process = "h1"
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._seq = itertools.count()
        self._ids = itertools.count(1000)
        self._tickets: list[Ticket] = []
        self._start_gates()

    def _start_gates(self) -> None:
        self.admission = Admission(Clock(self), Metrics(), max_in_flight=2000)

    # --- time -------------------------------------------------------------------------------------------------------

    def at(self, at_ms: int, action: Callable[[], None]) -> None:
        """Do it then; what is planned for one instant happens in the order of planning."""
        heapq.heappush(self._heap, (max(at_ms, self.now), next(self._seq), action))

    def next_ms(self) -> int | None:
        """When something happens next."""
        return self._heap[0][0] if self._heap else None

    def step(self) -> None:
        """Let the next thing happen."""
        at_ms, _, action = heapq.heappop(self._heap)
        self.now = max(self.now, at_ms)
        action()

    def go_to(self, at_ms: int) -> None:
        """Let everything happen that is due by then."""
        while self._heap and self._heap[0][0] <= at_ms:
            self.step()
        self.now = max(self.now, at_ms)
        invariants.ledger_holds(self.subjects.values(), self.ledger)

    # --- the door ---------------------------------------------------------------------------------------------------

    def new_id(self) -> int:
        """A BetId or CashbackId."""
        return next(self._ids)

    def terms(self, subject: Subject) -> Terms:
        """What a decision now is made under."""
        provider = self.providers[subject.provider_id] if isinstance(subject, Bet) else None
        casino = self.casinos[subject.casino_id]
        held = frozenset(
            tx
            for (of, tx), (owner, _) in self.numbers.items()
            if tx and (of, owner != subject.subject_id) == (casino.casino_id, True)
        )
        return Terms(self.now, casino, self.waits, self.luck, provider, self.process, large_win="100000", held=held)

    def draft(self, subject: Subject, *, new: bool = False) -> Draft[Any]:
        """A draft of the subject under the terms of now."""
        return Draft(subject, self.terms(subject), new=new)

    def commit(self, decision: Decision[Any]) -> bool:
        """Write it if the subject is still as it was read; then wake who waits and send what is leased to us."""
        before, after = decision.before, decision.after
        current = self.subjects.get(after.subject_id)
        if (None if current is None else current.version) != (None if before is None else before.version):
            return False
        if before is None and isinstance(after, Bet):
            if (after.provider_id, after.bet_ref) in self.by_ref:
                return False
            self.by_ref[after.provider_id, after.bet_ref] = after.bet_id
        self.moves |= invariants.decision_holds(decision)
        self.subjects[after.subject_id] = after
        self.numbers |= {(after.casino_id, p.partner_tx): (p.subject_id, p.kind) for p in decision.named}
        for entry in decision.entries:
            self.ledger[entry.source] -= entry.amount
            self.ledger[entry.target] += entry.amount
        self.incidents.update((after.subject_id, i.name) for i in decision.incidents)
        self._committed(before, after)
        return True

    def _committed(self, before: Subject | None, after: Subject) -> None:
        old = before.calls if before else {}
        for slot, call in after.calls.items():
            if old.get(slot) == call:
                continue
            if call.lease_owner == self.process:
                leased_call = LeasedCall(after.subject_id, slot, call.fence, call.step)
                self.at(self.now, lambda e=leased_call: self._perform(e))  # type: ignore[misc]
            self._plan(after.subject_id, slot, call)
        for ticket in self._tickets:
            if ticket.bet_id == after.subject_id and ticket.waiting:
                self.at(self.now, lambda t=ticket: self.go_on(t))  # type: ignore[misc]

    # --- requests that wait -----------------------------------------------------------------------------------------

    def wait_for(self, ticket: Ticket) -> None:
        """Take on a request: rule, wait and commit until there is an answer (flows.asking)."""
        self._tickets.append(ticket)
        self.go_on(ticket)

    def go_on(self, ticket: Ticket) -> None:
        """One more look at the row."""
        while ticket.answer is None:
            bet = self.subjects[ticket.bet_id]
            assert isinstance(bet, Bet)
            if ticket.waiting and bet.state is BetState.ASKED and not bet.stake_parked and self.now < ticket.until_ms:
                self.at(ticket.until_ms, lambda: self.go_on(ticket))
                return
            ruling = ticket.rule(bet, self.terms(bet), ticket.waiting)
            if isinstance(ruling, Wait):
                ticket.waiting = True
            elif isinstance(ruling, Decision):
                assert self.commit(ruling)
            elif not self._unpaid(ticket, bet, ruling):
                self.answer(ticket, ruling.refusal)
            elif self.now >= ticket.until_ms:
                self.answer(ticket, Refusal.OUTCOME_UNKNOWN)
            else:
                ticket.rule, ticket.waiting = (lambda _bet, _terms, _over: RecordedAnswer()), True
                self.at(ticket.until_ms, lambda: self.go_on(ticket))
                return

    @staticmethod
    def _unpaid(ticket: Ticket, bet: Bet, reply: RecordedAnswer) -> bool:
        """A pay-out whose provider wants to know that the casino has it (its `pay_out_waits`)."""
        if reply.refusal is not None or not ticket.waits_for_the_casino:
            return False
        kind = PaymentKind.JACKPOT if bet.origin is Origin.JACKPOT else PaymentKind.PAYOUT
        return bet.payments[kind].state is not PaymentState.ACCEPTED

    def answer(self, ticket: Ticket, refusal: Refusal | None) -> None:
        """Tell the provider."""
        outcome = wire_outcome(refusal)
        ticket.answer = f"{outcome.code} busy" if refusal is Refusal.NOT_TAKEN else str(outcome.code)
        ticket.answered_ms = self.now
        if ticket in self._tickets:
            self._tickets.remove(ticket)
        ticket.done()

    # --- calls ------------------------------------------------------------------------------------------------------

    def _plan(self, subject_id: int, slot: str, call: Call) -> None:
        self.at(max(call.due_ms, call.lease_until_ms), lambda: self._take(subject_id, slot))

    def _take(self, subject_id: int, slot: str) -> None:
        """Lease a call that is due, and decide what it does (store.calls, flows.dispatcher)."""
        subject = self.subjects[subject_id]
        call = subject.calls.get(slot)
        if not self.alive or call is None or max(call.due_ms, call.lease_until_ms) > self.now:
            return
        lease_ms = self.waits.after_ms(self.now, self.waits.lease_s)
        taken = replace(call, fence=call.fence + 1, lease_owner=self.process, lease_until_ms=lease_ms)
        subject = replace(subject, version=subject.version + 1, calls={**subject.calls, slot: taken})
        if call.lease_owner is not None and call.step is Step.MAKE:
            doubted = replace(subject.payments[PaymentKind(slot)], unanswered=True)
            subject = replace(subject, payments={**subject.payments, doubted.kind: doubted})
        self.subjects[subject_id] = subject
        self._plan(subject_id, slot, taken)
        d = self.draft(subject)
        step = pursuit.step_when_due(d, slot)
        if step is None:
            assert self.commit(d.finish("taken_up"))
        else:
            self._perform(LeasedCall(subject_id, slot, taken.fence, step))

    def _perform(self, leased_call: LeasedCall) -> None:
        subject, process = self.subjects[leased_call.subject_id], self.process
        if not self.alive or not _ours(subject, leased_call):
            return
        self.sends.append((self.now, leased_call))
        after_s, reading = self._ask_casino(subject, leased_call)
        asked_ms = self.now
        self.at(
            self.waits.after_ms(self.now, after_s), lambda: self._apply_answer(leased_call, reading, process, asked_ms)
        )

    def _ask_casino(self, subject: Subject, leased_call: LeasedCall) -> tuple[float, Reading]:
        """What the casino answers, and after how many seconds; its accept is planned."""
        book = self.books[subject.casino_id]
        if leased_call.step is Step.INFO:
            return book.info_slow_s, book.info(leased_call.subject_id)
        if leased_call.step is not Step.MAKE:
            return 0.0, book.close(leased_call.subject_id, closed=leased_call.step is Step.CLOSE)
        order = order_of(subject, PaymentKind(leased_call.slot))
        reaction = book.make(order)
        if reaction.accept_after_s is not None:
            due = self.waits.after_ms(self.now, reaction.accept_after_s)
            self.at(due, lambda: self._accepts(order, reaction.how, subject.casino_id))
        return reaction.answer_after_s, reaction.answer

    def _accepts(self, order: Order, how: Treatment, casino_id: int) -> None:
        self.accept(casino_id, order.subject_id, order.kind, self.books[casino_id].outcome(order, how))

    def _apply_answer(self, leased_call: LeasedCall, reading: Reading, process: str, asked_ms: int) -> None:
        """What the casino said becomes a decision, if the call is still ours."""
        subject = self.subjects[leased_call.subject_id]
        if not self.alive or process != self.process:
            return
        known = self.admission.unanswered if isinstance(reading, Unknown) else self.admission.answered
        known(subject.casino_id)
        if isinstance(reading, InfoList):
            self._note_doubles(leased_call.subject_id, reading)
        d = self.draft(subject)
        if not _ours(subject, leased_call):
            if leased_call.slot != SLOT_CLOSE and not isinstance(reading, CloseDone):
                pursuit.apply_stale_answer(d, PaymentKind(leased_call.slot), reading)
            if d.changed:
                assert self.commit(d.finish(f"{leased_call.slot}_overheard"))
            return
        if leased_call.step is Step.INFO:
            assert isinstance(reading, InfoList | Unknown)
            pursuit.apply_info_answer(d, PaymentKind(leased_call.slot), reading, asked_ms=asked_ms)
        elif leased_call.slot == SLOT_CLOSE or leased_call.step is Step.REOPEN:
            assert isinstance(reading, CloseDone | Unknown)
            pursuit.apply_close_answer(d, leased_call.slot, reading)
        else:
            assert not isinstance(reading, InfoList | CloseDone)
            pursuit.apply_make_answer(d, PaymentKind(leased_call.slot), reading)
        assert self.commit(d.finish(f"{leased_call.slot}_answered"))

    def _note_doubles(self, subject_id: int, seen: InfoList) -> None:
        """A casino's own double booking is a finding, and calls for a person once (flows.doubles)."""
        for found in doubles(seen):
            if (subject_id, found) not in self.findings:
                self.findings.add((subject_id, found))
                self.incidents[subject_id, "difference"] += 1

    def accept(self, casino_id: int, subject_id: int, kind: PaymentKind, outcome: PaymentOutcome) -> str:
        """The casino reports an outcome; what it is answered."""
        if not self.alive:
            return NOTHING
        self.admission.answered(casino_id)
        subject = self.subjects.get(subject_id)
        if subject is None or subject.casino_id != casino_id:
            return "102823"
        d = self.draft(subject)
        verdict = pursuit.apply_outcome(d, kind, outcome)
        if d.changed:
            assert self.commit(d.finish(f"{kind.value}_heard"))
        return "200" if verdict is Verdict.OK else "102823"

    # --- the process ------------------------------------------------------------------------------------------------

    def die(self) -> None:
        """The process is killed: nobody is answered, what is in flight is never heard of."""
        self.alive = False
        for ticket in self._tickets:
            ticket.answer, ticket.answered_ms = NOTHING, self.now
        self._tickets.clear()

    def start(self) -> None:
        """A new process takes over at once what the dead one held."""
        dead, self.alive, self.process = self.process, True, f"h{int(self.process[1:]) + 1}"
        self._start_gates()
        for subject_id, subject in self.subjects.items():
            held = {
                s: replace(
                    c, lease_until_ms=min(c.lease_until_ms, self.now), crashes=c.crashes + (c.lease_owner == dead)
                )
                for s, c in subject.calls.items()
            }
            self.subjects[subject_id] = replace(subject, calls=held)
            for slot, call in held.items():
                self._plan(subject_id, slot, call)


def order_of(subject: Subject, kind: PaymentKind) -> Order:
    """What the casino is asked to book."""
    payment = subject.payments[kind]
    return Order(subject.subject_id, kind, subject.player_ref, payment.amount, payment.tax, subject.currency)


def _ours(subject: Subject, leased_call: LeasedCall) -> bool:
    call = subject.calls.get(leased_call.slot)
    return call is not None and call.fence == leased_call.fence
