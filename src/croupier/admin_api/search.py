"""The filters and pages of the lists of bets, payments and sessions.

Owns: the parameters, reading them, the cursor. A cursor is the id of the last row, as the list shows it. Never: SQL. Spec: operate.md 2.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from croupier.admin_api.command import Params, command
from croupier.admin_api.days import time_ms
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import BadParameter, NotFound
from croupier.core.account import Role
from croupier.core.bet import BetState
from croupier.core.money import BadAmount, parse_amount
from croupier.core.payment import PaymentState
from croupier.store.storable import id_of, storable_text
from croupier.views import money_lists
from croupier.views.casino_books import KINDS, TOP
from croupier.views.money_lists import FoundBet, FoundPayment, FoundSession, Search
from croupier.views.subjects import players_named

MOST: Final = 10_000
USUAL: Final = 50
SESSION_STATES: Final = ("open", "over")
_CURSOR: Final = "is the cursor that a page gives at its end"

Limit = Annotated[int, Meta(ge=1, le=MOST)]


class Filters(Params, frozen=True, kw_only=True):
    """What the three lists share. Values are text as a person types it."""

    limit: Limit = USUAL
    casino: str | None = None
    provider: str | None = None
    player: str | None = None
    game: str | None = None
    state: str | None = None
    currency: str | None = None
    from_: str | None = field(default=None, name="from")
    to: str | None = None
    after: str | None = None

    def check(self) -> None:
        """Raise BadParameter for what needs no database to be refused."""
        states = self.states()
        if self.state is not None and self.state not in states:
            raise BadParameter("state", f"must be one of: {', '.join(states)}")
        start_ms, end_ms = self.times()
        if end_ms <= start_ms:
            raise BadParameter("to", "is the first instant that is not included: it must be after `from`")
        self.place()

    def states(self) -> tuple[str, ...]:
        """Return the states that a row may have."""
        raise NotImplementedError

    def place(self) -> tuple[int, str]:
        """Return where the page before ended. Raises BadParameter."""
        return _number(self.after), ""

    def times(self) -> tuple[int, int]:
        """Return the times in milliseconds. Raises BadParameter."""
        start_ms = 0 if self.from_ is None else max(time_ms(self.from_, "from"), 0)
        return start_ms, TOP if self.to is None else time_ms(self.to, "to")


class BetFilters(Filters, frozen=True, kw_only=True):
    """The filters of bets."""

    round_ref: str | None = field(default=None, name="round")
    at_least: str | None = None
    at_most: str | None = None

    def check(self) -> None:
        """Raise BadParameter for what needs no database to be refused."""
        super().check()
        if self.currency is None and (self.at_least, self.at_most) != (None, None):
            raise BadParameter("currency", "is missing: an amount needs it")
        if self.round_ref is not None and not storable_text(self.round_ref):
            raise BadParameter("round", "has a character that no id can have")

    def states(self) -> tuple[str, ...]:
        """Return the states of a bet."""
        return tuple(state.value for state in BetState)


class PaymentFilters(BetFilters, frozen=True, kw_only=True):
    """The filters of payments."""

    kind: str | None = None

    def check(self) -> None:
        """Raise BadParameter for what needs no database to be refused."""
        super().check()
        if self.kind is not None and self.kind not in KINDS:
            raise BadParameter("kind", f"must be one of: {', '.join(KINDS)}")

    def states(self) -> tuple[str, ...]:
        """Return the states of a payment."""
        return tuple(state.value for state in PaymentState)

    def place(self) -> tuple[int, str]:
        """Return the place below a payment `<BetId or CashbackId>:<kind>`, or below all of a number. Raises BadParameter."""
        number, _, kind = (self.after or "").partition(":")
        if kind and kind not in KINDS:
            raise BadParameter("after", _CURSOR)
        return _number(None if self.after is None else number), kind


class SessionFilters(Filters, frozen=True, kw_only=True):
    """The filters of sessions."""

    def states(self) -> tuple[str, ...]:
        """Return the states of a session."""
        return SESSION_STATES

    def place(self) -> tuple[int, str]:
        """Return the place below `<milliseconds>:<session>`. Raises BadParameter."""
        number, _, session_id = (self.after or "").partition(":")
        if not storable_text(session_id):
            raise BadParameter("after", _CURSOR)
        return _number(None if self.after is None else number), session_id


class BetPage(Struct, frozen=True):
    """Bets, newest first, and the cursor of the next page."""

    rows: tuple[FoundBet, ...]
    after: str | None


class PaymentPage(Struct, frozen=True):
    """Payments, those of the newest bet or cashback first, and the cursor of the next page."""

    rows: tuple[FoundPayment, ...]
    after: str | None


class SessionPage(Struct, frozen=True):
    """Sessions, those opened last first, and the cursor of the next page."""

    rows: tuple[FoundSession, ...]
    after: str | None


@command("GET bets", words="bet list", role=Role.LOOK)
async def bets(desk: Desk, asked: BetFilters) -> BetPage:
    """Show bets of all casinos, newest first. Amounts and times are those of the stake."""
    page = await money_lists.bets(desk.hub.store.db, await search_of(desk, asked))
    return BetPage(page.bets, cursor_text(page.before))


@command("GET payments", words="payment list", role=Role.LOOK)
async def payments(desk: Desk, asked: PaymentFilters) -> PaymentPage:
    """Show payments between the hub and all casinos, those of the newest bet or cashback first."""
    page = await money_lists.payments(desk.hub.store.db, await search_of(desk, asked))
    return PaymentPage(page.payments, cursor_text(page.before))


@command("GET sessions", words="session list", role=Role.LOOK)
async def sessions(desk: Desk, asked: SessionFilters) -> SessionPage:
    """Show sessions of all casinos, those opened last first."""
    page = await money_lists.sessions(desk.hub.store.db, await search_of(desk, asked))
    return SessionPage(page.sessions, cursor_text(page.before))


async def search_of(desk: Desk, asked: Filters) -> Search:
    """Return the search for these filters. Raises NotFound, BadParameter, NameAmbiguous, GameAmbiguous, UnknownCurrency."""
    casino_ids = await desk.casino_ids(asked.casino)
    players = None if asked.player is None else await _players(desk, asked.player, casino_ids)
    start_ms, end_ms = asked.times()
    about_bets = asked if isinstance(asked, BetFilters) else BetFilters()
    return Search(
        count=asked.limit,
        before=asked.place(),
        casino_ids=casino_ids,
        provider_ids=await desk.provider_ids(asked.provider),
        game_id=None if asked.game is None else (await desk.game(asked.game)).game_id,
        player_ids=players,
        round_ref=about_bets.round_ref,
        state=asked.state,
        kind=asked.kind if isinstance(asked, PaymentFilters) else None,
        currency=asked.currency,
        least=_amount("at_least", about_bets.at_least, asked.currency),
        most=_amount("at_most", about_bets.at_most, asked.currency),
        live=None if asked.state is None else asked.state == "open",
        now_ms=desk.hub.clock.now_ms(),
        from_ms=start_ms,
        until_ms=end_ms,
    )


def cursor_text(before: tuple[int, str] | None) -> str | None:
    """Return the cursor of the next page."""
    if before is None:
        return None
    return f"{before[0]}:{before[1]}" if before[1] else str(before[0])


async def _players(desk: Desk, text: str, casino_ids: tuple[int, ...] | None) -> tuple[int, ...]:
    found = await players_named(desk.hub.store.db, text, casino_ids)
    if not found:
        raise NotFound(
            f"there is no player {text[:128]!r}: `croupier player list --casino ID` shows a casino's players"
        )
    return tuple(one.player_id for one in found)


def _amount(name: str, text: str | None, currency: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_amount(text, currency or "")
    except BadAmount as bad:
        raise BadParameter(name, bad.why) from bad


def _number(text: str | None) -> int:
    if text is None:
        return TOP
    number = id_of(text)
    if number is None:
        raise BadParameter("after", _CURSOR)
    return number
