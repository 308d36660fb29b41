"""`croupier bet`: end an incomplete game by hand. Spec: operate.md 2, money.md 4.1."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from croupier.cli.find import subject_of
from croupier.cli.running import AsJson, Author, Reason, with_hub
from croupier.cli.show import say, show_json
from croupier.core.bet import Bet
from croupier.core.money import format_amount
from croupier.flows.hub import Hub
from croupier.flows.person import return_bet, settle_bet
from croupier.kit.settings import Settings

app = typer.Typer(help="End an incomplete game by hand.")

BetArgument = Annotated[str, typer.Argument(metavar="BETID", help="The hub's BetId, or provider:betId.")]


@app.command("return")
def return_(which: BetArgument, *, reason: Reason, author: Author, as_json: AsJson = False) -> None:
    """Return the stake to the player."""

    async def work(hub: Hub, bet_id: int) -> Bet:
        return await return_bet(hub, bet_id, author=author, reason=reason)

    _end(which, work, as_json=as_json)


@app.command()
def settle(
    which: BetArgument,
    *,
    win: Annotated[str, typer.Option("--win", help="The win in the currency's units; 0 is a loss.")],
    reason: Reason,
    author: Author,
    as_json: AsJson = False,
) -> None:
    """Settle the bet with a win, as the provider would have done."""

    async def work(hub: Hub, bet_id: int) -> Bet:
        return await settle_bet(hub, bet_id, win, author=author, reason=reason)

    _end(which, work, as_json=as_json)


def _end(which: str, work: Callable[[Hub, int], Awaitable[Bet]], *, as_json: bool) -> None:
    async def find_and_work(hub: Hub, _: Settings) -> Bet:
        return await work(hub, await subject_of(hub, which))

    bet = with_hub(find_and_work, waits="nothing is sent to the casino")
    if as_json:
        show_json(
            {
                "BetId": bet.bet_id,
                "state": bet.state.value,
                "stake": format_amount(bet.stake, bet.currency),
                "win": None if bet.win is None else format_amount(bet.win, bet.currency),
                "currency": bet.currency,
            }
        )
    else:
        say(f"Bet {bet.bet_id} is {bet.state.value}. `croupier trace {bet.bet_id}` shows the whole story.")
