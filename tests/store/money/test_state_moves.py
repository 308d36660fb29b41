"""The database lets a state move exactly where the core's tables lead in one decision (I11)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from enum import Enum

import pytest

from croupier.core.bet import BET_TABLE, BetState
from croupier.core.cashback import CASHBACK_TABLE, CashbackState
from croupier.core.payment import PAYMENT_TABLE, PaymentState
from croupier.store.db import Db, DbViolation

B, C = BetState, CashbackState
STATES: dict[str, type[Enum]] = {"payment": PaymentState, "bet": BetState, "cashback": CashbackState}

TWO_STEPS: dict[tuple[Enum, Enum], str] = {
    (B.ASKED, B.SETTLED): "a pay-in-out accepted while waited for is on and settled in the same breath",
    (B.UNCLAIMED, B.SETTLED): "a pay-out claims and settles; so does a repeat of a pay-in-out",
    (C.OWED, C.CANCELLED): "a cancel whose payment was definitely refused waits for nothing",
    (C.CANCELLED, C.KEPT): "a cancel refused for want of funds shows a payment, and is its outcome",
}
"""Moves that one decision makes by two events, with the reason why they belong together."""


def steps(table: Mapping[tuple[Enum, Enum], Enum]) -> set[tuple[Enum, Enum]]:
    """Every change of state by one event. An event that keeps the state changes no row's state."""
    return {(state, after) for (state, _), after in table.items() if state is not after}


EXPECTED = {
    (thing, before.value, after.value)
    for thing, table in (("payment", PAYMENT_TABLE), ("bet", BET_TABLE), ("cashback", CASHBACK_TABLE))
    for before, after in steps(table) | {move for move in TWO_STEPS if isinstance(move[0], STATES[thing])}
}


async def test_the_rows_are_the_moves_of_the_core_and_no_others(db: Db) -> None:
    rows = await db.fetch("select thing, from_state, to_state from state_moves")
    assert {(row["thing"], row["from_state"], row["to_state"]) for row in rows} == EXPECTED


@pytest.mark.parametrize("move", TWO_STEPS, ids=lambda m: f"{m[0].value} to {m[1].value}")
def test_a_move_by_two_events_is_a_way_of_two_steps_in_the_table(move: tuple[Enum, Enum]) -> None:
    """And not one already, else the exception would be idle."""
    single = steps(BET_TABLE) | steps(CASHBACK_TABLE)
    assert move not in single
    assert any((move[0], between) in single and (between, move[1]) in single for between in type(move[0]))


INSERTS = {
    "payment": "insert into payments (subject_id, kind, amount, created_ms, state, player_id) "
    "values ($1, 'stake', 5, 0, $2, 1)",
    "bet": "insert into bets (bet_id, casino_id, provider_id, player_id, player_ref, bet_ref, round_ref, session_id, "
    "game_id, origin, currency, stake, created_ms, state, version, was_on, closing) "
    "values ($1, 1, 1, 1, 'ann', $1::bigint::text, 'r', 's', 1, 'pay_in', 'EUR', 5, 0, $2, 0, false, 'open')",
    "cashback": "insert into cashbacks (cashback_id, casino_id, player_id, player_ref, currency, amount, ref, "
    "created_ms, state, version) values ($1, 1, 1, 'ann', 'EUR', 5, $1::bigint::text, 0, $2, 0)",
}
UPDATES = {
    "payment": "update payments set state = $2 where subject_id = $1",
    "bet": "update bets set state = $2 where bet_id = $1",
    "cashback": "update cashbacks set state = $2 where cashback_id = $1",
}


@pytest.mark.parametrize("thing", STATES)
async def test_every_pair_of_states_is_let_through_or_refused_by_the_trigger(db: Db, thing: str) -> None:
    let_through = set()
    for number, (before, after) in enumerate(itertools.product(STATES[thing], repeat=2)):
        await db.execute(INSERTS[thing], number, before.value)
        try:
            await db.execute(UPDATES[thing], number, after.value)
        except DbViolation:
            continue
        let_through.add((thing, before.value, after.value))
    unchanged = {(thing, state.value, state.value) for state in STATES[thing]}
    assert let_through - unchanged == {move for move in EXPECTED if move[0] == thing}
    assert unchanged <= let_through


async def test_an_accepted_payment_is_given_the_casinos_number_once(db: Db) -> None:
    await db.execute(INSERTS["payment"], 1, "accepted")
    await db.execute("update payments set partner_tx = 'tx-1'")
    for other in ("'tx-2'", "null"):
        with pytest.raises(DbViolation, match="illegal move of payment 1 stake: accepted to accepted"):
            await db.execute(f"update payments set partner_tx = {other}")


async def test_one_bad_row_refuses_the_whole_statement(db: Db) -> None:
    """The trigger looks at statements, as the group commit writes many rows with one."""
    for number, state in enumerate((BetState.ON, BetState.RETURNED)):
        await db.execute(INSERTS["bet"], number, state.value)
    with pytest.raises(DbViolation, match="illegal move of bet 1: returned to settled"):
        await db.execute("update bets set state = 'settled'")
    assert await db.fetchval("select count(*) from bets where state = 'settled'") == 0
