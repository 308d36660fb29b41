"""A casino's own bets, payments and day sums, newest first.

Owns: those queries; each names the casino. A list reads a bounded window of the newest rows and goes on from there, so that a small
casino's page never costs a scan of everybody's bets: a page may hold fewer rows than asked for although more follow.
Never: another casino's row, a write. Amounts are minor units. Spec: casino.md 3.4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from croupier.core.readings import PaymentKind
from croupier.store.db import Db

WINDOW: Final = 100_000
"""The most rows of all casinos that one page looks at."""
SLACK_MS: Final = 3_600_000
"""Numbers are given in blocks, so that they follow the time only roughly."""
KINDS: Final = tuple(sorted(kind.value for kind in PaymentKind))
TOP: Final = 2**63 - 1

_BET = """
select b.bet_id, b.player_ref, b.bet_ref, b.round_ref, b.session_id, b.game_id, g.name as game, p.name as provider,
    b.origin, b.currency, b.stake, b.win, b.state, b.created_ms, b.ended_ms
from {source} b left join games g using (game_id) left join providers p on p.provider_id = b.provider_id"""
_ONE_BET = f"{_BET.format(source='bets')} where b.bet_id = $1 and b.casino_id = $2"
_BETS = f"""{_BET.format(source="(select * from bets where bet_id < $2 order by bet_id desc limit $3)")}
where b.casino_id = $1 and ($4::text is null or b.player_ref = $4) and ($5::text is null or b.round_ref = $5)
and ($6::text is null or b.state = $6) and b.created_ms >= $7 and b.created_ms < $8
order by b.bet_id desc limit $9"""  # noqa: S608 - constants of this file
_BETS_OF_PLAYER = f"""{_BET.format(source="bets")}
where b.bet_id in (select subject_id from payments where player_id = (
    select player_id from players where casino_id = $1 and player_ref = $4))
and b.casino_id = $1 and b.bet_id < $2 and $3::bigint is not null
and ($5::text is null or b.round_ref = $5) and ($6::text is null or b.state = $6) and b.created_ms >= $7 and b.created_ms < $8
order by b.bet_id desc limit $9"""  # noqa: S608 - constants of this file
_BETS_END = """
select min(bet_id) as bottom, min(created_ms) as since_ms, count(*) as rows
from (select bet_id, created_ms from bets where bet_id < $1 order by bet_id desc limit $2) w"""
_PAYMENT = """
select w.subject_id, w.kind, pl.player_ref, coalesce(b.currency, k.currency) as currency, w.amount, w.tax, w.state,
    w.partner_tx, w.code, w.reason, w.message, w.created_ms, w.decided_ms
from {source} w join players pl using (player_id) left join bets b on b.bet_id = w.subject_id
left join cashbacks k on k.cashback_id = w.subject_id"""
_WINDOW = (
    "(select * from payments where (subject_id, kind) < ($2, $3::text) order by subject_id desc, kind desc limit $4)"
)
_PAYMENTS = f"""{_PAYMENT.format(source=_WINDOW)}
where pl.casino_id = $1 and ($5::text is null or pl.player_ref = $5) and ($6::text is null or w.kind = $6)
and ($7::text is null or w.state = $7) and ($8::bigint is null or w.subject_id = $8)
and w.created_ms >= $9 and w.created_ms < $10
order by w.subject_id desc, w.kind desc limit $11"""
_PAYMENTS_END = """
select count(*) as rows, min(subject_id) as bottom, min(created_ms) as since_ms
from (select subject_id, created_ms from payments where (subject_id, kind) < ($1, $2::text)
    order by subject_id desc, kind desc limit $3) w"""
_PAYMENTS_OF_BET = (
    f"{_PAYMENT.format(source='payments')} where w.subject_id = $1 and pl.casino_id = $2 order by w.created_ms, w.kind"
)
_DAY = """
select currency, why, target = $1 as credit, sum(entries)::bigint as entries, sum(amount)::bigint as amount
from (select currency, why, source, target, 1 as entries, amount from ledger where at_ms >= $2 and at_ms < $3
    union all select currency, why, source, target, entries, amount from archived_sums where day_ms >= $2 and day_ms < $3) moved
