"""Pots over real rows: every share once and exact, every win paid once, whoever gathers and whatever is cut off."""

from __future__ import annotations

import asyncio
import hashlib
from fractions import Fraction
from functools import partial
from random import Random
from typing import Any

import asyncpg
import pytest

from croupier.core import jackpot, person
from croupier.core.bet import BetState, Origin
from croupier.core.draft import Draft
from croupier.core.jackpot import BadPot, RoundState, changed, frozen, unfrozen
from croupier.core.payment import PaymentState
from croupier.flows.jackpots import award_all, change_pot, gather_all
from croupier.kit.seal import Sealer
from croupier.store.db import Db
from croupier.store.money.group_commit import Broken
from croupier.store.money.jackpots import Fresh, PotNameTaken
from croupier.views.gauges import gauges
from tests.core.samples import K
from tests.flows.pots import POT_ID, PotTable, make_hub
from tests.views.conftest import world
from tests.views.world import World

__all__ = ["world"]


@pytest.fixture
def table(world: World) -> PotTable:
    return PotTable(world)


async def test_a_pot_begins_with_its_seed_and_takes_the_share_of_every_settled_stake(table: PotTable) -> None:
    await table.settled(1_000_000)
    await table.open()
    assert [(pot.name, pot.amount) for pot in (await gauges(table.world.db)).pots] == [(f"Pot {POT_ID}", 1_000)]
    await table.settled(10_000, 2_550)
    assert await table.gather() == 2
    assert await table.amount() == "11.26", "the stake from before the pot is not in it"
    assert (await table.pot()).pot.carry == -5_000, "125.5 cents were rounded to 126"
    assert await table.balance("jackpot-share/11/22") == -126
    assert await table.balance("jackpot-share/seeds") == -1_000
    assert await table.balance(f"jackpot/pot-{POT_ID}") == 1_126
    assert await table.violations() == {}


async def test_nothing_is_read_twice(table: PotTable) -> None:
    await table.open()
    await table.settled(10_000)
    await table.gather()
    assert [await table.gather() for _ in range(3)] == [0, 0, 0]
    assert await table.amount() == "11.00"


async def test_a_stake_that_is_on_or_was_returned_feeds_nothing(table: PotTable) -> None:
    await table.open()
    on, gone = table.world.story().on(stake=90_000), table.world.story().on(stake=70_000)
    gone.refund()
    await table.world.keep(on, gone)
    assert await table.gather() == 0
    assert await table.amount() == "10.00"


async def test_a_refunded_stake_takes_its_share_out_again(table: PotTable) -> None:
    await table.open()
    kept, gone = await table.settled(33_333, 77_777)
    await table.gather()
    gone.refund()
    await table.go_on(gone)
    await table.gather()
    assert (await table.pot()).pot.contributed * 10_000 + (await table.pot()).pot.carry == kept.subject.stake * 100
    assert await table.violations() == {}


async def test_a_stake_that_settles_and_goes_back_between_two_readings_leaves_nothing(table: PotTable) -> None:
    await table.open()
    (story,) = await table.settled(50_000)
    story.refund()
    await table.go_on(story)
    assert await table.gather() == 2
    assert await table.amount() == "10.00"
    assert await table.violations() == {}


async def test_other_currencies_casinos_and_games_do_not_feed_it(table: PotTable) -> None:
    await table.open(1, currency="USD")
    await table.open(2, casino_ids=frozenset({12}))
    await table.open(3, game_ids=frozenset({45}))
    await table.open(4, casino_ids=frozenset({11}), game_ids=frozenset({44}))
    await table.open(5)
    await table.settled(10_000)
    await table.gather()
    assert [(await table.pot(n)).pot.contributed for n in (1, 2, 3, 4, 5)] == [0, 0, 0, 100, 100]


async def test_a_name_is_given_once(table: PotTable) -> None:
    await table.open()
    with pytest.raises(PotNameTaken):
        await table.open(501, name=f"Pot {POT_ID}")
    assert await table.violations() == {}


# --- the win ------------------------------------------------------------------------------------------------


