"""RS256, ES256 and EdDSA per casino: the whole round, each envelope opened by another library than the hub's own."""

import pytest

from tests.journeys.stage import Stage, fresh

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
async def test_a_whole_round_in_every_algorithm(stage: Stage, alg: str) -> None:
    table = await stage.table(await stage.new_casino(alg))
    bet = fresh("b")
    assert (await table.line.pay_in(table.session, bet)).outcome == (200, 1)
    assert (await table.line.pay_out(table.session, bet)).outcome == (200, 1)
    await table.call("payments/close")
    assert {heard.header["alg"] for heard in table.casino.heard} == {alg}


async def test_the_algorithm_of_a_casino_may_be_changed(stage: Stage) -> None:
    table = await stage.table()
    assert (await table.line.balance(table.session)).code == 1
    await stage.desk.store.casinos.change(table.casino.line.client_id, {"alg": "ES256"})
    table.casino.alg = "ES256"

    async def changed() -> bool:
        return (await table.line.balance(table.session)).code == 1 and table.casino.heard[-1].header["alg"] == "ES256"

    await stage.until(changed)
