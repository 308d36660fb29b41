"""The open loop's schedule and percentiles: what is late counts from the moment at which it was due."""

from __future__ import annotations

import pytest

from croupier.benchmark.schedule import Schedule, percentile, waits_ms


def test_what_is_due_is_taken_once_and_at_equal_distances() -> None:
    schedule = Schedule(100, 10.0)
    assert schedule.take_due(9.9) == []
    assert schedule.take_due(10.0) == [10.0]
    assert schedule.take_due(10.0) == []
    assert schedule.take_due(10.025) == pytest.approx([10.01, 10.02])
    assert schedule.next_in_s(10.025) == pytest.approx(0.005)


def test_a_stall_hides_no_request_and_shortens_no_wait() -> None:
    """A hub that answers nothing for a second, then all at once: a closed loop would see one slow request, here are a hundred."""
    schedule = Schedule(100, 0.0)
    assert schedule.take_due(0.0) == [0.0]
    late = schedule.take_due(0.995)
    waits_s = [1.0 - due_s for due_s in (0.0, *late)]
    assert len(waits_s) == 100
    assert waits_ms(waits_s)["p50_ms"] == pytest.approx(500, abs=11)
    assert waits_ms(waits_s)["max_ms"] == 1000
    assert schedule.next_in_s(2.0) == 0.0


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.99, 0.0),
        ([7.0], 0.5, 7.0),
        ([1.0, 2.0], 0.5, 1.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([float(n) for n in range(1, 101)], 0.999, 100.0),
        ([float(n) for n in range(1, 1001)], 0.999, 999.0),
        ([1.0, 2.0, 3.0], 1.0, 3.0),
    ],
)
def test_a_percentile_is_a_value_that_was_seen(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected
