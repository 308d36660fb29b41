"""The continuous auditor's book: what is known, who is called, and that one process writes a turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from croupier.store.db import Db
from croupier.store.oversight.audits import MOST_KNOWN, NOTE, Asked, Audits, KnownViolation, Progress
from croupier.store.oversight.incidents import Incidents
from tests.store.cast import NOW_MS, HandClock

BROKEN = KnownViolation("I5", 1001, "", "moved twice")


@pytest.fixture
def incidents(db: Db) -> Incidents:
    return Incidents(db, HandClock())  # type: ignore[arg-type] # nobody shifts it


@pytest.fixture
def audits(db: Db, incidents: Incidents) -> Audits:
    return Audits(db, incidents)


async def end(
    audits: Audits, found: Sequence[KnownViolation], *, answered: bool = True, at_ms: int = NOW_MS
) -> list[KnownViolation] | None:
    began = await audits.progress()
    asked = [Asked("I5", 12, 3), Asked("I1", 7, 3)]
    return await audits.end(replace(began, done_ms=at_ms), asked, found, answered=lambda _: answered)


async def test_it_begins_at_the_beginning(audits: Audits) -> None:
    began = await audits.progress()
    assert (began.version, began.event_id, began.link, began.whole_ms) == (0, 0, -1, None)


async def test_a_turn_is_written_down(audits: Audits) -> None:
    began = await audits.progress()
    assert await audits.end(Progress(began.version, 5, 6, 7, 8, 9), [], [], answered=lambda _: True) == []
    assert await audits.progress() == Progress(1, 5, 6, 7, 8, 9)


async def test_who_ends_a_turn_that_another_has_ended_writes_nothing(audits: Audits, incidents: Incidents) -> None:
    """A process slept through its lease and wakes with what it found a while ago."""
    began = await audits.progress()
    assert await end(audits, []) == []
    after = await audits.progress()
    late = await audits.end(replace(began, done_ms=1), [Asked("I9", 1, 1)], [BROKEN], answered=lambda _: True)
    assert late is None
    assert await audits.progress() == after
    assert await audits.known() == []
    assert {result.invariant for result in await audits.results()} == {"I1", "I5"}
    assert await incidents.open_ones() == []


async def test_the_last_answer_of_each_invariant(audits: Audits) -> None:
    await end(audits, [BROKEN])
    await end(audits, [BROKEN], at_ms=NOW_MS + 30_000)
    told = {r.invariant: (r.at_ms, r.took_ms, r.subjects, r.violations) for r in await audits.results()}
    assert told == {"I1": (NOW_MS + 30_000, 7, 3, 0), "I5": (NOW_MS + 30_000, 12, 3, 1)}


async def test_a_person_is_called_once_for_the_same_thing(audits: Audits, incidents: Incidents) -> None:
    """Also when its words change, and when somebody closed the incident without mending anything."""
    assert await end(audits, [BROKEN]) == [BROKEN]
    assert await end(audits, [replace(BROKEN, what="moved three times")]) == []
    (incident,) = await incidents.open_ones()
    assert (incident.subject_id, incident.name, incident.note, incident.times) == (1001, "audit", "I5: moved twice", 1)
    assert [known.what for known in await audits.known()] == ["moved three times"]
    await incidents.close([incident], "mia", "looked")
    assert await end(audits, [BROKEN]) == []
    assert await incidents.open_ones() == []
    assert [result.violations for result in await audits.results()] == [0, 1], "it is still known, and counted"


async def test_something_new_of_the_same_subject_calls_again(audits: Audits, incidents: Incidents) -> None:
    await end(audits, [BROKEN])
    other = KnownViolation("I1", 1001, "", "entry 5 belongs to no transition")
    assert await end(audits, [BROKEN, other]) == [other]
    (incident,) = await incidents.open_ones()
    assert (incident.times, incident.note) == (2, "I1: entry 5 belongs to no transition; before: I5: moved twice")


async def test_what_breaks_at_once_is_one_incident_of_its_subject(audits: Audits, incidents: Incidents) -> None:
    await end(audits, [KnownViolation(f"I{n}", 1001, "", "x" * 100) for n in (1, 5, 7, 8, 13, 20)])
    (incident,) = await incidents.open_ones()
    assert incident.times == 1
    assert incident.note.startswith("I1: xxx")
    assert "; I5: x" in incident.note
    assert len(incident.note) == NOTE


async def test_what_is_mended_is_struck_out_and_calls_again_if_it_comes_back(
    audits: Audits, incidents: Incidents
) -> None:
    await end(audits, [BROKEN])
    await end(audits, [], answered=False)
    assert await audits.known() == [BROKEN], "nobody asked after it"
    await end(audits, [])
    assert await audits.known() == []
    assert await end(audits, [BROKEN]) == [BROKEN]
    (incident,) = await incidents.open_ones()
    assert incident.times == 2


async def test_what_is_about_no_subject_is_told_apart(audits: Audits) -> None:
    gone = [KnownViolation("I11", 0, what, what) for what in ("trigger a is gone", "trigger b is gone")]
    assert await end(audits, gone) == gone
    assert await end(audits, gone[:1]) == []
    assert await audits.known() == gone[:1]


async def test_where_everything_is_broken_calls_end_somewhere(audits: Audits, incidents: Incidents) -> None:
    found = [KnownViolation("I5", n, "", "moved twice") for n in range(1, MOST_KNOWN + 50)]
    new = await end(audits, found)
    assert new is not None
    assert len(new) == len(await incidents.open_ones()) == MOST_KNOWN
    assert await end(audits, found) == []
