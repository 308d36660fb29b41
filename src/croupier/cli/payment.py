"""`croupier payment`: find payments, and a person's decision about one. Spec: operate.md 2, money.md 2.1 and 6.4."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from croupier.cli.find import payment_of
from croupier.cli.proposal import Propose, proposed, show_proposed
from croupier.cli.running import AsJson, Author, Reason, with_hub, with_look
from croupier.cli.search import Wish, payment_cursor, search_of, show_page, with_filters
from croupier.cli.show import say, show_json
from croupier.core.payment import Payment, PaymentState
from croupier.core.proposal import Act, PersonAct, Proposal
from croupier.flows.hub import Hub
from croupier.flows.person import do
from croupier.kit.settings import Settings
from croupier.views import money_lists
from croupier.views.money_lists import Page

app = typer.Typer(help="Find payments, and decide about one by hand.")

PaymentArgument = Annotated[
    str,
    typer.Argument(metavar="ID", help="<BetId or CashbackId>:<kind>, as `croupier incidents` and `trace` show it."),
]


PAYMENT_STATES = tuple(state.value for state in PaymentState)
COLUMNS = (
    "payment", "?casino", "player", "state", ">amount", "??>tax", "currency", "?transaction_id", "??code", "??message",
    "created_ms", "???decided_ms",
)  # fmt: skip


@app.command("list")
@with_filters(
    "casino",
    "provider",
    "player",
    "game",
    "round_ref",
    "kind",
    "state",
    "currency",
    "at_least",
    "at_most",
    "from_",
    "to",
    states=PAYMENT_STATES,
)
def list_(wish: Wish, as_csv: bool, as_json: bool) -> None:
    """Show payments between the hub and all casinos, those of the newest bet or cashback first."""
    before = payment_cursor(wish.after)

    async def work(hub: Hub, _: Settings) -> Page:
        return await money_lists.payments(hub.store.db, await search_of(hub, wish, before))

    page = with_look(work)
    show_page("Payments", page.payments, page.before, columns=COLUMNS, forms=(as_json, as_csv))


@app.command()
def retry(which: PaymentArgument, *, reason: Reason, author: Author, as_json: AsJson = False) -> None:
    """Retry a payment now. A stake is queried, never sent twice."""
    _decide(which, Act.RETRY, propose=False, signed=(author, reason), as_json=as_json)


@app.command()
def accept(
    which: PaymentArgument, *, reason: Reason, author: Author, propose: Propose = False, as_json: AsJson = False
) -> None:
    """Record a payment as accepted by the casino. Use it only if you know that the casino has booked it."""
    _decide(which, Act.ACCEPT, propose=propose, signed=(author, reason), as_json=as_json)


@app.command("give-up")
def give_up(
    which: PaymentArgument, *, reason: Reason, author: Author, propose: Propose = False, as_json: AsJson = False
) -> None:
    """Give up a payment, which stays unpaid or untaken. A correction in the ledger carries your name."""
    _decide(which, Act.GIVE_UP, propose=propose, signed=(author, reason), as_json=as_json)


def _decide(which: str, act: Act, *, propose: bool, signed: tuple[str, str], as_json: bool) -> None:
    async def work(hub: Hub, settings: Settings) -> Payment | Proposal:
        subject_id, kind = await payment_of(hub, which)
        author, reason = signed
        what = PersonAct(act, subject_id, reason, kind)
        if propose or (settings.four_eyes and act is not Act.RETRY):
            return await proposed(hub, settings, what)
        payment: Payment = (await do(hub, what, author=author)).payments[kind]
        return payment

    done = with_hub(work, waits="nothing is sent to the casino")
    if isinstance(done, Proposal):
        show_proposed(done, as_json=as_json)
    else:
        _show(done, as_json=as_json)


def _show(payment: Payment, *, as_json: bool) -> None:
    name = f"{payment.subject_id}:{payment.kind.value}"
    if as_json:
        show_json({"payment": name, **msgspec.to_builtins(payment)})
    else:
        say(f"Payment {name} is {payment.state.value}. `croupier trace {payment.subject_id}` shows the whole story.")
