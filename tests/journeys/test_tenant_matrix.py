"""The tenant matrix: every id of every operation, one's own, another tenant's, nobody's and malformed.

Another tenant's and nobody's are answered with the same bytes, nothing of theirs is told or changed. The cells are taken from
the route table: a new route or id without a row here fails by itself. tests/apps/test_tenant_work.py holds that both
cost the same questions to the database.
"""

from __future__ import annotations

import asyncio
import copy
import json
import secrets
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
import pytest_asyncio

from croupier.apps.operations import openapi
from tests.journeys.by_hand import Told, ask, compact, outcome_of
from tests.journeys.casino_api_matrix import of_the_casino_api
from tests.journeys.matrix import TOKEN, Ask, Cell, Four, Ground, ids_of_the_hub
from tests.journeys.peers import acknowledge
from tests.journeys.stage import Stage, fresh
from tests.journeys.test_cashback_make import cashback, heard

Outcome = tuple[int, int]
VERBS = {
    "pay-in": ("betId", "gameRoundId", "betAmount"),
    "pay-out": ("betId", "gameRoundId", "winAmount"),
    "pay-in-out": ("betId", "gameRoundId", "betAmount", "winAmount"),
    "refund": ("betId",),
}
YES: Outcome = (200, 1)
NOWHERE: Outcome = (404, 2)
NO_BET: Outcome = (404, 5)
WRONG: Outcome = (400, 6)
OTHERWISE: Outcome = (409, 7)
NOT_BELIEVED: Outcome = (401, 8)
TAKEN: Outcome = (200, 200)
NOT_TAKEN: Outcome = (200, 102823)
NOT_OURS: Outcome = (200, 103753)
UNREADABLE: Outcome = (400, 103752)
UNKNOWN_CASINO: Outcome = (401, 103752)
NO_DRAW: Outcome = (404, 404)


@pytest_asyncio.fixture(loop_scope="session")
async def ground(stage: Stage) -> Ground:
    # A long hold: a hundred cells follow one after the other, and how fast is not the question here.
    mine, theirs = [await stage.table(studio=await stage.new_studio(hold_s=20.0)) for _ in range(2)]
    their_bet = fresh("their-bet")
    assert (await theirs.line.pay_in(theirs.session, their_bet, "0")).outcome == YES
    return Ground(
        stage, mine, theirs, their_bet, {theirs.session, theirs.player, theirs.casino.name, theirs.line.secret}
    )


# --- providers ------------------------------------------------------------------------------------------------------


async def known_bet(ground: Ground, verb: str) -> str:
    """A bet of mine that a call of this verb finds as its own; with a stake of 0, so that no balance moves."""
    bet = fresh("b")
    body = {"betId": bet, "gameRoundId": "r-1", "betAmount": "0"}
    if verb == "pay-in-out":
        told = await ground.mine.line.bet(verb, ground.mine.session, **body, winAmount="0")
    else:
        told = await ground.mine.line.bet("pay-in", ground.mine.session, **body)
    assert told.outcome == YES
    return bet


async def call(
    ground: Ground, verb: str, *, session: str = "", headers: Mapping[str, str] | None = None, **fields: Any
) -> Told:
    """One call of mine; what is not given is good."""
    line = ground.mine.line
    path = f"/v1/sessions/{session or ground.mine.session}"
    if verb == "balance":
        return await line.send("GET", f"{path}/balance", headers=headers)
    if "betId" not in fields:
        fields["betId"] = await known_bet(ground, verb)
    good = {"gameRoundId": "r-1", "betAmount": "0", "winAmount": "0"}
    body = {**{name: good[name] for name in VERBS[verb] if name in good}, **fields}
    return await line.send(
        "POST", f"{path}/bets/{verb}", compact(body), headers=headers and signed_anew(ground, headers, body)
    )


def signed_anew(ground: Ground, headers: Mapping[str, str], body: object) -> dict[str, str]:
    """My signature over this body, under what the headers say of me."""
    said = {"counterparty": headers["X-Counterparty-Id"], "request_id": headers["X-Request-Id"]}
    return ground.mine.line.signed(compact(body), **said)


def session_in_path(verb: str) -> Ask:
    async def four(ground: Ground) -> Four:
        return Four(
            await call(ground, verb),
            await call(ground, verb, session=ground.theirs.session),
            await call(ground, verb, session=secrets.token_hex(16)),
            await call(ground, verb, session="%0a"),
        )

    return four


