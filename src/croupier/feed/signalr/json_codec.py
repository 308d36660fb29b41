"""The JSON encoding: one object per message, each followed by the byte 0x1E.

Owns: objects to messages and back. Unknown properties are ignored, as the official servers do. Never: the handshake.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from croupier.feed.signalr import fields
from croupier.feed.signalr.fields import completion, flag, headers, items, number, text, text_or_none, texts
from croupier.feed.signalr.messages import (
    ABSENT,
    MAX_MESSAGE,
    Ack,
    CancelInvocation,
    Close,
    Completion,
    Invocation,
    Message,
    Ping,
    ProtocolError,
    Sequence,
    StreamInvocation,
    StreamItem,
)

NAME: Final = "json"
BINARY: Final = False
END: Final = b"\x1e"
Object = dict[str, Any]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def write(message: Message) -> bytes:
    """The message with its end mark."""
    return _encode(_object(message)) + END


def read(buffer: bytearray, most: int = MAX_MESSAGE) -> list[Message]:
    """Take all whole messages, of at most `most` bytes each, from the front of the buffer. Raises ProtocolError."""
    found: list[Message] = []
    while (end := buffer.find(END)) >= 0:
        if end > most:
            break
        found.append(_message(bytes(buffer[:end])))
        del buffer[: end + 1]
    if (end if end >= 0 else len(buffer)) > most:
        raise ProtocolError(f"a message has at most {most} bytes")
    return found


def _message(data: bytes) -> Message:
    try:
        value = _decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        raise ProtocolError("a message must be a JSON object") from problem
    kind = value.get("type")
    reader = _READERS.get(kind) if type(kind) is int else None
    if reader is None:
        raise ProtocolError("the message type is unknown")
    return reader(value)


def _invocation(value: Object) -> Message:
    return Invocation(
        text(value.get("target"), "target"),
        items(value.get("arguments"), "arguments"),
        text_or_none(value.get("invocationId"), "invocationId"),
        texts(value.get("streamIds", []), "streamIds"),
        _headers(value),
    )


def _stream_invocation(value: Object) -> Message:
    return StreamInvocation(
        _id(value),
        text(value.get("target"), "target"),
        items(value.get("arguments"), "arguments"),
        texts(value.get("streamIds", []), "streamIds"),
        _headers(value),
    )


def _completion(value: Object) -> Message:
    error = text_or_none(value.get("error"), "error")
    return completion(_id(value), _headers(value), result=value.get("result", ABSENT), error=error)


def _stream_item(value: Object) -> Message:
    if "item" not in value:
        raise ProtocolError("item is missing")
    return StreamItem(_id(value), value["item"], _headers(value))


def _close(value: Object) -> Message:
    return Close(text_or_none(value.get("error"), "error"), flag(value.get("allowReconnect", False), "allowReconnect"))


def _id(value: Object) -> str:
    return text(value.get("invocationId"), "invocationId")


def _headers(value: Object) -> dict[str, str]:
    return dict(headers(value.get("headers", {})))


_READERS: Final[dict[int, Callable[[Object], Message]]] = {
    fields.INVOCATION: _invocation,
    fields.STREAM_ITEM: _stream_item,
    fields.COMPLETION: _completion,
    fields.STREAM_INVOCATION: _stream_invocation,
    fields.CANCEL_INVOCATION: lambda value: CancelInvocation(_id(value), _headers(value)),
    fields.PING: lambda _: Ping(),
    fields.CLOSE: _close,
    fields.ACK: lambda value: Ack(number(value.get("sequenceId"), "sequenceId")),
    fields.SEQUENCE: lambda value: Sequence(number(value.get("sequenceId"), "sequenceId")),
}


def _object(message: Message) -> Object:  # noqa: PLR0911 - one case per message
    match message:
        case Invocation():
            return _call(fields.INVOCATION, message)
        case StreamInvocation():
            return _call(fields.STREAM_INVOCATION, message)
        case StreamItem(invocation_id, item):
            return {"type": fields.STREAM_ITEM, **_head(message), "invocationId": invocation_id, "item": item}
        case Completion():
            return _ended(message)
        case CancelInvocation(invocation_id):
            return {"type": fields.CANCEL_INVOCATION, **_head(message), "invocationId": invocation_id}
        case Ping():
            return {"type": fields.PING}
        case Close(error, allow_reconnect):
            value: Object = {"type": fields.CLOSE} if error is None else {"type": fields.CLOSE, "error": error}
            return {**value, "allowReconnect": True} if allow_reconnect else value
        case Ack(sequence_id):
            return {"type": fields.ACK, "sequenceId": sequence_id}
        case Sequence(sequence_id):
            return {"type": fields.SEQUENCE, "sequenceId": sequence_id}


def _call(kind: int, message: Invocation | StreamInvocation) -> Object:
    value: Object = {"type": kind, **_head(message)}
    if message.invocation_id is not None:
        value["invocationId"] = message.invocation_id
    value |= {"target": message.target, "arguments": message.arguments}
    return {**value, "streamIds": message.stream_ids} if message.stream_ids else value


def _ended(message: Completion) -> Object:
    value: Object = {"type": fields.COMPLETION, **_head(message), "invocationId": message.invocation_id}
    if message.error is not None:
        return {**value, "error": message.error}
    return value if message.result is ABSENT else {**value, "result": message.result}


def _head(message: Invocation | StreamInvocation | StreamItem | Completion | CancelInvocation) -> Object:
    return {"headers": message.headers} if message.headers else {}
