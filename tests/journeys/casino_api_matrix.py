"""The cells of the tenant matrix for the casino API: how each id is asked, and what is expected of the four answers.

Owns: those rows. Never: what the matrix compares (test_tenant_matrix). Contract: casino.md 3.
"""

from __future__ import annotations

import secrets
from typing import Any

from tests.journeys.by_hand import Told, ask, compact
from tests.journeys.matrix import Ask, Cell, Four, Ground
from tests.journeys.peers import GAME

API = "/casino-api/v1"
NOBODYS = 2**31 - 1
Outcome = tuple[int, int]
Row = tuple[Ask, Outcome, Outcome, Outcome]
OK, MADE, WRONG, STRANGER, REFUSED, ABSENT, OFF, USED_UP = [
    (status, 0) for status in (200, 201, 400, 401, 403, 404, 409, 410)
]
JSON = {"Content-Type": "application/json"}


async def call(ground: Ground, path: str, body: Any = None, *, bearer: str | None = "own", method: str = "") -> Told:
    """One call of my casino, or with another bearer or none."""
    told = await ground.mine.casino.line.bearer() if bearer == "own" else bearer
    headers = {"Authorization": f"Bearer {told}"} if told else {}
    raw = None if body is None else compact(body)
    how = method or ("GET" if body is None else "POST")
    url = f"{ground.stage.facts.hub_url}{API}/{path}"
    return await ask(ground.stage.http, how, url, raw, headers | (JSON if raw is not None else {}))


async def game_id(ground: Ground) -> int:
    found = await ground.stage.desk.store.games.find(f"{ground.mine.line.provider_id}/{GAME}")
    assert found is not None
    return found.game_id


def bearer(path: str, *, method: str = "", body: Any = None) -> Ask:
    """My token; my token of the feed, none, and what is no token."""

    async def four(ground: Ground) -> Four:
        named = {"session": ground.mine.session, "player": ground.mine.player}
        filled = path.format(game=await game_id(ground), **named)
        mine = ground.mine.casino.line
        who = compact({"PartnerClientId": mine.client_id, "Secret": mine.secret})
        url = f"{ground.stage.facts.hub_url}/partnersmediator-service/api/v2/auth/token"
        feeds = (await ask(ground.stage.http, "POST", url, who, JSON)).said["Value"]["AccessToken"]
        sent = await launch_body(ground) if method == "POST" else body
        said = [await call(ground, filled, sent, bearer=one, method=method) for one in (feeds, None, "x", "own")]
        return Four(said[3], said[0], said[1], said[2])

    return four


def session_id(method: str) -> Ask:
    async def four(ground: Ground) -> Four:
        names = (ground.mine.session, ground.theirs.session, secrets.token_hex(16), "%00")
        return Four(*[await call(ground, f"sessions/{name}", method=method) for name in names])

    return four


async def shown_game(ground: Ground) -> Four:
    """Games are open to every casino, so that a number is known or not."""
    names = (await game_id(ground), NOBODYS, NOBODYS, "x")
    return Four(*[await call(ground, f"games/{name}") for name in names])


async def launch_body(ground: Ground, **instead: Any) -> dict[str, Any]:
    good = {"playerId": ground.mine.player, "currency": "EUR", "gameId": await game_id(ground)}
    return {**good, **instead}


async def launched_game(ground: Ground) -> Four:
    numbers = (await game_id(ground), NOBODYS, NOBODYS, "1")
    return Four(*[await call(ground, "sessions", await launch_body(ground, gameId=number)) for number in numbers])


def in_launch(name: str, *values: Any) -> Ask:
    """A field that decides nothing about others: with a game that is not there, so that nothing is opened."""

    async def four(ground: Ground) -> Four:
        told = [getattr(ground, value).player if value in ("mine", "theirs") else value for value in values]
        return Four(
            *[await call(ground, "sessions", await launch_body(ground, gameId=NOBODYS, **{name: one})) for one in told]
        )

    return four


async def client_id(ground: Ground) -> Four:
    mine, theirs = ground.mine.casino.line, ground.theirs.casino.line
    numbers = (mine.client_id, theirs.client_id, NOBODYS, str(mine.client_id))
    return Four(
        *[await call(ground, "auth/token", {"clientId": n, "secret": mine.secret}, bearer=None) for n in numbers]
    )


