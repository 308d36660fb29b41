"""A session: one launched game of one player, and what is judged before a new bet is opened.

Owns: the record and the judgement of new bets (life of the session, switches, limits). Never: judges a known
betId; a payout or a refund is never refused for a limit. Spec: provider.md section 3 and 4, money.md 3.0.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.core.counterparty import Casino, Provider
from croupier.core.money import BadAmount, exponent, parse_amount
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
    image_url: str | None = None
    open_s: int | None = None
    """How long a bet may be open before it is looked into; None where the operator's setting holds. Seconds."""


@dataclass(frozen=True, slots=True)
class Session:
    """One launched game. Bet limits are minor units of the currency."""

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


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a new bet is refused, with the field that is to blame where there is one."""

    refusal: Refusal
    field: str | None = None


def judge_new_bet(session: Session, casino: Casino, provider: Provider, stake: int, now_ms: int) -> Verdict | None:
    """None if a new bet of `stake` minor units may be opened. A stake of 0 (free round) knows no minimum."""
    if now_ms >= session.expires_ms:
        return Verdict(Refusal.SESSION_UNKNOWN)
    if not (casino.takes_new and provider.takes_new and session.game_open):
        return Verdict(Refusal.LIMIT)
    if session.blocked:
        return Verdict(Refusal.PLAYER_BLOCKED)
    if stake > session.max_bet or 0 < stake < session.min_bet:
        return Verdict(Refusal.LIMIT)
    return None


def bet_limits(
    casino: Casino, provider: Provider, game: Game, currency: str, defaults: tuple[str, str]
) -> tuple[int, int]:
    """The narrowest of the limits set at provider, game and casino, in minor units; the defaults where none is."""
    lows = [x for x in (casino.min_bet, provider.min_bet, game.min_bet) if x is not None]
    highs = [x for x in (casino.max_bet, provider.max_bet, game.max_bet) if x is not None]
    low = max(_minor(x, currency, up=True) for x in lows or [defaults[0]])
    high = min(_minor(x, currency, up=False) for x in highs or [defaults[1]])
    return low, high


def _minor(text: str, currency: str, *, up: bool) -> int:
    """A limit in minor units; one finer than the currency is taken to the next whole unit on the safe side."""
    try:
        return parse_amount(text, currency)
    except BadAmount:
        whole, _, fraction = text.partition(".")
        minor = parse_amount(f"{whole}.{fraction[: exponent(currency)]}".rstrip("."), currency)
        return minor + 1 if up else minor
