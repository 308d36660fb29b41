"""The command about the continuous auditor: what it found last. Spec: operate.md 2, money.md 5.

Owns: the result. Never: a check of an invariant, which takes long (views.audit).
"""

from __future__ import annotations

from msgspec import Struct

from croupier.admin_api.command import NoParams, command
from croupier.admin_api.desk import Desk
from croupier.core.account import Role


class LastCheck(Struct, frozen=True):
    """The last check of one invariant. `subjects` are the bets and cashbacks, or rows of the trail, that it looked at."""

    invariant: str
    at_ms: int
    took_ms: int
    subjects: int
    violations: int


class LastAudit(Struct, frozen=True):
    """What the continuous auditor found last. `whole_ms` is when it last came to the end of everything; None: not yet."""

    holds: bool
    whole_ms: int | None
    invariants: tuple[LastCheck, ...]


@command("GET audit", words="audit --last", role=Role.LOOK, whole_hub=True)
async def last_audit(desk: Desk, _: NoParams) -> LastAudit:
    """Show what the continuous auditor of the serving hub found last, without a new check."""
    audits = desk.hub.store.audits
    found = await audits.results()
    checks = tuple(LastCheck(one.invariant, one.at_ms, one.took_ms, one.subjects, one.violations) for one in found)
    whole_ms = (await audits.progress()).whole_ms
    return LastAudit(not any(one.violations for one in checks), whole_ms, checks)
