"""Commands that look into one thing: the trace of a bet, why something is as it is, the report of the ledger.

Spec: operate.md 2, money.md 6.5.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from croupier.admin_api.command import Params, command
from croupier.admin_api.days import day_ms
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import BadParameter, NotFound
from croupier.core.account import Role
from croupier.core.protection import FOREVER_MS
from croupier.views.ggr import DIMENSIONS, USUAL, GgrRow
from croupier.views.ggr import ggr as report
from croupier.views.subjects import bet_of_round, last_bet, subject_of_transaction
from croupier.views.trace import Trace
from croupier.views.trace import trace as story
from croupier.views.why import GameAsked, why_bet, why_game

_SHOWN: Final = 200
"""The most characters of an id in a message."""


class TraceParams(Params, frozen=True, kw_only=True):
    """The bet or cashback, named in one of four ways."""

    bet: Annotated[str, Meta(description="A BetId, a CashbackId, or provider:betId.")] | None = None
    round_ref: Annotated[str, Meta(description="The bet of this round.")] | None = field(default=None, name="round")
    last: Annotated[str, Meta(description="The last bet of this player.")] | None = None
    transaction: Annotated[str, Meta(description="The bet or cashback of this transaction of a casino.")] | None = None
    casino: Annotated[str, Meta(description="The casino, if several know the same id.")] | None = None

    def check(self) -> None:
        """Raise BadParameter unless one thing is named."""
        if sum(one is not None for one in (self.bet, self.round_ref, self.last, self.transaction)) != 1:
            raise BadParameter("bet", "or one of `round`, `last` and `transaction` must be given, and only one")
        if self.bet is not None and self.casino is not None:
            raise BadParameter("casino", "goes with `round`, `last` and `transaction`")


class WhyGameParams(Params, frozen=True, kw_only=True):
    """A game at a casino, and optionally for whom."""

    game: Annotated[str, Meta(description="The gameId, or provider/gameId.")]
    casino: str
    player: Annotated[str, Meta(description="The player's id at the casino.")] | None = None
    currency: str | None = None
    country: str | None = None


class WhyBetParams(Params, frozen=True, kw_only=True):
    """A bet of a casino."""

    bet: Annotated[str, Meta(description="The hub's BetId, or provider:betId.")]
    casino: str


class GgrParams(Params, frozen=True, kw_only=True):
    """The days and dimensions of the report."""

    from_: Annotated[str, Meta(description="First day, such as 2025-11-01, in UTC.")] = field(name="from")
    to: Annotated[str, Meta(description="The day after the last day.")]
    by: Annotated[str, Meta(description=f"Dimensions with commas between them: {', '.join(DIMENSIONS)}.")] = ",".join(USUAL)  # fmt: skip

    def check(self) -> None:
        """Raise BadParameter for days in the wrong order, or an unknown dimension."""
        start_ms, end_ms = self.times()
        if end_ms <= start_ms:
            raise BadParameter("to", "is the first day that is not counted: it must be after `from`")
        unknown = [name for name in self.dimensions() if name not in DIMENSIONS]
        if unknown:
            raise BadParameter("by", f"knows {', '.join(DIMENSIONS)}, not {unknown[0][:40]!r}")

    def times(self) -> tuple[int, int]:
        """Return the days in milliseconds. Raises BadParameter."""
        return day_ms(self.from_, "from"), day_ms(self.to, "to")

    def dimensions(self) -> list[str]:
        """Return the dimensions in the order in which they were given."""
        return [name.strip() for name in self.by.split(",") if name.strip()]


class WhyRule(Struct, frozen=True):
    """One rule, who set it and when. `until_ms` is None for a rule without an end."""

    rule: str
    detail: str
    set_by: str | None
    at_ms: int | None
    reason: str | None
    until_ms: int | None = None


class Why(Struct, frozen=True):
    """The state, and the rules that made it so."""

    state: str
    reasons: tuple[WhyRule, ...]


@command("GET trace", words="trace", role=Role.LOOK)
async def trace(desk: Desk, asked: TraceParams) -> Trace:
    """Show everything one bet or cashback did, on both sides, in order."""
    named = await _named(desk, asked)
    found = None if named is None else await story(desk.hub.store.db, named)
    if found is None or not await desk.may_see(found.subject.subject_id):
        raise NotFound(_missing(asked))
    return found


@command("GET casinos/{casino}/games/{game}/why", words="why", role=Role.LOOK)
async def why(desk: Desk, asked: WhyGameParams) -> Why:
    """Say why a game is not available at a casino: each rule, who set it and when."""
    hub, casino, game = desk.hub, await desk.casino(asked.casino), await desk.game(asked.game)
    about = GameAsked(casino.casino_id, game.game_id, asked.player, asked.currency, asked.country)
    recovering = hub.recovering(casino.casino_id)
    reasons = await why_game(hub.store.db, about, now_ms=hub.clock.now_ms(), recovering=recovering)
    assert reasons is not None
    rules = tuple(
        WhyRule(r.rule.value, r.words, r.set_by, r.set_ms, r.reason, _end(r.until_ms)) for r in reasons
    )  # fmt: skip
    return Why("not available" if rules else "available", rules)


@command("GET casinos/{casino}/bets/{bet}/why", words="why --bet", role=Role.LOOK)
async def why_bet_is(desk: Desk, asked: WhyBetParams) -> Why:
    """Say why a bet is as it is: each rule, who set it and when."""
    casino, bet_id = await desk.casino(asked.casino), await desk.subject(asked.bet)
    found = await why_bet(desk.hub.store.db, casino.casino_id, bet_id)
    if found is None:
        raise NotFound(f"casino {casino.casino_id} has no bet {bet_id}")
    state, reasons = found
    return Why(state, tuple(WhyRule(r.rule, r.words, r.set_by, r.set_ms, r.reason) for r in reasons))


@command("GET ggr", words="ggr", role=Role.LOOK)
async def ggr(desk: Desk, asked: GgrParams) -> list[GgrRow]:
    """Show gross gaming revenue: stakes minus wins of the bets settled in [from, to), less those undone in it."""
    casino_ids, provider_ids = await desk.casino_ids(None), await desk.provider_ids(None)
    days = asked.times()
    return await report(
        desk.hub.store.db, *days, by=asked.dimensions(), casino_ids=casino_ids, provider_ids=provider_ids
    )


async def _named(desk: Desk, asked: TraceParams) -> str | None:
    """Return the id of the bet or cashback. Raises SeveralFound, NotFound."""
    if asked.bet is not None:
        return asked.bet
    db, casino_ids = desk.hub.store.db, await desk.casino_ids(asked.casino)
    if asked.round_ref is not None:
        number = await bet_of_round(db, asked.round_ref, casino_ids)
    elif asked.last is not None:
        number = await last_bet(db, asked.last, casino_ids)
    else:
        number = await subject_of_transaction(db, asked.transaction or "", casino_ids)
    return None if number is None else str(number)


def _missing(asked: TraceParams) -> str:
    if asked.round_ref is not None:
        return (
            f"there is no bet of round {asked.round_ref[:_SHOWN]!r}: `croupier bet list` shows bets with their rounds"
        )
    if asked.last is not None:
        return f"there is no bet of player {asked.last[:_SHOWN]!r}: `croupier bet list` shows bets with their players"
    if asked.transaction is not None:
        return (
            f"no casino accepted a payment as {asked.transaction[:_SHOWN]!r}: `croupier payment list` shows payments with "
            "the casinos' ids"
        )
    return f"there is no bet or cashback {str(asked.bet)[:_SHOWN]!r}: give a BetId, a CashbackId or provider:betId"


def _end(until_ms: int | None) -> int | None:
    return None if until_ms is None or until_ms >= FOREVER_MS else until_ms
