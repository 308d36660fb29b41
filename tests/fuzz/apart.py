"""A second reader of everything that peers send, written from the contract alone and sharing no code with the hub.

Slow and plain: one character after the other, no library, no pattern. What the hub takes must be what this reads, and
what this reads the hub must take.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from tests.fuzz.stopwatch import not_counted

MAX_ID = 2**53 - 1
MAX_CODE = 2**31 - 1
DIGITS = "0123456789"
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""Letters and marks that cannot be seen; the variation selectors are told apart by their numbers."""


class NotReadable(Exception):
    """The bytes do not say it."""


class Number(str):
    """A JSON number, its characters kept."""

    __slots__ = ()


# --- JSON -----------------------------------------------------------------------------------------------------------


@not_counted
def parse(body: bytes, limit: int = 65536) -> Any:
    """One document; raises NotReadable."""
    if len(body) > limit:
        raise NotReadable
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise NotReadable from None
    reader = _Reader(text)
    value = reader.value(0)
    reader.blank()
    if reader.at != len(text):
        raise NotReadable
    return value


class _Reader:
    """A walk over the characters."""

    def __init__(self, text: str) -> None:
        self.text = text + "\0"  # a character that ends every token
        self.at = 0

    def blank(self) -> None:
        while self.text[self.at] in " \t\n\r":
            self.at += 1

    def take(self, character: str) -> bool:
        if self.text[self.at] != character or self.at == len(self.text) - 1:
            return False
        self.at += 1
        return True

    def must(self, word: str) -> None:
        if not self.text.startswith(word, self.at):
            raise NotReadable
        self.at += len(word)

    def value(self, depth: int) -> Any:
        self.blank()
        first = self.text[self.at]
        if first == "{":
            return self.object(depth + 1)
        if first == "[":
            return self.array(depth + 1)
        if first == '"':
            return self.string()
        for word, meaning in (("true", True), ("false", False), ("null", None)):
            if first == word[0]:
                self.must(word)
                return meaning
        return self.number()

    def object(self, depth: int) -> dict[str, Any]:
        if depth > 32:
            raise NotReadable
        self.must("{")
        found: dict[str, Any] = {}
        self.blank()
        if self.take("}"):
            return found
        while True:
            self.blank()
            name = self.string()
            self.blank()
            self.must(":")
            if name in found:
                raise NotReadable
            found[name] = self.value(depth)
            self.blank()
            if self.take("}"):
                return found
            self.must(",")

    def array(self, depth: int) -> list[Any]:
        if depth > 32:
            raise NotReadable
        self.must("[")
        found: list[Any] = []
        self.blank()
        if self.take("]"):
            return found
        while True:
            found.append(self.value(depth))
            self.blank()
            if self.take("]"):
                return found
            self.must(",")

    def string(self) -> str:
        self.must('"')
        parts: list[str] = []
        while True:
            character = self.text[self.at]
            self.at += 1
            if character == '"':
                return self.whole("".join(parts))
            if character == "\\":
                parts.append(self.escape())
            elif character < " ":
                raise NotReadable
            else:
                parts.append(character)

    def escape(self) -> str:
        letter = self.text[self.at]
        self.at += 1
        if letter != "u":
            plain = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
            if letter not in plain:
                raise NotReadable
            return plain[letter]
        digits = self.text[self.at : self.at + 4]
        if len(digits) != 4 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
            raise NotReadable
        self.at += 4
        return chr(int(digits, 16))

    @staticmethod
    def whole(text: str) -> str:
        """The text, its pairs of surrogates joined; none may be alone, and there is no NUL."""
        try:
            joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            raise NotReadable from None
        if "\0" in joined:
            raise NotReadable
        return joined

    def number(self) -> Number:
        start = self.at
        self.take("-")
        if not self.take("0") and not self.digits():
            raise NotReadable
        if self.take(".") and not self.digits():
            raise NotReadable
        if self.take("e") or self.take("E"):
            _ = self.take("+") or self.take("-")
            if not self.digits():
                raise NotReadable
        if self.at - start > 64:
            raise NotReadable
        return Number(self.text[start : self.at])

    def digits(self) -> bool:
        start = self.at
        while self.text[self.at] in DIGITS:
            self.at += 1
        return self.at > start


@not_counted
def same(ours: object, theirs: object) -> bool:
    """Whether two readings agree: values, kinds, order of keys, a number's own characters."""
    if isinstance(ours, Number):
        return type(theirs).__name__ == "NumberText" and str(theirs) == str(ours)
    if isinstance(ours, dict):
        return (
            isinstance(theirs, dict)
            and list(ours) == list(theirs)
            and all(same(value, theirs[name]) for name, value in ours.items())
        )
    if isinstance(ours, list):
        return isinstance(theirs, list) and len(ours) == len(theirs) and all(map(same, ours, theirs))
    return type(ours) is type(theirs) and ours == theirs


# --- fields ---------------------------------------------------------------------------------------------------------


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, Number)


def a_text(value: object, most: int = 128) -> str:
    if not _is_text(value) or not 1 <= len(str(value)) <= most:
        raise NotReadable
    return str(value)


def a_ref(value: object) -> str:
    text = a_text(value)
    if any(map(_unseen, text)) or text != text.strip():
        raise NotReadable
    return text


