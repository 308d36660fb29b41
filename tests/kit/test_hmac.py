"""The signature's two vectors from provider.md 1.5, and the comparison."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.kit import hmac

SECRET = "demo-provider-secret"
TAIL = [b"3f0c8d52-6f0e-4a53-9b1c-0f6f3a2f7c11", b"1760000000123", b"0b5d1f7a9c2e4d6f8a1b3c5d7e9f0a2b"]
BODY = b'{"betAmount":"12.50","betId":"b-1001","gameRoundId":"r-77","sessionId":"s-abc"}'


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([BODY, *TAIL], "242272a3b3cf717211c29d763d3dfb121efe5d7286a969ef6af5d393db65fb2e"),
        (TAIL, "407997d491f2ed866d3cfb7cfa87fbad58a4e8e321d9b1b3344f368983818b30"),
    ],
)
def test_signs_the_vectors_of_the_contract(parts: list[bytes], expected: str) -> None:
    assert hmac.sign(SECRET, parts) == expected


def test_the_secret_is_utf8_text() -> None:
    assert hmac.sign("gehéim", [b"a"]) != hmac.sign("geheim", [b"a"])


@given(st.text(), st.text())
def test_equal_is_equality_for_any_characters(a: str, b: str) -> None:
    assert hmac.equal(a, b) == (a == b)
    assert hmac.equal(a, a)


def test_half_a_surrogate_pair_from_a_header_does_not_break_the_comparison() -> None:
    assert not hmac.equal("\udcff", "ff")
