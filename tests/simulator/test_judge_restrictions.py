"""The judge of restrictions: no bet is opened after its session is over, except one that waited for a slow database."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from croupier.core.bet import Bet, Origin
from croupier.kit.chance import SeededChance
from croupier.simulator.dials import CasinoCharacter
from croupier.simulator.faults import BRIEF_S
from croupier.simulator.judge import Case, Judgement
from croupier.simulator.judge_restrictions import judge_restrictions
from croupier.simulator.restrictions import HOLDS_AFTER_S, Restriction
from croupier.simulator.run import STATEMENTS
from croupier.simulator.sim_provider import ProviderBet
from croupier.simulator.stage import START_MS
from croupier.simulator.watch import Watch
from tests.core.samples import new_bet
from tests.simulator.test_dials import dials_of
from tests.simulator.test_sim_casino import casino_of

SINCE_S = 100.0
BOUND_S = SINCE_S + HOLDS_AFTER_S
"""From then on the restriction surely holds."""
SLOW_S = 6.0
LATE_S = STATEMENTS * SLOW_S
SESSION = "22-44-11-ann"
OVER = Restriction("a session that is over", SINCE_S, session_id=SESSION)


def world(slow_db_s: float, *restrictions: Restriction, **turned: Any) -> Any:
    """A world with these restrictions, in which answers are as late as a database of this kind makes them (run.simulate)."""
    watch = Watch()
    watch.lateness_s = STATEMENTS * slow_db_s
    dials = dials_of(**{"skew_ms": 0, "slow_db_s": slow_db_s, **turned})
    return SimpleNamespace(dials=dials, watch=watch, restrictions=restrictions, players=[(11, 33, "ann")])


def opened(at_s: float, **changes: Any) -> Bet:
    return new_bet(**{"created_ms": START_MS + round(1000 * at_s), "session_id": SESSION, **changes})


def violations(scene: Any, *bets: Bet, told: dict[tuple[int, str], ProviderBet] | None = None) -> list[str]:
    verdict = Judgement()
    cases = [Case(bet, casino_of(CasinoCharacter.HONEST), None, frozenset()) for bet in bets]
    judge_restrictions(scene, cases, told or {}, verdict=verdict)
    return verdict.violations


@pytest.mark.parametrize(
    ("slow_db_s", "at_s", "wrong"),
    [
        (0.0, BOUND_S - 0.001, 0),
        (0.0, BOUND_S, 1),
        (0.2, BOUND_S - 0.001, 0),
        (0.2, BOUND_S, 1),  # so fast that a request waits for less than the second in which the end may be unknown
        (BRIEF_S, BOUND_S, 1),
        (SLOW_S, BOUND_S, 0),
        (SLOW_S, BOUND_S + LATE_S - 0.001, 0),
        (SLOW_S, BOUND_S + LATE_S, 1),
        (SLOW_S, BOUND_S + 10 * LATE_S, 1),
    ],
)
def test_a_bet_is_opened_after_the_end_of_its_session_only_if_it_waited_for_a_slow_database(
    slow_db_s: float, at_s: float, wrong: int
) -> None:
    expected = [f"limits: b-1 was opened at {at_s:.2f} s, for a session that is over"] * wrong
    assert violations(world(slow_db_s, OVER), opened(at_s)) == expected


@pytest.mark.parametrize(
    "changes",
    [{"session_id": "another"}, {"origin": Origin.JACKPOT}, {"origin": Origin.TOMBSTONE}],
    ids=str,
)
def test_a_bet_of_another_session_and_one_that_no_pay_in_opened_are_not_restricted(changes: dict[str, Any]) -> None:
    assert violations(world(0.2, OVER), opened(BOUND_S, **changes)) == []


@pytest.mark.parametrize("slow_db_s", [0.2, SLOW_S])
@pytest.mark.parametrize(("before_end_s", "wrong"), [(0.001, 1), (0.0, 0), (-LATE_S / 2, 0), (-LATE_S, 0)])
def test_a_bet_that_was_opened_when_the_restriction_had_ended_is_none_against_it(
    slow_db_s: float, before_end_s: float, wrong: int
) -> None:
    ends_s = BOUND_S + 10 * LATE_S
    ended = Restriction("a player who is blocked", SINCE_S, ends_s, player_id=33)
    assert len(violations(world(slow_db_s, ended), opened(ends_s - before_end_s))) == wrong


def test_nothing_is_certain_if_a_clock_jumped() -> None:
    assert violations(world(0.2, OVER, skew_ms=1), opened(BOUND_S + 50)) == []


@pytest.mark.parametrize(
    ("codes", "asked_s", "wrong"),
    [([2], SINCE_S + 5, 0), ([4], SINCE_S - 5, 1), ([2], SINCE_S - 5, 1), ([3], SINCE_S - 5, 0), ([1], SINCE_S - 5, 0)],
)
def test_a_bet_is_refused_and_not_opened_only_if_something_forbids_it(
    codes: list[int], asked_s: float, wrong: int
) -> None:
    bet = ProviderBet("b-1", SESSION, 1_000, SeededChance(1), pay_in=codes, span_s=(asked_s, asked_s + 1))
    scene, told = world(0.2, OVER), {(22, "b-1"): bet}
    assert violations(scene, told=told) == [f"limits: b-1 was refused with {codes}, and nothing forbade it"] * wrong
    assert violations(scene, opened(SINCE_S - 5), told=told) == [], "it was opened, and its casino refused it"
