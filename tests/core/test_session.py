"""What is judged before a new bet, and the limits it is judged by (provider.md 3.3 and 4.2, money.md 3.0)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from croupier.core.money import MAX_MINOR, BadAmount
from croupier.core.refusals import Refusal
from croupier.core.session import BetLimits, Game, Session, bet_limits, judge_new_bet
from tests.core.samples import CASINO, PROVIDER, T0

HOUR_MS = 3_600_000
SESSION = Session(
    session_id="s-1", provider_id=22, casino_id=11, player_id=33, player_ref="ann", game_id=44, currency="EUR",
    demo=False, min_bet=100, max_bet=5000, opened_ms=T0, expires_ms=T0 + 24 * HOUR_MS,
)  # fmt: skip
GAME = Game(game_id=44, provider_id=22, game_ref="g-1", name="Fable", category="slots")
DEFAULTS = ("0.01", "10000")


def judged(stake: int = 1000, *, at_ms: int = T0, casino: bool = True, provider: bool = True, **session: Any) -> Any:
    verdict = judge_new_bet(
        replace(SESSION, **session),
        replace(CASINO, enabled=casino),
        replace(PROVIDER, enabled=provider),
        stake=stake,
        now_ms=at_ms,
        defaults=("1", "50.00"),
    )
    return verdict and verdict.refusal


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({}, None),
        ({"at_ms": T0 + 24 * HOUR_MS - 1}, None),
        ({"at_ms": T0 + 24 * HOUR_MS}, Refusal.SESSION_UNKNOWN),
        ({"casino": False}, Refusal.LIMIT),
        ({"provider": False}, Refusal.LIMIT),
        ({"game_open": False}, Refusal.LIMIT),
        ({"blocked": True}, Refusal.PLAYER_BLOCKED),
        ({"blocked": True, "game_open": False}, Refusal.LIMIT),
        ({"at_ms": T0 + 24 * HOUR_MS, "blocked": True}, Refusal.SESSION_UNKNOWN),
    ],
)
def test_a_new_bet_is_refused_for_what_is_wrong_first(change: dict[str, Any], refusal: Refusal | None) -> None:
    assert judged(**change) is refusal


@pytest.mark.parametrize(
    ("stake", "refusal"),
    [(100, None), (5000, None), (99, Refusal.LIMIT), (5001, Refusal.LIMIT), (1, Refusal.LIMIT), (0, None)],
)
def test_a_stake_lies_within_the_limits_and_a_free_round_knows_no_minimum(stake: int, refusal: Refusal | None) -> None:
    assert judged(stake) is refusal


@pytest.mark.parametrize(
    ("now", "stake", "refusal"),
    [
        (BetLimits(), 5000, None),
        (BetLimits(max_bet="49.99"), 5000, Refusal.LIMIT),
        (BetLimits(max_bet="80"), 8000, None),
        (BetLimits(max_bet="80"), 8001, Refusal.LIMIT),
        (BetLimits(min_bet="0.50"), 50, None),
        (BetLimits(min_bet="2"), 199, Refusal.LIMIT),
    ],
)
def test_the_limits_of_now_judge_and_not_those_of_the_launch(
    now: BetLimits, stake: int, refusal: Refusal | None
) -> None:
    """A session lives a day: a limit that is narrowed holds in it, and one that is widened too."""
    assert judged(stake, game_limits=now) is refusal
    assert judged(stake, game_limits=now, min_bet=1, max_bet=1) is refusal


def test_a_currency_that_the_casino_plays_no_more_takes_no_new_bets() -> None:
    assert judged(currency="USD") is Refusal.LIMIT


@pytest.mark.parametrize(
    ("casino", "provider", "game", "currency", "limits"),
    [
        ((None, None), (None, None), (None, None), "EUR", (1, 1_000_000)),
        ((None, None), (None, None), (None, None), "JPY", (1, 10_000)),
        (("0.50", None), ("0.20", "100"), (None, "50"), "EUR", (50, 5000)),
        (("0.50", "10"), ("2", "100"), ("1", "50"), "EUR", (200, 1000)),
        ((None, "20000"), (None, None), (None, None), "EUR", (1, 2_000_000)),
        (("1.239", "1.239"), (None, None), (None, None), "EUR", (124, 123)),
        (("0.5", "2.5"), (None, None), (None, None), "JPY", (1, 2)),
        (("0.0015", "0.0015"), (None, None), (None, None), "KWD", (2, 1)),
        (("999999999999999", "999999999999999"), (None, None), (None, None), "BTC", (MAX_MINOR, MAX_MINOR)),
    ],
)
def test_the_narrowest_limit_holds_and_none_is_ever_wider_than_set(
    casino: tuple[Any, Any], provider: tuple[Any, Any], game: tuple[Any, Any], currency: str, limits: tuple[int, int]
) -> None:
    """A limit finer than the currency goes to the next minor unit inside it, never outside."""
    found = bet_limits(
        replace(CASINO, min_bet=casino[0], max_bet=casino[1]),
        replace(PROVIDER, min_bet=provider[0], max_bet=provider[1]),
        replace(GAME, min_bet=game[0], max_bet=game[1]),
        currency=currency,
        defaults=DEFAULTS,
    )
    assert found == limits


@pytest.mark.parametrize("text", ["-1", "ten", "", "1e3", "1,5"])
def test_a_limit_that_is_no_amount_is_no_limit(text: str) -> None:
    """It is refused where it is set; here it must not pass as some number."""
    with pytest.raises(BadAmount):
        bet_limits(replace(CASINO, min_bet=text), PROVIDER, GAME, currency="EUR", defaults=DEFAULTS)
