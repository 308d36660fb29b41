"""Recovery mode: after a restore from a backup a casino takes no new bet until its open windows are compared.

Known payments, pay-outs, refunds and accepts go on; a claim's time stands still, because the provider may have been told
what the database forgot. The window is compared with the casinos, ids that may have been lost are asked after, and what
peers say of bets that the hub does not have is kept as a finding.

Owns: noticing, beginning, the work, the end. Never: a rule of money (healing). Spec: money.md 4.6 and 8.
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
"""Bets that changed so shortly before the backup's last commit are compared too: they may have been undone since."""
QUERIES_S = 20
"""At most so many seconds' worth of each sort of question are asked of a casino in one look."""
MOST_FURTHER = 20
"""So many times the slack past the last id that anybody knew is asked after at most: a casino may know every id."""
NOBODY = "reconciliation"


@dataclass(frozen=True, slots=True)
class RecoveryProgress:
    """How far a recovery is, and what it waits for: all casinos together, and each in its share."""

    recovery: Recovery
    shares: tuple[Share, ...]
    settled: bool
    """Whether what was under way when it began can no longer arrive unseen."""

    @property
    def to_compare(self) -> int:
        """Bets of the window that are not compared yet."""
        return sum(share.to_compare for share in self.shares if not share.done)

    @property
    def to_probe(self) -> int:
        """Questions about lost ids that are not asked yet."""
        return sum(share.to_probe for share in self.shares if not share.done)

    @property
    def standing(self) -> int:
        """Bets of which nobody knows here what the provider was told: asked or unclaimed."""
        return sum(share.standing for share in self.shares if not share.done)

    @property
    def lost_bets(self) -> int:
        """Open findings of bets that the hub has lost."""
        return sum(share.lost_bets for share in self.shares if not share.done)

    @property
    def without_info(self) -> tuple[str, ...]:
        """Casinos that have no call to ask."""
        return tuple(share.casino for share in self.shares if not share.info)

    @property
    def over(self) -> bool:
        """Whether every open window is reconciled."""
        return self.settled and not any(share.open for share in self.shares if not share.done)


# --- noticing -----------------------------------------------------------------------------------------------


async def detect_restore(hub: Hub, lifeline: Lifeline) -> Recovery | None:
    """Begin recovery if the database is older than what was; the recovery that is on, begun now or before."""
    # The mark is read by the name that the database gives, and before its beat: a beat is never behind an older mark.
    named = await hub.store.installation.life()
    mark = await asyncio.to_thread(lifeline.read, named.installation_id)
    life, here = await hub.store.installation.life(), await hub.store.installation.here()
    sign = evidence_of_restore(life, here, mark)
    if sign is not None:
        await begin(hub, sign, since_ms=life.beat_ms, seen=mark)
    return await refresh(hub)


async def beat(hub: Hub, lifeline: Lifeline, last: Mark | None) -> Mark:
    """Beat, leave the mark outside, and begin recovery if the database went back under us since `last`."""
    installation_id, before, now = await hub.store.installation.beat()
    if last is not None and before.beat < last.beat:
        sign = f"the database went back from beat {last.beat} to {before.beat} while this process served"
        await begin(hub, sign, since_ms=before.beat_ms, seen=last)
        return now
    try:
        # In a thread: a disk that hangs must not hold up a payment.
        await asyncio.to_thread(lifeline.write, installation_id, now)
    except OSError as error:
        log.warning("recovery.no_mark", problem=str(error))
    return now


async def refresh(hub: Hub) -> Recovery | None:
    """Know whether recovery is on; called every half second by each process that serves."""
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
    """Begin recovery: ids jump, the window is written down. None if one is on already. Raises OverflowError."""
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
    """Take new bets again; whoever ends it says why. False if it had ended."""
    ended = await hub.store.recoveries.end(recovery, by, reason)
    if ended:
        await hub.store.incidents.close_named(0, "restored", by=by, note=reason)
        log.warning("recovery.ended", by=by, reason=reason)
    await refresh(hub)
    return ended


async def progress(hub: Hub, recovery: Recovery) -> RecoveryProgress:
    """How far it is."""
    shares = tuple(await hub.store.recoveries.by_casino(recovery))
    return RecoveryProgress(recovery, shares, settled=hub.clock.now_ms() >= settled_ms(hub, recovery))


def settled_ms(hub: Hub, recovery: Recovery) -> int:
    """From when on a list shows everything that was sent before recovery began."""
    return hub.waits.after_ms(recovery.begun_ms, hub.waits.envelope_s + hub.waits.skew_s)


# --- the work -----------------------------------------------------------------------------------------------


async def recover(hub: Hub, casino: Casino) -> list[BetComparison]:
    """One look at a casino's part: compare and ask after what is left, at its pace; end what is reconciled."""
    recovery = await refresh(hub)
    if recovery is None or hub.clock.now_ms() < settled_ms(hub, recovery):
        return []
    worked = await _casino(hub, recovery, casino) if casino.info and recovery.holds(casino.casino_id) else []
    await _end_what_is_over(hub, recovery)
    return worked


async def _end_what_is_over(hub: Hub, recovery: Recovery) -> None:
    """Each casino takes new bets again when its own windows are reconciled; with the last one, recovery is over."""
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
        if not silent:  # what comes after an id without an answer is asked after again, with it
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
    """A casino told the outcome of a payment that the hub has not; kept while recovery is on and the id may be lost."""
    recovery = hub.state.recovery
    if recovery is None or not recovery.ids_from <= subject_id < recovery.ids_next or not isinstance(outcome, Yes):
        return
    said = outcome.contents
    words = f"accepted: {kind.value} {said.amount} for {said.player_ref} as {said.partner_tx}"
    listed = {"kind": kind.value, "amount": said.amount, "player": said.player_ref, "number": said.partner_tx}
    await _keep(hub, (casino_id, subject_id), Seen(kind.value, Difference.UNKNOWN_BET.value, words), casino=[listed])


async def record_lost_bet(hub: Hub, session: Session, bet_ref: str, *, verb: str, win: int | None = None) -> None:
    """A provider asked to settle or undo a bet that the hub has not: it must have been lost."""
    text = "" if win is None else f" with {format_amount(win, session.currency)} {session.currency}"
    words = f"provider {session.provider_id} asked for a {verb}{text} of its bet {bet_ref} for {session.player_ref}"
    told = {"ref": bet_ref, "provider_id": session.provider_id, "verb": verb}
    seen = Seen(f"{session.provider_id}:{bet_ref}"[:200], Difference.UNKNOWN_BET.value, words)
    await _keep(hub, (session.casino_id, 0), seen, provider=told)


async def _keep(hub: Hub, key: tuple[int, int], seen: Seen, **says: Any) -> None:  # noqa: ANN401 - a side's words
    casino_id, subject_id = key
    if await hub.store.findings.put(casino_id, subject_id, seen, evidence={"hub": None, **says}):
        await hub.store.incidents.raise_for(subject_id, "difference", f"{seen.about} {seen.name}: {seen.words}"[:500])
