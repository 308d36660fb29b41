"""The operator's lists of bets, payments and sessions of all casinos, newest first.

Owns: those queries. A player or a round is found by its index. Every other list walks down the newest rows in windows of a bounded
size, so that no filter costs a scan of the whole table at once: a page may hold fewer rows than asked for although more follow.
Never: a write. Amounts are decimal text in major units. Spec: operate.md 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from croupier.core.money import format_amount
from croupier.store.db import Db
from croupier.views.casino_books import SLACK_MS, TOP

WINDOW: Final = 10_000
"""The most rows that one query looks at."""
MOST_WINDOWS: Final = 100
"""The most queries of one page: a page looks at no more than a million rows."""

# `offset 0` keeps the planner from joining the whole table: each row is looked up by its key.
_BETS: Final = """
select b.bet_id, c.name as casino, b.player_ref as player, p.name as provider, b.bet_ref, b.round_ref, g.game_ref as game,
    b.session_id, b.origin, b.state, b.stake, b.win, b.currency, b.created_ms, b.ended_ms
from {source} b left join casinos c on c.casino_id = b.casino_id left join providers p on p.provider_id = b.provider_id
left join games g on g.game_id = b.game_id"""
_PAYMENTS: Final = """
select w.subject_id, w.kind, c.name as casino, pl.player_ref as player, w.state, w.amount, w.tax,
    coalesce(b.currency, k.currency) as currency, w.partner_tx as transaction_id, w.code, w.message, w.created_ms, w.decided_ms
from {source} w
cross join lateral (select * from players x where x.player_id = w.player_id offset 0) pl
left join casinos c on c.casino_id = pl.casino_id
left join lateral (select * from bets x where x.bet_id = w.subject_id offset 0) b on true
left join lateral (select * from cashbacks x where x.cashback_id = w.subject_id offset 0) k on true"""
_SESSIONS: Final = """
select b.session_id, c.name as casino, pl.player_ref as player, p.name as provider, g.game_ref as game, b.currency, b.demo,
    b.opened_ms, b.expires_ms, b.ended_ms, b.ended_by, b.end_reason
from {source} b
cross join lateral (select * from players x where x.player_id = b.player_id offset 0) pl
left join casinos c on c.casino_id = b.casino_id left join providers p on p.provider_id = b.provider_id
left join games g on g.game_id = b.game_id"""
_PLAYERS_BETS: Final = """(
select x.* from (select distinct subject_id from payments where player_id = any({player_ids}::bigint[])) s
cross join lateral (select * from bets y where y.bet_id = s.subject_id offset 0) x)"""
_BETS_WINDOW: Final = "(select * from bets where bet_id < {at} and bet_id >= {low} order by bet_id desc limit {window})"
_PAYMENTS_OF_ROUND: Final = """(
select y.* from bets r cross join lateral (select * from payments z where z.subject_id = r.bet_id offset 0) y
where r.round_ref = {round} and {before})"""
_PAYMENTS_OF_PLAYERS: Final = (
    "(select * from payments where player_id = any({players}::bigint[]) and {before} offset 0)"
)
_PAYMENTS_WINDOW: Final = """(
select * from payments where {before} and subject_id >= {low} order by subject_id desc, kind desc limit {window})"""
_SESSIONS_OF_PLAYERS: Final = (
    "(select * from sessions where player_id = any({players}::bigint[]) and {inside} offset 0)"
)
_SESSIONS_WINDOW: Final = """(
select * from sessions where {inside} order by opened_ms desc, session_id desc limit {window})"""
_BETS_END: Final = """
select bet_id as number, '' as name from bets
where bet_id < $1 and $2::text is not null and bet_id >= $3 order by bet_id desc offset $4 limit 1"""
_PAYMENTS_END: Final = """
select subject_id as number, kind as name from payments
where (subject_id, kind) < ($1, $2::text) and subject_id >= $3 order by subject_id desc, kind desc offset $4 limit 1"""
_SESSIONS_END: Final = """
select opened_ms as number, session_id as name from sessions
where (opened_ms, session_id) < ($1, $2::text) and opened_ms >= $3 order by opened_ms desc, session_id desc offset $4 limit 1"""
_Build = Callable[["Search", int], tuple[str, list[object]]]
_MADE: Final = "select created_ms from bets where bet_id >= $1 order by bet_id limit 1"


@dataclass(frozen=True, slots=True)
class FoundBet:
    """One bet."""

    bet_id: int
    casino: str | None
    player: str
    provider: str | None
    bet_ref: str
    """The provider's betId."""
    round_ref: str
    game: str | None
    """The provider's gameId."""
    session_id: str
    origin: str
    state: str
    stake: str
    win: str | None
    currency: str
    created_ms: int
    ended_ms: int | None


@dataclass(frozen=True, slots=True)
class FoundPayment:
    """One payment between the hub and a casino."""

    payment: str
    """The id as the payment commands take it: `<BetId or CashbackId>:<kind>`."""
    casino: str | None
    player: str
    state: str
    amount: str
    tax: str | None
    currency: str
    transaction_id: str | None
    """The casino's own id of its booking."""
    code: int | None
    message: str | None
    created_ms: int
    decided_ms: int | None


