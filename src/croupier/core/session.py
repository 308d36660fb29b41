"""A session: one launched game of one player, and what is judged before a new bet is opened.

Owns: the record and the judgement of new bets (life of the session, switches, limits). What judges is what is set now:
the session keeps what its game was launched with, and no more. Never: judges a known betId; a payout or a refund is
never refused for a limit. Spec: provider.md 3.3 and 4.2, money.md 3.0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from croupier.core.counterparty import Casino, Provider
from croupier.core.money import GRAMMAR_TEXT, MAX_MINOR, BadAmount, exponent, format_amount, is_amount
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
    """False when the provider does not list it any more."""
    jackpot_wins: bool = False
    """A pay-out without a pay-in is a jackpot win of this game."""
    min_bet: str | None = None
    max_bet: str | None = None
    max_odd: str | None = None
    """As its provider lists it."""
    image_url: str | None = None
    open_s: int | None = None
    """How long a bet may be open before it is looked into; None where the operator's setting holds. Seconds."""
    large_win: str | None = None
    max_win: str | None = None
    own_max_odd: str | None = None
    """The operator's own `max_odd` of the game, beside the listed one."""


class Limited(Protocol):
    """Whatever may say between what stakes it is played: decimal text, major units."""

    @property
    def min_bet(self) -> str | None:
        """The smallest stake above 0."""
        ...

    @property
    def max_bet(self) -> str | None:
        """The largest stake."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Bet limits alone."""

    min_bet: str | None = None
    max_bet: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One launched game. `min_bet` and `max_bet` are minor units of the currency, as the provider was told at launch."""

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
    """The game is enabled, listed, and switched on for this casino."""
    jackpot_wins: bool = False
    game_limits: Limits = Limits()
    """What its game says now."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a new bet is refused, with the field that is to blame where there is one."""

    refusal: Refusal
    field: str | None = None
    why: str | None = None
    """Which switch or limit it was, for our log."""


def judge_new_bet(
    session: Session, casino: Casino, provider: Provider, stake: int, *, now_ms: int, defaults: tuple[str, str]
) -> Verdict | None:
    """None if a new bet of `stake` minor units may be opened. A stake of 0 (free round) knows no minimum.

    Limits and switches are those of now (`defaults` where nobody sets a limit), whatever held at the launch.
    """
    if now_ms >= session.expires_ms:
        return Verdict(Refusal.SESSION_UNKNOWN)
    if not (casino.takes_new and provider.takes_new and session.game_open and session.currency in casino.currencies):
        return Verdict(Refusal.LIMIT, why="the casino, the provider, the game or the currency is switched off")
    if session.blocked:
        return Verdict(Refusal.PLAYER_BLOCKED)
    low, high = bet_limits(casino, provider, session.game_limits, session.currency, defaults)
    if stake > high or 0 < stake < low:
        low_text, high_text = (format_amount(limit, session.currency) for limit in (low, high))
        return Verdict(Refusal.LIMIT, why=f"the stake is not within {low_text} to {high_text} {session.currency}")
    return None


def bet_limits(
    casino: Limited, provider: Limited, game: Limited, currency: str, defaults: tuple[str, str]
) -> tuple[int, int]:
    """The narrowest of the limits set at provider, game and casino, in minor units; the defaults where none is.

    A limit finer than the currency goes to the next minor unit inside it. Raises BadAmount for what is no amount.
    """
    lows = [x.min_bet for x in (casino, provider, game) if x.min_bet is not None]
    highs = [x.max_bet for x in (casino, provider, game) if x.max_bet is not None]
    low = max(math.ceil(_exact(x, currency)) for x in lows or [defaults[0]])
    high = min(math.floor(_exact(x, currency)) for x in highs or [defaults[1]])
    return min(low, MAX_MINOR), min(high, MAX_MINOR)


def _exact(text: str, currency: str) -> Fraction:
    """A limit in minor units, however fine or large."""
    if not is_amount(text):
        raise BadAmount(GRAMMAR_TEXT)
    return Fraction(text) * int("1" + "0" * exponent(currency))
