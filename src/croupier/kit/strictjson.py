"""Strict JSON parser for all input, and readers of single fields with precise errors.

Owns: the limits on JSON (size, depth, duplicate keys, invalid characters, long numbers), and the sorted compact form of
provider.md 1.3. Never: the meaning of a field, or a binary float: a JSON number is returned as `NumberText`, the
characters of the literal, so that an amount stays exact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate, repeat
from typing import NoReturn, TypeAlias, TypeVar

MAX_BYTES = 65536
MAX_DEPTH = 32
MAX_NUMBER = 64


class NumberText(str):
    """A JSON number as written: `1.50` stays `1.50`. At most 64 characters."""

    __slots__ = ()


Json: TypeAlias = "bool | str | NumberText | list[Json] | dict[str, Json] | None"
Record: TypeAlias = Mapping[str, Json]
_T = TypeVar("_T")


class BadJson(ValueError):
    """The body is not acceptable JSON. `why` is for people and never quotes the body."""

    def __init__(self, why: str, *, too_large: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.too_large = too_large


class BadField(ValueError):
    """One field is missing or invalid. `field` is its wire name."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field} {why}")
        self.field = field
        self.why = why


def loads(body: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Json:
    """Return one parsed JSON document; raises BadJson."""
    text = _checked_text(body, max_bytes)
    if body.count(b"[") + body.count(b"{") > max_depth:
        _check_depth(text, max_depth)
    document: Json = None
    try:
        # An object without white space around it, as almost all bodies are, needs no search for that.
        end = 0
        if text[0] == "{" and text[-1] == "}":
            document, end = _DECODER.raw_decode(text)
        if end != len(text):
            document = _DECODER.decode(text)
    except json.JSONDecodeError as problem:
        raise BadJson(f"not JSON at character {problem.pos}") from None
    if b"\\u" in body:  # only an escape can bring NUL or a lone surrogate: raw ones are refused already
        _check_characters(document)
    return document


def elements(body: bytes, *, max_bytes: int, max_items: int) -> Iterator[tuple[Json, int]]:
    """Yield the elements of a long array, each with its length in characters; raises BadJson during iteration.

    The limits of `loads` apply, and an element has at most MAX_BYTES characters, so that the caller can yield to other
    tasks between two elements. The array itself counts as a level of the depth.
    """
    decoded = _checked_text(body, max_bytes)
    for count, (start, end) in enumerate(_spans(decoded)):
        if count >= max_items:
            raise BadJson(f"an array of more than {max_items} elements", too_large=True)
        if end - start > MAX_BYTES:
            raise BadJson(f"an element of more than {MAX_BYTES} characters", too_large=True)
        yield _element(decoded[start:end], start), end - start


def sorted_compact(body: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> bytes:
    """Return the JSON with keys sorted by code point and no white space outside strings; tokens are unchanged.

    Raises BadJson like `loads`, also for duplicate keys.
    """
    loads(body, max_bytes=max_bytes, max_depth=max_depth)
    return _compact(_PIECE.findall(body.decode("utf-8"))).encode("utf-8")


# --- fields -----------------------------------------------------------------------------------------------------


def record(document: Json, field: str = "body") -> dict[str, Json]:
    """Return the document as an object."""
    if not isinstance(document, dict):
        raise BadField(field, "must be an object")
    return document


def text(obj: Record, field: str, max_len: int = 128, *, min_len: int = 1) -> str:
    """Return a required JSON string of `min_len` to `max_len` characters."""
    value = obj.get(field)
    if value is None:
        raise _missing(obj, field)
    if type(value) is not str:  # a NumberText is no string
        raise BadField(field, "must be a string")
    if not min_len <= len(value) <= max_len:
        raise BadField(field, f"must have {min_len} to {max_len} characters")
    return value


def optional_text(obj: Record, field: str, max_len: int = 128, *, min_len: int = 1) -> str | None:
    """Return a JSON string as `text` does, or None if the field is absent or null."""
    return None if obj.get(field) is None else text(obj, field, max_len, min_len=min_len)


def integer(obj: Record, field: str, *, low: int, high: int) -> int:
    """Return a required JSON number without fraction or exponent, from `low` to `high` inclusive."""
    value = obj.get(field)
    if value is None:
        raise _missing(obj, field)
    if type(value) is not NumberText or not _INTEGER.fullmatch(value):
        raise BadField(field, "must be a whole number")
    number = int(value)
    if not low <= number <= high:
        raise BadField(field, f"must be from {low} to {high}")
    return number


def amount_text(obj: Record, field: str) -> str:
    """Return a required amount as exact text, from a JSON string or number. The caller checks its grammar."""
    value = obj.get(field)
    if value is None:
        raise _missing(obj, field)
    if not isinstance(value, str):
        raise BadField(field, "must be an amount")
    if not 0 < len(value) <= MAX_NUMBER:
        raise BadField(field, f"must have 1 to {MAX_NUMBER} characters")
    return str(value)


def boolean(obj: Record, field: str) -> bool:
    """Return a required boolean."""
    value = _required(obj, field)
    if not isinstance(value, bool):
        raise BadField(field, "must be true or false")
    return value


def mapping(obj: Record, field: str) -> dict[str, Json]:
    """Return a required object."""
    return record(_required(obj, field), field)


def listing(obj: Record, field: str, max_items: int = 1000) -> list[Json]:
    """Return a required array of at most `max_items`."""
    value = _required(obj, field)
    if not isinstance(value, list):
        raise BadField(field, "must be an array")
    if len(value) > max_items:
        raise BadField(field, f"must have at most {max_items} items")
    return value


def optional(read: Callable[[Record, str], _T], obj: Record, field: str) -> _T | None:
    """Apply one of the readers above to a field; return None if it is absent or null."""
    return None if obj.get(field) is None else read(obj, field)


def _required(obj: Record, field: str) -> Json:
    value = obj.get(field)
    if value is None:
        raise _missing(obj, field)
    return value


def _missing(obj: Record, field: str) -> BadField:
    return BadField(field, "must not be null" if field in obj else "is missing")


# --- reading ----------------------------------------------------------------------------------------------------

_INTEGER = re.compile(r"-?[0-9]+")
_BLANK = " \t\n\r"
# The string part never backtracks (possessive, closing quote optional), so a scan is linear in the size of any body.
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*+"?'
_BRACKET = re.compile(_STRING + r"|[\[\]{}]", re.DOTALL)
_PIECE = re.compile(_STRING + r'|[\[\]{}]|[^\s\[\]{},:"]+', re.DOTALL)  # commas and colons are written again
_STEPS: Mapping[str, int] = {"[": 1, "{": 1, "]": -1, "}": -1}
"""The change of depth at each bracket."""
_SEPARATOR = re.compile(_STRING + r"|[\[\]{},]", re.DOTALL)
_ODD_CHARACTER = re.compile("[\x00\ud800-\udfff]")


def _checked_text(body: bytes, max_bytes: int) -> str:
    if len(body) > max_bytes:
        raise BadJson(f"longer than {max_bytes} bytes", too_large=True)
    if not body:
        raise BadJson("empty")
    try:
        decoded = body.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise BadJson(f"not UTF-8 at byte {problem.start}") from None
    if decoded[0] == "\ufeff":
        raise BadJson("begins with a byte order mark")
    return decoded


def _number(literal: str) -> NumberText:
    if len(literal) > MAX_NUMBER:
        raise BadJson(f"a number of more than {MAX_NUMBER} characters")
    return NumberText(literal)


def _no_constant(_name: str) -> NoReturn:
    raise BadJson("NaN and Infinity are not JSON")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadJson("a key occurs twice in one object")
    return members


# The C scanner passes each number as text before any conversion: long digits cost only a slice.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_number, parse_float=_number, parse_constant=_no_constant
)


def _check_depth(decoded: str, max_depth: int) -> None:
    steps = map(_STEPS.get, _BRACKET.findall(decoded), repeat(0))
    if max(accumulate(steps)) > max_depth:
        raise BadJson(f"nested deeper than {max_depth}")


def _spans(decoded: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each element of the array. Only brackets are counted; elements are not parsed."""
    begin, depth = -1, 0
    for match in _SEPARATOR.finditer(decoded):
        mark = match.group()
        if mark in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise BadJson(f"nested deeper than {MAX_DEPTH}")
            if begin < 0:
                begin = _opening(decoded, match)
        elif begin < 0:
            break
        elif mark in "]}":
            depth -= 1
            if depth == 0:
                yield from _last_span(decoded, begin, match)
                return
        elif mark == "," and depth == 1:
            yield begin, match.start()
            begin = match.end()
    raise BadJson("not an array")


def _opening(decoded: str, match: re.Match[str]) -> int:
    """Return the start of the first element."""
    if match.group() != "[" or decoded[: match.start()].strip(_BLANK):
        raise BadJson("not an array")
    return match.end()


def _last_span(decoded: str, begin: int, match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Yield the last element, unless the array is empty; raises BadJson for text behind the array."""
    if match.group() != "]" or decoded[match.end() :].strip(_BLANK):
        raise BadJson(f"not JSON at character {match.start()}")
    alone = decoded.find("[") + 1 == begin
    if not (alone and not decoded[begin : match.start()].strip(_BLANK)):
        yield begin, match.start()


def _element(piece: str, start: int) -> Json:
    try:
        document: Json = _DECODER.decode(piece)
    except json.JSONDecodeError as problem:
        raise BadJson(f"not JSON at character {start + problem.pos}") from None
    if "\\u" in piece:
        _check_characters(document)
    return document


def _check_characters(document: Json) -> None:
    open_values = [document]
    while open_values:
        value = open_values.pop()
        if isinstance(value, str):
            if _ODD_CHARACTER.search(value):
                raise BadJson("a string holds NUL or half a surrogate pair")
        elif isinstance(value, dict):
            open_values += value.keys()
            open_values += value.values()
        elif isinstance(value, list):
            open_values += value


# --- the sorted compact form of a document that `loads` has accepted --------------------------------------------


def _compact(pieces: Iterable[str]) -> str:
    """Compact without recursion: unauthenticated peers may send 64 KB."""
    outer: list[list[str]] = []
    inner: list[str] = []
    for piece in pieces:
        if piece in "[{":
            outer.append(inner)
            inner = []
        elif piece in "]}":
            made = _compact_object(inner) if piece == "}" else "[" + ",".join(inner) + "]"
            inner = outer.pop()
            inner.append(made)
        else:
            inner.append(piece)
    return inner[0]


def _compact_object(pieces: list[str]) -> str:
    """Compact an object from its alternating keys and values."""
    if len(pieces) < 4:  # nothing to sort; bodies of many small objects cost the most
        return "{" + ":".join(pieces) + "}"
    members = {
        json.loads(key) if "\\" in key else key[1:-1]: f"{key}:{value}"
        for key, value in zip(pieces[::2], pieces[1::2], strict=True)
    }
    return "{" + ",".join(members[name] for name in sorted(members)) + "}"
