"""What is plain is read as the strict reader reads it; whatever is not is left to that one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from croupier.kit import plain_json, strictjson


class Form(msgspec.Struct):
    """Two members, one of them an amount."""

    name: str
    amount: msgspec.Raw


FORM = msgspec.json.Decoder(Form)


def plainly(body: bytes) -> dict[str, Any] | None:
    told = plain_json.decoded(FORM, body)
    if told is None or not plain_json.has_only(body, 2):
        return None
    return {"name": told.name, "amount": plain_json.amount(told.amount)}


@pytest.mark.parametrize("amount", ['"1.50"', "1.50", "0", "-1", "1e5", '""', "1" * 60, "true", "null"])
@pytest.mark.parametrize("form", ['{"name":"a","amount":%s}', ' {\t"amount" : %s,\r\n"name": "a" } '])
def test_what_is_plain_is_read_as_the_strict_reader_reads_it(form: str, amount: str) -> None:
    body = (form % amount).encode()
    strict = strictjson.record(strictjson.loads(body))
    wanted = strict["amount"] if isinstance(strict["amount"], str) else amount
    assert plainly(body) == {"name": "a", "amount": wanted}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b"null", b'{"name":"a"}', b'{"amount":1}', b'{"name":null,"amount":1}', b'{"name":1,"amount":1}',
        b'{"name":"a","amount":1,"amount":2}', b'{"name":"a","name":"a","amount":1}', b'{"name":"a","amount":1,"more":1}',
        b'{"name":"a","amount":1,"":1}', b'{"name":"a:b","amount":1}', b'{"name":"a","amount":{"b":1}}',
        b'{"name":"a\\u0062","amount":1}', b'{"nam\\u0065":"a","amount":1}', b'{"name":"\\ud800","amount":1}',
        b'{"name":"\\u0000","amount":1}', b'{"name":"\\"","amount":1}', b'{"name":"\xc3\xa9","amount":1}',
        b'{"name":"\xff","amount":1}', b'\xef\xbb\xbf{"name":"a","amount":1}', b'{"name":"a","amount":1}x',
        b'{"name":"a","amount":1}{}', b'{"name":"a","amount":1,}', b'{"name":"a","amount":01}', b'{"name":"a","amount":1.}',
        b'{"name":"a","amount":+1}', b'{"name":"a","amount":NaN}', b'{"name":"a","amount":Infinity}', b"{'name':'a','amount':1}",
        b'{"name":"a\nb","amount":1}', b'{"name":"a\x00","amount":1}', b'{"name":"a","amount":1}\x00', b'\x0b{"name":"a","amount":1}',
        b'{"name":"a","amount":1}' + b" " * 1024, b'{"name":"' + b"a" * 1024 + b'","amount":1}', b"[" * 900,
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_strict_reader(body: bytes) -> None:
    assert plainly(body) is None