def session_in_body(verb: str) -> Ask:
    async def four(ground: Ground) -> Four:
        return Four(
            await call(ground, verb, sessionId=ground.mine.session),
            await call(ground, verb, sessionId=ground.theirs.session),
            await call(ground, verb, sessionId=secrets.token_hex(16)),
            await call(ground, verb, sessionId=5),
        )

    return four


def bet_id(verb: str) -> Ask:
    async def four(ground: Ground) -> Four:
        return Four(
            await call(ground, verb),
            await call(ground, verb, betId=ground.their_bet),
            await call(ground, verb, betId=fresh("nobody")),
            await call(ground, verb, betId=""),
        )

    return four


def round_id(verb: str) -> Ask:
    """A round is a word of the provider's: another tenant's is any other word. A pay-out must name its bet's."""

    async def four(ground: Ground) -> Four:
        def bet() -> dict[str, str]:
            return {} if verb == "pay-out" else {"betId": fresh("b")}

        return Four(
            await call(ground, verb, **bet()),
            await call(ground, verb, gameRoundId=ground.their_bet, **bet()),
            await call(ground, verb, gameRoundId=fresh("r"), **bet()),
            await call(ground, verb, gameRoundId=[], **bet()),
        )

    return four


def counterparty(verb: str) -> Ask:
    """Another's name under my secret, and nobody's."""

    async def four(ground: Ground) -> Four:
        def named(name: str) -> dict[str, str]:
            return ground.mine.line.signed(b"", counterparty=name)

        return Four(
            await call(ground, verb, headers=named(ground.mine.line.counterparty_id)),
            await call(ground, verb, headers=named(ground.theirs.line.counterparty_id)),
            await call(ground, verb, headers=named(str(uuid.uuid4()))),
            await call(ground, verb, headers=named("a.b")),
        )

    return four


def request_id(verb: str) -> Ask:
    """What another provider has used is new for me."""

    async def four(ground: Ground) -> Four:
        used = secrets.token_hex(16)
        line = ground.theirs.line
        told = await line.send(
            "GET", f"/v1/sessions/{ground.theirs.session}/balance", headers=line.signed(b"", request_id=used)
        )
        assert told.outcome == YES

        def with_id(request: str) -> dict[str, str]:
            return ground.mine.line.signed(b"", request_id=request)

        return Four(
            await call(ground, verb, headers=with_id(secrets.token_hex(16))),
            await call(ground, verb, headers=with_id(used)),
            await call(ground, verb, headers=with_id(secrets.token_hex(16))),
            await call(ground, verb, headers=with_id("g" * 32)),
        )

    return four


# --- the feed -------------------------------------------------------------------------------------------------------

FEED = "/partnersmediator-service/api/v2"
UNKNOWN_NUMBER = 2**31 - 1
PUBLICATION = compact(
    {
        "draws": [
            {
                "gameType": 23, "gameEdition": 1, "version": 1, "state": 1, "playState": 1, "round": 1,
                "startsAt": 1_790_000_000_000, "bettingEndsAt": 1_790_000_010_000,
            }
        ]
    }
)  # fmt: skip
"""A draw of a game type that is nobody's here."""


async def publish(ground: Ground, *, counterparty: str | None = None, request: str | None = None) -> Told:
    """One publication of mine; what is not given is good."""
    line = ground.mine.line
    headers = line.signed(
        PUBLICATION, counterparty=counterparty or line.counterparty_id, request_id=request or secrets.token_hex(16)
    )
    return await line.send("POST", "/v1/feed/draws", PUBLICATION, headers=headers)


async def publisher(ground: Ground) -> Four:
    """Another's name under my secret, and nobody's."""
    return Four(
        await publish(ground),
        await publish(ground, counterparty=ground.theirs.line.counterparty_id),
        await publish(ground, counterparty=str(uuid.uuid4())),
        await publish(ground, counterparty="a.b"),
    )


async def publication_id(ground: Ground) -> Four:
    """What another provider has used is new for me."""
    used, line = secrets.token_hex(16), ground.theirs.line
    headers = line.signed(b"", request_id=used)
    assert (await line.send("GET", f"/v1/sessions/{ground.theirs.session}/balance", headers=headers)).outcome == YES
    return Four(
        await publish(ground),
        await publish(ground, request=used),
        await publish(ground),
        await publish(ground, request="g" * 32),
    )


