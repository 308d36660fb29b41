"""Reconciliation of one bet: query its casino, repair by named rules, and store the remaining differences as findings.

Owns: the sequence: query, decide through `advance`, compare again, store the evidence. Never: a rule (core.healing), a
judgement (core.reconciliation), or money: without a rule nothing changes. Cashbacks are not compared: the casino protocol
has no query for them. Spec: money.md 4.6 and 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from croupier.core.bet import Bet
from croupier.core.counterparty import Casino
from croupier.core.draft import Decision, Draft, Terms
from croupier.core.healing import HealingRule, heal, restore
from croupier.core.money import format_amount
from croupier.core.payment import Step
from croupier.core.readings import Contents, InfoList, PaymentKind
from croupier.core.reconciliation import Difference, Found, compare, doubles
from croupier.flows.advance import advance, terms_of
from croupier.flows.casino_call import call_casino
from croupier.flows.hub import Hub
from croupier.store.oversight.findings import Finding, Seen


class ComparisonResult(Enum):
    """The outcome of a comparison."""

    AGREES = "agrees"
    HEALED = "healed"
    """A rule repaired the difference, and now all records agree."""
    DIFFERS = "differs"
    UNUSABLE = "unusable"
    """The casino's answer was unusable and proves nothing."""
    NOWHERE = "nowhere"
    """Neither the hub nor the casino knows the id."""


@dataclass(frozen=True, slots=True)
class BetComparison:
    """The result of comparing one bet."""

    bet_id: int
    casino_id: int
    result: ComparisonResult
    rules: tuple[str, ...] = ()
    """The names of the rules that repaired something."""
    found: tuple[Found, ...] = ()
    why: str | None = None
    """The reason why the casino's answer was unusable."""


async def reconcile_bet(hub: Hub, bet_id: int, *, restoring: bool = False) -> BetComparison | None:
    """Compare one bet of the hub three ways. None if the hub has no such bet. Raises Contended, Broken, DbError.

    `restoring`: the database was restored from a backup. Decisions that were lost are then repeated where they are proved.
    """
    bet = await hub.store.bets.by_id(bet_id)
    if bet is None:
        return None
    casino = await hub.store.casinos.get(bet.casino_id)
    assert casino is not None
    asked_ms = hub.clock.now_ms()
    reading = await call_casino(hub, casino, lambda g: g.info(casino, bet_id), step=Step.INFO)
    if isinstance(reading, InfoList):
        done = await _take_in(hub, bet_id, reading, asked_ms=asked_ms, restoring=restoring)
    else:
        why = getattr(reading, "why", "no list")
        done = BetComparison(bet_id, casino.casino_id, ComparisonResult.UNUSABLE, why=why)
    await hub.store.comparisons.note(bet_id, done.casino_id, asked_ms, result=done.result.value, why=done.why)
    hub.metrics.count("croupier_reconciled_total", str(casino.casino_id), done.result.value)
    return done


async def query_unknown_bet(hub: Hub, casino: Casino, bet_id: int) -> BetComparison:
    """Query a casino for a BetId that the hub does not have. A payment that the casino knows is a finding."""
    reading = await call_casino(hub, casino, lambda g: g.info(casino, bet_id), step=Step.INFO)
    if not isinstance(reading, InfoList):
        return BetComparison(
            bet_id, casino.casino_id, ComparisonResult.UNUSABLE, why=getattr(reading, "why", "no list")
        )
    if not reading.payments:
        return BetComparison(bet_id, casino.casino_id, ComparisonResult.NOWHERE)
    words = "; ".join(f"{_kind(line)} {line.amount} for {line.player_ref}" for line in reading.payments)
    found = [Found(Difference.UNKNOWN_BET, None, words), *doubles(reading)]
    await _keep(hub, (casino.casino_id, bet_id), found, evidence={"hub": None, "casino": _listed(reading)})
    return BetComparison(bet_id, casino.casino_id, ComparisonResult.DIFFERS, found=tuple(found))


async def record_doubles(hub: Hub, bet: Bet, seen: InfoList) -> None:
    """Store payments that a list shows twice, whatever the list was requested for: the casino booked them twice.

    Call it before the list is applied: after a crash in between, the query is repeated.
    """
    found = doubles(seen)
    if found:
        await _put(hub, (bet.casino_id, bet.bet_id), found, evidence=evidence_of(bet, seen))


