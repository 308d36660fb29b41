"""store.incidents, on a real database."""

from __future__ import annotations

from croupier.store.db import Db
from croupier.store.incident_notes import LONGEST, causes
from croupier.store.oversight.incidents import Choice, Incident, Incidents
from tests.store.cast import NOW_MS, HandClock


async def test_each_cause_is_kept_the_newest_first(db: Db) -> None:
    clock = HandClock()
    incidents = Incidents(db, clock)
    for note in ("stake: first", "return: second", "stake: first", "return: second", "second"):
        await incidents.raise_for(7, "parked", note)
        clock.ms += 10
    (incident,) = await incidents.open_ones()
    kept = "second; before: return: second; before: stake: first"
    assert incident == Incident(incident.incident_id, 7, "parked", kept, 5, NOW_MS, NOW_MS + 40)
    assert causes(incident.note) == ["second", "return: second", "stake: first"]


async def test_many_causes_leave_the_newest(db: Db) -> None:
    incidents = Incidents(db, HandClock())
    for n in range(30):
        await incidents.raise_for(7, "difference", f"{n:02}" + "x" * 98)
    (incident,) = await incidents.open_ones()
    assert incident.note.startswith("29x")
    assert len(incident.note) == LONGEST


async def test_a_repeated_check_counts_a_cause_once(db: Db) -> None:
    incidents = Incidents(db, HandClock())
    news = [await incidents.raise_new(0, "jackpot_stopped", note) for note in ("a", "b", "a", "b", "c")]
    assert news == [True, True, False, False, True]


async def test_the_last_to_happen_is_listed_first(db: Db) -> None:
    clock = HandClock()
    incidents = Incidents(db, clock)
    for subject_id, name in ((7, "a"), (7, "b"), (0, "a"), (7, "a")):
        await incidents.raise_for(subject_id, name, "n")
        clock.ms += 1
    assert [(i.subject_id, i.name) for i in await incidents.open_ones()] == [(7, "a"), (0, "a"), (7, "b")]


async def test_a_closed_one_is_off_the_list_until_it_happens_again(db: Db) -> None:
    clock = HandClock()
    incidents = Incidents(db, clock)
    await incidents.raise_for(7, "a", "n")
    (incident,) = await incidents.open_ones()
    clock.ms += 1
    assert await incidents.close([incident], "bea", "looked at it")
    assert await incidents.open_ones() == []
    row = await db.fetchrow("select closed_ms, closed_by, close_note from incidents")
    assert row is not None
    assert tuple(row.values()) == (NOW_MS + 1, "bea", "looked at it")
    assert not await incidents.close([incident], "carl", "too late")
    assert await db.fetchval("select closed_by from incidents") == "bea"
    await incidents.raise_for(7, "a", "again")
    assert [(i.incident_id, i.times) for i in await incidents.open_ones()] == [(incident.incident_id, 2)]


async def test_there_is_nothing_to_close_under_an_unknown_id(db: Db) -> None:
    for unknown in (1, 0, -1, 2**70):
        assert await Incidents(db, HandClock()).chosen(Choice(ids=[unknown])) == []


async def test_one_that_happened_again_since_somebody_looked_stays_open(db: Db) -> None:
    """What a person closes is what the person has seen."""
    incidents = Incidents(db, HandClock())
    for subject_id in (7, 8):
        await incidents.raise_for(subject_id, "a", "n")
    seen = await incidents.chosen(Choice(name="a"))
    await incidents.raise_for(8, "a", "again")
    assert await incidents.close(seen, "bea", "looked") == [seen[0].incident_id]
    assert [i.subject_id for i in await incidents.open_ones()] == [8]