async def entered_casino(ground: Ground) -> Four:
    """A code of mine under another casino's number."""
    mine, theirs = ground.mine.casino.line, ground.theirs.casino.line
    code = (await call(ground, "sessions", await launch_body(ground))).said["launchCode"]

    async def enter(number: object) -> Told:
        return await call(ground, "frame/session", {"clientId": number, "code": code}, bearer=None)

    told = [await enter(number) for number in (theirs.client_id, NOBODYS, str(mine.client_id), mine.client_id)]
    return Four(told[3], told[0], told[1], told[2])


async def entered_game(ground: Ground) -> Four:
    """A code of a game in a page that shows another: it is not used up."""
    code = (await call(ground, "sessions", await launch_body(ground))).said["launchCode"]

    async def enter(number: object) -> Told:
        body = {"clientId": ground.mine.casino.line.client_id, "code": code, "gameId": number}
        return await call(ground, "frame/session", body, bearer=None)

    told = [await enter(number) for number in (NOBODYS, NOBODYS - 1, "1", await game_id(ground))]
    return Four(told[3], told[0], told[1], told[2])


async def entered_tag(ground: Ground) -> Four:
    async def enter(tag: object) -> Told:
        body = {"clientId": ground.mine.casino.line.client_id, "code": "x", "tagId": tag}
        return await call(ground, "frame/session", body, bearer=None)

    return Four(*[await enter(tag) for tag in (1, 2, 3, "4")])


async def guests_game(ground: Ground) -> Four:
    entered = await call(ground, "frame/session", {"clientId": ground.mine.casino.line.client_id}, bearer=None)
    token = entered.said["accessToken"]
    names = (await game_id(ground), NOBODYS, NOBODYS, "x")
    return Four(*[await call(ground, f"frame/games/{name}/launch", {"mode": "demo"}, bearer=token) for name in names])


async def told_demo_game(ground: Ground) -> Four:
    """The balance of a guest's demo game, and with the game of another guest of the same casino."""

    async def guest(casino: int | None) -> tuple[str, str]:
        entered = await call(ground, "frame/session", {"clientId": casino}, bearer=None)
        token = str(entered.said["accessToken"])
        path = f"frame/games/{await game_id(ground)}/launch"
        return token, str((await call(ground, path, {"mode": "demo"}, bearer=token)).said["sessionId"])

    token, mine = await guest(ground.mine.casino.line.client_id)
    _, theirs = await guest(ground.mine.casino.line.client_id)
    names = (mine, theirs, "0" * 32, "n" * 200)
    return Four(*[await call(ground, f"frame/session?sessionId={name}", bearer=token) for name in names])


async def why_game_of(ground: Ground) -> Four:
    names = (await game_id(ground), NOBODYS, NOBODYS, "x")
    return Four(*[await call(ground, f"games/{name}/why") for name in names])


async def why_bet_of(ground: Ground) -> Four:
    return await shown_bet(ground, "/why")


async def shown_bet(ground: Ground, what: str = "") -> Four:
    """A bet of mine, theirs by its BetId, nobody's."""
    line, session = ground.mine.line, ground.mine.session
    bet = f"b-{secrets.token_hex(5)}"
    assert (await line.pay_in(session, bet, "0")).outcome == (200, 1)
    mine = await ground.stage.bet(bet, line.provider_id)
    theirs = await ground.stage.bet(ground.their_bet, ground.theirs.line.provider_id)
    assert mine is not None
    assert theirs is not None
    return Four(*[await call(ground, f"bets/{name}{what}") for name in (mine["bet_id"], theirs["bet_id"], 17, "x")])


async def listed_bet(ground: Ground) -> Four:
    theirs = await ground.stage.bet(ground.their_bet, ground.theirs.line.provider_id)
    assert theirs is not None
    return Four(*[await call(ground, f"payments?betId={name}") for name in (18, theirs["bet_id"], 17, "x")])


async def shown_day(ground: Ground) -> Four:
    """A day is everybody's; what stands under it is one's own."""
    days = ("2026-01-02", "2026-01-01", "2026-01-01", "x")
    return Four(*[await call(ground, f"statements/{day}") for day in days])


