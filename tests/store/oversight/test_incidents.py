"""store.incidents, on a real database."""

from __future__ import annotations

from croupier.store.db import Db
from croupier.store.oversight.incidents import Incident, Incidents
from tests.store.cast import NOW_MS, HandClock


async def test_the_same_again_is_counted_on_the_same_row_with_the_last_note(db: Db) -> None:
    clock = HandClock()
    incidents = Incidents(db, clock)
    await incidents.raise_for(7, "late accept", "first")
    clock.ms += 10
    await incidents.raise_for(7, "late accept", "second")
    (incident,) = await incidents.open_ones()
    assert incident == Incident(incident.incident_id, 7, "late accept", "second", 2, NOW_MS, NOW_MS + 10)


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
    assert await incidents.close(incident.incident_id, "bea", "looked at it")
    assert await incidents.open_ones() == []
    row = await db.fetchrow("select closed_ms, closed_by, close_note from incidents")
    assert row is not None
    assert tuple(row.values()) == (NOW_MS + 1, "bea", "looked at it")
    assert not await incidents.close(incident.incident_id, "carl", "too late")
    assert await db.fetchval("select closed_by from incidents") == "bea"
    await incidents.raise_for(7, "a", "again")
    assert [(i.incident_id, i.times) for i in await incidents.open_ones()] == [(incident.incident_id, 2)]


async def test_there_is_nothing_to_close_under_an_unknown_id(db: Db) -> None:
    for unknown in (1, 0, -1, 2**70):
        assert not await Incidents(db, HandClock()).close(unknown, "bea", "n")
