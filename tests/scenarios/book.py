"""The casino of the pure world: a book of what it booked, and a script of how it treats calls.

It keys its book on (bet, type), as the contract says, and answers a repeat of what it booked with "exists" and the
first contents, whatever its script says of new ones. Owns: book, script, count of calls. Never: time (the world
delivers what it says when it is due).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from croupier.casinos.betcore_v2.outcomes import meaning_of
from croupier.core.commands import Order
from croupier.core.counterparty import Casino
from croupier.core.money import format_amount
from croupier.core.payment import GIVES
from croupier.core.readings import (
    Acknowledgement,
    CloseDone,
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
from tests.scenarios.words import HONEST, TIMEOUT_S, Says, Treatment

TAKES = frozenset({PaymentKind.STAKE, PaymentKind.PAYOUT_RETURN, PaymentKind.CASHBACK_CANCEL})
Key = tuple[int, PaymentKind]


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a make sets off: an answer after a while, perhaps an accept after another. Seconds."""

    answer: Acknowledgement
    how: Treatment

    @property
    def answer_after_s(self) -> float:
        """When the answer is there, or its absence is believed."""
        if self.how.answer == "silent":
            return TIMEOUT_S
        return 1.0 if self.how.first else 0.0

    @property
    def accept_after_s(self) -> float | None:
        """When the accept comes; None if none does."""
        return self.how.after_s if self.how.accepts else None


class Book:
    """One casino. `moved` counts how often each payment moved money."""

    def __init__(self, casino: Casino) -> None:
        self.casino = casino
        self.booked: dict[Key, Order] = {}
        self.seen: dict[Key, Order] = {}
        self.moved: Counter[Key] = Counter()
        self.counts: Counter[tuple[str, int, PaymentKind | None]] = Counter()
        self.lied: set[int] = set()
        """Of which bets and cashbacks it said what is not so: refused what it booked, accepted what it did not."""
        self._refused: set[Key] = set()
        self._how: dict[str, Treatment] = {}

    @property
    def wallet(self) -> int:
        """What all that is booked did to the players' wallets: the sum of Amounts, gross of tax."""
        return sum(-o.amount * n if k in TAKES else o.amount * n for (_, k), n in self.moved.items()
                   if (o := self.seen.get((_, k))))  # fmt: skip

    def net(self, subject_id: int) -> int:
        """What one bet or cashback did to its player's wallet."""
        mine = {k: n for (s, k), n in self.moved.items() if s == subject_id}
        return sum((-1 if k in TAKES else 1) * self.seen[subject_id, k].amount * n for k, n in mine.items())

    def treat(self, target: str, how: Treatment) -> None:
        """From now on; `all` forgets what was said of single kinds."""
        if target == "all":
            self._how = {t: h for t, h in self._how.items() if t in {"info", "close"}}
        self._how[target] = how

    def book(self, order: Order, *, again: bool = False) -> None:
        """Book it, once per bet and type."""
        key = (order.subject_id, order.kind)
        self.seen.setdefault(key, order)
        if key not in self.booked or again:
            if key in self._refused and key[1] not in GIVES:
                self.lied.add(key[0])
            self.booked[key] = order
            self.moved[key] += 1

    def forget(self, key: Key) -> None:
        """Undo a booking without a word."""
        del self.booked[key]
        self.moved[key] -= 1

    def make(self, order: Order) -> Reaction:
        """A make arrives, or fails on its way."""
        key = (order.subject_id, order.kind)
        self.counts["makes", *key] += 1
        how = self._how.get(order.kind.value) or self._how.get("all", HONEST)
        self.seen.setdefault(key, order)
        if key in self.booked and how.books and how.answer in {"ack", "inline"} and how.amount is None:
            return Reaction(Exists(self._contents(order)), replace(how, accepts=False))
        if how.books and not how.after_s:
            self.book(order)
        if how.answer == "refuse":
            self._note_lie(key)
        return Reaction(self._answer(order, how), how)

    def outcome(self, order: Order, how: Treatment) -> PaymentOutcome:
        """What its accept says when it is due; now it books what it says it booked."""
        if how.code:
            self._note_lie((order.subject_id, order.kind))
            return self._no(how.code)
        self.book(order)
        return Yes(self._contents(order, how.amount))

    def info(self, bet_id: int) -> InfoReading:
        """Every payment it has of the bet."""
        self.counts["infos", bet_id, None] += 1
        how = self._how.get("info", HONEST)
        if how.code == 103805:
            return InfoList(())
        if how.answer != "ack" or not self.casino.info:
            return Unknown(how.why or "no info here")
        return InfoList(
            tuple(line for o in self.booked.values() if o.subject_id == bet_id for line in self._lines(o, how))
        )

    def _lines(self, order: Order, how: Treatment) -> list[Contents]:
        """As many as it booked: a second one has a number of its own."""
        first, times = self._contents(order, how.amount), self.moved[order.subject_id, order.kind]
        return [first, *(replace(first, partner_tx=f"{first.partner_tx}-{n}") for n in range(2, times + 1))]

    @property
    def info_slow_s(self) -> float:
        """How long the answer to a question is on its way; what it says is from when it was asked."""
        return self._how.get("info", HONEST).slow_s

    def close(self, bet_id: int, *, closed: bool) -> CloseReading:
        """Close or reopen a bet."""
        self.counts["closes" if closed else "reopens", bet_id, None] += 1
        how = self._how.get("close", HONEST)
        return CloseDone() if how.answer == "ack" else Unknown(how.why)

    def said(self, event: Says, order: Order) -> PaymentOutcome:
        """An accept of its own accord. What it says truly of a payment it had not booked, it books now."""
        if event.code not in {200, 103804}:
            self._note_lie((order.subject_id, order.kind))
            return self._no(event.code)
        if not (event.tx or event.amount or event.player):
            self.book(order)
        elif (order.subject_id, order.kind) not in self.booked:
            self.lied.add(order.subject_id)
        contents = self._contents(order, event.amount)
        contents = replace(contents, partner_tx=event.tx or contents.partner_tx,
                           player_ref=event.player or contents.player_ref)  # fmt: skip
        if event.code == 200:
            return Yes(contents)
        return Exists(contents if event.value else None)

    def _note_lie(self, key: Key) -> None:
        """It says no: untrue if it has booked it, or if it books it later; for what is owed a no is "not yet"."""
        self._refused.add(key)
        if key in self.booked:
            self.lied.add(key[0])

    def _answer(self, order: Order, how: Treatment) -> Acknowledgement:
        if how.answer == "ack":
            return Received()
        if how.answer == "inline":
            return Yes(self._contents(order, how.amount))
        if how.answer == "exists":
            return Exists(self._contents(order, how.amount))
        if how.answer == "bare":
            return Exists(None)
        if how.answer == "refuse":
            no = self._no(how.code)
            return Unknown(f"code {how.code}") if no.reason is CasinoNo.OTHER else no
        return Unknown(how.why)

    def _no(self, code: int) -> No:
        reason = meaning_of(code, self.casino)
        return No(reason if isinstance(reason, CasinoNo) else CasinoNo.OTHER, code, "no")

    def _contents(self, order: Order, amount: str | None = None) -> Contents:
        first = self.booked.get((order.subject_id, order.kind), order)
        return Contents(
            subject_id=order.subject_id,
            player_ref=first.player_ref,
            kind=order.kind,
            amount=amount or format_amount(first.amount, first.currency),
            tax=None if first.tax is None else format_amount(first.tax, first.currency),
            partner_tx=f"{order.subject_id}-{order.kind.value}",
        )
