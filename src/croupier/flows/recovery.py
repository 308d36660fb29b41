"""Recovery mode: after a restore from a backup, a casino takes no new bets until its open windows are compared.

Known payments, pay-outs, refunds and accepts go on. Claim deadlines are suspended, because the provider may have received
an answer that the database lost. The window is compared with the casinos, ids that may have been lost are queried, and
peers' requests about bets that the hub does not have are stored as findings.

Owns: detection, start, work and end of a recovery. Never: a rule of money (core.healing). Spec: money.md 4.6 and 8.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from croupier.core.counterparty import Casino
from croupier.core.money import format_amount
from croupier.core.readings import PaymentKind, PaymentOutcome, Yes
from croupier.core.reconciliation import Difference
from croupier.core.recovery import Mark, evidence_of_restore, next_id
from croupier.core.session import Session
from croupier.flows.hub import Hub
from croupier.flows.rate_limit import query_at_rate
from croupier.flows.reconcile import BetComparison, ComparisonResult, query_unknown_bet, reconcile_bet
from croupier.kit.log import get
from croupier.store.installation import Lifeline
from croupier.store.oversight.findings import Seen
from croupier.store.oversight.recoveries import Plan, Recovery, Share

log = get("recovery")

LOOK_BACK_S = 600
"""The window begins this long before the backup's last commit: such bets may have been undone since."""
QUERIES_S = 20
"""The most queries of each sort to a casino in one run, as seconds at its rate."""
MOST_FURTHER = 20
"""The farthest id that is queried, as a multiple of the slack: a casino could claim to know every id."""
NOBODY = "reconciliation"


@dataclass(frozen=True, slots=True)
class RecoveryProgress:
    """The progress of a recovery, for all casinos and for each."""

    recovery: Recovery
    shares: tuple[Share, ...]
    settled: bool
    """True once no call from before the recovery can still arrive unseen."""

    @property
    def to_compare(self) -> int:
        """The number of bets in the window that are not compared yet."""
        return sum(share.to_compare for share in self.shares if not share.done)

    @property
    def to_probe(self) -> int:
        """The number of possibly lost ids that are not queried yet."""
        return sum(share.to_probe for share in self.shares if not share.done)

    @property
    def standing(self) -> int:
        """The number of bets that are asked or unclaimed: the provider may have received an answer that was lost."""
        return sum(share.standing for share in self.shares if not share.done)

    @property
    def lost_bets(self) -> int:
        """The number of open findings of bets that the hub has lost."""
        return sum(share.lost_bets for share in self.shares if not share.done)

    @property
    def without_info(self) -> tuple[str, ...]:
        """The casinos without an info call."""
        return tuple(share.casino for share in self.shares if not share.info)

    @property
    def over(self) -> bool:
        """True once every open window is reconciled."""
        return self.settled and not any(share.open for share in self.shares if not share.done)


# --- noticing -----------------------------------------------------------------------------------------------


async def detect_restore(hub: Hub, lifeline: Lifeline) -> Recovery | None:
    """Begin a recovery if the database is older than the lifeline says. Return the open recovery, or None."""
    # The mark is read by the id that the database gives, and before its beat: so an older mark is never ahead of the beat.
    named = await hub.store.installation.life()
    mark = await asyncio.to_thread(lifeline.read, named.installation_id)
    life, here = await hub.store.installation.life(), await hub.store.installation.here()
    sign = evidence_of_restore(life, here, mark)
    if sign is not None:
        await begin(hub, sign, since_ms=life.beat_ms, seen=mark)
    return await refresh(hub)


async def beat(hub: Hub, lifeline: Lifeline, last: Mark | None) -> Mark:
    """Increase the beat and write the lifeline outside the database. Begin a recovery if the beat is lower than `last`."""
    installation_id, before, now = await hub.store.installation.beat()
    if last is not None and before.beat < last.beat:
        sign = f"the database went back from beat {last.beat} to {before.beat} while this process served"
        await begin(hub, sign, since_ms=before.beat_ms, seen=last)
        return now
    try:
        # In a thread: a hanging disk must not delay a payment.
        await asyncio.to_thread(lifeline.write, installation_id, now)
    except OSError as error:
        log.warning("recovery.no_mark", problem=str(error))
    return now


async def refresh(hub: Hub) -> Recovery | None:
    """Load the open recovery, if any. Every serving process calls this every half second."""
    hub.state.recovery = await hub.store.recoveries.active()
    hub.metrics.put("croupier_recovering", 0 if hub.state.recovery is None else 1)
    return hub.state.recovery


# --- beginning and end --------------------------------------------------------------------------------------


async def begin(
    hub: Hub,
    why: str,
    *,
    by: str = NOBODY,
    since_ms: int | None = None,
    seen: Mark | None = None,
    look_back_s: int = LOOK_BACK_S,
) -> Recovery | None:
    """Begin a recovery: ids jump ahead, and the window is stored. None if one is open already. Raises OverflowError."""
    life = await hub.store.installation.life()
    seen_id = max(life.last_id, seen.last_id if seen else 0)
    plan = Plan(
        why=why,
        by=by,
        since_ms=since_ms,
        look_back_ms=look_back_s * 1000,
        ids_from=max(life.last_id - hub.process_settings.slack_ids, 1),
        ids_to=seen_id + hub.process_settings.slack_ids,
        ids_next=next_id(hub.clock.now_ms(), life.last_id, seen_id),
        here=await hub.store.installation.here(),
        beat=max(life.beat, seen.beat if seen else 0),
    )
    begun = await hub.store.recoveries.begin(plan)
    if begun is not None:
        hub.store.ids.drop()
        log.error("recovery.begun", why=why, by=by, ids_next=begun.ids_next)
        await hub.store.incidents.raise_for(0, "restored", why[:500])
    await refresh(hub)
    return begun


