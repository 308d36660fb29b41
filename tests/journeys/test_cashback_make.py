"""`POST {casino}/cashback-payments/make`: money given back outside any bet, and its cancellation."""

import asyncio
import json
from typing import Any

import pytest

from croupier.core.cashback import Cashback
from croupier.flows.cashback import CashbackRefused, cancel_cashback, pay_cashback
from tests.journeys.peers import Casino, acknowledge, book_inline, in_turn, say
from tests.journeys.stage import Stage, fresh

MAKE = "cashback-payments/make"


async def cashback(stage: Stage, casino_id: int, player: str, amount: int = 300, ref: str | None = None) -> Cashback:
    """Decide one, as the command does."""
    known = await stage.desk.store.players.register(casino_id, player, "EUR")
    row = Cashback(
        cashback_id=await stage.desk.store.ids.take(), casino_id=casino_id, player_id=known.player_id,
        player_ref=player, currency="EUR", amount=amount, ref=ref or fresh("ref"),
        created_ms=stage.desk.clock.now_ms(),
    )  # fmt: skip
    return await pay_cashback(stage.desk, row)


async def state(stage: Stage, cashback_id: int, wanted: str) -> None:
    async def there() -> bool:
        sql = "select state from cashbacks where cashback_id = $1"
        return str(await stage.desk.store.db.fetchval(sql, cashback_id)) == wanted

    await stage.until(there, otherwise=lambda: f"{cashback_id} is not {wanted}")


async def heard(stage: Stage, casino: Casino, count: int) -> list[Any]:
    await stage.until(lambda: len(casino.calls(MAKE)) >= count)
    return casino.calls(MAKE)


async def test_a_cashback_reaches_the_wallet_and_can_be_taken_back(stage: Stage) -> None:
    player = fresh("player")
    row = await cashback(stage, stage.facts.casino_id, player)
    await state(stage, row.cashback_id, "paid")
    wallet = (await stage.casino(f"wallet/{player}")).said
    assert wallet["change"] == "3"
    assert await stage.ledger(row.cashback_id) == {"cashback": -300, "wallets": 300}
    await cancel_cashback(stage.desk, row.cashback_id, "tester")
    await state(stage, row.cashback_id, "cancelled")
    wallet = (await stage.casino(f"wallet/{player}")).said
    assert wallet["change"] == "0"
    assert [b["TransactionType"] for b in wallet["bookings"]] == [1, -1]
    assert await stage.ledger(row.cashback_id) == {}


async def test_the_data_are_exactly_the_documented_fields(stage: Stage) -> None:
    casino = await stage.new_casino()
    player = fresh("player")
    row = await cashback(stage, casino.line.client_id, player, 1234)
    await state(stage, row.cashback_id, "paid")
    (call,) = (h for h in casino.heard if h.path == MAKE)
    assert json.loads(call.text) == {
        "CashbackId": row.cashback_id, "PartnerUserId": player, "TransactionType": 1, "Amount": "12.34",
    }  # fmt: skip
    assert row.cashback_id < 2**53


async def test_the_same_ref_is_the_same_cashback(stage: Stage) -> None:
    casino = await stage.new_casino()
    player, ref = fresh("player"), fresh("ref")
    first = await cashback(stage, casino.line.client_id, player, 300, ref)
    again = await cashback(stage, casino.line.client_id, player, 300, ref)
    assert again.cashback_id == first.cashback_id
    with pytest.raises(CashbackRefused, match="another"):
        await cashback(stage, casino.line.client_id, player, 301, ref)
    await state(stage, first.cashback_id, "paid")
    assert len(casino.calls(MAKE)) == 1


@pytest.mark.slow
async def test_a_refused_cashback_is_not_yet_paid(stage: Stage) -> None:
    casino = await stage.new_casino()
    casino.says[MAKE] = in_turn(say(102823), say(500, status=502), acknowledge, say(103802), book_inline)
    row = await cashback(stage, casino.line.client_id, fresh("player"))
    await state(stage, row.cashback_id, "paid")
    tries = [h for h in casino.heard if h.path == MAKE]
    assert len(tries) == 5
    assert len({h.text for h in tries}) == 1


async def test_a_cancel_waits_for_the_outcome(stage: Stage) -> None:
    casino = await stage.new_casino()
    casino.says[MAKE] = in_turn(acknowledge, book_inline)
    row = await cashback(stage, casino.line.client_id, fresh("player"))
    (made,) = await heard(stage, casino, 1)
    await cancel_cashback(stage.desk, row.cashback_id, "tester")
    await asyncio.sleep(0.2)
    assert len(casino.calls(MAKE)) == 1
    await casino.line.accept(made)
    await state(stage, row.cashback_id, "cancelled")
    assert [m["TransactionType"] for m in casino.calls(MAKE)] == [1, -1]
    assert await stage.ledger(row.cashback_id) == {}


async def test_a_cancel_of_what_the_casino_refuses_ends_it_without_more_tries(stage: Stage) -> None:
    casino = await stage.new_casino()
    casino.says[MAKE] = acknowledge
    row = await cashback(stage, casino.line.client_id, fresh("player"))
    (made,) = await heard(stage, casino, 1)
    await cancel_cashback(stage.desk, row.cashback_id, "tester")
    await casino.line.accept(made, 102145)
    await state(stage, row.cashback_id, "cancelled")
    await asyncio.sleep(0.3)
    assert len(casino.calls(MAKE)) == 1
    assert await stage.ledger(row.cashback_id) == {}


async def test_a_casino_that_keeps_a_cashback_calls_for_a_person(stage: Stage) -> None:
    casino = await stage.new_casino()
    casino.says[MAKE] = in_turn(book_inline, say(103802))
    row = await cashback(stage, casino.line.client_id, fresh("player"))
    await state(stage, row.cashback_id, "paid")
    await cancel_cashback(stage.desk, row.cashback_id, "tester")
    await state(stage, row.cashback_id, "kept")
    assert "cashback_kept" in await stage.incidents(row.cashback_id)
    assert await stage.ledger(row.cashback_id) == {"cashback": -300, "wallets": 300}


@pytest.mark.slow
async def test_a_disabled_casino_gets_no_new_cashback_and_keeps_the_old(stage: Stage) -> None:
    casino = await stage.new_casino()
    casino.says[MAKE] = in_turn(say(500), say(500), say(500), book_inline)
    row = await cashback(stage, casino.line.client_id, fresh("player"))
    await stage.desk.store.casinos.disable(casino.line.client_id)
    with pytest.raises(CashbackRefused, match="disabled"):
        await cashback(stage, casino.line.client_id, fresh("player"))
    await state(stage, row.cashback_id, "paid")
