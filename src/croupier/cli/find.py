"""Lookup of the casino, provider, game, player, bet or payment of an argument, by its id or name.

Owns: finding it, and saying what to do if there is none. Spec: operate.md 3.
"""

from __future__ import annotations

from croupier.admin_api.errors import CommandError, NotFound
from croupier.core.counterparty import Casino, Provider
from croupier.core.readings import PaymentKind
from croupier.core.session import Game
from croupier.flows.hub import Hub
from croupier.kit.names import problem_of
from croupier.store.parties.players import Player
from croupier.views.subjects import find_subject

LONGEST_ID = 128


async def casino_of(hub: Hub, text: str) -> Casino:
    """Return the casino with this id or name. Raises CommandError."""
    found = await hub.store.casinos.find(text)
    if found is None:
        raise NotFound(f"there is no casino {text[:LONGEST_ID]!r}: `croupier casino list` shows them")
    return found


async def provider_of(hub: Hub, text: str) -> Provider:
    """Return the provider with this id, counterparty id or name. Raises CommandError, NameAmbiguous."""
    found = await hub.store.providers.find(text)
    if found is None:
        raise NotFound(f"there is no provider {text[:LONGEST_ID]!r}: `croupier provider list` shows them")
    return found


async def game_of(hub: Hub, text: str) -> Game:
    """Return the game with this gameId, or `provider/gameId`. Raises CommandError, GameAmbiguous."""
    found = await hub.store.games.find(text)
    if found is None:
        raise CommandError(
            f"there is no game {text[:LONGEST_ID]!r}: `croupier game list` shows them, and `croupier provider sync ID` fetches a "
            "provider's"
        )
    return found


async def player_of(hub: Hub, casino: Casino, text: str) -> Player:
    """Return the player with this id at the casino. Raises CommandError."""
    found = await hub.store.players.find(casino.casino_id, text)
    if found is None:
        raise CommandError(
            f"casino {casino.name} has no player {text[:LONGEST_ID]!r} here: "
            f"`croupier player list --casino {casino.casino_id}` shows them"
        )
    return found


async def subject_of(hub: Hub, text: str) -> int:
    """Return the BetId or CashbackId of this text, which may be `provider:betId`. Raises CommandError, SubjectAmbiguous."""
    found = await find_subject(hub.store.db, text)
    if found is None:
        raise CommandError(
            f"there is no bet or cashback {text[:LONGEST_ID]!r}: give a BetId, a CashbackId or provider:betId"
        )
    return found


async def payment_of(hub: Hub, text: str) -> tuple[int, PaymentKind]:
    """Return the payment `<BetId or CashbackId>:<kind>`. Raises CommandError."""
    subject, _, kind = text.rpartition(":")
    known = {k.value: k for k in PaymentKind}
    found = known.get(kind.replace("-", "_"))
    if found is None:
        raise CommandError(
            f"{text[:LONGEST_ID]!r} names no payment: write <BetId or CashbackId>:<kind>, the kind one of {', '.join(known)}"
        )
    return await subject_of(hub, subject), found


def check_player(player: str) -> None:
    """Check a player's id at a casino. Raises CommandError."""
    check_name("--player", player)


def check_name(option: str, name: str) -> None:
    """Check an id. Raises CommandError if it could be mistaken for another id (kit.names)."""
    problem = problem_of(name)
    if problem is not None:
        raise CommandError(f"{option} {problem}")
