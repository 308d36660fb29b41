"""One call on a casino's gateway, with its bulkhead, its metrics and its log line.

Owns: those, and the report to admission control. Never: decides what a reading means, or when to call again.
Spec: money.md 4.3, casino.md 2.6.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from croupier.core.counterparty import Casino
from croupier.core.payment import Step
from croupier.core.readings import Acknowledgement, CloseReading, InfoReading, Unknown
from croupier.core.work import Work
from croupier.flows.bulkheads import BulkheadFull, SideCall
from croupier.flows.hub import Hub
from croupier.flows.ports import CasinoGateway
from croupier.kit.log import get
from croupier.store.db import assert_no_tx

log = get("calling")

LEASE_LEFT_S = 1.5
"""Time reserved for the work around the network call."""
LEAST_PATIENCE_S = 0.5
T = TypeVar("T")
Reading = Acknowledgement | InfoReading | CloseReading


BULKHEAD_FULL = Unknown("all our places for such calls to this casino were taken", ours=True)


async def call_casino(
    hub: Hub, casino: Casino, ask: Callable[[CasinoGateway], Awaitable[Reading]], *, step: Step, work: Work = Work.ASK
) -> Reading:
    """Make the call and return its reading. Unknown if the answer is unusable, or if the casino has no such call.

    If the call got no place in our own bulkhead, that Unknown is marked `ours`.
    """
    assert_no_tx()
    if step is Step.INFO and not casino.info:
        return Unknown("this casino has no info call")
    at_once = casino.in_flight if work is Work.STAKE else None
    try:
        async with hub.bulkheads.place(peer_name(casino), work, at_once=at_once, within_s=longest_wait_s(hub, casino)):
            return await _measured(hub, casino, ask, step=step)
    except BulkheadFull:
        hub.metrics.count("croupier_calls_total", str(casino.casino_id), step.value, "NoPlace")
        return BULKHEAD_FULL


async def call_for_player(
    hub: Hub, casino: Casino, ask: Callable[[CasinoGateway], Awaitable[T]], *, step: str
) -> T | Unknown:
    """Make a call that is not a step of a bet: a `balance` or an `auth` query.

    It has a bulkhead of its own, and does not count for the casino's health.
    """
    assert_no_tx()
    try:
        async with hub.bulkheads.place(peer_name(casino), SideCall.PLAYER_QUERY):
            started_s = hub.clock.monotonic_s()
            reading = await ask(hub.casino_gateways[casino.protocol])
    except BulkheadFull:
        hub.metrics.count("croupier_calls_total", str(casino.casino_id), step, "NoPlace")
        return BULKHEAD_FULL
    _count_call(hub, casino, step, started_s=started_s, reading=reading)
    return reading


def _count_call(hub: Hub, casino: Casino, step: str, *, started_s: float, reading: object) -> None:
    name = str(casino.casino_id)
    hub.metrics.observe("croupier_call_seconds", hub.clock.monotonic_s() - started_s, name, step)
    hub.metrics.count("croupier_calls_total", name, step, type(reading).__name__)


def peer_name(casino: Casino) -> str:
    """Return the name of the casino in the bulkheads."""
    return f"casino {casino.casino_id}"


def longest_wait_s(hub: Hub, casino: Casino) -> float:
    """Return how long a call may wait for its place, so that its lease leaves enough time for the call itself."""
    return max(hub.waits.lease_s - casino.total_s - LEASE_LEFT_S, LEAST_PATIENCE_S)


async def _measured(
    hub: Hub, casino: Casino, ask: Callable[[CasinoGateway], Awaitable[Reading]], *, step: Step
) -> Reading:
    started_s = hub.clock.monotonic_s()
    reading = await ask(hub.casino_gateways[casino.protocol])
    _count_call(hub, casino, step.value, started_s=started_s, reading=reading)
    if isinstance(reading, Unknown):
        if not reading.ours:
            hub.admission.unanswered(casino.casino_id)
        log.info("casino.unknown", casino=casino.name, step=step.value, why=reading.why)
    else:
        hub.admission.answered(casino.casino_id)
    return reading
