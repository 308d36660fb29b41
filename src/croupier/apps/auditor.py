"""The continuous auditor: at intervals one process takes a turn, and raises an incident for each new violation.

Owns: connecting the checks (views) with the stored state (store). Never: an invariant, or a repair. One process at a time
holds the lease of a turn; a process that slept through its lease writes nothing (store.audits). Spec: money.md 5.
"""

from __future__ import annotations

from croupier.flows.hub import Hub
from croupier.kit.log import get
from croupier.store.oversight.audits import Asked, KnownViolation, Progress
from croupier.views.audit.cycle import AuditTurn, Marks, run_turn

log = get("auditor")

TURN_S = 120
"""The length of the lease of a turn."""
LOOKS_S = 5.0
"""The interval at which a process checks whether a turn is due."""


async def audit_for_ever(hub: Hub, every_s: float) -> None:
    """Take turns in a loop; never returns."""
    while True:
        await hub.clock.sleep(min(every_s, LOOKS_S))
        await take_turn(hub, every_s)


async def take_turn(hub: Hub, every_s: float) -> list[KnownViolation] | None:
    """Take a turn if one is due and no other process takes it. Return the new violations, or None if no turn was taken."""
    began = await hub.store.audits.progress()
    if hub.clock.now_ms() - began.done_ms < every_s * 1000:
        return None
    if not await hub.store.singleton_leases.take("audit", hub.process_settings.process, TURN_S):
        return None
    found = await run_turn(hub.store.db, hub.clock, Marks(began.event_id, began.subject_id, began.link))
    new = await _write_down(hub, began, found)
    for one in new or ():
        log.error("auditor.violation", invariant=one.invariant, subject=one.subject_id or None, what=one.what)
    return new


async def _write_down(hub: Hub, began: Progress, found: AuditTurn) -> list[KnownViolation] | None:
    now_ms, goes_on = hub.clock.now_ms(), found.goes_on
    whole_ms = now_ms if found.is_last_part else began.whole_ms
    now = Progress(began.version, now_ms, goes_on.event_id, goes_on.subject_id, goes_on.link, whole_ms)
    asked = [Asked(name, answer.took_ms, answer.subjects) for name, answer in found.answers.items()]
    wrong = [
        KnownViolation(name, violation.subject_id or 0, about, violation.what)
        for name, answer in found.answers.items()
        for about, violation in answer.violations
    ]
    return await hub.store.audits.end(
        now, asked, wrong, answered=lambda known: found.answered(known.invariant, known.subject_id, known.about)
    )
