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
from croupier.simulator.judge_balances import MOST_MOVING, Move, WalletHistory, judge_balances
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


# --- two stakes of one player that were accepted in one instant

OTHER_STAKE = 500
AT_ONCE_S = 10.5
WITHOUT_EACH_OTHER = "I3: b-1 and b-2 were told balances without each other"


@dataclass
class Several:
    """Bets whose stakes were accepted, each with the balance that its provider was told, as far as the judge reads them."""

    casino: SimCasino
    bets: tuple[Bet, ...]
    told: dict[tuple[int, str], ProviderBet] = field(default_factory=dict)
    payment_times: PaymentTimes = field(default_factory=PaymentTimes)
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def players(self) -> list[tuple[int, int, str]]:
        return [(bet.casino_id, bet.player_id, bet.player_ref) for bet in self.bets]

    @property
    def casinos(self) -> dict[int, SimCasino]:
        return {bet.casino_id: self.casino for bet in self.bets}

    def tell(self, bet: Bet, balance: str, verb: str = "pay-in") -> None:
        """Let its provider be told this balance with its first answer."""
        heard = ProviderBet(bet.bet_ref, "s-1", bet.stake, SeededChance(1))
        heard.asked_s[verb], heard.first_told[verb] = ASKED_S, (TOLD_S, balance)
        self.told[bet.provider_id, bet.bet_ref] = heard

    def accept(self, bet: Bet, kind: PaymentKind, amount: int, at_s: float) -> None:
        """Let a payment of this bet be accepted."""
        bet.payments[kind] = Payment(bet.bet_id, kind, amount, None, T0, state=PaymentState.ACCEPTED)
        self.payment_times.moved(bet.bet_id, kind.value, "created", now_s=at_s - 0.3)
        self.payment_times.moved(bet.bet_id, kind.value, "accepted", now_s=at_s)

    def violations(self) -> list[str]:
        verdict, scene = Judgement(), self
        known: Any = scene
        cases = [Case(bet, self.casino, self.told[bet.provider_id, bet.bet_ref], frozenset()) for bet in self.bets]
        judge_balances(known, cases, self.told, verdict=verdict)
        return verdict.violations


def several(*balances: str, at_s: float = AT_ONCE_S, verb: str = "pay-in", **of_others: Any) -> Several:
    """Bets of a wallet of 60.00: a stake of 10.00, the others of 5.00 accepted at this time, and what was told of each."""
    casino = casino_of(CasinoCharacter.HONEST)
    casino.dials = replace(casino.dials, purse=PURSE, tax_bp=None)
    others = [
        new_bet(**{"bet_id": 6 + n, "bet_ref": f"b-{n}", "stake": OTHER_STAKE, **of_others})
        for n in range(2, len(balances) + 1)
    ]
    made = Several(casino, (new_bet(), *others))
    for bet, balance in zip(made.bets, balances, strict=True):
        made.accept(bet, PaymentKind.STAKE, bet.stake, AT_ONCE_S if bet is made.bets[0] else at_s)
        made.payment_times.based(bet.player_id, 1.0)
        made.tell(bet, balance, verb)
    return made


async def test_two_stakes_accepted_in_one_instant_are_not_told_without_each_other() -> None:
    made = several("50.00", "55.00")
    assert made.violations() == [WITHOUT_EACH_OTHER]
    assert (made.seen["balance judged"], made.seen["balances told at once"]) == (2, 1)


@pytest.mark.parametrize(("first", "second"), [("50.00", "45.00"), ("45.00", "55.00"), ("45.00", "45.00")])
async def test_one_of_two_stakes_accepted_in_one_instant_holds_the_other(first: str, second: str) -> None:
    made = several(first, second)
    assert (made.violations(), made.seen["balances told at once"]) == ([], 1)


@pytest.mark.parametrize(
    "other", [{"player_id": 34, "player_ref": "bob"}, {"at_s": AT_ONCE_S + 0.001}, {"at_s": AT_ONCE_S - 0.001}], ids=str
)
async def test_a_stake_of_another_player_or_of_another_instant_need_not_be_held(other: dict[str, Any]) -> None:
    made = several("50.00", "55.00", **other)
    assert (made.violations(), made.seen["balances told at once"]) == ([], 0)


async def test_stakes_with_wins_at_once_are_compared_as_well() -> None:
    made = several("52.00", "58.00", verb="pay-in-out")
    for bet, win in zip(made.bets, (200, 300), strict=True):
        made.accept(bet, PaymentKind.PAYOUT, win, 12.0)
    assert made.violations() == [WITHOUT_EACH_OTHER]
    made.tell(made.bets[1], "48.00", "pay-in-out")
    assert made.violations() == []


