"""Nobody sees or touches what is another's: casinos, providers and players beside each other."""

import asyncio

from tests.journeys.peers import acknowledge
from tests.journeys.stage import Stage, Table, fresh


async def test_a_casinos_token_on_another_casinos_payment_meets_an_unknown_payment(stage: Stage, table: Table) -> None:
    table.casino.says["payments/make"] = acknowledge
    bet = fresh("b")
    asked = asyncio.create_task(table.line.pay_in(table.session, bet))
    made = await table.make(-1)
    other = await stage.new_casino()
    before = await table.row(bet)
    foreign = await other.line.accept(made)
    unknown = await other.line.accept({**made, "BetId": 17})
    assert (foreign.status, foreign.raw, foreign.headers.keys()) == (
        unknown.status, unknown.raw, unknown.headers.keys(),
    )  # fmt: skip
    assert foreign.code == 102823
    refusal = await other.line.accept(made, 103805)
    assert refusal.code == 102823
    # The hub may have written the acknowledgement meanwhile, which raises the version and changes nothing else.
    assert {**await table.row(bet), "version": 0} == {**before, "version": 0}
    assert await stage.incidents(made["BetId"]) == set(), "a stranger raises no alarm about it either"
    await table.casino.line.accept(made)
    assert (await asked).outcome == (200, 1)
    late = await other.line.accept(made)
    assert late.raw == unknown.raw


async def test_a_session_of_another_provider_does_not_exist(stage: Stage, table: Table) -> None:
    other = await stage.new_studio()
    bet = fresh("b")
    assert (await table.line.pay_in(table.session, bet)).code == 1
    told = [
        await other.line.balance(table.session),
        await other.line.pay_in(table.session, fresh("b")),
        await other.line.pay_in(table.session, bet),
        await other.line.pay_out(table.session, bet),
        await other.line.refund(table.session, bet),
        await other.line.bet("pay-in-out", table.session, betId=bet, gameRoundId="r", betAmount="1", winAmount="1"),
    ]
    nobodys = await other.line.balance("0" * 32)
    assert {(t.status, t.raw) for t in told} == {(404, nobodys.raw)}
    assert nobodys.code == 2
    assert (await table.row(bet) or {})["state"] == "on"


async def test_two_providers_may_use_one_bet_id(stage: Stage, table: Table) -> None:
    other = await stage.table(table.casino, await stage.new_studio(), player=table.player)
    bet = fresh("b")
    assert (await table.line.pay_in(table.session, bet, "1.00")).outcome == (200, 1)
    assert (await other.line.pay_in(other.session, bet, "2.00")).outcome == (200, 1)
    assert (await other.line.refund(other.session, bet)).outcome == (200, 1)
    rows = [await table.row(bet), await other.row(bet)]
    assert [row and row["state"] for row in rows] == ["on", "returned"]


async def test_one_name_at_two_casinos_is_two_players(stage: Stage) -> None:
    name = fresh("player")
    here, there = await stage.table(player=name), await stage.table(player=name)
    bet = fresh("b")
    assert (await here.line.pay_in(here.session, bet)).outcome == (200, 1)
    assert (await there.line.pay_in(there.session, bet)).outcome == (409, 7)
    assert (await there.line.refund(there.session, bet)).outcome == (409, 7)
    assert there.casino.made() == []


async def test_a_secret_of_one_half_opens_nothing_in_the_other(stage: Stage, table: Table) -> None:
    token = await table.casino.line.bearer()
    path = f"/v1/sessions/{table.session}/balance"
    assert (await table.line.send("GET", path, headers={"Authorization": f"Bearer {token}"})).outcome == (401, 8)
    signed = table.line.signed(b"{}")
    told = await table.line.send("POST", "/mis-api/api/v2/payments/accept", b"{}", headers=signed)
    assert told.outcome == (401, 103752)
