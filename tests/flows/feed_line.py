"""A provider of live games and its signed publications, for the tests of the feed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from croupier.providers.betcore_v1 import signing
from tests.flows.desk import Desk
from tests.store.cast import NOW_MS

PATH = "/v1/feed/draws"


def draw(**what: Any) -> dict[str, Any]:
    """A keno draw whose betting is open for ten seconds more."""
    told = {
        "gameType": 23, "gameEdition": 501, "version": 1, "state": 2, "playState": 1, "round": 0,
        "startsAt": NOW_MS - 20_000, "bettingEndsAt": NOW_MS + 10_000,
    }  # fmt: skip
    return {**told, **what}


def finished(**what: Any) -> dict[str, Any]:
    """The same draw at its end."""
    told = {
        "version": 3, "state": 3, "playState": 2, "bettingEndsAt": NOW_MS - 5_000, "endsAt": NOW_MS,
        "results": [7, 12],
    }  # fmt: skip
    return draw(**{**told, **what})


@dataclass
class FeedLine:
    """A provider and its secret."""

    desk: Desk
    provider_id: int
    counterparty: str
    secret: str

    async def send(self, told: object, *, request_id: str = "") -> tuple[int, dict[str, Any]]:
        """HTTP status and answer of a publication."""
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        number = request_id or self.desk.hub.chance.hex(16)
        headers = signing.sign(
            self.secret, self.counterparty, timestamp_ms=self.desk.clock.now_ms(), request_id=number, body=body
        )
        answer = await self.desk.call("POST", PATH, body, **headers)
        return answer.status, json.loads(answer.body)

    async def code(self, *draws: dict[str, Any]) -> int:
        """The code of a publication of these draws."""
        return int((await self.send({"draws": list(draws)}))[1]["_responseCode"])


async def feed_line(desk: Desk, *, name: str = "Drumlin", game_types: tuple[int, ...] = (3, 23)) -> FeedLine:
    """A new provider with these game types."""
    provider, secret = await desk.hub.store.providers.add(name, "https://live.example", game_types=game_types)
    return FeedLine(desk, provider.provider_id, provider.counterparty_id, secret)