async def end(hub: Hub, recovery: Recovery, *, by: str, reason: str) -> bool:
    """End a recovery; `reason` is stored. Return False if it had ended already."""
    ended = await hub.store.recoveries.end(recovery, by, reason)
    if ended:
        await hub.store.incidents.close_named(0, "restored", by=by, note=reason)
        log.warning("recovery.ended", by=by, reason=reason)
    await refresh(hub)
    return ended


async def progress(hub: Hub, recovery: Recovery) -> RecoveryProgress:
    """Return the progress of a recovery."""
    shares = tuple(await hub.store.recoveries.by_casino(recovery))
    return RecoveryProgress(recovery, shares, settled=hub.clock.now_ms() >= settled_ms(hub, recovery))


def settled_ms(hub: Hub, recovery: Recovery) -> int:
    """Return the instant from which a casino's list shows everything that was sent before the recovery began."""
    return hub.waits.after_ms(recovery.begun_ms, hub.waits.envelope_s + hub.waits.skew_s)


# --- the work -----------------------------------------------------------------------------------------------


async def recover(hub: Hub, casino: Casino) -> list[BetComparison]:
    """Run once for a casino: compare its window and query its lost ids, at its rate. End the parts that are reconciled."""
    recovery = await refresh(hub)
    if recovery is None or hub.clock.now_ms() < settled_ms(hub, recovery):
        return []
    worked = await _casino(hub, recovery, casino) if casino.info and recovery.holds(casino.casino_id) else []
    await _end_what_is_over(hub, recovery)
    return worked


async def _end_what_is_over(hub: Hub, recovery: Recovery) -> None:
    """End the part of each reconciled casino, which takes new bets again; with the last one, end the recovery."""
    found = await progress(hub, recovery)
    reason = "every open window is reconciled"
    for share in found.shares:
        if not share.done and not share.open:
            await hub.store.recoveries.end_casino(recovery, share.casino_id, by=NOBODY, reason=reason)
            log.warning("recovery.casino_ended", casino=share.casino)
    if found.over:
        await end(hub, recovery, by=NOBODY, reason=reason)
    else:
        await refresh(hub)


async def _casino(hub: Hub, recovery: Recovery, casino: Casino) -> list[BetComparison]:
    store, pace = hub.store.recoveries, hub.process_settings.recovery_per_s
    most, silent = pace * QUERIES_S, False

    async def compare(bet_id: int) -> BetComparison | None:
        done = await reconcile_bet(hub, bet_id, restoring=True)
        if done is None or done.result is not ComparisonResult.UNUSABLE:
            await store.done(recovery, bet_id)
        return done

    async def probe(bet_id: int) -> BetComparison:
        nonlocal silent
        done = await query_unknown_bet(hub, casino, bet_id)
        if done.result is ComparisonResult.DIFFERS:
            slack = hub.process_settings.slack_ids
            await store.further(recovery, casino.casino_id, min(bet_id + slack, recovery.ids_to + slack * MOST_FURTHER))
        silent = silent or done.result is ComparisonResult.UNUSABLE
        if not silent:  # ids after an unanswered one are queried again with it
            await store.probed(recovery, casino.casino_id, bet_id)
        return done

    left = await store.left(recovery, casino.casino_id, most)
    compared, unasked = await query_at_rate(hub, casino, left, ask=compare, per_s=pace)
    if unasked:
        return compared
    lost = await store.lost_ids(recovery, casino.casino_id, most)
    probed, _ = await query_at_rate(hub, casino, lost, ask=probe, per_s=pace)
    return compared + [one for one in probed if one.result is ComparisonResult.DIFFERS]


# --- what peers say of bets that are gone ---------------------------------------------------------------------


async def record_lost_payment(
    hub: Hub, casino_id: int, subject_id: int, *, kind: PaymentKind, outcome: PaymentOutcome
) -> None:
    """Store an accept of a payment that the hub does not have, if recovery is on and the id may have been lost."""
    recovery = hub.state.recovery
    if recovery is None or not recovery.ids_from <= subject_id < recovery.ids_next or not isinstance(outcome, Yes):
        return
    said = outcome.contents
    words = f"accepted: {kind.value} {said.amount} for {said.player_ref} as {said.partner_tx}"
    listed = {"kind": kind.value, "amount": said.amount, "player": said.player_ref, "number": said.partner_tx}
    await _keep(hub, (casino_id, subject_id), Seen(kind.value, Difference.UNKNOWN_BET.value, words), casino=[listed])


async def record_lost_bet(hub: Hub, session: Session, bet_ref: str, *, verb: str, win: int | None = None) -> None:
    """Store a request of a provider to settle or undo a bet that the hub does not have: the bet must have been lost."""
    text = "" if win is None else f" with {format_amount(win, session.currency)} {session.currency}"
    words = f"provider {session.provider_id} asked for a {verb}{text} of its bet {bet_ref} for {session.player_ref}"
    told = {"ref": bet_ref, "provider_id": session.provider_id, "verb": verb}
    seen = Seen(f"{session.provider_id}:{bet_ref}"[:200], Difference.UNKNOWN_BET.value, words)
    await _keep(hub, (session.casino_id, 0), seen, provider=told)


async def _keep(hub: Hub, key: tuple[int, int], seen: Seen, **says: Any) -> None:  # noqa: ANN401 - a side's words
    casino_id, subject_id = key
    if await hub.store.findings.put(casino_id, subject_id, seen, evidence={"hub": None, **says}):
        await hub.store.incidents.raise_for(subject_id, "difference", f"{seen.about} {seen.name}: {seen.words}"[:500])
