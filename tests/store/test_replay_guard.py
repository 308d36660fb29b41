"""store.replay_guard, on a real database: of all who claim one id, in any process, one is told that it is new."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from croupier.store.db import Db
from croupier.store.replay_guard import ReplayGuard
from tests.store.cast import NOW_MS, HandClock


@pytest.fixture
async def other_db(database_url: str) -> AsyncIterator[Db]:
    """Another process's connections to the same database."""
    connected = await Db.connect(database_url, size=3)
    yield connected
    await connected.close()


async def test_an_id_is_new_then_the_same_or_another(db: Db) -> None:
    seen = ReplayGuard(db, HandClock())
    assert await seen.claim(1, "r", b"one") == "new"
    assert await seen.claim(1, "r", b"one") == "same"
    assert await seen.claim(1, "r", b"two") == "other"
    assert await seen.claim(1, "r", b"one") == "same"
    assert await seen.claim(2, "r", b"two") == "new"
    assert await seen.claim(1, "s", b"two") == "new"


async def test_claims_that_travel_together_are_told_apart(db: Db) -> None:
    seen = ReplayGuard(db, HandClock())
    claims = [(1, "r", b"a"), (1, "r", b"a"), (1, "r", b"b"), (2, "r", b"b"), (1, "s", b"a")]
    assert await asyncio.gather(*(seen.claim(*c) for c in claims)) == ["new", "same", "other", "new", "new"]


async def test_a_claim_that_cannot_be_stored_spoils_no_other(db: Db) -> None:
    seen = ReplayGuard(db, HandClock())
    outcomes = await asyncio.gather(
        seen.claim(1, "r\0", b"a"), seen.claim(1, "r", b"a"), seen.claim(1, "\ud800", b"a"), return_exceptions=True
    )
    assert [o if isinstance(o, str) else type(o) for o in outcomes] == [ValueError, "new", ValueError]


async def test_what_is_older_than_the_window_is_forgotten(db: Db) -> None:
    clock = HandClock()
    seen = ReplayGuard(db, clock)
    await seen.claim(1, "old", b"a")
    clock.ms += 1000
    await seen.claim(1, "young", b"a")
    assert await seen.purge(NOW_MS) == 0
    assert await seen.purge(NOW_MS + 1000) == 1
    assert await seen.claim(1, "young", b"a") == "same"
    assert await seen.claim(1, "old", b"b") == "new"


async def test_two_processes_under_load_tell_new_exactly_once(db: Db, other_db: Db) -> None:
    """Both send every id several times, each in an order of its own, so that their batches cross."""
    here, there = ReplayGuard(db, HandClock()), ReplayGuard(other_db, HandClock())
    ids = [f"r-{n}" for n in range(300)]
    work = [(where, key) for where, keys in ((here, ids), (there, ids[::-1])) for key in keys for _ in range(2)]
    answers = await asyncio.gather(*(where.claim(1, key, key.encode()) for where, key in work))
    told = Counter((key, answer) for (_, key), answer in zip(work, answers, strict=True))
    assert all(told[key, "new"] == 1 and told[key, "same"] == 3 for key in ids)


async def test_batches_of_two_processes_never_block_each_other(db: Db, other_db: Db) -> None:
    """The same ids at the same moment, forwards and backwards."""
    here, there = ReplayGuard(db, HandClock()), ReplayGuard(other_db, HandClock())
    for turn in range(25):
        ids = [f"{turn}-{n}" for n in range(200)]
        work = [(where, key) for where, keys in ((here, ids), (there, ids[::-1])) for key in keys]
        answers = await asyncio.gather(*(where.claim(1, key, b"") for where, key in work))
        assert Counter(answers) == {"new": 200, "same": 200}


async def test_two_processes_with_other_contents_agree_on_whose_was_first(db: Db, other_db: Db) -> None:
    sides = [(ReplayGuard(db, HandClock()), b"here"), (ReplayGuard(other_db, HandClock()), b"there")]
    for n in range(60):
        answers = await asyncio.gather(*(seen.claim(1, f"r-{n}", digest) for seen, digest in sides))
        assert sorted(answers) == ["new", "other"]


claims = st.lists(st.tuples(st.integers(1, 2), st.sampled_from("rst"), st.sampled_from([b"a", b"b"])), max_size=20)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(claims, max_size=4))
async def test_any_claims_are_answered_like_a_model_answers(
    db: Db, batches: list[list[tuple[int, str, bytes]]]
) -> None:
    seen, model = ReplayGuard(db, HandClock()), dict[tuple[int, str], bytes]()
    await db.execute("delete from seen_requests")
    for batch in batches:
        expected = []
        for provider_id, request_id, digest in batch:
            first = model.get((provider_id, request_id))
            model.setdefault((provider_id, request_id), digest)
            expected.append("new" if first is None else "same" if first == digest else "other")
        assert await asyncio.gather(*(seen.claim(*c) for c in batch)) == expected