async def test_the_stake_that_fills_the_pot_is_paid_by_a_payment_of_type_4(table: PotTable) -> None:
    await table.open(ceiling=1_500)
    stories = await table.settled(*[10_000] * 5)
    await table.gather()
    first = (await table.rounds())[0]
    assert first.state is RoundState.WON
    assert first.win_id is not None
    winner = next(s for s in stories if s.subject_id == first.won_by)
    bet = await table.hub.store.bets.by_id(first.win_id)
    assert bet is not None
    prize = first.seed + first.contributed
    assert (bet.origin, bet.state, bet.win, bet.stake) == (Origin.JACKPOT, BetState.SETTLED, prize, 0)
    assert (bet.player_ref, bet.session_id) == (winner.subject.player_ref, winner.subject.session_id)
    assert bet.payments[K.JACKPOT].state is PaymentState.CREATED
    won = [r for r in await table.rounds() if r.state is RoundState.WON]
    assert await table.balance("owed/11") == sum(r.seed + r.contributed for r in won)
    assert await table.violations() == {}


async def test_anybody_can_recompute_who_won(table: PotTable) -> None:
    """From what `jackpot show` prints, with SHA-256 and HMAC alone."""
    begun = await table.open(ceiling=1_500)
    await table.settled(*[10_000] * 5)
    await table.gather()
    first = (await table.rounds())[0]
    assert first.secret is not None
    told = f"croupier-jackpot-v1:{POT_ID}:1:1000:1500:EUR:{first.secret}"
    assert hashlib.sha256(told.encode()).hexdigest() == begun.commitment == first.commitment
    hit = jackpot.hit_amount(begun.pot, bytes.fromhex(first.secret))
    shares = await table.hub.store.jackpots.shares(POT_ID, 1)
    amounts = [1_000 + sum(s["amount"] for s in shares[: n + 1]) for n in range(len(shares))]
    assert next(s["bet_id"] for s, amount in zip(shares, amounts, strict=True) if amount >= hit) == first.won_by


async def test_the_secret_of_a_running_round_is_sealed(table: PotTable) -> None:
    stored = await table.open()
    secret = await table.hub.store.jackpots.secret_of(stored)
    assert len(secret) == 32
    assert secret not in stored.sealed
    assert secret.hex() not in repr(stored)
    row = await table.world.db.fetchrow("select secret from jackpot_rounds")
    assert row is not None
    assert row["secret"] is None


async def test_a_win_that_was_decided_is_paid_by_whoever_comes_next(table: PotTable) -> None:
    """A process that dies between the two steps loses nothing, and the next one pays once."""
    await table.open(ceiling=1_500)
    await table.settled(*[10_000] * 5)
    while await table.hub.store.trail.bind():
        pass
    await gather_all(table.hub)
    assert await table.violations() == {}
    assert await table.world.db.fetchval("select count(*) from bets where origin = 'jackpot'") == 0
    later = make_hub(table.world.db, seed=2)
    wins = await award_all(later)
    assert wins >= 1
    await table.world.db.execute("update jackpot_rounds set awarded = awarded")
    assert await award_all(table.hub) == 0
    assert await table.world.db.fetchval("select count(*) from bets where origin = 'jackpot'") == wins
    assert await table.violations() == {}


async def test_a_win_whose_bet_is_open_already_is_not_opened_again(table: PotTable) -> None:
    """The process died after the commit of the bet and before it noted that."""
    await table.open(ceiling=1_500)
    await table.settled(*[10_000] * 5)
    while await table.hub.store.trail.bind():
        pass
    await gather_all(table.hub)
    due = await table.hub.store.jackpots.due()
    await asyncio.gather(award_all(table.hub), award_all(make_hub(table.world.db, seed=2)))
    assert await table.world.db.fetchval("select count(*) from bets where origin = 'jackpot'") == len(due)
    assert await table.balance("owed/11") == sum(win.amount for win in due)
    assert await table.violations() == {}


