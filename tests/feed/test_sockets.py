"""The hub on the network: who may come in, what is said, and what each client gets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from croupier.casinos import PROTOCOLS
from croupier.feed import connection_tokens
from croupier.feed import connections as connections_module
from croupier.feed.signalr import connection as protocol
from croupier.feed.snapshot import Snapshot
from croupier.feed.sockets import KEY_PURPOSE, PATHS
from croupier.store.db import Db
from tests.feed.hall import END, HELLO, ORIGIN, Browser, Hall, open_hall, snapshot, until

pytestmark = pytest.mark.one_in(2)


@pytest.fixture
async def hall(db: Db, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hall]:
    monkeypatch.setattr(connections_module, "WATCH_S", 0.05)
    async with open_hall(db, feed_connections=20, feed_per_casino=10, feed_subscriptions=5) as made:
        yield made


# --- negotiate --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
async def test_negotiate_offers_web_sockets_alone(hall: Hall, path: str) -> None:
    hall.path = path
    status, headers, told = await hall.negotiate(**hall.bearer)
    assert (status, told["negotiateVersion"]) == (200, 1)
    assert told["availableTransports"] == [{"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}]
    assert told["connectionToken"].startswith(told["connectionId"])
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("query", ["", "?negotiateVersion=0"])
async def test_without_a_version_the_id_is_the_token(hall: Hall, query: str) -> None:
    _, _, told = await hall.negotiate(query, **hall.bearer)
    assert "connectionToken" not in told
    assert told["connectionId"].count(".") == 2


async def test_a_token_in_the_query_serves_as_well(hall: Hall) -> None:
    assert (await hall.negotiate(f"?negotiateVersion=1&access_token={hall.token}"))[0] == 200


async def test_an_odd_version_is_refused(hall: Hall) -> None:
    assert (await hall.negotiate("?negotiateVersion=x", **hall.bearer))[0] == 400


async def test_nobody_comes_in_without_a_live_token_of_this_scope(hall: Hall) -> None:
    other = PROTOCOLS["betcore_v2"].tokens(hall.hub, "croupier", "casino")
    for token in ("", "x", hall.token[:-4] + "AAAA", await other.issue(hall.casino_id, hall.secret, "127.0.0.1")):
        status, headers, _ = await hall.negotiate(Authorization=f"Bearer {token}")
        assert (status, headers["www-authenticate"]) == (401, "Bearer")
        for query, told in ((f"?access_token={token}", {}), ("", {"Authorization": f"Bearer {token}"})):
            with pytest.raises(InvalidStatus) as refused:
                async with hall.line(query, told):
                    """It does not get here."""
            assert refused.value.response.status_code == 401
    assert len(hall.connections) == 0


async def test_a_page_of_an_allowed_origin_may_negotiate_with_credentials(hall: Hall) -> None:
    status, headers, _ = await hall.negotiate(method="OPTIONS", Origin=ORIGIN)
    assert status == 204
    assert headers["access-control-allow-origin"] == ORIGIN
    assert headers["access-control-allow-credentials"] == "true"
    assert headers["access-control-allow-headers"] == "authorization, x-requested-with, x-signalr-user-agent"
    status, headers, _ = await hall.negotiate(Origin=ORIGIN, **hall.bearer)
    assert (status, headers["access-control-allow-origin"], headers["vary"]) == (200, ORIGIN, "Origin")
    status, headers, _ = await hall.negotiate(Origin=ORIGIN)
    assert (status, headers["access-control-allow-origin"]) == (401, ORIGIN), "the page must see the status"


async def test_a_page_of_another_origin_may_not(hall: Hall) -> None:
    other, token = await hall.casino("Corner", origins=["https://corner.example"])
    assert other != hall.casino_id
    cases: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("OPTIONS", "https://evil.example", {}),
        ("POST", "https://evil.example", hall.bearer),
        ("POST", "null", hall.bearer),
        ("POST", ORIGIN, {"Authorization": f"Bearer {token}"}),  # the page of one casino, the token of another
    )
    for method, origin, bearer in cases:
        status, headers, _ = await hall.negotiate(method=method, Origin=origin, **bearer)
        assert status == 403
        assert "access-control-allow-origin" not in headers


async def test_the_origin_does_not_count_at_the_socket(hall: Hall) -> None:
    async with hall.line("", {**hall.bearer, "Origin": "https://elsewhere.example"}) as line:
        await line.send(HELLO)
        assert await line.recv() == "{}" + END


# --- connection tokens ------------------------------------------------------------------------------------------------


async def test_any_worker_takes_a_connection_token_once_negotiated_and_others_are_new_connections(hall: Hall) -> None:
    _, _, told = await hall.negotiate(**hall.bearer)
    key = hall.hub.store.keys.secret_of_all(KEY_PURPOSE)
    now_s = hall.hub.clock.now_ms() // 1000
    old = connection_tokens.issue(key, "00" * 16, hall.casino_id, now_s=now_s - 100)
    for sent, kept in ((told["connectionToken"], True), (old, False), ("nonsense", False), ("", False)):
        async with hall.line(f"?id={sent}"):
            await until(lambda: len(hall.connections) == 1)
            (client,) = hall.connections._clients
            assert (client.connection_id == told["connectionId"]) is kept
        await until(lambda: len(hall.connections) == 0)


def test_a_connection_token_is_signed_for_one_casino_and_expires() -> None:
    token = connection_tokens.issue(b"k" * 32, "ab" * 16, 7, now_s=1000)
    read = connection_tokens.connection_id
    assert read(b"k" * 32, token, 7, now_s=1000 + connection_tokens.VALID_S - 1) == "ab" * 16
    assert read(b"k" * 32, token, 7, now_s=1000 + connection_tokens.VALID_S) is None
    assert read(b"k" * 32, token, 8, now_s=1000) is None
    assert read(b"x" * 32, token, 7, now_s=1000) is None
    assert read(b"k" * 32, "cd" * 16 + token[32:], 7, now_s=1000) is None


# --- handshake and subscriptions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [0, 1, 2])
async def test_the_handshake_is_answered_and_followed_by_a_ping(hall: Hall, version: int) -> None:
    async with hall.line(f"?access_token={hall.token}", {}) as line:
        await line.send(f'{{"protocol":"json","version":{version}}}{END}')
        assert [await line.recv(), await line.recv()] == ["{}" + END, '{"type":6}' + END]


async def test_an_unknown_protocol_is_told_and_closed(hall: Hall) -> None:
    async with hall.line() as line:
        await line.send(f'{{"protocol":"soap","version":1}}{END}')
        assert "must be one of" in json.loads(str(await line.recv())[:-1])["error"]
        with pytest.raises(ConnectionClosed):
            await line.recv()


async def test_message_pack_gets_binary_frames(hall: Hall) -> None:
    hall.push(4)
    async with hall.line() as line:
        await line.send(f'{{"protocol":"messagepack","version":1}}{END}')
        assert await line.recv() == ("{}" + END).encode()
        assert await line.recv() == b"\x02\x91\x06"
        told = json.dumps({"GameType": 3, "PartnerClientId": hall.casino_id})
        body = msgspec.msgpack.encode([1, {}, "7", "Subscribe", ["SubOnWholeGamesInfo", told], []])
        await line.send(bytes([len(body) | 0x80, len(body) >> 7]) + body)
        assert msgspec.msgpack.decode((await line.recv())[1:]) == [3, {}, "7", 2]  # type: ignore[arg-type]
        pushed = msgspec.msgpack.decode((await line.recv())[1:])  # type: ignore[arg-type]
        assert pushed[3:5] == ["SubOnWholeGamesInfo", [{"sId": 4, "wgi": [], "pad": ""}]]


async def test_a_subscriber_gets_the_current_snapshot_at_once_and_then_each_new_one(hall: Hall) -> None:
    hall.push(7)
    async with hall.subscriber() as browser:
        assert await browser.sequence() == 7
        for sequence in (7, 6, 8, 8, 9):
            hall.push(sequence)
            await asyncio.sleep(0.02)
        assert [await browser.sequence(), await browser.sequence()] == [8, 9]


async def test_without_an_id_nothing_is_completed(hall: Hall) -> None:
    hall.push(1)
    async with hall.browser() as browser:
        await browser.ask(hall.casino_id, call=None)
        assert await browser.sequence() == 1
        await browser.ask(hall.casino_id + 1, call=None)
        await browser.ask(hall.casino_id, method="Unsubscribe", call="9")
        assert await browser.next() == {"type": 3, "invocationId": "9"}


async def test_after_unsubscribe_nothing_comes(hall: Hall) -> None:
    async with hall.subscriber() as browser, hall.subscriber() as other:
        await browser.ask(hall.casino_id, method="Unsubscribe", call="2")
        assert await browser.next() == {"type": 3, "invocationId": "2"}
        hall.push(1)
        assert await other.sequence() == 1
        await browser.ask(hall.casino_id, method="Unsubscribe", call="3")
        assert await browser.next() == {"type": 3, "invocationId": "3"}


async def test_game_types_are_apart(hall: Hall) -> None:
    async with hall.subscriber(3) as three, hall.subscriber(23) as keno:
        hall.push(1, 3)
        hall.push(50, 23)
        assert (await three.sequence(), await keno.sequence()) == (1, 50)


ASKED = {"GameType": 3, "PartnerClientId": None, "Count": 1}


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ({"target": "Shout"}, "method"),
        ({"arguments": []}, "two arguments"),
        ({"arguments": ["SubOnNothing", "{}"]}, "subscription must be"),
        ({"arguments": ["SubOnWholeGamesInfo", "{"]}, "JSON object"),
        ({"arguments": ["SubOnWholeGamesInfo", {"GameType": 3}]}, "JSON text"),
        ({"asked": {"PartnerClientId": 999}}, "not that of the access token"),
        ({"asked": {"PartnerClientId": "x"}}, "PartnerClientId"),
        ({"asked": {"GameType": "3"}}, "GameType"),
        ({"asked": {"GameType": -1}}, "GameType"),
        ({"asked": {"GameType": 2**31}}, "GameType"),
        ({"asked": {"Count": 0}}, "Count"),
        ({"type": 4}, "stream"),
    ],
)
async def test_a_call_that_cannot_be_done_gets_an_error_and_the_connection_lives(
    hall: Hall, message: dict[str, Any], problem: str
) -> None:
    asked = {**ASKED, "PartnerClientId": hall.casino_id, **message.pop("asked", {})}
    call = {"type": 1, "target": "Subscribe", "arguments": ["SubOnWholeGamesInfo", json.dumps(asked)], **message}
    async with hall.browser() as browser:
        await browser.send(invocationId="5", **call)
        completion = await browser.next()
        assert (completion["type"], completion["invocationId"]) == (3, "5")
        assert problem in completion["error"]
        await browser.ask(hall.casino_id)
        assert await browser.next() == {"type": 3, "invocationId": "1"}


async def test_a_count_limits_the_draws_and_all_of_one_count_get_the_same_bytes(hall: Hall) -> None:
    def asked(count: int | None) -> list[str]:
        told = {"GameType": 3, "PartnerClientId": hall.casino_id, **({} if count is None else {"Count": count})}
        return ["SubOnWholeGamesInfo", json.dumps(told)]

    async def draws(browser: Browser) -> list[int]:
        return [draw["ge"] for draw in (await browser.next())["arguments"][0]["wgi"]]

    told = [{"ge": 3, "s": 1}, {"ge": 2, "s": 2}, {"ge": 1, "s": 3}]
    hall.connections.fan_out.heard(Snapshot(3, 1, 0, {"sId": 1, "wgi": told}))
    async with hall.browser() as every, hall.browser() as one, hall.browser() as two:
        for browser, count in ((every, None), (one, 1), (two, 2)):
            await browser.send(type=1, target="Subscribe", arguments=asked(count))
        assert [await draws(browser) for browser in (every, one, two)] == [[3, 2, 1], [2], [2, 1]]
        await one.send(type=1, target="Subscribe", arguments=asked(5))
        assert await draws(one) == [3, 2, 1], "another number begins anew, with the current snapshot"
        await one.send(type=1, target="Subscribe", arguments=asked(2))
        assert await draws(one) == [2, 1]
        hall.connections.fan_out.heard(Snapshot(3, 2, 1, {"sId": 2, "wgi": told}))
        assert [await draws(browser) for browser in (every, one, two)] == [[3, 2, 1], [2, 1], [2, 1]]
        assert list(hall.connections.fan_out._newest[3]._limited) == [("json", 2)]


async def test_all_get_the_same_bytes(hall: Hall) -> None:
    async with hall.subscriber() as one, hall.subscriber() as two:
        hall.push(3)
        assert await one.line.recv() == await two.line.recv()
        push = hall.connections.fan_out._newest[3]
        assert list(push._frames) == ["json"], "encoded once, in the encodings that somebody speaks"


# --- time -------------------------------------------------------------------------------------------------------------


async def test_who_shakes_no_hands_is_sent_away(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HANDSHAKE_S", 0.2)
    async with hall.line() as line:
        assert "no handshake" in str(await line.recv())
        with pytest.raises(ConnectionClosed):
            await line.recv()


async def test_the_hub_pings_and_drops_who_says_nothing(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "PING_S", 0.1)
    monkeypatch.setattr(protocol, "SILENCE_S", 0.6)
    async with hall.line() as line:
        await line.send(HELLO)
        heard = [message async for message in line]
    assert heard.count('{"type":6}' + END) >= 3
    assert "nothing was received" in str(heard[-1])


async def test_a_token_that_ends_ends_its_connections(hall: Hall) -> None:
    async with hall.browser() as browser:
        await hall.hub.store.casinos.close(hall.casino_id, force=True)
        (client,) = hall.connections._clients
        client.recheck_ms = 0
        closed = await browser.next()
        assert (closed["type"], closed["allowReconnect"]) == (7, True)
        assert "access token" in closed["error"]
    assert (await hall.negotiate(**hall.bearer))[0] == 401


async def test_a_token_is_checked_at_its_expiry_at_the_latest(hall: Hall) -> None:
    async with hall.browser():
        (client,) = hall.connections._clients
        now_ms = hall.hub.clock.now_ms()
        await until(lambda: client.recheck_ms > now_ms + 10_000)  # it is checked once more after it has joined
        now_ms = hall.hub.clock.now_ms()
        assert now_ms + 50_000 < client.recheck_ms <= now_ms + connections_module.RECHECK_MS
        hall.hub.clock.shift(client.admitted.expires_s * 1000 - now_ms - 30_000)
        client.recheck_ms = 0
        await until(lambda: client.recheck_ms == client.admitted.expires_s * 1000)
        hall.hub.clock.shift(31_000)
        await until(lambda: len(hall.connections) == 0)


# --- numbers ----------------------------------------------------------------------------------------------------------


async def test_more_connections_than_allowed_are_refused_and_others_go_on(hall: Hall) -> None:
    hall.connections._limits = connections_module.FeedLimits(connections=3, per_casino=2, subscriptions=5)
    _, other = await hall.casino("Corner")
    async with hall.browser() as first, hall.browser():
        assert (await hall.negotiate(**hall.bearer))[0] == 503
        with pytest.raises(InvalidStatus) as refused:
            async with hall.line():
                """It does not get here."""
        assert refused.value.response.status_code == 503
        async with hall.line("", {"Authorization": f"Bearer {other}"}):
            await until(lambda: len(hall.connections) == 3)
            _, _, told = await hall.negotiate(Authorization=f"Bearer {other}")
            assert told["error"] == "too many connections"
        await first.ask(hall.casino_id)
        assert await first.next() == {"type": 3, "invocationId": "1"}
        assert hall.metric("croupier_feed_connections") >= 2


async def test_a_thousand_subscriptions_are_refused_past_the_limit(hall: Hall) -> None:
    async with hall.browser() as browser:
        for game_type in range(40):
            await browser.ask(hall.casino_id, game_type, call=str(game_type))
        answers = [await browser.next() for _ in range(40)]
        assert [answer["invocationId"] for answer in answers if "error" not in answer] == list("01234")
        assert len(hall.connections.fan_out._subscribers) == 5
    await until(lambda: not hall.connections.fan_out._subscribers)


# --- the end ----------------------------------------------------------------------------------------------------------


async def test_a_hub_that_stops_sends_all_away_to_come_back(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections_module, "SPREAD_S", 0.3)
    async with hall.browser() as one, hall.browser() as two, hall.browser() as three:
        closing = asyncio.create_task(hall.connections.close())
        hall.server.should_exit = True
        for browser in (one, two, three):
            assert await browser.next() == {"type": 7, "allowReconnect": True}
            with pytest.raises(ConnectionClosed):
                await browser.line.recv()
        await closing
    assert hall.connections.no_room(hall.casino_id) == "shutting down"


async def test_a_snapshot_older_than_the_newest_is_passed_over_unless_the_database_was_restored(hall: Hall) -> None:
    fan_out = hall.connections.fan_out
    fan_out.heard(snapshot(50))
    fan_out.heard(snapshot(49))
    assert fan_out._newest[3].snapshot.sequence == 50
    restored = snapshot(10)
    fan_out.heard(type(restored)(3, 10, restored.made_ms + 60_000, {}))
    assert fan_out._newest[3].snapshot.sequence == 10
