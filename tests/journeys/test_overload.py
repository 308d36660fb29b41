"""A casino that is down or full: new bets are refused at once and nothing is written; what is known goes on."""

import asyncio
import statistics
import time

import pytest

from tests.journeys.by_hand import Told
from tests.journeys.peers import Casino, Heard, accept_behind, acknowledge, say
from tests.journeys.stage import Stage, fresh

pytestmark = pytest.mark.slow


async def test_a_casino_that_is_down_gets_no_new_bets_until_a_probe_is_answered(stage: Stage) -> None:
    table = await stage.table(await stage.new_casino(batch=1))
    known, settled = fresh("b"), fresh("b")
    for bet in (known, settled):
        assert (await table.line.pay_in(table.session, bet)).code == 1
    paths = ("payments/make", "payments/info", "payments/close", "users/data")
    table.casino.says.update(dict.fromkeys(paths, say(500, status=500)))
    for _ in range(6):  # each worker has to learn it for itself
        refs = [fresh("b") for _ in range(16)]
        told = await asyncio.gather(*(table.line.pay_in(table.session, bet) for bet in refs))
        assert {t.code for t in told} == {99}
        refused = [(bet, t) for bet, t in zip(refs, told, strict=True) if t.status == 503]
        if len(refused) >= 14:
            break
    assert len(refused) >= 14, "each of the two workers may let one probe through"
    assert all(t.outcome == (503, 99) and int(t.headers["retry-after"]) > 0 for _, t in refused)
    assert [await table.row(bet) for bet, _ in refused] == [None] * len(refused)
    assert (await table.line.pay_in(table.session, known)).outcome == (200, 1)
    assert (await table.line.pay_out(table.session, settled)).outcome == (200, 1)
    assert (await table.line.refund(table.session, known)).outcome == (200, 1)
    table.casino.says.clear()

    async def recovered() -> bool:
        return {(await table.line.pay_in(table.session, fresh("b"))).code for _ in range(4)} == {1}

    await stage.until(recovered, 12)
    row = await table.row(settled)
    assert row is not None
    await stage.paid(row["bet_id"], "payout")


async def test_a_casino_whose_line_is_full_gets_no_more_stakes(stage: Stage) -> None:
    table = await stage.table(await stage.new_casino(in_flight=1))
    table.casino.says["payments/make"] = acknowledge
    asked = [asyncio.create_task(table.line.pay_in(table.session, fresh("b"))) for _ in range(8)]
    # One stake in flight for each of the two workers, if both got requests at all.
    await stage.until(lambda: len(table.casino.made(-1)) + sum(task.done() for task in asked) == 8)
    early: list[Told] = [task.result() for task in asked if task.done()]
    assert len(early) >= 6
    assert {t.outcome for t in early} == {(503, 99)}
    for made in table.casino.made(-1):
        await table.casino.line.accept(made)
    assert {t.outcome for t in await asyncio.gather(*asked)} == {(503, 99), (200, 1)}
    table.casino.says["payments/make"] = accept_behind
    assert (await table.line.pay_in(table.session, fresh("b"))).outcome == (200, 1), "the line is free again"


async def test_casinos_that_hang_do_not_slow_a_healthy_one(stage: Stage) -> None:
    """Makes and balances of three casinos get no answer; the fourth plays as before. Compared within one run."""
    healthy = await stage.table()

    async def hang(_casino: Casino, _heard: Heard) -> None:
        await asyncio.sleep(30)

    async def pay_ins() -> list[float]:
        took = []
        for _ in range(9):
            began = time.monotonic()
            assert (await healthy.line.pay_in(healthy.session, fresh("b"))).outcome == (200, 1)
            took.append(time.monotonic() - began)
        return took

    before = statistics.median(await pay_ins())
    flood: list[asyncio.Task[Told]] = []
    for _ in range(3):
        table = await stage.table(await stage.new_casino(batch=1))
        table.casino.says.update(dict.fromkeys(("payments/make", "payments/info", "users/data"), hang))
        flood += [asyncio.create_task(table.line.pay_in(table.session, fresh("b"))) for _ in range(10)]
    await asyncio.sleep(0.5)
    during = statistics.median(await pay_ins())
    assert {told.code for told in await asyncio.gather(*flood)} == {99}
    assert during <= 5 * before + 0.25