where source = $1 or target = $1
group by 1, 2, 3 order by 1, 3, 2"""


@dataclass(frozen=True, slots=True)
class BetLine:
    """One bet of a casino."""

    bet_id: int
    player_ref: str
    bet_ref: str
    round_ref: str
    session_id: str
    game_id: int
    game: str | None
    provider: str | None
    origin: str
    currency: str
    stake: int
    win: int | None
    state: str
    created_ms: int
    ended_ms: int | None


@dataclass(frozen=True, slots=True)
class CasinoPayment:
    """One payment between the hub and a casino."""

    subject_id: int
    kind: str
    player_ref: str
    currency: str
    amount: int
    tax: int | None
    state: str
    partner_tx: str | None
    code: int | None
    reason: str | None
    message: str | None
    created_ms: int
    decided_ms: int | None


@dataclass(frozen=True, slots=True)
class DayLine:
    """What one kind of movement did to the casino's wallets on a day, in one currency."""

    currency: str
    why: str
    credit: bool
    """True if the players got it."""
    entries: int
    amount: int


@dataclass(frozen=True, slots=True)
class BooksQuery:
    """Which rows are wanted. Times are milliseconds, the first included; `before` is where the page before ended."""

    casino_id: int
    count: int
    before: tuple[int, str] = (TOP, "")
    player_ref: str | None = None
    round_ref: str | None = None
    state: str | None = None
    kind: str | None = None
    subject_id: int | None = None
    from_ms: int = 0
    until_ms: int = TOP


@dataclass(frozen=True, slots=True)
class BooksPage:
    """Rows, and where the next page begins; None if there is none."""

    bets: tuple[BetLine, ...] = ()
    payments: tuple[CasinoPayment, ...] = ()
    before: tuple[int, str] | None = None


async def bets(db: Db, asked: BooksQuery) -> BooksPage:
    """Return a page of bets, newest first."""
    sql = _BETS if asked.player_ref is None else _BETS_OF_PLAYER
    rows = await db.fetch(
        sql, asked.casino_id, asked.before[0], WINDOW, asked.player_ref, asked.round_ref, asked.state, asked.from_ms,
        asked.until_ms, asked.count + 1,
    )  # fmt: skip
    page = tuple(BetLine(**row) for row in rows[: asked.count])
    if len(rows) > asked.count:
        return BooksPage(bets=page, before=(page[-1].bet_id, ""))
    if asked.player_ref is not None:
        return BooksPage(bets=page)
    end = await db.fetchrow(_BETS_END, asked.before[0], WINDOW)
    assert end is not None
    more = end["rows"] == WINDOW and end["since_ms"] >= asked.from_ms - SLACK_MS
    return BooksPage(bets=page, before=(end["bottom"], "") if more else None)


async def bet(db: Db, casino_id: int, bet_id: int) -> tuple[BetLine, tuple[CasinoPayment, ...]] | None:
    """Return one bet of the casino with its payments; None for another casino's."""
    row = await db.fetchrow(_ONE_BET, bet_id, casino_id)
    if row is None:
        return None
    return BetLine(**row), tuple(CasinoPayment(**one) for one in await db.fetch(_PAYMENTS_OF_BET, bet_id, casino_id))


async def payments(db: Db, asked: BooksQuery) -> BooksPage:
    """Return a page of payments, newest bet first."""
    if asked.subject_id is not None:
        asked = _of_subject(asked)
    rows = await db.fetch(
        _PAYMENTS, asked.casino_id, *asked.before, WINDOW, asked.player_ref, asked.kind, asked.state, asked.subject_id,
        asked.from_ms, asked.until_ms, asked.count + 1,
    )  # fmt: skip
    page = tuple(CasinoPayment(**row) for row in rows[: asked.count])
    if len(rows) > asked.count:
        return BooksPage(payments=page, before=(page[-1].subject_id, page[-1].kind))
    if asked.subject_id is not None:
        return BooksPage(payments=page)
    end = await db.fetchrow(_PAYMENTS_END, *asked.before, WINDOW)
    assert end is not None
    more = end["rows"] == WINDOW and end["since_ms"] >= asked.from_ms - SLACK_MS
    # All payments of the last bet of the window may not be in it: they are looked at again.
    return BooksPage(payments=page, before=(end["bottom"] + 1, "") if more else None)


async def day(db: Db, casino_id: int, *, from_ms: int, until_ms: int) -> list[DayLine]:
    """Return what moved in and out of the wallets of this casino's players in the ledger, [from, until)."""
    return [DayLine(**row) for row in await db.fetch(_DAY, f"wallets/{casino_id}", from_ms, until_ms)]


def _of_subject(asked: BooksQuery) -> BooksQuery:
    """Return the same query with the window at the one bet that is asked for."""
    assert asked.subject_id is not None
    start = min(asked.before, (asked.subject_id + 1, ""))
    return replace(asked, before=start)