@dataclass(frozen=True, slots=True)
class FoundSession:
    """One launched game."""

    session_id: str
    casino: str | None
    player: str
    provider: str | None
    game: str | None
    currency: str
    demo: bool
    opened_ms: int
    expires_ms: int
    ended_ms: int | None
    ended_by: str | None
    end_reason: str | None


@dataclass(frozen=True, slots=True)
class Search:
    """Which rows are wanted. Times are milliseconds, the first included; `before` is where the page before ended."""

    count: int
    before: tuple[int, str] = (TOP, "")
    casino_ids: tuple[int, ...] | None = None
    """Only of these casinos; None: of all."""
    provider_ids: tuple[int, ...] | None = None
    game_id: int | None = None
    player_ids: tuple[int, ...] | None = None
    round_ref: str | None = None
    state: str | None = None
    kind: str | None = None
    currency: str | None = None
    least: int | None = None
    most: int | None = None
    """Bounds of the amount, in minor units; they need a currency."""
    live: bool | None = None
    """Of sessions: whether they still take bets."""
    now_ms: int = 0
    from_ms: int = 0
    until_ms: int = TOP


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and where the next page begins; None if there is none."""

    bets: tuple[FoundBet, ...] = ()
    payments: tuple[FoundPayment, ...] = ()
    sessions: tuple[FoundSession, ...] = ()
    before: tuple[int, str] | None = None


class Query:
    """A select under construction: conditions and their values."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self._conditions: list[str] = []

    def value(self, value: object) -> str:
        """Return the placeholder of a new value."""
        self.values.append(value)
        return f"${len(self.values)}"

    def where(self, condition: str, value: object) -> None:
        """Add a condition in which `{}` stands for the value, unless that is None."""
        if value is not None:
            self._conditions.append(condition.format(self.value(value)))

    def text(self, head: str, tail: str) -> str:
        """Return the statement."""
        return f"{head}\nwhere {' and '.join(self._conditions) or 'true'} {tail}"


async def bets(db: Db, asked: Search) -> Page:
    """Return a page of bets, newest first. Bets without any payment have no player to be found by."""
    bottom, asked = await _bounded(db, asked)
    rows, before = await _walk(db, _OF_BETS, asked, bottom=bottom)
    return Page(bets=tuple(FoundBet(**_amounts(row, "stake", "win")) for row in rows), before=before)


async def payments(db: Db, asked: Search) -> Page:
    """Return a page of payments, newest bet or cashback first."""
    _, asked = await _bounded(db, asked)
    rows, before = await _walk(db, _OF_PAYMENTS, asked, bottom=0)
    return Page(payments=tuple(_payment(row) for row in rows), before=before)


async def sessions(db: Db, asked: Search) -> Page:
    """Return a page of sessions, newest first."""
    asked = replace(asked, before=min(asked.before, (asked.until_ms, "")))
    rows, before = await _walk(db, _OF_SESSIONS, asked, bottom=asked.from_ms)
    return Page(sessions=tuple(FoundSession(**row) for row in rows), before=before)


def bets_query(asked: Search, bottom: int) -> tuple[str, list[object]]:
    """Return the statement and values that read one window of bets."""
    query = Query()
    query.where("b.casino_id = any({}::bigint[])", asked.casino_ids)
    query.where("b.provider_id = any({}::bigint[])", asked.provider_ids)
    query.where("b.game_id = {}", asked.game_id)
    query.where("b.round_ref = {}", asked.round_ref)
    query.where("b.state = {}", asked.state)
    query.where("b.currency = {}", asked.currency)
    query.where("b.stake >= {}", asked.least)
    query.where("b.stake <= {}", asked.most)
    query.where("b.created_ms >= {}", asked.from_ms or None)
    query.where("b.created_ms < {}", None if asked.until_ms == TOP else asked.until_ms)
    if asked.round_ref is not None or asked.player_ids is not None:
        query.where("b.bet_id < {}", asked.before[0])
        source = "bets"
        if asked.round_ref is None:
            source = _PLAYERS_BETS.format(player_ids=query.value(list(asked.player_ids or ())))
        else:
            query.where("b.player_id = any({}::bigint[])", asked.player_ids)
    else:
        place, low = query.value(asked.before[0]), query.value(bottom)
        source = _BETS_WINDOW.format(at=place, low=low, window=WINDOW)
    return query.text(_BETS.format(source=source), f"order by b.bet_id desc limit {asked.count + 1}"), query.values


