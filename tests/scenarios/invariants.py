"""What must hold in the pure world after every decision and every event (money.md 5).

Owns: one function per law. Never: changes anything. I2 is the world's `unexplained`; I6, I14, I16, I18, I19 are the
full stack's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import croupier
from croupier.core.bet import BET_TABLE, BORN, IS_ON, Bet, BetState
from croupier.core.cashback import CASHBACK_TABLE, Cashback, CashbackState
from croupier.core.draft import Decision
from croupier.core.payment import GIVES, PAYMENT_TABLE, PaymentState
from croupier.core.readings import PaymentKind

ACCOUNTS = frozenset({"wallets", "open-bets", "owed", "ggr", "jackpot", "cashback", "suspense"})
STANDING = frozenset({PaymentState.CREATED, PaymentState.SENT, PaymentState.PARKED})
E = TypeVar("E", bound=Enum)
Moves = set[tuple[str, str, str]]


def decision_holds(decision: Decision[Any]) -> Moves:
    """I1, I8, I10, I11, I15 for one decision; the moves it makes, as (thing, from, to)."""
    before, after = decision.before, decision.after
    moves = _moves(before, after)
    for entry in decision.entries:
        assert {entry.source.split("/")[0], entry.target.split("/")[0]} <= ACCOUNTS, f"I1: {entry}"
        assert entry.currency == after.currency, f"I1: {entry}"
        assert type(entry.amount) is int, "I15"
    assert moves or before is None or not decision.entries, "I1: an entry belongs to a transition"
    assert before is not None or not isinstance(after, Bet) or after.state in BORN
    for payment in after.payments.values():
        assert type(payment.amount) is int, "I15"
        assert not payment.undecided or payment.kind.value in after.calls, f"I10: {payment.kind} has no next action"
    if isinstance(after, Bet):
        _payout_follows_its_stake(after)
    return moves


def _payout_follows_its_stake(bet: Bet) -> None:
    """I8: no payout before acceptance, no money for a tombstone, at most one return."""
    if PaymentKind.PAYOUT in bet.payments:
        skipped = bet.stake == 0 and PaymentKind.STAKE not in bet.payments
        assert bet.stake_confirmed or skipped, "I8: a payout before its stake"
    if bet.state is BetState.TOMBSTONE:
        assert not bet.payments, "I8: money for a tombstone"
    if PaymentKind.PAYOUT_RETURN in bet.payments:
        assert bet.payments[PaymentKind.PAYOUT].state is PaymentState.ACCEPTED, "I8: taken back before it was paid"


def _moves(before: Any, after: Any) -> Moves:
    moves: Moves = set()
    for kind, payment in after.payments.items():
        old = before.payments.get(kind) if before is not None else None
        start = PaymentState.CREATED if old is None else old.state
        assert reaches(PAYMENT_TABLE, start, payment.state), f"I11: {kind} {start} to {payment.state}"
        if old is None or old.state is not payment.state:
            moves.add(("payment", start.value if old else "", payment.state.value))
    if before is not None and before.state is not after.state:
        table: Mapping[Any, Any] = BET_TABLE if isinstance(after, Bet) else CASHBACK_TABLE
        assert reaches(table, before.state, after.state), f"I11: {before.state} to {after.state}"
        moves.add(("bet" if isinstance(after, Bet) else "cashback", before.state.value, after.state.value))
    return moves


def reaches(table: Mapping[tuple[E, Any], E], start: E, end: E) -> bool:
    """Whether a path along the table leads from one state to the other; one decision may take several steps."""
    found, more = {start}, {start}
    while more:
        more = {to for (at, _), to in table.items() if at in more} - found
        found |= more
    return end in found


def ledger_holds(subjects: Iterable[Bet | Cashback], ledger: Counter[str]) -> None:
    """I13 and the two sums of money.md 6.6: owed and suspense are what the rows say."""
    wanted: Counter[str] = Counter()
    for subject in subjects:
        casino = subject.casino_id
        wanted[f"owed/{casino}"] += _owed(subject)
        if isinstance(subject, Bet):
            wanted[f"suspense/{casino}"] += _in_suspense(subject)
            if subject.state in IS_ON:
                wanted[f"open-bets/{casino}/{subject.provider_id}"] += subject.stake
    told = {"open-bets", "owed", "suspense"}
    for account in set(wanted) | {a for a in ledger if a.split("/")[0] in told}:
        assert ledger[account] == wanted[account], f"I13: {account} is {ledger[account]}, rows say {wanted[account]}"
    assert sum(ledger.values()) == 0, "I1"


def _owed(subject: Bet | Cashback) -> int:
    """Gives decided and not accepted. The return of a bet that was on is owed before its payment may exist."""
    standing = [p for p in subject.payments.values() if p.kind in GIVES and p.state in STANDING]
    amount = sum(p.amount for p in standing if p.kind is not PaymentKind.BET_RETURN)
    if isinstance(subject, Cashback) or not subject.was_on or subject.state is not BetState.RETURNED:
        return amount
    given = subject.payments.get(PaymentKind.BET_RETURN)
    never_sent = PaymentKind.STAKE not in subject.payments
    return amount + (0 if never_sent or (given is not None and given.state not in STANDING) else subject.stake)


def _in_suspense(bet: Bet) -> int:
    if bet.was_on:
        return 0
    return bet.stake * (_accepted(bet, PaymentKind.STAKE) - _accepted(bet, PaymentKind.BET_RETURN))


def _accepted(subject: Bet | Cashback, kind: PaymentKind) -> int:
    payment = subject.payments.get(kind)
    return int(payment is not None and payment.state is PaymentState.ACCEPTED)


def stands_or_ended(subject: Bet | Cashback, incidents: frozenset[str]) -> bool:
    """I4: it ended, or a person was told of it, or it is an incomplete game that nobody settled yet."""
    undecided = [p for p in subject.payments.values() if p.undecided]
    parked = [p for p in subject.payments.values() if p.state is PaymentState.PARKED]
    if isinstance(subject, Cashback):
        waits = subject.state in {CashbackState.OWED, CashbackState.CANCEL_WANTED, CashbackState.TAKING_BACK}
    else:
        waits = subject.state in {BetState.ASKED, BetState.UNWANTED, BetState.UNCLAIMED, BetState.UNDOING}
    return not undecided and (not waits or bool(parked)) and (not parked or bool(incidents))


def database_moves() -> Moves:
    """What the database's own table of moves allows; a decision's net moves must be among them (I11)."""
    migrations = (Path(croupier.__file__).parent / "store" / "migrations").glob("*.sql")
    texts = [file.read_text().partition("insert into state_moves values")[2].partition(";")[0] for file in migrations]
    return {(m[1], m[2], m[3]) for text in texts for m in re.finditer(r"\('(\w+)', '(\w+)', '(\w+)'\)", text)}
