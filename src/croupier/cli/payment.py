"""`croupier payment`: a person's decision about one payment. Spec: operate.md 2, money.md 2.1 and 6.4."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from croupier.cli.find import payment_of
from croupier.cli.running import AsJson, Author, Reason, with_hub
from croupier.cli.show import say, show_json
from croupier.core.payment import Payment
from croupier.flows.hub import Hub
from croupier.flows.person import Verb, decide_payment
from croupier.kit.settings import Settings

app = typer.Typer(help="Decide about one payment by hand.")

PaymentArgument = Annotated[
    str,
    typer.Argument(metavar="ID", help="<BetId or CashbackId>:<kind>, as `croupier incidents` and `trace` show it."),
]


@app.command()
def retry(which: PaymentArgument, *, reason: Reason, author: Author, as_json: AsJson = False) -> None:
    """Retry a payment now. A stake is queried, never sent twice."""
    _decide(which, "retry", reason=reason, author=author, as_json=as_json)


@app.command()
def accept(which: PaymentArgument, *, reason: Reason, author: Author, as_json: AsJson = False) -> None:
    """Record a payment as accepted by the casino. Use it only if you know that the casino has booked it."""
    _decide(which, "accept", reason=reason, author=author, as_json=as_json)


@app.command("give-up")
def give_up(which: PaymentArgument, *, reason: Reason, author: Author, as_json: AsJson = False) -> None:
    """Give up a payment, which stays unpaid or untaken. A correction in the ledger carries your name."""
    _decide(which, "give-up", reason=reason, author=author, as_json=as_json)


def _decide(which: str, verb: Verb, *, reason: str, author: str, as_json: bool) -> None:
    async def work(hub: Hub, _: Settings) -> Payment:
        subject_id, kind = await payment_of(hub, which)
        return await decide_payment(hub, subject_id, kind, verb=verb, author=author, reason=reason)

    payment = with_hub(work, waits="nothing is sent to the casino")
    name = f"{payment.subject_id}:{payment.kind.value}"
    if as_json:
        show_json({"payment": name, **msgspec.to_builtins(payment)})
    else:
        say(f"Payment {name} is {payment.state.value}. `croupier trace {payment.subject_id}` shows the whole story.")
