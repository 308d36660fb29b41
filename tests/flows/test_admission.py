"""Admission of new bets where the process has as many in flight as it may."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from croupier.core.payment import Step
from croupier.core.readings import Unknown
from croupier.flows.admission import IN_A_ROW, PROBE_S, Admission
from croupier.flows.casino_call import call_casino
from croupier.flows.rate_limit import query_at_rate
from croupier.kit.clock import SystemClock
from croupier.kit.metrics import Metrics
from tests.flows.desk import Desk
from tests.store.cast import HandClock


def test_casinos_that_hang_do_not_shut_out_one_that_does_not() -> None:
    admission = Admission(SystemClock(), Metrics(), max_in_flight=100)
    for casino_id in range(1, 6):
        assert all(admission.admit(casino_id, 200) for _ in range(20))
    assert not admission.admit(1, 200), "the process has all it may have"
    assert all(admission.admit(6, 200) for _ in range(8)), "but this one has its share"
    assert not admission.admit(6, 200)


def test_a_single_casino_has_no_more_than_all() -> None:
    admission = Admission(SystemClock(), Metrics(), max_in_flight=10)
    assert [admission.admit(1, 200) for _ in range(12)] == [True] * 10 + [False] * 2
    admission.leave(1)
    assert admission.admit(1, 200)


async def test_what_the_hub_could_not_ask_is_not_counted_against_the_casino(desk: Desk) -> None:
    """No socket left, or all our places taken: the breaker judges the casino, not us."""
    casino = desk.cast.casino

    async def not_asked(_gateway: Any) -> Unknown:
        return Unknown("OSError: too many open files", ours=True)

    async def silent(_gateway: Any) -> Unknown:
        return Unknown("no whole answer in time")

    for _ in range(IN_A_ROW):
        await call_casino(desk.hub, casino, not_asked, step=Step.CLOSE)
    assert casino.casino_id not in desk.hub.admission.open_breakers()
    for _ in range(IN_A_ROW):
        await call_casino(desk.hub, casino, silent, step=Step.CLOSE)
    assert casino.casino_id in desk.hub.admission.open_breakers()


def test_an_open_breaker_lets_a_query_be_its_probe() -> None:
    clock = HandClock()
    admission = Admission(clock, Metrics(), max_in_flight=10)
    assert admission.allows(1)
    for _ in range(IN_A_ROW):
        admission.unanswered(1)
    assert not admission.allows(1)
    clock.ms += round(PROBE_S * 1000)
    assert [admission.allows(1), admission.allows(1), admission.admit(1, 200)] == [True, False, False]
    admission.answered(1)
    assert [admission.allows(1), admission.allows(1)] == [True, True]


async def test_reconciliation_probes_a_casino_that_gets_no_new_bets(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A breaker that only new bets may probe would stop every later comparison with that casino."""
    hub, casino = desk.hub, desk.cast.casino
    for _ in range(IN_A_ROW):
        hub.admission.unanswered(casino.casino_id)
    asked: list[int] = []

    async def ask(bet_id: int) -> None:
        asked.append(bet_id)
        hub.admission.answered(casino.casino_id)

    _, left = await query_at_rate(hub, casino, [7, 8], ask=ask, per_s=1000)
    assert (asked, left) == ([], [7, 8])
    later_s = hub.clock.monotonic_s() + PROBE_S
    monkeypatch.setattr(hub.admission, "_clock", SimpleNamespace(monotonic_s=lambda: later_s))
    _, left = await query_at_rate(hub, casino, [7, 8], ask=ask, per_s=1000)
    assert (asked, left) == ([7, 8], [])
