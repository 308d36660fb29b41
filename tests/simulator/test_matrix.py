"""The pairs of payment state and fault that cannot meet: each reason holds."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from croupier.core.payment import PAYMENT_TABLE, IllegalPayment, PaymentEvent, PaymentState, next_state
from croupier.core.readings import PaymentKind
from croupier.simulator.arena import Arena
from croupier.simulator.dials import CasinoCharacter
from croupier.simulator.matrix import FAULTS, NEVER, STATES, Matrix, unseen
from croupier.simulator.world import World
from tests.simulator.test_dials import RETURN, STAKE, Line, on_a_line

EVERYTHING = Counter({(state, fault): 1 for state in STATES for fault in FAULTS})


def test_a_pair_that_did_not_meet_is_unseen_unless_it_cannot_meet() -> None:
    for pair in EVERYTHING:
        missing = unseen(EVERYTHING - Counter([pair]), Counter(), ())
        assert missing == ([] if pair in NEVER else [f"{pair[0]} x {pair[1]}"])


def test_a_fault_meets_every_payment_of_the_bets_that_it_names() -> None:
    matrix = Matrix()
    matrix.moved(7, "stake", "sent")
    matrix.moved(7, "stake", "expired")
    matrix.moved(7, "bet_return", "created")
    matrix.moved(8, "stake", "sent")
    matrix.named("b-1", 8)
    matrix.strike("queued", [7])
    matrix.strike("duplicate", ["b-1"])
    matrix.strike("skew")
    assert matrix.met == Counter(
        {("expired", "queued"): 1, ("created", "queued"): 1, ("sent", "duplicate"): 1}
        | {(state, "skew"): 1 for state in ("expired", "created", "sent")}
    )


def test_nothing_but_a_stake_expires_and_what_was_accepted_stays_so() -> None:
    for kind in set(PaymentKind) - {PaymentKind.STAKE}:
        for state in PaymentState:
            with pytest.raises(IllegalPayment):
                next_state(kind, state, PaymentEvent.EXPIRE)
    assert not any(state is PaymentState.ACCEPTED for state, _ in PAYMENT_TABLE)


@pytest.mark.parametrize("answer", [200, 102823, None])
def test_a_casino_reports_a_return_of_its_own_only_after_its_yes_to_the_stake_was_taken(answer: int | None) -> None:
    async def play(line: Line) -> None:
        def told(_code: int, value: dict[str, Any]) -> int | None:
            return answer if value["TransactionType"] == STAKE else 102823

        line.hub.answer = told
        for bet in range(100):
            await line.make(bet=bet)
        await line.rest()
        own = {value["BetId"] for _, _, value in line.hub.heard if value["TransactionType"] == RETURN}
        assert bool(own) is (answer == 200)
        assert len(own) == line.seen["own_return"]

    on_a_line(CasinoCharacter.FORGETFUL, play)


@pytest.mark.slow
def test_the_rarest_pairs_of_a_million_payments_meet_in_one_world(ring: Arena) -> None:
    result = ring.play(World(10_685, 40))
    assert result.verdict.violations == []
    assert result.met["parked", "queued"] > 0
    assert result.met["created", "queued"] > 0
