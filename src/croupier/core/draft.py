"""Drafts and decisions: the only way in which the pure rules change a bet or a cashback.

A flow reads the subject, the rules write on a `Draft`, and `finish` returns a `Decision`: the subject before and
after, the ledger entries and the incidents. The store commits all of it in one conditional update on the version
that was read, or nothing. Owns: these records, and the checks of every decision (I1, I10, I11). Never: the meaning
of an event. Spec: money.md 2, 3 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from croupier.core.bet import Bet
from croupier.core.cashback import Cashback
from croupier.core.counterparty import Casino, Provider
from croupier.core.ledger import Entry
from croupier.core.payment import Call, Payment, PaymentEvent, PaymentState, Step, next_state
from croupier.core.readings import No, PaymentKind
from croupier.core.records import evolve
from croupier.core.session import Game
from croupier.core.waits import Waits

CORRECTION = "correction"

S = TypeVar("S", Bet, Cashback)


@dataclass(frozen=True, slots=True)
class Terms:
    """The inputs of a decision beside its subject: counterparties, waits, time, process, and one random number."""

    now_ms: int
    casino: Casino
    waits: Waits
    luck: float
    """In [0, 1), for jitter."""
    provider: Provider | None = None
    """None for a cashback."""
    process: str = ""
    """The process that leases the calls of this decision."""
    game: Game | None = None
    """The bet's game; None for a cashback, and if no win can be decided any more."""
    large_win: str | None = None
    """The hub's default for the smallest win that raises an incident: decimal text, major units."""
    held: frozenset[str] = frozenset()
    """The PartnerTransactionIds of this decision that another payment of the casino already has."""
    recovering: bool = False
    """True while recovery mode is on after a restore: answers to the provider may have been lost."""

    @property
    def hold_s(self) -> float:
        """Seconds that a provider waits for a stake's outcome; 0 for a cashback."""
        return self.provider.hold_s if self.provider else 0.0


@dataclass(frozen=True, slots=True)
class RaisedIncident:
    """An incident raised by this decision, for a person. Unique per subject and name: a second one only counts up."""

    name: str
    note: str


@dataclass(frozen=True, slots=True)
class Decision(Generic[S]):
    """Everything that is committed together, if the subject still has the version that was read."""

    before: S | None
    after: S
    event: str
    entries: tuple[Entry, ...] = ()
    incidents: tuple[RaisedIncident, ...] = ()
    named: tuple[Payment, ...] = ()
    """Payments whose PartnerTransactionId must be new for their casino."""
    detail: dict[str, str] = field(default_factory=dict)
    """Facts for the trace."""
    author: str | None = None
    """The person who decided, if one did."""
    tells: str | None = None
    """The verb whose first answer this decides: the balance of this moment is stored with it. None: no balance belongs to it."""
    based_ms: int | None = None
    """Once written: when the casino was asked for the base of the balance that was stored; None if none was."""