def _unseen(c: str) -> bool:
    odd = unicodedata.category(c) in UNSEEN or c in BLANK or (c.isspace() and c != " ")
    selector = "\u180b" <= c <= "\u180f" or "\ufe00" <= c <= "\ufe0f" or "\U000e0000" <= c <= "\U000e0fff"
    ignored = c == "\u2065" or "\ufff0" <= c <= "\ufffd"
    return odd or selector or ignored or "\ufdd0" <= c <= "\ufdef" or ord(c) & 0xFFFE == 0xFFFE


def a_casinos_ref(value: object) -> str:
    """The same, or a whole number, which is its digits."""
    if isinstance(value, Number) and len(value) <= 64 and not set(value) - set(DIGITS):
        return str(value)
    return a_ref(value)


def a_whole(value: object, low: int, high: int) -> int:
    if not isinstance(value, Number) or not value.removeprefix("-").isdecimal() or not low <= int(value) <= high:
        raise NotReadable
    return int(value)


def an_amount(value: object) -> str:
    if not isinstance(value, str):
        raise NotReadable
    whole, point, decimals = value.partition(".")
    for digits, most in ((whole, 15), *([(decimals, 8)] if point else [])):
        if not 1 <= len(digits) <= most or any(digit not in DIGITS for digit in digits):
            raise NotReadable
    return str(value)


@not_counted
def minor_units(text: str, decimals: int) -> int:
    """An amount in minor units of a currency with so many decimals."""
    exact = Decimal(an_amount(text)).scaleb(decimals)
    if exact != int(exact) or exact > 10**17:
        raise NotReadable
    return int(exact)


def an_object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NotReadable
    return value


# --- providers ------------------------------------------------------------------------------------------------------


def bet_call(body: bytes, session: str, *names: str) -> tuple[str, ...]:
    """The fields of a bet call, in the order of the names."""
    fields = an_object(parse(body))
    if fields.get("sessionId") is not None and a_ref(fields["sessionId"]) != session:
        raise NotReadable
    return tuple((an_amount if name.endswith("Amount") else a_ref)(fields.get(name)) for name in names)


@not_counted
def signed(
    headers: Sequence[tuple[bytes, bytes]], body: bytes, secrets: Sequence[str], now_ms: int, fresh_ms: int
) -> bool:
    """Whether the holder of one of the secrets signed this, just now."""
    names = (b"x-counterparty-id", b"x-timestamp", b"x-request-id", b"x-sign")
    found = [[value.strip(b" \t") for name, value in headers if name.lower() == wanted] for wanted in names]
    if any(len(values) != 1 for values in found):
        return False
    who, when, which, sign = (values[0] for values in found)
    if not when.isdigit() or len(when) > 15 or when.startswith(b"0") or abs(int(when) - now_ms) > fresh_ms:
        return False
    if len(which) != 32 or not set(which.lower()) <= set(b"0123456789abcdef") or not 1 <= len(who) <= 64:
        return False
    forms = [body, *_sorted_form(body)]
    return any(_hmac(secret, form, (who, when, which)) == sign for secret in secrets for form in forms)


def _hmac(secret: str, body: bytes, rest: tuple[bytes, ...]) -> bytes:
    signed_text = b".".join([body, *rest] if body else rest)
    return hmac.new(secret.encode(), signed_text, hashlib.sha256).hexdigest().encode()


def _sorted_form(body: bytes) -> Iterator[bytes]:
    try:
        parse(body)
    except NotReadable:
        return
    yield _sorted(_Pieces(body.decode()).value()).encode()


class _Pieces(_Reader):
    """The same walk, keeping the source of every scalar and key."""

    def value(self, depth: int = 0) -> Any:
        self.blank()
        start = self.at
        found = super().value(depth)
        return found if isinstance(found, dict | list) else ("scalar", self.text[start : self.at])

    def object(self, depth: int) -> dict[str, Any]:
        self.must("{")
        found: dict[str, Any] = {}
        self.blank()
        while not self.take("}"):
            self.take(",")
            self.blank()
            start = self.at
            name = self.string()
            source = self.text[start : self.at]
            self.blank()
            self.must(":")
            found[name] = (source, self.value(depth))
            self.blank()
        return found


def _sorted(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{value[name][0]}:{_sorted(value[name][1])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_sorted, value)) + "]"
    return str(value[1])


# --- casinos --------------------------------------------------------------------------------------------------------


def envelope(body: bytes) -> tuple[int, str | None, Any]:
    """ErrorCode, Message and Value."""
    fields = an_object(parse(body))
    message = fields.get("Message")
    if message is not None and not _is_text(message):
        raise NotReadable
    return a_whole(fields.get("ErrorCode"), -MAX_CODE, MAX_CODE), message, fields.get("Value")


def payment(value: object, id_name: str, types: Sequence[int]) -> tuple[int, str, str, int, str, str | None]:
    """Id, player, the casino's own id, TransactionType, Amount, TaxAmount of a payment that is wholly stated."""
    fields = an_object(value)
    tax = fields.get("TaxAmount")
    kind = a_whole(fields.get("TransactionType"), -MAX_CODE, MAX_CODE)
    if kind not in types:
        raise NotReadable
    return (
        a_whole(fields.get(id_name), 0, MAX_ID),
        a_casinos_ref(fields.get("PartnerUserId")),
        a_casinos_ref(fields.get("PartnerTransactionId")),
        kind,
        an_amount(fields.get("Amount")),
        None if tax is None else an_amount(tax),
    )
