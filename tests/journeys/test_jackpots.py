"""A pot of the hub from its first share to the paid win, between real processes: workers, casino, studio.

Contract: money.md 6.3, feed.md 2, decision 0050.
"""

from __future__ import annotations

import pytest

from croupier.core.jackpot import Pot
from croupier.flows.jackpots import add_pot
from tests.journeys.by_hand import HandProvider
from tests.journeys.stage import Stage, Table, fresh

SLOW_S = 40.0
"""The workers bind the audit trail every 5 s, and an entry by the second time at the latest."""


async def round_of(line: HandProvider, session: str, bet: str, win: str = "0") -> None:
    assert (await line.pay_in(session, bet)).outcome == (200, 1)
    assert (await line.pay_out(session, bet, win)).outcome == (200, 1)


async def open_pot(stage: Stage, table: Table, ceiling: int) -> int:
    """A pot of 10 % for this casino alone, seeded with 10.00."""
    casino_id = table.casino.line.client_id
    pot = Pot(await stage.desk.store.ids.take(), fresh("pot"), "EUR", 1_000, 1_000, ceiling, frozenset({casino_id}))
    return (await add_pot(stage.desk, pot, "ann")).pot.pot_id


@pytest.mark.slow
async def test_the_winner_gets_the_pot_by_a_payment_of_type_4(stage: Stage, table: Table) -> None:
    pot_id = await open_pot(stage, table, ceiling=1_001)
    bet = fresh("b")
    await round_of(table.line, table.session, bet)
    made = await table.make(4, within_s=SLOW_S)
    assert (made["Amount"], made["PartnerUserId"]) == ("10.01", table.player)
    (second, first) = await stage.desk.store.jackpots.rounds(pot_id)
    row = await table.row(bet)
    assert row is not None
    assert (first.won_by, first.win_id) == (row["bet_id"], int(made["BetId"]))
    assert first.win_id is not None
    await stage.paid(first.win_id, "jackpot")
    assert await stage.ledger(first.win_id) == {"wallets": 1_001, "jackpot": -1_001}
    assert await stage.ledger(pot_id) == {"jackpot": 2_001, "jackpot-share": -2_001}
    stored = await stage.desk.store.jackpots.get(pot_id)
    assert stored is not None
    assert (second.seed, stored.pot.amount, stored.pot.carry) == (1_000, 1_000, 99 * 10_000)


@pytest.mark.slow
async def test_a_stake_that_goes_back_leaves_the_pot(stage: Stage, table: Table) -> None:
    pot_id = await open_pot(stage, table, ceiling=10**12)
    kept, gone = fresh("b"), fresh("b")
    await round_of(table.line, table.session, kept)
    await round_of(table.line, table.session, gone)

    async def stands_at(amount: int) -> bool:
        stored = await stage.desk.store.jackpots.get(pot_id)
        return stored is not None and stored.pot.amount == amount

    await stage.until(lambda: stands_at(1_200), SLOW_S)
    assert (await table.line.refund(table.session, gone)).outcome == (200, 1)
    await stage.until(lambda: stands_at(1_100), SLOW_S)
