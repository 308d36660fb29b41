"""A snapshot comes out of the channel's forms as it went in, and what is none is refused."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.feed.carried import MOST_BYTES, Assembly, NotCarried, from_bytes, to_bytes, to_texts
from croupier.feed.snapshot import Snapshot
from croupier.store.notifications import MAX_PAYLOAD

LARGE = Snapshot(23, 7, 1_700_000_000_000, {"wgi": [{"i": n, "res": os.urandom(40).hex()} for n in range(1000)]})
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
SNAPSHOTS = st.builds(
    Snapshot,
    st.integers(0, 2**31 - 1), st.integers(0, 2**53), st.integers(0, 2**53), st.dictionaries(TEXT, VALUES, max_size=5),
)  # fmt: skip


@pytest.mark.slow
@given(SNAPSHOTS)
def test_it_comes_out_as_it_went_in(snapshot: Snapshot) -> None:
    assert from_bytes(to_bytes(snapshot)) == snapshot
    assembly = Assembly()
    texts = to_texts(snapshot, 120)
    taken = [assembly.take(text) for text in texts]
    assert taken == [None] * (len(texts) - 1) + [snapshot]


def test_a_large_one_goes_in_parts_that_a_notification_holds() -> None:
    texts = to_texts(LARGE, MAX_PAYLOAD)
    assert len(texts) > 3
    assert max(len(text.encode()) for text in texts) <= MAX_PAYLOAD
    assembly = Assembly()
    assert [assembly.take(text) for text in texts][-1] == LARGE


def test_parts_of_two_game_types_may_be_mixed() -> None:
    other = Snapshot(3, 9, LARGE.made_ms, LARGE.argument)
    assembly = Assembly()
    pairs = zip(to_texts(LARGE, MAX_PAYLOAD), to_texts(other, MAX_PAYLOAD), strict=True)
    taken = [assembly.take(text) for pair in pairs for text in pair]
    assert taken[-2:] == [LARGE, other]


@pytest.mark.parametrize("missing", [0, 1, -1])
def test_what_lost_a_part_is_forgotten_and_the_next_one_is_whole(missing: int) -> None:
    """A listener that begins in the middle of a snapshot, or a part that was not delivered."""
    texts = to_texts(LARGE, MAX_PAYLOAD)
    del texts[missing]
    assembly = Assembly()
    assert {assembly.take(text) for text in texts} == {None}
    following = Snapshot(23, 8, LARGE.made_ms, {"im": True})
    assert [assembly.take(text) for text in to_texts(following, MAX_PAYLOAD)] == [following]


@pytest.mark.parametrize(
    "text", ["", "hello", "3.1 0 1 !!!", "3.1 0 1 aGVsbG8=", "3.1 x 1 a", "3.1 0 1 a b", "3.1 -1 1 a", "3.1 0 1 eJw="]
)
def test_what_is_no_snapshot_is_refused(text: str) -> None:
    with pytest.raises(NotCarried):
        Assembly().take(text)


@pytest.mark.parametrize("data", [b"", b"{}", b"[1,2,3]", b'[1,2,"3",{}]', b"\xff", b"[" * 100_000])
def test_bytes_that_are_no_snapshot_are_refused(data: bytes) -> None:
    with pytest.raises(NotCarried):
        from_bytes(data)


def test_a_snapshot_without_measure_is_refused() -> None:
    with pytest.raises(NotCarried, match="at most"):
        to_texts(Snapshot(1, 1, 1, {"a": "x" * MOST_BYTES}), MAX_PAYLOAD)
