"""Commands about what needs a person: incidents and findings. Spec: operate.md 2, money.md 2.1 and 8."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta, Struct

from croupier.admin_api.command import Params, command
from croupier.admin_api.days import time_ms
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import BadParameter, NotFound
from croupier.admin_api.words import Reason
from croupier.core.account import Role
from croupier.flows.reconcile import settle_incident
from croupier.store.oversight.findings import Finding
from croupier.store.oversight.incidents import Choice, Incident
from croupier.views.incidents import ReviewLists, review_lists

MOST: Final = 200
"""The most rows of a list."""
OPEN_FOR_S: Final = 30.0
_MOST_S: Final = 1e9


class ReviewParams(Params, frozen=True, kw_only=True):
    """Which incomplete games are listed."""

    open_for: Annotated[float, Meta(ge=0, le=_MOST_S, description="Seconds after which a bet that is on counts as incomplete.")] = OPEN_FOR_S  # fmt: skip


class CloseParams(Params, frozen=True, kw_only=True):
    """Which ones a person closes, by their ids or by filters, and why."""

    reason: Reason
    ids: tuple[int, ...] = ()
    name: str | None = None
    casino: str | None = None
    before: str | None = None
    dry_run: bool = False

    def check(self) -> None:
        """Raise BadParameter unless there are either ids or filters."""
        filters = (self.name, self.casino, self.before)
        if bool(self.ids) == any(one is not None for one in filters):
            raise BadParameter(
                "ids",
                "are missing, or there are filters too: give ids, or at least one of `name`, `casino` and `before`",
            )
        if self.before is not None:
            time_ms(self.before, "before")

    async def choice(self, desk: Desk) -> Choice:
        """Return the choice within the person's scope. Raises NotFound for an unknown casino."""
        before_ms = None if self.before is None else time_ms(self.before, "before")
        casino_ids, provider_ids = await desk.casino_ids(self.casino), await desk.provider_ids(None)
        return Choice(self.ids or None, self.name, casino_ids, before_ms, provider_ids)

    def check_found(self, found: Sequence[int], *, thing: str, shown_by: str) -> None:
        """Raise NotFound, before anything is closed, for an id that is not open."""
        missing = [str(one) for one in self.ids if one not in found]
        if missing:
            raise NotFound(f"there is no open {thing} {', '.join(missing)}: `{shown_by}` shows them")


class ClosedIncidents(Struct, frozen=True):
    """The incidents that were chosen, and the ids of those that were closed. One that happened again meanwhile stays open."""

    chosen: tuple[Incident, ...]
    closed: tuple[int, ...]
    dry_run: bool


class ClosedFindings(Struct, frozen=True):
    """The findings that were chosen, and the ids of those that were closed. One that was seen again meanwhile stays open."""

    chosen: tuple[Finding, ...]
    closed: tuple[int, ...]
    dry_run: bool


class FindingsParams(Params, frozen=True, kw_only=True):
    """Whose findings are listed."""

    casino: str | None = None


@command("GET incidents", words="incidents", role=Role.LOOK)
async def incidents(desk: Desk, asked: ReviewParams) -> ReviewLists:
    """Show open incidents, incomplete games, parked payments, and payments without an outcome with their next action."""
    hub = desk.hub
    on_before_ms = hub.clock.now_ms() - round(asked.open_for * 1000)
    casino_ids, provider_ids = await desk.casino_ids(None), await desk.provider_ids(None)
    return await review_lists(hub.store.db, on_before_ms, MOST, casino_ids=casino_ids, provider_ids=provider_ids)


@command("POST incidents/close", words="incidents close", role=Role.OPERATE)
async def close_incidents(desk: Desk, wish: CloseParams) -> ClosedIncidents:
    """Close incidents, by their ids or all that a filter fits. One opens again if the same thing happens again."""
    store = desk.hub.store.incidents
    chosen = await store.chosen(await wish.choice(desk))
    wish.check_found([one.incident_id for one in chosen], thing="incident", shown_by="croupier incidents")
    closed = [] if wish.dry_run else await store.close(chosen, desk.author, wish.reason)
    return ClosedIncidents(tuple(chosen), tuple(closed), wish.dry_run)


@command("GET findings", words="reconcile list", role=Role.LOOK)
async def findings(desk: Desk, asked: FindingsParams) -> list[Finding]:
    """Show the open findings."""
    casino_ids, provider_ids = await desk.casino_ids(asked.casino), await desk.provider_ids(None)
    return await desk.hub.store.findings.open_ones(MOST, casino_ids=casino_ids, provider_ids=provider_ids)


@command("POST findings/close", words="reconcile close", role=Role.OPERATE)
async def close_findings(desk: Desk, wish: CloseParams) -> ClosedFindings:
    """Close findings, by their ids or all that a filter fits. The same difference does not open one again; another does."""
    hub = desk.hub
    chosen = await hub.store.findings.chosen(await wish.choice(desk))
    wish.check_found([one.finding_id for one in chosen], thing="finding", shown_by="croupier reconcile")
    closed = {} if wish.dry_run else await hub.store.findings.close(chosen, desk.author, wish.reason)
    for bet_id in sorted(set(closed.values())):
        await settle_incident(hub, bet_id, by=desk.author, note=wish.reason)
    return ClosedFindings(tuple(chosen), tuple(sorted(closed)), wish.dry_run)
