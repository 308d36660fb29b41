"""A casino that is closed, or whose secret or key was ended by another process, loses its connections within about a second.

No connection costs a query: each look reads the rows of all casinos at once. Contract: feed.md 3.7.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from croupier.apps.wiring import Seams, build
from croupier.flows.hub import Hub
from croupier.kit.chance import SystemChance
from croupier.kit.clock import SystemClock
from croupier.simulator.in_process_http import InProcessWire
from croupier.simulator.stage import settings_for
from croupier.store.db import Db, DbDown
from tests.feed.hall import HELLO, Browser, Hall, open_hall, until
from tests.store.cast import SEALER

PROMPT_S = 4.0
"""About a second, on a machine that other tests use too; the old interval was a minute."""


@pytest.fixture
async def hall(db: Db) -> AsyncIterator[Hall]:
    async with open_hall(db) as made:
        yield made


@pytest.fixture
async def elsewhere(db: Db) -> Hub:
    """Another process of the hub: it can tell this one nothing."""
    hub = build(settings_for(), Seams(SystemClock(), SystemChance(), InProcessWire(SystemClock()), SEALER, db), "")
    await hub.store.keys.load()
    return hub


async def connected(stack: AsyncExitStack, hall: Hall, token: str) -> Browser:
    line = await stack.enter_async_context(hall.line("", {"Authorization": f"Bearer {token}"}))
    await line.send(HELLO)
    browser = Browser(line)
    assert await browser.next() == {}
    return browser


async def close(hub: Hub, casino_id: int) -> None:
    await hub.store.casinos.close(casino_id, force=True)


async def end_secret(hub: Hub, casino_id: int) -> None:
    await hub.store.casinos.rotate_secret(casino_id, 0)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("ends", [close, end_secret])
async def test_its_connections_end_and_those_of_others_stay(
    hall: Hall, elsewhere: Hub, ends: Callable[[Hub, int], Awaitable[None]]
) -> None:
    other_id, other = await hall.casino("Corner")
    async with AsyncExitStack() as stack:
        ours = [await connected(stack, hall, hall.token) for _ in range(3)]
        theirs = await connected(stack, hall, other)
        await asyncio.sleep(1.5)  # each was looked at once after it had joined
        await ends(elsewhere, hall.casino_id)
        async with asyncio.timeout(PROMPT_S):
            for browser in ours:
                closed = await browser.next()
                assert (closed["type"], closed["error"]) == (7, "the access token has ended")
            await until(lambda: len(hall.connections) == 1)
        await theirs.ask(other_id)
        assert await theirs.next() == {"type": 3, "invocationId": "1"}


@pytest.mark.slow
async def test_a_revoked_key_ends_the_connections_whose_tokens_it_signed(hall: Hall, elsewhere: Hub) -> None:
    async with AsyncExitStack() as stack:
        browser = await connected(stack, hall, hall.token)
        await asyncio.sleep(1.5)
        kid = elsewhere.store.keys.token_key().kid
        await elsewhere.store.keys.revoke(kid, author="anna", reason="it leaked")
        async with asyncio.timeout(PROMPT_S):
            assert (await browser.next())["type"] == 7


@pytest.mark.slow
async def test_many_connections_cost_no_more_queries_than_one(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(20):
            await connected(stack, hall, hall.token)
        await asyncio.sleep(1.5)
        reads: list[Any] = []
        real = hall.hub.store.db.fetch

        async def counted(sql: str, *values: Any) -> Any:
            reads.append(sql)
            return await real(sql, *values)

        monkeypatch.setattr(hall.hub.store.db, "fetch", counted)
        await asyncio.sleep(2.0)
        of_casinos = [sql for sql in reads if "from casinos where casino_id" in sql]
        assert 1 <= len(of_casinos) <= 5, "one per look, of 0.4 s each, and rows are kept for 0.5 s"
        assert len(reads) <= 20


@pytest.mark.slow
async def test_a_database_that_is_away_ends_nobody(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AsyncExitStack() as stack:
        await connected(stack, hall, hall.token)
        await asyncio.sleep(1.5)

        async def away(*_: Any) -> Any:
            raise DbDown("away")

        with monkeypatch.context() as broken:
            broken.setattr(hall.hub.store.db, "fetch", away)
            await asyncio.sleep(2.0)
        assert len(hall.connections) == 1


@pytest.mark.slow
async def test_one_that_was_admitted_just_before_the_end_does_not_slip_through(hall: Hall, elsewhere: Hub) -> None:
    """It joins after the look that saw the change: it is looked at once more for itself."""
    async with AsyncExitStack() as stack:
        browser = await connected(stack, hall, hall.token)
        (client,) = hall.connections._clients
        await close(elsewhere, hall.casino_id)
        hall.connections._standings.clear()
        client.recheck_ms = hall.hub.clock.now_ms()
        async with asyncio.timeout(PROMPT_S):
            assert (await browser.next())["type"] == 7
