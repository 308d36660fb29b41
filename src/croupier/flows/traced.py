"""The spans of a bet between its requests: the commit of a decision, and a call to the casino.

Owns: their names and facts. Never: part of a hub without traces, which runs none of this.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from croupier.core.counterparty import Casino
from croupier.core.draft import Decision
from croupier.core.payment import Step
from croupier.core.readings import Unknown
from croupier.flows.casino_call import Reading
from croupier.kit.tracing import Tracer
from croupier.store.money.group_commit import GroupCommit


def trace_commits(group_commit: GroupCommit, tracer: Tracer) -> None:
    """Trace every commit of this process that belongs to a request."""
    commit = group_commit.commit

    async def traced(decision: Decision[Any]) -> Decision[Any] | None:
        with tracer.step("commit", {"croupier.event": decision.event}):
            return await commit(decision)

    group_commit.commit = traced  # type: ignore[method-assign]


async def call_traced(
    tracer: Tracer,
    casino: Casino,
    call: Callable[[], Awaitable[Reading]],
    *,
    step: Step,
    subject_ids: Sequence[int],
) -> Reading:
    """Make the call in a span in the trace of each of these bets. A call of several bets is a list."""
    several = len(subject_ids) > 1
    name = f"casino {step.value}{' list' if several else ''}"
    facts = {"croupier.casino_id": casino.casino_id, "croupier.list_size": len(subject_ids)}
    with tracer.call(name, subject_ids, attributes=facts) as span:
        reading = await call()
        span.attributes["croupier.reading"] = type(reading).__name__
        if isinstance(reading, Unknown):
            span.failed = True
            span.attributes["croupier.problem"] = reading.why
        return reading
