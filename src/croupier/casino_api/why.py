"""The calls that say why a game or a bet is not available.

Owns: their work and their records. Spec: casino.md 3.7.
"""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta

from croupier.casino_api.calls import Call, Reply
from croupier.casino_api.problems import Problem, ProblemCode
from croupier.casino_api.query import Params, path_id
from croupier.casino_api.records import iso, iso_end
from croupier.views.why import GameAsked, why_bet, why_game


class ReasonRecord(TypedDict):
    """One rule that stands in the way."""

    rule: str
    detail: str
    setBy: Annotated[
        str | None, Meta(description="A person, `casino NAME`, `provider NAME` or `hub`; null: not noted.")
    ]
    setAt: str | None
    reason: Annotated[str | None, Meta(description="What was said with it.")]
    until: str | None


class GameWhy(TypedDict):
    """Why a game is not available; without a reason it is."""

    gameId: int
    available: bool
    reasons: list[ReasonRecord]


class BetWhy(TypedDict):
    """Why a bet is as it is; without a reason nothing hinders it."""

    betId: int
    state: str
    reasons: list[ReasonRecord]


async def game(call: Call) -> Reply:
    """`GET /games/{gameId}/why`."""
    params, hub = Params(call.request.query_params, ("player", "currency", "country")), call.door.hub
    asked = GameAsked(
        call.casino.casino_id, path_id(call.path("gameId"), "gameId"), params.name("player"), params.currency(),
        params.country(),
    )  # fmt: skip
    recovering = hub.recovering(call.casino.casino_id)
    found = await why_game(hub.store.db, asked, now_ms=hub.clock.now_ms(), recovering=recovering)
    if found is None:
        raise Problem(ProblemCode.NOT_FOUND, "there is no such game")
    reasons = [
        ReasonRecord(
            rule=one.rule.value, detail=one.words, setBy=one.set_by, setAt=_iso(one.set_ms), reason=one.reason,
            until=iso_end(one.until_ms),
        )
        for one in found
    ]  # fmt: skip
    return Reply(GameWhy(gameId=asked.game_id, available=not reasons, reasons=reasons))


async def bet(call: Call) -> Reply:
    """`GET /bets/{betId}/why`."""
    Params(call.request.query_params, ())
    number = path_id(call.path("betId"), "betId")
    found = await why_bet(call.door.hub.store.db, call.casino.casino_id, number)
    if found is None:
        raise Problem(ProblemCode.NOT_FOUND, "there is no such bet")
    state, hindrances = found
    reasons = [
        ReasonRecord(
            rule=one.rule, detail=one.words, setBy=one.set_by, setAt=_iso(one.set_ms), reason=one.reason, until=None
        )
        for one in hindrances
    ]
    return Reply(BetWhy(betId=number, state=state, reasons=reasons))


def _iso(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso(at_ms)