async def test_a_win_that_a_person_gave_up_is_back_in_the_pots_account(table: PotTable) -> None:
    await table.open(ceiling=1_200)
    await table.settled(*[10_000] * 3)
    await table.gather()
    first = (await table.rounds())[0]
    assert first.win_id is not None
    bet = await table.hub.store.bets.by_id(first.win_id)
    assert bet is not None
    draft = Draft(bet, table.world.story().terms())
    decision = person.give_up(draft, K.JACKPOT, author="mia", reason="the player is a colleague")
    assert await table.world.group_commit.commit(decision)
    assert [(e.source, e.target) for e in decision.entries] == [("owed/11", f"jackpot/pot-{POT_ID}")]
    assert await table.violations() == {}


# --- races --------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_two_processes_that_gather_at_once_feed_and_pay_once(world: World, database_url: str) -> None:
    """Real connections, both with the same marks in hand: one conditional update decides."""
    table = PotTable(world)
    await table.open(ceiling=1_400)
    other_db = await Db.connect(database_url, size=3)
    try:
        other = make_hub(other_db, seed=2)
        for n in range(12):
            await table.settled(*[9_000 + n] * 4)
            while await table.hub.store.trail.bind():
                pass
            await asyncio.gather(*(gather_all(hub) for hub in (table.hub, other, table.hub, other)))
            await asyncio.gather(award_all(table.hub), award_all(other))
        await table.gather()
    finally:
        await other_db.close()
    rounds = await table.rounds()
    won = [r for r in rounds if r.state is RoundState.WON]
    assert len(won) >= 3
    assert await world.db.fetchval("select count(*) from bets where origin = 'jackpot'") == len(won)
    assert await world.db.fetchval("select count(*) from jackpot_contributions") == 48
    assert await table.violations() == {}


async def test_two_winners_of_one_round_get_it_once(table: PotTable) -> None:
    """Two transitions computed from the same reading, each with another winner: one is written, the other is nothing."""
    stored = await table.open(ceiling=1_500)
    await table.settled(50_000, 50_000)
    while await table.hub.store.trail.bind():
        pass
    store, pot = table.hub.store.jackpots, stored.pot
    stakes = await store.stakes("EUR", pot.upto_id, await store.bound_upto())
    both = [
        jackpot.gather(pot, [stake], upto_id=stake.entry_id, known={}, hit=1_500) for stake in stakes
    ]  # fmt: skip
    fresh = [Fresh(bytes(32), bytes(32), win_id) for win_id in (9_001, 9_002)]
    wrote = await asyncio.gather(*(store.write(done, one) for done, one in zip(both, fresh, strict=True)))
    assert sorted(wrote) == [False, True]
    won = [r for r in await table.rounds() if r.state is RoundState.WON]
    assert len(won) == 1
    await award_all(table.hub)
    assert await table.balance("owed/11") == 1_500


