"""What a person decided is named `correction` alone, and is still read as what it did."""

from __future__ import annotations

import pytest

from croupier.views.audit.acts import ACTS
from tests.core.samples import K
from tests.views.world import BY_PERSON, World, everything

READ = f"with {ACTS} select act from acts where subject_id = $1 and author is not null order by entry_id"
DECIDED = {
    "on": ["stake_accepted"],
    "both": ["stake_accepted", "settled", "won", "paid"],
    "late": ["accepted_late"],
    "late return": ["accepted_late", "returned"],
    "settled": ["stake_accepted", "settled", "won", "paid"],
    "returned": ["stake_accepted", "return_decided", "returned"],
    "undone": ["taken_back", "return_decided", "returned"],
    "lost and undone": ["return_decided"],
    "undone unpaid": ["correction", "return_decided", "returned"],
    "paid after all": ["correction", "correction", "paid"],
    "cashback": ["paid"],
    "cashback taken back": ["paid", "taken_back"],
    "cashback after all": ["correction", "correction", "paid"],
}


def test_every_decision_of_a_person_in_the_world_is_read_here() -> None:
    assert {f"{name} by a person" for name in DECIDED} == set(BY_PERSON)


@pytest.mark.parametrize("name", DECIDED)
@pytest.mark.one_in(12)
async def test_a_correction_is_read_as_what_it_did(world: World, name: str) -> None:
    story = everything(world)[f"{name} by a person"]
    await world.keep(story)
    assert {e.why for d in story.decisions if d.author for e in d.entries} == {"correction"}
    assert [row["act"] for row in await world.db.fetch(READ, story.subject_id)] == DECIDED[name]


async def test_a_return_that_was_given_up_and_came_about_is_a_correction_and_a_return(world: World) -> None:
    story = world.story()
    story.on().refund()
    story.give_up(K.BET_RETURN)
    await world.keep(story.accepted_by_person(K.BET_RETURN))
    acts = [row["act"] for row in await world.db.fetch(READ, story.subject_id)]
    assert acts == ["correction", "correction", "returned"]


async def test_what_nobody_signed_keeps_its_name(world: World) -> None:
    story = world.story()
    story.settled(paid=False).give_up(K.PAYOUT)
    story.accept(K.PAYOUT)
    await world.keep(story)
    sql = f"with {ACTS} select act from acts where subject_id = $1 and author is null order by entry_id"
    acts = [row["act"] for row in await world.db.fetch(sql, story.subject_id)]
    assert acts == ["stake_accepted", "settled", "won", "correction", "paid"]
