"""kit.clock: the limit of a request does what asyncio's does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from croupier.kit.clock import TimeIsUp, TimeLimit

SHORT_S = 0.02


async def theirs(seconds: float, block: Callable[[], Awaitable[Any]]) -> object:
    async with asyncio.timeout(seconds):
        return await block()


async def ours(seconds: float, block: Callable[[], Awaitable[Any]]) -> object:
    with TimeLimit(seconds):
        return await block()


async def at_once() -> str:
    return "done"


async def for_ever() -> None:
    await asyncio.Event().wait()


async def breaks() -> None:
    raise ValueError


async def breaks_when_cancelled() -> None:
    try:
        await for_ever()
    except asyncio.CancelledError:
        raise ValueError from None


async def swallows() -> str:
    try:
        await for_ever()
    except asyncio.CancelledError:
        return "swallowed"
    raise AssertionError


async def another_timeout() -> None:
    raise TimeoutError


async def cancels_itself() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


BLOCKS = [at_once, for_ever, breaks, breaks_when_cancelled, swallows, another_timeout, cancels_itself]


@pytest.mark.parametrize("seconds", [-1.0, 0.0, SHORT_S, 10.0])
@pytest.mark.parametrize("block", BLOCKS)
async def test_a_block_ends_as_with_asyncio(block: Any, seconds: float) -> None:
    if seconds > 1 and block in {for_ever, breaks_when_cancelled, swallows}:
        pytest.skip("it would take its ten seconds")

    async def outcome(limit: Any) -> tuple[object, int]:
        """What came of it, and the cancellations that are left."""
        task = asyncio.current_task()
        assert task is not None
        try:
            ended: object = await limit(seconds, block)
        except (ValueError, TimeoutError, asyncio.CancelledError) as problem:
            ended = TimeoutError if isinstance(problem, TimeoutError) else type(problem)
        return ended, task.cancelling()

    told = [await asyncio.create_task(outcome(limit)) for limit in (ours, theirs)]
    assert told[0] == told[1]


async def test_only_its_own_end_is_told_as_that() -> None:
    with pytest.raises(TimeIsUp):
        await ours(0, for_ever)
    with pytest.raises(TimeoutError) as other:
        await ours(10, another_timeout)
    assert not isinstance(other.value, TimeIsUp)


async def test_a_cancellation_from_elsewhere_goes_on() -> None:
    task = asyncio.create_task(ours(10, for_ever))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_limit_can_be_moved_either_way() -> None:
    for first_s, then_s in ((SHORT_S, 10.0), (10.0, SHORT_S)):
        with TimeLimit(first_s) as limit:
            limit.prolong(then_s)
            if then_s < first_s:
                with pytest.raises(asyncio.CancelledError):
                    await asyncio.sleep(2.0)
            else:
                await asyncio.sleep(3 * SHORT_S)


async def test_an_ended_block_leaves_nothing_behind() -> None:
    with TimeLimit(SHORT_S):
        pass
    await asyncio.sleep(3 * SHORT_S)
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()
