"""Who should have been called: the judge says so of a contradiction without a call, and of one call for each resend."""

from __future__ import annotations

from croupier.simulator.book import BookedPayment
from croupier.simulator.dials import CasinoCharacter
from croupier.simulator.judge import Case, Judgement
from croupier.simulator.judge_incidents import judge_incidents, judge_resent
from tests.core.samples import new_bet
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
    assert sorted(line["PartnerTransactionId"] for line in casino._info(7)) == ["tx", "tx-again"]
