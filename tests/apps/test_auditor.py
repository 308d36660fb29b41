"""The continuous auditor on a whole hub: one turn at a time, one incident for a violation, and metrics of every worker."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
import structlog

from croupier.apps.auditor import TURN_S, audit_for_ever, take_turn
from croupier.store.db import DbDown
from croupier.views.audit.auditor import audit
from tests.flows.desk import Desk

EVERY_S = 30.0


@pytest.fixture(autouse=True)
def _a_process(desk: Desk) -> None:
    desk.hub.process_settings = replace(desk.hub.process_settings, process="w-1")


async def break_by(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("set session_replication_role = replica")
    assert not (await connection.execute(sql)).endswith(" 0")
    await connection.close()


async def turn(desk: Desk) -> Any:
    desk.clock.ms += 30_000
    return await take_turn(desk.hub, EVERY_S)


async def incidents(desk: Desk) -> list[tuple[str, int, int]]:
    return [(i.name, i.subject_id, i.times) for i in await desk.hub.store.incidents.open_ones()]


@pytest.mark.slow
async def test_books_in_order_call_nobody(desk: Desk) -> None:
    await desk.bet()
    assert await turn(desk) == []
    assert await incidents(desk) == []


@pytest.mark.slow
async def test_a_violation_calls_a_person_once(desk: Desk, database_url: str) -> None:
    bet = await desk.bet()
    await break_by(database_url, f"delete from calls where subject_id = {bet.bet_id}")
    with structlog.testing.capture_logs() as lines:
        for _ in range(4):
            await turn(desk)
    assert await incidents(desk) == [("audit", bet.bet_id, 1)]
    told = [(line["invariant"], line["subject"]) for line in lines if line["event"] == "auditor.violation"]
    assert told == [("I10", bet.bet_id)]


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("sql", "invariant"),
    [
        ("update payments set state = 'accepted', decided_ms = 5 where subject_id = 1001", "I4"),
        ("update bets set state = 'refused', pay_in_answer = 'declined' where bet_id = 1001;"
         " update payments set state = 'accepted', decided_ms = 5 where subject_id = 1001;"
         " delete from calls where subject_id = 1001", "I7"),
    ],
)  # fmt: skip
async def test_its_own_incident_does_not_excuse_what_it_found(
    desk: Desk, database_url: str, sql: str, invariant: str
) -> None:
    """Some invariants hold where a person was called. That the auditor called one is no such thing."""
    await desk.bet()
    for one in sql.split(";"):
        await break_by(database_url, one)
    found = [one.invariant for one in await turn(desk)]
    assert invariant in found
    await turn(desk)
    assert invariant in {f.name for f in await audit(desk.db) if f.violations}
    assert invariant in {known.invariant for known in await desk.hub.store.audits.known()}


async def test_it_is_not_taken_before_its_time(desk: Desk) -> None:
    assert await turn(desk) == []
    assert await take_turn(desk.hub, EVERY_S) is None
    desk.clock.ms += 29_999
    assert await take_turn(desk.hub, EVERY_S) is None
    desk.clock.ms += 1
    assert await take_turn(desk.hub, EVERY_S) == []


async def test_while_one_process_has_its_turn_another_takes_none(desk: Desk) -> None:
    desk.clock.ms += 30_000
    assert await desk.hub.store.singleton_leases.take("audit", "w-2", TURN_S)
    assert await take_turn(desk.hub, EVERY_S) is None
    desk.clock.ms += 1000 * TURN_S
    assert await take_turn(desk.hub, EVERY_S) == [], "the other one died: its lease has run out"


async def test_two_that_look_at_once_write_one_turn(desk: Desk, database_url: str) -> None:
    """Should a lease run out under a process that only slept, the version of the progress decides."""
    bet = await desk.bet()
    await break_by(database_url, f"delete from calls where subject_id = {bet.bet_id}")
    desk.clock.ms += 30_000
    both = await asyncio.gather(take_turn(desk.hub, EVERY_S), take_turn(desk.hub, EVERY_S))
    assert sum(told is not None for told in both) == 1
    assert await incidents(desk) == [("audit", bet.bet_id, 1)]
    assert (await desk.hub.store.audits.progress()).version == 1


async def test_the_metrics_of_any_worker_tell_every_invariant(desk: Desk, database_url: str) -> None:
    bet = await desk.bet()
    await turn(desk)
    await break_by(database_url, f"delete from calls where subject_id = {bet.bet_id}")
    await turn(desk)
    text = (await desk.call("GET", "/metrics")).body.decode()
    assert 'croupier_audit_holds{invariant="I10"} 0.0' in text
    assert 'croupier_audit_violations{invariant="I10"} 1.0' in text
    for name in ("I1", "I5", "I12", "I20", "suspense"):
        assert f'croupier_audit_holds{{invariant="{name}"}} 1.0' in text
        assert f'croupier_audit_asked_seconds{{invariant="{name}"}} 1.76000006e+09' in text
        assert f'croupier_audit_took_seconds{{invariant="{name}"}}' in text
    assert "croupier_audit_whole_seconds 1.76" in text


async def test_the_loop_takes_turns_and_fails_with_the_database(desk: Desk) -> None:
    began, sleep, slept = desk.clock.ms, desk.clock.sleep, 0

    async def sleeps(seconds: float) -> None:
        nonlocal slept
        slept += 1
        if slept > 13:
            raise DbDown("enough")
        await sleep(seconds)

    desk.clock.sleep = sleeps  # type: ignore[method-assign]
    with pytest.raises(DbDown):
        await audit_for_ever(desk.hub, EVERY_S)
    assert desk.clock.ms - began == 65_000
    assert (await desk.hub.store.audits.progress()).version == 3, "at 5, 35 and 65 s"
