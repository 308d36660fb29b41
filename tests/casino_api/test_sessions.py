"""Launch, sessions, tokens and rates of a casino. Contract: casino.md 3 and 3.2."""

from __future__ import annotations

from typing import Any

import pytest

from croupier.casinos.betcore_v2 import signing
from croupier.kit.wire import PeerError
from croupier.store.db import Db
from tests.casino_api.conftest import ORIGIN, House, at, open_house
from tests.store.cast import NOW_MS

DAY_MS = 86_400_000


async def test_a_launch_opens_a_session_and_tells_the_provider_what_it_needs(house: House) -> None:
    told = await house.open(
        language="de", country="AT", device="mobile", tagId=7, lobbyUrl=f"{ORIGIN}/lobby?a=1", exitUrl=ORIGIN,
        limits={"maxBet": "5.00", "maxLoss": 100, "sessionMinutes": 90},
    )  # fmt: skip
    (order,) = house.peers.launches
    assert (order.session_id, order.language, order.mobile, order.demo) == (told["sessionId"], "de", True, False)
    assert (order.min_bet, order.max_bet) == ("0.01", "5.00"), "the casino's limit is the narrowest"
    assert told["frameUri"] == f"https://studio.example/play?session={told['sessionId']}"
    assert (told["expiresAt"], told["launchCodeExpiresIn"]) == (at(90 * 60_000), 60)
    shown = await house.get(f"sessions/{told['sessionId']}")
    assert shown == {
        "sessionId": told["sessionId"], "playerId": "anna", "gameId": house.games["owl"], "game": "Night Owl",
        "currency": "EUR", "mode": "real", "state": "open", "openedAt": at(), "expiresAt": at(90 * 60_000),
        "language": "de", "country": "AT", "device": "mobile", "lobbyUrl": f"{ORIGIN}/lobby?a=1", "exitUrl": ORIGIN,
        "frameUri": told["frameUri"], "minBet": "0.01", "maxBet": "5.00",
    }  # fmt: skip
    session = await house.hub.store.sessions.get(told["sessionId"])
    assert session is not None
    assert (session.limits.max_bet, session.limits.max_loss, session.tag_id) == (500, 10_000, 7)


ELSEWHERE = (
    "https://evil.example/", f"{ORIGIN}.evil.example/", f"{ORIGIN}@evil.example/", "//evil.example", "javascript:alert(1)",
    f"{ORIGIN}\\@evil.example", "/lobby", f"http://{ORIGIN[8:]}/", f"{ORIGIN}:444/", f" {ORIGIN}/", f"{ORIGIN}/ x", f"{ORIGIN}/\u00e4",
    f"{ORIGIN}:x@evil.example/", "data:text/html,x", f"https://x@{ORIGIN[8:]}/", "https:\\\\rialto.example", f"{ORIGIN}#\n",
)  # fmt: skip


async def test_an_address_outside_the_casinos_origins_opens_nothing(house: House) -> None:
    for address in ELSEWHERE:
        for field in ("exitUrl", "lobbyUrl"):
            body = {"playerId": "anna", "currency": "EUR", "gameId": house.games["owl"], field: address}
            answer = await house.ask("POST", "sessions", body)
            assert (address, answer.code, answer.body["field"]) == (address, (400, "bad_request"), field)
    assert house.peers.launches == []
    assert (await house.get("sessions"))["sessions"] == []
    assert await house.open(exitUrl="https://RIALTO.example/a/b?c=%20#d")


WRONG: dict[str, Any] = {
    "playerId": ["", " x", 5, "a" * 129, "a\u200bb"],
    "currency": ["XXX", "eur", 5],
    "gameId": ["1", -1, 1.5],
    "language": ["d", "de_DE", 5],
    "country": ["de", "DEU"],
    "device": ["tv"],
    "mode": ["fun"],
    "tagId": ["7", -1],
    "limits": [[], 5],
    "maxBet": ["1,5", "-1", "1.001"],
    "sessionMinutes": [0, "5", 1.5],
}


