"""A casino that follows one game type of the live feed: token, negotiate, WebSocket, subscription, and a new connection when one is lost.

Owns: the client's half of feed.md 3, over the hub protocol of `feed.signalr`. Never: the display of what came.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from croupier.feed.signalr.client_connection import MOST_BYTES, ClientConnection
from croupier.feed.signalr.messages import Completion, Invocation, Message
from croupier.kit import strictjson
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.strictjson import BadField, BadJson, Json
from croupier.kit.web_socket import WebSocket, open_web_socket
from croupier.kit.wire import PeerError, Wire, WireAnswer, WireRequest
from croupier.sandbox.feed_access import FeedRefused, access_token, client_id_of

HUB: Final = "/signalrhub-livefeed-service/hubs"
TOPIC: Final = "SubOnWholeGamesInfo"
QUIET_S: Final = 3.0
"""A snapshot comes every 0.5 s; without one for so long the follower says so."""
FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 10.0
_CALL: Final = "1"


class SeenDraw(msgspec.Struct, frozen=True):
    """A draw of a snapshot, under the keys of feed.md 3.5."""

    t: int
    ge: int
    s: int
    ps: int
    cr: int = 0
    sdt: str = ""
    res: list[Any] = []


class SeenSnapshot(msgspec.Struct, frozen=True):
    """The argument of a push, under the keys of feed.md 3.5."""

    sId: int
    tst: str
    im: bool
    bt: int | None
    wgi: list[SeenDraw]


@dataclass(frozen=True, slots=True)
class FeedConnected:
    """The subscription stands."""

    connection_id: str


@dataclass(frozen=True, slots=True)
class FeedLost:
    """The connection is gone; the next one is tried after `wait_s`."""

    why: str
    wait_s: float


@dataclass(frozen=True, slots=True)
class FeedSilent:
    """No snapshot has come for so long."""

    for_s: float


@dataclass(frozen=True, slots=True)
class FeedPush:
    """A snapshot, as it came and as it is understood."""

    argument: Json
    seen: SeenSnapshot


FeedEvent = FeedConnected | FeedLost | FeedSilent | FeedPush


class Follower:
    """One follower of one hub. `credentials` are what `casino add` printed."""

    def __init__(self, wire: Wire, clock: Clock, chance: Chance, *, hub_url: str, credentials: Json) -> None:
        self._wire = wire
        self._clock = clock
        self._chance = chance
        self._hub_url = hub_url.rstrip("/")
        self._credentials = credentials

    async def events(self, game_type: int) -> AsyncGenerator[FeedEvent, None]:
        """Yield what happens, for ever. Raises FeedRefused, and PeerError if the first connection fails."""
        connected, wait_s = False, FIRST_WAIT_S
        while True:
            why = "the hub ended the connection"
            try:
                async with aclosing(self._connection(game_type)) as events:
                    async for event in events:
                        connected, wait_s = True, FIRST_WAIT_S
                        yield event
            except PeerError as lost:
                if not connected:
                    raise
                why = lost.why
            except FeedRefused as refused:
                if refused.final or not connected:
                    raise
                why = str(refused)
            pause_s = wait_s * (0.5 + self._chance.fraction() / 2)
            yield FeedLost(why, pause_s)
            await self._clock.sleep(pause_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def _connection(self, game_type: int) -> AsyncGenerator[FeedEvent, None]:
        """One connection from its token to its end."""
        token = await access_token(self._wire, self._hub_url, self._credentials)
        bearer = {"Authorization": f"Bearer {token}"}
        connection_id, connection_token = await self._negotiate(bearer)
        url = f"{_socket_url(self._hub_url)}{HUB}?{urlencode({'id': connection_token})}"
        async with open_web_socket(url, bearer, max_bytes=MOST_BYTES) as socket:
            client = ClientConnection(self._now_s())
            told = {"GameType": game_type, "PartnerClientId": client_id_of(self._credentials)}
            client.send(Invocation("Subscribe", (TOPIC, json.dumps(told)), _CALL), self._now_s())
            async with aclosing(self._messages(socket, client)) as messages:
                async for message in messages:
                    event = _event(message, connection_id)
                    if event is not None:
                        yield event
            if client.ended:
                raise PeerError(client.ended)

    async def _negotiate(self, bearer: dict[str, str]) -> tuple[str, str]:
        url = f"{self._hub_url}{HUB}/negotiate?negotiateVersion=1"
        answer = await self._wire.send(WireRequest("POST", url, bearer))
        try:
            said = strictjson.record(strictjson.loads(answer.body))
            if answer.status != 200:
                raise FeedRefused(_refusal(answer, said), final=answer.status in (400, 401, 403, 404))
            return strictjson.text(said, "connectionId", 256), strictjson.text(said, "connectionToken", 1024)
        except (BadJson, BadField):
            raise FeedRefused(_refusal(answer, {}), final=answer.status in (404, 405)) from None

    async def _messages(
        self, socket: WebSocket, client: ClientConnection
    ) -> AsyncGenerator[Message | FeedSilent, None]:
        """Yield the messages of the hub, and FeedSilent while no snapshot comes."""
        quiet_s = heard_s = self._now_s()
        while client.ended is None:
            due_s = client.tick(self._now_s())
            while client.outgoing:
                await socket.send(client.outgoing.popleft().data.decode())
            now_s = self._now_s()
            data = await socket.receive(max(0.0, min(due_s, quiet_s + QUIET_S) - now_s))
            now_s = self._now_s()
            for message in [] if data is None else client.receive(data, now_s):
                if isinstance(message, Invocation):
                    quiet_s = heard_s = now_s
                yield message
            if now_s - quiet_s >= QUIET_S:
                quiet_s = now_s
                yield FeedSilent(now_s - heard_s)

    def _now_s(self) -> float:
        return self._clock.monotonic_s()


def _event(message: Message | FeedSilent, connection_id: str) -> FeedEvent | None:
    match message:
        case FeedSilent():
            return message
        case Completion(_, _, error):
            if error is not None:
                raise FeedRefused(f"the hub refused the subscription: {error}", final=True)
            return FeedConnected(connection_id)
        case Invocation(target, arguments) if target == TOPIC and len(arguments) == 1:
            return _push(arguments[0])
        case _:
            return None


def _push(argument: Any) -> FeedPush:  # noqa: ANN401 - JSON
    try:
        return FeedPush(argument, msgspec.convert(argument, SeenSnapshot))
    except msgspec.ValidationError as problem:
        raise FeedRefused(f"a snapshot of the hub cannot be read: {problem}", final=True) from None


def _refusal(answer: WireAnswer, said: dict[str, Any]) -> str:
    why = said.get("error") if isinstance(said.get("error"), str) else "no words of a hub"
    return f"negotiate answered HTTP {answer.status}, {why}"


def _socket_url(hub_url: str) -> str:
    """Return the address with `ws` in place of `http`."""
    return re.sub(r"^http", "ws", hub_url)
