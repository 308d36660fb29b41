"""The trace of one bet or cashback: everything that happened on both sides, in order.

Owns: its parts: the parties, the answers to the provider, each decision with its ledger entries, the payments, the live
next actions, the incidents. Never: explains a rule. Amounts are decimal text in major units, times milliseconds since the
Unix epoch. Spec: operate.md 2 (`croupier trace`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from croupier.core.money import format_amount
from croupier.store.db import Db, Row, Tx
from croupier.views.subjects import find_subject

_BET = """
select 'bet' as thing, b.bet_id as subject_id, b.casino_id, a.name as casino, b.provider_id, p.name as provider,
    b.bet_ref, b.round_ref, b.session_id, g.name as game, b.player_ref, b.origin, b.currency, b.stake as amount, b.win,
    b.state, b.closing, b.created_ms, b.ended_ms, b.pay_in_answer, b.pay_in_balance,
    b.pay_out_answer, b.pay_out_balance, b.refund_answer,
    b.refund_balance
from bets b left join casinos a using (casino_id) left join providers p on p.provider_id = b.provider_id
left join games g on g.game_id = b.game_id where b.bet_id = $1"""
_CASHBACK = """
select 'cashback' as thing, k.cashback_id as subject_id, k.casino_id, a.name as casino, k.ref, k.player_ref,
    k.currency, k.amount, k.state, k.created_ms
from cashbacks k left join casinos a using (casino_id) where k.cashback_id = $1"""
_EVENTS = """
select version, at_ms, event, state, detail, author, process from events where subject_id = $1 order by version"""
_ENTRIES = """
select version, source, target, amount, why, author from ledger where subject_id = $1 order by version, entry_id"""
_PAYMENTS = """
select kind, amount, tax, state, partner_tx, code, reason, message, created_ms, decided_ms
from payments where subject_id = $1 order by created_ms, kind"""
_CALLS = """
select slot, step, due_ms, failures, acked, crashes, lease_owner, lease_until_ms from calls where subject_id = $1
order by due_ms, slot"""
_INCIDENTS = """
select incident_id, name, note, times, first_ms, last_ms, closed_ms, closed_by, close_note from incidents
where subject_id = $1 order by first_ms, incident_id"""

_ARCHIVED = """
select f.sha256, f.before_ms, f.part, f.at_ms, f.author, f.reason from archived a join archive_files f using (file_id)
where a.subject_id = $1"""


@dataclass(frozen=True, slots=True)
class TracedSubject:
    """The bet or cashback itself. Fields of bets are None for a cashback, and the other way round."""

    thing: str
    """`bet` or `cashback`."""
    subject_id: int
    casino_id: int
    casino: str | None
    player_ref: str
    currency: str
    amount: str
    """The stake, or the cashback's amount."""
    state: str
    created_ms: int
    provider_id: int | None = None
    provider: str | None = None
    bet_ref: str | None = None
    """The provider's betId."""
    round_ref: str | None = None
    session_id: str | None = None
    game: str | None = None
    origin: str | None = None
    win: str | None = None
    closing: str | None = None
    ended_ms: int | None = None
    ref: str | None = None
    """The caller's reference of a cashback."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """A stored answer to the provider: a repeat gets the same one."""

    request: str
    answer: str
    """`ok` or the refusal."""
    balance: str | None


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry of the ledger."""

    source: str
    target: str
    amount: str
    why: str
    author: str | None


@dataclass(frozen=True, slots=True)
class Moment:
    """One decision: its event, the state after it, and its ledger entries."""

    version: int
    at_ms: int
    event: str
    state: str
    detail: dict[str, str]
    author: str | None
    process: str
    entries: tuple[EntryLine, ...]


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """One payment between hub and casino."""

    payment: str
    """The id as the payment commands take it: `<BetId or CashbackId>:<kind>`."""
    kind: str
    amount: str
    tax: str | None
    state: str
    partner_tx: str | None
    code: int | None
    reason: str | None
    message: str | None
    created_ms: int
    decided_ms: int | None