class Draft(Generic[S]):
    """A subject under change. `subject` always holds its current fields."""

    def __init__(self, subject: S, terms: Terms, *, new: bool = False) -> None:
        self.subject: S = subject
        self.terms = terms
        self.payments = dict(subject.payments)
        self.calls = dict(subject.calls)
        self._before: S | None = None if new else subject
        self._entries: list[Entry] = []
        self._incidents: list[RaisedIncident] = []
        self._detail: dict[str, str] = {}
        self._tells: str | None = None

    def set(self, **changes: Any) -> None:  # noqa: ANN401 - a field of Bet or Cashback, checked by replace
        """Change fields of the subject."""
        self.subject = evolve(self.subject, **changes)

    def note(self, **facts: object) -> None:
        """Add facts to the trace."""
        self._detail.update({k: str(v) for k, v in facts.items() if v is not None})

    def tell(self, verb: str) -> None:
        """Store the balance with the answer to this verb, unless this casino is asked for it each time (money.md 7.1)."""
        if not self.terms.casino.exact_balance:
            self._tells = verb

    def incident(self, name: str, note: str) -> None:
        """Raise an incident. Of several with one name in one decision the last is kept."""
        self._incidents = [i for i in self._incidents if i.name != name] + [RaisedIncident(name, note)]

    @property
    def last_note(self) -> str:
        """The note of the last incident of this decision; empty if there is none."""
        return self._incidents[-1].note if self._incidents else ""

    def book(self, source: str, target: str, amount: int, *, why: str) -> None:
        """Add a ledger entry. An amount of 0 adds none."""
        if amount:
            self._entries.append(Entry(source, target, amount, self.subject.currency, why))

    def pay(self, kind: PaymentKind, event: PaymentEvent, **facts: Any) -> None:  # noqa: ANN401 - see set
        """Apply an event to a payment; an outcome ends its call."""
        payment = self.payments[kind]
        state = next_state(kind, payment.state, event)
        ended = event in (PaymentEvent.ACCEPT, PaymentEvent.REFUSE, PaymentEvent.EXPIRE, PaymentEvent.PARK)
        decided_ms = self.terms.now_ms if ended else None
        self.payments[kind] = evolve(payment, state=state, decided_ms=decided_ms, **facts)
        if ended:
            self.calls.pop(kind.value, None)

    def mark_unanswered(self, kind: PaymentKind) -> None:
        """Record for good that an attempt of this payment had no outcome of its own."""
        self.payments[kind] = evolve(self.payments[kind], unanswered=True)

    def keep_refusal(self, kind: PaymentKind, no: No) -> None:
        """Store the casino's code, reason and message of a refusal."""
        self.payments[kind] = evolve(self.payments[kind], code=no.code, reason=no.reason.value, message=no.message)

    def order(self, kind: PaymentKind, amount: int, tax: int | None, *, step: Step = Step.MAKE) -> None:
        """Create a payment and the call that sends it, leased to this process."""
        assert kind not in self.payments, f"a second {kind.value} for {self.subject.subject_id}"
        # In recovery mode the payment may have been sent before, in the time that the restored database does not cover.
        self.payments[kind] = Payment(
            self.subject.subject_id, kind, amount, tax, self.terms.now_ms, unanswered=self.terms.recovering
        )
        self.call_now(kind.value, step)

    def call_now(self, slot: str, step: Step, *, failures: int = 0) -> None:
        """Schedule a call for now, leased to this process so that it can leave right after the commit."""
        now, waits, process = self.terms.now_ms, self.terms.waits, self.terms.process
        lease = waits.after_ms(now, waits.lease_s) if process else 0
        self.calls[slot] = Call(
            slot, step, now, failures, fence=self._fence, lease_owner=process or None, lease_until_ms=lease
        )

    def call_later(self, slot: str, step: Step, due_ms: int, **changes: Any) -> None:  # noqa: ANN401
        """Schedule a call for later, without a lease. The new fence invalidates a call that is still in flight."""
        call = self.calls.get(slot) or Call(slot, step, due_ms)
        free = evolve(call, crashes=0, fence=self._fence, lease_owner=None, lease_until_ms=0)
        self.calls[slot] = evolve(free, step=step, due_ms=due_ms, **changes)

    @property
    def _fence(self) -> int:
        """A fencing token above all earlier ones of this subject: none exceeded the subject's version then plus one."""
        return 1 if self._before is None else self._before.version + 2

    def drop_call(self, slot: str) -> None:
        """Remove the call of this slot."""
        self.calls.pop(slot, None)

    @property
    def changed(self) -> bool:
        """True if there is anything to commit: a change, an entry or an incident."""
        parts = self.payments != self.subject.payments or self.calls != self.subject.calls
        return parts or self.subject is not self._before or bool(self._entries or self._incidents)

    def correct(self) -> None:
        """Mark every entry as a correction: a person decides against the protocol's outcome (money.md 6.4)."""
        self._entries = [evolve(entry, why=CORRECTION) for entry in self._entries]

    def finish(self, event: str, *, author: str | None = None) -> Decision[S]:
        """Return the draft as a decision; asserts the invariants of every decision."""
        self._check()
        before = self._before
        version = 0 if before is None else before.version + 1
        after = evolve(self.subject, payments=self.payments, calls=self.calls, version=version)
        return Decision(
            before=before,
            after=after,
            event=event,
            entries=tuple(self._entries),
            incidents=tuple(self._incidents),
            named=self._named(),
            detail=self._detail,
            author=author,
            tells=self._tells,
        )

    def _named(self) -> tuple[Payment, ...]:
        if self.terms.casino.reuses_transaction_ids:
            return ()
        before = {} if self._before is None else self._before.payments
        return tuple(
            [
                payment
                for kind, payment in self.payments.items()
                if payment.partner_tx is not None
                and (kind not in before or before[kind].partner_tx != payment.partner_tx)
            ]
        )

    def _check(self) -> None:
        """Assert that each undecided payment has exactly one next action (I10), and that only stakes expire (I11)."""
        for kind, payment in self.payments.items():
            if payment.undecided:
                assert kind.value in self.calls, f"{kind.value} of {payment.subject_id} has no next action"
            if payment.state is PaymentState.EXPIRED:
                assert kind is PaymentKind.STAKE
