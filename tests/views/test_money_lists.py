"""The operator's lists: which rows they hold, how they go on, and that each is answered by an index of a large table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from croupier.store.db import Db
from croupier.views import money_lists
from croupier.views.money_lists import Search, bets_query, payments_query, sessions_query
from croupier.views.subjects import SeveralFound, bet_of_round, last_bet, subject_of_transaction
from tests.core.samples import T0
from tests.views.world import World, everything

ROWS = 40_000
ALL = Search(1000)
MANY = (
    """insert into players (player_id, casino_id, player_ref, currency, created_ms)
    select 1000 + n, 11 + n % 2, 'p' || n, 'EUR', 0 from generate_series(1, 2000) n""",
    f"""insert into bets (bet_id, casino_id, provider_id, player_id, player_ref, bet_ref, round_ref, session_id, game_id, origin,
        currency, stake, created_ms, state, version, was_on, closing)
    select 100000 + n, 11 + (n + 1) % 2, 22, 1001 + n % 2000, 'p' || 1 + n % 2000, 'x' || n, 'r' || n / 3, 's', 44, 'pay_in', 'EUR',
        100 + n % 50, {T0} + n * 1000, 'settled', 1, true, 'none' from generate_series(1, {ROWS}) n""",
    f"""insert into payments (subject_id, kind, amount, created_ms, state, partner_tx, player_id, decided_ms)
    select 100000 + n, 'stake', 100 + n % 50, {T0} + n * 1000, 'accepted', 't' || n, 1001 + n % 2000, {T0} + n * 1000 + 5
    from generate_series(1, {ROWS}) n""",
    f"""insert into sessions (session_id, provider_id, casino_id, player_id, game_id, currency, demo, min_bet, max_bet, opened_ms,
        expires_ms) select 's' || n, 22, 11 + (n + 1) % 2, 1001 + n % 2000, 44, 'EUR', false, 1, 2, {T0} + n * 1000, {T0} + n * 1000 + 1
    from generate_series(1, {ROWS}) n""",
    "analyze",
)  # fmt: skip


async def fill(world: World) -> None:
    """Write some ten thousands of rows behind the program's back."""
    async with world.lawless() as connection:
        for statement in MANY:
            await connection.execute(statement)


@pytest.mark.slow
async def test_every_list_is_answered_by_an_index(world: World, db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    """A window is small beside the table, as it is in a hub that has run for a year."""
    monkeypatch.setattr(money_lists, "WINDOW", 500)
    await fill(world)
    narrow: dict[str, dict[str, Any]] = {
        "all": {}, "casino": {"casino_ids": (11,)}, "provider": {"provider_ids": (22,)}, "player": {"player_ids": (1005, 1006)},
        "game": {"game_id": 44}, "state": {"state": "settled"}, "amount": {"currency": "EUR", "least": 120, "most": 130},
        "time": {"from_ms": T0 + 5_000_000, "until_ms": T0 + 6_000_000}, "cursor": {"before": (110_000, "stake")},
        "round": {"round_ref": "r77"}, "round and player": {"round_ref": "r77", "player_ids": (1005,)},
        "live": {"live": True, "now_ms": T0},
    }  # fmt: skip
    queries: tuple[Callable[..., tuple[str, list[object]]], ...] = (bets_query, payments_query, sessions_query)
    for build in queries:
        for name, changes in narrow.items():
            sql, values = build(replace(Search(50), **changes), 0)
            plan = "\n".join(row["QUERY PLAN"] for row in await db.fetch(f"explain {sql}", *values))
            for table in ("bets", "payments", "sessions"):
                assert f"Seq Scan on {table}" not in plan, (build.__name__, name, plan)


@pytest.mark.slow
async def test_what_trace_looks_for_is_found_by_an_index(world: World, db: Db) -> None:
    await fill(world)
    for sql, values in (
        ("select 1 from bets where round_ref = $1", ["r77"]),
        ("select 1 from payments where partner_tx = $1", ["t77"]),
    ):
        plan = "\n".join(row["QUERY PLAN"] for row in await db.fetch(f"explain {sql}", *values))
        assert "Seq Scan" not in plan
    assert await last_bet(db, "p5") == 100000 + ROWS - 2000 + 4
    assert await subject_of_transaction(db, "t77") == 100077
    with pytest.raises(SeveralFound, match=r"100233 \(player p234 at Aurora, settled\) or 100232"):
        await bet_of_round(db, "r77")


@pytest.mark.slow
async def test_windows_and_pages_together_show_every_row_once(
    world: World, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the sizes are: of the page, of the windows, and of how many windows one page may look at."""
    await fill(world)
    wanted = {100000 + n for n in range(1, ROWS + 1) if 100 + n % 50 == 149 and n % 2}
    for window, most in ((300, 7), (10_000, 100)):
        monkeypatch.setattr(money_lists, "WINDOW", window)
        monkeypatch.setattr(money_lists, "MOST_WINDOWS", most)
        asked = Search(70, casino_ids=(11,), currency="EUR", least=149)
        seen: list[int] = []
        paid: list[str] = []
        while True:
            page = await money_lists.bets(db, asked)
            seen += [one.bet_id for one in page.bets]
            if page.before is None:
                break
            asked = replace(asked, before=page.before)
        asked = replace(asked, before=ALL.before)
        while True:
            page = await money_lists.payments(db, asked)
            paid += [one.payment for one in page.payments]
            if page.before is None:
                break
            asked = replace(asked, before=page.before)
        assert seen == sorted(wanted, reverse=True)
        assert paid == [f"{bet_id}:stake" for bet_id in sorted(wanted, reverse=True)]


@pytest.mark.slow
async def test_a_time_long_ago_is_found_at_once(world: World, db: Db) -> None:
    await fill(world)
    asked = Search(10, from_ms=T0 + 5_000_000, until_ms=T0 + 5_003_000)
    assert [one.bet_id for one in (await money_lists.bets(db, asked)).bets] == [105002, 105001, 105000]
    assert len((await money_lists.payments(db, asked)).payments) == 3
    assert [one.session_id for one in (await money_lists.sessions(db, asked)).sessions] == ["s5002", "s5001", "s5000"]


@pytest.mark.slow
async def test_every_kind_of_row_is_listed_with_its_filters(world: World, db: Db) -> None:
    stories = everything(world)
    await world.keep(*stories.values())
    listed = (await money_lists.bets(db, ALL)).bets
    assert [one.bet_id for one in listed] == sorted((one.bet_id for one in listed), reverse=True)
    settled = (await money_lists.bets(db, Search(1000, state="settled", player_ids=(33,)))).bets
    assert {one.state for one in settled} == {"settled"}
    (on,) = [one for one in listed if one.bet_id == stories["on"].subject_id]
    assert (on.casino, on.player, on.provider, on.game, on.stake, on.state) == (
        "Aurora",
        "ann",
        "Fable",
        "g-1",
        "10.00",
        "on",
    )
    payments = (await money_lists.payments(db, ALL)).payments
    assert any(one.payment == f"{stories['cashback'].subject_id}:cashback" for one in payments)
    kinds = (await money_lists.payments(db, Search(1000, kind="payout", state="accepted"))).payments
    assert kinds
    assert all(one.payment.endswith(":payout") and one.state == "accepted" for one in kinds)
    assert (await money_lists.payments(db, Search(5, casino_ids=(12,)))).payments == ()
    (session,) = (await money_lists.sessions(db, Search(5, player_ids=(33,), live=True, now_ms=T0))).sessions
    assert (session.session_id, session.player) == ("s-1", "ann")
