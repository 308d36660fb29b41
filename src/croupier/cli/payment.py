"""`croupier payment`: find payments, and a person's decision about one. Spec: operate.md 2, money.md 2.1 and 6.4."""

from __future__ import annotations

from typing import Annotated

import typer

from croupier.admin_api import decisions, search
from croupier.admin_api.decisions import PaymentDecisionParams, PaymentDone, PaymentParams, ProposalRecord
from croupier.admin_api.search import PaymentFilters
from croupier.cli.proposal import WAITS, Propose, say_proposed
from croupier.cli.running import AsJson, Author, Reason, ask
from croupier.cli.search import show_page, with_filters
from croupier.cli.show import say, show_json

app = typer.Typer(help="Find payments, and decide about one by hand.")

PaymentArgument = Annotated[
    str,
    typer.Argument(metavar="ID", help="<BetId or CashbackId>:<kind>, as `croupier incidents` and `trace` show it."),
]


COLUMNS = (
    "payment", "?casino", "player", "state", ">amount", "??>tax", "currency", "?transaction_id", "??code", "??message",
    "created_ms", "???decided_ms",
)  # fmt: skip


@app.command("list")
@with_filters(PaymentFilters)
def list_(wish: PaymentFilters, as_csv: bool, as_json: bool) -> None:
    """Show payments between the hub and all casinos, those of the newest bet or cashback first."""
    show_page("Payments", ask(search.payments, wish), columns=COLUMNS, forms=(as_json, as_csv))


@app.command()
def retry(which: PaymentArgument, *, reason: Reason, author: Author, as_json: AsJson = False) -> None:
    """Retry a payment now. A stake is queried, never sent twice."""
    wish = PaymentParams(payment=which, reason=reason)
    _show(ask(decisions.retry, wish, author=author, waits=WAITS), as_json=as_json)


@app.command()
def accept(
    which: PaymentArgument, *, reason: Reason, author: Author, propose: Propose = False, as_json: AsJson = False
) -> None:
    """Record a payment as accepted by the casino. Use it only if you know that the casino has booked it."""
    wish = PaymentDecisionParams(payment=which, reason=reason, propose=propose)
    _show(ask(decisions.accept, wish, author=author, waits=WAITS), as_json=as_json)


@app.command("give-up")
def give_up(
    which: PaymentArgument, *, reason: Reason, author: Author, propose: Propose = False, as_json: AsJson = False
) -> None:
    """Give up a payment, which stays unpaid or untaken. A correction in the ledger carries your name."""
    wish = PaymentDecisionParams(payment=which, reason=reason, propose=propose)
    _show(ask(decisions.give_up, wish, author=author, waits=WAITS), as_json=as_json)


def _show(done: PaymentDone, *, as_json: bool) -> None:
    if as_json:
        show_json(done)
    elif isinstance(done.proposal, ProposalRecord):
        say_proposed(done.proposal)
    else:
        subject = str(done.payment).partition(":")[0]
        say(f"Payment {done.payment} is {done.state}. `croupier trace {subject}` shows the whole story.")
