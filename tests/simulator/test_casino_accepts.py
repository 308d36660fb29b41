"""The accepts of a simulated casino: it complains when the hub leaves one without an answer, and it never speaks unnoticed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from croupier.simulator.book import Key
from croupier.simulator.casino_accepts import RESEND_S
from croupier.simulator.dials import CasinoCharacter
from tests.simulator.test_dials import PAYOUT, STAKE, Line, on_a_line

TRIES = len(RESEND_S) + 1
REJECTED = 102823
UNHEARD = ("I4", 7, f"an outcome of type {STAKE} got no answer in calm weather")


def answers(*codes: int | None) -> Callable[[int, dict[str, Any]], int | None]:
    """Answer the tries of an accept with these codes, in turn."""
    left = iter(codes)
    return lambda _code, _value: next(left)


def complaints_of(line: Line) -> list[tuple[str, int, str]]:
    return [tuple(one) for one in line.casino.witness.complaints]  # type: ignore[misc] # they are three


@pytest.mark.parametrize(
    ("codes", "heard"),
    [
        ([None] * TRIES, False),
        ([200], True),
        ([None, None, 200], True),
        ([None] * (TRIES - 1) + [200], True),
        ([REJECTED] * TRIES, True),
        ([None] * (TRIES - 1) + [REJECTED], True),
        ([None, REJECTED, *[None] * (TRIES - 2)], True),
    ],
    ids=str,
)
@pytest.mark.parametrize("code", [200, 103802])
def test_an_outcome_that_gets_no_answer_in_calm_weather_is_a_complaint(
    code: int, codes: Sequence[int | None], *, heard: bool
) -> None:
    async def play(line: Line) -> None:
        await line.booked()
        line.casino._weather.rough = False
        line.hub.answer = answers(*codes)
        await line.casino._report((7, STAKE, False), code, 0.1)
        assert line.codes() == [code] * len(codes)
        assert complaints_of(line) == ([] if heard else [UNHEARD])

    on_a_line(CasinoCharacter.HONEST, play)


@pytest.mark.parametrize(
    ("clears_after_s", "wrong"),
    [(None, 0), (sum(RESEND_S) + 1, 0), (sum(RESEND_S) - 1, 0), (sum(RESEND_S[:-1]) - 1, 1), (0.0, 1)],
)
def test_while_faults_last_an_answer_may_be_lost(clears_after_s: float | None, wrong: int) -> None:
    """The last two tries decide: in the instant in which faults stop no process may run yet."""

    async def play(line: Line) -> None:
        await line.make()
        line.hub.answer = lambda _code, _value: None
        if clears_after_s is not None:
            await line.rest(clears_after_s)
            line.casino._weather.rough = False
        await line.rest()
        assert len(line.hub.heard) == TRIES
        assert complaints_of(line) == [UNHEARD] * wrong

    on_a_line(CasinoCharacter.HONEST, play)


@pytest.mark.parametrize(
    ("code", "answer", "lies", "named"),
    [
        (200, 200, False, True),
        (200, None, False, False),  # nobody knows whether the hub has this number
        (200, REJECTED, False, False),
        (200, 200, True, False),
        (103802, 200, False, False),
    ],
)
def test_only_a_true_outcome_that_was_taken_gives_a_number_that_the_hub_has(
    code: int, answer: int | None, *, lies: bool, named: bool
) -> None:
    async def play(line: Line) -> None:
        await line.booked()
        line.hub.answer = lambda _code, _value: answer
        if lies:
            line.casino._lie = lambda value: ("amount", value, 200)  # type: ignore[method-assign] # always this one
        await line.casino._report((7, STAKE, False), code, 0.1)
        assert [bet for bet, _ in line.casino._named] == [7] * named

    on_a_line(CasinoCharacter.LYING if lies else CasinoCharacter.HONEST, play, bad_moments=1.0)


def listening(line: Line) -> list[tuple[int, int, bool]]:
    """Note of each accept its bet, its type, and whether the witness knew of it when it came."""
    noted: list[tuple[int, int, bool]] = []

    def answer(_code: int, value: dict[str, Any]) -> int:
        key: Key = value["BetId"], value["TransactionType"], False
        noted.append((*key[:2], key in line.casino.witness.spoken))
        return 200

    line.hub.answer = answer
    return noted


@pytest.mark.parametrize(("not_yet", "codes"), [(0.0, [200, 200]), (1.0, [200, 102823])])
def test_an_outcome_counts_as_spoken_before_anything_is_sent(not_yet: float, codes: list[int]) -> None:
    async def play(line: Line) -> None:
        noted = listening(line)
        for kind in (STAKE, PAYOUT):
            await line.make(kind)
            assert (7, kind, False) not in line.casino.witness.spoken
            await line.rest()
        assert noted == [(7, STAKE, True), (7, PAYOUT, True)]
        assert line.codes() == codes

    on_a_line(CasinoCharacter.HONEST, play, not_yet=not_yet)


def test_both_twins_count_as_spoken_before_either_is_sent() -> None:
    async def play(line: Line) -> None:
        for bet in (7, 8):
            await line.booked(bet=bet)
        noted = listening(line)
        line.casino._is = lambda character: character is CasinoCharacter.LYING  # type: ignore[method-assign] # in all moods
        line.casino._bad_moment = answers_in_turn(False, True, *[False] * 9)  # type: ignore[method-assign] # no lie, and twins
        await line.casino._report((7, STAKE, False), 200, 0.1)
        assert noted[:2] == [(7, STAKE, True), (8, STAKE, True)]
        assert len(line.numbers()) == 1, "they have one id"

    on_a_line(CasinoCharacter.LYING, play)


def answers_in_turn(*said: bool) -> Callable[[], bool]:
    left = iter(said)
    return lambda: next(left)
