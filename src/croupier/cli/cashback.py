"""`croupier cashback`: pay or cancel a cashback. The serving hub sends it. Spec: operate.md 2, casino.md 2."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from croupier.admin_api.errors import CommandError
from croupier.cli.find import casino_of, check_name, check_player
from croupier.cli.running import AsJson, Author, with_hub
from croupier.cli.show import note, show_facts, show_json
from croupier.core.cashback import Cashback
from croupier.core.money import BadAmount, format_amount, parse_amount
from croupier.flows.cashback import cancel_cashback, pay_cashback
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings
from croupier.store.storable import id_of

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

    async def work(hub: Hub, _: Settings) -> Cashback:
        check_player(player)
        minor = _minor(amount, currency)
        found = await casino_of(hub, casino)
        if currency not in found.currencies:
            raise CommandError(f"casino {found.name} does not play in {currency}: it has {', '.join(found.currencies)}")
        name = ref if ref is not None else f"cli-{hub.chance.hex(8)}"
        check_name("--ref", name)
        if ref is None:
            note(f"The ref is {name}: pass --ref {name} to ask for this cashback again.")
        known = await hub.store.players.register(found.casino_id, player, currency)
        row = Cashback(
            cashback_id=await hub.store.ids.take(),
            casino_id=found.casino_id,
            player_id=known.player_id,
            player_ref=known.player_ref,
            currency=currency,
            amount=minor,
            ref=name,
            created_ms=hub.clock.now_ms(),
        )
        return await pay_cashback(hub, row)

    _show(with_hub(work, waits="the cashback is not sent to the casino"), as_json=as_json)


@app.command()
def cancel(
    cashback_id: Annotated[str, typer.Argument(metavar="CASHBACKID")],
    author: Author,
    as_json: AsJson = False,
) -> None:
    """Cancel a cashback. If the casino has paid it, it is reversed. Repeated, the command prints the progress."""

    async def work(hub: Hub, _: Settings) -> Cashback:
        number = id_of(cashback_id)
        if number is None:
            raise CommandError(f"{cashback_id[:60]!r} is no CashbackId: `cashback pay` prints it")
        return await cancel_cashback(hub, number, author)

    _show(with_hub(work, waits="it is not taken back from the casino"), as_json=as_json)


def _minor(amount: str, currency: str) -> int:
    try:
        minor = parse_amount(amount, currency)
    except BadAmount as bad:
        raise CommandError(f"--amount {bad.why}") from bad
    if minor == 0:
        raise CommandError("--amount must be more than 0")
    return minor


def _show(row: Cashback, *, as_json: bool) -> None:
    facts: dict[str, Any] = {
        "CashbackId": row.cashback_id,
        "ref": row.ref,
        "state": row.state.value,
        "amount": format_amount(row.amount, row.currency),
        "currency": row.currency,
        "player": row.player_ref,
        "PartnerClientId": row.casino_id,
    }
    if as_json:
        show_json(facts)
    else:
        show_facts("Cashback", facts)
