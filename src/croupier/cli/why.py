"""`croupier why`: the rules that keep a game from a casino's player, or that made a bet what it is, with who set each.

Owns: the words. Never: a rule (core.availability, views.why). Spec: operate.md 2.
"""

from __future__ import annotations

from typing import Annotated

import typer

from croupier.admin_api import look
from croupier.admin_api.look import WhyBetParams, WhyGameParams
from croupier.cli.running import AsJson, ask
from croupier.cli.show import instant, say, show_json, show_table


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
    if bet:
        found = ask(look.why_bet_is, WhyBetParams(bet=which, casino=casino))
    else:
        found = ask(
            look.why, WhyGameParams(game=which, casino=casino, player=player, currency=currency, country=country)
        )
    if as_json:
        show_json(found)
        return
    say(f"{'Bet' if bet else 'Game'} {which} at casino {casino}: {found.state}.")
    if found.reasons:
        columns = ("rule", "detail", "set_by", "when", "reason", "until")
        rows = [(r.rule, r.detail, r.set_by, instant(r.at_ms), r.reason, instant(r.until_ms)) for r in found.reasons]
        show_table("Rules", columns, rows)
