"""Only the holder of a valid secret, over these bytes, within the window, is believed (provider.md 1.1 to 1.4)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.kit import hmac
from croupier.kit.strictjson import sorted_compact
from croupier.providers.betcore_v1 import signing
from croupier.providers.betcore_v1.signing import Claim, Unverified, Verified, read_claim, sign, verify

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors/betcore_v1/signing.json").read_text(encoding="utf-8")
)
NOW_MS = 1_760_000_000_123
REAL_SIGN = hmac.sign
REQUEST_ID = "0b5d1f7a9c2e4d6f8a1b3c5d7e9f0a2b"
COUNTERPARTY = "3f0c8d52-6f0e-4a53-9b1c-0f6f3a2f7c11"

secret_texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
request_ids = st.text(alphabet="0123456789abcdef", min_size=32, max_size=32)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abéz🎰", max_size=3), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers the way an ASGI server hands them over."""
    return [(b"host", b"hub.example"), *((name.lower().encode(), value.encode()) for name, value in headers.items())]


def signed(secret: str, body: bytes | None, timestamp_ms: int = NOW_MS) -> list[tuple[bytes, bytes]]:
    return raw(sign(secret, COUNTERPARTY, body, timestamp_ms=timestamp_ms, request_id=REQUEST_ID))


def judge(
    secrets: list[str], headers: list[tuple[bytes, bytes]], body: bytes | None, now_ms: int = NOW_MS
) -> Verified | Unverified:
    claim = read_claim(headers)
    return claim if isinstance(claim, Unverified) else verify(secrets, claim, body, now_ms=now_ms, fresh_s=30.0)


def believed(secrets: list[str], headers: list[tuple[bytes, bytes]], body: bytes | None, now_ms: int = NOW_MS) -> bool:
    return isinstance(judge(secrets, headers, body, now_ms), Verified)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
class TestVectors:
    """Signatures computed by another program, byte for byte."""

    def test_what_we_send_carries_the_signature(self, vector: dict[str, Any]) -> None:
        body = None if vector["body"] is None else vector["body"].encode()
        headers = sign(
            vector["secret"],
            vector["counterpartyId"],
            body,
            timestamp_ms=vector["timestampMs"],
            request_id=vector["requestId"],
        )
        assert headers == {
            "X-Counterparty-Id": vector["counterpartyId"],
            "X-Timestamp": str(vector["timestampMs"]),
            "X-Request-Id": vector["requestId"],
            "X-Sign": vector["sign"],
        }

    def test_what_we_receive_is_believed_by_either_form(self, vector: dict[str, Any]) -> None:
        body = None if vector["body"] is None else vector["body"].encode()
        for signature in (vector["sign"], vector.get("signOfSortedCompact", vector["sign"])):
            headers = raw(
                {
                    "X-Counterparty-Id": vector["counterpartyId"],
                    "X-Timestamp": str(vector["timestampMs"]),
                    "X-Request-Id": vector["requestId"],
                    "X-Sign": signature,
                }
            )
            wanted = Verified(vector["counterpartyId"], vector["requestId"].lower(), vector["timestampMs"])
            assert judge([vector["secret"]], headers, body) == wanted

    def test_the_sorted_compact_form_is_the_one_written_by_hand(self, vector: dict[str, Any]) -> None:
        if vector["body"] is not None:
            assert sorted_compact(vector["body"].encode()) == vector["sortedCompact"].encode()


def test_no_bytes_are_no_body() -> None:
    assert signed("s", b"") == signed("s", None)
    assert believed(["s"], signed("s", None), b"")


def test_two_secrets_are_valid_at_once_and_a_third_is_not() -> None:
    for secret in ("old", "new"):
        assert believed(["old", "new"], signed(secret, b"{}"), b"{}")
    assert not believed(["old", "new"], signed("older", b"{}"), b"{}")


def test_nobody_is_believed_without_a_secret_not_even_with_the_stand_in() -> None:
    assert not believed([], signed(signing._STAND_IN_SECRET, b"{}"), b"{}")
    assert not believed(["s"], signed(signing._STAND_IN_SECRET, b"{}"), b"{}")


