"""Old demo sessions go with everything of theirs, and nothing of real money does."""

from __future__ import annotations

import pytest

from croupier.flows.deletion import DAY_MS
from croupier.flows.forget_demo import forget_old_demo
from croupier.store.db import Db
from tests.flows.desk import Desk, make_desk

COPIES = """
insert into sessions (session_id, provider_id, casino_id, player_id, game_id, currency, demo, min_bet, max_bet, opened_ms,
    expires_ms)
select 'demo-' || n, provider_id, casino_id, player_id, game_id, currency, true, min_bet, max_bet, opened_ms, $1
from sessions, generate_series($2::integer, $3::integer) n where not demo"""
PLAYED = """
insert into demo_balances (session_id, amount) select session_id, 1 from sessions s where demo
    and not exists (select from demo_balances b where b.session_id = s.session_id)"""
BETS = """
insert into demo_bets (provider_id, bet_ref, session_id, round_ref, origin, stake, state, created_ms)
select provider_id, session_id || '/' || n, session_id, 'r', 'pay_in', 100, 'on', 0 from sessions, generate_series(1, 3) n
where demo on conflict do nothing"""


@pytest.fixture
async def desk(db: Db) -> Desk:
    made = await make_desk(db)
    await db.execute("delete from sessions where demo")
    return made


async def played(desk: Desk, first: int, last: int, *, expired_days: int) -> None:
    """Demo sessions that were played and expired so many days ago."""
    await desk.db.execute(COPIES, desk.clock.now_ms() - expired_days * DAY_MS, first, last)
    await desk.db.execute(PLAYED)
    await desk.db.execute(BETS)


async def counts(desk: Desk) -> tuple[int, int, int]:
    row = await desk.db.fetchrow(
        "select (select count(*) from sessions where demo) as s, (select count(*) from demo_balances) as b,"
        " (select count(*) from demo_bets) as m"
    )
    assert row is not None
    return row["s"], row["b"], row["m"]


async def test_what_expired_before_the_time_goes_and_the_rest_stays(desk: Desk) -> None:
    await played(desk, 1, 3, expired_days=91)
    await played(desk, 11, 12, expired_days=89)
    real = await desk.db.fetchval("select count(*) from sessions where not demo")
    await desk.db.execute("update sessions set expires_ms = 0 where not demo")
    assert await counts(desk) == (5, 5, 15)
    assert await forget_old_demo(desk.hub, 90) == 3
    assert await counts(desk) == (2, 2, 6)
    assert await desk.db.fetchval("select count(*) from sessions where not demo") == real
    assert await forget_old_demo(desk.hub, 90) == 0


async def test_more_than_a_batch_goes_in_several_transactions(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("croupier.flows.deletion.BATCH", 4)
    monkeypatch.setattr("croupier.flows.deletion.PAUSE_S", 0.0)
    await played(desk, 1, 10, expired_days=100)
    assert await forget_old_demo(desk.hub, 90) == 10
    assert await counts(desk) == (0, 0, 0)


async def test_one_process_at_a_time_deletes(desk: Desk) -> None:
    await played(desk, 1, 1, expired_days=100)
    assert await desk.hub.store.singleton_leases.take("demo retention", "another", 60)
    assert await forget_old_demo(desk.hub, 90) == 0
    assert await counts(desk) == (1, 1, 3)
