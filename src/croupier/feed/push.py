"""The one argument of a push, and a draw as the feed shows it everywhere.

Owns: the keys and their values. Never: which draws are shown (store.feed.streams), an encoding. Contract: feed.md 2, 3.5.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from croupier.core.draws import Draw, DrawState, PlayState
from croupier.store.feed.draws import StoredDraw
from croupier.store.feed.streams import StreamState


def argument(state: StreamState, *, sequence: int, made_ms: int) -> dict[str, Any]:
    """The state of one game type, made of what JSON knows."""
    return {
        "sId": sequence,
        "tst": iso(made_ms),
        "im": state.maintenance,
        "bt": betting_ends_s([stored.draw for stored in state.draws]),
        "wgi": [draw_record(stored, state.last_finished) for stored in state.draws],
    }


def limited(argument: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Return the argument with at most so many draws: those that run, then those that ended last, then the next ones."""
    draws = argument["wgi"]
    by_rank = sorted(range(len(draws)), key=lambda place: _rank(draws[place]["s"], place))
    return {**argument, "wgi": [draws[place] for place in sorted(by_rank[:count])]}


def _rank(state: int, place: int) -> tuple[int, int]:
    """Return what comes first, smallest first, of draws in the order of a snapshot: the latest start first."""
    if state == DrawState.AWAITING:
        return 2, -place
    return (1 if DrawState(state).ended else 0), place


def draw_record(stored: StoredDraw, last_finished: int | None) -> dict[str, Any]:
    """One draw. `proof` is the hub's own addition to the documented keys."""
    draw = stored.draw
    return {
        "i": stored.draw_id,
        "t": draw.key.game_type,
        "ge": draw.key.edition,
        "lrId": last_finished,
        "s": int(draw.state),
        "ps": int(draw.play_state),
        "cr": draw.round,
        "sdt": iso(draw.starts_ms),
        "edt": None if draw.ends_ms is None else iso(draw.ends_ms),
        "res": [] if draw.results is None else json.loads(draw.results),
        "proof": dict(draw.proof),
    }


def betting_ends_s(draws: Sequence[Draw]) -> int | None:
    """Unix second at which the betting ends that ends first, of a draw that runs or else of one that is awaited."""
    for state in (DrawState.ACTIVE, DrawState.AWAITING):
        ends = [d.betting_ends_ms for d in draws if d.state is state and d.play_state is PlayState.BETTING]
        if ends:
            return min(ends) // 1000
    return None


def iso(instant_ms: int) -> str:
    """An instant as ISO 8601 in UTC, with milliseconds."""
    seconds, rest = divmod(instant_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
