"""`pysignalr` and `signalrcore`, unmodified."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from pysignalr.client import SignalRClient
from pysignalr.messages import CompletionMessage

from croupier.store.db import Db
from tests.feed.hall import Hall, open_hall, until

pytestmark = pytest.mark.slow


@pytest.fixture
async def hall(db: Db) -> AsyncIterator[Hall]:
    async with open_hall(db) as made:
        yield made


def asked(hall: Hall) -> list[str]:
    return ["SubOnWholeGamesInfo", json.dumps({"GameType": 3, "PartnerClientId": hall.casino_id, "Count": 1})]


async def test_pysignalr_follows_a_game_type(hall: Hall) -> None:
    hall.push(1)
    client = SignalRClient(hall.url, access_token_factory=lambda: hall.token, headers=hall.bearer)
    heard: list[int] = []
    completed: list[CompletionMessage] = []

    async def on_push(arguments: list[Any]) -> None:
        heard.extend(info["sId"] for info in arguments)

    async def on_completed(message: CompletionMessage) -> None:
        completed.append(message)

    async def on_open() -> None:
        await client.send("Subscribe", asked(hall), on_completed)  # type: ignore[arg-type]

    client.on("SubOnWholeGamesInfo", on_push)
    client.on_open(on_open)
    running = asyncio.create_task(client.run())
    try:
        await until(lambda: heard == [1])
        hall.push(2)
        await until(lambda: heard == [1, 2])
        await until(lambda: completed)
        assert completed[0].error is None
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@pytest.mark.parametrize("skip", [False, True], ids=["negotiated", "direct"])
async def test_signalrcore_follows_a_game_type(hall: Hall, skip: bool) -> None:
    """It runs in threads of its own and blocks while it connects."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from signalrcore.hub_connection_builder import HubConnectionBuilder  # noqa: PLC0415 - it warns at import
    hall.push(1)
    heard: list[int] = []
    ready: list[bool] = []
    options = {"access_token_factory": lambda: hall.token, "skip_negotiation": skip}
    connection = HubConnectionBuilder().with_url(hall.url, options=options).build()
    connection.on("SubOnWholeGamesInfo", lambda arguments: heard.extend(info["sId"] for info in arguments))
    connection.on_open(lambda: ready.append(True))
    await asyncio.to_thread(connection.start)
    try:
        await until(lambda: ready)
        await asyncio.to_thread(connection.send, "Subscribe", asked(hall))
        await until(lambda: heard == [1])
        hall.push(2)
        await until(lambda: heard == [1, 2])
    finally:
        await asyncio.to_thread(connection.stop)
