"""I21: the auditor finds every kind of damage done to a pot behind the hub, and only there."""

from __future__ import annotations

import pytest

from croupier.views.audit.jackpots import i21
from croupier.views.audit.violations import QueryScope, SubjectRange, SubjectSet
from tests.flows.pots import POT_ID, PotTable
from tests.views.world import World

OTHER_ID = POT_ID + 1

DAMAGES = {
    "a share counted twice": "update jackpot_contributions set amount = amount * 2 where pot_id = 500 and number = {open}",
    "a share that no stake gave": (
        "insert into jackpot_contributions select pot_id, 1, 'in', {open}, version, entry_id, 100, 100, 1"
        " from jackpot_contributions where pot_id = 500 limit 1"
    ),
    "a remainder dropped": "update jackpots set carry = 0 where pot_id = 500",
    "a pot that holds more": (
        "update jackpot_rounds set contributed = contributed + 1 where pot_id = 500 and number = {open}"
    ),
    "an entry gone": "delete from ledger where subject_id = 500 and why = 'fed' and version = (select max(version)"
    " from ledger where subject_id = 500 and why = 'fed')",
    "a seed gone": "delete from ledger where subject_id = 500 and why = 'seeded' and version > 0",
    "a ceiling passed": (
        "alter table jackpot_rounds drop constraint jackpot_rounds_check;"
        " update jackpot_rounds set ceiling = seed where pot_id = 500 and number = {open}"
    ),
    "no open round": "update jackpots set number = number + 1 where pot_id = 500",
    "a win of another amount": "update bets set win = win + 1 where origin = 'jackpot'",
    "a win to another player": "update bets set player_id = 34 where origin = 'jackpot'",
    "a win that left no pot": "delete from ledger where why = 'won' and source like 'jackpot/%'",
    "a win that left the pot twice": (
        "insert into ledger (subject_id, source, target, amount, currency, why, version, at_ms)"
        " select subject_id, source, target, amount, currency, why, version, at_ms from ledger"
        " where why = 'won' and source like 'jackpot/%'"
    ),
    "a round that another bet won": "update jackpot_rounds set won_by = won_by - 1 where pot_id = 500 and state = 'won'",
    "a win of no round": "update jackpot_rounds set win_id = win_id + 100000 where pot_id = 500 and state = 'won'",
    "a stake of another size": "update bets set stake = stake + 1 where origin <> 'jackpot' and bet_id = {last}",
    "a stake that is no longer settled": "update bets set state = 'on' where bet_id = {last}",
}


@pytest.fixture
async def table(world: World) -> PotTable:
    """Two pots, each with a round that was won and shares in the next one."""
    made = PotTable(world)
    await made.open(ceiling=1_100)
    await made.open(OTHER_ID, ceiling=1_100)
    for _ in range(20):
        await made.settled(3_330)
        await made.gather()
        pots = [(await made.pot(n)).pot for n in (POT_ID, OTHER_ID)]
        if all(pot.number > 1 and pot.contributed for pot in pots):
            break
    assert await made.violations() == {}
    return made


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", DAMAGES)
async def test_damage_to_a_pot_is_found(table: PotTable, name: str) -> None:
    last = await table.world.db.fetchval("select max(bet_id) from jackpot_contributions where pot_id = 500")
    sql = DAMAGES[name].format(open=(await table.pot()).pot.number, last=last)
    await table.world.break_by(sql)
    async with table.world.db.transaction(snapshot=True) as tx:
        found = await i21(tx, QueryScope(100))
        lately = await i21(tx, QueryScope(100, SubjectSet(frozenset({POT_ID, OTHER_ID}))))
        elsewhere = await i21(tx, QueryScope(100, SubjectRange(10**12, 2**63 - 1)))
    assert found, "nothing was found"
    assert elsewhere == []
    if "no round" not in name:
        assert lately, "the pots changed lately"


async def test_a_stake_that_went_back_must_leave_the_pot(table: PotTable) -> None:
    """Written as by a job that skipped it: the mark is past the return, and the share is still there."""
    story = (await table.settled(3_330))[0]
    await table.gather()
    story.refund()
    await table.go_on(story)
    assert await table.violations() == {}, "it may still be read"
    await table.world.break_by("update jackpots set upto_id = upto_id + 1000")
    found = await table.violations()
    assert found["I21"][0].startswith(f"the stake of bet {story.subject_id} went back")


async def test_an_old_round_is_checked_by_the_pass_over_all(table: PotTable) -> None:
    while (await table.pot()).pot.number < 5:
        await table.settled(9_999)
        await table.gather()
    await table.world.break_by("update jackpot_contributions set amount = amount + 1 where pot_id = 500 and number = 1")
    async with table.world.db.transaction(snapshot=True) as tx:
        assert not await i21(tx, QueryScope(100, SubjectSet(frozenset({POT_ID}))))
        assert await i21(tx, QueryScope(100, SubjectRange(-(2**63), 2**63 - 1)))
