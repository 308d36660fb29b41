"""Every use is recorded before the work, without secrets, and the audit trail binds the record."""

from __future__ import annotations

import json

import pytest

from croupier.admin_api import door
from croupier.core.account import Role
from croupier.store.db import DbDown, DbError, DbViolation
from croupier.store.oversight.admin_uses import AdminUses
from croupier.views.trail.verify import verify_trail
from tests.admin_api.conftest import Office


async def test_a_use_says_who_asked_for_what_from_where(office: Office) -> None:
    token = await office.person(Role.OPERATE)
    await office.good(token, "GET bets?casino=Rialto&limit=5")
    (use,) = await office.uses()
    assert (use.account, use.command, use.address, use.refused) == ("person-1", "bet list", "127.0.0.1", None)
    assert json.loads(use.parameters) == {"casino": "Rialto", "limit": 5}


async def test_a_read_that_is_repeated_is_recorded_once_a_minute(office: Office) -> None:
    token = await office.person(Role.LOOK)
    for _ in range(5):
        await office.good(token, "GET bets")
    await office.good(token, "GET bets?limit=7")
    assert len(await office.uses()) == 2
    office.house.clock.ms += door.AGAIN_MS
    await office.good(token, "GET bets")
    assert len(await office.uses()) == 3


async def test_what_changes_something_is_recorded_each_time(office: Office) -> None:
    token = await office.person(Role.DECIDE)
    for _ in range(2):
        assert (await office.ask(token, "POST incidents/close", {"ids": [1], "reason": "r"})).status == 404
    assert [use.command for use in await office.uses()] == ["incidents close"] * 2


async def test_a_refusal_is_recorded_with_its_cause(office: Office) -> None:
    token = await office.person(Role.LOOK)
    assert (await office.ask(token, "POST bets/1/return", {"reason": "r"})).status == 403
    (use,) = await office.uses()
    assert use.refused == "person-1 has the role look: `bet return` needs the role decide"


async def test_what_cannot_be_recorded_is_not_done(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    token, bet_id = await office.person(), await office.bet()

    async def away(*_: object, **__: object) -> None:
        raise DbDown("away")

    monkeypatch.setattr(AdminUses, "put", away)
    answer = await office.ask(token, f"POST bets/{bet_id}/return", {"reason": "r"})
    assert answer.code == (503, "database")
    bet = await office.house.hub.store.bets.by_id(bet_id)
    assert bet is not None
    assert bet.state.value == "on"


async def test_a_secret_is_never_recorded(office: Office) -> None:
    token = await office.person()
    made = await office.good(token, "POST accounts", {"name": "zoe", "role": "look"})
    await office.good(made["secret"], "GET bets")
    assert not any(made["secret"] in use.parameters or token in use.parameters for use in await office.uses())


async def broken(office: Office) -> dict[str, str]:
    hub = office.house.hub
    return {one.kind: one.what for one in (await verify_trail(hub.store.db, hub.notary)).breaks}


async def test_the_trail_binds_the_uses_and_sees_a_changed_one(office: Office) -> None:
    hub = office.house.hub
    await office.good(await office.person(), "GET bets")
    assert await hub.store.trail.bind() > 0
    assert "edited" not in await broken(office)
    with pytest.raises((DbViolation, DbError)):
        await hub.store.db.execute("update admin_uses set account = 'ben'")
    await hub.store.db.execute("alter table admin_uses disable trigger append_only")
    await hub.store.db.execute("update admin_uses set account = 'ben'")
    await hub.store.db.execute("alter table admin_uses enable trigger append_only")
    assert "row 1 of admin_uses is not what it was" in (await broken(office))["edited"]
