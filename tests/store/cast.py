"""The cast of the store's tests: a clock moved by hand, and a casino, a player, a provider, a game, a session."""

from __future__ import annotations

from dataclasses import dataclass, replace

from croupier.core.commands import GameListing
from croupier.core.counterparty import Casino, Provider
from croupier.core.session import Game, Session
from croupier.kit.chance import SystemChance
from croupier.kit.seal import Sealer
from croupier.store.db import Db
from croupier.store.parties.casinos import Casinos
from croupier.store.parties.games import Games
from croupier.store.parties.players import Player, Players
from croupier.store.parties.providers import Providers
from croupier.store.parties.sessions import Sessions

SEALER = Sealer(bytes(range(32)))
CHANCE = SystemChance()
NOW_MS = 1_760_000_000_000


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.ms = NOW_MS

    def now_ms(self) -> int:
        return self.ms

    def monotonic_s(self) -> float:
        return self.ms / 1000

    async def sleep(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)

    def shift(self, ms: int) -> None:
        """As SystemClock's, which follows the database: this one stands where the test put it."""


@dataclass
class Cast:
    """All that a session needs, stored."""

    casino: Casino
    player: Player
    provider: Provider
    game: Game
    session: Session


def make_casinos(db: Db, clock: HandClock | None = None) -> Casinos:
    return Casinos(db, SEALER, clock or HandClock(), chance=CHANCE)


def make_providers(db: Db, clock: HandClock | None = None) -> Providers:
    return Providers(db, SEALER, clock or HandClock(), chance=CHANCE)


async def make_game(db: Db, provider_id: int, game_ref: str = "lucky-7") -> Game:
    games = Games(db, HandClock())
    await games.take_listing(provider_id, [GameListing(game_ref, "Lucky Seven", "slots")], enabled_for_new=True)
    return next(game for game in await games.all(provider_id) if game.game_ref == game_ref)


async def make_cast(db: Db) -> Cast:
    casino, _ = await make_casinos(db).add("Rialto", "https://rialto.example", ["EUR", "JPY"])
    provider, _ = await make_providers(db).add("Reelwright", "https://reelwright.example")
    player = await Players(db, SEALER, HandClock()).register(casino.casino_id, "anna", "EUR")
    game = await make_game(db, provider.provider_id)
    session = Session(
        session_id="s-1",
        provider_id=provider.provider_id,
        casino_id=casino.casino_id,
        player_id=player.player_id,
        player_ref="anna",
        game_id=game.game_id,
        currency="EUR",
        demo=True,
        min_bet=1,
        max_bet=1_000_000,
        opened_ms=NOW_MS,
        expires_ms=NOW_MS + 86_400_000,
        tag_id=7,
    )
    await Sessions(db).open(session, "https://reelwright.example/play")
    return Cast(casino, player, provider, game, session)


async def another_session(db: Db, cast: Cast, session_id: str, *, player_ref: str = "anna") -> Session:
    """A further session of the same casino, for the same player or another one."""
    player = await Players(db, SEALER, HandClock()).register(cast.casino.casino_id, player_ref, "EUR")
    session = replace(cast.session, session_id=session_id, player_id=player.player_id, player_ref=player_ref)
    await Sessions(db).open(session)
    return session


async def has_secret(casinos: Casinos, casino_id: int, secret: str) -> bool:
    """Return whether a token would be issued to the casino for this secret."""
    return await casinos.admit(casino_id, secret) is not None
