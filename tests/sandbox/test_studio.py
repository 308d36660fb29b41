"""The sandbox studio: what the hub may ask of it, what it asks of the hub, and how it plays."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from croupier.kit.chance import SeededChance
from croupier.kit.clock import SystemClock
from croupier.kit.wire import PeerError, WireRequest
from croupier.sandbox.studio import SandboxStudio
from croupier.sandbox.studio_rounds import End
from croupier.sandbox.studio_signing import RequestVerifier, compact, signed_headers
from croupier.simulator.in_process_http import InProcessWire
from tests.sandbox.conftest import QuickClock

WHO, SECRET = "3f0c8d52-6f0e-4a53-9b1c-0f6f3a2f7c11", "demo-provider-secret"
HUB, STUDIO = "http://hub.test", "http://studio.test/rgs"
LAUNCH: dict[str, object] = {
    "userId": "u-1",
    "sessionId": "s-1",
    "currency": "EUR",
    "language": "en",
    "minBet": 0.01,
    "maxBet": 10000,
    "gameMode": "real",
    "viewType": "desktop",
    "buttonAmounts": [1, 5, 10],
}
Told = tuple[int, dict[str, object]]
GOOD: Told = (200, {"_responseCode": 1, "currency": "EUR"})
BALANCE: Told = (200, {"_responseCode": 1, "balance": "990.00", "currency": "EUR"})
UNKNOWN: Told = (504, {"_responseCode": 99})
NO_FUNDS: Told = (402, {"_responseCode": 3})


@dataclass
class Scene:
    """A studio and a hub that answers from a script, the last answer for ever; None is silence."""

    studio: SandboxStudio
    wire: InProcessWire
    clock: QuickClock
    script: list[Told | None]
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        gate = RequestVerifier().problem(
            request.headers, body, counterparty=WHO, secret=SECRET, now_ms=self.clock.now_ms()
        )
        assert gate is None, gate
        self.heard.append((request.url.path, json.loads(body or b"{}")))
        self.headers.append(dict(request.headers))
        told = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if told is None:
            await self.clock.sleep(500)
            return Response()
        raw = json.dumps(told[1]).replace('"990.00"', "990.00")
        return Response(raw, told[0], media_type="application/json")

    async def ask(
        self, method: str, path: str, document: dict[str, Any] | None = None, *, bent: dict[str, str] | None = None
    ) -> Any:
        body = b"" if document is None else compact(document)
        made = signed_headers(
            SECRET, counterparty=WHO, now_ms=self.clock.now_ms(), request_id=SeededChance(path).hex(16), body=body
        )
        answer = await self.wire.send(WireRequest(method, f"{STUDIO}{path}", {**made, **(bent or {})}, body))
        return answer.status, json.loads(answer.body)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    clock, wire = QuickClock(), InProcessWire(SystemClock())
    studio = SandboxStudio(
        wire=wire, clock=clock, chance=SeededChance(3), hub_url=HUB, counterparty_id=WHO, secret=SECRET
    )
    studio.calls.patience_s = 0.2
    made = Scene(studio, wire, clock, [GOOD])
    wire.mount(HUB, Starlette(routes=[Route("/{path:path}", made.answer, methods=["GET", "POST"])]))
    wire.mount("http://studio.test", studio.app)
    yield made
    await wire.close()


# --- what the hub asks ------------------------------------------------------------------------------------------


async def test_the_catalogue_is_a_bare_array_over_several_categories(scene: Scene) -> None:
    status, games = await scene.ask("GET", "/v1/games")
    assert status == 200
    assert {"slots", "crash", "live", "table", "lottery"} < {game["gameCategory"] for game in games}
    assert {type(game["gameId"]) for game in games} == {str, int}


@pytest.mark.parametrize("game", ["harbour-wheel", "7007"])
async def test_a_launch_answers_the_frame_of_a_page_marked_as_demo_money(scene: Scene, game: str) -> None:
    scene.script = [BALANCE]
    status, told = await scene.ask("POST", f"/v1/games/{game}/launch", LAUNCH)
    assert (status, list(told)) == (200, ["frameUri"])
    page = await scene.wire.send(WireRequest("GET", told["frameUri"]))
    assert b"DEMO MONEY" in page.body
    assert b"990.00 EUR" in page.body
    assert scene.studio.sessions["s-1"].demo is False
    assert list(scene.studio.journal.complaints) == []


async def test_a_bet_on_the_page_plays_a_round(scene: Scene) -> None:
    _, told = await scene.ask("POST", "/v1/games/kite-crash/launch", LAUNCH)
    page = await scene.wire.send(WireRequest("POST", f"{told['frameUri']}/bet?stake=5"))
    (bet,) = {body["betId"] for path, body in scene.heard if path.endswith("pay-in")}
    for said in (bet, "settled", f"croupier trace {scene.studio.calls.counterparty_id}:{bet}"):
        assert said.encode() in page.body
    assert [path.rpartition("/")[2] for path, _ in scene.heard] == ["pay-in", "pay-out", "balance"]
    assert (await scene.wire.send(WireRequest("POST", f"{told['frameUri']}/bet?stake=5000"))).status == 404


async def test_the_page_tells_of_no_win_where_no_stake_was_taken(scene: Scene) -> None:
    _, told = await scene.ask("POST", "/v1/games/kite-crash/launch", LAUNCH)
    scene.script = [NO_FUNDS]
    page = (await scene.wire.send(WireRequest("POST", f"{told['frameUri']}/bet?stake=5"))).body
    assert b"<td>refused<td>the stake was not taken (code 3, HTTP 402)" in page
    assert b"won" not in page


@pytest.mark.parametrize(
    ("bent", "status", "code"),
    [
        ({"X-Sign": "0" * 64}, 401, 8),
        ({"X-Timestamp": "1"}, 401, 8),
        ({"X-Counterparty-Id": "x"}, 401, 8),
    ],
)
async def test_an_unsigned_call_is_not_let_in(scene: Scene, bent: dict[str, str], status: int, code: int) -> None:
    assert await scene.ask("GET", "/v1/games", bent=bent) == (status, {"_responseCode": code})
    assert len(scene.studio.journal.complaints) == 1


@pytest.mark.parametrize("missing", ["userId", "sessionId", "currency", "language", "minBet", "maxBet"])
async def test_a_launch_without_a_required_field_is_refused(scene: Scene, missing: str) -> None:
    body = {name: value for name, value in LAUNCH.items() if name != missing}
    assert await scene.ask("POST", "/v1/games/kite-crash/launch", body) == (400, {"_responseCode": 6})


async def test_an_unknown_game_or_mode_is_refused(scene: Scene) -> None:
    assert (await scene.ask("POST", "/v1/games/none/launch", LAUNCH))[0] == 404
    assert (await scene.ask("POST", "/v1/games/kite-crash/launch", {**LAUNCH, "gameMode": "fun"}))[0] == 400


# --- what it asks of the hub ------------------------------------------------------------------------------------


async def test_the_five_calls_go_to_their_paths_signed_and_complete(scene: Scene) -> None:
    studio = scene.studio
    scene.script = [BALANCE]
    told = await studio.balance("s-1")
    assert (told.status, told.code, told.balance) == (200, 1, "990.00")
    await studio.pay_in("s-1", "b", "r", amount="1.50")
    await studio.pay_out("s-1", "b", "r", win="0")
    await studio.pay_in_out("s-1", "c", "r", amount="1", win="2")
    await studio.refund("s-1", "b")
    ids = {"gameRoundId": "r", "sessionId": "s-1"}
    assert scene.heard == [
        ("/v1/sessions/s-1/balance", {}),
        ("/v1/sessions/s-1/bets/pay-in", {"betId": "b", "betAmount": "1.50", **ids}),
        ("/v1/sessions/s-1/bets/pay-out", {"betId": "b", "winAmount": "0", **ids}),
        ("/v1/sessions/s-1/bets/pay-in-out", {"betId": "c", "betAmount": "1", "winAmount": "2", **ids}),
        ("/v1/sessions/s-1/bets/refund", {"betId": "b"}),
    ]
    assert len({headers["x-request-id"] for headers in scene.headers}) == 5
    assert list(studio.journal.complaints) == []


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"_responseCode": 3}),
        (402, {"_responseCode": 1}),
        (503, {"_responseCode": 99}),
        (200, {}),
        (200, {"_responseCode": 1, "balance": "990.0", "currency": "EUR"}),
    ],
)
async def test_an_answer_that_breaks_the_contract_is_complained_about(scene: Scene, answer: Told) -> None:
    scene.script = [answer]
    await scene.studio.pay_in("s-1", "b", "r", amount="1")
    assert len(scene.studio.journal.complaints) == 1


async def test_silence_is_a_peer_error(scene: Scene) -> None:
    scene.script = [None]
    with pytest.raises(PeerError):
        await scene.studio.refund("s-1", "b")


# --- rounds -----------------------------------------------------------------------------------------------------


def _verbs(scene: Scene) -> list[str]:
    return [path.rpartition("/")[2] for path, _ in scene.heard]


async def test_a_round_is_a_stake_and_a_win(scene: Scene) -> None:
    played = await scene.studio.rounds.play("s-1", "1", "2")
    assert (played.end, _verbs(scene)) == (End.SETTLED, ["pay-in", "pay-out"])
    assert {body["betId"] for _, body in scene.heard} == {played.bet}


async def test_a_refused_stake_is_given_up_for_good(scene: Scene) -> None:
    scene.script = [NO_FUNDS]
    played = await scene.studio.rounds.play("s-1", "1", "2")
    assert (played.end, _verbs(scene)) == (End.REFUSED, ["pay-in"])


@pytest.mark.parametrize("first", [UNKNOWN, None])
async def test_a_stake_nobody_knows_of_is_repeated_once_with_the_same_ids(scene: Scene, first: Told | None) -> None:
    scene.script = [first, GOOD]
    played = await scene.studio.rounds.play_at_once("s-1", "1", "2")
    assert (played.end, _verbs(scene)) == (End.SETTLED, ["pay-in-out"] * 2)
    assert scene.heard[0] == scene.heard[1]


async def test_and_then_refunded_until_the_refund_is_taken(scene: Scene) -> None:
    scene.script = [UNKNOWN, UNKNOWN, UNKNOWN, None, GOOD]
    played = await scene.studio.rounds.play("s-1", "1", "2")
    assert (played.end, _verbs(scene)) == (End.REFUNDED, ["pay-in", "pay-in", "refund", "refund", "refund"])


async def test_a_win_is_repeated_until_it_is_taken(scene: Scene) -> None:
    scene.script = [GOOD, UNKNOWN, NO_FUNDS, GOOD]
    played = await scene.studio.rounds.play("s-1", "1", "2")
    assert (played.end, _verbs(scene)) == (End.SETTLED, ["pay-in", "pay-out", "pay-out", "pay-out"])


async def test_what_is_never_taken_is_said_to_be_stuck(scene: Scene) -> None:
    scene.script = [GOOD, UNKNOWN]
    scene.studio.rounds.repeats_s = (0.1, 0.1)
    played = await scene.studio.rounds.play("s-1", "1", "2")
    assert (played.end, len(scene.heard)) == (End.STUCK, 4)


async def test_a_round_called_off_is_refunded(scene: Scene) -> None:
    played = await scene.studio.rounds.play_and_undo("s-1", "1")
    assert (played.end, _verbs(scene)) == (End.REFUNDED, ["pay-in", "refund"])


# --- the controls over HTTP -------------------------------------------------------------------------------------


async def _control(scene: Scene, path: str, document: dict[str, Any]) -> tuple[int, Any]:
    url = f"http://studio.test/_sandbox/{path}"
    answer = await scene.wire.send(WireRequest("POST", url, {}, json.dumps(document).encode()))
    return answer.status, json.loads(answer.body)


async def test_another_process_can_drive_it(scene: Scene) -> None:
    call = {"verb": "pay-in", "session": "s-1", "bet": "b", "round": "r", "amount": "1.50"}
    assert await _control(scene, "call", call) == (
        200,
        {"status": 200, "told": {"_responseCode": 1, "currency": "EUR"}},
    )
    for how, end in [("rounds", "settled"), ("at-once", "settled"), ("undo", "refunded")]:
        _, told = await _control(scene, "play", {"session": "s-1", "stake": "1", "win": "2", "how": how})
        assert told["end"] == end
    scene.script = [None]
    assert (await _control(scene, "call", {**call, "verb": "balance"}))[1]["status"] is None
    assert (await _control(scene, "call", {**call, "verb": "bet"}))[0] == 400


async def test_games_come_and_go_and_credentials_come_late(scene: Scene) -> None:
    new = {"gameId": "new", "name": "New", "gameCategory": "slots"}
    _, told = await _control(scene, "games", {"remove": "7007", "add": new})
    assert {"new", "7007"} & {str(game["gameId"]) for game in told["games"]} == {"new"}
    await _control(scene, "credentials", {"CounterpartyId": "other", "Secret": "s"})
    assert (await scene.ask("GET", "/v1/games"))[0] == 401
