"""What this API writes about bets, payments and days.

Owns: the names of the fields. Amounts are decimal text in major units, instants ISO 8601 in UTC. Spec: casino.md 3.4.
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from croupier.casino_api.records import Amount, Instant, iso
from croupier.core.money import format_amount
from croupier.views.casino_books import BetLine, CasinoPayment, DayLine


class BetRecord(TypedDict):
    """One bet of this casino."""

    betId: Annotated[int, Meta(description="The hub's number, BetId in the casino half.")]
    providerBetId: str
    roundId: str
    playerId: str
    sessionId: str
    gameId: int
    game: str | None
    provider: str | None
    currency: str
    stake: Amount
    win: NotRequired[Amount]
    state: str
    createdAt: Instant
    endedAt: NotRequired[Instant]


class BetList(TypedDict):
    """A page of bets, newest first. It may hold fewer than asked for although a nextCursor follows."""

    bets: list[BetRecord]
    nextCursor: str | None


class PaymentRecord(TypedDict):
    """One payment between the hub and this casino."""

    subjectId: Annotated[int, Meta(description="BetId or CashbackId.")]
    kind: str
    playerId: str
    currency: str
    amount: Amount
    tax: NotRequired[Amount]
    state: str
    partnerTransactionId: NotRequired[str]
    errorCode: NotRequired[int]
    reason: NotRequired[str]
    message: NotRequired[str]
    createdAt: Instant
    decidedAt: NotRequired[Instant]


class BetWithPayments(BetRecord):
    """One bet with its payments, in order."""

    payments: list[PaymentRecord]


class PaymentList(TypedDict):
    """A page of payments, newest bet first. It may hold fewer than asked for although a nextCursor follows."""

    payments: list[PaymentRecord]
    nextCursor: str | None


class Movement(TypedDict):
    """What one kind of movement did to the players' wallets."""

    what: str
    direction: Annotated[Literal["debit", "credit"], Meta(description="Debit: taken from players.")]
    count: int
    amount: Amount


class DaySum(TypedDict):
    """One currency of a day."""

    currency: str
    debits: Amount
    credits: Amount
    movements: list[Movement]


class Statement(TypedDict):
    """What the hub and this casino moved on a day in UTC, as the ledger has it."""

    day: str
    complete: Annotated[bool, Meta(description="False while the day goes on.")]
    currencies: list[DaySum]


def bet_record(bet: BetLine) -> BetRecord:
    """Return one bet."""
    told = BetRecord(
        betId=bet.bet_id, providerBetId=bet.bet_ref, roundId=bet.round_ref, playerId=bet.player_ref,
        sessionId=bet.session_id, gameId=bet.game_id, game=bet.game, provider=bet.provider, currency=bet.currency,
        stake=format_amount(bet.stake, bet.currency), state=bet.state, createdAt=iso(bet.created_ms),
    )  # fmt: skip
    if bet.win is not None:
        told["win"] = format_amount(bet.win, bet.currency)
    if bet.ended_ms is not None:
        told["endedAt"] = iso(bet.ended_ms)
    return told


def payment_record(payment: CasinoPayment) -> PaymentRecord:
    """Return one payment."""
    p = payment
    told = PaymentRecord(
        subjectId=p.subject_id, kind=p.kind, playerId=p.player_ref, currency=p.currency,
        amount=format_amount(p.amount, p.currency), state=p.state, createdAt=iso(p.created_ms),
    )  # fmt: skip
    if p.tax is not None:
        told["tax"] = format_amount(p.tax, p.currency)
    if p.code is not None:
        told["errorCode"] = p.code
    if p.decided_ms is not None:
        told["decidedAt"] = iso(p.decided_ms)
    optional = {"partnerTransactionId": p.partner_tx, "reason": p.reason, "message": p.message}
    told.update({name: value for name, value in optional.items() if value is not None})  # type: ignore[typeddict-item]
    return told


def statement(day: str, lines: list[DayLine], *, complete: bool) -> Statement:
    """Return the statement of a day."""
    by_currency: dict[str, list[DayLine]] = {}
    for line in lines:
        by_currency.setdefault(line.currency, []).append(line)
    return Statement(
        day=day, complete=complete, currencies=[_day_sum(currency, found) for currency, found in by_currency.items()]
    )


def _day_sum(currency: str, lines: list[DayLine]) -> DaySum:
    def total(*, credit: bool) -> str:
        return format_amount(sum(line.amount for line in lines if line.credit is credit), currency)

    movements = [
        Movement(
            what=line.why, direction="credit" if line.credit else "debit", count=line.entries,
            amount=format_amount(line.amount, currency),
        )
        for line in lines
    ]  # fmt: skip
    return DaySum(currency=currency, debits=total(credit=False), credits=total(credit=True), movements=movements)