def player_id(what: str, method: str, body: Any = None) -> Ask:
    async def four(ground: Ground) -> Four:
        names = (ground.mine.player, ground.theirs.player, f"p-{secrets.token_hex(5)}", "%00")
        return Four(*[await call(ground, f"players/{name}/{what}", body, method=method) for name in names])

    return four


def player_bearer(what: str, method: str, body: Any = None) -> Ask:
    return bearer(f"players/{{player}}/{what}", method=method, body=body)


def of_players() -> dict[Cell, Row]:
    rows: dict[Cell, Row] = {}
    for what, method in (
        ("exclusion", "GET"),
        ("exclusion", "PUT"),
        ("exclusion", "DELETE"),
        ("limits", "GET"),
        ("limits", "PUT"),
    ):
        name = f"casino-api/{'' if method == 'GET' else method.lower() + '/'}players/{{playerId}}/{what}"
        body: Any = {} if method == "PUT" else None
        rows[name, "playerId"] = (player_id(what, method, body), OK, ABSENT, WRONG)
        rows[name, "bearer"] = (player_bearer(what, method, body), OK, STRANGER, STRANGER)
    return rows


def of_the_casino_api() -> dict[Cell, Row]:
    rows: dict[Cell, Row] = {
        ("casino-api/post/auth/token", "clientId"): (client_id, OK, STRANGER, WRONG),
        ("casino-api/games/{gameId}", "gameId"): (shown_game, OK, ABSENT, WRONG),
        ("casino-api/sessions/{sessionId}", "sessionId"): (session_id("GET"), OK, ABSENT, ABSENT),
        ("casino-api/delete/sessions/{sessionId}", "sessionId"): (session_id("DELETE"), OK, ABSENT, ABSENT),
        ("casino-api/post/sessions", "gameId"): (launched_game, MADE, OFF, WRONG),
        ("casino-api/post/sessions", "playerId"): (in_launch("playerId", "mine", "theirs", "nobody", 5), OFF, OFF, WRONG),
        ("casino-api/post/sessions", "tagId"): (in_launch("tagId", 1, 2, 3, "4"), OFF, OFF, WRONG),
        ("casino-api/post/frame/session", "clientId"): (entered_casino, MADE, USED_UP, WRONG),
        ("casino-api/post/frame/session", "gameId"): (entered_game, MADE, USED_UP, WRONG),
        ("casino-api/post/frame/session", "tagId"): (entered_tag, USED_UP, USED_UP, WRONG),
        ("casino-api/frame/session", "sessionId"): (told_demo_game, OK, ABSENT, WRONG),
        ("casino-api/post/frame/games/{gameId}/launch", "gameId"): (guests_game, MADE, OFF, WRONG),
        ("casino-api/post/sessions", "bearer"): (bearer("sessions", method="POST"), MADE, STRANGER, STRANGER),
        ("casino-api/delete/sessions/{sessionId}", "bearer"): (
            bearer("sessions/{session}", method="DELETE"), OK, STRANGER, STRANGER,
        ),
    }  # fmt: skip
    reads = {"games": "games", "games/{gameId}": "games/{game}", "sessions": "sessions"}
    rows |= of_players()
    rows["casino-api/bets/{betId}", "betId"] = (shown_bet, OK, ABSENT, WRONG)
    rows["casino-api/statements/{day}", "day"] = (shown_day, OK, OK, WRONG)
    rows["casino-api/payments", "betId"] = (listed_bet, OK, OK, WRONG)
    reads |= {
        "bets": "bets",
        "bets/{betId}": "bets/17",
        "payments": "payments",
        "statements/{day}": "statements/2026-01-01",
    }
    reads |= {"games/{gameId}/why": "games/{game}/why", "bets/{betId}/why": "bets/17/why"}
    rows["casino-api/games/{gameId}/why", "gameId"] = (why_game_of, OK, ABSENT, WRONG)
    rows["casino-api/bets/{betId}/why", "betId"] = (why_bet_of, OK, ABSENT, WRONG)
    reads |= {"sessions/{sessionId}": "sessions/{session}"}
    return rows | {
        (f"casino-api/{name}", "bearer"): (bearer(path), ABSENT if "{betId}" in name else OK, STRANGER, STRANGER)
        for name, path in reads.items()
    }