async def feed_token(ground: Ground, number: object) -> Told:
    body = compact({"PartnerClientId": number, "Secret": ground.mine.casino.line.secret})
    url = f"{ground.stage.facts.hub_url}{FEED}/auth/token"
    return await ask(ground.stage.http, "POST", url, body, {"Content-Type": "application/json"})


async def feed_client_id(ground: Ground) -> Four:
    """Another casino's number with my secret, and nobody's."""
    mine, theirs = ground.mine.casino.line, ground.theirs.casino.line
    numbers = (mine.client_id, theirs.client_id, UNKNOWN_NUMBER, str(mine.client_id))
    return Four(*[await feed_token(ground, number) for number in numbers])


async def feed_call(ground: Ground, path: str, bearer: str | None) -> Told:
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return await ask(ground.stage.http, "GET", f"{ground.stage.facts.hub_url}{FEED}/{path}", None, headers)


async def feed_bearer_of_mine(ground: Ground) -> str:
    return str((await feed_token(ground, ground.mine.casino.line.client_id)).said["Value"]["AccessToken"])


def feed_bearer(path: str) -> Ask:
    """A good token of the casino half, none, and what is no token."""

    async def four(ground: Ground) -> Four:
        bearers = [await feed_bearer_of_mine(ground), await ground.theirs.casino.line.bearer(), None, "x"]
        return Four(*[await feed_call(ground, path, bearer) for bearer in bearers])

    return four


async def draw_number(ground: Ground) -> Four:
    """Draws are open to every casino, so that a number is known or not; here none is."""
    bearer = await feed_bearer_of_mine(ground)
    return Four(*[await feed_call(ground, f"games/info?GameId={n}", bearer) for n in (*[UNKNOWN_NUMBER] * 3, "x")])


# --- casinos --------------------------------------------------------------------------------------------------------


async def client_id(ground: Ground) -> Four:
    """Another casino's number with my secret, and nobody's."""
    mine, theirs = ground.mine.casino.line, ground.theirs.casino.line

    async def token(number: object) -> Told:
        return await mine.call("auth/token", {"PartnerClientId": number, "Secret": mine.secret}, bearer=None)

    return Four(
        await token(mine.client_id),
        await token(theirs.client_id),
        await token(2**31 - 1),
        await token(str(mine.client_id)),
    )


async def sent_token(ground: Ground) -> Four:
    """A JWT sent to another casino, and one that nobody sent."""
    sent = []
    for table in (ground.mine, ground.theirs):
        await table.line.balance(table.session)
        sent.append(str(json.loads(table.casino.heard[-1].raw)))
    head, claims, signature = sent[0].split(".")
    forged = f"{head}.{claims}.{signature[:20]}{'A' if signature[20] != 'A' else 'B'}{signature[21:]}"
    line = ground.mine.casino.line
    return Four(*[await line.call("auth/verify", body) for body in (*sent, forged, 5)])


def bearer(path: str) -> Ask:
    """Another casino's token is good, and sees what nobody's payment would show it."""

    async def four(ground: Ground) -> Four:
        mine, theirs = ground.mine.casino.line, ground.theirs.casino.line
        if path == "auth/jwks":
            url = f"{ground.stage.facts.hub_url}/mis-api/api/v2/auth/jwks"
            bearers = [await mine.bearer(), await theirs.bearer(), None, "x"]
            headers = [{"Authorization": f"Bearer {told}"} if told else {} for told in bearers]
            return Four(*[await ask(ground.stage.http, "GET", url, None, said) for said in headers])
        if path == "auth/verify":
            await ground.mine.line.balance(ground.mine.session)
            body: Any = str(json.loads(ground.mine.casino.heard[-1].raw))
            nobodys: Any = body[:-20] + "A" * 20
        else:
            made = await under_way(ground, path)
            body = outcome_of(made)
            nobodys = copy.deepcopy(body)
            nobodys["Value"]["BetId" if path.startswith("payments") else "CashbackId"] = 17
        return Four(
            foreign=await theirs.call(path, body),
            missing=await theirs.call(path, nobodys),
            malformed=await mine.call(path, body, bearer="x"),
            own=await mine.call(path, body),
        )

    return four


