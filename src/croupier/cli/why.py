"""`croupier why`: the rules that keep a game from a casino's player, or that made a bet what it is, with who set each.

Owns: the words. Never: a rule (core.availability, views.why). Spec: operate.md 2.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from croupier.cli.find import casino_of, game_of, subject_of
from croupier.cli.running import AsJson, with_look
from croupier.cli.sentences import NotFound
from croupier.cli.show import instant, say, show_json, show_table
from croupier.core.protection import FOREVER_MS
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings
from croupier.views.why import GameAsked, why_bet, why_game


def why(
    which: Annotated[
        str, typer.Argument(metavar="GAME|BETID", help="A game, or with --bet a BetId or provider:betId.")
    ],
    *,
    casino: Annotated[str, typer.Option("--casino", help="Id or name of the casino.")],
    player: Annotated[str | None, typer.Option("--player", help="The player's id at the casino.")] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="The currency of the play.")] = None,
    country: Annotated[str | None, typer.Option("--country", help="The player's country, such as DE.")] = None,
    bet: Annotated[bool, typer.Option("--bet", help="Ask about a bet instead of a game.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say why a game is not available at a casino, or why a bet is as it is: each rule, who set it and when."""

    async def work(hub: Hub, _: Settings) -> tuple[str, list[dict[str, Any]]]:
        found = await casino_of(hub, casino)
        if bet:
            return await _of_bet(hub, found.casino_id, await subject_of(hub, which))
        game = await game_of(hub, which)
        asked = GameAsked(found.casino_id, game.game_id, player, currency, country)
        reasons = await why_game(
            hub.store.db, asked, now_ms=hub.clock.now_ms(), recovering=hub.recovering(found.casino_id)
        )
        assert reasons is not None
        facts = [
            _facts(r.rule.value, r.words, r.set_by, at_ms=r.set_ms, reason=r.reason, until_ms=r.until_ms)
            for r in reasons
        ]
        return ("available" if not facts else "not available"), facts

    state, reasons = with_look(work)
    if as_json:
        show_json({"state": state, "reasons": reasons})
        return
    say(f"{'Bet' if bet else 'Game'} {which} at casino {casino}: {state}.")
    if reasons:
        columns = ("rule", "detail", "set_by", "when", "reason", "until")
        rows = [
            [
                *(one[name] for name in ("rule", "detail", "set_by")),
                instant(one["at_ms"]),
                one["reason"],
                instant(one["until_ms"]),
            ]
            for one in reasons
        ]
        show_table("Rules", columns, rows)


async def _of_bet(hub: Hub, casino_id: int, bet_id: int) -> tuple[str, list[dict[str, Any]]]:
    found = await why_bet(hub.store.db, casino_id, bet_id)
    if found is None:
        raise NotFound(f"casino {casino_id} has no bet {bet_id}")
    state, reasons = found
    return state, [_facts(r.rule, r.words, r.set_by, at_ms=r.set_ms, reason=r.reason) for r in reasons]


def _facts(
    rule: str, detail: str, set_by: str | None, *, at_ms: int | None, reason: str | None, until_ms: int | None = None
) -> dict[str, Any]:
    end = None if until_ms is None or until_ms >= FOREVER_MS else until_ms
    return {"rule": rule, "detail": detail, "set_by": set_by, "at_ms": at_ms, "reason": reason, "until_ms": end}
