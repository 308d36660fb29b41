"""Token buckets: what is allowed at once and in a second, for each key, within a bounded memory."""

from __future__ import annotations

import pytest

from croupier.kit import token_buckets
from croupier.kit.token_buckets import TokenBuckets


class Clock:
    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def test_a_burst_passes_and_then_the_rate() -> None:
    clock = Clock()
    buckets = TokenBuckets(clock, 2, 3)
    assert [buckets.wait_s("a") for _ in range(5)] == [0, 0, 0, 1, 1]
    assert buckets.wait_s("b") == 0
    clock.s += 1
    assert [buckets.wait_s("a") for _ in range(3)] == [0, 0, 1]


def test_a_key_with_a_rate_of_its_own_has_its_burst_in_proportion() -> None:
    clock = Clock()
    buckets = TokenBuckets(clock, 1, 3)
    assert [buckets.wait_s("a", 2) for _ in range(8)] == [0] * 6 + [1, 1]
    clock.s += 1
    assert [buckets.wait_s("a", 2) for _ in range(3)] == [0, 0, 1]


def test_a_slow_rate_says_how_long_to_wait() -> None:
    buckets = TokenBuckets(Clock(), 0.1, 1)
    assert [buckets.wait_s("a"), buckets.wait_s("a")] == [0, 10]


def test_a_look_takes_no_token() -> None:
    clock = Clock()
    buckets = TokenBuckets(clock, 1, 1)
    assert [buckets.empty_for_s("a") for _ in range(3)] == [0, 0, 0]
    buckets.wait_s("a")
    assert [buckets.empty_for_s("a"), buckets.empty_for_s("a")] == [1, 1]
    clock.s += 1
    assert buckets.empty_for_s("a") == 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_buckets, "MOST", 10)
    clock = Clock()
    buckets = TokenBuckets(clock, 1, 2)
    for number in range(100):
        buckets.wait_s(number)
        clock.s += 0.01
        assert len(buckets._left) <= 10
