"""The verdict on a world at rest: its records are collected, and every judge looks at them.

Owns: the cases and calls for a person, read from the database once, and the order of the judges. Never: a check of more than a
few lines (the judges). Spec: money.md 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from croupier.core.cashback import Cashback
from croupier.simulator.desk import end_by_hand
from croupier.simulator.judge import QUARANTINED, Case, Judgement, judge, judge_answers, judge_on
from croupier.simulator.judge_archives import judge_archives
from croupier.simulator.judge_balances import judge_balances
from croupier.simulator.judge_comparisons import judge_comparisons
from croupier.simulator.judge_incidents import judge_called, judge_incidents, judge_resent
from croupier.simulator.judge_proofs import judge_closes, judge_proofs, judge_returns
from croupier.simulator.judge_restrictions import judge_restrictions, may_explain
from croupier.simulator.judge_waits import judge_waits
from croupier.simulator.new_bets import judge_new_bets
from croupier.simulator.pots import judge_pot_accounts, judge_pots
from croupier.simulator.reconciled import judge_reconciled
from croupier.simulator.reports import judge_reports
from croupier.simulator.restored import judge_recovery
from croupier.simulator.scene import Scene
from croupier.simulator.sim_provider import ProviderBet
from croupier.store.incident_notes import causes
from croupier.store.money.rows import BET_QUERY, CASHBACK_QUERY, read_bet, read_cashback
from croupier.views.audit.auditor import audit

Told = Mapping[tuple[int, str], ProviderBet]


@dataclass(slots=True)
class _Calls:
    """The calls for a person, per bet or cashback."""

    names: dict[int, set[str]] = field(default_factory=dict)
    first_ms: dict[int, int] = field(default_factory=dict)
    """The instant of the first call about payments that were tried in vain."""
    contradictions: dict[int, int] = field(default_factory=dict)
    """The number of contradictions."""


async def judged(scene: Scene) -> Judgement:
    """Return the verdict of all judges."""
    verdict = Judgement()
    calls = await _calls_for_a_person(scene)
    told = {(i, ref): bet for i, provider in scene.providers.items() for ref, bet in provider.bets.items()}
    cases = await _cases(scene, told, calls.names)
    judge(cases, verdict)
    judge_on(cases, scene.watch.said_on, verdict, times=scene.payment_times, late_s=scene.watch.lateness_s)
    judge_answers(list(told.values()), verdict, skewed=bool(scene.dials.skew_ms))
    judge_restrictions(scene, cases, told, verdict=verdict)
    judge_incidents(cases, verdict)
    judge_called(cases, calls.first_ms, scene.weather, verdict=verdict)
    judge_resent(cases, calls.contradictions, verdict)
    judge_balances(scene, cases, told, verdict=verdict)
    judge_proofs(scene, cases, verdict)
    judge_closes(scene, cases, verdict)
    judge_returns(scene, cases, verdict)
    judge_waits(scene, cases, verdict)
    _leases(scene, verdict)
    _claims(scene, told, verdict)
    _cashbacks(scene, cases, verdict)
    await judge_comparisons(scene, cases, verdict)
    await judge_reports(scene, cases, verdict)
    await judge_pots(scene, verdict)
    await judge_reconciled(scene, cases, verdict)
    await judge_archives(scene.stage.db, verdict)
    await _audited(scene, verdict)
    if await end_by_hand(scene, cases, verdict):
        calls = await _calls_for_a_person(scene)
        cases = await _cases(scene, told, calls.names)
        judge(cases, verdict)
        await judge_reports(scene, cases, verdict)
        await judge_pot_accounts(scene, verdict)
        await _audited(scene, verdict)
    await judge_new_bets(scene, verdict)
    await judge_recovery(scene, verdict)
    if "invariant" in {name for names in calls.names.values() for name in names}:
        verdict.wrong("assertion", "a decision would have broken an invariant")
    verdict.violations += scene.watch.violations
    for text in verdict.violations:
        scene.write("VIOLATION", text)
    return verdict


async def _audited(scene: Scene, verdict: Judgement) -> None:
    for finding in await audit(scene.stage.db):
        for violation in finding.violations:
            verdict.wrong(f"audit {finding.name}", str(violation))


async def _calls_for_a_person(scene: Scene) -> _Calls:
    calls = _Calls()
    rows = await scene.stage.db.fetch("select subject_id, name, note, times, first_ms from incidents order by 1, 2")
    for row in rows:
        subject_id = row["subject_id"]
        if row["name"] == "contradiction":
            calls.contradictions[subject_id] = row["times"]
        if row["name"] == "not_accepted":
            calls.first_ms[subject_id] = row["first_ms"]
        for cause in causes(row["note"]):
            crashed = "five processes" in cause
            calls.names.setdefault(subject_id, set()).add(QUARANTINED if crashed else row["name"])
    return calls


async def _cases(scene: Scene, told: Told, names: Mapping[int, set[str]]) -> list[Case]:
    cases: list[Case] = []
    for bet in map(read_bet, await scene.stage.db.fetch(BET_QUERY + " order by b.bet_id")):
        heard = told.get((bet.provider_id, bet.bet_ref))
        late = heard is not None and any(may_explain(scene, restriction, heard) for restriction in scene.restrictions)
        known = frozenset(names.get(bet.bet_id, ()))
        cases.append(Case(bet, scene.casinos[bet.casino_id], heard, known, late))
    for cashback in map(read_cashback, await scene.stage.db.fetch(CASHBACK_QUERY + " order by b.cashback_id")):
        known = frozenset(names.get(cashback.cashback_id, ()))
        cases.append(Case(cashback, scene.casinos[cashback.casino_id], None, known))
    return cases


def _leases(scene: Scene, verdict: Judgement) -> None:
    """I17: no payment is sent while another try of it is under way, and a process that stops in order holds no call."""
    for subject_id, number in scene.weather.twice_under_way:
        name = scene.watch.names.get(subject_id, subject_id)
        verdict.wrong("I17", f"{name} type {number} was sent while another try of it was under way")
    for what in scene.stage.badly_stopped:
        verdict.wrong("I17", f"at its orderly stop {what}")


def _claims(scene: Scene, told: Told, verdict: Judgement) -> None:
    """I3: a bet that nobody claimed yet is given to the provider that asks for it."""
    for (provider_id, ref), bet in told.items():
        if any(scene.watch.claims.covers((provider_id, ref), span) for span in bet.denied_s):
            verdict.wrong("I3", f"{ref} stood unclaimed, and its provider was told 7")


def _cashbacks(scene: Scene, cases: list[Case], verdict: Judgement) -> None:
    """I9: there is one cashback per ref, of the amount that the command named."""
    verdict.violations += scene.odd
    for case in cases:
        row = case.subject
        if isinstance(row, Cashback) and scene.asked_cashbacks.get((row.casino_id, row.ref)) != row.amount:
            verdict.wrong("I9", f"{row.ref} is a cashback of {row.amount} that nobody asked for")
