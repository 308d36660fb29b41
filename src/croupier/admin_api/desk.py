"""Where a command does its work: the hub, who asks, and what that person may see.

Owns: finding casinos, providers, games, players, bets and payments by what a person typed, within the person's scope. What lies
outside of it is not found. Never: a role (door). Spec: operate.md 3, decision 0102.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from croupier.admin_api.errors import CommandError, NotAllowed, NotFound
from croupier.core.account import Account, Role, Scope
from croupier.core.counterparty import Casino, Provider
from croupier.core.readings import PaymentKind
from croupier.core.session import Game
from croupier.flows.hub import Hub
from croupier.kit.settings import Settings
from croupier.store.parties.players import Player
from croupier.views.subjects import find_subject

LONGEST_ID: Final = 128
WHOLE_HUB: Final = Scope()


@dataclass(frozen=True, slots=True)
class Desk:
    """The hub for one person."""

    hub: Hub
    settings: Settings
    author: str
    """The name that the books show."""
    sign_in: Callable[[Role], Awaitable[Account]]
    """Return the person's account if it has this role. Raises NotSignedIn, NotAllowed."""
    scope: Scope = WHOLE_HUB

    async def casino(self, text: str) -> Casino:
        """Return the casino with this id or name. Raises NotFound."""
        found = await self.hub.store.casinos.find(text)
        if found is None or not self.scope.casino(found.casino_id):
            raise NotFound(f"there is no casino {text[:LONGEST_ID]!r}: `croupier casino list` shows them")
        return found

    async def provider(self, text: str) -> Provider:
        """Return the provider with this id, counterparty id or name. Raises NotFound, NameAmbiguous."""
        found = await self.hub.store.providers.find(text)
        if found is None or not self.scope.provider(found.provider_id):
            raise NotFound(f"there is no provider {text[:LONGEST_ID]!r}: `croupier provider list` shows them")
        return found

    async def game(self, text: str) -> Game:
        """Return the game with this gameId, or `provider/gameId`. Raises NotFound, GameAmbiguous."""
        found = await self.hub.store.games.find(text)
        if found is None or not self.scope.provider(found.provider_id):
            raise NotFound(
                f"there is no game {text[:LONGEST_ID]!r}: `croupier game list` shows them, and `croupier provider sync ID` fetches a "
                "provider's"
            )
        return found

    async def player(self, casino: Casino, text: str) -> Player:
        """Return the player with this id at the casino, who played at one of the person's providers. Raises NotFound."""
        found = await self.hub.store.players.find(casino.casino_id, text)
        if found is None or not await self._knows(found):
            raise NotFound(
                f"casino {casino.name} has no player {text[:LONGEST_ID]!r} here: "
                f"`croupier player list --casino {casino.casino_id}` shows them"
            )
        return found

    async def subject(self, text: str) -> int:
        """Return the BetId or CashbackId of this text, which may be `provider:betId`. Raises NotFound, SubjectAmbiguous."""
        found = await find_subject(self.hub.store.db, text)
        if found is None or not await self.may_see(found):
            raise NotFound(
                f"there is no bet or cashback {text[:LONGEST_ID]!r}: give a BetId, a CashbackId or provider:betId"
            )
        return found

    async def payment(self, text: str) -> tuple[int, PaymentKind]:
        """Return the payment `<BetId or CashbackId>:<kind>`. Raises CommandError."""
        subject, _, kind = text.rpartition(":")
        known = {k.value: k for k in PaymentKind}
        found = known.get(kind.replace("-", "_"))
        if found is None:
            raise CommandError(
                f"{text[:LONGEST_ID]!r} names no payment: write <BetId or CashbackId>:<kind>, the kind one of {', '.join(known)}"
            )
        return await self.subject(subject), found

    async def may_see(self, subject_id: int) -> bool:
        """Return whether this bet or cashback belongs to the person's casinos and providers."""
        if self.scope.whole:
            return True
        bet = await self.hub.store.bets.by_id(subject_id)
        if bet is not None:
            return self.scope.casino(bet.casino_id) and self.scope.provider(bet.provider_id)
        cashback = await self.hub.store.cashbacks.by_id(subject_id)
        # A cashback has no provider.
        return cashback is not None and self.scope.provider_ids is None and self.scope.casino(cashback.casino_id)

    async def _knows(self, player: Player) -> bool:
        """Return whether the player ever opened a game of the person's providers."""
        providers = await self.provider_ids(None)
        return providers is None or await self.hub.store.players.played_at(player.player_id, providers)

    async def casino_ids(self, text: str | None) -> tuple[int, ...] | None:
        """Return the casino that a list is asked for, or those that the person may see; None: all. Raises NotFound."""
        if text is not None:
            return ((await self.casino(text)).casino_id,)
        return None if self.scope.casino_ids is None else tuple(sorted(self.scope.casino_ids))

    async def provider_ids(self, text: str | None) -> tuple[int, ...] | None:
        """Return the provider that a list is asked for, or those that the person may see; None: all. Raises NotFound."""
        if text is not None:
            return ((await self.provider(text)).provider_id,)
        return None if self.scope.provider_ids is None else tuple(sorted(self.scope.provider_ids))

    def need_all_casinos(self, why: str) -> None:
        """Raise NotAllowed for a person who sees some casinos only: the command is about all."""
        if self.scope.casino_ids is not None:
            raise NotAllowed(f"{why}: this account sees some casinos only")

    def need_all_providers(self, why: str) -> None:
        """Raise NotAllowed for a person who sees some providers only: the command is about all."""
        if self.scope.provider_ids is not None:
            raise NotAllowed(f"{why}: this account sees some providers only")
