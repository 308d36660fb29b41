"""Bodies that no boundary may take, made from one that it would take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TOO_LARGE = "64 KB and one byte"


def valid(document: Mapping[str, Any]) -> dict[str, bytes]:
    """The same document in spellings that are just inside every bound."""
    body = json.dumps(document).encode()
    return {
        "exactly 64 KB": body + b" " * (65536 - len(body)),
        "32 deep": _beside(document, b"[" * 31 + b"]" * 31),
        "a number of 64 digits beside": _beside(document, b"1" * 64),
        "unknown fields beside": _beside(document, b'{"a":[1.5e300,null,true,"x"]}'),
        "white space": b"\r\n\t " + body + b"\n",
        "escapes": _beside(document, rb'"\u0041\/\ud83d\ude00"'),
    }


def hostile(document: Mapping[str, Any]) -> dict[str, bytes]:
    """What must be refused before anything is stored."""
    body = json.dumps(document).encode()
    first = next(iter(document))
    return {
        TOO_LARGE: body + b" " * (65537 - len(body)),
        "33 deep": _beside(document, b"[" * 32 + b"]" * 32),
        "33 deep in objects": _beside(document, b'{"a":' * 32 + b"1" + b"}" * 32),
        "10,000 deep": _beside(document, b"[" * 10_000 + b"]" * 10_000),
        "a key twice": body[:-1] + b', "' + first.encode() + b'": ' + json.dumps(document[first]).encode() + b"}",
        "a key twice, once escaped": body[:-1] + b', "\\u00' + f"{ord(first[0]):02x}{first[1:]}".encode() + b'": 1}',
        "a key twice further in": _beside(document, b'{"a":1,"a":1}'),
        "no UTF-8": _beside(document, b'"\xff\xfe"'),
        "overlong UTF-8": _beside(document, b'"\xc0\xaf"'),
        "half a surrogate in UTF-8": _beside(document, b'"\xed\xa0\x80"'),
        "UTF-16": json.dumps(document).encode("utf-16"),
        "a byte order mark": b"\xef\xbb\xbf" + body,
        "NUL": _beside(document, b'"a\x00b"'),
        "NUL escaped": _beside(document, rb'"a\u0000b"'),
        "NUL in a key": body[:-1] + rb', "a\u0000b": 1}',
        "half a surrogate": _beside(document, rb'"\ud800"'),
        "a control character": _beside(document, b'"a\x01b"'),
        "10,000 digits": _beside(document, b"1" * 10_000),
        "10,000 decimals": _beside(document, b"0." + b"1" * 10_000),
        "65 digits": _beside(document, b"1" * 65),
        "NaN": _beside(document, b"NaN"),
        "Infinity": _beside(document, b"-Infinity"),
        "hexadecimal": _beside(document, b"0x10"),
        "a leading zero": _beside(document, b"01"),
        "single quotes": body.replace(b'"', b"'"),
        "a comma at the end": body[:-1] + b",}",
        "a comment": body + b" // no",
        "two documents": body + body,
        "cut off": body[:-2],
        "nothing": b" ",
        "an array": b"[" + body + b"]",
        "a string": json.dumps(body.decode()).encode(),
        "a number": b"5",
        "null": b"null",
        "a form": b"betId=1&betAmount=10",
    }


def _beside(document: Mapping[str, Any], raw: bytes) -> bytes:
    """The document with one more field, whose value is these bytes."""
    return json.dumps(document).encode()[:-1] + b', "zz": ' + raw + b"}"