async def under_way(ground: Ground, path: str, *, theirs: bool = False) -> Any:
    """A payment that the casino has acknowledged and not decided, as it was asked for."""
    table = ground.theirs if theirs else ground.mine
    if path.startswith("cashback"):
        table.casino.says["cashback-payments/make"] = acknowledge
        before = len(table.casino.calls("cashback-payments/make"))
        await cashback(ground.stage, table.casino.line.client_id, table.player)
        return (await heard(ground.stage, table.casino, before + 1))[-1]
    table.casino.says["payments/make"] = acknowledge
    before = len(table.casino.made(-1))
    _ASKED.add(asyncio.create_task(table.line.pay_in(table.session, fresh("b"), "1.00")))
    return await table.make(-1, count=before + 1)


_ASKED: set[asyncio.Task[Told]] = set()


def stated(
    path: str,
    name: str,
    malformed: object,
    foreign: Callable[[Ground], Awaitable[object]],
    missing: Callable[[], object],
) -> Ask:
    """One field of an accept, on a payment of its own each time it may be taken."""

    async def four(ground: Ground) -> Four:
        line = ground.mine.casino.line
        told: dict[str, Told] = {}
        for which, value in (("foreign", await foreign(ground)), ("missing", missing()), ("malformed", malformed)):
            made = await under_way(ground, path)
            told[which] = await line.call(path, outcome_of(made, **{name: value}))
        told["own"] = await line.call(path, outcome_of(await under_way(ground, path)))
        return Four(**told)

    return four


async def their_player(ground: Ground) -> object:
    return ground.theirs.player


def their_payment(path: str, name: str) -> Callable[[Ground], Awaitable[object]]:
    async def named(ground: Ground) -> object:
        return (await under_way(ground, path, theirs=True))[name]

    return named


def their_transaction(path: str) -> Callable[[Ground], Awaitable[object]]:
    """The casino's own id of a payment, as another casino has used it."""

    async def named(ground: Ground) -> object:
        made = await under_way(ground, path, theirs=True)
        used = fresh("tx")
        told = await ground.theirs.casino.line.call(path, outcome_of(made, PartnerTransactionId=used))
        assert told.outcome == TAKEN
        return used

    return named


# --- the matrix -----------------------------------------------------------------------------------------------------

Row = tuple[Ask, Outcome, Outcome, Outcome]
"""How to ask; the answer to one's own, to another's and nobody's, to what is no id."""


def of_providers() -> dict[Cell, Row]:
    rows: dict[Cell, Row] = {
        ("balance", "session_id"): (session_in_path("balance"), YES, NOWHERE, WRONG),
        ("balance", "X-Counterparty-Id"): (counterparty("balance"), YES, NOT_BELIEVED, NOT_BELIEVED),
        ("balance", "X-Request-Id"): (request_id("balance"), YES, YES, NOT_BELIEVED),
    }
    for verb, names in VERBS.items():
        rows |= {
            (verb, "session_id"): (session_in_path(verb), YES, NOWHERE, WRONG),
            (verb, "sessionId"): (session_in_body(verb), YES, WRONG, WRONG),
            (verb, "X-Counterparty-Id"): (counterparty(verb), YES, NOT_BELIEVED, NOT_BELIEVED),
            (verb, "X-Request-Id"): (request_id(verb), YES, YES, NOT_BELIEVED),
            # Another provider's betId is a new one here: bets of two providers never meet.
            (verb, "betId"): (bet_id(verb), YES, NO_BET if verb == "pay-out" else YES, WRONG),
        }
        if "gameRoundId" in names:
            rows[verb, "gameRoundId"] = (round_id(verb), YES, OTHERWISE if verb == "pay-out" else YES, WRONG)
    return rows


def of_casinos() -> dict[Cell, Row]:
    rows: dict[Cell, Row] = {
        ("auth/token", "PartnerClientId"): (client_id, TAKEN, UNKNOWN_CASINO, UNREADABLE),
        ("auth/jwks", "bearer"): (bearer("auth/jwks"), (200, 0), (200, 0), UNKNOWN_CASINO),
        ("auth/verify", "bearer"): (bearer("auth/verify"), TAKEN, NOT_OURS, UNKNOWN_CASINO),
        ("auth/verify", TOKEN): (sent_token, TAKEN, NOT_OURS, UNREADABLE),
    }
    for path, name in (("payments/accept", "BetId"), ("cashback-payments/accept", "CashbackId")):
        rows |= {
            (path, "bearer"): (bearer(path), TAKEN, NOT_TAKEN, UNKNOWN_CASINO),
            (path, name): (stated(path, name, "5", their_payment(path, name), lambda: 17), TAKEN, NOT_TAKEN, UNREADABLE),
            (path, "PartnerUserId"): (stated(path, "PartnerUserId", 5.5, their_player, lambda: fresh("p")), TAKEN, NOT_TAKEN, UNREADABLE),
            (path, "PartnerTransactionId"): (
                stated(path, "PartnerTransactionId", [], their_transaction(path), lambda: fresh("tx")), TAKEN, TAKEN, UNREADABLE,
            ),
        }  # fmt: skip
    return rows