async def test_a_wrong_field_is_named(house: House) -> None:
    good: dict[str, Any] = {"playerId": "anna", "currency": "EUR", "gameId": house.games["owl"]}
    for field, values in WRONG.items():
        for value in values:
            inside = field in ("maxBet", "sessionMinutes")
            answer = await house.ask(
                "POST", "sessions", {**good, **({"limits": {field: value}} if inside else {field: value})}
            )
            assert (field, answer.code, answer.body["field"]) == (field, (400, "bad_request"), field)
    for name in good:
        body = {key: value for key, value in good.items() if key != name}
        assert (await house.ask("POST", "sessions", body)).body["field"] == name
    assert (await house.ask("POST", "sessions", b"{")).code == (400, "bad_request")
    assert (await house.ask("POST", "sessions", b"{}", Content_Type="text/plain")).code == (415, "wrong_type")
    assert (await house.ask("POST", "sessions", b" " * 70_000)).code == (413, "too_large")


async def refused(house: House, code: tuple[int, str], rule: str, **more: Any) -> None:
    body = {"playerId": "anna", "currency": "EUR", "gameId": house.games["owl"], **more}
    answer = await house.ask("POST", "sessions", body)
    assert (answer.code, answer.body["rule"]) == (code, rule)


async def test_who_may_not_play_is_told_the_rule(house: House) -> None:
    store = house.hub.store
    await refused(house, (409, "not_available"), "currency_not_played", currency="USD")
    await refused(house, (409, "not_available"), "game_unknown", gameId=99999)
    await house.open()
    await refused(house, (403, "player_refused"), "player_currency", currency="JPY")
    await store.games.switch(house.casino.casino_id, house.games["owl"], False)
    await refused(house, (409, "not_available"), "game_off_for_casino")
    await store.games.switch(house.casino.casino_id, house.games["owl"], True)
    await store.games.set(house.games["owl"], enabled=False)
    await refused(house, (409, "not_available"), "game_disabled")
    await store.games.set(house.games["owl"], enabled=True)
    player = await store.players.find(house.casino.casino_id, "anna")
    assert player is not None
    await store.players.block(player.player_id, True, reason="asked", author="eve")
    await refused(house, (403, "player_refused"), "player_blocked")
    await store.players.block(player.player_id, False, reason="asked", author="eve")
    house.peers.launch_says = PeerError("refused the connection at 10.0.0.7")
    await refused(house, (502, "peer_unanswered"), "provider_unanswered")
    await store.providers.disable(house.provider.provider_id)
    await refused(house, (409, "not_available"), "provider_disabled")
    await store.casinos.disable(house.casino.casino_id)
    await refused(house, (409, "not_available"), "casino_disabled")


async def test_sessions_come_newest_first_in_pages_and_only_ones_own(house: House) -> None:
    opened = []
    for n in range(3):
        house.clock.ms += 1000 * (n > 1)
        opened.append((await house.open(player=f"p-{n}"))["sessionId"])
    first = await house.get("sessions?limit=2")
    second = await house.get(f"sessions?limit=2&cursor={first['nextCursor']}")
    listed = [one["sessionId"] for page in (first, second) for one in page["sessions"]]
    assert (listed[0], sorted(listed), second["nextCursor"]) == (opened[2], sorted(opened), None)
    assert [one["playerId"] for one in (await house.get("sessions?player=p-1"))["sessions"]] == ["p-1"]
    other = await house.another()
    assert (await other.get("sessions"))["sessions"] == []
    theirs, nobodys = [await other.ask("GET", f"sessions/{name}") for name in (opened[0], "0" * 32)]
    assert (theirs.code, theirs.body) == (nobodys.code, nobodys.body)
    assert (await other.ask("DELETE", f"sessions/{opened[0]}")).code == (404, "not_found")
    assert (await house.get(f"sessions/{opened[0]}"))["state"] == "open"


async def test_a_closed_session_takes_no_bet_and_a_repeat_changes_nothing(house: House) -> None:
    session = (await house.open())["sessionId"]
    house.clock.ms += 5000
    closed = await house.ask("DELETE", f"sessions/{session}")
    assert (closed.body["state"], closed.body["endedAt"], closed.body["endedBy"]) == ("over", at(5000), "casino Rialto")
    house.clock.ms += 5000
    assert (await house.ask("DELETE", f"sessions/{session}")).body == closed.body
    found = await house.hub.store.sessions.get(session)
    assert found is not None
    assert found.over(house.clock.now_ms())
    assert [one["sessionId"] for one in (await house.get("sessions?state=over"))["sessions"]] == [session]
    assert (await house.get("sessions?state=open"))["sessions"] == []
    assert found.expires_ms < NOW_MS + DAY_MS


