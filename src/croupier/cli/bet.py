"""`croupier bet`: find bets, and end an incomplete game by hand. Spec: operate.md 2, money.md 4.1."""

from __future__ import annotations

from typing import Annotated

import typer

from croupier.cli.find import subject_of
from croupier.cli.proposal import Propose, proposed, show_proposed
from croupier.cli.running import AsJson, Author, Reason, with_hub, with_look
from croupier.cli.search import Wish, id_cursor, search_of, show_page, with_filters
from croupier.cli.show import say, show_json
from croupier.core.bet import Bet, BetState
from croupier.core.money import format_amount
from croupier.core.proposal import Act, PersonAct, Proposal
from croupier.core.records import evolve
from croupier.flows.hub import Hub
from croupier.flows.person import do
from croupier.kit.settings import Settings
from croupier.views import money_lists
from croupier.views.money_lists import Page

app = typer.Typer(help="Find bets, and end an incomplete game by hand.")

BetArgument = Annotated[str, typer.Argument(metavar="BETID", help="The hub's BetId, or provider:betId.")]


BET_STATES = tuple(state.value for state in BetState)
COLUMNS = (
    "bet_id", "?casino", "player", "?provider", "??bet_ref", "??round_ref", "?game", "??session_id", "state", ">stake", ">win",
    "currency", "created_ms", "???ended_ms",
)  # fmt: skip


@app.command("list")
@with_filters(
    "casino",
    "provider",
    "player",
    "game",
    "round_ref",
    "state",
    "currency",
    "at_least",
    "at_most",
    "from_",
    "to",
    states=BET_STATES,
)
def list_(wish: Wish, as_csv: bool, as_json: bool) -> None:
    """Show bets of all casinos, newest first. Amounts and times are those of the stake."""
    before = id_cursor(wish.after)

    async def work(hub: Hub, _: Settings) -> Page:
        return await money_lists.bets(hub.store.db, await search_of(hub, wish, before))

    page = with_look(work)
    show_page("Bets", page.bets, page.before, columns=COLUMNS, forms=(as_json, as_csv))


@app.command("return")
def return_(
    which: BetArgument, *, reason: Reason, author: Author, propose: Propose = False, as_json: AsJson = False
) -> None:
    """Return the stake to the player."""
    _end(which, PersonAct(Act.RETURN, 0, reason), author=author, propose=propose, as_json=as_json)


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
    what = PersonAct(Act.SETTLE, 0, reason, win=win, above_limits=above_limits)
    _end(which, what, author=author, propose=propose, as_json=as_json)


def _end(which: str, what: PersonAct, *, author: str, propose: bool, as_json: bool) -> None:
    async def work(hub: Hub, settings: Settings) -> Bet | Proposal:
        about = evolve(what, subject_id=await subject_of(hub, which))
        if propose or settings.four_eyes:
            return await proposed(hub, settings, about)
        bet = await do(hub, about, author=author)
        assert isinstance(bet, Bet)
        return bet

    done = with_hub(work, waits="nothing is sent to the casino")
    if isinstance(done, Proposal):
        show_proposed(done, as_json=as_json)
    elif as_json:
        show_json(
            {
                "BetId": done.bet_id,
                "state": done.state.value,
                "stake": format_amount(done.stake, done.currency),
                "win": None if done.win is None else format_amount(done.win, done.currency),
                "currency": done.currency,
            }
        )
    else:
        say(f"Bet {done.bet_id} is {done.state.value}. `croupier trace {done.bet_id}` shows the whole story.")
