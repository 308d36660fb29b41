"""`croupier cashback`: pay or cancel a cashback. The serving hub sends it. Spec: operate.md 2, casino.md 2.

Owns: the options and the output, and the ref of a cashback that was given none. Never: a decision (admin_api.cashbacks).
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from croupier.admin_api import cashbacks
from croupier.admin_api.cashbacks import CancelCashbackParams, KnownCashback, PayCashbackParams
from croupier.cli.running import AsJson, Author, ask
from croupier.cli.show import note, show_facts, show_json
from croupier.kit.chance import SystemChance

app = typer.Typer(help="Pay a cashback to a player, or cancel one.")


@app.command()
def pay(
    *,
    casino: Annotated[str, typer.Option("--casino", help="Id or name of the player's casino.")],
    player: Annotated[str, typer.Option("--player", help="The player's id at the casino; registered if unknown.")],
    amount: Annotated[str, typer.Option("--amount", help="Such as 12.50, in the currency's units.")],
    currency: Annotated[str, typer.Option("--currency", help="The player's currency.")],
    ref: Annotated[
        str | None,
        typer.Option("--ref", help="Your own id of the cashback, unique in the casino: the same id pays only once."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Pay a cashback. Repeated with the same --ref and contents, the command prints the first one and pays nothing."""
    name = f"cli-{SystemChance().hex(8)}" if ref is None else ref
    wish = PayCashbackParams(casino=casino, player=player, amount=amount, currency=currency, ref=name)
    if ref is None:
        # Said before anything is asked: whoever gets no answer needs it.
        wish.check()
        note(f"The ref is {name}: pass --ref {name} to ask for this cashback again.")
    _show(ask(cashbacks.pay, wish, waits="the cashback is not sent to the casino"), as_json=as_json)


@app.command()
def cancel(
    cashback_id: Annotated[str, typer.Argument(metavar="CASHBACKID")],
    author: Author,
    as_json: AsJson = False,
) -> None:
    """Cancel a cashback. If the casino has paid it, it is reversed. Repeated, the command prints the progress."""
    wish = CancelCashbackParams(cashback_id=cashback_id)
    _show(ask(cashbacks.cancel, wish, author=author, waits="it is not taken back from the casino"), as_json=as_json)


def _show(done: KnownCashback, *, as_json: bool) -> None:
    if as_json:
        show_json(done)
    else:
        show_facts("Cashback", msgspec.to_builtins(done))
