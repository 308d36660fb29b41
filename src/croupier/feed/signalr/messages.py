"""The messages of the SignalR hub protocol, as both encodings carry them.

Owns: one record per message, and the error for bytes that are none. Never: bytes (json_codec, msgpack_codec), time,
sockets. Source: the hub protocol's published specification, docs/contract/feed.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

MAX_MESSAGE: Final = 32 * 1024
"""The largest incoming message, in bytes (feed.md 3.3)."""


class ProtocolError(ValueError):
    """The peer sent bytes that are no message of the protocol; its connection ends with this text."""


class Absent(Enum):
    """A completion without a result differs from one whose result is null."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call of a method. Without an id the caller expects no completion."""

    target: str
    arguments: tuple[object, ...] = ()
    invocation_id: str | None = None
    stream_ids: tuple[str, ...] = ()
    headers: Headers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StreamInvocation:
    """A call of a method that returns a stream."""

    invocation_id: str
    target: str
    arguments: tuple[object, ...] = ()
    stream_ids: tuple[str, ...] = ()
    headers: Headers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StreamItem:
    """One element of a stream."""

    invocation_id: str
    item: object
    headers: Headers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Completion:
    """The end of a call: a result, an error, or neither for a method that returns nothing."""

    invocation_id: str
    result: object = ABSENT
    error: str | None = None
    headers: Headers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CancelInvocation:
    """The caller no longer wants the result of a call or the rest of a stream."""

    invocation_id: str
    headers: Headers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ping:
    """Keeps the connection alive; carries nothing."""


@dataclass(frozen=True, slots=True)
class Close:
    """The sender ends the connection; `allow_reconnect` tells a client that it may connect again by itself."""

    error: str | None = None
    allow_reconnect: bool = False


@dataclass(frozen=True, slots=True)
class Ack:
    """Acknowledges messages of a stateful reconnect, which this server does not offer."""

    sequence_id: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """Begins a stateful reconnect, which this server does not offer."""

    sequence_id: int


Message = Invocation | StreamInvocation | StreamItem | Completion | CancelInvocation | Ping | Close | Ack | Sequence
