"""Launch: open a session for a player in a game, and request the game's frame from the provider.

Owns: who may play what, and the limits and the life of the session. The session is stored before the provider is called,
so that a provider that calls back at once finds it. Spec: provider.md 3.2, operate.md 2 (`session open`), casino.md 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.core.availability import Rule
from croupier.core.commands import LaunchOrder
from croupier.core.counterparty import Casino, Provider
from croupier.core.large_win import Threshold, max_odd, max_win
from croupier.core.money import UnknownCurrency, exponent, format_amount, is_amount
from croupier.core.protection import NO_LIMITS, PlayLimits, narrower
from croupier.core.session import Game, Session, bet_limits
from croupier.flows.balances import balance_task
from croupier.flows.bulkheads import BulkheadFull, SideCall
from croupier.flows.hub import Hub
from croupier.kit.wire import PeerError
from croupier.store.db import assert_no_tx
from croupier.store.parties.players import CurrencyDiffers, Player
from croupier.store.parties.sessions import SessionOptions

SESSION_BYTES = 16


class LaunchRefused(Exception):
    """The game was not opened. The text gives the reason and the remedy, `rule` names it."""

    def __init__(self, text: str, rule: Rule) -> None:
        super().__init__(text)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Launched:
    """An open game: its session and the address of its frame."""

    session_id: str
    frame_uri: str
    player_id: int = 0
    expires_ms: int = 0


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    """A request to launch a game: the player, the game and the options."""

    player_ref: str
    currency: str
    game_id: int
    language: str = "en"
    demo: bool = False
    mobile: bool = False
    tag_id: int | None = None
    country: str | None = None
    limits: PlayLimits = NO_LIMITS
    """The casino's limits on this session."""
    lobby_url: str | None = None
    exit_url: str | None = None
    visitor: str | None = None
    """Which guest opens it; None for a player whom the casino named."""


async def launch(hub: Hub, casino: Casino, wish: LaunchRequest) -> Launched:
    """Open the game; raises LaunchRefused."""
    game, provider = await _playable(hub, casino, wish)
    session = await _open(hub, casino, wish, provider=provider, game=game)
    frame_uri = await _frame_of(hub, provider, _order(casino, provider, game, session=session, wish=wish))
    await hub.store.sessions.set_frame(session.session_id, frame_uri)
    if hub.process_settings.process and not session.demo:
        balance_task(hub, session)  # nothing of this player is under way: the answer is a base for the first bet
    return Launched(session.session_id, frame_uri, session.player_id, session.expires_ms)


def _order(casino: Casino, provider: Provider, game: Game, *, session: Session, wish: LaunchRequest) -> LaunchOrder:
    return LaunchOrder(
        game_ref=game.game_ref,
        user_ref=provider.user_of(casino.casino_id, wish.player_ref),
        session_id=session.session_id,
        currency=wish.currency,
        language=wish.language,
        min_bet=format_amount(session.min_bet, wish.currency),
        max_bet=format_amount(session.max_bet, wish.currency),
        demo=wish.demo,
        mobile=wish.mobile,
        max_odd=_limit_text(max_odd(casino, provider, game)),
        max_win=_limit_text(max_win(casino, provider, game)),
    )


async def _frame_of(hub: Hub, provider: Provider, order: LaunchOrder) -> str:
    """Return the address at which the provider shows the game; raises LaunchRefused."""
    secret = (await hub.store.providers.secrets(provider.provider_id))[0]
    assert_no_tx()
    try:
        async with hub.bulkheads.place(f"provider {provider.provider_id}", SideCall.LAUNCH):
            return await hub.provider_gateways[provider.protocol].launch(provider, secret, order)
    except PeerError as error:
        msg = f"provider {provider.name} did not open the game: {error.why}"
        raise LaunchRefused(msg, Rule.PROVIDER_UNANSWERED) from error
    except BulkheadFull as error:
        msg = f"provider {provider.name} is slow, and too many launches wait for it: try again"
        raise LaunchRefused(msg, Rule.PROVIDER_UNANSWERED) from error


def _limit_text(limit: Threshold | None) -> str | None:
    """Return a limit for the launch call; None if it is not a number that we can spell. It only informs the provider."""
    return limit.text if limit is not None and is_amount(limit.text) else None