async def test_only_an_answer_to_a_stake_tells_that_it_was_accepted_in_that_instant() -> None:
    made = several("60.00", "60.00", verb="refund")
    assert (made.violations(), made.seen["balance judged"], made.seen["balances told at once"]) == ([], 2, 0)


@pytest.mark.parametrize(("based_s", "found"), [(ASKED_S, [WITHOUT_EACH_OTHER]), (ASKED_S + 0.1, [])])
async def test_a_balance_told_by_the_casinos_own_word_is_not_compared(based_s: float, found: list[str]) -> None:
    made = several("50.00", "55.00")
    made.payment_times.based_s[made.bets[0].player_id] = based_s
    assert made.violations() == found
    assert made.seen["balances told at once"] == len(found)


async def test_a_balance_is_not_compared_once_the_casino_had_booked_something_unknown_to_the_hub() -> None:
    made = several("50.00", "55.00")
    made.casino.book.write((1, -1, False), BookedPayment("ann", OTHER_STAKE, "tx"))
    late = new_bet(bet_id=1, bet_ref="b-0", stake=OTHER_STAKE)
    made.accept(late, PaymentKind.STAKE, OTHER_STAKE, 9.0)
    made.payment_times.odd.add((1, "stake"))
    made.bets = *made.bets, late
    made.tell(late, "55.00")
    made.tell(made.bets[0], "45.00")
    made.tell(made.bets[1], "50.00")
    made.told[22, "b-0"].first_told.clear()
    assert (made.violations(), made.seen["balance judged"], made.seen["balances told at once"]) == ([], 2, 0)
    made.payment_times.odd.clear()
    assert made.violations() == [WITHOUT_EACH_OTHER]


async def test_a_balance_below_zero_is_one_violation_and_is_not_compared() -> None:
    made = several("50.00", "-5.00")
    (found,) = made.violations()
    assert found.startswith("I3: b-2 was told -5.00")


async def test_a_sum_below_zero_is_no_balance_and_is_not_compared() -> None:
    made = several("2.00", "7.00")
    made.casino.dials = replace(made.casino.dials, purse=1_200)
    assert (made.violations(), made.seen["balance judged"], made.seen["balances told at once"]) == ([], 2, 0)
    made.casino.dials = replace(made.casino.dials, purse=1_500)
    for bet, balance in zip(made.bets, ("5.00", "10.00"), strict=True):
        made.tell(bet, balance)
    assert made.violations() == [WITHOUT_EACH_OTHER], "nothing is left, and that is a balance"


async def test_of_three_stakes_each_two_are_compared() -> None:
    made = several("50.00", "55.00", "55.00")
    assert len(made.violations()) == 3
    made.tell(made.bets[2], "40.00")
    assert made.violations() == [WITHOUT_EACH_OTHER], "the third holds both"
    assert made.seen["balances told at once"] == 2, "one instant, judged twice"


@pytest.mark.parametrize(
    ("held", "may_be"),
    [
        (None, {5_000, 4_500, 5_300, 4_800}),
        (Move(10.5, 8, -500), {4_500, 4_800}),
        (Move(10.6, 9, 300), {5_300, 4_800}),
        (Move(10.5, 8, -400), {5_000, 4_500, 5_300, 4_800}),  # there is no such movement
    ],
)
async def test_a_movement_that_is_held_is_part_of_every_balance(held: Move | None, may_be: set[int]) -> None:
    moves = [Move(10.6, 9, 300), Move(10.5, 8, -500), Move(10.5, 7, -STAKE), Move(5.0, 6, -2_000), Move(12.0, 5, 70)]
    wallet = WalletHistory(PURSE + 2_000, moves, ())
    assert wallet.may_be(ASKED_S, TOLD_S, 7, own={-STAKE}, held=held) == may_be


async def test_among_too_many_movements_no_balances_are_compared() -> None:
    made = several("50.00", "55.00", *["40.00"] * (MOST_MOVING - 1))
    assert (made.violations(), made.seen["balance judged"]) == ([], 0)
    held = Move(AT_ONCE_S, 8, -OTHER_STAKE)
    wallet = WalletHistory(PURSE, [*(Move(10.4, 100 + n, 1) for n in range(MOST_MOVING)), held], ())
    assert wallet.may_be(ASKED_S, TOLD_S, 7, own={0}, held=held) is None