def of_the_feed() -> dict[Cell, Row]:
    rows: dict[Cell, Row] = {
        ("feed/draws", "X-Counterparty-Id"): (publisher, OTHERWISE, NOT_BELIEVED, NOT_BELIEVED),
        ("feed/draws", "X-Request-Id"): (publication_id, OTHERWISE, OTHERWISE, NOT_BELIEVED),
        ("feed/auth/token", "PartnerClientId"): (feed_client_id, TAKEN, UNKNOWN_CASINO, UNREADABLE),
        ("games/info", "GameId"): (draw_number, NO_DRAW, NO_DRAW, UNREADABLE),
        ("games/info", "bearer"): (feed_bearer(f"games/info?GameId={UNKNOWN_NUMBER}"), NO_DRAW, UNKNOWN_CASINO, UNKNOWN_CASINO),
    }  # fmt: skip
    for path in ("games/list", "games/types/translations", "jackpots/accumulated"):
        rows[path, "bearer"] = (
            feed_bearer(f"{path}?lng=en" if "types" in path else path),
            TAKEN,
            UNKNOWN_CASINO,
            UNKNOWN_CASINO,
        )
    return rows


MATRIX = {**of_providers(), **of_casinos(), **of_the_feed(), **of_the_casino_api()}


def test_the_matrix_has_every_id_of_every_operation_and_no_other() -> None:
    assert ids_of_the_hub() == set(MATRIX)


def test_a_new_route_or_id_is_missed() -> None:
    document = copy.deepcopy(openapi())
    paths: Any = document["paths"]
    paths["/v1/new/{game_id}"] = {"get": {"operationId": "new", "security": [], "parameters": [{"name": "game_id"}]}}
    schemas: Any = document["components"]
    schemas["schemas"]["RefundBody"]["properties"]["walletId"] = {"type": "string"}
    assert ids_of_the_hub(document) - set(MATRIX) == {("new", "game_id"), ("refund", "walletId")}


def outcome(told: Told) -> Outcome:
    """Status and code; a key set has no code, and a problem's is a word."""
    coded = {"_responseCode", "ErrorCode"} & set(told.said)
    return told.outcome if coded else (told.status, 0)


async def theirs_as_stored(ground: Ground) -> set[Any]:
    """Every bet and payment of the other tenant."""
    rows = await ground.stage.desk.store.db.fetch(
        "select b.bet_id, b.version, b.state, p.kind, p.state as paid from bets b join payments p on p.subject_id = b.bet_id"
        " where b.provider_id = $1",
        ground.theirs.line.provider_id,
    )
    return {tuple(row.values()) for row in rows}


@pytest.mark.one_in(16)
@pytest.mark.parametrize("cell", sorted(MATRIX), ids=lambda cell: f"{cell[0]}-{cell[1]}")
async def test_anothers_is_answered_as_nobodys_and_nothing_of_theirs_is_told_or_moved(
    ground: Ground, cell: Cell
) -> None:
    ask_four, own, other, malformed = MATRIX[cell]
    before = await theirs_as_stored(ground)
    four = await ask_four(ground)
    assert [outcome(told) for told in (four.own, four.foreign, four.missing, four.malformed)] == [
        own,
        other,
        other,
        malformed,
    ]
    assert (four.foreign.status, four.foreign.raw) == (four.missing.status, four.missing.raw)
    assert _comparable(four.foreign) == _comparable(four.missing)
    for told in (four.foreign, four.missing, four.malformed):
        assert not [word for word in ground.words if word.encode() in told.raw or word in str(told.headers)]
    assert before <= await theirs_as_stored(ground)
    await asyncio.gather(*_ASKED)
    _ASKED.clear()


def _comparable(told: Told) -> dict[str, str]:
    """The headers without the hour, and without whether a bearer came along, which its sender knows."""
    headers = {name: value for name, value in told.headers.items() if name != "date"}
    kept = headers.get("cache-control", "").removeprefix("private, ").removeprefix("public, ")
    return headers | ({"cache-control": kept} if "cache-control" in headers else {})
