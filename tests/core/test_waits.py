"""The schedule of money.md 2.8: what it adds up to, for any luck and any number of failures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.core.waits import MS, Waits

WAITS = Waits()
T0 = 1_760_000_000_000
DAY_S = 86400.0
ages = st.floats(min_value=0, max_value=60 * DAY_S)
lucks = st.floats(min_value=0, max_value=1, exclude_max=True)
counts = st.integers(min_value=0, max_value=10_000)


def wait_s(failures: int, *, age_s: float = 0.0, luck: float = 0.999999) -> float | None:
    """How long the schedule waits, in seconds; None when it is used up."""
    now = T0 + round(age_s * MS)
    at = WAITS.retry_ms(created_ms=T0, now_ms=now, failures=failures, luck=luck)
    return None if at is None else (at - now) / MS


@pytest.mark.parametrize(
    ("failures", "age_s", "longest_s"),
    [
        (0, 0, 0.25),
        (1, 0, 0.25),
        (2, 1, 0.5),
        (3, 2, 1),
        (4, 4, 2),
        (5, 8, 4),
        (6, 16, 8),
        (7, 30, 15),
        (8, 60, 30),
        (9, 120, 60),
        (10, 200, 300),
        (250, DAY_S - 1, 300),
        (251, DAY_S, 3600),
        (900, 29 * DAY_S, 3600),
    ],
)
def test_the_ladder_is_the_one_of_the_contract(failures: int, age_s: float, longest_s: float) -> None:
    """With the worst luck the whole rung is waited; later rungs are shortened by up to a tenth instead."""
    unlucky, lucky = wait_s(failures, age_s=age_s, luck=0.999999), wait_s(failures, age_s=age_s, luck=0.0)
    if failures <= len(WAITS.ladder_s):
        assert (lucky, unlucky) == (0, pytest.approx(longest_s, abs=0.001))
    else:
        assert lucky == longest_s
        assert unlucky == pytest.approx(longest_s * 0.9, abs=0.01)


@given(counts, ages, lucks)
def test_the_next_try_is_never_in_the_past_and_never_more_than_an_hour_away(n: int, age_s: float, luck: float) -> None:
    waited = wait_s(n, age_s=age_s, luck=luck)
    assert waited is None or 0 <= waited <= 3600


@given(counts, counts, ages, lucks)
def test_more_failures_never_wait_less(a: int, b: int, age_s: float, luck: float) -> None:
    """Monotone on the ladder for one luck, and past the ladder at least nine tenths of five minutes."""
    fewer, more = sorted((a, b))
    first, second = wait_s(fewer, age_s=age_s, luck=luck), wait_s(more, age_s=age_s, luck=luck)
    if first is None or second is None:
        assert first is second is None
    elif (fewer <= len(WAITS.ladder_s)) == (more <= len(WAITS.ladder_s)):
        assert first <= second
    else:
        assert second >= 0.9 * WAITS.then_every_s > first


@given(counts, lucks, st.integers(min_value=0, max_value=90 * 86400 * MS))
def test_it_parks_after_thirty_days_and_not_before(failures: int, luck: float, age_ms: int) -> None:
    at = WAITS.retry_ms(created_ms=T0, now_ms=T0 + age_ms, failures=failures, luck=luck)
    assert (at is None) == (age_ms >= 30 * 86400 * MS)


@given(lucks)
def test_a_casino_that_is_down_for_a_month_gets_a_bounded_number_of_calls(luck: float) -> None:
    """I17: 9 quick tries, a day of one in about five minutes, then about one an hour."""
    now, tries = T0, 0
    while (at := WAITS.retry_ms(created_ms=T0, now_ms=now, failures=tries + 1, luck=luck)) is not None:
        assert at >= now
        now, tries = at + 1, tries + 1
    assert tries <= 9 + 288 / 0.9 + 29 * 24 / 0.9 + 2


@pytest.mark.parametrize(
    ("now_s", "late", "next_s"),
    [
        (0, False, 30),
        (29.999, False, 30),
        (30, False, 45),
        (45, False, 60),
        (60, False, None),
        (0, True, 120),
        (60, True, 120),
        (120, True, 600),
        (600, True, 3600),
        (3600, True, 86400),
        (86400, True, None),
    ],
)
def test_a_stake_is_asked_after_at_the_instants_of_the_contract(now_s: float, late: bool, next_s: float | None) -> None:
    found = WAITS.next_info_ms(T0, T0 + round(now_s * MS), late=late)
    assert found == (None if next_s is None else T0 + round(next_s * MS))


@given(st.integers(min_value=-10_000, max_value=10**9), st.booleans())
def test_the_next_question_lies_ahead(now_ms: int, late: bool) -> None:
    at = WAITS.next_info_ms(T0, T0 + now_ms, late=late)
    assert at is None or at > T0 + now_ms


@pytest.mark.parametrize(
    ("now_s", "hold_s", "proves"),
    [(26, 6, False), (26.001, 6, True), (30, 6, True), (30, 10, False), (30.001, 10, True), (60, 50, False)],
)
def test_not_there_proves_nothing_while_a_make_may_be_under_way(now_s: float, hold_s: float, proves: bool) -> None:
    """Commit + hold time + 10 s (the envelope's life) + skew must be past."""
    assert WAITS.not_there_proves(T0, T0 + round(now_s * MS), hold_s) is proves


@pytest.mark.parametrize(("now_s", "reached"), [(45, False), (59.999, False), (60, True), (3600, True)])
def test_the_last_regular_question_is_at_a_minute(now_s: float, reached: bool) -> None:
    assert WAITS.last_info_reached(T0, T0 + round(now_s * MS)) is reached


def test_a_lease_outlives_the_longest_call() -> None:
    """Else a second process would make the call that the first one still makes."""
    assert WAITS.lease_s > 10.0


@pytest.mark.parametrize(("seconds", "ms"), [(0, 0), (0.25, 250), (0.0004, 0), (1.5, 1500), (-1, -1000)])
def test_seconds_become_whole_milliseconds(seconds: float, ms: int) -> None:
    after = WAITS.after_ms(T0, seconds)
    assert after == T0 + ms
    assert isinstance(after, int)
