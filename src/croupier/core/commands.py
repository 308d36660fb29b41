"""Commands: requests of providers, and orders of the hub to casinos, free of any protocol.

Owns: the command records. Never: wire spellings, signatures, time. Amounts are decimal text until the player's
currency is known, because a provider's request does not name it. Spec: provider.md 4, casino.md 2.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.core.readings import PaymentKind
from croupier.core.refusals import Refusal


@dataclass(frozen=True, slots=True)
class PayIn:
    """Take a stake (pay-in), or take it and settle at once (pay-in-out, when `win` is given)."""

    provider_id: int
    session_id: str
    bet_ref: str
    """The provider's betId: unique per provider."""
    round_ref: str
    stake: str
    """Decimal text, major units."""
    win: str | None = None
    win_odd: str | None = None
    arrived_s: float | None = None
    """Monotonic second at which the request arrived; None means now."""


@dataclass(frozen=True, slots=True)
class PayOut:
    """Settle a bet with a win; a win of 0 is a loss."""

    provider_id: int
    session_id: str
    bet_ref: str
    round_ref: str
    win: str
    win_odd: str | None = None
    arrived_s: float | None = None
    """Monotonic second at which the request arrived; None means now."""


@dataclass(frozen=True, slots=True)
class Refund:
    """Undo a bet."""

    provider_id: int
    session_id: str
    bet_ref: str
    arrived_s: float | None = None
    """Monotonic second at which the request arrived; None means now."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The hub's answer to a provider. `refusal` None is success; `balance` is minor units, None if unknown."""

    refusal: Refusal | None
    balance: int | None = None
    currency: str | None = None
    field: str | None = None
    """The field that is wrong, for WRONG_DATA."""
    why: str = "is not acceptable"
    """The problem, as the end of a sentence that begins with the field."""
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One payment that the hub orders from a casino. It never changes during the payment's life."""

    subject_id: int
    """BetId or CashbackId."""
    kind: PaymentKind
    player_ref: str
    amount: int
    """Minor units of `currency`, never negative: the kind gives the direction."""
    tax: int | None
    """Minor units, or None where the casino has no tax rate."""
    currency: str
    promo_code: str | None = None
    tag_id: int | None = None


@dataclass(frozen=True, slots=True)
class GameListing:
    """One game as a provider lists it."""

    game_ref: str
    name: str
    category: str
    max_odd: str | None = None
    image_url: str | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The readable part of a games list; `skipped` names the position and the problem of each element left out."""

    games: tuple[GameListing, ...]
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LaunchOrder:
    """The facts a provider needs to open a game. Bet limits are decimal text, major units."""

    game_ref: str
    user_ref: str
    """The player's name at this provider (`Provider.user_of`)."""
    session_id: str
    currency: str
    language: str
    min_bet: str
    max_bet: str
    demo: bool = False
    mobile: bool = False
    button_amounts: tuple[str, ...] = ()
    game_margin: str | None = None
    max_odd: str | None = None
    max_win: str | None = None
