"""Who may approve a proposal, and when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from croupier.core.account import Account, Role
from croupier.core.proposal import VALID_MS, Act, PersonAct, Proposal, ProposalState, why_not
from croupier.core.readings import PaymentKind

NOW_MS = 1_000
MIA, BEN = Account(1, "mia", Role.DECIDE, 0, "root"), Account(2, "ben", Role.DECIDE, 0, "root")
ACT = PersonAct(Act.SETTLE, 4711, "the provider is gone", win="2.50")
OPEN = Proposal(7, ACT, ProposalState.OPEN, "mia", NOW_MS, NOW_MS + VALID_MS)


def test_another_person_with_the_role_approves_an_open_proposal_in_time() -> None:
    assert why_not(OPEN, BEN, NOW_MS) is None
    assert why_not(OPEN, BEN, NOW_MS + VALID_MS - 1) is None
    assert why_not(OPEN, replace(BEN, role=Role.ADMINISTER), NOW_MS) is None


@pytest.mark.parametrize(
    ("proposal", "approver", "now_ms", "why"),
    [
        (OPEN, MIA, NOW_MS, "mia proposed it: another person must approve it"),
        (OPEN, replace(BEN, role=Role.OPERATE), NOW_MS,
         "the role operate of ben approves nothing: that needs the role decide"),
        (OPEN, BEN, NOW_MS + VALID_MS, "it was proposed more than 7 days ago: propose it again"),
        (replace(OPEN, state=ProposalState.DONE, decided_by="eve"), BEN, NOW_MS, "it is done already, by eve"),
        (replace(OPEN, state=ProposalState.REFUSED, decided_by="eve"), BEN, NOW_MS, "it is refused already, by eve"),
        (replace(OPEN, state=ProposalState.FAILED, decided_by="eve"), BEN, NOW_MS, "it is failed already, by eve"),
    ],
)  # fmt: skip
def test_everybody_else_is_told_why_not(proposal: Proposal, approver: Account, now_ms: int, why: str) -> None:
    assert why_not(proposal, approver, now_ms) == why


def test_an_approval_that_was_interrupted_is_taken_up_whatever_its_age_but_not_by_its_author() -> None:
    begun = replace(OPEN, state=ProposalState.APPROVED, decided_by="eve")
    assert why_not(begun, BEN, NOW_MS + 2 * VALID_MS) is None
    assert why_not(begun, MIA, NOW_MS) is not None


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (ACT, "bet settle 4711 --win 2.50"),
        (replace(ACT, above_limits=True), "bet settle 4711 --win 2.50 --above-limits"),
        (PersonAct(Act.RETURN, 4711, "r"), "bet return 4711"),
        (PersonAct(Act.ACCEPT, 4711, "r", PaymentKind.PAYOUT), "payment accept 4711:payout"),
        (PersonAct(Act.GIVE_UP, 4711, "r", PaymentKind.CASHBACK), "payment give-up 4711:cashback"),
    ],
)
def test_an_act_is_named_as_its_command(act: PersonAct, words: str) -> None:
    assert act.words == words


def test_a_proposal_is_valid_for_a_week() -> None:
    assert VALID_MS == 7 * 24 * 3600 * 1000
