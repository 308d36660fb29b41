"""The four lists that a person must review.

Owns: open incidents; incomplete games (bets that are on longer than a limit); parked payments; unknown payments with
their next action and its time, and unclaimed stakes among them. Never: decides what to do. Amounts are decimal text in
major units. Spec: money.md 2.1 ("`unknown` ... is listed"), money.md 5 (I4), operate.md 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from croupier.core.money import format_amount
from croupier.store.db import Db
from croupier.store.money.standing import PARKED_PAYMENTS, STANDING_BETS, UNDECIDED_PAYMENTS

_INCIDENTS = """
select i.incident_id, i.subject_id, i.name, i.note, i.times, i.first_ms, i.last_ms, a.name as casino
from incidents i left join bets b on b.bet_id = i.subject_id left join cashbacks k on k.cashback_id = i.subject_id
left join casinos a on a.casino_id = coalesce(b.casino_id, k.casino_id)
where i.closed_ms is null and ($2::bigint[] is null or a.casino_id = any($2))
and ($3::bigint[] is null or b.provider_id = any($3))
order by i.last_ms desc, i.incident_id desc limit $1"""
_INCOMPLETE = f"""
select b.bet_id, b.state, b.bet_ref, b.round_ref, b.player_ref, b.currency, b.stake as amount, b.created_ms,
    a.name as casino, p.name as provider
from bets b left join casinos a using (casino_id) left join providers p on p.provider_id = b.provider_id
where b.state in {STANDING_BETS} -- what the index of standing bets holds
and b.state in ('on', 'unclaimed') and b.created_ms < $4
and ($2::bigint[] is null or b.casino_id = any($2)) and ($3::bigint[] is null or b.provider_id = any($3)) order by b.created_ms limit $1"""  # noqa: S608 - our own list
_PAYMENT = """
select p.subject_id, p.kind, p.state, p.amount, p.created_ms, p.code, p.message,
    c.step, c.due_ms, coalesce(c.failures, 0) as failures, coalesce(b.currency, k.currency) as currency,
    coalesce(b.player_ref, k.player_ref) as player_ref, a.name as casino
from {rows} left join bets b on b.bet_id = p.subject_id left join cashbacks k on k.cashback_id = p.subject_id
left join casinos a on a.casino_id = coalesce(b.casino_id, k.casino_id)
where ({which}) and ($2::bigint[] is null or a.casino_id = any($2))
and ($3::bigint[] is null or b.provider_id = any($3))
order by {order} limit $1"""
_PARKED = _PAYMENT.format(
    rows="payments p left join calls c on c.subject_id = p.subject_id and c.slot = p.kind",
    which=PARKED_PAYMENTS,
    order="p.created_ms",
)
# A payment without an outcome has a call; an accepted stake that nobody claimed has one too.
_UNKNOWN = _PAYMENT.format(
    rows="calls c join payments p on p.subject_id = c.subject_id"
    " and p.kind = case c.slot when 'claim' then 'stake' else c.slot end",
    which=f"p.state in {UNDECIDED_PAYMENTS} or c.slot = 'claim'",
    order="c.due_ms",
)


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """One open incident. `subject_id` is a BetId, a CashbackId, or 0."""

    incident_id: int
    subject_id: int
    name: str
    note: str
    times: int
    first_ms: int
    last_ms: int
    casino: str | None


@dataclass(frozen=True, slots=True)
class IncompleteGame:
    """A bet that is on and has not ended."""

    bet_id: int
    state: str
    casino: str | None
    provider: str | None
    bet_ref: str
    """The provider's betId."""
    round_ref: str
    player_ref: str
    stake: str
    currency: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class OpenPayment:
    """A payment without an outcome, or an unclaimed stake, with its next action."""

    payment: str
    """The id as the payment commands take it: `<BetId or CashbackId>:<kind>`."""
    state: str
    casino: str | None
    player_ref: str
    amount: str
    currency: str
    created_ms: int
    next_step: str | None
    """None if the payment waits for a person."""
    next_ms: int | None
    failures: int
    said: str | None
    """The code and message of the casino's last answer that was not a success."""


@dataclass(frozen=True, slots=True)
class ReviewLists:
    """The four lists, each cut at the requested length."""

    incidents: tuple[OpenIncident, ...]
    incomplete: tuple[IncompleteGame, ...]
    parked: tuple[OpenPayment, ...]
    unknown: tuple[OpenPayment, ...]


async def review_lists(
    db: Db, on_before_ms: int, most: int, *, casino_ids: Sequence[int] | None = None,
    provider_ids: Sequence[int] | None = None,
) -> ReviewLists:  # fmt: skip
    """Return the lists as of one moment, of these casinos and providers or of all.

    `on_before_ms`: a bet that is on is listed if it was made before this instant.
    """
    asked = (most, casino_ids, provider_ids)
    async with db.transaction(snapshot=True) as tx:
        return ReviewLists(
            tuple([OpenIncident(**row) for row in await tx.fetch(_INCIDENTS, *asked)]),
            tuple([_game(row) for row in await tx.fetch(_INCOMPLETE, *asked, on_before_ms)]),
            tuple([_payment(row) for row in await tx.fetch(_PARKED, *asked)]),
            tuple([_payment(row) for row in await tx.fetch(_UNKNOWN, *asked)]),
        )


def _game(row: Mapping[str, Any]) -> IncompleteGame:
    fields = {name: value for name, value in row.items() if name != "amount"}
    return IncompleteGame(stake=format_amount(row["amount"], row["currency"]), **fields)


def _payment(row: Mapping[str, Any]) -> OpenPayment:
    said = None if row["code"] is None else f"{row['code']} {row['message'] or ''}".strip()
    return OpenPayment(
        payment=f"{row['subject_id']}:{row['kind']}",
        state="unclaimed" if row["step"] == "claim_due" else row["state"],
        casino=row["casino"],
        player_ref=row["player_ref"],
        amount=format_amount(row["amount"], row["currency"]),
        currency=row["currency"],
        created_ms=row["created_ms"],
        next_step=row["step"],
        next_ms=row["due_ms"],
        failures=row["failures"],
        said=said,
    )
