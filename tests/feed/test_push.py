"""Which draws a subscriber sees that named a number of them, and that their bytes are made once for all of these."""

from __future__ import annotations

import json
from typing import Any

import pytest

from croupier.feed.push import limited
from croupier.feed.pushes import Push
from croupier.feed.signalr import json_codec, msgpack_codec
from croupier.feed.snapshot import Snapshot

AWAITING, ACTIVE, FINISHED, REVIEW, CANCELLED = 1, 2, 3, 4, 5


def argument(*states: int) -> dict[str, Any]:
    """Draws in the order of a snapshot, the latest start first; their editions count down."""
    draws = [{"ge": len(states) - place, "s": state} for place, state in enumerate(states)]
    return {"sId": 7, "bt": 1, "wgi": draws}


@pytest.mark.parametrize(
    ("states", "count", "editions"),
    [
        ((AWAITING, AWAITING, ACTIVE, FINISHED, FINISHED), 1, [3]),
        ((AWAITING, AWAITING, ACTIVE, FINISHED, FINISHED), 2, [3, 2]),
        ((AWAITING, AWAITING, ACTIVE, FINISHED, FINISHED), 4, [4, 3, 2, 1]),
        ((AWAITING, AWAITING), 1, [1]),
        ((AWAITING, FINISHED), 1, [1]),
        ((CANCELLED, FINISHED, REVIEW), 1, [1]),
        ((ACTIVE, ACTIVE), 1, [2]),
    ],
)
def test_those_that_run_come_first_then_those_that_ended_then_the_next(
    states: tuple[int, ...], count: int, editions: list[int]
) -> None:
    told = argument(*states)
    assert [draw["ge"] for draw in limited(told, count)["wgi"]] == editions
    assert limited(told, count)["sId"] == told["sId"]
    assert len(told["wgi"]) == len(states), "the snapshot itself is as it was"


def draws_in(framed: bytes) -> int:
    return len(json.loads(framed[framed.index(b"{") : -1])["arguments"][0]["wgi"])


def test_bytes_are_made_once_for_each_encoding_and_number_and_no_more_often_than_there_are_draws() -> None:
    push = Push(Snapshot(3, 7, 0, argument(ACTIVE, FINISHED, FINISHED)))
    assert push.frame_for(json_codec, 2) is push.frame_for(json_codec, 2)
    assert [draws_in(push.frame_for(json_codec, count)) for count in (0, 1, 2, 3, 2**31)] == [3, 1, 2, 3, 3]
    for count in range(1000):
        push.frame_for(json_codec, count)
        push.frame_for(msgpack_codec, count)
    assert len(push._frames) + len(push._limited) == 6
