"""One turn of the continuous auditor: what changed is looked at at once, everything in time, and a turn costs the same."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from croupier.kit.chance import SeededChance
from croupier.store.oversight.trail import Trail
from croupier.views.audit import cycle
from croupier.views.audit.auditor import INVARIANTS
from croupier.views.audit.cycle import AuditTurn, Marks, run_turn
from croupier.views.audit.slices import FIRST, LAST
from croupier.views.audit.violations import SubjectRange
from tests.views.world import World, everything

pytestmark = pytest.mark.one_in(2)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycle, "PART", 10)
    monkeypatch.setattr(cycle, "OVERLAP", 3)
    monkeypatch.setattr(cycle, "EVENTS", 40)


async def turn(world: World, began: Marks) -> AuditTurn:
    return await run_turn(world.db, world.clock, began)


def wrong(found: AuditTurn) -> dict[str, set[int | None]]:
    told = {name: {v.subject_id for _, v in answer.violations} for name, answer in found.answers.items()}
    return {name: ids for name, ids in told.items() if ids}


async def some(world: World, n: int) -> list[int]:
    stories = [world.story() for _ in range(n)]
    for story in stories:
        story.settled()
    await world.keep(*stories)
    return [story.subject_id for story in stories]


async def test_every_invariant_that_rows_can_show_is_asked_and_the_trail(world: World) -> None:
    await world.keep(*everything(world).values())
    found = await turn(world, Marks())
    assert set(found.answers) == {i.name for i in INVARIANTS if i.query is not None} | {"I12"}
    assert wrong(found) == {}


async def test_turn_after_turn_everything_is_looked_at_once(world: World) -> None:
    """Every number there can be belongs to exactly one part; then it begins anew."""
    bets = await some(world, 25)
    marks, parts = Marks(), []
    while True:
        found = await turn(world, marks)
        parts.append(found.part)
        marks = found.goes_on
        if found.is_last_part:
            break
    assert len(parts) == 3
    assert (parts[0].low, parts[-1].high) == (FIRST, LAST)
    assert all(after.low == before.high + 1 for before, after in pairwise(parts))
    assert [sum(bet in part for bet in bets) for part in parts] == [10, 10, 5]
    assert marks.subject_id == FIRST


@pytest.mark.slow
async def test_what_changed_is_found_in_the_next_turn(world: World) -> None:
    """Far from where the pass over everything is."""
    await some(world, 25)
    marks = (await turn(world, Marks())).goes_on
    (late,) = await some(world, 1)
    await world.break_by(f"delete from ledger where subject_id = {late} and why = 'paid'")
    found = await turn(world, marks)
    assert late not in found.part
    assert late in wrong(found)["I5"]


@pytest.mark.slow
async def test_an_event_that_was_committed_late_is_found_all_the_same(world: World) -> None:
    """Its number is below what the last turn saw as the newest."""
    await some(world, 25)
    marks = (await turn(world, Marks())).goes_on
    found = await turn(world, marks)
    assert len(found.changed.subject_ids) in (1, 2)


@pytest.mark.slow
async def test_damage_without_an_event_is_found_by_the_pass_over_everything(world: World) -> None:
    bets = await some(world, 25)
    marks, found = Marks(), None
    for _ in range(4):  # what changed lately is left behind
        found = await turn(world, marks)
        marks = found.goes_on
    await world.break_by(f"update bets set stake = 999 where bet_id = {bets[3]}")
    told = []
    for _ in range(4):
        found = await turn(world, marks)
        told.append(bets[3] in wrong(found).get("I5", set()))
        marks = found.goes_on
    assert sum(told) == 1, "of four turns one has its part"


@pytest.mark.slow
async def test_a_flood_of_events_does_not_make_a_turn_longer(world: World) -> None:
    await some(world, 25)
    found = await turn(world, Marks())
    events = await world.db.fetchval("select count(*) from events")
    assert events >= 75
    assert len(found.changed.subject_ids) <= 40 / 3 + 2


async def test_the_trail_is_walked_some_rows_a_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycle, "TRAIL_ROWS", 10)
    trail = Trail(world.db, world.clock, SeededChance(1))
    for _ in range(4):
        await some(world, 2)
        await trail.bind()
    marks, at = Marks(), []
    for _ in range(20):
        found = await turn(world, marks)
        marks = found.goes_on
        at.append(marks.link)
        if marks.link == -1:
            break
    assert at[-1] == -1, "it comes to the end, and begins anew"
    assert len(at) > 2
    await world.break_by("update ledger set amount = amount + 1 where entry_id = 4")
    found = await turn(world, Marks())
    assert found.answers["I12"].violations[0][0] == "1", "told by its link"
    assert "row 4 of ledger" in found.answers["I12"].violations[0][1].what


# --- what a turn has answered -----------------------------------------------------------------------------


def a_look(**changes: Any) -> AuditTurn:
    answer = cycle.InvariantAnswer(1, 1, (), all_told=True)
    answers = {"I5": answer, "I12": answer, "I8": replace(answer, all_told=False)}
    made = AuditTurn(Marks(5, 0, 3), Marks(9, 20, 7), cycle.SubjectSet(frozenset({77})), SubjectRange(11, 20), answers)
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("invariant", "subject_id", "about", "answered"),
    [
        ("I5", 11, "", True), ("I5", 20, "", True), ("I5", 77, "", True), ("I5", 21, "", False), ("I5", 10, "", False),
        ("I5", 0, "a trigger is gone", True), ("I1", 11, "", False), ("I8", 11, "", False),
        ("I12", 0, "3", False), ("I12", 0, "4", True), ("I12", 0, "7", True), ("I12", 0, "8", False),
    ],
)  # fmt: skip
def test_what_would_have_been_found_again(invariant: str, subject_id: int, about: str, answered: bool) -> None:
    assert a_look().answered(invariant, subject_id, about) is answered


def test_at_the_trails_end_everything_behind_is_answered() -> None:
    assert a_look(goes_on=Marks(9, 20, -1)).answered("I12", 0, "99")
