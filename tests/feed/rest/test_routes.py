"""The feed over REST: tokens of its own scope, draws in pages, names in the language asked for, jackpots, ETags.

Contract: feed.md 1 and 2.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from croupier.casinos.betcore_v2 import signing
from croupier.core.jackpot import Pot
from croupier.feed.rest.catalogue import language_for
from croupier.flows.jackpots import add_pot
from croupier.kit.wire import WireAnswer
from croupier.store.db import Db, DbDown
from tests.flows.desk import Desk, make_desk
from tests.flows.feed_line import FeedLine, draw, feed_line, finished
from tests.store.cast import NOW_MS

ROOT = "/partnersmediator-service/api/v2"
CALLS = ["games/list", "games/info?GameId=1", "games/types/translations", "jackpots/accumulated"]


class Casino:
    """A casino with a token for the feed."""

    def __init__(self, desk: Desk, casino_id: int, secret: str) -> None:
        self.desk = desk
        self.casino_id = casino_id
        self.secret = secret
        self.token = ""

    async def ask_token(self, root: str = ROOT, secret: str | None = None) -> WireAnswer:
        body = json.dumps({"PartnerClientId": self.casino_id, "Secret": secret or self.secret}).encode()
        return await self.desk.call("POST", f"{root}/auth/token", body)

    async def get(self, path: str, /, **params: Any) -> WireAnswer:
        return await self.get_with({}, path, **params)

    async def get_with(self, headers: dict[str, str], path: str, /, **params: Any) -> WireAnswer:
        asked = f"{ROOT}/{path}{'?' + urlencode(params) if params else ''}"
        return await self.desk.call("GET", asked, **{"Authorization": f"Bearer {self.token}", **headers})

    async def value(self, path: str, /, **params: Any) -> Any:
        answer = await self.get(path, **params)
        told = json.loads(answer.body)
        assert (answer.status, told["ErrorCode"], told["Message"]) == (200, 200, "Success"), told
        return told["Value"]


@pytest.fixture
async def desk(db: Db) -> AsyncIterator[Desk]:
    """The hub's app, asked without a network."""
    made = await make_desk(db)
    await made.hub.store.keys.load()
    yield made
    await made.line.close()


@pytest.fixture
async def line(desk: Desk) -> FeedLine:
    return await feed_line(desk)


@pytest.fixture
async def casino(desk: Desk) -> Casino:
    kept, secret = await desk.hub.store.casinos.add("Owl", "https://owl.example", ["EUR"])
    made = Casino(desk, kept.casino_id, secret)
    told = json.loads((await made.ask_token()).body)
    assert (told["ErrorCode"], told["Value"]["Scope"], told["Value"]["TokenType"]) == (200, "feeds", "Bearer")
    made.token = told["Value"]["AccessToken"]
    return made


def said(answer: WireAnswer) -> tuple[int, int]:
    return answer.status, json.loads(answer.body)["ErrorCode"]


async def test_a_token_of_one_scope_is_refused_where_another_is_needed(desk: Desk, casino: Casino) -> None:
    of_casinos = json.loads((await casino.ask_token("/mis-api/api/v2")).body)["Value"]["AccessToken"]
    verify = await desk.call("POST", "/mis-api/api/v2/auth/verify", b'"x"', Authorization=f"Bearer {casino.token}")
    assert said(verify) == (401, 103752)
    casino.token = of_casinos
    for call in CALLS:
        assert said(await casino.get(call)) == (401, 103752)


