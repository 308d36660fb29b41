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
from croupier.simulator.book import BookedPayment
from croupier.simulator.dials import CasinoCharacter
from croupier.simulator.judge import Case, Judgement
from croupier.simulator.judge_balances import WalletHistory, judge_balances
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


@pytest.mark.parametrize(
    ("since_s", "until_s", "clear"),
    [
        (0.0, 9.9, True),
        (9.0, 10.0, False),
        (12.0, 13.0, False),
        (5.0, 40.0, False),
        (20.0, 21.0, False),
        (20.1, 29.9, True),
        (35.0, 1e9, False),
    ],
)
async def test_a_time_is_clear_if_no_booking_without_the_hubs_knowledge_falls_into_it(
    since_s: float, until_s: float, *, clear: bool
) -> None:
    wallet = WalletHistory(PURSE, [], [(10.0, 20.0), (30.0, float("inf"))])
    assert wallet.is_clear(since_s, until_s) is clear
    assert wallet.was_clear(until_s) is (until_s < 10)


def parked_for_a_while(*, booked: bool = True) -> Books:
    """The win was parked before it was accepted: meanwhile the casino may have booked it."""
    made = books()
    if booked:
        made.casino.book.write((7, 1, False), BookedPayment("ann", WIN, "tx"))
    made.payment_times.moved(7, "payout", "parked", now_s=20.3)
    return made


async def test_no_balance_is_judged_while_a_booking_may_be_unknown_to_the_hub() -> None:
    made = parked_for_a_while()
    made.told.first_told["pay-out"] = (21.0, "12.34")
    assert (made.violations(), made.seen["balance judged"]) == ([], 1)
    made.told.first_told["pay-in"] = (TOLD_S, "12.34")
    assert len(made.violations()) == 1, "the stake was told before that"


async def test_balances_are_judged_again_once_the_hub_knows_the_booking() -> None:
    made = parked_for_a_while()
    made.told.asked_s["pay-out"] = 20.6
    assert (made.violations(), made.seen["balance judged"]) == ([], 2)
    made.told.first_told["pay-out"] = (21.0, "12.34")
    assert len(made.violations()) == 1
    made.casino.witness.said_balance("ann", 1234, now_s=20.7)
    assert made.violations() == [], "the hub may have taken the casino's word for its base meanwhile"


async def test_a_booking_that_the_hub_never_learns_of_leaves_no_balance_to_judge() -> None:
    made = parked_for_a_while()
    made.payment_times.accepted_s.pop((7, "payout"))
    made.told.asked_s["pay-out"] = 1000.0
    made.told.first_told["pay-out"] = (1001.0, "12.34")
    assert (made.violations(), made.seen["balance judged"]) == ([], 1)


async def test_a_payment_that_was_parked_and_never_booked_is_not_unclear() -> None:
    made = parked_for_a_while(booked=False)
    made.told.first_told["pay-out"] = (21.0, "12.34")
    assert len(made.violations()) == 1
