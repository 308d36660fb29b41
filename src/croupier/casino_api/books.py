"""The calls about bets, payments and days.

Owns: their work. A casino sees rows of its own alone: every query names it. Spec: casino.md 3.4.
"""

from __future__ import annotations

from typing import Final

from croupier.casino_api.calls import Call, Reply
from croupier.casino_api.money_records import (
    BetList,
    BetWithPayments,
    PaymentList,
    bet_record,
    payment_record,
    statement,
)
from croupier.casino_api.problems import Problem, ProblemCode
from croupier.casino_api.query import Params, path_id, read_day_ms
from croupier.core.bet import BetState
from croupier.core.payment import PaymentState
from croupier.kit.strictjson import BadField
from croupier.views import casino_books
from croupier.views.casino_books import KINDS, TOP, BooksQuery

BET_STATES: Final = tuple(state.value for state in BetState)
PAYMENT_STATES: Final = tuple(state.value for state in PaymentState)
_PAYMENT_PARTS: Final = 2
MAX_BET: Final = 2**53


async def bets(call: Call) -> Reply:
    """`GET /bets`."""
    params = Params(call.request.query_params, ("player", "round", "state", "from", "to", "cursor", "limit"))
    from_ms, until_ms = _span(params)
    asked = BooksQuery(
        call.casino.casino_id, params.count(), before=(_or_top(params.number_cursor()), ""),
        player_ref=params.name("player"), round_ref=params.name("round"), state=params.one_of("state", BET_STATES),
        from_ms=from_ms, until_ms=until_ms,
    )  # fmt: skip
    page = await casino_books.bets(call.door.hub.store.db, asked)
    more = None if page.before is None else str(page.before[0])
    return Reply(BetList(bets=[bet_record(one) for one in page.bets], nextCursor=more))


async def bet(call: Call) -> Reply:
    """`GET /bets/{betId}`."""
    number = path_id(call.path("betId"), "betId")
    found = await casino_books.bet(call.door.hub.store.db, call.casino.casino_id, number)
    if found is None:
        raise Problem(ProblemCode.NOT_FOUND, "there is no such bet")
    line, payments_of_it = found
    return Reply(BetWithPayments(**bet_record(line), payments=[payment_record(one) for one in payments_of_it]))


async def payments(call: Call) -> Reply:
    """`GET /payments`."""
    params = Params(call.request.query_params, ("player", "kind", "state", "betId", "from", "to", "cursor", "limit"))
    from_ms, until_ms = _span(params)
    asked = BooksQuery(
        call.casino.casino_id, params.count(), before=_before(params), player_ref=params.name("player"),
        kind=params.one_of("kind", KINDS), state=params.one_of("state", PAYMENT_STATES), subject_id=params.whole("betId", MAX_BET),
        from_ms=from_ms, until_ms=until_ms,
    )  # fmt: skip
    page = await casino_books.payments(call.door.hub.store.db, asked)
    more = None if page.before is None else _cursor(page.before)
    return Reply(PaymentList(payments=[payment_record(one) for one in page.payments], nextCursor=more))


async def day(call: Call) -> Reply:
    """`GET /statements/{day}`."""
    Params(call.request.query_params, ())
    text = call.path("day")
    from_ms, until_ms = read_day_ms(text, "day")
    hub = call.door.hub
    lines = await casino_books.day(hub.store.db, call.casino.casino_id, from_ms=from_ms, until_ms=until_ms)
    return Reply(statement(text, lines, complete=hub.clock.now_ms() >= until_ms))


def _span(params: Params) -> tuple[int, int]:
    from_ms, until_ms = params.instant_ms("from"), params.instant_ms("to")
    if from_ms is not None and until_ms is not None and until_ms < from_ms:
        raise BadField("to", "must not be before from")
    return max(from_ms or 0, 0), _or_top(until_ms)


def _or_top(number: int | None) -> int:
    return TOP if number is None else number


def _before(params: Params) -> tuple[int, str]:
    """Return where the page before ended: the number, and the place of the kind; 0 stands before all kinds."""
    cut = params.cursor(_PAYMENT_PARTS)
    if cut is None:
        return TOP, ""
    place = int(cut[1], 16)
    if place > len(KINDS):
        raise BadField("cursor", "must be the nextCursor of the page before")
    return int(cut[0]), KINDS[place - 1] if place else ""


def _cursor(before: tuple[int, str]) -> str:
    return f"{before[0]}.{KINDS.index(before[1]) + 1 if before[1] else 0:x}"
