"""BetIds and CashbackIds: where they start, and that nobody is given one twice (money.md 4.6)."""

from __future__ import annotations

from croupier.core.recovery import START_OF_2020_S
from croupier.store.db import Db
from croupier.store.money.ids import BLOCK, MoneyIds, start_ids
from tests.store.cast import NOW_MS, HandClock


async def test_they_start_at_the_seconds_since_2020_and_never_twice(db: Db) -> None:
    clock = HandClock()
    await start_ids(db, clock)
    first = await MoneyIds(db).take()
    assert first == (NOW_MS // 1000 - START_OF_2020_S) * 10**6
    clock.ms += 3_600_000
    await start_ids(db, clock)
    assert await MoneyIds(db).take() == first + BLOCK, "a sequence that was used is left alone"


async def test_no_process_is_given_an_id_of_another_or_of_one_that_is_gone(db: Db) -> None:
    given: list[int] = []
    for _ in range(3):
        one, other = MoneyIds(db), MoneyIds(db)
        for _ in range(BLOCK + 1):
            given += [await one.take(), await other.take()]
    assert len(set(given)) == len(given)


async def test_within_a_process_they_rise(db: Db) -> None:
    ids = MoneyIds(db)
    taken = [await ids.take() for _ in range(BLOCK * 2)]
    assert taken == sorted(set(taken))