async def _playable(hub: Hub, casino: Casino, wish: LaunchRequest) -> tuple[Game, Provider]:
    """Return the game and its provider, if this casino may offer the game in this currency; raises LaunchRefused."""
    if not casino.takes_new:
        msg = f"casino {casino.name} is disabled or closed"
        raise LaunchRefused(msg, Rule.CASINO_CLOSED if casino.closed else Rule.CASINO_DISABLED)
    if wish.currency not in casino.currencies:
        msg = f"casino {casino.name} does not play in {wish.currency}: it has {', '.join(casino.currencies)}"
        raise LaunchRefused(msg, Rule.CURRENCY_NOT_PLAYED)
    game = await hub.store.games.get(wish.game_id)
    provider = await hub.store.providers.get(game.provider_id) if game else None
    if game is None or provider is None:
        msg = "there is no such game: `croupier provider sync` fetches the games of a provider"
        raise LaunchRefused(msg, Rule.GAME_UNKNOWN)
    if not (game.enabled and game.listed and provider.takes_new):
        msg = f"game {game.name} is switched off, or provider {provider.name} is"
        raise LaunchRefused(msg, _off(game, provider))
    return game, provider


def _off(game: Game, provider: Provider) -> Rule:
    if not game.enabled:
        return Rule.GAME_DISABLED
    if not game.listed:
        return Rule.GAME_NOT_LISTED
    return Rule.PROVIDER_CLOSED if provider.closed else Rule.PROVIDER_DISABLED


async def _open(hub: Hub, casino: Casino, wish: LaunchRequest, *, provider: Provider, game: Game) -> Session:
    """Register the player if new, and store the session; raises LaunchRefused."""
    player = await _registered(hub, casino, wish)
    session, options = _session(hub, casino, wish, player=player, provider=provider, game=game)
    await hub.store.sessions.open(session, options=options)
    opened = await hub.store.sessions.get(session.session_id)
    if opened is None or not opened.game_open:
        msg = f"game {game.name} is switched off for casino {casino.name}, or in this currency or country"
        raise LaunchRefused(msg, Rule.GAME_OFF_FOR_CASINO)
    return opened


async def _registered(hub: Hub, casino: Casino, wish: LaunchRequest) -> Player:
    try:
        exponent(wish.currency)
        player = await hub.store.players.register(
            casino.casino_id, wish.player_ref, wish.currency, country=wish.country
        )
    except CurrencyDiffers as error:
        raise LaunchRefused(str(error), Rule.PLAYER_CURRENCY) from error
    except UnknownCurrency as error:
        raise LaunchRefused(str(error), Rule.CURRENCY_NOT_PLAYED) from error
    if player.blocked and not wish.demo:
        msg = f"player {wish.player_ref} is blocked by the casino"
        raise LaunchRefused(msg, Rule.PLAYER_BLOCKED)
    if player.excluded(hub.clock.now_ms()):
        msg = f"casino {casino.name} excluded player {wish.player_ref}"
        raise LaunchRefused(msg, Rule.PLAYER_EXCLUDED)
    return player


def _session(
    hub: Hub, casino: Casino, wish: LaunchRequest, *, player: Player, provider: Provider, game: Game
) -> tuple[Session, SessionOptions]:
    process_settings, now = hub.process_settings, hub.clock.now_ms()
    defaults = process_settings.min_bet, process_settings.max_bet
    low, high = bet_limits(casino, provider, game, currency=wish.currency, defaults=defaults)
    limits = narrower(wish.limits, player.limits)
    life_s = (
        process_settings.session_s if limits.session_s is None else min(process_settings.session_s, limits.session_s)
    )
    session = Session(
        session_id=hub.chance.hex(SESSION_BYTES),
        provider_id=provider.provider_id,
        casino_id=casino.casino_id,
        player_id=player.player_id,
        player_ref=wish.player_ref,
        game_id=game.game_id,
        currency=wish.currency,
        demo=wish.demo,
        min_bet=low,
        max_bet=high if limits.max_bet is None else min(high, limits.max_bet),
        opened_ms=now,
        expires_ms=now + round(life_s * 1000),
        tag_id=wish.tag_id,
    )
    options = SessionOptions(
        wish.limits, wish.language, wish.country, wish.mobile, wish.lobby_url, wish.exit_url, wish.visitor
    )
    return session, options
