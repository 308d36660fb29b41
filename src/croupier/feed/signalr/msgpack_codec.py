"""The MessagePack encoding: one array per message, behind its length as a variable-length integer.

Owns: arrays to messages and back, and the length. Arrays may be longer than known: newer clients append. Never: the
handshake, which is JSON text here too.
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

NAME: Final = "messagepack"
BINARY: Final = True
Array = list[Any]
_ERROR, _VOID, _RESULT = 1, 2, 3
_LENGTH_BYTES: Final = 5

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Any]).decode


def write(message: Message) -> bytes:
    """The message behind its length."""
    body = _encode(_array(message))
    return _length(len(body)) + body


def read(buffer: bytearray, most: int = MAX_MESSAGE) -> list[Message]:
    """Take all whole messages, of at most `most` bytes each, from the front of the buffer. Raises ProtocolError."""
    found: list[Message] = []
    while (framed := _framed(buffer, most)) is not None:
        start, end = framed
        found.append(_message(bytes(buffer[start:end])))
        del buffer[:end]
    return found


def _framed(buffer: bytearray, most: int) -> tuple[int, int] | None:
    """Return the start and the end of the first whole message; None while some of it is missing."""
    length = 0
    for n, byte in enumerate(buffer[:_LENGTH_BYTES]):
        length |= (byte & 0x7F) << 7 * n
        if not byte & 0x80:
            break
    else:
        if len(buffer) >= _LENGTH_BYTES:
            raise ProtocolError("the length of a message has at most 5 bytes")
        return None
    if length > most:
        raise ProtocolError(f"a message has at most {most} bytes")
    return (n + 1, n + 1 + length) if len(buffer) > n + length else None


def _length(size: int) -> bytes:
    out = bytearray()
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    out.append(size)
    return bytes(out)


def _message(data: bytes) -> Message:
    try:
        value = _decode(data)
        reader = _READERS.get(value[0]) if value and type(value[0]) is int else None
        if reader is None:
            raise ProtocolError("the message type is unknown")
        return reader(value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, TypeError) as problem:
        raise ProtocolError("a message must be a MessagePack array") from problem
    except IndexError as problem:
        raise ProtocolError("the message has too few elements") from problem


def _invocation(value: Array) -> Message:
    return Invocation(
        text(value[3], "target"),
        items(value[4], "arguments"),
        text_or_none(value[2], "invocationId"),
        _stream_ids(value),
        headers(value[1]),
    )


def _stream_invocation(value: Array) -> Message:
    return StreamInvocation(
        _id(value), text(value[3], "target"), items(value[4], "arguments"), _stream_ids(value), headers(value[1])
    )


def _completion(value: Array) -> Message:
    kind, known = number(value[3], "the kind of the result"), headers(value[1])
    if kind == _ERROR:
        return completion(_id(value), known, error=text(value[4], "error"))
    if kind == _VOID:
        return completion(_id(value), known)
    if kind == _RESULT:
        return completion(_id(value), known, result=value[4])
    raise ProtocolError("the kind of the result is unknown")


def _close(value: Array) -> Message:
    allow = len(value) > 2 and flag(value[2], "allowReconnect")
    return Close(text_or_none(value[1], "error"), allow)


def _stream_ids(value: Array) -> tuple[str, ...]:
    return texts(value[5], "streamIds") if len(value) > 5 else ()


def _id(value: Array) -> str:
    return text(value[2], "invocationId")


_READERS: Final[dict[int, Callable[[Array], Message]]] = {
    fields.INVOCATION: _invocation,
    fields.STREAM_ITEM: lambda value: StreamItem(_id(value), value[3], headers(value[1])),
    fields.COMPLETION: _completion,
    fields.STREAM_INVOCATION: _stream_invocation,
    fields.CANCEL_INVOCATION: lambda value: CancelInvocation(_id(value), headers(value[1])),
    fields.PING: lambda _: Ping(),
    fields.CLOSE: _close,
    fields.ACK: lambda value: Ack(number(value[1], "sequenceId")),
    fields.SEQUENCE: lambda value: Sequence(number(value[1], "sequenceId")),
}


def _array(message: Message) -> Array:  # noqa: C901, PLR0911 - one case per message
    match message:
        case Invocation(target, arguments, invocation_id, stream_ids, known):
            return [fields.INVOCATION, known, invocation_id, target, arguments, stream_ids]
        case StreamInvocation(invocation_id, target, arguments, stream_ids, known):
            return [fields.STREAM_INVOCATION, known, invocation_id, target, arguments, stream_ids]
        case StreamItem(invocation_id, item, known):
            return [fields.STREAM_ITEM, known, invocation_id, item]
        case Completion(invocation_id, result, error, known):
            if error is not None:
                return [fields.COMPLETION, known, invocation_id, _ERROR, error]
            ended = [_VOID] if result is ABSENT else [_RESULT, result]
            return [fields.COMPLETION, known, invocation_id, *ended]
        case CancelInvocation(invocation_id, known):
            return [fields.CANCEL_INVOCATION, known, invocation_id]
        case Ping():
            return [fields.PING]
        case Close(error, allow_reconnect):
            return [fields.CLOSE, error, True] if allow_reconnect else [fields.CLOSE, error]
        case Ack(sequence_id):
            return [fields.ACK, sequence_id]
        case Sequence(sequence_id):
            return [fields.SEQUENCE, sequence_id]
