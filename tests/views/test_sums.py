"""The ledger's sums: every account as the entries leave it, all of a currency adding up to zero."""

from __future__ import annotations

import pytest

from croupier.views.sums import sums, totals
from tests.views.world import World, everything


async def test_every_account_stands_at_what_its_entries_moved(world: World) -> None:
    await world.keep(world.story().settled(2500), world.story().on(), world.story().cashback())
    found = await sums(world.db)
    assert {(one.account, one.text) for one in found} == {
        ("wallets/11", "5.00"), ("open-bets/11/22", "10.00"), ("ggr/11/22", "-15.00"), ("owed/11", "5.00"),
        ("cashback/11", "-5.00"),
    }  # fmt: skip
    assert {one.currency for one in found} == {"EUR"}
    assert next(one.balance for one in found if one.account == "ggr/11/22") == -1500


@pytest.mark.slow
async def test_all_accounts_add_up_to_zero(world: World) -> None:
    await world.keep(*everything(world).values())
    assert totals(await sums(world.db)) == {"EUR": 0}


async def test_currencies_are_never_added(world: World) -> None:
    await world.keep(world.story().on(), world.story().on())
    await world.break_by("update ledger set currency = 'JPY' where subject_id = 1002")
    assert {(s.account, s.currency, s.text) for s in await sums(world.db)} == {
        ("open-bets/11/22", "EUR", "10.00"), ("wallets/11", "EUR", "-10.00"),
        ("open-bets/11/22", "JPY", "1000"), ("wallets/11", "JPY", "-1000"),
    }  # fmt: skip


async def test_an_empty_ledger_has_no_accounts(world: World) -> None:
    assert await sums(world.db) == []
