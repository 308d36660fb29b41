"""Log lines of one kind are bounded: what anybody can cause is counted and not written without end."""

from __future__ import annotations

import asyncio
import logging

import pytest
import structlog

from croupier.kit import log
from croupier.kit.log_limit import KINDS, LINES, REST, WINDOW_S, Limit


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(autouse=True)
def _set_back() -> object:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_so_many_lines_of_a_kind_pass_in_a_window_and_the_rest_are_counted() -> None:
    clock = Clock()
    limit = Limit(clock)
    assert [limit.passes("a", "a") for _ in range(LINES + 5)] == [True] * LINES + [False] * 5
    assert limit.passes("b", "b"), "another kind has lines of its own"
    assert limit.over() == []
    clock.now_s = WINDOW_S
    assert limit.over() == [("a", 5)]
    assert limit.passes("a", "a")
    assert limit.take_totals() == {"a": 5}
    assert limit.take_totals() == {}


def test_what_was_held_back_is_told_even_if_more_comes_first() -> None:
    clock = Clock()
    limit = Limit(clock)
    for _ in range(LINES + 1):
        limit.passes("a", "a")
    clock.now_s = WINDOW_S + 1
    limit.passes("a", "a")
    assert limit.over() == [("a", 2)]


def test_kinds_without_end_are_one_kind() -> None:
    clock = Clock()
    limit = Limit(clock)
    passed = sum(limit.passes(f"k{n}", "k") for n in range(2 * KINDS))
    assert passed == KINDS + LINES
    clock.now_s = WINDOW_S
    assert limit.over() == [(REST, KINDS - LINES)]


async def test_lines_are_held_back_and_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", as_json=True)
    log.suppressed_lines()
    clock = Clock()
    log._lines.limit = Limit(clock)
    for number in range(200):
        log.get("provider").info("provider.unauthorized", why=str(number))
    for provider in (1, 2):
        log.get("provider").info("provider.slow", provider=provider)
    assert capsys.readouterr().err.count("\n") == LINES + 2
    clock.now_s = WINDOW_S
    log._lines._later()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert '"event": "log.held_back"' in said
    assert f'"more": {200 - LINES}' in said
    assert log.suppressed_lines() == {"provider.unauthorized": 200 - LINES}
    await asyncio.sleep(0)


def test_libraries_are_bounded_whatever_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    """Its server has a line for each request that is no HTTP."""
    log.configure("info", as_json=True)
    for number in range(200):
        logging.getLogger("uvicorn.error").warning(f"Invalid HTTP request received. {number}")  # noqa: G004
    assert capsys.readouterr().err.count("\n") == LINES


def test_a_line_is_no_longer_than_it_need_be(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", as_json=True)
    log.get("casino").info("casino.unreadable", problem="x" * 1_000_000)
    assert len(capsys.readouterr().err) < 2 * log.LONGEST_TEXT
