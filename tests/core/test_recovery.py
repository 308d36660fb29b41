"""Signs of a restore, and where ids go on after one (money.md 4.6)."""

from __future__ import annotations

import pytest

from croupier.core.recovery import (
    AHEAD_S,
    BEATS_AHEAD,
    IDS_PER_S,
    LARGEST_ID,
    START_OF_2020_S,
    Life,
    Mark,
    evidence_of_restore,
    next_id,
)

LIFE = Life("i-1", "server/1", beat=10, beat_ms=1, last_id=500)
NOW_MS = 1_760_000_000_000
BY_THE_CLOCK = (NOW_MS // 1000 - START_OF_2020_S + AHEAD_S) * IDS_PER_S + 1


@pytest.mark.parametrize(
    ("here", "mark", "sign"),
    [
        ("server/1", None, None),
        ("server/1", Mark(10, 1, 500), None),
        ("server/1", Mark(9, 1, 400), None),
        ("server/1", Mark(11, 1, 500), "beat 11"),
        ("server/1", Mark(10, 1, 501), "501"),
        ("server/2", None, "server/2"),
        ("server/2", Mark(10, 1, 500), "server/2"),
    ],
)
def test_a_database_is_older_than_what_was_if_a_mark_is_ahead_or_it_was_made_elsewhere(
    here: str, mark: Mark | None, sign: str | None
) -> None:
    told = evidence_of_restore(LIFE, here, mark)
    assert (told is None) if sign is None else (told is not None and sign in told)


@pytest.mark.parametrize(
    ("last", "seen", "after"),
    [(500, 0, BY_THE_CLOCK), (BY_THE_CLOCK, 0, BY_THE_CLOCK + 1001), (500, BY_THE_CLOCK + 7, BY_THE_CLOCK + 1008)],
)
def test_ids_go_on_past_the_clock_and_past_everything_that_was_seen(last: int, seen: int, after: int) -> None:
    assert next_id(NOW_MS, last, seen) == after


def test_ids_begin_where_the_contract_says_an_hour_ahead() -> None:
    """Seconds since 2020 times a million, below 2^53 (money.md 4.6)."""
    assert next_id(1_577_836_800_000, 0, 0) == 3_600_000_001
    assert next_id(1_577_836_801_000, 0, 0) == 3_601_000_001
    assert LARGEST_ID == 9_007_199_254_740_991
    assert BEATS_AHEAD == 1_000_000_000


def test_ids_stay_below_what_json_can_carry() -> None:
    assert next_id(NOW_MS, LARGEST_ID - 1001, 0) == LARGEST_ID
    with pytest.raises(OverflowError):
        next_id(NOW_MS, LARGEST_ID - 1000, 0)


def test_an_installation_that_bets_as_fast_as_the_clock_allows_is_still_passed() -> None:
    """A database restored an hour later, whose hub made bets all the while, meets none of their ids."""
    installed_s = NOW_MS // 1000
    used = (installed_s - START_OF_2020_S) * IDS_PER_S + 3600 * IDS_PER_S
    assert next_id(NOW_MS + 3_600_000, 0, 0) > used
