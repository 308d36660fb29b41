"""`croupier bet`: find bets, and end an incomplete game by hand. Spec: operate.md 2, money.md 4.1."""

from __future__ import annotations

from typing import Annotated

import typer

from croupier.admin_api import decisions, search
from croupier.admin_api.decisions import BetDone, ProposalRecord, ReturnParams, SettleParams
from croupier.admin_api.search import BetFilters
from croupier.cli.proposal import WAITS, Propose, say_proposed
from croupier.cli.running import AsJson, Author, Reason, ask
from croupier.cli.search import show_page, with_filters
from croupier.cli.show import say, show_json

app = typer.Typer(help="Find bets, and end an incomplete game by hand.")

BetArgument = Annotated[str, typer.Argument(metavar="BETID", help="The hub's BetId, or provider:betId.")]


COLUMNS = (
    "bet_id", "?casino", "player", "?provider", "??bet_ref", "??round_ref", "?game", "??session_id", "state", ">stake", ">win",
    "currency", "created_ms", "???ended_ms",
)  # fmt: skip


@app.command("list")
@with_filters(BetFilters)
def list_(wish: BetFilters, as_csv: bool, as_json: bool) -> None:
    """Show bets of all casinos, newest first. Amounts and times are those of the stake."""
    show_page("Bets", ask(search.bets, wish), columns=COLUMNS, forms=(as_json, as_csv))


@app.command("return")
def return_(
    which: BetArgument, *, reason: Reason, author: Author, propose: Propose = False, as_json: AsJson = False
) -> None:
    """Return the stake to the player."""
    wish = ReturnParams(bet=which, reason=reason, propose=propose)
    _show(ask(decisions.return_, wish, author=author, waits=WAITS), as_json=as_json)


@app.command()
def settle(
    which: BetArgument,
    *,
    win: Annotated[str, typer.Option("--win", help="The win in the currency's units; 0 is a loss.")],
    above_limits: Annotated[
        bool, typer.Option("--above-limits", help="The win may exceed large_win, max_win and max_odd.")
    ] = False,
    reason: Reason,
    author: Author,
    propose: Propose = False,
    as_json: AsJson = False,
) -> None:
    """Settle the bet with a win, as the provider would have done."""
    wish = SettleParams(bet=which, reason=reason, propose=propose, win=win, above_limits=above_limits)
    _show(ask(decisions.settle, wish, author=author, waits=WAITS), as_json=as_json)


def _show(done: BetDone, *, as_json: bool) -> None:
    if as_json:
        show_json(done)
    elif isinstance(done.proposal, ProposalRecord):
        say_proposed(done.proposal)
    else:
        say(f"Bet {done.bet_id} is {done.state}. `croupier trace {done.bet_id}` shows the whole story.")
