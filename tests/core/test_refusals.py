"""Two closed lists and the one table between them (provider.md 2.2)."""

from __future__ import annotations

import pytest

from croupier.core.refusals import CASINO_NO_TO_REFUSAL, CasinoNo, Refusal


@pytest.mark.parametrize(
    ("no", "refusal"),
    [
        (CasinoNo.NOT_ENOUGH_FUNDS, Refusal.NOT_ENOUGH_FUNDS),
        (CasinoNo.USER_BLOCKED, Refusal.PLAYER_BLOCKED),
        (CasinoNo.USER_UNKNOWN, Refusal.PLAYER_BLOCKED),
        (CasinoNo.WRONG_AMOUNT, Refusal.WRONG_DATA),
        (CasinoNo.WRONG_DATA, Refusal.WRONG_DATA),
        (CasinoNo.NOT_ADDED, Refusal.CASINO_REFUSED),
        (CasinoNo.BET_UNKNOWN, Refusal.CASINO_REFUSED),
        (CasinoNo.OTHER, Refusal.CASINO_REFUSED),
    ],
)
def test_a_casinos_no_becomes_the_providers_refusal(no: CasinoNo, refusal: Refusal) -> None:
    assert CASINO_NO_TO_REFUSAL[no] is refusal


def test_no_way_of_saying_no_is_forgotten() -> None:
    assert set(CASINO_NO_TO_REFUSAL) == set(CasinoNo)


def test_a_casinos_no_is_final_for_the_provider() -> None:
    """99 would make it repeat; a definite no must never be told as "not known"."""
    open_ends = {
        Refusal.OUTCOME_UNKNOWN,
        Refusal.NOT_TAKEN,
        Refusal.RATE_LIMITED,
        Refusal.CONFLICT,
        Refusal.BET_UNKNOWN,
    }
    assert not set(CASINO_NO_TO_REFUSAL.values()) & open_ends


@pytest.mark.parametrize("closed_list", [Refusal, CasinoNo])
def test_what_is_stored_is_the_lower_case_of_the_name(closed_list: type[Refusal | CasinoNo]) -> None:
    """So that a row reads like the code, and renaming a member is seen to change what is stored."""
    assert all(member.value == member.name.lower() for member in closed_list)
