"""Player protection: a casino excludes a player, lets one in again, or limits play; and the limits of a session before a bet.

Owns: those operations. An exclusion ends the player's sessions at once and refuses every new bet; what is owed is paid and refunded
as ever. Never: a payout, a refund. Spec: casino.md 3.5, webframe.md 2.5.
"""

from __future__ import annotations

from croupier.core.counterparty import Casino
from croupier.core.session import Session
from croupier.flows.hub import Hub
from croupier.kit.log import get
from croupier.store.parties.players import Player

log = get("players")


async def exclude(hub: Hub, casino: Casino, player: Player, *, until_ms: int, reason: str) -> int:
    """Exclude the player until an instant; return how many open sessions ended."""
    ended = await hub.store.exclusions.exclude(
        player.player_id, until_ms, reason=reason, author=f"casino {casino.name}"
    )
    log.info("player.excluded", casino=casino.name, player=player.player_id, sessions=ended)
    return ended


async def readmit(hub: Hub, casino: Casino, player: Player, *, reason: str) -> None:
    """Lift the casino's exclusion. A block that a person set stays."""
    await hub.store.exclusions.readmit(player.player_id, reason=reason, author=f"casino {casino.name}")
    log.info("player.readmitted", casino=casino.name, player=player.player_id)


async def within_limits(hub: Hub, session: Session, *, bet_ref: str, stake: int) -> bool:
    """Return whether the casino's limits on the session's sums allow a new bet. Raises DbError."""
    limits = session.limits
    if limits.max_stakes is None and limits.max_loss is None:
        return True
    allowed = await hub.store.session_stakes.note(session, bet_ref, stake)
    if not allowed:
        log.info("player.limit", casino=session.casino_id, session=session.session_id)
    return allowed
