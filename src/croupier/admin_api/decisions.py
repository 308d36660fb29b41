"""Commands by which a person decides about payments and bets, and proposals that a second person approves.

Spec: operate.md 2, money.md 2.1, 4.1 and 6.4, decision 0101.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType, field

from croupier.admin_api.command import Params, command
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import NotFound
from croupier.admin_api.words import Reason
from croupier.core.account import Account, Role
from croupier.core.bet import Bet
from croupier.core.money import format_amount
from croupier.core.proposal import Act, PersonAct, Proposal
from croupier.flows import proposals as four_eyes
from croupier.flows.person import do

MOST: Final = 200
"""The most proposals of a list."""


class PaymentParams(Params, frozen=True, kw_only=True):
    """A payment and why."""

    payment: Annotated[str, Meta(description="<BetId or CashbackId>:<kind>, as lists and traces show it.")]
    reason: Reason


class PaymentDecisionParams(PaymentParams, frozen=True, kw_only=True):
    """A payment, why, and whether a second person approves it first."""

    propose: bool = False


class ReturnParams(Params, frozen=True, kw_only=True):
    """A bet, why, and whether a second person approves it first."""

    bet: Annotated[str, Meta(description="The hub's BetId, or provider:betId.")]
    reason: Reason
    propose: bool = False


class SettleParams(ReturnParams, frozen=True, kw_only=True):
    """The same with the win."""

    win: Annotated[str, Meta(description="The win in the currency's units; 0 is a loss.")]
    above_limits: Annotated[bool, Meta(description="Whether it may exceed large_win, max_win and max_odd.")] = False


class ProposalsParams(Params, frozen=True, kw_only=True):
    """Which proposals are listed."""

    all: Annotated[bool, Meta(description="Also those that were decided.")] = False


class ProposalParams(Params, frozen=True, kw_only=True):
    """A proposal."""

    proposal_id: int


class RefuseParams(ProposalParams, frozen=True, kw_only=True):
    """A proposal, and why it is refused."""

    reason: Reason


class ProposalRecord(Struct, frozen=True):
    """One proposal."""

    proposal_id: int
    command: str
    reason: str
    state: str
    made_by: str
    made_ms: int
    expires_ms: int
    decided_by: str | None
    decided_ms: int | None
    outcome: str | None


class PaymentDone(Struct, frozen=True):
    """The payment as it is now, or alone the proposal that waits for a second person."""

    payment: str | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    amount: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    proposal: ProposalRecord | UnsetType = UNSET


class BetDone(Struct, frozen=True):
    """The bet as it is now, or alone the proposal that waits for a second person."""

    bet_id: int | UnsetType = field(default=UNSET, name="BetId")
    state: str | UnsetType = UNSET
    stake: str | UnsetType = UNSET
    win: str | UnsetType | None = UNSET
    currency: str | UnsetType = UNSET
    proposal: ProposalRecord | UnsetType = UNSET


@command("POST payments/{payment}/retry", words="payment retry", role=Role.DECIDE)
async def retry(desk: Desk, wish: PaymentParams) -> PaymentDone:
    """Retry a payment now. A stake is queried, never sent twice."""
    return await _about_payment(desk, wish, Act.RETRY, propose=False)


@command("POST payments/{payment}/accept", words="payment accept", role=Role.DECIDE)
async def accept(desk: Desk, wish: PaymentDecisionParams) -> PaymentDone:
    """Record a payment as accepted by the casino. Use it only if you know that the casino has booked it."""
    return await _about_payment(desk, wish, Act.ACCEPT, propose=wish.propose)


@command("POST payments/{payment}/give-up", words="payment give-up", role=Role.DECIDE)
async def give_up(desk: Desk, wish: PaymentDecisionParams) -> PaymentDone:
    """Give up a payment, which stays unpaid or untaken. A correction in the ledger carries your name."""
    return await _about_payment(desk, wish, Act.GIVE_UP, propose=wish.propose)


@command("POST bets/{bet}/return", words="bet return", role=Role.DECIDE)
async def return_(desk: Desk, wish: ReturnParams) -> BetDone:
    """Return the stake to the player."""
    what = PersonAct(Act.RETURN, await desk.subject(wish.bet), wish.reason)
    return await _about_bet(desk, what, propose=wish.propose)


@command("POST bets/{bet}/settle", words="bet settle", role=Role.DECIDE)
async def settle(desk: Desk, wish: SettleParams) -> BetDone:
    """Settle the bet with a win, as the provider would have done."""
    subject_id = await desk.subject(wish.bet)
    what = PersonAct(Act.SETTLE, subject_id, wish.reason, win=wish.win, above_limits=wish.above_limits)
    return await _about_bet(desk, what, propose=wish.propose)


@command("GET proposals", words="proposal list", role=Role.LOOK)
async def proposals(desk: Desk, asked: ProposalsParams) -> list[ProposalRecord]:
    """Show what waits for a second person."""
    found = await desk.hub.store.proposals.newest(MOST, decided=asked.all)
    return [record(one) for one in found if await desk.may_see(one.what.subject_id)]


@command("POST proposals/{proposal_id}/approve", words="proposal approve", role=Role.DECIDE)
async def approve(desk: Desk, wish: ProposalParams) -> ProposalRecord:
    """Approve what another person proposed, and carry it out."""
    return record(await four_eyes.approve(desk.hub, wish.proposal_id, await _decider(desk, wish.proposal_id)))


@command("POST proposals/{proposal_id}/refuse", words="proposal refuse", role=Role.DECIDE)
async def refuse(desk: Desk, wish: RefuseParams) -> ProposalRecord:
    """Refuse a proposal, or take back your own."""
    person = await _decider(desk, wish.proposal_id)
    return record(await four_eyes.refuse(desk.hub, wish.proposal_id, person, reason=wish.reason))


def record(proposal: Proposal) -> ProposalRecord:
    """Return a proposal for programs."""
    return ProposalRecord(
        proposal_id=proposal.proposal_id,
        command=proposal.what.words,
        reason=proposal.what.reason,
        state=proposal.state.value,
        made_by=proposal.made_by,
        made_ms=proposal.made_ms,
        expires_ms=proposal.expires_ms,
        decided_by=proposal.decided_by,
        decided_ms=proposal.decided_ms,
        outcome=proposal.outcome,
    )


async def _about_payment(desk: Desk, wish: PaymentParams, act: Act, *, propose: bool) -> PaymentDone:
    subject_id, kind = await desk.payment(wish.payment)
    what = PersonAct(act, subject_id, wish.reason, kind)
    if act is not Act.RETRY and (propose or desk.settings.four_eyes):
        return PaymentDone(proposal=await _proposed(desk, what))
    subject = await do(desk.hub, what, author=desk.author)
    payment = subject.payments[kind]
    return PaymentDone(
        payment=f"{subject_id}:{kind.value}",
        kind=kind.value,
        state=payment.state.value,
        amount=format_amount(payment.amount, subject.currency),
        currency=subject.currency,
    )


async def _about_bet(desk: Desk, what: PersonAct, *, propose: bool) -> BetDone:
    if propose or desk.settings.four_eyes:
        return BetDone(proposal=await _proposed(desk, what))
    bet = await do(desk.hub, what, author=desk.author)
    assert isinstance(bet, Bet)
    return BetDone(
        bet_id=bet.bet_id,
        state=bet.state.value,
        stake=format_amount(bet.stake, bet.currency),
        win=None if bet.win is None else format_amount(bet.win, bet.currency),
        currency=bet.currency,
    )


async def _proposed(desk: Desk, what: PersonAct) -> ProposalRecord:
    return record(await four_eyes.propose(desk.hub, what, await desk.sign_in(Role.DECIDE)))


async def _decider(desk: Desk, proposal_id: int) -> Account:
    """Return the person's account, if the proposal is the person's to see. Raises NotFound, NotSignedIn, NotAllowed."""
    person = await desk.sign_in(Role.DECIDE)
    found = await desk.hub.store.proposals.get(proposal_id)
    if found is None or not await desk.may_see(found.what.subject_id):
        raise NotFound(f"there is no proposal {proposal_id}: `croupier proposal list` shows them")
    return person
