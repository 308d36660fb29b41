"""The handshake: the client names an encoding and a version, always in JSON, and is answered in JSON.

Owns: that one exchange. Versions 0 to 2 are accepted (feed.md 3.1): what version 2 adds, stateful reconnects, a client
asks for at negotiate, and this server does not offer it.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

import msgspec

from croupier.feed.signalr import json_codec, msgpack_codec
from croupier.feed.signalr.json_codec import END
from croupier.feed.signalr.messages import ProtocolError

CODECS: Final[dict[str, ModuleType]] = {codec.NAME: codec for codec in (json_codec, msgpack_codec)}
VERSIONS: Final = range(3)
MAX_HANDSHAKE: Final = 4096
ACCEPTED: Final = b"{}" + END


def read(buffer: bytearray) -> ModuleType | None:
    """Take the request from the front of the buffer: the codec it names, or None while some of it is missing.

    Raises ProtocolError with the text for `refused`.
    """
    end = buffer.find(END)
    if (end if end >= 0 else len(buffer)) > MAX_HANDSHAKE:
        raise ProtocolError(f"a handshake has at most {MAX_HANDSHAKE} bytes")
    if end < 0:
        return None
    value = _object(bytes(buffer[:end]))
    del buffer[: end + 1]
    codec = CODECS.get(value["protocol"]) if type(value.get("protocol")) is str else None
    if codec is None:
        raise ProtocolError(f"the protocol must be one of: {', '.join(CODECS)}")
    if type(value.get("version")) is not int or value["version"] not in VERSIONS:
        raise ProtocolError(f"the version must be {VERSIONS[0]} to {VERSIONS[-1]}")
    return codec


def refused(error: str) -> bytes:
    """The answer to a request that cannot be met."""
    return msgspec.json.encode({"error": error}) + END


def request(codec: ModuleType) -> bytes:
    """The client's request for this codec."""
    return msgspec.json.encode({"protocol": codec.NAME, "version": 1}) + END


def read_answer(buffer: bytearray) -> bool:
    """Take the server's answer from the front of the buffer; False while some of it is missing. Raises ProtocolError for a refusal."""
    end = buffer.find(END)
    if (end if end >= 0 else len(buffer)) > MAX_HANDSHAKE:
        raise ProtocolError(f"a handshake has at most {MAX_HANDSHAKE} bytes")
    if end < 0:
        return False
    value = _object(bytes(buffer[:end]))
    del buffer[: end + 1]
    if "error" in value:
        raise ProtocolError(f"the server refused the handshake: {value['error']}")
    return True


def _object(data: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        raise ProtocolError("the first message must be a handshake") from problem
