"""Who should have been called: the judge says so of a fact without a call, and of a call too early, too often or for nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from croupier.simulator.book import BookedPayment
from croupier.simulator.dials import CasinoCharacter
from croupier.simulator.faults import POISON, Weather
from croupier.simulator.judge import QUARANTINED, Case, Judgement
from croupier.simulator.judge_incidents import judge_called, judge_incidents, judge_resent
from tests.core.samples import T0, new_bet, new_cashback
from tests.simulator.test_dials import dials_of
from tests.simulator.test_sim_casino import casino_of

BET = new_bet(bet_id=7)
STAKE = (7, -1, False)


def case(*incidents: str) -> Case:
    return Case(BET, casino_of(CasinoCharacter.LYING), None, frozenset(incidents))


async def test_a_contradiction_that_was_not_taken_in_calls_for_a_person() -> None:
    called, uncalled, verdict = case("contradiction"), case("difference"), Judgement()
    for one in (called, uncalled):
        one.casino.witness.contradicted[STAKE] = "was accepted with another amount"
    judge_incidents([called], verdict)
    assert verdict.violations == []
    judge_incidents([uncalled], verdict)
    assert len(verdict.violations) == 1


async def test_a_resent_contradiction_is_no_second_one() -> None:
    one, verdict = case("contradiction"), Judgement()
    for _ in range(30):
        one.casino.witness.said({"BetId": 7, "Amount": "77", "Balance": "1"}, 200)
    judge_resent([one], {7: 1}, verdict)
    assert verdict.violations == []
    judge_resent([one], {7: 30}, verdict)
    assert len(verdict.violations) == 1


async def test_a_list_shows_twice_what_was_booked_twice() -> None:
    casino = casino_of(CasinoCharacter.TWICE)
    casino.book.write(STAKE, BookedPayment("p", 100, "tx", times=2))
    assert sorted(line["PartnerTransactionId"] for line in casino._info(7, [STAKE])) == ["tx", "tx-again"]


# --- calls for a person that come too early, or for nothing


def still(*incidents: str, character: CasinoCharacter = CasinoCharacter.HONEST, **turned: Any) -> Case:
    casino = casino_of(character)
    casino.dials = dials_of(
        **{"skew_ms": 0, "crash_every_s": 0.0, "pause_every_s": 0.0, "restart_every_s": 0.0, **turned}
    )
    return Case(BET, casino, None, frozenset(incidents))


def called(one: Case, called_ms: dict[int, int], **weather: Any) -> list[str]:
    verdict = Judgement()
    judge_called([one], called_ms, Weather(**weather), verdict=verdict)
    return verdict.violations


@pytest.mark.parametrize(
    ("character", "incident", "wrong"),
    [
        (CasinoCharacter.HONEST, "parked", 1),
        (CasinoCharacter.HONEST, "not_accepted", 0),
        (CasinoCharacter.LYING, "parked", 0),
    ],
)
async def test_no_bet_is_parked_at_a_casino_that_tells_the_truth(
    character: CasinoCharacter, incident: str, wrong: int
) -> None:
    verdict = Judgement()
    judge_incidents([still(incident, character=character)], verdict)
    assert verdict.violations == ["incidents: b-1 was parked, and its casino tells the truth about it"] * wrong


async def test_a_cashback_may_be_parked_at_a_casino_that_tells_the_truth() -> None:
    verdict, one = Judgement(), still("parked")
    judge_incidents([replace(one, subject=new_cashback())], verdict)
    assert verdict.violations == []


@pytest.mark.parametrize(("calls_s", "wrong"), [([0, 1, 2, 3], 1), ([0, 1, 2, 3, 9], 1), ([0, 1, 2, 3, 5], 0)])
async def test_a_person_is_called_after_five_calls_to_the_casino_and_not_before(calls_s: list[int], wrong: int) -> None:
    calls = {7: [T0 + 1000 * at_s for at_s in calls_s], 8: [T0] * 9}
    sent = 4 if wrong else 5
    assert (
        called(still(), {7: T0 + 5000}, calls=calls)
        == [f"incidents: b-1 called for a person after {sent} calls to its casino"] * wrong
    )
    assert called(still(), {}, calls=calls) == [], "nobody was called"
    assert called(still(skew_ms=1), {7: T0 + 5000}, calls=calls) == [], "by which clock?"
    ended = "a resent refusal may be about a try whose process ended before it sent it"
    assert called(still(crash_every_s=9.0), {7: T0 + 5000}, calls=calls) == [], ended
    assert called(still(restart_every_s=9.0), {7: T0 + 5000}, calls=calls) == [], ended


@pytest.mark.parametrize(("deaths_s", "wrong"), [([0, 1, 2, 3], 1), ([-1, 0, 1, 2, 3], 1), ([0, 1, 2, 3, 4], 0)])
async def test_a_call_is_parked_after_five_deaths_since_its_bet_was_opened(deaths_s: list[int], wrong: int) -> None:
    deaths_ms = [T0 + 1000 * at_s for at_s in deaths_s]
    assert (
        called(still(QUARANTINED), {}, deaths_ms=deaths_ms)
        == ["incidents: b-1 was parked after the deaths of 4 processes"] * wrong
    )
    assert called(still("parked"), {}, deaths_ms=deaths_ms) == [], "it was parked for another reason"


@pytest.mark.parametrize(("times", "wrong"), [(5, 0), (6, 1)])
async def test_a_call_that_ends_its_process_is_tried_five_times(times: int, wrong: int) -> None:
    assert (
        called(still(), {}, seen=Counter({POISON: times}))
        == [f"I17: a call that ends its process was tried {times} times"] * wrong
    )
