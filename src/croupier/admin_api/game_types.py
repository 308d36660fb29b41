"""Commands about the game types of the live feed, and the maintenance switch and the game of each. Spec: operate.md 2, feed.md 3.5.

Never: whose a game type is: `croupier provider set ID game_types=...` says it.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from croupier.admin_api.command import Params, command
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import BadParameter, CommandError, NotFound
from croupier.core.account import Role
from croupier.core.draws import MAX_TYPE
from croupier.store.feed.game_types import GameType


class GameTypesParams(Params, frozen=True, kw_only=True):
    """No parameters: every game type is listed."""


class SetGameTypeParams(Params, frozen=True, kw_only=True):
    """A game type, and what is changed of it."""

    number: Annotated[int, Meta(ge=0, le=MAX_TYPE, description="The number of the game type.")]
    maintenance: Annotated[bool, Meta(description="Whether subscribers are told that it takes no bets now.")] | None = (
        None
    )
    game: Annotated[str, Meta(description="The game in which people bet on its draws.")] | None = None

    def check(self) -> None:
        """Raise BadParameter if nothing is to be changed."""
        if self.maintenance is None and self.game is None:
            raise BadParameter("maintenance", "or `game` must be given")


class KnownGameType(Struct, frozen=True):
    """A game type with its provider, which is None if it is nobody's now. `gameId` is the hub's number of the game."""

    game_type: int = field(name="gameType")
    provider: str | None
    maintenance: bool
    game_id: int | None = field(name="gameId")


@command("GET game-types", words="game-type list", role=Role.LOOK)
async def game_types(desk: Desk, _: GameTypesParams) -> list[KnownGameType]:
    """Show every game type, with its provider and whether it is in maintenance."""
    return [_facts(one) for one in await _seen(desk)]


@command("POST game-types/{number}/set", words="game-type set", role=Role.OPERATE)
async def set_(desk: Desk, wish: SetGameTypeParams) -> KnownGameType:
    """Switch maintenance of a game type, or name its game. Subscribers see maintenance within a second."""
    desk.need_all_casinos("every casino sees the same game type")
    await _get(desk, wish.number)
    if wish.game is not None:
        await _show_in(desk, wish.number, wish.game)
    if wish.maintenance is not None:
        await desk.hub.store.game_types.switch_maintenance(wish.number, on=wish.maintenance)
    return _facts(await _get(desk, wish.number))


async def _seen(desk: Desk) -> list[GameType]:
    """Return the game types of the person's providers. Those of nobody are seen by a person of all providers."""
    provider_ids = desk.scope.provider_ids
    return [
        one for one in await desk.hub.store.game_types.all() if provider_ids is None or one.provider_id in provider_ids
    ]


async def _get(desk: Desk, number: int) -> GameType:
    """Return this game type. Raises NotFound."""
    known = [one for one in await _seen(desk) if one.game_type == number]
    if not known:
        raise NotFound(
            f"no provider has had game type {number}: `croupier provider set ID game_types={number}` gives it to one, and "
            "`croupier game-type list` shows those that there are"
        )
    return known[0]


async def _show_in(desk: Desk, number: int, text: str) -> None:
    found = await desk.game(text)
    if not await desk.hub.store.game_types.show_in(number, found.game_id):
        raise CommandError(
            f"game {found.name} is not of the provider that has game type {number}: `croupier game-type list` shows whose it is"
        )


def _facts(known: GameType) -> KnownGameType:
    return KnownGameType(known.game_type, known.provider, known.maintenance, known.game_id)
