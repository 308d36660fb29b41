"""Four eyes: a second person approves, what is approved happens once, and nobody approves for himself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from croupier.core.account import Account, Role
from croupier.core.bet import Bet, BetState
from croupier.core.bet_requests import CannotDo
from croupier.core.proposal import VALID_MS, Act, PersonAct, ProposalState
from croupier.core.readings import Contents, PaymentKind, Yes
from croupier.flows import person
from croupier.flows.accept_payment import accept_payment
from croupier.flows.proposals import approve, propose, refuse
from tests.flows.desk import Desk


async def bet_that_is_on(desk: Desk, bet_id: int = 1001) -> Bet:
    bet = await desk.bet(bet_id)
    said = Yes(Contents(subject_id=bet.bet_id, player_ref=bet.player_ref, kind=PaymentKind.STAKE, amount="10.00",
                        tax=None, partner_tx=f"t-{bet_id}"), None)  # fmt: skip
    await accept_payment(desk.hub, bet.casino_id, bet.bet_id, kind=PaymentKind.STAKE, outcome=said)
    return await desk.again(bet)


def settle(bet: Bet, win: str = "25.00", **changes: Any) -> PersonAct:
    return PersonAct(Act.SETTLE, bet.bet_id, "the provider is gone", win=win, **changes)


async def account(desk: Desk, name: str, role: Role = Role.DECIDE) -> Account:
    made, _ = await desk.hub.store.accounts.add(name, role, "root")
    return made


async def test_nothing_happens_until_another_person_approves(desk: Desk) -> None:
    mia, ben, bet = await account(desk, "mia"), await account(desk, "ben"), await bet_that_is_on(desk)
    proposal = await propose(desk.hub, settle(bet), mia)
    assert (await desk.again(bet)).state is BetState.ON
    with pytest.raises(CannotDo, match="mia proposed it"):
        await approve(desk.hub, proposal.proposal_id, mia)
    done = await approve(desk.hub, proposal.proposal_id, ben)
    assert (done.state, done.decided_by) == (ProposalState.DONE, "ben")
    after = await desk.again(bet)
    assert (after.state, after.win) == (BetState.SETTLED, 2500)
    row = await desk.db.fetchrow(
        "select author, detail::jsonb ->> 'reason' as reason, (detail::jsonb -> 'proposal')::bigint as proposal"
        " from events where subject_id = $1 order by version desc limit 1",
        bet.bet_id,
    )
    assert row is not None
    assert tuple(row.values()) == ("mia, approved by ben", "the provider is gone", proposal.proposal_id)
    with pytest.raises(CannotDo, match="done already, by ben"):
        await approve(desk.hub, proposal.proposal_id, ben)


async def test_what_could_not_be_done_is_not_even_proposed(desk: Desk) -> None:
    mia, bet = await account(desk, "mia"), await desk.bet()
    for what, why in (
        (settle(bet), "only a bet that is on"),
        (PersonAct(Act.RETURN, 77, "r"), "there is no bet 77"),
        (PersonAct(Act.ACCEPT, bet.bet_id, "r", PaymentKind.PAYOUT), "there is no payment 1001:payout"),
    ):
        with pytest.raises(CannotDo, match=why):
            await propose(desk.hub, what, mia)
    on = await bet_that_is_on(desk, 1002)
    with pytest.raises(CannotDo, match="more decimals than"):
        await propose(desk.hub, settle(on, "1.005"), mia)
    assert await desk.hub.store.proposals.newest(10) == []


async def test_of_two_proposals_of_one_act_the_first_waits(desk: Desk) -> None:
    mia, ben, bet = await account(desk, "mia"), await account(desk, "ben"), await bet_that_is_on(desk)
    first = await propose(desk.hub, settle(bet), mia)
    assert await propose(desk.hub, settle(bet), mia) == first
    for person_, what in ((mia, settle(bet, "250.00")), (ben, settle(bet))):
        with pytest.raises(CannotDo, match=f"proposal {first.proposal_id} of mia waits already"):
            await propose(desk.hub, what, person_)
    await refuse(desk.hub, first.proposal_id, mia, reason="mistyped")
    second = await propose(desk.hub, settle(bet, "250.00"), mia)
    assert second.proposal_id != first.proposal_id
    with pytest.raises(CannotDo, match="refused already"):
        await approve(desk.hub, first.proposal_id, ben)


async def test_an_approval_that_was_interrupted_is_carried_out_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between the act and its note, or before the act: approving again brings both to the same end."""
    mia, ben = await account(desk, "mia"), await account(desk, "ben")
    real = person.do
    for number, before in ((1001, True), (1002, False)):
        bet = await bet_that_is_on(desk, number)
        proposal = await propose(desk.hub, settle(bet), mia)

        async def dies(*args: Any, early: bool = before, **more: Any) -> Any:
            if not early:
                await real(*args, **more)
            raise KeyboardInterrupt

        monkeypatch.setattr(person, "do", dies)
        with pytest.raises(KeyboardInterrupt):
            await approve(desk.hub, proposal.proposal_id, ben)
        monkeypatch.setattr(person, "do", real)
        done = await approve(desk.hub, proposal.proposal_id, ben)
        assert done.state is ProposalState.DONE
        assert (await desk.again(bet)).state is BetState.SETTLED
        assert await desk.db.fetchval(
            "select count(*) from events where subject_id = $1 and event = 'settled_by_person'", number
        ) == 1  # fmt: skip


