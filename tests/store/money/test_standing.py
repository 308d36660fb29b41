"""store.money.standing: the SQL lists name the states that the core and the index name."""

from __future__ import annotations

import re

import pytest

from croupier.core.bet import BET_TABLE, BetState
from croupier.core.cashback import CashbackState
from croupier.core.payment import UNDECIDED, PaymentState
from croupier.store.db import Db
from croupier.store.money import standing


def named(sql: str) -> set[str]:
    return set(re.findall(r"'(\w+)'", sql))


@pytest.mark.parametrize(
    ("sql", "states"),
    [
        (standing.STANDING_BETS, {s.value for s in BetState}),
        (standing.STANDING_CASHBACKS, {s.value for s in CashbackState}),
        (standing.OPEN_PAYMENTS, {s.value for s in PaymentState}),
    ],
)
def test_only_states_that_exist_are_named(sql: str, states: set[str]) -> None:
    assert named(sql) < states


def test_payments_without_an_outcome_are_those_of_the_core() -> None:
    assert named(standing.UNDECIDED_PAYMENTS) == {state.value for state in UNDECIDED}
    assert named(standing.OPEN_PAYMENTS) == {state.value for state in UNDECIDED | {PaymentState.PARKED}}


def test_no_bet_is_born_standing_in_a_state_from_which_nothing_leads_on() -> None:
    assert named(standing.STANDING_BETS) <= {before.value for before, _ in BET_TABLE}


async def test_the_index_of_standing_bets_is_about_the_same_states(db: Db) -> None:
    made = await db.fetchval("select indexdef from pg_indexes where indexname = 'bets_standing'")
    assert named(made) == named(standing.STANDING_BETS)