@pytest.mark.parametrize(
    "headers", [{"Authorization": ""}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic eA=="}]
)
async def test_without_a_good_bearer_nothing_is_told(casino: Casino, headers: dict[str, str]) -> None:
    for call in CALLS:
        answer = await casino.get_with(headers, call)
        assert said(answer) == (401, 103752)
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_wrong_secret_and_a_wrong_body_get_no_token(desk: Desk, casino: Casino) -> None:
    assert said(await casino.ask_token(secret="wrong")) == (401, 103752)
    assert said(await desk.call("POST", f"{ROOT}/auth/token", b"[]")) == (400, 103752)


async def test_an_empty_list_is_a_list(casino: Casino) -> None:
    assert await casino.value("games/list") == {"GameResults": [], "Total": 0}
    assert await casino.value("jackpots/accumulated") == []


async def test_draws_in_every_state_newest_first_in_pages(casino: Casino, line: FeedLine) -> None:
    for n in range(1, 6):
        assert await line.code(draw(gameEdition=n, state=1 if n == 5 else 2, startsAt=NOW_MS + n * 1000)) == 1
    assert await line.code(finished(gameEdition=6, startsAt=NOW_MS - 9_000), finished(gameType=3, gameEdition=1)) == 1
    whole = await casino.value("games/list", GameType=23)
    assert ([one["ge"] for one in whole["GameResults"]], whole["Total"]) == ([5, 4, 3, 2, 1, 6], 6)
    assert {one["lrId"] for one in whole["GameResults"]} == {whole["GameResults"][-1]["i"]}
    pages = [await casino.value("games/list", GameType=23, Offset=at, Count=4) for at in (0, 4, 8)]
    assert [[one["ge"] for one in page["GameResults"]] for page in pages] == [[5, 4, 3, 2], [1, 6], []]
    start = NOW_MS // 1000
    some = await casino.value("games/list", GameType=23, StartTs=start + 2, FinishTs=start + 3)
    assert [one["ge"] for one in some["GameResults"]] == [3, 2]
    assert (await casino.value("games/list"))["Total"] == 7


async def test_one_draw_by_number_and_by_edition(casino: Casino, line: FeedLine) -> None:
    assert await line.code(finished()) == 1
    by_edition = await casino.value("games/info", GameType=23, GameEdition=501)
    assert by_edition == await casino.value("games/info", GameId=by_edition["i"])
    assert (by_edition["s"], by_edition["res"], by_edition["edt"]) == (3, [7, 12], "2025-10-09T08:53:20.000Z")
    assert said(await casino.get("games/info", GameId=by_edition["i"] + 1)) == (404, 404)
    assert said(await casino.get("games/info", GameType=23, GameEdition=502)) == (404, 404)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "asked",
    [
        "games/list?Count=101", "games/list?Count=0", "games/list?Count=ten", "games/list?Offset=-1",
        "games/list?GameType=2147483648", "games/list?GameType=23&GameType=3", "games/list?StartTs=5&FinishTs=4",
        "games/list?StartTs=99999999999999999999", "games/list?lng=../../etc", "games/list?GameType=%D9%A3",
        "games/info", "games/info?GameType=23", "games/info?GameId=1&GameType=3", "games/info?GameId=1.5",
        "games/types/translations?lng=d", "jackpots/accumulated?Currency=XXX", "jackpots/accumulated?Currency=eur",
    ],
)  # fmt: skip
async def test_a_wrong_query_is_refused(casino: Casino, asked: str) -> None:
    answer = await casino.get(asked)
    assert said(answer) == (400, 103752)
    assert answer.headers["x-problem"]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "games", 404), ("POST", "games/list", 405), ("GET", "", 404)]
)
async def test_an_unknown_path_or_method_gets_an_envelope(desk: Desk, method: str, path: str, status: int) -> None:
    assert said(await desk.call(method, f"{ROOT}/{path}")) == (status, 103752)


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("en", "en"),
        ("de", "de"),
        ("DE-ch", "de"),
        ("de-Latn-CH-1996", "de"),
        ("fr", "en"),
        ("en-GB", "en"),
        ("dex", "en"),
    ],
)
def test_a_language_falls_back_to_a_wider_one_and_then_to_english(tag: str, language: str) -> None:
    assert language_for(tag) == language


async def test_names_of_game_types_states_events_and_outcomes(casino: Casino, line: FeedLine) -> None:
    await feed_line(casino.desk, name="Cairn", game_types=(7,))
    english, german = [await casino.value("games/types/translations", lng=tag) for tag in ("en", "de-AT")]
    assert english == await casino.value("games/types/translations")
    assert set(english) == set(german) == {"3", "7", "23", "24", "25"}
    assert (english["7"]["Name"], german["7"]["Name"]) == ("Game type 7", "Spieltyp 7")
    assert (english["23"]["States"]["3"], german["23"]["States"]["3"]) == ("Finished", "Beendet")
    assert german["24"]["Events"]["colour"]["Outcomes"]["green"] == "Grün"