async def _take_in(hub: Hub, bet_id: int, seen: InfoList, *, asked_ms: int, restoring: bool) -> BetComparison:
    """Repair the bet, then compare its stored state. The list is as old as its query."""
    rules: list[HealingRule] = []

    def rule(bet: Bet, terms: Terms) -> Decision[Bet] | None:
        rules[:] = []
        return _mended(Draft(bet, terms), seen, rules, restoring=restoring)

    await advance(hub, lambda: hub.store.bets.by_id(bet_id), rule)
    bet = await hub.store.bets.by_id(bet_id)
    assert bet is not None
    found = compare(bet, seen, replace(await terms_of(hub, bet), now_ms=asked_ms))
    await _keep(hub, (bet.casino_id, bet_id), found, evidence=evidence_of(bet, seen))
    for mended in rules:
        hub.metrics.count("croupier_healed_total", mended.value)
    result = ComparisonResult.DIFFERS if found else ComparisonResult.HEALED if rules else ComparisonResult.AGREES
    return BetComparison(bet_id, bet.casino_id, result, tuple(r.value for r in rules), found)


def _mended(draft: Draft[Bet], seen: InfoList, rules: list[HealingRule], *, restoring: bool) -> Decision[Bet] | None:
    """Return the decision of the rules; None if none applies. The names of the applied rules are added to `rules`."""
    bet, terms = draft.subject, draft.terms
    rules += restore(draft, seen) if restoring else []
    if not rules:
        draft = Draft(bet, terms)
        rules += heal(draft, seen)
    if not rules:
        return None
    draft.note(rules=", ".join(rule.value for rule in rules))
    return draft.finish("reconciled")


async def _keep(hub: Hub, key: tuple[int, int], found: Sequence[Found], *, evidence: dict[str, Any]) -> None:
    """Store the differences, and close findings that no longer appear."""
    casino_id, bet_id = key
    known = await _put(hub, key, found, evidence=evidence)
    if any(f.closed_ms is None for f in known):
        keys = [Seen(one.about, one.difference.value, one.words).key for one in found]
        await hub.store.findings.agreed(casino_id, bet_id, keys)
        await settle_incident(hub, bet_id, by="reconciliation", note="a later comparison agrees")


async def _put(hub: Hub, key: tuple[int, int], found: Sequence[Found], *, evidence: dict[str, Any]) -> list[Finding]:
    """Store the differences, and raise an incident for new ones. Return the earlier findings of the bet."""
    casino_id, bet_id = key
    before_all = await hub.store.findings.of(bet_id, casino_id)
    seen = [Seen(one.about, one.difference.value, one.words) for one in found]
    known = {Seen(f.about, f.name, f.words): f for f in before_all}
    for one in seen:
        before = known.get(one)
        if before is None or (before.closed_ms is not None and before.closed_by is None):
            # First the incident, then the row: after a crash in between, the next comparison raises it again.
            await hub.store.incidents.raise_for(bet_id, "difference", f"{one.about} {one.name}: {one.words}"[:500])
            hub.metrics.count("croupier_incidents_total", "difference")
            hub.metrics.count("croupier_findings_total", one.name)
        await hub.store.findings.put(casino_id, bet_id, one, evidence=evidence)
    return before_all


async def settle_incident(hub: Hub, bet_id: int, *, by: str, note: str) -> None:
    """Close the incident of a bet once none of its findings is open."""
    if await hub.store.findings.count(subject_id=bet_id) == 0:
        await hub.store.incidents.close_named(bet_id, "difference", by=by, note=note)


# --- the evidence --------------------------------------------------------------------------------------------


def evidence_of(bet: Bet, seen: InfoList) -> dict[str, Any]:
    """Return the records of hub, casino and provider, for a person to compare."""
    return {
        "hub": {
            "state": bet.state.value,
            "currency": bet.currency,
            "payments": [_stored(bet, k) for k in bet.payments],
        },
        "casino": _listed(seen),
        "provider": {
            "ref": bet.bet_ref,
            "stake": format_amount(bet.stake, bet.currency),
            "win": None if bet.win is None else format_amount(bet.win, bet.currency),
            "pay_in": bet.pay_in_answer,
            "pay_out": bet.pay_out_answer,
            "refund": bet.refund_answer,
        },
    }


def _stored(bet: Bet, kind: PaymentKind) -> dict[str, Any]:
    payment = bet.payments[kind]
    return {
        "kind": kind.value,
        "state": payment.state.value,
        "amount": format_amount(payment.amount, bet.currency),
        "tax": None if payment.tax is None else format_amount(payment.tax, bet.currency),
        "player": bet.player_ref,
        "number": payment.partner_tx,
    }


def _listed(seen: InfoList) -> list[dict[str, Any]]:
    return [
        {
            "kind": _kind(line),
            "amount": line.amount,
            "tax": line.tax,
            "player": line.player_ref,
            "number": line.partner_tx,
        }
        for line in seen.payments
    ]


def _kind(line: Contents) -> str:
    return "?" if line.kind is None else line.kind.value
