"""Health tells what rows know: schema, queue, leases, processes."""

from __future__ import annotations

from croupier.views.health import Health, health
from tests.core.samples import T0
from tests.views.world import World


async def now(world: World, at_ms: int = T0) -> Health:
    found = await health(world.db, at_ms)
    assert found is not None
    return found


async def test_an_idle_hub_waits_for_nothing(world: World) -> None:
    found = await now(world)
    assert (found.queue.calls, found.queue.due, found.queue.oldest_due_s) == (0, 0, 0)
    assert found.pending_migrations == ()
    assert found.database[0].isdigit()


async def test_the_queue_tells_what_is_due_leased_and_crashed(world: World) -> None:
    await world.keep(world.story().opened(), world.story().on())
    leased = await now(world, T0 + 1000)
    assert (leased.queue.calls, leased.queue.leased, leased.queue.due) == (1, 1, 0)
    await world.db.execute("update calls set crashes = 2")
    over = await now(world, T0 + 20_000)
    assert (over.queue.leased, over.queue.due, over.queue.crashed) == (0, 1, 1)
    assert over.queue.oldest_due_s == 5.0


async def test_processes_tell_how_long_they_have_been_silent(world: World) -> None:
    await world.db.execute("insert into processes values ('p1', 'here', 7, 'mark', $1)", T0 - 1500)
    (process,) = (await now(world)).processes
    assert (process.process_id, process.pid, process.silent_s) == ("p1", 7, 1.5)


async def test_what_waits_for_a_person_is_counted(world: World) -> None:
    story = world.story()
    story.settled(paid=False).exists(next(iter(k for k in story.subject.payments if k.value == "payout")), amount="1")
    await world.keep(story)
    found = await now(world)
    assert (found.open_incidents, found.parked_payments) == (1, 1)


async def test_a_database_without_schema_is_no_failure(world: World) -> None:
    await world.db.execute("drop table schema_migrations")
    found = await now(world)
    assert found.pending_migrations[0] == "0001_hub.sql"
    async with world.lawless() as connection:
        await connection.execute("drop table calls")
    assert await health(world.db, T0) is None
