"""A provider publishes draws over its signed call: what is taken, what is refused and how, and what races do.

Contract: feed.md 4.1, provider.md 5.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from croupier.core.draws import DrawKey, DrawState
from croupier.store.db import Db, DbViolation
from croupier.store.feed.draws import StoredDraw
from tests.flows.desk import Desk, make_desk
from tests.flows.feed_line import FeedLine, draw, feed_line, finished
from tests.store.cast import NOW_MS

KENO = DrawKey(23, 501)


@pytest.fixture
async def desk(db: Db) -> AsyncIterator[Desk]:
    """The hub's app, asked without a network."""
    made = await make_desk(db)
    yield made
    await made.line.close()


@pytest.fixture
async def line(desk: Desk) -> FeedLine:
    return await feed_line(desk)


async def stored(desk: Desk) -> StoredDraw:
    (found,) = (await desk.hub.store.draws.one(key=KENO)).draws
    return found


async def test_a_draw_from_betting_to_its_result_and_every_version_again(desk: Desk, line: FeedLine) -> None:
    life = [
        draw(version=0, state=1, proof={"commitment": "ab"}),
        draw(proof={"commitment": "ab"}),
        finished(proof={"commitment": "ab", "seed": "cd"}, results=[7, 12, {"odd": 1.50}]),
    ]
    for update in life:
        assert await line.code(update) == 1
    end = await stored(desk)
    assert (end.draw.version, end.draw.state) == (3, DrawState.FINISHED)
    assert end.draw.results == '[7,12,{"odd":1.5}]'
    assert end.draw.proof == (("commitment", "ab"), ("seed", "cd"))
    for update in life:
        assert await line.code(update) == 1, "a version that was taken gets its answer again, however late"
    assert await stored(desk) == end


async def test_a_list_alone_and_draws_beside_jackpots_are_read(desk: Desk, line: FeedLine) -> None:
    assert (await line.send([draw(), draw(gameEdition=502)]))[1] == {"_responseCode": 1}
    meter = {"jackpotId": "grand", "name": "Grand", "amount": "1234.50", "currency": "EUR"}
    assert (await line.send({"jackpots": [meter]}))[1] == {"_responseCode": 1}
    assert (await line.send({"draws": [], "jackpots": [{**meter, "amount": 2000}]}))[1] == {"_responseCode": 1}
    (kept,) = await desk.hub.store.draws.meters("EUR")
    assert (kept.meter.jackpot_ref, kept.meter.amount) == ("grand", 200_000)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("before", "update", "status", "code", "field"),
    [
        ([], draw(gameType=4), 409, 7, "draws[0].gameType"),
        ([draw()], draw(round=1), 409, 7, "draws[0].version"),
        ([draw(version=5)], draw(version=4), 409, 7, "draws[0].version"),
        ([finished()], draw(version=4), 409, 7, "draws[0].state"),
        ([finished()], finished(version=4, results=[1]), 409, 7, "draws[0].results"),
        ([draw(state=5)], draw(version=2), 409, 7, "draws[0].state"),
        ([], draw(results=[7]), 400, 6, "draws[0].results"),
        ([], finished(bettingEndsAt=NOW_MS + 60_000), 400, 6, "draws[0].state"),
        ([], draw(startsAt=1_760_000_000), 400, 6, "draws[0].startsAt"),
        ([], draw(gameEdition=2**53), 400, 6, "draws[0].gameEdition"),
        ([], draw(version="1"), 400, 6, "draws[0].version"),
        ([], draw(version=1.0), 400, 6, "draws[0].version"),
        ([], draw(state=6), 400, 6, "draws[0].state"),
        ([], finished(results=[1] * 201), 400, 6, "draws[0].results"),
        ([], finished(results=["x" * 9000]), 400, 6, "draws[0].results"),
        ([], finished(results=[[[[[1]]]]]), 400, 6, "draws[0].results"),
        ([], finished(results=[1e300]), 400, 6, "draws[0].results"),
        ([], draw(proof={"seed": 1}), 400, 6, "draws[0].proof.seed"),
        ([], draw(proof={str(n): "x" for n in range(17)}), 400, 6, "draws[0].proof"),
        ([], finished(endsAt=NOW_MS - 30_000), 400, 6, "draws[0].endsAt"),
    ],
)  # fmt: skip
async def test_what_is_refused_names_its_field_and_changes_nothing(
    desk: Desk, line: FeedLine, before: list[Any], update: dict[str, Any], status: int, code: int, field: str
) -> None:
    for one in before:
        assert await line.code(one) == 1
    was = (await desk.hub.store.draws.one(key=KENO)).draws
    told_status, told = await line.send({"draws": [update]})
    assert (told_status, told["_responseCode"], told.get("field")) == (status, code, field), told
    assert (await desk.hub.store.draws.one(key=KENO)).draws == was


