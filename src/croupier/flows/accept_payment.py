"""A casino reports the outcome of a payment. The first report is applied; every repeat gets the same answer.

Owns: from the outcome to the verdict. Never: reveals that a payment of another casino exists. Spec: casino.md 1.1 and 1.2,
money.md 3.3, 3.6 and 3.7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from croupier.core import pursuit
from croupier.core.bet import Bet
from croupier.core.cashback import Cashback
from croupier.core.draft import Decision, Draft, Terms
from croupier.core.pursuit import Verdict
from croupier.core.readings import PaymentKind, PaymentOutcome
from croupier.flows.advance import advance
from croupier.flows.balances import record_reported_balance
from croupier.flows.hub import Hub
from croupier.flows.recovery import record_lost_payment
from croupier.kit.log import get
from croupier.kit.point import point

log = get("casino")

UNKNOWN = "there is no such payment of yours"
"""The same text for a payment that does not exist, for one of another casino, and for one that its bet never made."""

CONTRADICTS = "it contradicts the make, or what was said before"


@dataclass(frozen=True, slots=True)
class AcceptResult:
    """The verdict on an accept; for a conflict also the reason, in words for the casino."""

    verdict: Verdict
    why: str = ""


async def accept_payment(
    hub: Hub, casino_id: int, subject_id: int, *, kind: PaymentKind, outcome: PaymentOutcome
) -> AcceptResult:
    """Apply an accept of this casino and return the verdict. An unknown payment is a conflict. Raises Contended."""
    cashback = kind in (PaymentKind.CASHBACK, PaymentKind.CASHBACK_CANCEL)
    found = hub.store.cashbacks.by_id if cashback else hub.store.bets.by_id
    result = AcceptResult(Verdict.CONFLICT, UNKNOWN)

    async def recall() -> Any:  # noqa: ANN401 - a Bet or Cashback
        recalled = None if cashback else hub.store.bets.recall(subject_id)
        return None if recalled is None or recalled.casino_id != casino_id else await own(recalled)

    async def read() -> Any:  # noqa: ANN401 - a Bet or Cashback
        nonlocal result
        result = AcceptResult(Verdict.CONFLICT, UNKNOWN)
        subject: Bet | Cashback | None = await found(subject_id)
        if subject is None:
            await record_lost_payment(hub, casino_id, subject_id, kind=kind, outcome=outcome)
            return None
        return await own(subject)

    async def own(subject: Bet | Cashback) -> Bet | Cashback | None:
        if subject.casino_id != casino_id:
            log.warning("casino.mixed_up", says=f"a payment of client {subject.casino_id} accepted as {casino_id}")
            return None
        await record_reported_balance(hub, subject, kind, said=outcome)
        return subject

    def rule(subject: Any, terms: Terms) -> Decision[Any] | None:  # noqa: ANN401 - a Bet or Cashback
        nonlocal result
        draft: Draft[Any] = Draft(subject, terms)
        verdict = pursuit.apply_outcome(draft, kind, outcome)
        result = AcceptResult(verdict, _why(draft, kind) if verdict is Verdict.CONFLICT else "")
        return draft.finish(f"{kind.value}_heard") if draft.changed else None

    if hub.tracer is not None:
        hub.tracer.reported(subject_id)
    hub.admission.answered(casino_id)
    await point("accept.before_commit")
    await advance(hub, read, rule, recall=recall)
    await point("accept.after_commit")
    return result


def _why(draft: Draft[Any], kind: PaymentKind) -> str:
    """Return the note that the rule left for a person, or a general reason."""
    return draft.last_note or (CONTRADICTS if kind in draft.payments else UNKNOWN)