async def test_jackpots_tell_exact_amounts_of_one_currency_or_all(casino: Casino, line: FeedLine) -> None:
    meters = [
        {"jackpotId": "grand", "name": "Grand", "amount": "1234.5", "currency": "EUR"},
        {"jackpotId": 7, "name": "Yen", "amount": 900, "currency": "JPY"},
    ]
    assert (await line.send({"jackpots": meters}))[0] == 200
    grand = {
        "JackpotId": "grand", "Name": "Grand", "Amount": "1234.50", "Currency": "EUR",
        "UpdatedAt": "2025-10-09T08:53:20.000Z",
    }  # fmt: skip
    assert await casino.value("jackpots/accumulated", Currency="EUR") == [grand]
    assert [(one["JackpotId"], one["Amount"]) for one in await casino.value("jackpots/accumulated")] == [
        ("grand", "1234.50"), ("7", "900"),
    ]  # fmt: skip


async def test_pots_of_the_hub_stand_beside_the_meters_where_their_stakes_are_taken(
    desk: Desk, casino: Casino, line: FeedLine
) -> None:
    meter = {"jackpotId": "grand", "name": "Grand", "amount": "5", "currency": "EUR"}
    assert (await line.send({"jackpots": [meter]}))[0] == 200
    far = Pot(71, "Far", "EUR", 100, 1_000, 5_000, casino_ids=frozenset({casino.casino_id + 1}))
    near = replace(far, pot_id=72, name="Near", casino_ids=frozenset({casino.casino_id}))
    yen = replace(far, pot_id=73, name="Yen", currency="JPY", casino_ids=None)
    for pot in (far, near, yen):
        await add_pot(desk.hub, pot, "ann")
    told = await casino.value("jackpots/accumulated")
    assert [(one["JackpotId"], one["Name"], one["Amount"], one["Currency"]) for one in told] == [
        ("grand", "Grand", "5.00", "EUR"), ("pot-72", "Near", "10.00", "EUR"), ("pot-73", "Yen", "1000", "JPY"),
    ]  # fmt: skip
    assert [one["JackpotId"] for one in await casino.value("jackpots/accumulated", Currency="JPY")] == ["pot-73"]
    forged = {"jackpotId": "pot-72", "name": "Mine", "amount": "9", "currency": "EUR"}
    assert (await line.send({"jackpots": [forged]}))[1]["_responseCode"] == 7, "no provider speaks for a pot of the hub"


@pytest.mark.parametrize("call", ["games/list", "games/types/translations", "jackpots/accumulated"])
async def test_what_has_not_changed_is_not_sent_again(casino: Casino, line: FeedLine, call: str) -> None:
    first = await casino.get(call)
    tag = first.headers["etag"]
    for told in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await casino.get_with({"If-None-Match": told}, call)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    assert (await casino.get_with({"If-None-Match": '"other"'}, call)).status == 200
    casino.token = "x"
    assert (await casino.get_with({"If-None-Match": tag}, call)).status == 401


async def test_a_change_gives_another_tag(casino: Casino, line: FeedLine) -> None:
    before = (await casino.get("games/list")).headers["etag"]
    assert await line.code(draw()) == 1
    after = await casino.get_with({"If-None-Match": before}, "games/list")
    assert after.status == 200
    assert after.headers["etag"] != before


async def test_a_database_that_is_away_is_told_as_such(casino: Casino, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: Any, **__: Any) -> Any:
        raise DbDown("away")

    monkeypatch.setattr(casino.desk.hub.store.draws, "page", away)
    assert said(await casino.get("games/list")) == (500, 102823)


def test_the_scope_is_none_of_the_casino_half() -> None:
    assert signing.SCOPE != "feeds"


async def test_a_casino_that_asks_too_often_waits_and_others_do_not(desk: Desk, casino: Casino) -> None:
    await desk.hub.store.casinos.change(casino.casino_id, {"requests_per_s": 1})
    kept, secret = await desk.hub.store.casinos.add("Elk", "https://elk.example", ["EUR"])
    other = Casino(desk, kept.casino_id, secret)
    other.token = json.loads((await other.ask_token()).body)["Value"]["AccessToken"]
    answers = [await casino.get("games/list") for _ in range(4)]
    assert [said(answer) for answer in answers] == [(200, 200)] * 3 + [(429, 103752)]
    assert answers[-1].headers["retry-after"] == "1"
    assert said(await other.get("games/list")) == (200, 200)
    desk.clock.ms += 1000
    assert said(await casino.get("games/list")) == (200, 200)
