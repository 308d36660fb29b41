"""The messages of the feed's socket, as the AsyncAPI document states them, in the JSON encoding.

Owns: one record per message that the hub sends or takes. Names and bounds are those of the code that reads and writes them. Never:
the reading or writing itself (feed.signalr, feed.subscriptions, feed.push). Contract: feed.md 3.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, NotRequired, TypedDict

from msgspec import Meta

from croupier.feed.rest.operations import DrawRecord
from croupier.feed.signalr import fields
from croupier.feed.signalr.messages import MAX_MESSAGE
from croupier.feed.sockets import PATHS
from croupier.feed.subscriptions import MOST_TYPE, SUBSCRIBE, TOPIC, UNSUBSCRIBE
from croupier.kit.asyncapi import RECEIVE, SEND, SocketChannel, SocketMessage

SubscriptionText = Annotated[
    str,
    Meta(
        description=(
            f"JSON text of an object: `GameType` (0 to {MOST_TYPE}), `PartnerClientId` (the casino of the access token) and "
            "optionally `Count` (at least 1), the most draws in a snapshot."
        )
    ),
]
Why = Annotated[str, Meta(description="What was wrong, for a person. Programs decide by its presence alone.")]
InvocationId = Annotated[str, Meta(description="The client's own; the completion repeats it.")]


class Handshake(TypedDict):
    """The first message of a client, JSON text also where the encoding is MessagePack."""

    protocol: Annotated[Literal["json", "messagepack"], Meta(description="The encoding of all further messages.")]
    version: Annotated[int, Meta(ge=0, le=2, description="Version of the hub protocol.")]


class HandshakeAnswer(TypedDict):
    """The answer: empty, or why the connection ends."""

    error: NotRequired[Why]


class SubscriptionCall(TypedDict):
    """A call of `Subscribe` or `Unsubscribe`. With an invocationId it gets a completion."""

    type: Annotated[Literal[1], Meta(description="An invocation.")]
    target: Annotated[Literal["Subscribe", "Unsubscribe"], Meta(description="The method of the hub.")]
    arguments: Annotated[
        tuple[Literal["SubOnWholeGamesInfo"], SubscriptionText],
        Meta(description="The topic, and what is wanted of it."),
    ]
    invocationId: NotRequired[InvocationId]


class CallEnded(TypedDict):
    """The completion of a call: without an error it was done."""

    type: Annotated[Literal[3], Meta(description="A completion.")]
    invocationId: InvocationId
    error: NotRequired[Why]


class GameTypeSnapshot(TypedDict):
    """The state of one game type."""

    sId: Annotated[
        int, Meta(ge=0, description="Number of the snapshot in its stream; it rises, and a number may be left out.")
    ]
    tst: Annotated[str, Meta(description="When the hub made it, ISO 8601 UTC.")]
    im: Annotated[bool, Meta(description="The game type is in maintenance.")]
    bt: Annotated[int | None, Meta(description="End of betting, Unix seconds; null while no draw takes bets.")]
    wgi: Annotated[list[DrawRecord], Meta(description="Draws, the latest start first.")]


class SnapshotPush(TypedDict):
    """A snapshot, every 500 ms and at once on a change."""

    type: Annotated[Literal[1], Meta(description="An invocation.")]
    target: Annotated[
        Literal["SubOnWholeGamesInfo"], Meta(description="The method of the client, named like the topic.")
    ]
    arguments: Annotated[tuple[GameTypeSnapshot], Meta(description="The snapshot alone.")]


class KeepAlive(TypedDict):
    """A ping. Either side sends one when it sent nothing for 15 s; 30 s of silence end the connection."""

    type: Annotated[Literal[6], Meta(description="A ping.")]


class ConnectionEnd(TypedDict):
    """The last message of a connection."""

    type: Annotated[Literal[7], Meta(description="A close.")]
    error: NotRequired[Why]
    allowReconnect: NotRequired[Annotated[bool, Meta(description="The client may connect again by itself.")]]


_ASKED: Final = '{"GameType":23,"PartnerClientId":2201,"Count":1}'

LIVE_FEED: Final = SocketChannel(
    "livefeed",
    PATHS,
    "An ASP.NET Core SignalR hub over WebSockets. Each message of the JSON encoding is followed by the byte 0x1E; a frame may hold "
    f"several. A message of a client has at most {MAX_MESSAGE} bytes. `POST …/negotiate?negotiateVersion=1` before it is optional.",
    (
        SocketMessage(
            "handshake",
            RECEIVE,
            "The client names its encoding.",
            "feed.md 3.1",
            Handshake,
            ({"protocol": "json", "version": 1},),
        ),
        SocketMessage(
            "handshakeAnswer",
            SEND,
            "The hub agrees, or says why not.",
            "feed.md 3.1",
            HandshakeAnswer,
            ({}, {"error": "the version must be 0 to 2"}),
        ),
        SocketMessage(
            "subscription",
            RECEIVE,
            "The client wants the snapshots of a game type, or wants them no more.",
            "feed.md 3.4",
            SubscriptionCall,
            tuple(
                {"type": fields.INVOCATION, "invocationId": "1", "target": target, "arguments": [TOPIC, _ASKED]}
                for target in (SUBSCRIBE, UNSUBSCRIBE)
            ),
        ),
        SocketMessage(
            "completion",
            SEND,
            "The answer to a call with an invocationId.",
            "feed.md 3.4",
            CallEnded,
            ({"type": fields.COMPLETION, "invocationId": "1"},),
        ),
        SocketMessage("snapshot", SEND, "The state of one game type.", "feed.md 3.5", SnapshotPush),
        SocketMessage(
            "clientPing", RECEIVE, "The client is there.", "feed.md 3.3", KeepAlive, ({"type": fields.PING},)
        ),
        SocketMessage("ping", SEND, "The hub is there.", "feed.md 3.1, 3.3", KeepAlive, ({"type": fields.PING},)),
        SocketMessage(
            "clientClose", RECEIVE, "The client leaves.", "feed.md 3.3", ConnectionEnd, ({"type": fields.CLOSE},)
        ),
        SocketMessage(
            "close",
            SEND,
            "The hub ends the connection, for example because it stops.",
            "feed.md 3.6",
            ConnectionEnd,
            ({"type": fields.CLOSE, "allowReconnect": True},),
        ),
    ),
    query={
        "access_token": {"type": "string", "description": "The access token, for clients that cannot set headers."},
        "id": {"type": "string", "description": "The connection token of negotiate."},
    },
    schemes={
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token of scope feeds.",
        },
        "accessToken": {"type": "httpApiKey", "name": "access_token", "in": "query", "description": "The same token."},
    },
)
"""The socket of the live feed."""
