"""The studio's signatures against the vectors of the contract, and its gate."""

import pytest

from croupier.sandbox.studio_signing import RequestVerifier, compact, signature, signed_headers

SECRET = "demo-provider-secret"
WHO = "3f0c8d52-6f0e-4a53-9b1c-0f6f3a2f7c11"
NOW_MS = 1760000000123
REQUEST = "0b5d1f7a9c2e4d6f8a1b3c5d7e9f0a2b"
BODY = b'{"betAmount":"12.50","betId":"b-1001","gameRoundId":"r-77","sessionId":"s-abc"}'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (BODY, "242272a3b3cf717211c29d763d3dfb121efe5d7286a969ef6af5d393db65fb2e"),
        (b"", "407997d491f2ed866d3cfb7cfa87fbad58a4e8e321d9b1b3344f368983818b30"),
    ],
)
def test_the_vectors_of_the_contract(body: bytes, expected: str) -> None:
    assert signature(SECRET, counterparty=WHO, timestamp=str(NOW_MS), request_id=REQUEST, body=body) == expected


def test_what_is_sent_is_compact_with_sorted_keys() -> None:
    sent = {"sessionId": "s-abc", "gameRoundId": "r-77", "betId": "b-1001", "betAmount": "12.50"}
    assert compact(sent) == BODY


def _problem(gate: RequestVerifier, change: dict[str, str], *, now_ms: int = NOW_MS, body: bytes = BODY) -> str | None:
    made = signed_headers(SECRET, counterparty=WHO, now_ms=NOW_MS, request_id=REQUEST, body=BODY)
    headers = {name.lower(): value for name, value in made.items()} | change
    return gate.problem(headers, body, counterparty=WHO, secret=SECRET, now_ms=now_ms)


def test_the_gate_lets_in_what_the_hub_signed_once() -> None:
    gate = RequestVerifier()
    assert _problem(gate, {}) is None
    assert _problem(gate, {}) == "the request id came before"


@pytest.mark.parametrize(
    ("change", "now_ms", "body"),
    [
        ({"x-sign": "0" * 64}, NOW_MS, BODY),
        ({"x-counterparty-id": "another"}, NOW_MS, BODY),
        ({"x-request-id": REQUEST.upper()}, NOW_MS, BODY),
        ({"x-timestamp": "1760000000"}, NOW_MS, BODY),
        ({}, NOW_MS + 30_001, BODY),
        ({}, NOW_MS - 30_001, BODY),
        ({}, NOW_MS, BODY + b" "),
        ({}, NOW_MS, b""),
    ],
)
def test_the_gate_stays_shut(change: dict[str, str], now_ms: int, body: bytes) -> None:
    assert _problem(RequestVerifier(), change, now_ms=now_ms, body=body) is not None