def payments_query(asked: Search, bottom: int) -> tuple[str, list[object]]:
    """Return the statement and values that read one window of payments."""
    query = Query()
    query.where("pl.casino_id = any({}::bigint[])", asked.casino_ids)
    query.where("b.provider_id = any({}::bigint[])", asked.provider_ids)
    query.where("b.game_id = {}", asked.game_id)
    query.where("w.state = {}", asked.state)
    query.where("w.kind = {}", asked.kind)
    query.where("coalesce(b.currency, k.currency) = {}", asked.currency)
    query.where("w.amount >= {}", asked.least)
    query.where("w.amount <= {}", asked.most)
    query.where("w.created_ms >= {}", asked.from_ms or None)
    query.where("w.created_ms < {}", None if asked.until_ms == TOP else asked.until_ms)
    place, kind = query.value(asked.before[0]), query.value(asked.before[1])
    before = f"(subject_id, kind) < ({place}, {kind}::text)"
    if asked.round_ref is not None:
        source = _PAYMENTS_OF_ROUND.format(round=query.value(asked.round_ref), before=before)
        query.where("w.player_id = any({}::bigint[])", asked.player_ids)
    elif asked.player_ids is not None:
        source = _PAYMENTS_OF_PLAYERS.format(players=query.value(asked.player_ids), before=before)
    else:
        source = _PAYMENTS_WINDOW.format(before=before, low=query.value(bottom), window=WINDOW)
    tail = f"order by w.subject_id desc, w.kind desc limit {asked.count + 1}"
    return query.text(_PAYMENTS.format(source=source), tail), query.values


def sessions_query(asked: Search, bottom: int) -> tuple[str, list[object]]:
    """Return the statement and values that read one window of sessions."""
    query = Query()
    query.where("b.casino_id = any({}::bigint[])", asked.casino_ids)
    query.where("b.provider_id = any({}::bigint[])", asked.provider_ids)
    query.where("b.game_id = {}", asked.game_id)
    query.where("b.currency = {}", asked.currency)
    if asked.live is not None:
        query.where("b.expires_ms > {}" if asked.live else "b.expires_ms <= {}", asked.now_ms)
    place, name, low = query.value(asked.before[0]), query.value(asked.before[1]), query.value(bottom)
    inside = f"(opened_ms, session_id) < ({place}, {name}::text) and opened_ms >= {low}"
    if asked.player_ids is None:
        source = _SESSIONS_WINDOW.format(inside=inside, window=WINDOW)
    else:
        source = _SESSIONS_OF_PLAYERS.format(players=query.value(asked.player_ids), inside=inside)
    tail = f"order by b.opened_ms desc, b.session_id desc limit {asked.count + 1}"
    return query.text(_SESSIONS.format(source=source), tail), query.values


@dataclass(frozen=True, slots=True)
class _List:
    """How one list is read: its windows, where a window ends, and the columns of its order."""

    build: _Build
    end: str
    number: str
    name: str | None


_OF_BETS: Final = _List(bets_query, _BETS_END, "bet_id", None)
_OF_PAYMENTS: Final = _List(payments_query, _PAYMENTS_END, "subject_id", "kind")
_OF_SESSIONS: Final = _List(sessions_query, _SESSIONS_END, "opened_ms", "session_id")


async def _walk(
    db: Db, of: _List, asked: Search, *, bottom: int
) -> tuple[list[Mapping[str, Any]], tuple[int, str] | None]:  # fmt: skip
    """Return the rows of a page, and where the next begins."""
    found: list[Mapping[str, Any]] = []
    at = asked.before
    direct = asked.player_ids is not None or asked.round_ref is not None
    for _ in range(MOST_WINDOWS):
        sql, values = of.build(replace(asked, before=at, count=asked.count - len(found)), bottom)
        found += await db.fetch(sql, *values)
        if len(found) > asked.count:
            last = found[asked.count - 1]
            return found[: asked.count], (last[of.number], "" if of.name is None else last[of.name])
        end = None if direct else await db.fetchrow(of.end, *at, bottom, WINDOW - 1)
        if end is None:
            return found, None
        at = (end["number"], end["name"])
    return found, at


async def _bounded(db: Db, asked: Search) -> tuple[int, Search]:
    """Return the lowest BetId of the search's time, and the search with its highest."""
    bottom = await _first_since(db, asked.from_ms - SLACK_MS) if asked.from_ms else 0
    if asked.until_ms == TOP:
        return bottom, asked
    top = await _first_since(db, asked.until_ms + SLACK_MS)
    return bottom, replace(asked, before=min(asked.before, (top, "")))


async def _first_since(db: Db, at_ms: int) -> int:
    """Return a BetId below which bets are older than this; ids follow the time. TOP if none is as young."""
    newest = await db.fetchrow("select bet_id, created_ms from bets order by bet_id desc limit 1")
    if newest is None or newest["created_ms"] < at_ms:
        return TOP
    low, high = 0, int(newest["bet_id"])
    while low < high:
        middle = (low + high) // 2
        if await db.fetchval(_MADE, middle) >= at_ms:
            high = middle
        else:
            low = middle + 1
    return low


def _amounts(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    told = {name: None if row[name] is None else format_amount(row[name], row["currency"]) for name in names}
    return {**row, **told}


def _payment(row: Mapping[str, Any]) -> FoundPayment:
    told = _amounts(row, "amount", "tax")
    return FoundPayment(payment=f"{told.pop('subject_id')}:{told.pop('kind')}", **told)
