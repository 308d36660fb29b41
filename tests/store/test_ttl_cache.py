"""store.recent: how old a kept value may be, and what makes it go."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from croupier.store.ttl_cache import KEPT_S, TtlCache
from tests.store.cast import HandClock


class Table:
    """Counts the questions, and can be made to answer late."""

    def __init__(self) -> None:
        self.rows = {"a": 1}
        self.asked: list[list[str]] = []
        self.answer = asyncio.Event()
        self.answer.set()

    async def read(self, keys: Sequence[str]) -> dict[str, int]:
        self.asked.append(list(keys))
        found = {key: self.rows[key] for key in keys if key in self.rows}
        await self.answer.wait()
        return found


async def test_a_value_is_kept_for_half_a_second_and_then_read_again() -> None:
    table, clock = Table(), HandClock()
    recent = TtlCache(table.read, clock)
    assert await recent.get("a") == 1
    table.rows["a"] = 2
    clock.ms += round(KEPT_S * 1000) - 1
    assert await recent.get("a") == 1
    clock.ms += 1
    assert await recent.get("a") == 2
    assert len(table.asked) == 2


async def test_the_age_counts_from_the_question_not_from_the_answer() -> None:
    table, clock = Table(), HandClock()
    recent = TtlCache(table.read, clock)
    table.answer.clear()
    asking = asyncio.create_task(recent.get("a"))
    while not table.asked:
        await asyncio.sleep(0)
    clock.ms += round(KEPT_S * 1000)
    table.answer.set()
    await asking
    table.rows["a"] = 2
    assert await recent.get("a") == 2


async def test_what_was_not_found_is_asked_for_every_time() -> None:
    table = Table()
    recent = TtlCache(table.read, HandClock())
    assert await recent.get("b") is None
    table.rows["b"] = 5
    assert await recent.get("b") == 5


async def test_what_vanished_is_kept_no_longer() -> None:
    table, clock = Table(), HandClock()
    recent = TtlCache(table.read, clock)
    assert await recent.get("a") == 1
    del table.rows["a"]
    clock.ms += 1000
    assert await recent.get("a") is None


async def test_an_answer_that_was_under_way_when_the_row_changed_is_not_kept() -> None:
    table = Table()
    recent = TtlCache(table.read, HandClock())
    table.answer.clear()
    asking = asyncio.create_task(recent.get("a"))
    while not table.asked:
        await asyncio.sleep(0)
    table.rows["a"] = 2
    recent.forget()
    table.answer.set()
    assert await asking == 1
    assert await recent.get("a") == 2


async def test_many_who_ask_at_once_make_one_question() -> None:
    table = Table()
    recent = TtlCache(table.read, HandClock())
    assert await asyncio.gather(*(recent.get("a") for _ in range(50))) == [1] * 50
    assert table.asked == [["a"]]


async def test_what_is_at_hand_is_what_get_would_return_without_a_question() -> None:
    """The short way of the payment path: the same value for as long, and nothing where `get` would ask."""
    table, clock = Table(), HandClock()
    recent = TtlCache(table.read, clock)
    for key, age_ms, forgotten, there in (
        ("a", 0, False, True),
        ("a", round(KEPT_S * 1000) - 1, False, True),
        ("a", round(KEPT_S * 1000), False, False),
        ("a", 0, True, False),
        ("b", 0, False, False),
    ):
        await recent.get(key)
        asked = len(table.asked)
        clock.ms += age_ms
        if forgotten:
            recent.forget()
        at_hand = recent.at_hand(key)
        assert (at_hand is not None) == there, (key, age_ms, forgotten)
        assert len(table.asked) == asked
        got = await recent.get(key)
        assert len(table.asked) == (asked if there else asked + 1)
        assert not there or got == at_hand
        recent.forget()
