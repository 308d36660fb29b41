"""Commands about the catalogue: the operator's settings of a game, where it is on, and what providers' lists change.

Never: the listing, which is the provider's (`croupier provider sync`). Spec: provider.md 3.1, operate.md 2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType, field

from croupier.admin_api.command import Params, command
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import BadParameter, NotFound
from croupier.admin_api.words import Reason
from croupier.core.account import Role
from croupier.core.money import CURRENCIES
from croupier.core.session import Game
from croupier.kit.names import unreadable
from croupier.store.parties.games import changes_from_text
from croupier.store.parties.listings import CatalogueDiff

LANGUAGE: Final = r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}"
_OF_ALL: Final = "a game's settings hold for every casino"
_WhichGame = Annotated[str, Meta(description="The gameId, or provider/gameId if two providers have the same.")]


class GamesParams(Params, frozen=True, kw_only=True):
    """Whose games are listed."""

    provider: str | None = None


class SetGameParams(Params, frozen=True, kw_only=True):
    """A game, and its new settings as text."""

    game: _WhichGame
    settings: Annotated[dict[str, str], Meta(description="Each setting with its text; `none` removes a limit.")]

    def check(self) -> None:
        """Raise BadParameter if nothing is to be changed."""
        if not self.settings:
            raise BadParameter("settings", "are missing: name at least one with its value")


class SwitchGameParams(Params, frozen=True, kw_only=True):
    """A game, and where it is switched on or off."""

    game: _WhichGame
    on: Annotated[bool, Meta(description="Whether launches and bets are allowed there.")]
    casino: Annotated[str, Meta(description="Without it, every casino.")] | None = None
    currency: str | None = None
    country: Annotated[str, Meta(description="Such as DE.")] | None = None
    reason: Reason | None = None

    def check(self) -> None:
        """Raise BadParameter unless there is a place, which can be one."""
        if (self.casino, self.currency, self.country) == (None, None, None):
            raise BadParameter(
                "casino",
                "is missing: give it, `currency` or `country`; for all of them: `croupier game set GAME enabled=off`",
            )
        if self.currency is not None and self.currency not in CURRENCIES:
            raise BadParameter("currency", f"{self.currency[:16]} is not known")
        if self.country is not None and not re.fullmatch("[A-Z]{2}", self.country, re.ASCII):
            raise BadParameter("country", "must be two capital letters such as DE")


class DescribeGameParams(Params, frozen=True, kw_only=True):
    """A game, and its name in a language."""

    game: _WhichGame
    language: Annotated[str, Meta(description="Language tag, such as de or pt-BR.")]
    name: Annotated[str, Meta(description="Without it the text is removed.")] | None = None
    description: Annotated[str, Meta(description="One or two sentences for the lobby.")] | None = None

    def check(self) -> None:
        """Raise BadParameter for what is no language tag, or no readable line."""
        if not re.fullmatch(LANGUAGE, self.language, re.ASCII):
            raise BadParameter("language", "must be a language tag such as de or pt-BR")
        for name, text in (("name", self.name), ("description", self.description)):
            if text is not None and unreadable(text):
                raise BadParameter(name, "must be one line of readable text")
        if self.name is None and self.description is not None:
            raise BadParameter("name", "is missing: `description` goes with it")

    def text(self) -> Mapping[str, str] | None:
        """Return what is stored for the language; None removes it."""
        if self.name is None:
            return None
        return {"name": self.name, **({} if self.description is None else {"description": self.description})}


class DiffsParams(Params, frozen=True, kw_only=True):
    """Which differences are listed."""

    number: Annotated[int, Meta(description="One difference; without it the latest ones.")] | None = None
    provider: str | None = None


class DiffParams(Params, frozen=True, kw_only=True):
    """A difference."""

    number: int


class KnownGame(Struct, frozen=True, kw_only=True):
    """One game of the catalogue, with its operator's settings, and the casinos for which it is off."""

    game_ref: str = field(name="gameId")
    provider: str
    game_id: int
    provider_id: int
    name: str
    category: str
    enabled: bool
    listed: bool
    jackpot_wins: bool
    min_bet: str | None
    max_bet: str | None
    max_odd: str | None
    image_url: str | None
    open_s: int | None
    large_win: str | None
    max_win: str | None
    own_max_odd: str | None
    features: tuple[str, ...]
    kind: str | None
    texts: Mapping[str, Mapping[str, str]]
    off_for: tuple[str, ...]


class SwitchedGame(Struct, frozen=True, kw_only=True):
    """Where a game was switched on or off. What is left out was not named."""

    game_ref: str = field(name="gameId")
    client_id: int | UnsetType = field(default=UNSET, name="PartnerClientId")
    casino: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    country: str | UnsetType = UNSET
    on: bool


class AppliedDiff(Struct, frozen=True):
    """A difference that holds now, and the number of its games."""

    number: int
    games: int


class UndoneDiff(Struct, frozen=True):
    """A difference that holds no more, the number of games, and those that changed since and stay."""

    number: int
    games: int
    changed_since: tuple[str, ...]


