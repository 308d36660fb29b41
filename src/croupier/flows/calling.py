"""One call on a casino's gateway, with what everybody wants to know of it told on the way.

Owns: gates, metrics and the log line of a call. Never: decides what a reading means, or when to call again.
Spec: money.md section 4 (breaker), casino.md section 2.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from croupier.core.counterparty import Casino
from croupier.core.payment import Step
from croupier.core.readings import Acknowledgement, CloseReading, InfoReading, Unknown
from croupier.flows.hub import Hub
from croupier.flows.ports import CasinoGateway
from croupier.kit.log import get
from croupier.store.db import assert_no_tx

log = get("calling")

Reading = Acknowledgement | InfoReading | CloseReading


async def called(
    hub: Hub, casino: Casino, ask: Callable[[CasinoGateway], Awaitable[Reading]], *, step: Step
) -> Reading:
    """What the casino said; Unknown where it said nothing that can be relied on, or has no such call."""
    assert_no_tx()
    if step is Step.INFO and not casino.info:
        return Unknown("this casino has no info call")
    started = hub.clock.monotonic_s()
    reading = await ask(hub.casino_gateways[casino.protocol])
    name = str(casino.casino_id)
    hub.metrics.observe("croupier_call_seconds", hub.clock.monotonic_s() - started, name, step.value)
    hub.metrics.count("croupier_calls_total", name, step.value, type(reading).__name__)
    if isinstance(reading, Unknown):
        hub.gates.unanswered(casino.casino_id)
        log.info("casino.unknown", casino=casino.name, step=step.value, why=reading.why)
    else:
        hub.gates.answered(casino.casino_id)
    return reading
