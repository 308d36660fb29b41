"""Admission of new bets where the process has as many in flight as it may."""

from __future__ import annotations

from typing import Any

from croupier.core.payment import Step
from croupier.core.readings import Unknown
from croupier.flows.admission import IN_A_ROW, Admission
from croupier.flows.casino_call import call_casino
from croupier.kit.clock import SystemClock
from croupier.kit.metrics import Metrics
from tests.flows.desk import Desk


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
    assert not desk.hub.admission.is_open(casino.casino_id)
    for _ in range(IN_A_ROW):
        await call_casino(desk.hub, casino, silent, step=Step.CLOSE)
    assert desk.hub.admission.is_open(casino.casino_id)