@pytest.mark.parametrize("body", [b'{"b":1,"a":2}', b"not json", None])
def test_a_failure_costs_the_same_signatures_whoever_is_asked_for(
    body: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown counterparty, one secret or two: the same number of computations over the same bytes."""
    headers = signed("wrong", body)
    costs = []
    for secrets in ([], ["one"], ["one", "two"]):
        seen: list[list[bytes]] = []

        def counted(secret: str, parts: list[bytes], seen: list[list[bytes]] = seen) -> str:
            seen.append(parts)
            return REAL_SIGN(secret, parts)

        with monkeypatch.context() as patch:
            patch.setattr(signing.hmac, "sign", counted)
            verdict = judge(secrets, headers, body)
        costs.append((seen, verdict))
    assert len(costs[0][0]) == 4
    assert costs[0] == costs[1] == costs[2]


def test_staleness_does_not_tell_who_exists() -> None:
    """The window differs between counterparties, so it is looked at only after the signature."""
    stale = signed("wrong", b"{}", NOW_MS - 10**7)
    assert judge(["s"], stale, b"{}") == judge([], stale, b"{}")


@pytest.mark.parametrize(("late_ms", "fresh"), [(0, True), (30_000, True), (30_001, False), (-30_000, True), (-30_001, False)])  # fmt: skip
def test_the_window_is_open_to_both_sides(late_ms: int, fresh: bool) -> None:
    assert believed(["s"], signed("s", b"{}"), b"{}", NOW_MS + late_ms) is fresh


@pytest.mark.parametrize("name", [b"x-counterparty-id", b"x-timestamp", b"x-request-id", b"x-sign"])
class TestHeaders:
    def test_a_missing_one_fails(self, name: bytes) -> None:
        headers = [(key, value) for key, value in signed("s", b"{}") if key != name]
        assert isinstance(read_claim(headers), Unverified)

    def test_a_repeated_one_fails_even_with_the_same_value(self, name: bytes) -> None:
        headers = signed("s", b"{}")
        again = next(pair for pair in headers if pair[0] == name)
        assert isinstance(read_claim([*headers, (again[0].upper(), again[1])]), Unverified)

    def test_the_name_is_read_in_any_case(self, name: bytes) -> None:
        headers = [(key.upper() if key == name else key, value) for key, value in signed("s", b"{}")]
        assert believed(["s"], headers, b"{}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"x-timestamp", b""),
        (b"x-timestamp", b"-1760000000123"),
        (b"x-timestamp", b"+1760000000123"),
        (b"x-timestamp", b"1760000000123.0"),
        (b"x-timestamp", b"1.76e12"),
        (b"x-timestamp", b"01760000000123"),
        (b"x-timestamp", b"1_760_000_000_123"),
        (b"x-timestamp", b"176 0000000123"),
        (b"x-timestamp", b"1760000000123\n"),
        (b"x-timestamp", b"1760000000123\x0b"),
        (b"x-timestamp", b"\xa01760000000123"),
        (b"x-timestamp", "١٧٦٠".encode()),
        (b"x-timestamp", b"9" * 10_000),
        (b"x-request-id", REQUEST_ID[:-1].encode()),
        (b"x-request-id", REQUEST_ID.encode() + b"0"),
        (b"x-request-id", b"g" * 32),
        (b"x-request-id", b"0b5d1f7a-9c2e-4d6f-8a1b-3c5d7e9f0a2b"),
        (b"x-sign", b"A" * 64),
        (b"x-sign", b"a" * 63),
        (b"x-sign", b"\xff" * 64),
        (b"x-counterparty-id", b""),
        (b"x-counterparty-id", b"a.b"),
        (b"x-counterparty-id", b"a b"),
        (b"x-counterparty-id", b"\x00"),
        (b"x-counterparty-id", b"\xc3\xa9"),
        (b"x-counterparty-id", b"x" * 65),
    ],
)
def test_a_malformed_header_fails(name: bytes, value: bytes) -> None:
    headers = [(key, value if key == name else old) for key, old in signed("s", b"{}")]
    assert isinstance(read_claim(headers), Unverified)


@pytest.mark.parametrize("name", [b"x-counterparty-id", b"x-timestamp", b"x-request-id", b"x-sign"])
@pytest.mark.parametrize(("before", "behind"), [(b" ", b""), (b"", b" "), (b"\t ", b" \t"), (b"", b"   ")])
def test_white_space_around_a_value_is_no_part_of_it(name: bytes, before: bytes, behind: bytes) -> None:
    """RFC 9110 5.5: a proxy may add it, and some hosts send it."""
    headers = [(key, before + old + behind if key == name else old) for key, old in signed("s", b"{}")]
    assert believed(["s"], headers, b"{}")


def test_a_good_signature_that_is_only_old_is_told_apart_from_a_bad_one() -> None:
    for at_ms, why in (
        (NOW_MS - 31_000, "the signature is good, but the timestamp is 31.0 s old"),
        (NOW_MS + 31_500, "the signature is good, but the timestamp is 31.5 s ahead"),
        (NOW_MS // 1000, "the signature is good, but the timestamp is in seconds, not milliseconds"),
    ):
        assert judge(["s"], signed("s", b"{}", at_ms), b"{}") == Unverified(why, signed=True)
    assert judge(["s"], signed("wrong", b"{}", NOW_MS - 31_000), b"{}") == Unverified("the signature does not match")


def test_the_log_line_never_quotes_what_was_sent() -> None:
    refused = read_claim([(b"x-timestamp", b"planted-secret")])
    assert isinstance(refused, Unverified)
    assert "planted" not in refused.why


@given(
    secret=secret_texts, body=st.binary(max_size=200) | st.none(), request_id=request_ids, at=st.integers(1, 10**15 - 1)
)
def test_what_we_sign_we_believe(secret: str, body: bytes | None, request_id: str, at: int) -> None:
    headers = raw(sign(secret, COUNTERPARTY, body, timestamp_ms=at, request_id=request_id))
    assert judge([secret], headers, body, at) == Verified(COUNTERPARTY, request_id, at)


@given(document=json_values)
def test_a_body_re_encoded_on_the_way_is_still_believed(document: Any) -> None:
    """The provider signed the sorted compact form; a proxy wrote the same JSON with spaces and keys as they came."""
    sent = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    arrived = json.dumps(document, indent=1, ensure_ascii=False).encode()
    assert believed(["s"], signed("s", sent), arrived)


@given(body=st.binary(min_size=1, max_size=60), other=st.binary(min_size=1, max_size=60))
def test_other_bytes_are_not_believed(body: bytes, other: bytes) -> None:
    claim = read_claim(signed("s", body))
    assert isinstance(claim, Claim)
    same = other == body or signing._sorted_compact(other) == body
    assert isinstance(verify(["s"], claim, other, now_ms=NOW_MS, fresh_s=30), Verified) is same


@given(headers=st.lists(st.tuples(st.sampled_from([b"x-sign", b"X-Timestamp", b"x-request-id", b"x-counterparty-id", b"x"]), st.binary(max_size=70)), max_size=6), body=st.binary(max_size=60))  # fmt: skip
def test_any_headers_and_bytes_give_a_verdict(headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    assert isinstance(judge(["s"], headers, body), Unverified)


@pytest.mark.parametrize("odd", [b"", b" ", b"\t", b".", b"g", b"G", b"a b", b"\xff", b"\n", b"0" * 33])
@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("at_end", [False, True])
def test_four_headers_at_once_are_read_as_one_by_one(odd: bytes, place: int, at_end: bool) -> None:
    """White space around a value is for the reader of single headers; whatever else the first one takes, it takes too."""
    headers = signed("s", b"{}")
    name, value = headers[place]
    headers[place] = (name, value + odd if at_end else odd + value)
    ours = [(key, text) for key, text in headers if key != b"host"]
    assert read_claim(headers) == signing._read_singly(ours)


def test_a_valid_signature_is_looked_for_no_longer_than_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[str] = []
    monkeypatch.setattr(signing.hmac, "sign", lambda secret, parts: computed.append(secret) or REAL_SIGN(secret, parts))
    for secret, expected in (("new", ["new"]), ("old", ["new", "old"])):
        headers = signed(secret, b"{}")
        computed.clear()
        assert believed(["new", "old"], headers, b"{}")
        assert computed == expected
