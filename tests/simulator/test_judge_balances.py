"""The judge of balances: what a provider was told is what the wallet held, or will hold by this decision, and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from croupier.core.bet import Bet
from croupier.core.payment import Payment, PaymentState
from croupier.core.readings import PaymentKind
from croupier.kit.chance import SeededChance
from croupier.simulator.dials import CasinoCharacter
from croupier.simulator.judge import Case, Judgement
from croupier.simulator.judge_balances import judge_balances
from croupier.simulator.payment_times import PaymentTimes
from croupier.simulator.sim_casino import SimCasino
from croupier.simulator.sim_provider import ProviderBet
from tests.core.samples import T0, new_bet
from tests.simulator.test_sim_casino import casino_of

PURSE, STAKE, WIN = 6_000, 1_000, 2_500
ASKED_S, TOLD_S = 10.0, 11.0


@dataclass
class Books:
    """A world at rest with one bet, as far as the judge reads it: all of it true until a test forges something."""

    casino: SimCasino
    bet: Bet
    told: ProviderBet
    payment_times: PaymentTimes = field(default_factory=PaymentTimes)
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def players(self) -> list[tuple[int, int, str]]:
        return [(self.bet.casino_id, self.bet.player_id, self.bet.player_ref)]

    @property
    def casinos(self) -> dict[int, SimCasino]:
        return {self.bet.casino_id: self.casino}

    def violations(self, *incidents: str) -> list[str]:
        verdict, scene = Judgement(), self
        known: Any = scene
        case = Case(self.bet, self.casino, self.told, frozenset(incidents))
        judge_balances(known, [case], {(self.bet.provider_id, self.bet.bet_ref): self.told}, verdict=verdict)
        return verdict.violations


def books() -> Books:
    """A stake and a win that were accepted, and the balance told with both answers."""
    casino = casino_of(CasinoCharacter.HONEST)
    casino.dials = replace(casino.dials, purse=PURSE, tax_bp=None)
    kinds = {PaymentKind.STAKE: STAKE, PaymentKind.PAYOUT: WIN}
    payments = {kind: Payment(7, kind, amount, None, T0, state=PaymentState.ACCEPTED) for kind, amount in kinds.items()}
    made = Books(casino, new_bet(payments=payments), ProviderBet("b-1", "s-1", STAKE, SeededChance(1)))
    for kind, at_s in ((PaymentKind.STAKE, 10.5), (PaymentKind.PAYOUT, 20.5)):
        made.payment_times.moved(7, kind.value, "created", now_s=at_s - 0.3)
        made.payment_times.moved(7, kind.value, "accepted", now_s=at_s)
    made.payment_times.based(made.bet.player_id, 1.0)
    made.told.asked_s |= {"pay-in": ASKED_S, "pay-out": 20.0}
    made.told.first_told |= {"pay-in": (TOLD_S, "50.00"), "pay-out": (21.0, "75.00")}
    return made


async def test_true_balances_are_no_violation() -> None:
    made = books()
    assert made.violations() == []
    assert made.seen["balance judged"] == 2


@pytest.mark.parametrize(
    ("verb", "forged"),
    [
        ("pay-in", "49.99"), ("pay-in", "50.01"), ("pay-in", "60.00"), ("pay-in", "40.00"), ("pay-in", "-10.00"),
        ("pay-out", "50.00"), ("pay-out", "85.00"), ("pay-out", "75.01"), ("pay-out", "100.00"),
    ],
)  # fmt: skip
async def test_a_forged_balance_is_found_and_named(verb: str, forged: str) -> None:
    made = books()
    made.told.first_told[verb] = (made.told.first_told[verb][0], forged)
    (found,) = made.violations()
    assert found.startswith("I3: ")
    assert forged in found
    assert verb in found


async def test_without_a_base_the_casinos_word_of_that_time_is_true_and_an_old_one_is_not() -> None:
    made = books()
    made.payment_times.based_s.clear()
    made.told.first_told["pay-in"] = (TOLD_S, "12.34")
    made.casino.witness.said_balance("ann", 1234, now_s=ASKED_S - 12)
    assert len(made.violations()) == 1, "no query that it may join is so old"
    made.casino.witness.said_balance("ann", 1234, now_s=ASKED_S - 5)
    assert made.violations() == []