async def test_only_good_bearers_of_a_fitting_scope_are_let_in(house: House) -> None:
    key, now_s = house.hub.store.keys.token_key(), house.clock.now_ms() // 1000

    def token(scope: str, casino_id: int = house.casino.casino_id) -> str:
        return signing.issue_token(key, casino_id, scope, issuer="croupier", now_s=now_s)

    for good in (token("casino-api"), token("casino")):
        assert (await house.send("GET", "games", Authorization=f"Bearer {good}")).status == 200
    forged = token("casino-api")[:-8] + "AAAAAAAA"
    for wrong in (token("feeds"), token("other"), token("casino-api", 99), forged, "x", "x.y.z"):
        answer = await house.send("GET", "games", Authorization=f"Bearer {wrong}")
        assert answer.code == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert (await house.send("GET", "games")).code == (401, "unauthorized")
    wrong_secret = {"clientId": house.casino.casino_id, "secret": "x"}
    assert (await house.send("POST", "auth/token", wrong_secret)).code == (401, "unauthorized")
    await house.hub.store.casinos.close(house.casino.casino_id)
    house.clock.ms += 1000
    assert (await house.ask("GET", "games")).code == (401, "unauthorized")


async def test_its_own_tokens_report_no_outcome_of_a_payment(house: House) -> None:
    async with house.http.post(
        f"{house.url}/mis-api/api/v2/auth/verify", json="x", headers={"Authorization": f"Bearer {house.token}"}
    ) as answer:
        assert answer.status == 401


async def test_a_casino_that_asks_too_often_waits_and_others_do_not(db: Db) -> None:
    async with open_house(db, api_per_s=2) as house:
        other = await house.another()
        session = (await house.open())["sessionId"]
        answers = [await house.ask("GET", "games") for _ in range(8)]
        assert [answer.status for answer in answers] == [200] * 5 + [429] * 3
        assert answers[-1].code == (429, "too_many_requests")
        assert answers[-1].headers["retry-after"] == "1"
        assert (await other.ask("GET", "games")).status == 200
        assert (await house.ask("DELETE", f"sessions/{session}")).status == 200, (
            "what protects a player is never limited"
        )
        house.clock.ms += 1000
        assert (await house.ask("GET", "games")).status == 200


async def test_the_rate_on_a_casinos_row_goes_before_the_setting_and_refusals_are_counted(db: Db) -> None:
    async with open_house(db, api_per_s=2) as house:
        await house.hub.store.casinos.change(house.casino.casino_id, {"requests_per_s": 1})
        house.clock.ms += 1000
        statuses = [(await house.ask("GET", "games")).status for _ in range(4)]
        assert statuses == [200] * 3 + [429]
        counted = f'{{call="casino_api",counterparty="{house.casino.casino_id}",side="casino"}} 1.0'
        assert f"croupier_rate_limited_total{counted}" in house.hub.metrics.render().decode()


@pytest.mark.one_in(3)
@pytest.mark.parametrize("path", ["games", "sessions", "sessions/x"])
async def test_a_database_that_is_away_is_told_as_such(
    house: House, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    from croupier.store.db import DbDown  # noqa: PLC0415

    async def away(*_: Any, **__: Any) -> Any:
        raise DbDown("away")

    for store in (house.hub.store.catalogue, house.hub.store.sessions):
        for name in ("positions", "page", "of_casino"):
            if hasattr(store, name):
                monkeypatch.setattr(store, name, away)
    answer = await house.ask("GET", path)
    assert answer.code == (503, "not_now")
    assert answer.headers["retry-after"] == "1"


async def test_a_casino_with_addresses_is_believed_from_these_alone(house: House) -> None:
    change = house.hub.store.casinos.change
    good = {"clientId": house.casino.casino_id, "secret": house.secret}
    await change(house.casino.casino_id, {"addresses": ["192.0.2.0/24"]})
    assert (await house.ask("GET", "games")).code == (401, "unauthorized")
    assert (await house.send("POST", "auth/token", good)).code == (401, "unauthorized")
    await change(house.casino.casino_id, {"addresses": ["192.0.2.0/24", "127.0.0.1"]})
    assert (await house.ask("GET", "games")).status == 200
    assert (await house.send("POST", "auth/token", good)).status == 200
