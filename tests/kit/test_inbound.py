"""How peers write the two headers that are read apart: RFC 9110 and no more."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from croupier.kit.inbound import WrongType, bearer_of, require_json

TOKEN = "e30.e30.AAE_-w"


def request(*headers: tuple[bytes, bytes]) -> Request:
    return Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": list(headers)})


@pytest.mark.parametrize(
    "told", ["Bearer X", "bearer X", "BEARER X", "Bearer  X", "bEaReR \tX", " Bearer X ", "Bearer X\t"]
)
def test_a_bearer_in_every_lawful_spelling(told: str) -> None:
    """Schemes have no case, and white space around a value or between its parts says nothing."""
    assert bearer_of(request((b"authorization", told.replace("X", TOKEN).encode()))) == TOKEN


@pytest.mark.parametrize(
    "told",
    ["", "Bearer", "Bearer ", "X", "Basic X", "BearerX", "Bearer X X", "Bearer X,", "Bearer X\x00", "Bearer\x0bX",
     "Bearer \xa0X", "Bearer:X", "Bearer X;a=b"],
)  # fmt: skip
def test_what_is_none(told: str) -> None:
    assert bearer_of(request((b"authorization", told.replace("X", TOKEN).encode("latin-1")))) is None


def test_two_headers_are_none() -> None:
    one = (b"authorization", f"Bearer {TOKEN}".encode())
    assert bearer_of(request(one, one)) is None
    assert bearer_of(request()) is None


JSON = [
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    " application/json ;charset=UTF-8",
    "application/json\t",
]


@pytest.mark.parametrize("kind", JSON)
def test_json_in_every_lawful_spelling(kind: str) -> None:
    require_json(request((b"content-type", kind.encode())))


@pytest.mark.parametrize(
    "kinds", [[], [""], ["text/json"], ["application/json\x0b"], ["application/jsonx"], ["application/json"] * 2]
)
def test_what_is_not_declared_as_json_once(kinds: list[str]) -> None:
    with pytest.raises(WrongType):
        require_json(request(*((b"content-type", kind.encode()) for kind in kinds)))