async def test_two_who_approve_at_once_settle_it_once(desk: Desk) -> None:
    mia, ben, eve = [await account(desk, name) for name in ("mia", "ben", "eve")]
    bet = await bet_that_is_on(desk)
    proposal = await propose(desk.hub, settle(bet), mia)
    ends = await asyncio.gather(
        *(approve(desk.hub, proposal.proposal_id, one) for one in (ben, eve)), return_exceptions=True
    )
    assert sum(not isinstance(end, CannotDo) for end in ends) >= 1
    found = await desk.hub.store.proposals.get(proposal.proposal_id)
    assert found is not None
    assert found.state is ProposalState.DONE
    assert await desk.db.fetchval("select count(*) from events where event = 'settled_by_person'") == 1


async def test_an_act_that_the_world_has_overtaken_fails_and_says_why(desk: Desk) -> None:
    mia, ben, bet = await account(desk, "mia"), await account(desk, "ben"), await bet_that_is_on(desk)
    proposal = await propose(desk.hub, PersonAct(Act.RETURN, bet.bet_id, "r"), mia)
    await person.do(desk.hub, PersonAct(Act.RETURN, bet.bet_id, "faster"), author="eve")
    with pytest.raises(CannotDo, match="is approved, and could not be done"):
        await approve(desk.hub, proposal.proposal_id, ben)
    found = await desk.hub.store.proposals.get(proposal.proposal_id)
    assert found is not None
    assert found.state is ProposalState.FAILED


async def test_an_old_proposal_is_not_approved_and_makes_room(desk: Desk) -> None:
    mia, ben, bet = await account(desk, "mia"), await account(desk, "ben"), await bet_that_is_on(desk)
    old = await propose(desk.hub, settle(bet), mia)
    desk.clock.ms += VALID_MS
    with pytest.raises(CannotDo, match="more than 7 days"):
        await approve(desk.hub, old.proposal_id, ben)
    new = await propose(desk.hub, settle(bet), ben)
    assert new.proposal_id != old.proposal_id


@pytest.mark.parametrize("role", [Role.LOOK, Role.OPERATE])
async def test_who_may_not_decide_approves_nothing(desk: Desk, role: Role) -> None:
    mia, eve, bet = await account(desk, "mia"), await account(desk, "eve", role), await bet_that_is_on(desk)
    proposal = await propose(desk.hub, settle(bet), mia)
    with pytest.raises(CannotDo, match="needs the role decide"):
        await approve(desk.hub, proposal.proposal_id, eve)


async def test_a_token_is_known_by_its_digest_until_it_is_replaced_or_the_account_closed(desk: Desk) -> None:
    accounts = desk.hub.store.accounts
    mia, first = await accounts.add("mia", Role.DECIDE, "root")
    assert await accounts.by_token(first) == mia
    assert await accounts.by_token(first + "0") is None
    assert first not in str(await desk.db.fetch("select * from accounts"))
    renewed = await accounts.renew("mia")
    assert renewed is not None
    assert await accounts.by_token(first) is None
    assert await accounts.by_token(renewed[1]) == mia
    assert await accounts.close("mia", "root") is not None
    assert await accounts.by_token(renewed[1]) is None
    assert await accounts.renew("mia") is None
