"""Commands about a casino's players, and the exclusion of one. Spec: provider.md 2 (code 4, player blocked), operate.md 2.

Never: what a block means (core.session): no new bets and no launches, while payouts and refunds go on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict

from croupier.admin_api.command import Params, command
from croupier.admin_api.desk import Desk
from croupier.admin_api.words import Reason
from croupier.core.account import Role
from croupier.core.protection import PlayLimits
from croupier.store.parties.players import Block, Player
from croupier.views import money_lists
from croupier.views.money_lists import FoundBet, FoundPayment, FoundSession, Search

MOST: Final = 10_000
USUAL: Final = 1000
LAST: Final = 10
"""The number of bets and of sessions that are shown of a player."""
OPEN_PAYMENTS: Final = ("created", "sent", "parked")
"""The states of a payment without an outcome."""


class PlayersParams(Params, frozen=True, kw_only=True):
    """Whose players are listed."""

    casino: str
    blocked: Annotated[bool, Meta(description="Only excluded players.")] = False
    after: Annotated[int, Meta(ge=0, description="The player_id with which the page before ended.")] = 0
    limit: Annotated[int, Meta(ge=1, le=MOST)] = USUAL


class PlayerParams(Params, frozen=True, kw_only=True):
    """A player."""

    casino: str
    player: Annotated[str, Meta(description="The player's id at the casino.")]


class BlockParams(PlayerParams, frozen=True, kw_only=True):
    """A player, and why."""

    reason: Reason


class PlayerFacts(Struct, frozen=True, kw_only=True):
    """One player, and the last decision about a player who was ever excluded."""

    casino: str | UnsetType = UNSET
    """The casino's name, where one player is shown."""
    player: str
    player_id: int
    casino_id: int
    currency: str
    language: str | None
    country: str | None
    is_test: bool
    blocked: bool
    excluded_until_ms: int | None
    limits: PlayLimits
    reason: str | None
    author: str | None
    at_ms: int | None


class PlayerStory(PlayerFacts, frozen=True, kw_only=True):
    """One player with the last bets, payments without outcome, and sessions."""

    bets: tuple[FoundBet, ...]
    open_payments: tuple[FoundPayment, ...]
    sessions: tuple[FoundSession, ...]


@command("GET casinos/{casino}/players", words="player list", role=Role.LOOK)
async def players(desk: Desk, asked: PlayersParams) -> list[PlayerFacts]:
    """Show the players of a casino in the order of registration, with the last decision about those who were ever excluded."""
    store, casino_id = desk.hub.store.players, (await desk.casino(asked.casino)).casino_id
    provider_ids = await desk.provider_ids(None)
    found = await store.page(casino_id, asked.after, asked.limit, only_blocked=asked.blocked, provider_ids=provider_ids)
    words = await store.blocks([one.player_id for one in found])
    return [_facts(player, words.get(player.player_id)) for player in found]


@command("GET casinos/{casino}/players/{player}", words="player show", role=Role.LOOK)
async def player(desk: Desk, asked: PlayerParams) -> PlayerStory:
    """Show a player with the last bets, payments without outcome, and sessions."""
    db, casino = desk.hub.store.db, await desk.casino(asked.casino)
    found = await desk.player(casino, asked.player)
    search = Search(
        LAST,
        player_ids=(found.player_id,),
        provider_ids=await desk.provider_ids(None),
        now_ms=desk.hub.clock.now_ms(),
    )
    open_ones = [await money_lists.payments(db, replace(search, state=state)) for state in OPEN_PAYMENTS]
    return PlayerStory(
        **{**asdict(await _facts_now(desk, found)), "casino": casino.name},
        bets=(await money_lists.bets(db, search)).bets,
        open_payments=tuple(one for page in open_ones for one in page.payments),
        sessions=(await money_lists.sessions(db, search)).sessions,
    )


@command("POST casinos/{casino}/players/{player}/block", words="player block", role=Role.OPERATE)
async def block(desk: Desk, wish: BlockParams) -> PlayerFacts:
    """Exclude a player from launches and new bets. Earlier bets are still paid out and refunded."""
    return await _set_blocked(desk, wish, blocked=True)


@command("POST casinos/{casino}/players/{player}/unblock", words="player unblock", role=Role.OPERATE)
async def unblock(desk: Desk, wish: BlockParams) -> PlayerFacts:
    """Readmit an excluded player."""
    return await _set_blocked(desk, wish, blocked=False)


async def _set_blocked(desk: Desk, wish: BlockParams, *, blocked: bool) -> PlayerFacts:
    desk.need_all_providers("a player is excluded at every provider")
    found = await desk.player(await desk.casino(wish.casino), wish.player)
    await desk.hub.store.players.block(found.player_id, blocked, reason=wish.reason, author=desk.author)
    now = await desk.hub.store.players.get(found.player_id)
    assert now is not None
    return await _facts_now(desk, now)


async def _facts_now(desk: Desk, found: Player) -> PlayerFacts:
    words = await desk.hub.store.players.blocks([found.player_id])
    return _facts(found, words.get(found.player_id))


def _facts(found: Player, last: Block | None) -> PlayerFacts:
    return PlayerFacts(
        player=found.player_ref,
        player_id=found.player_id,
        casino_id=found.casino_id,
        currency=found.currency,
        language=found.language,
        country=found.country,
        is_test=found.is_test,
        blocked=found.blocked,
        excluded_until_ms=found.excluded_until_ms,
        limits=found.limits,
        reason=None if last is None else last.reason,
        author=None if last is None else last.author,
        at_ms=None if last is None else last.at_ms,
    )