@dataclass(frozen=True, slots=True)
class CallLine:
    """One live next action."""

    slot: str
    step: str
    due_ms: int
    failures: int
    acked: bool
    crashes: int
    lease_owner: str | None
    lease_until_ms: int


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """One incident, open while `closed_ms` is None."""

    incident_id: int
    name: str
    note: str
    times: int
    first_ms: int
    last_ms: int
    closed_ms: int | None
    closed_by: str | None
    close_note: str | None


@dataclass(frozen=True, slots=True)
class ArchivedIn:
    """The archive file that alone holds the entries and events."""

    sha256: str
    before_ms: int
    part: int
    at_ms: int
    """When the deletion of its rows began."""
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Trace:
    """The whole trace, as of one moment."""

    subject: TracedSubject
    told: tuple[StoredAnswer, ...]
    moments: tuple[Moment, ...]
    payments: tuple[PaymentLine, ...]
    calls: tuple[CallLine, ...]
    incidents: tuple[IncidentLine, ...]
    archived: ArchivedIn | None = None
    """Where its entries and events are, if they were deleted from the database."""


async def trace(db: Db, text: str) -> Trace | None:
    """Return the trace of a BetId, a CashbackId or `provider:betId`; None if there is no such bet or cashback."""
    subject_id = await find_subject(db, text)
    if subject_id is None:
        return None
    async with db.transaction(snapshot=True) as tx:
        head = await tx.fetchrow(_BET, subject_id) or await tx.fetchrow(_CASHBACK, subject_id)
        assert head is not None
        return Trace(
            subject=_subject(head),
            told=_told(head),
            moments=await _moments(tx, subject_id, head["currency"]),
            payments=tuple([_payment(row, head) for row in await tx.fetch(_PAYMENTS, subject_id)]),
            calls=tuple([CallLine(**row) for row in await tx.fetch(_CALLS, subject_id)]),
            incidents=tuple([IncidentLine(**row) for row in await tx.fetch(_INCIDENTS, subject_id)]),
            archived=None if (row := await tx.fetchrow(_ARCHIVED, subject_id)) is None else ArchivedIn(**row),
        )


def _subject(head: Row) -> TracedSubject:
    fields = {name: value for name, value in head.items() if not name.endswith(("_answer", "_balance"))}
    return TracedSubject(**{**fields, "amount": _amount(head, "amount"), "win": _amount(head, "win")})


def _told(head: Row) -> tuple[StoredAnswer, ...]:
    if head["thing"] != "bet":
        return ()
    verbs = [verb for verb in ("pay_in", "pay_out", "refund") if head[f"{verb}_answer"] is not None]
    return tuple(StoredAnswer(verb, head[f"{verb}_answer"], _amount(head, f"{verb}_balance")) for verb in verbs)


async def _moments(tx: Tx, subject_id: int, currency: str) -> tuple[Moment, ...]:
    entries = await tx.fetch(_ENTRIES, subject_id)
    events = await tx.fetch(_EVENTS, subject_id)
    return tuple(_moment(event, entries, currency) for event in events)


def _moment(event: Row, entries: Sequence[Row], currency: str) -> Moment:
    mine = [entry for entry in entries if entry["version"] == event["version"]]
    facts = {**event, "detail": json.loads(event["detail"])}
    return Moment(**facts, entries=tuple(_entry(entry, currency) for entry in mine))


def _entry(row: Row, currency: str) -> EntryLine:
    return EntryLine(row["source"], row["target"], format_amount(row["amount"], currency), row["why"], row["author"])


def _payment(row: Row, head: Row) -> PaymentLine:
    currency = head["currency"]
    texts = {"amount": format_amount(row["amount"], currency), "tax": _amount({**row, "currency": currency}, "tax")}
    return PaymentLine(payment=f"{head['subject_id']}:{row['kind']}", **{**row, **texts})


def _amount(row: Mapping[str, Any], name: str) -> str | None:
    """Return a column of minor units as decimal text; None if it is empty or missing."""
    minor = row.get(name)
    return None if minor is None else format_amount(int(minor), row["currency"])
