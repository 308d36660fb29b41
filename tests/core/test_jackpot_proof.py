"""The proof of a round: what was published is enough, and nothing of it can be changed unseen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from croupier.core.jackpot import Pot, commitment, hit_amount
from croupier.core.jackpot_proof import RoundProof, hit_amount_of, problems_of

SECRET = bytes(range(32))
_POT = Pot(7, "Harvest", "EUR", 100, 1_000, 5_000, round_seed=1_000, round_ceiling=5_000)
HIT = hit_amount(_POT, SECRET)
FAIR = RoundProof(
    pot_id=7, number=1, currency="EUR", seed=1_000, ceiling=5_000, commitment=commitment(_POT, SECRET),
    secret=SECRET.hex(), shares=((11, HIT - 1_010), (12, 30), (12, -30), (13, 9), (14, 40)), won_by=14, amount=HIT + 39,
)  # fmt: skip


def test_a_fair_round_holds() -> None:
    assert hit_amount_of(FAIR) == HIT == 3_909
    shares = ((11, HIT - 1_010), (13, 9), (14, 40))
    assert problems_of(replace(FAIR, shares=shares)) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"secret": "00" * 32}, "does not fit the commitment"),
        ({"secret": "x"}, "64 digits"),
        ({"commitment": "00" * 32}, "does not fit the commitment"),
        ({"ceiling": 6_000}, "does not fit the commitment"),
        ({"seed": 5_000}, "ceiling is not above"),
        ({"number": 2}, "does not fit the commitment"),
        ({"currency": "USD"}, "does not fit the commitment"),
        ({"won_by": 13}, "bet 14 reached the hit amount, and bet 13 was paid"),
        ({"amount": HIT}, "was paid"),
        ({"shares": ((11, 5), (14, 5))}, "do not reach"),
        ({"shares": ((11, HIT - 1_000), (14, 40))}, "bet 11 reached the hit amount"),
    ],
)
def test_whatever_is_changed_is_seen(changes: dict[str, Any], says: str) -> None:
    plain = replace(FAIR, shares=((11, HIT - 1_010), (13, 9), (14, 40)))
    assert says in " ".join(problems_of(replace(plain, **changes)))


def test_a_round_that_was_passed_earlier_does_not_hold() -> None:
    """A share in the middle had reached the amount, although it went back later."""
    assert problems_of(FAIR) == ["bet 12 reached the hit amount, and bet 14 was paid"]
