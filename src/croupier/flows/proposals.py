"""Four eyes: one person proposes a decision about money, another approves it, and then it is carried out.

Owns: the order of the steps. An approval is stored before the act and its result after it. An act that an interrupted approval left is
carried out by approving again, and never twice: the event of the act names the proposal. Never: the acts (flows.person), who may
approve (core.proposal). Spec: decision 0101.
"""

from __future__ import annotations

from croupier.core.account import Account
from croupier.core.bet_requests import CannotDo
from croupier.core.proposal import PersonAct, Proposal, ProposalState, why_not
from croupier.flows import person
from croupier.flows.hub import Hub


async def propose(hub: Hub, what: PersonAct, author: Account) -> Proposal:
    """Store the proposal of an act that could be carried out now. The same one again is the same proposal. Raises CannotDo."""
    await person.check(hub, what, author=author.name)
    proposal, new = await hub.store.proposals.put(what, author.name)
    if not new and (proposal.what, proposal.made_by) != (what, author.name):
        raise CannotDo(
            f"proposal {proposal.proposal_id} of {proposal.made_by} waits already (`{proposal.what.words}`): "
            "approve or refuse it first"
        )
    return proposal


async def approve(hub: Hub, proposal_id: int, approver: Account) -> Proposal:
    """Approve a proposal and carry it out. Raises CannotDo where the person may not, or where the act cannot be done."""
    proposal = await _found(hub, proposal_id)
    problem = why_not(proposal, approver, hub.clock.now_ms())
    if problem is not None:
        raise CannotDo(f"proposal {proposal_id} cannot be approved: {problem}")
    if proposal.state is ProposalState.OPEN:
        proposal = _won(await hub.store.proposals.move(proposal, ProposalState.APPROVED, by=approver.name), proposal_id)
    try:
        outcome = await _carried_out(hub, proposal)
    except CannotDo as impossible:
        await hub.store.proposals.move(proposal, ProposalState.FAILED, outcome=str(impossible))
        raise CannotDo(f"proposal {proposal_id} is approved, and could not be done: {impossible}") from impossible
    done = await hub.store.proposals.move(proposal, ProposalState.DONE, outcome=outcome)
    return done or await _found(hub, proposal_id)


async def refuse(hub: Hub, proposal_id: int, person_: Account, *, reason: str) -> Proposal:
    """Refuse a proposal that waits, or take back one's own. Raises CannotDo."""
    proposal = await _found(hub, proposal_id)
    if proposal.state is not ProposalState.OPEN:
        raise CannotDo(f"proposal {proposal_id} is {proposal.state.value} already, by {proposal.decided_by}")
    moved = await hub.store.proposals.move(proposal, ProposalState.REFUSED, by=person_.name, outcome=reason)
    return _won(moved, proposal_id)


async def _carried_out(hub: Hub, proposal: Proposal) -> str:
    """Carry out the act, unless an earlier approval that was interrupted did; return what came of it. Raises CannotDo."""
    what = proposal.what
    if not await hub.store.proposals.carried_out(proposal):
        author = f"{proposal.made_by}, approved by {proposal.decided_by}"
        try:
            await person.do(hub, what, author=author, proposal_id=proposal.proposal_id)
        except CannotDo:
            # Another approval of the same proposal may have been faster.
            if not await hub.store.proposals.carried_out(proposal):
                raise
    return f"`{what.words}` is done"


async def _found(hub: Hub, proposal_id: int) -> Proposal:
    proposal = await hub.store.proposals.get(proposal_id)
    if proposal is None:
        raise CannotDo(f"there is no proposal {proposal_id}: `croupier proposal list` shows them")
    return proposal


def _won(moved: Proposal | None, proposal_id: int) -> Proposal:
    if moved is None:
        raise CannotDo(
            f"somebody decided proposal {proposal_id} at this moment: `croupier proposal list --all` shows who"
        )
    return moved
