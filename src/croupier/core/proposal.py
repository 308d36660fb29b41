"""A decision about money that one person proposes and another approves.

Owns: the acts, the states, and who may approve. Never: what an act does (core.person, core.bet_requests). Spec: decision 0101.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from croupier.core.account import Account, Role
from croupier.core.readings import PaymentKind
from croupier.core.words import Word

VALID_MS: Final = 7 * 86_400_000
"""So long a proposal may be approved."""


class Act(Word):
    """The decisions of a person about a payment or a bet."""

    RETRY = "payment retry"
    """It moves no money by itself, so nobody has to approve it."""
    ACCEPT = "payment accept"
    GIVE_UP = "payment give-up"
    RETURN = "bet return"
    SETTLE = "bet settle"


class ProposalState(Word):
    """The life of a proposal."""

    OPEN = "open"
    """It waits for a second person."""
    APPROVED = "approved"
    """It is being carried out. One that stays so was interrupted: approving it again carries it out."""
    DONE = "done"
    FAILED = "failed"
    """It could not be done as things were; nothing changed."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PersonAct:
    """An act, what it is about, and the reason. `win` is decimal text in major units."""

    act: Act
    subject_id: int
    reason: str
    kind: PaymentKind | None = None
    win: str | None = None
    above_limits: bool = False

    @property
    def words(self) -> str:
        """The act as a command names it."""
        about = f"{self.subject_id}:{self.kind.value}" if self.kind is not None else str(self.subject_id)
        win = "" if self.win is None else f" --win {self.win}"
        return f"{self.act.value} {about}{win}{' --above-limits' if self.above_limits else ''}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed act and what has become of it."""

    proposal_id: int
    what: PersonAct
    state: ProposalState
    made_by: str
    made_ms: int
    expires_ms: int
    decided_by: str | None = None
    decided_ms: int | None = None
    outcome: str | None = None


def why_not(proposal: Proposal, approver: Account, now_ms: int) -> str | None:
    """Return why this person cannot approve the proposal now, or None."""
    if not approver.role.may(Role.DECIDE):
        return f"the role {approver.role.value} of {approver.name} approves nothing: that needs the role decide"
    if approver.name == proposal.made_by:
        return f"{approver.name} proposed it: another person must approve it"
    if proposal.state is ProposalState.APPROVED:
        return None
    if proposal.state is not ProposalState.OPEN:
        return f"it is {proposal.state.value} already, by {proposal.decided_by}"
    if now_ms >= proposal.expires_ms:
        return "it was proposed more than 7 days ago: propose it again"
    return None
