"""The session: one launched game of one player, and the checks before a new bet.

Owns: the record, and the checks of a new bet (expiry of the session, switches, limits). The current switches and limits
apply, whatever the game was launched with. Never: checks a known betId, or refuses a payout or refund for a limit.
Spec: provider.md 3.3 and 4.2, money.md 3.0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Protocol

from croupier.core.counterparty import Casino, Provider
from croupier.core.money import GRAMMAR_TEXT, MAX_MINOR, BadAmount, exponent, format_amount, is_amount
from croupier.core.protection import NO_LIMITS, PlayLimits
from croupier.core.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Game:
    """One game of a provider's catalogue."""

    game_id: int
    provider_id: int
    game_ref: str
    """The provider's gameId."""
    name: str
    category: str
    enabled: bool = True
    listed: bool = True
    """False once the provider does not list it any more."""
    jackpot_wins: bool = False
    """True if a pay-out without a pay-in is a jackpot win of this game."""
    min_bet: str | None = None
    max_bet: str | None = None
    max_odd: str | None = None
    """As listed by its provider."""
    image_url: str | None = None
    open_s: int | None = None
    """Seconds that a bet may be open before it is listed for review; None for the operator's setting."""
    large_win: str | None = None
    max_win: str | None = None
    own_max_odd: str | None = None
    """The operator's own `max_odd` of the game, beside the listed one."""
    features: tuple[str, ...] = ()
    kind: str | None = None
    """The operator's own word for what the game is; None: by its category."""
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Language to `name` and `description`."""


class Limited(Protocol):
    """A record with bet limits: decimal text, major units."""

    @property
    def min_bet(self) -> str | None:
        """The smallest stake above 0."""
        ...

    @property
    def max_bet(self) -> str | None:
        """The largest stake."""
        ...


@dataclass(frozen=True, slots=True)
class BetLimits:
    """Bet limits without a record."""

    min_bet: str | None = None
    max_bet: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One launched game. `min_bet` and `max_bet` are minor units of the currency, as sent to the provider at launch."""

    session_id: str
    provider_id: int
    casino_id: int
    player_id: int
    player_ref: str
    game_id: int
    currency: str
    demo: bool
    min_bet: int
    max_bet: int
    opened_ms: int
    expires_ms: int
    tag_id: int | None = None
    blocked: bool = False
    """The casino excluded the player: no new bets."""
    game_open: bool = True
    """True if the game is enabled, listed, and switched on for this casino."""
    jackpot_wins: bool = False
    game_limits: BetLimits = BetLimits()
    """The game's current limits."""
    excluded_until_ms: int | None = None
    """The casino excluded the player until then: no new bets."""
    limits: PlayLimits = NO_LIMITS
    """The casino's own limits on this play, of the launch and of the player."""

    def over(self, now_ms: int) -> bool:
        """Return whether the session takes no more bets: it expired, was ended, or reached the casino's limit of time."""
        longest_s = self.limits.session_s
        return now_ms >= self.expires_ms or (longest_s is not None and now_ms >= self.opened_ms + longest_s * 1000)

    def excluded(self, now_ms: int) -> bool:
        """Return whether the casino's exclusion of the player holds at this instant."""
        return self.excluded_until_ms is not None and now_ms < self.excluded_until_ms


@dataclass(frozen=True, slots=True)
class BetRefusal:
    """The refusal of a new bet, with the field at fault if there is one."""

    refusal: Refusal
    field: str | None = None
    why: str | None = None
    """The switch or limit, for the hub's log."""


def judge_new_bet(
    session: Session, casino: Casino, provider: Provider, *, stake: int, now_ms: int, defaults: tuple[str, str]
) -> BetRefusal | None:
    """Return the refusal of a new bet of `stake` minor units, or None. A stake of 0 (free round) has no minimum.

    The current limits and switches apply, whatever was set at the launch; `defaults` apply if no limit is set.
    """
    if session.over(now_ms):
        return BetRefusal(Refusal.SESSION_UNKNOWN)
    if not (casino.takes_new and provider.takes_new and session.game_open and session.currency in casino.currencies):
        return BetRefusal(Refusal.LIMIT, why="the casino, the provider, the game or the currency is switched off")
    if session.blocked or session.excluded(now_ms):
        return BetRefusal(Refusal.PLAYER_BLOCKED)
    low, high = bet_limits(casino, provider, session.game_limits, currency=session.currency, defaults=defaults)
    high = high if session.limits.max_bet is None else min(high, session.limits.max_bet)
    if stake > high or 0 < stake < low:
        low_text, high_text = (format_amount(limit, session.currency) for limit in (low, high))
        return BetRefusal(Refusal.LIMIT, why=f"the stake is not within {low_text} to {high_text} {session.currency}")
    return None


def bet_limits(
    casino: Limited, provider: Limited, game: Limited, *, currency: str, defaults: tuple[str, str]
) -> tuple[int, int]:
    """Return the narrowest limits of provider, game and casino in minor units; the defaults if none is set.

    A limit finer than the currency is rounded to the next minor unit inside it. Raises BadAmount for other text.
    """
    lows, highs = (casino.min_bet, provider.min_bet, game.min_bet), (casino.max_bet, provider.max_bet, game.max_bet)
    return _narrowest(lows, highs, currency, defaults=defaults)


@lru_cache(maxsize=4096)
def _narrowest(
    lows: tuple[str | None, ...], highs: tuple[str | None, ...], currency: str, *, defaults: tuple[str, str]
) -> tuple[int, int]:
    """Return the narrowest limits. Limits are few, and every new bet is judged by them, so each combination is computed once."""
    low = max(math.ceil(_exact(x, currency)) for x in _set(lows) or [defaults[0]])
    high = min(math.floor(_exact(x, currency)) for x in _set(highs) or [defaults[1]])
    return min(low, MAX_MINOR), min(high, MAX_MINOR)


def _set(limits: tuple[str | None, ...]) -> list[str]:
    return [limit for limit in limits if limit is not None]


def _exact(text: str, currency: str) -> Fraction:
    """Return a limit in minor units, exactly."""
    if not is_amount(text):
        raise BadAmount(GRAMMAR_TEXT)
    return Fraction(text) * int("1" + "0" * exponent(currency))
