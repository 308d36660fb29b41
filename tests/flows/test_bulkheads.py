"""Places for calls under way: who waits, who is turned away, and that nobody waits behind another's."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from croupier.core.work import Work
from croupier.flows import bulkheads as module
from croupier.flows.bulkheads import BulkheadFull, Bulkheads, CallKind, SideCall


async def held(bulkheads: Bulkheads, peer: str, kind: CallKind, over: asyncio.Event, **more: float) -> str:
    try:
        async with bulkheads.place(peer, kind, **more):  # type: ignore[arg-type]
            await over.wait()
    except BulkheadFull:
        return "no place"
    return "done"


async def test_a_full_casino_fills_no_other_and_no_other_kind_of_its_own_work() -> None:
    bulkheads, over = Bulkheads(), asyncio.Event()
    hanging = [asyncio.create_task(held(bulkheads, "casino 1", Work.STAKE, over, at_once=5)) for _ in range(20)]
    await asyncio.sleep(0)
    assert bulkheads.waiting("casino 1", Work.STAKE) == 15
    for peer, kind in (("casino 2", Work.STAKE), ("casino 1", Work.OWED), ("casino 1", SideCall.PLAYER_QUERY)):
        async with asyncio.timeout(1), bulkheads.place(peer, kind, at_once=5):
            pass
    over.set()
    assert await asyncio.gather(*hanging) == ["done"] * 20


async def test_who_waits_is_served_in_turn_and_turned_away_after_the_time_given() -> None:
    bulkheads, over, never = Bulkheads(), asyncio.Event(), asyncio.Event()
    first = asyncio.create_task(held(bulkheads, "c", Work.OWED, over, at_once=1))
    await asyncio.sleep(0)
    brief = asyncio.create_task(held(bulkheads, "c", Work.OWED, never, at_once=1, within_s=0.05))
    second = asyncio.create_task(held(bulkheads, "c", Work.OWED, over, at_once=1))
    assert await brief == "no place"
    over.set()
    assert await asyncio.gather(first, second) == ["done", "done"]
    async with bulkheads.place("c", Work.OWED, at_once=1, within_s=0):
        pass


async def test_owed_money_is_never_turned_away_for_the_length_of_the_line_and_a_chore_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "QUEUE_LIMIT", 3)
    for kind, away in ((Work.OWED, 0), (SideCall.PLAYER_QUERY, 6)):
        bulkheads, over = Bulkheads(), asyncio.Event()
        tasks = [asyncio.create_task(held(bulkheads, "c", kind, over, at_once=1)) for _ in range(10)]
        await asyncio.sleep(0)
        over.set()
        assert (await asyncio.gather(*tasks)).count("no place") == away


async def test_who_is_cancelled_in_the_line_takes_no_place_with_him() -> None:
    """Also in the very moment in which a place was handed to him."""
    bulkheads, over, never = Bulkheads(), asyncio.Event(), asyncio.Event()
    first = asyncio.create_task(held(bulkheads, "c", Work.OWED, over, at_once=1))
    await asyncio.sleep(0)
    waiting, handed = (asyncio.create_task(held(bulkheads, "c", Work.OWED, never, at_once=1)) for _ in range(2))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    over.set()
    await first
    handed.cancel()
    await asyncio.gather(waiting, handed, return_exceptions=True)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(bulkheads.place("c", Work.OWED, at_once=1, within_s=0))
        with pytest.raises(BulkheadFull):
            await stack.enter_async_context(bulkheads.place("c", Work.OWED, at_once=1, within_s=0))
