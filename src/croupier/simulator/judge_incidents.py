"""The check of incidents: facts in a casino's book for which a person must have been notified.

Owns: that comparison. Never: judges money (judge). Spec: money.md 2.4 to 2.8 and 4.2.
"""

from __future__ import annotations

from collections.abc import Mapping

from croupier.core.bet import Bet
from croupier.core.cashback import Cashback, CashbackState
from croupier.core.payment import PaymentState
from croupier.core.readings import PaymentKind
from croupier.simulator.faults import POISON, Weather
from croupier.simulator.judge import QUARANTINED, Case, Judgement

KEPT = {PaymentKind.PAYOUT_RETURN: "payout_kept", PaymentKind.CASHBACK_CANCEL: "cashback_kept"}
"""Take-backs that a casino refuses for good, with the name of their incident."""
CALLED = {"contradiction", "parked"}
"""Incident names of a contradiction. A payment without an outcome that exists with other contents is parked."""
TRIES = 5
"""Number of failed tries of owed money, or of deaths of processes over one call, after which a person is called."""
MANY = 9
"""Number of different tries of owed money after which five have failed in any case (money.md 2.8)."""


def judge_incidents(cases: list[Case], verdict: Judgement) -> None:
    """Check every bet and cashback."""
    for case in cases:
        for kind, payment in case.subject.payments.items():
            if payment.state is PaymentState.REFUSED and _kept(case, kind) not in {"", *case.incidents}:
                verdict.wrong("incidents", f"{case.name} {kind.value} is refused, and nobody was called")
            if payment.state is PaymentState.PARKED and not case.incidents:
                verdict.wrong("incidents", f"{case.name} {kind.value} is parked, and nobody was called")
        if isinstance(case.subject, Bet) and case.truthful and "parked" in case.incidents:
            verdict.wrong("incidents", f"{case.name} was parked, and its casino tells the truth about it")
        _tried(case, verdict)
    _contradicted(cases, verdict)


def judge_called(cases: list[Case], called_ms: Mapping[int, int], weather: Weather, *, verdict: Judgement) -> None:
    """A person is called after five failed tries, or five deaths. `called_ms`: the first call about tries, per bet or cashback."""
    for case in cases:
        deaths = sum(at_ms >= case.subject.created_ms for at_ms in weather.deaths_ms)
        subject_id, dials = case.subject.subject_id, case.casino.dials
        sent = [at_ms for at_ms in weather.calls.get(subject_id, ()) if at_ms <= called_ms.get(subject_id, 0)]
        # A resent refusal may be about a try whose process ended before it sent it.
        exact = not (dials.skew_ms or dials.crash_every_s or dials.restart_every_s)
        if subject_id in called_ms and len(sent) < TRIES and exact:
            verdict.wrong("incidents", f"{case.name} called for a person after {len(sent)} calls to its casino")
        if QUARANTINED in case.incidents and deaths < TRIES:
            verdict.wrong("incidents", f"{case.name} was parked after the deaths of {deaths} processes")
    if weather.seen[POISON] > TRIES:
        verdict.wrong("I17", f"a call that ends its process was tried {weather.seen[POISON]} times")


def judge_resent(cases: list[Case], times: Mapping[int, int], verdict: Judgement) -> None:
    """A repeated contradiction raises no further incident: their number is at most that of the different statements.

    An answer to a try that arrives after its payment was parked is reported to the person once more.
    """
    for case in cases:
        subject_id = case.subject.subject_id
        said = len(case.casino.witness.words.get(subject_id, ())) + len(case.subject.payments)
        if times.get(subject_id, 0) > said:
            verdict.wrong(
                "incidents", f"{case.name} was a contradiction {times[subject_id]} times, and {said} were said"
            )


def _contradicted(cases: list[Case], verdict: Judgement) -> None:
    """Each statement of a casino that the hub rejected has raised an incident."""
    known = {case.subject.subject_id: case for case in cases}
    for casino in dict.fromkeys(case.casino for case in cases):
        for key, how in casino.witness.contradicted.items():
            case = known.get(key[0])
            if case is not None and not CALLED & case.incidents:
                verdict.wrong("incidents", f"{case.name} type {key[1]} {how}, and nobody was called")


def _kept(case: Case, kind: PaymentKind) -> str:
    """Return the incidents expected for what the casino keeps. A cashback that was never paid needs none."""
    never_paid = isinstance(case.subject, Cashback) and case.subject.state is CashbackState.CANCELLED
    return "" if never_paid else KEPT.get(kind, "")


def _tried(case: Case, verdict: Judgement) -> None:
    """Owed money that failed five times has an incident. After a crash a try may not count as a failure."""
    dials, witness = case.casino.dials, case.casino.witness
    if dials.crash_every_s or dials.pause_every_s or dials.lost_commits or dials.restart_every_s or dials.skew_ms:
        return
    for key, seconds in witness.tried.items():
        if key[0] == case.subject.subject_id and len(seconds) >= MANY and "not_accepted" not in case.incidents:
            verdict.wrong(
                "incidents", f"{case.name} type {key[1]} was tried {len(seconds)} times, and nobody was called"
            )