async def test_an_entry_that_commits_late_is_not_skipped(table: PotTable, database_url: str) -> None:
    """Its number is lower than one that was read: the pot waits until no lower one can appear."""
    await table.open()
    late = table.world.story()
    late.on(stake=10_000)
    await table.world.keep(late)
    late.pay_out(0)
    settled = late.decisions[-1]
    connection = await asyncpg.connect(database_url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        event = (late.subject_id, settled.after.version, 5)
        await connection.execute(
            "insert into events (subject_id, version, at_ms, event, state, detail, process, mark)"
            " values ($1, $2, $3, 'settled', 'settled', '{}', 'p', 'm')", *event,
        )  # fmt: skip
        await connection.execute(
            "insert into ledger (subject_id, source, target, amount, currency, why, version, at_ms)"
            " values ($1, 'open-bets/11/22', 'ggr/11/22', 10000, 'EUR', 'settled', $2, $3)", *event,
        )  # fmt: skip
        await table.settled(20_000)
        await table.hub.store.trail.bind()
        await gather_all(table.hub)
        assert await table.amount() == "10.00"
        await transaction.commit()
    finally:
        await connection.close()
    await table.gather()
    assert await table.amount() == "13.00"


# --- commands -----------------------------------------------------------------------------------------------


async def test_a_frozen_pot_takes_nothing_until_it_is_open_again(table: PotTable) -> None:
    await table.open()
    await table.settled(10_000)
    await table.gather()
    await change_pot(table.hub, POT_ID, partial(frozen, author="ann"))
    await table.settled(10_000)
    await table.gather()
    await table.settled(10_000)
    upto = await table.hub.store.jackpots.written_upto()
    await change_pot(table.hub, POT_ID, partial(unfrozen, author="ann", written_upto=upto))
    await table.settled(10_000)
    await table.gather()
    assert await table.amount() == "12.00"
    assert await table.violations() == {}


async def test_a_ceiling_falls_only_before_the_first_share(table: PotTable) -> None:
    await table.open()
    lower = partial(changed, author="ann", ceiling=2_000)
    await change_pot(table.hub, POT_ID, lower)
    first, second = await table.rounds()
    assert (first.state, second.state, second.ceiling) == (RoundState.VOID, RoundState.OPEN, 2_000)
    assert first.secret is not None
    assert await table.balance(f"jackpot/pot-{POT_ID}") == 1_000
    await table.settled(10_000)
    await table.gather()
    with pytest.raises(BadPot, match="only rise"):
        await change_pot(table.hub, POT_ID, partial(changed, author="ann", ceiling=1_900))
    await change_pot(table.hub, POT_ID, partial(changed, author="ann", ceiling=3_000))
    assert (await table.pot()).pot.round_ceiling == 2_000
    assert await table.violations() == {}


async def test_a_pot_that_cannot_be_fed_raises_an_incident_and_stops_no_other(table: PotTable) -> None:
    await table.open(1)
    table.hub.store.jackpots._sealer = Sealer(bytes(32))
    await table.open(2)
    await table.settled(10_000)
    await table.gather()
    assert [await table.amount(1), await table.amount(2)] == ["10.00", "11.00"]
    assert [i.name for i in await table.hub.store.incidents.open_ones()] == ["jackpot_stopped"]


@pytest.mark.slow
async def test_a_win_that_cannot_be_owed_stops_no_other_and_is_owed_later(
    table: PotTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    await table.open(501, ceiling=1_001)
    await table.open(502, ceiling=1_001)
    await table.settled(10_000)
    commit = table.hub.group_commit.commit

    async def breaks(decision: Any) -> Any:
        if decision.after.bet_ref == " jackpot 501/1":
            raise Broken("for the test")
        return await commit(decision)

    with monkeypatch.context() as patch:
        patch.setattr(table.hub.group_commit, "commit", breaks)
        await table.gather()
    assert await table.balance("owed/11") == 1_001
    assert [i.name for i in await table.hub.store.incidents.open_ones()] == ["jackpot_stopped"]
    await table.gather()
    assert await table.balance("owed/11") == 2_002
    assert await table.violations() == {}


# --- to the cent --------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_fifty_wins_and_a_thousand_shares_balance_to_the_cent(table: PotTable) -> None:
    """Some stakes go back, before and after their round is won; at the end every account is what arithmetic says."""
    dice = Random(50)
    await table.open(ceiling=1_060, share_bp=73)
    await table.open(501, name="Shared", share_bp=125, seed=0, ceiling=10**12)
    stood: list[int] = []
    gone = 0
    while len(stood) < 1_000 or sum(r.state is RoundState.WON for r in await table.rounds()) < 50:
        stories = await table.settled(*[dice.randrange(1, 3_000) for _ in range(100)])
        await table.gather()
        back = dice.sample(stories, 5)
        for story in back:
            story.refund()
            await table.go_on(story)
            gone += story.subject.stake
        stood += [s.subject.stake for s in stories if s not in back]
    await table.gather()
    rounds = await table.rounds()
    won = [r for r in rounds if r.state is RoundState.WON]
    prizes = sum(r.seed + r.contributed for r in won)
    assert len(won) >= 50
    assert all(1_000 < r.seed + r.contributed <= 1_060 for r in won)
    assert await table.balance("owed/11") == prizes + gone
    standing = (await table.pot()).pot
    assert await table.balance(f"jackpot/pot-{POT_ID}") == standing.amount
    assert -await table.balance("jackpot-share/seeds") == 1_000 * len(rounds)
    simple = (await table.pot(501)).pot
    assert simple.contributed + Fraction(simple.carry, 10_000) == Fraction(sum(stood) * 125, 10_000)
    assert await table.violations() == {}