@command("GET games", words="game list", role=Role.LOOK)
async def games(desk: Desk, asked: GamesParams) -> list[KnownGame]:
    """Show the games, including those that are switched off or no longer listed by their provider."""
    wanted = None if asked.provider is None else (await desk.provider(asked.provider)).provider_id
    found = await desk.hub.store.games.all(wanted)
    return await _known(desk, [game for game in found if desk.scope.provider(game.provider_id)])


@command("POST games/{game}/set", words="game set", role=Role.OPERATE)
async def set_(desk: Desk, wish: SetGameParams) -> KnownGame:
    """Change a game for every casino. It takes effect at once."""
    desk.need_all_casinos(_OF_ALL)
    game = await desk.game(wish.game)
    return await _one(desk, await desk.hub.store.games.set(game.game_id, **changes_from_text(wish.settings)))


@command("POST games/{game}/describe", words="game describe", role=Role.OPERATE)
async def describe(desk: Desk, wish: DescribeGameParams) -> KnownGame:
    """Set the name of a game in a language, as the casino API and the lobby show it."""
    desk.need_all_casinos(_OF_ALL)
    game = await desk.game(wish.game)
    return await _one(desk, await desk.hub.store.games.describe(game.game_id, wish.language, wish.text()))


@command("POST games/{game}/switch", words="game switch", role=Role.OPERATE)
async def switch(desk: Desk, wish: SwitchGameParams) -> SwitchedGame:
    """Switch a game on or off for a casino, in a currency or in a country. Off stops launches and new bets; open bets continue."""
    if wish.casino is None:
        desk.need_all_casinos("without a casino the switch holds for every casino")
    game = await desk.game(wish.game)
    casino = None if wish.casino is None else await desk.casino(wish.casino)
    casino_id = None if casino is None else casino.casino_id
    await desk.hub.store.games.switch(
        casino_id, game.game_id, wish.on, currency=wish.currency, country=wish.country
    )  # fmt: skip
    return SwitchedGame(
        game_ref=game.game_ref,
        client_id=UNSET if casino is None else casino.casino_id,
        casino=UNSET if casino is None else casino.name,
        currency=UNSET if wish.currency is None else wish.currency,
        country=UNSET if wish.country is None else wish.country,
        on=wish.on,
    )


@command("GET games/diffs", words="game diff", role=Role.LOOK)
async def diffs(desk: Desk, asked: DiffsParams) -> list[CatalogueDiff]:
    """Show what the lists of providers changed, or would change where a person reviews them."""
    provider_ids = await desk.provider_ids(asked.provider)
    return await desk.hub.store.catalogue_diffs.latest(diff_id=asked.number, provider_ids=provider_ids)


@command("POST games/diffs/{number}/apply", words="game apply", role=Role.OPERATE)
async def apply(desk: Desk, wish: DiffParams) -> AppliedDiff:
    """Apply a difference that waits for review, or one that was undone."""
    await _check_diff(desk, wish.number)
    return AppliedDiff(wish.number, await desk.hub.store.catalogue_diffs.apply(wish.number, author=desk.author))


@command("POST games/diffs/{number}/undo", words="game undo", role=Role.OPERATE)
async def undo(desk: Desk, wish: DiffParams) -> UndoneDiff:
    """Undo a difference. It is not applied by itself again; games that changed since stay as they are."""
    await _check_diff(desk, wish.number)
    number, kept = await desk.hub.store.catalogue_diffs.undo(wish.number, author=desk.author)
    return UndoneDiff(wish.number, number, tuple(kept))


async def _check_diff(desk: Desk, number: int) -> None:
    """Raise NotAllowed for a person of some casinos, NotFound for a difference that is not of the person's providers."""
    desk.need_all_casinos("a provider's list holds for every casino")
    provider_ids = await desk.provider_ids(None)
    if not await desk.hub.store.catalogue_diffs.latest(diff_id=number, provider_ids=provider_ids):
        raise NotFound(f"there is no difference {number}: `croupier game diff` shows them")


async def _one(desk: Desk, game: Game) -> KnownGame:
    return (await _known(desk, [game]))[0]


async def _known(desk: Desk, found: Sequence[Game]) -> list[KnownGame]:
    """Return games with the names of their providers, and of the person's casinos for which they are off."""
    store = desk.hub.store
    providers = {one.provider_id: one.name for one in await store.providers.all()}
    casinos = {one.casino_id: one.name for one in await store.casinos.all() if desk.scope.casino(one.casino_id)}
    off = await store.games.switched_off()
    return [
        _facts(game, providers[game.provider_id], [casinos[one] for one in off.get(game.game_id, ()) if one in casinos])
        for game in found
    ]


def _facts(game: Game, provider: str, off_for: Sequence[str]) -> KnownGame:
    return KnownGame(
        game_ref=game.game_ref,
        provider=provider,
        game_id=game.game_id,
        provider_id=game.provider_id,
        name=game.name,
        category=game.category,
        enabled=game.enabled,
        listed=game.listed,
        jackpot_wins=game.jackpot_wins,
        min_bet=game.min_bet,
        max_bet=game.max_bet,
        max_odd=game.max_odd,
        image_url=game.image_url,
        open_s=game.open_s,
        large_win=game.large_win,
        max_win=game.max_win,
        own_max_odd=game.own_max_odd,
        features=game.features,
        kind=game.kind,
        texts=game.texts,
        off_for=tuple(off_for),
    )