@pytest.mark.parametrize(
    "body", [b"{}", b"1", b"[1]", b'{"draws":{}}', b'{"draws":[[]]}', b'{"jackpots":[{}]}', b'{"draws":[]']
)
async def test_what_cannot_be_read_is_refused(line: FeedLine, body: bytes) -> None:
    assert (await line.send(body))[1]["_responseCode"] == 6


async def test_a_list_too_long_and_a_body_too_large_are_refused(line: FeedLine) -> None:
    assert (await line.send([draw(gameEdition=n) for n in range(101)]))[1]["field"] == "draws"
    assert (await line.send([draw(results=["x" * 66_000])]))[0] == 413


async def test_one_bad_element_keeps_all_of_a_publication_out(desk: Desk, line: FeedLine) -> None:
    status, told = await line.send({"draws": [draw(), draw(gameType=99)]})
    assert (status, told["_responseCode"], told["field"]) == (409, 7, "draws[1].gameType")
    other = await feed_line(desk, name="Cairn", game_types=(5,))
    meter = {"jackpotId": "grand", "name": "Grand", "amount": "1", "currency": "EUR"}
    assert (await other.send({"jackpots": [meter]}))[1]["_responseCode"] == 1
    status, told = await line.send({"draws": [draw()], "jackpots": [meter]})
    assert (status, told["_responseCode"], told["field"]) == (409, 7, "jackpots[0].jackpotId")
    assert (await desk.hub.store.draws.one(key=KENO)).draws == []


async def test_a_repeated_request_id_is_refused_and_a_repeated_version_is_not(line: FeedLine) -> None:
    assert (await line.send([draw()], request_id="a" * 32))[0] == 200
    assert (await line.send([draw()], request_id="a" * 32))[1]["_responseCode"] == 8
    assert (await line.send([draw()]))[0] == 200


async def test_versions_that_race_leave_the_newest(desk: Desk, line: FeedLine) -> None:
    """Twenty versions at once, in any order: each is taken or refused as old, and the highest stands."""
    await desk.hub.store.replay_guard.purge(0)
    codes = await asyncio.gather(*(line.code(draw(version=n, round=n)) for n in range(20)))
    assert set(codes) <= {1, 7}
    assert codes[19] == 1
    assert (await stored(desk)).draw.version == 19


async def test_only_one_of_two_contents_of_a_version_is_ever_taken(desk: Desk, line: FeedLine) -> None:
    codes = await asyncio.gather(*(line.code(draw(round=n % 2)) for n in range(10)))
    assert sorted(codes) == [1] * 5 + [7] * 5
    assert await stored(desk)


async def test_a_game_type_that_moves_to_another_provider_is_refused_to_the_first(desk: Desk, line: FeedLine) -> None:
    assert await line.code(draw()) == 1
    await desk.hub.store.providers.change(line.provider_id, {"game_types": (3,)})
    assert await line.code(draw(version=2)) == 7
    other = await feed_line(desk, name="Cairn", game_types=(23,))
    assert await other.code(draw(version=2)) == 1


@pytest.mark.parametrize(
    "move", ["version = version", "version = version + 1, state = 2", "version = 9, results = '[]'"]
)
async def test_the_database_itself_lets_no_finished_draw_reopen(desk: Desk, line: FeedLine, move: str) -> None:
    assert await line.code(finished()) == 1
    with pytest.raises(DbViolation):
        await desk.db.execute(f"update draws set {move}")
    with pytest.raises(DbViolation):
        await desk.db.execute("delete from draws")


def test_the_samples_are_json() -> None:
    assert json.loads(json.dumps(draw())) == draw()
