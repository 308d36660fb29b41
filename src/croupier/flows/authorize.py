"""Authentication of a player by token: query the casino and register the player. Spec: casino.md 2 (`users/auth`).

Owns: the registration and the balance that comes with it. Never: opens sessions.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.core.counterparty import Casino
from croupier.core.money import BadAmount, UnknownCurrency, parse_amount
from croupier.core.readings import Authorized, AuthReading, No, Unknown
from croupier.flows.casino_call import call_for_player
from croupier.flows.hub import Hub
from croupier.flows.ports import CasinoGateway
from croupier.store.db import assert_no_tx
from croupier.store.parties.players import Player


async def authorize(
    hub: Hub, casino: Casino, refresh_token: str, *, tag_id: int | None = None
) -> Player | No | Unknown:
    """Return the player, registered if new. No if the casino refuses the token, Unknown if it gave no usable answer."""
    found = await identify(hub, casino, refresh_token, tag_id=tag_id)
    return found.player if isinstance(found, Identified) else found


@dataclass(frozen=True, slots=True)
class Identified:
    """The player behind a refresh token, and the token that replaces it."""

    player: Player
    refresh_token: str


async def identify(
    hub: Hub, casino: Casino, refresh_token: str, *, tag_id: int | None = None
) -> Identified | No | Unknown:
    """Return what `authorize` does, with the new refresh token."""
    assert_no_tx()
    asked_ms = heard_ms = 0

    async def ask(gateway: CasinoGateway) -> AuthReading:
        nonlocal asked_ms, heard_ms
        asked_ms = hub.clock.now_ms()
        heard = await gateway.auth(casino, refresh_token, tag_id)
        heard_ms = hub.clock.now_ms()
        return heard

    reading = await call_for_player(hub, casino, ask, step="auth")
    if not isinstance(reading, Authorized):
        return reading
    if reading.currency not in casino.currencies:
        return Unknown(f"the casino names currency {reading.currency}, which it does not play in")
    player = await hub.store.players.register(
        casino.casino_id,
        reading.player_ref,
        reading.currency,
        language=reading.language,
        country=reading.country,
        is_test=reading.is_test,
        refresh_token=reading.refresh_token,
    )
    await _keep_balance(hub, player, reading, times_ms=(asked_ms, heard_ms))
    return Identified(player, reading.refresh_token)


async def _keep_balance(hub: Hub, player: Player, reading: Authorized, *, times_ms: tuple[int, int]) -> None:
    if reading.balance is None:
        return
    try:
        amount = parse_amount(reading.balance, reading.currency)
    except (BadAmount, UnknownCurrency):
        return
    await hub.store.balances.base(player.player_id, amount, times_ms[0], heard_ms=times_ms[1])
