"""Demo bets: each request's answer, the state of the bet afterwards, and what moves the virtual balance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from croupier.core import demo_bets
from croupier.core.bet import OK, BetState, Origin
from croupier.core.bet_requests import CONFLICT, RequestContents
from croupier.core.demo_bets import CEILING, START, DemoBet, Judged
from croupier.core.refusals import Refusal
from tests.core.test_session import SESSION

CASINO, PLAYER = SESSION.casino_id, SESSION.player_id
STAKE = RequestContents(CASINO, PLAYER, "r", 100, None)
BOTH = RequestContents(CASINO, PLAYER, "r", 100, 250)
WIN = RequestContents(CASINO, PLAYER, "r", None, 250)


def bet(asked: RequestContents = STAKE, *, balance: int = 1_000) -> DemoBet:
    opened = demo_bets.open_bet(SESSION, "b-1", asked, balance=balance).bet
    assert opened is not None
    return opened


def test_a_demo_begins_with_a_thousand_major_units_and_ends_below_what_a_column_holds() -> None:
    assert (START, CEILING) == (1000, 1_000_000_000_000_000_000)


@pytest.mark.parametrize(
    ("asked", "balance", "refusal", "state", "moved"),
    [
        (STAKE, 100, None, BetState.ON, -100),
        (STAKE, 99, Refusal.NOT_ENOUGH_FUNDS, BetState.REFUSED, 0),
        (BOTH, 100, None, BetState.SETTLED, 150),
        (BOTH, 99, Refusal.NOT_ENOUGH_FUNDS, BetState.REFUSED, 0),
    ],
)
def test_a_new_bet(asked: RequestContents, balance: int, refusal: Refusal | None, state: BetState, moved: int) -> None:
    judged = demo_bets.open_bet(SESSION, "b-1", asked, balance=balance)
    assert judged.bet is not None
    assert (judged.refusal, judged.bet.state, judged.moved) == (refusal, state, moved)
    assert judged.bet.pay_in_answer == (OK if refusal is None else refusal.value)
    assert judged.bet.origin is (Origin.PAY_IN if asked is STAKE else Origin.PAY_IN_OUT)


def test_a_jackpot_needs_a_game_that_has_them() -> None:
    without, with_them = replace(SESSION, jackpot_wins=False), replace(SESSION, jackpot_wins=True)
    assert demo_bets.open_jackpot(without, "j", WIN) == Judged(Refusal.BET_UNKNOWN)
    judged = demo_bets.open_jackpot(with_them, "j", WIN)
    assert judged.bet is not None
    assert (judged.refusal, judged.moved) == (None, 250)
    assert (judged.bet.origin, judged.bet.state, judged.bet.stake) == (Origin.JACKPOT, BetState.SETTLED, 0)


def test_a_refund_before_its_bet_leaves_a_tombstone() -> None:
    judged = demo_bets.open_tombstone(SESSION, "b-1")
    assert judged.bet is not None
    assert (judged.refusal, judged.moved) == (None, 0)
    assert (judged.bet.origin, judged.bet.state, judged.bet.round_ref) == (Origin.TOMBSTONE, BetState.RETURNED, "")


def test_a_repeat_gets_the_first_answer_and_other_contents_are_refused() -> None:
    assert demo_bets.pay_in(bet(), STAKE) == Judged()
    assert demo_bets.pay_in(bet(balance=0), STAKE) == Judged(Refusal.NOT_ENOUGH_FUNDS)
    for other in (replace(STAKE, stake=101), replace(STAKE, round_ref="s"), replace(STAKE, player_id=PLAYER + 1)):
        assert demo_bets.pay_in(bet(), other) == Judged(CONFLICT.refusal)


def test_a_bet_is_settled_once_and_refunded_once() -> None:
    settled = demo_bets.pay_out(bet(), WIN)
    assert settled.bet is not None
    assert (settled.bet.state, settled.bet.win, settled.moved) == (BetState.SETTLED, 250, 250)
    assert demo_bets.pay_out(settled.bet, WIN) == Judged()
    refunded = demo_bets.refund(settled.bet, CASINO, PLAYER)
    assert refunded.bet is not None
    assert (refunded.bet.state, refunded.moved) == (BetState.RETURNED, 100 - 250)
    assert demo_bets.refund(refunded.bet, CASINO, PLAYER) == Judged()
    assert demo_bets.refund(bet(), CASINO, PLAYER).moved == 100
    assert demo_bets.refund(bet(balance=0), CASINO, PLAYER).moved == 0


@pytest.mark.parametrize(
    ("before", "moved", "after"), [(10, -4, 6), (10, -11, 0), (CEILING - 1, 1, CEILING), (CEILING, 5, CEILING)]
)
def test_a_balance_stays_between_nothing_and_the_ceiling(before: int, moved: int, after: int) -> None:
    assert demo_bets.balance_after(before, moved) == after
