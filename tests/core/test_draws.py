"""What an update of a draw changes: repeats change nothing, versions only rise, no end is undone, no result comes early."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.core.draws import (
    CLOCK_SLACK_MS,
    MOVES,
    Change,
    Draw,
    DrawKey,
    DrawRefused,
    DrawState,
    PlayState,
    problem_of,
    take_update,
)

NOW_MS = 1_760_000_000_000
KEY = DrawKey(23, 501)


def draw(**what: Any) -> Draw:
    """A draw whose betting is open for ten seconds more."""
    told: dict[str, Any] = {
        "version": 1, "state": DrawState.ACTIVE, "play_state": PlayState.BETTING, "round": 1,
        "starts_ms": NOW_MS - 20_000, "betting_ends_ms": NOW_MS + 10_000,
    }  # fmt: skip
    return Draw(KEY, **{**told, **what})


def played(**what: Any) -> Draw:
    """The same draw after betting."""
    return draw(**{"version": 2, "play_state": PlayState.GAME_ACTION, "betting_ends_ms": NOW_MS - 1, **what})


def finished(**what: Any) -> Draw:
    return played(**{"version": 3, "state": DrawState.FINISHED, "results": "[7,12]", "ends_ms": NOW_MS, **what})


def refused(known: Draw | None, update: Draw) -> tuple[str, bool]:
    told = take_update(known, update, NOW_MS)
    assert isinstance(told, DrawRefused), told
    assert told.why
    return told.field, told.conflict


@pytest.mark.parametrize("update", [draw(), played(), finished(), draw(state=DrawState.AWAITING)])
def test_a_draw_may_be_heard_of_first_in_any_state_and_a_repeat_changes_nothing(update: Draw) -> None:
    assert take_update(None, update, NOW_MS) is Change.NEW
    assert take_update(update, update, NOW_MS) is Change.REPEAT


def test_the_usual_life_of_a_draw() -> None:
    life = [
        draw(version=0, state=DrawState.AWAITING),
        draw(),
        played(),
        finished(),
        finished(version=4, proof=(("seed", "ab"),)),
    ]
    for known, update in zip([None, *life], life, strict=False):
        assert take_update(known, update, NOW_MS) is Change.NEW


@pytest.mark.parametrize(
    ("known", "update", "field"),
    [
        (draw(), draw(round=2), "version"),
        (played(), draw(), "version"),
        (finished(), draw(version=9), "state"),
        (finished(), finished(version=9, state=DrawState.REVIEW), "state"),
        (finished(), finished(version=9, results="[7,13]"), "results"),
        (finished(), finished(version=9, results=None), "results"),
        (draw(state=DrawState.CANCELLED), draw(version=2), "state"),
        (draw(), draw(version=2, state=DrawState.AWAITING), "state"),
        (draw(round=3), played(round=2), "round"),
        (played(results="[7]"), draw(version=3, results="[7]"), "play_state"),
        (played(results="[7]"), played(version=3), "results"),
        (draw(proof=(("hash", "aa"),)), played(proof=(("hash", "ab"),)), "proof"),
        (draw(proof=(("hash", "aa"),)), played(), "proof"),
    ],
)  # fmt: skip
def test_what_contradicts_the_known_draw_is_a_conflict(known: Draw, update: Draw, field: str) -> None:
    assert refused(known, update) == (field, True)


@pytest.mark.parametrize(
    ("update", "field"),
    [
        (draw(results="[7]"), "results"),
        (draw(state=DrawState.AWAITING, results="[7]"), "results"),
        (played(betting_ends_ms=NOW_MS + CLOCK_SLACK_MS + 1, results="[7]"), "results"),
        (finished(betting_ends_ms=NOW_MS + CLOCK_SLACK_MS + 1), "state"),
        (played(ends_ms=NOW_MS - 20_001), "ends_ms"),
    ],
)
def test_what_is_wrong_in_itself_is_no_conflict(update: Draw, field: str) -> None:
    assert refused(None, update) == (field, False)
    assert refused(draw(version=0, state=DrawState.AWAITING), update) == (field, False)


def test_a_clock_that_is_a_moment_ahead_delays_no_results() -> None:
    update = played(betting_ends_ms=NOW_MS + CLOCK_SLACK_MS, results="[7]")
    assert take_update(None, update, NOW_MS) is Change.NEW


def test_results_of_one_round_may_stand_while_bets_of_the_next_are_taken() -> None:
    known = played(results='["AS"]')
    assert take_update(known, draw(version=3, round=2, results='["AS"]'), NOW_MS) is Change.NEW
    assert refused(known, draw(version=3, round=2, results='["AS","2C"]')) == ("results", False)


@pytest.mark.parametrize("state", [DrawState.REVIEW, DrawState.CANCELLED])
def test_results_may_be_withdrawn_in_review_and_by_cancellation(state: DrawState) -> None:
    assert take_update(played(results="[7]"), played(version=3, state=state), NOW_MS) is Change.NEW


def test_a_draw_that_is_cancelled_before_its_start_may_end_before_it() -> None:
    assert problem_of(draw(state=DrawState.CANCELLED, ends_ms=NOW_MS - 30_000), NOW_MS) is None


draws = st.builds(
    draw,
    version=st.integers(0, 6),
    state=st.sampled_from(DrawState),
    play_state=st.sampled_from(PlayState),
    round=st.integers(0, 3),
    betting_ends_ms=st.sampled_from([NOW_MS - 5_000, NOW_MS + 10_000]),
    results=st.sampled_from([None, "[1]", "[1,2]"]),
    proof=st.sampled_from([(), (("hash", "aa"),), (("hash", "aa"), ("seed", "bb"))]),
)


@given(st.lists(draws, max_size=25))
def test_whatever_comes_in_whatever_order_the_law_holds(updates: list[Draw]) -> None:
    """Versions only rise, no end is undone, results come after betting, and nothing refused changes anything."""
    known: Draw | None = None
    for update in updates:
        told = take_update(known, update, NOW_MS)
        if told is not Change.NEW:
            continue
        if update.results is not None and (known is None or known.results != update.results):
            assert update.betting_ends_ms <= NOW_MS
            assert update.state.ended or update.state is DrawState.REVIEW or update.play_state is PlayState.GAME_ACTION
        if known is not None:
            assert update.version > known.version
            assert update.state in MOVES[known.state]
            assert not known.state.ended or update.state is known.state
            assert set(known.proof) <= set(update.proof)
            if known.state.ended and known.results is not None:
                assert update.results == known.results
        known = update
        assert take_update(known, update, NOW_MS) is Change.REPEAT


@given(draws, draws)
def test_a_refusal_is_the_same_whenever_it_is_asked(known: Draw, update: Draw) -> None:
    first, again = (take_update(known, update, NOW_MS) for _ in range(2))
    assert first == again


@given(draws)
def test_same_version_with_any_other_contents_is_a_conflict(known: Draw) -> None:
    assert refused(known, replace(known, starts_ms=known.starts_ms + 1)) == ("version", True)
