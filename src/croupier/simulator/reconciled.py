"""The check of reconciliation at rest: it finds and repairs nothing at an honest casino.

A casino's list may show its own faults (a payment booked twice, a return that nobody ordered). They must be findings
with an incident. Owns: this check, for all bets of a small world, a sample of a crowd, and all faulty lists.
Never: compares (flows.reconcile). Spec: money.md 8.
"""

from __future__ import annotations

from croupier.core.bet import Bet
from croupier.core.payment import PaymentState
from croupier.core.readings import PaymentKind
from croupier.core.reconciliation import Difference
from croupier.flows.reconcile import BetComparison, ComparisonResult, reconcile_bet
from croupier.simulator.book import RETURN
from croupier.simulator.judge import NUMBERS, OF_CASHBACK, Case, Judgement, key_of
from croupier.simulator.scene import Scene

MOST = 60
"""About this many bets of a world are compared."""


async def judge_reconciled(scene: Scene, cases: list[Case], verdict: Judgement) -> None:
    """Compare bets with their casinos, three ways."""
    bets = [case for case in cases if isinstance(case.subject, Bet)]
    hub = scene.stage.hubs[0].hub
    step = max(len(bets) // MOST, 1)
    for case in (case for n, case in enumerate(bets) if n % step == 0 or _odd_list(case)):
        compared = await reconcile_bet(hub, case.subject.subject_id)
        assert compared is not None
        await _check_findings(scene, case, compared, verdict=verdict)
        scene.seen[f"compared at rest {compared.result.value}"] += 1
        if case.truthful and compared.result is not _due_result(case):
            words = [*compared.rules, *(f"{one.about}: {one.difference.value}" for one in compared.found)]
            verdict.wrong("I2", f"{case.name}: reconciliation {compared.result.value} at rest: {', '.join(words)}")


def _doubled(case: Case) -> set[PaymentKind]:
    """Return the payments that the casino booked twice and lists so."""
    book = case.casino.book
    return {kind for kind in NUMBERS if kind not in OF_CASHBACK and book.lists_twice(key_of(case, kind))}


def _forgotten(case: Case) -> set[PaymentKind]:
    """Return the payments that the hub has as accepted and the casino has forgotten."""
    book = case.casino.book.bookings
    return {
        kind
        for kind, payment in case.subject.payments.items()
        if kind not in OF_CASHBACK
        and payment.state is PaymentState.ACCEPTED
        and (known := book.get(key_of(case, kind)))
        and known.forgotten
    }


def _due_result(case: Case) -> ComparisonResult:
    """Return the only result that is right at a truthful casino. A line that moved no money is a finding all the same."""
    return ComparisonResult.DIFFERS if _doubled(case) else ComparisonResult.AGREES


def _own_return(case: Case) -> bool:
    """Return whether the casino lists a return that it made itself, and none that the hub ordered."""
    bet_id = case.subject.subject_id
    listed = bet_id in case.casino.book.given_back and (bet_id, *RETURN) not in case.casino.book.bookings
    return listed and PaymentKind.BET_RETURN not in case.subject.payments


def _odd_list(case: Case) -> bool:
    return bool(_doubled(case)) or _own_return(case) or bool(_forgotten(case))


async def _check_findings(scene: Scene, case: Case, compared: BetComparison, *, verdict: Judgement) -> None:
    """Check that each fault in the casino's list is a finding with an incident."""
    expected = {(Difference.BOOKED_TWICE, kind) for kind in _doubled(case)}
    expected |= {(Difference.FORGOTTEN, kind) for kind in _forgotten(case)}
    if _own_return(case):
        expected.add((Difference.NOT_IN_HUB, PaymentKind.BET_RETURN))
    if not expected:
        return
    bet_id = case.subject.subject_id
    called = await scene.stage.db.fetchval(
        "select count(*) from incidents where subject_id = $1 and name = $2", bet_id, "difference"
    )
    kept = {
        (row["about"], row["name"])
        for row in await scene.stage.db.fetch("select about, name from findings where subject_id = $1", bet_id)
    }
    found = {(one.difference, one.kind) for one in compared.found}
    for difference, kind in sorted(expected, key=str):
        scene.seen[f"noticed at rest {difference.value}"] += 1
        if (difference, kind) not in found or (kind.value, difference.value) not in kept or not called:
            verdict.wrong("incidents", f"{case.name} {kind.value} is {difference.value}, and nobody was called")
