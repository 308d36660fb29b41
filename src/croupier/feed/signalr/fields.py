"""Checks of the fields that both encodings share: a message is built of the right types, or refused.

Owns: the type checks, and the order of a message's numbers. Never: bytes.
"""

from __future__ import annotations

from typing import Final

from croupier.feed.signalr.messages import ABSENT, Completion, Headers, ProtocolError

INVOCATION: Final = 1
STREAM_ITEM: Final = 2
COMPLETION: Final = 3
STREAM_INVOCATION: Final = 4
CANCEL_INVOCATION: Final = 5
PING: Final = 6
CLOSE: Final = 7
ACK: Final = 8
SEQUENCE: Final = 9


def text(value: object, name: str) -> str:
    """A required string. Raises ProtocolError."""
    if type(value) is not str:
        raise ProtocolError(f"{name} must be a string")
    return value


def text_or_none(value: object, name: str) -> str | None:
    """A string or null. Raises ProtocolError."""
    return None if value is None else text(value, name)


def number(value: object, name: str) -> int:
    """A required integer. Raises ProtocolError."""
    if type(value) is not int:
        raise ProtocolError(f"{name} must be an integer")
    return value


def flag(value: object, name: str) -> bool:
    """A required boolean. Raises ProtocolError."""
    if type(value) is not bool:
        raise ProtocolError(f"{name} must be a boolean")
    return value


def items(value: object, name: str) -> tuple[object, ...]:
    """A required array. Raises ProtocolError."""
    if type(value) is not list:
        raise ProtocolError(f"{name} must be an array")
    return tuple(value)


def texts(value: object, name: str) -> tuple[str, ...]:
    """A required array of strings. Raises ProtocolError."""
    return tuple(text(item, name) for item in items(value, name))


def headers(value: object) -> Headers:
    """A map of strings to strings. Raises ProtocolError."""
    if type(value) is not dict:
        raise ProtocolError("headers must be a map")
    return {text(key, "a header's name"): text(item, "a header's value") for key, item in value.items()}


def completion(invocation_id: str, known: Headers, *, result: object = ABSENT, error: str | None = None) -> Completion:
    """A completion with a result or an error. Raises ProtocolError for one with both."""
    if error is not None and result is not ABSENT:
        raise ProtocolError("a completion has a result or an error, not both")
    return Completion(invocation_id, result, error, known)
