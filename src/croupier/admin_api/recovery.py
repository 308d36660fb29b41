"""Commands about recovery mode after a restore from a backup. Spec: money.md 4.6, operate.md 2.

Owns: the words about what recovery waits for. Never: what recovery does (flows.recovery).
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from croupier.admin_api.command import NoParams, Params, command
from croupier.admin_api.days import time_ms
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import BadParameter, CommandError
from croupier.admin_api.words import Reason
from croupier.core.account import Role
from croupier.core.recovery import LARGEST_ID, Mark
from croupier.flows import recovery
from croupier.flows.recovery import LOOK_BACK_S, RecoveryProgress
from croupier.store.oversight.recoveries import Recovery, Share

MOST_S: Final = 366 * 86_400


class BeginParams(Params, frozen=True, kw_only=True):
    """Why recovery begins, and from when bets are compared."""

    reason: Reason
    since: Annotated[str | None, Meta(description="Time of the backup in UTC, such as 2025-11-01T03:00:00; by default the last bet.")] = None  # fmt: skip
    look_back: Annotated[int, Meta(ge=0, le=MOST_S, description="Seconds before that time from which ended bets are compared too.")] = LOOK_BACK_S  # fmt: skip
    last_id: Annotated[int, Meta(ge=1, le=LARGEST_ID, description="The highest BetId that a peer has seen.")] | None = None  # fmt: skip

    def check(self) -> None:
        """Raise BadParameter for a time that is none."""
        self.since_ms()

    def since_ms(self) -> int | None:
        """Return the time of the backup, in whole seconds. Raises BadParameter."""
        return None if self.since is None else time_ms(self.since, "since") // 1000 * 1000


class EndParams(Params, frozen=True, kw_only=True):
    """Why recovery ends before everything is reconciled."""

    reason: Reason


class RecoveryState(Struct, frozen=True, kw_only=True):
    """Recovery that is on, with its progress, or that recovery is off, with the last one."""

    active: bool
    recovery: Recovery | UnsetType = UNSET
    casinos: tuple[Share, ...] | UnsetType = UNSET
    to_compare: int | UnsetType = UNSET
    to_probe: int | UnsetType = UNSET
    standing: int | UnsetType = UNSET
    lost_bets: int | UnsetType = UNSET
    waits_for: tuple[str, ...] | UnsetType = UNSET
    last: Recovery | UnsetType | None = UNSET


@command("GET recovery", words="recover status", role=Role.LOOK, whole_hub=True)
async def status(desk: Desk, _: NoParams) -> RecoveryState:
    """Show the progress of recovery and what it waits for."""
    recoveries = desk.hub.store.recoveries
    active = await recoveries.active()
    if active is None:
        return RecoveryState(active=False, last=await recoveries.last())
    return _state(await recovery.progress(desk.hub, active))


@command("POST recovery/begin", words="recover begin", role=Role.ADMINISTER, whole_hub=True)
async def begin(desk: Desk, wish: BeginParams) -> RecoveryState:
    """Enter recovery mode, if the hub has not noticed a restore by itself. A running hub follows within 1 s."""
    begun = await _begun(desk, wish)
    if begun is None:
        raise CommandError("recovery is on already: `croupier recover status` shows how far it is")
    return _state(await recovery.progress(desk.hub, begun))


@command("POST recovery/end", words="recover end", role=Role.ADMINISTER, whole_hub=True)
async def end(desk: Desk, wish: EndParams) -> RecoveryState:
    """Take new bets again before everything is reconciled. You must compare the rest yourself."""
    active = await desk.hub.store.recoveries.active()
    if active is None or not await recovery.end(desk.hub, active, by=desk.author, reason=wish.reason):
        raise CommandError("there is no recovery to end")
    return RecoveryState(active=False)


async def _begun(desk: Desk, wish: BeginParams) -> Recovery | None:
    """Begin recovery. Return None if it is on already. Raises BadParameter for an id that leaves none for new bets."""
    seen = None if wish.last_id is None else Mark(0, 0, wish.last_id)
    try:
        return await recovery.begin(
            desk.hub, wish.reason, by=desk.author, since_ms=wish.since_ms(), seen=seen, look_back_s=wish.look_back
        )
    except OverflowError as full:
        if wish.last_id is None:
            raise
        raise BadParameter("last_id", f"leaves no id for new bets ({full})") from full


def _state(found: RecoveryProgress) -> RecoveryState:
    return RecoveryState(
        active=True,
        recovery=found.recovery,
        casinos=found.shares,
        to_compare=found.to_compare,
        to_probe=found.to_probe,
        standing=found.standing,
        lost_bets=found.lost_bets,
        waits_for=tuple(_waits_for(found)),
    )


def _waits_for(found: RecoveryProgress) -> list[str]:
    lines = []
    if not found.settled:
        lines.append("calls in flight may still arrive; the comparison begins in a few seconds")
    if found.to_compare:
        lines.append(f"{found.to_compare} bets are still to be compared")
    if found.to_probe:
        lines.append(f"{found.to_probe} queries of lost ids are still to be sent")
    if found.standing:
        lines.append(
            f"{found.standing} bets are asked or unclaimed: their provider may have got the answer that they are on. Its"
            " pay-out, refund or retry ends that; so does `croupier bet return` or `bet settle`"
        )
    if found.lost_bets:
        lines.append(
            f"{found.lost_bets} bets are known to a peer and lost here: `croupier reconcile` shows them; close each when settled"
        )
    if found.without_info and found.to_compare:
        lines.append(f"{', '.join(found.without_info)} cannot be queried: compare by hand, then `croupier recover end`")
    return lines or ["nothing: it ends at the next check of a serving hub"]
