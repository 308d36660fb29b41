"""Commands that pay or cancel a cashback. The serving hub sends it. Spec: operate.md 2, casino.md 2, money.md 6.3.

Owns: reading the request. Never: the decision (flows.cashback). A cashback has no provider: it needs a person of all of them.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from croupier.admin_api.command import Params, command
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import BadParameter, CommandError, NotFound
from croupier.admin_api.words import check_name
from croupier.core.account import Role
from croupier.core.cashback import Cashback
from croupier.core.money import BadAmount, format_amount, parse_amount
from croupier.flows.cashback import cancel_cashback, pay_cashback
from croupier.store.storable import id_of

_WHY_ALL: Final = "a cashback has no provider"


class PayCashbackParams(Params, frozen=True, kw_only=True):
    """Whom to pay, how much, and the id under which it is paid once."""

    casino: Annotated[str, Meta(description="Id or name of the player's casino.")]
    player: Annotated[str, Meta(description="The player's id at the casino; registered if unknown.")]
    amount: Annotated[str, Meta(description="Such as 12.50, in the currency's units.")]
    currency: Annotated[str, Meta(description="The player's currency.")]
    ref: Annotated[str, Meta(description="Your own id, unique in the casino: the same id pays only once.")]

    def check(self) -> None:
        """Raise BadParameter for an id that could be mistaken for another one, or an amount; UnknownCurrency."""
        check_name("player", self.player)
        self.minor()
        check_name("ref", self.ref)

    def minor(self) -> int:
        """Return the amount in minor units. Raises BadParameter, UnknownCurrency."""
        try:
            minor = parse_amount(self.amount, self.currency)
        except BadAmount as bad:
            raise BadParameter("amount", bad.why) from bad
        if minor == 0:
            raise BadParameter("amount", "must be more than 0")
        return minor


class CancelCashbackParams(Params, frozen=True, kw_only=True):
    """A cashback."""

    cashback_id: Annotated[str, Meta(description="The CashbackId.")]


class KnownCashback(Struct, frozen=True, kw_only=True):
    """A cashback as it is now."""

    cashback_id: int = field(name="CashbackId")
    ref: str
    state: str
    amount: str
    currency: str
    player: str
    client_id: int = field(name="PartnerClientId")


@command("POST cashbacks", words="cashback pay", role=Role.DECIDE)
async def pay(desk: Desk, wish: PayCashbackParams) -> KnownCashback:
    """Pay a cashback. Repeated with the same ref and contents, the first one is shown and nothing is paid."""
    desk.need_all_providers(_WHY_ALL)
    hub, casino = desk.hub, await desk.casino(wish.casino)
    if wish.currency not in casino.currencies:
        raise CommandError(
            f"casino {casino.name} does not play in {wish.currency}: it has {', '.join(casino.currencies)}"
        )
    player = await hub.store.players.register(casino.casino_id, wish.player, wish.currency)
    row = Cashback(
        cashback_id=await hub.store.ids.take(),
        casino_id=casino.casino_id,
        player_id=player.player_id,
        player_ref=player.player_ref,
        currency=wish.currency,
        amount=wish.minor(),
        ref=wish.ref,
        created_ms=hub.clock.now_ms(),
    )
    return _facts(await pay_cashback(hub, row, asked_by=desk.author))


@command("POST cashbacks/{cashback_id}/cancel", words="cashback cancel", role=Role.DECIDE)
async def cancel(desk: Desk, wish: CancelCashbackParams) -> KnownCashback:
    """Cancel a cashback. If the casino has paid it, it is reversed. Repeated, the progress is shown."""
    desk.need_all_providers(_WHY_ALL)
    number = id_of(wish.cashback_id)
    known = None if number is None else await desk.hub.store.cashbacks.by_id(number)
    if known is None or not desk.scope.casino(known.casino_id):
        raise NotFound(
            f"there is no cashback {wish.cashback_id[:60]}: `croupier cashback pay` prints the CashbackId"
        )  # fmt: skip
    return _facts(await cancel_cashback(desk.hub, known.cashback_id, desk.author))


def _facts(row: Cashback) -> KnownCashback:
    return KnownCashback(
        cashback_id=row.cashback_id,
        ref=row.ref,
        state=row.state.value,
        amount=format_amount(row.amount, row.currency),
        currency=row.currency,
        player=row.player_ref,
        client_id=row.casino_id,
    )
