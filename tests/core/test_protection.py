"""Of two limits the narrower holds, and a bet passes while the session's sums stay within them."""

from __future__ import annotations

import pytest

from croupier.core.protection import NO_LIMITS, PlayLimits, narrower, passes


def test_each_limit_is_the_smaller_one() -> None:
    one, other = (
        PlayLimits(max_bet=100, max_stakes=500, session_s=60),
        PlayLimits(max_bet=200, max_loss=300, session_s=30),
    )
    told = PlayLimits(max_bet=100, max_stakes=500, max_loss=300, session_s=30)
    assert narrower(one, other) == narrower(other, one) == told
    assert narrower(one, NO_LIMITS) == one


@pytest.mark.parametrize(
    ("limits", "sums", "holds"),
    [
        (NO_LIMITS, (10_000, 0, 10_000), True),
        (PlayLimits(max_stakes=500), (400, 0, 100), True),
        (PlayLimits(max_stakes=500), (400, 0, 101), False),
        (PlayLimits(max_stakes=500), (400, 400, 101), False),
        (PlayLimits(max_loss=500), (400, 0, 100), True),
        (PlayLimits(max_loss=500), (400, 0, 101), False),
        (PlayLimits(max_loss=500), (400, 50, 150), True),
        (PlayLimits(max_loss=500), (400, 50, 151), False),
        (PlayLimits(max_loss=500), (900, 0, 0), True),
        (PlayLimits(max_stakes=500, max_loss=50), (0, 0, 51), False),
    ],
)
def test_a_bet_passes_while_the_sums_allow_it(limits: PlayLimits, sums: tuple[int, int, int], holds: bool) -> None:
    staked, won, stake = sums
    assert passes(limits, staked=staked, won=won, stake=stake) is holds
