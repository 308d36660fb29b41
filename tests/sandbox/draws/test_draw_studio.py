"""The studio runs draws by schedule over the public provider API: what is published when, and what becomes of every bet."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import pytest

from croupier.kit.strictjson import loads
from croupier.kit.wire import WireRequest
from croupier.sandbox.draws.crash import Crash
from croupier.sandbox.draws.records import DrawBetState
from croupier.sandbox.draws.schedule import SCHEDULES, Schedule
from croupier.sandbox.draws.table import BetRejected
from croupier.sandbox.draws.verify import problems, read_proof
from tests.sandbox.draws.hub_of_draws import CONFLICT, MINOR, NO_FUNDS, QUICK, UNKNOWN, Fault, Scene, Told, virtual

WHEEL, KENO, POKER, CRASH = 24, 23, 3, 25
BETS = {WHEEL: "grey", KENO: "1,2,3", POKER: "red", CRASH: "1.50"}


def holds(draw: dict[str, Any]) -> bool:
    return problems(read_proof(loads(json.dumps(draw).encode()))) == []


@pytest.mark.parametrize("game_type", BETS)
@virtual
async def test_a_draw_takes_a_bet_plays_tells_and_settles_it(scene: Scene, game_type: int) -> None:
    scene.start(game_type)
    edition = await scene.phase(game_type, "betting")
    bet = await scene.bet(game_type, BETS[game_type])
    assert bet.state is DrawBetState.TAKEN
    (last,) = await scene.until(lambda: scene.hub.of(game_type, 3))
    assert (last["gameEdition"], holds(last)) == (edition, True)
    await scene.until(lambda: scene.hub.bets[bet.bet]["end"])
    game = scene.studio.draws.tables[game_type].game
    assert scene.hub.bets[bet.bet]["win"] == MINOR * game.multiplier(bet.choice, tuple(last["results"])) // 100
    told = [d for d in scene.hub.of(game_type) if d["gameEdition"] == edition]
    assert [(d["version"], d["state"], d["playState"]) for d in told] == [
        (1, 1, 1),
        (2, 2, 1),
        (3, 2, 2),
        (4, 2, 2),
        (5, 3, 2),
    ]
    assert ["seed" in d["proof"] for d in told] == [False] * 3 + [True] * 2
    assert ["results" in d for d in told] == [False] * 3 + [True] * 2
    assert list(scene.studio.journal.complaints) == []


@virtual
async def test_wins_and_losses_are_both_paid_out(scene: Scene) -> None:
    scene.start(WHEEL)
    await scene.phase(WHEEL, "betting")
    bets = [await scene.bet(WHEEL, colour) for colour in ("grey", "blue", "green", "gold", "violet")]
    await scene.until(lambda: all(scene.hub.bets[bet.bet]["end"] for bet in bets))
    wins = sorted(scene.hub.bets[bet.bet]["win"] for bet in bets)
    assert wins[:4] == [0] * 4
    assert wins[4] > 0
    assert scene.hub.heard["pay-out"] == 5


@virtual
async def test_betting_opens_only_after_the_hub_took_the_commitment(scene: Scene) -> None:
    for refusal in (CONFLICT, UNKNOWN):
        scene.hub.fault = lambda verb, _, refusal=refusal: refusal if verb == "draws" else None  # type: ignore[misc]
        if not scene.studio.draws.tables:
            scene.start(WHEEL)
        heard = scene.hub.heard["draws"]
        await scene.until(lambda heard=heard: scene.hub.heard["draws"] > heard + 1)
        draw = scene.studio.draws.tables[WHEEL].draw
        assert draw is not None
        assert draw.phase.value == "awaiting"
        with pytest.raises(BetRejected, match="closed"):
            await scene.bet(WHEEL, "grey")
    scene.hub.fault = lambda _verb, _body: None
    await scene.phase(WHEEL, "betting")
    assert scene.hub.of(WHEEL)[0]["version"] == 1


@virtual
async def test_a_hub_without_a_feed_gets_no_bets(scene: Scene) -> None:
    """A commitment that nobody published binds nobody."""
    scene.hub.fault = lambda verb, _: (404, {"_responseCode": 6}) if verb == "draws" else None
    scene.start(WHEEL)
    heard = scene.hub.heard["draws"]
    await scene.until(lambda: scene.hub.heard["draws"] > heard + 2)
    with pytest.raises(BetRejected, match="closed"):
        await scene.bet(WHEEL, "grey")
    assert any("is not published: code 6" in said for said in scene.studio.journal.complaints)


@pytest.mark.parametrize("phase", ["action", "results"])
@virtual
async def test_no_bet_is_taken_once_betting_has_closed(scene: Scene, phase: str) -> None:
    scene.start(WHEEL)
    await scene.phase(WHEEL, phase)
    with pytest.raises(BetRejected, match="closed"):
        await scene.bet(WHEEL, "grey")
    assert not scene.hub.heard["pay-in"]


@pytest.mark.parametrize(
    ("choice", "stake", "said"),
    [
        ("red", "1", "one of grey"),
        ("grey", "0", "from 0.10 to 100.00 EUR"),
        ("grey", "0.09", "from 0.10"),
        ("grey", "100.01", "from 0.10"),
        ("grey", "1.001", "decimals"),
        ("grey", "-1", "digits"),
        ("grey", "1e2", "digits"),
    ],
)
@virtual
async def test_a_bet_that_is_none_is_refused_and_nothing_is_sent(
    scene: Scene, choice: str, stake: str, said: str
) -> None:
    scene.start(WHEEL)
    await scene.phase(WHEEL, "betting")
    with pytest.raises(BetRejected, match=said):
        await scene.bet(WHEEL, choice, stake)
    assert not scene.hub.heard["pay-in"]
    assert not scene.studio.draws.tables[WHEEL].records.bets


@virtual
async def test_a_refused_stake_is_given_up_for_good(scene: Scene) -> None:
    scene.hub.fault = lambda verb, _: NO_FUNDS if verb == "pay-in" else None
    scene.start(WHEEL)
    await scene.phase(WHEEL, "betting")
    bet = await scene.bet(WHEEL, "grey")
    assert bet.state is DrawBetState.REFUSED
    await scene.until(lambda: scene.hub.of(WHEEL, 3))
    assert (scene.hub.heard["pay-in"], scene.hub.heard["pay-out"], scene.hub.heard["refund"]) == (1, 0, 0)


@virtual
async def test_a_stake_nobody_knows_of_is_repeated_once_and_refunded(scene: Scene) -> None:
    scene.hub.fault = lambda verb, _: UNKNOWN if verb == "pay-in" else None
    scene.start(WHEEL)
    await scene.phase(WHEEL, "betting")
    bet = await scene.bet(WHEEL, "grey")
    await scene.until(lambda: scene.state(WHEEL, bet.bet) == "refunded")
    assert (scene.hub.heard["pay-in"], scene.hub.tombstones) == (2, {bet.bet})


@virtual
async def test_a_stake_under_way_when_betting_closes_is_waited_for_and_plays(scene: Scene) -> None:
    scene.studio.calls.patience_s = 10.0
    scene.hub.fault = lambda verb, _: 2.0 if verb == "pay-in" else None
    scene.start(WHEEL)
    await scene.phase(WHEEL, "betting")
    await scene.clock.sleep(1.5)
    bet = await scene.bet(WHEEL, "grey")
    assert bet.state is DrawBetState.TAKEN
    (closed,) = [
        d for d in scene.hub.announced if d["gameEdition"] == bet.edition and d["playState"] == 1 and d["state"] == 2
    ]
    assert scene.clock.now_ms() > closed["bettingEndsAt"]
    assert not [d for d in scene.hub.announced if "seed" in d["proof"]], "no result while a stake is under way"
    await scene.until(lambda: scene.hub.bets[bet.bet]["end"] == "settled")


@virtual
async def test_a_stake_that_outlives_the_grace_is_refunded_and_never_plays(scene: Scene) -> None:
    """Whoever could still take or refuse the stake must not see the result first."""
    scene.studio.calls.patience_s = 10.0
    scene.hub.fault = lambda verb, _: 6.0 if verb == "pay-in" else None
    scene.start(WHEEL, schedule=Schedule(0, 200, 2000, 600, 400, grace_ms=1000))
    await scene.phase(WHEEL, "betting")
    bet = await scene.bet(WHEEL, "grey")
    assert bet.state in (DrawBetState.REFUND, DrawBetState.REFUNDED)
    await scene.until(lambda: scene.hub.bets[bet.bet]["end"] == "returned")
    await scene.until(lambda: scene.hub.of(WHEEL, 3))
    assert not scene.hub.heard["pay-out"]


@virtual
async def test_wins_and_refunds_are_sent_until_the_hub_takes_them(scene: Scene) -> None:
    answers: list[Told] = [UNKNOWN, CONFLICT, UNKNOWN]
    scene.hub.fault = lambda verb, _: answers.pop() if verb == "pay-out" and answers else None
    scene.start(WHEEL)
    await scene.phase(WHEEL, "betting")
    bet = await scene.bet(WHEEL, "grey")
    await scene.until(lambda: scene.hub.bets[bet.bet]["end"] == "settled")
    assert scene.hub.heard["pay-out"] == 4


@pytest.mark.parametrize("phase", ["awaiting", "betting", "action"])
@virtual
async def test_a_cancelled_draw_refunds_every_stake_and_shows_its_seed(scene: Scene, phase: str) -> None:
    scene.start(KENO)
    bets = []
    if phase != "awaiting":
        await scene.phase(KENO, "betting")
        bets = [await scene.bet(KENO, "1"), await scene.bet(KENO, "7,8")]
    edition = await scene.phase(KENO, phase)
    scene.studio.draws.tables[KENO].cancel()
    (last,) = await scene.until(lambda: scene.hub.of(KENO, 5))
    assert (last["gameEdition"], "results" in last, holds(last)) == (edition, False, True)
    await scene.until(lambda: all(scene.state(KENO, bet.bet) == "refunded" for bet in bets))
    assert not scene.hub.heard["pay-out"]
    assert await scene.phase(KENO, "betting") > edition, "the next draw comes"


@virtual
async def test_a_draw_whose_results_are_out_is_not_cancelled(scene: Scene) -> None:
    scene.start(KENO)
    await scene.phase(KENO, "results")
    with pytest.raises(BetRejected, match="results"):
        scene.studio.draws.tables[KENO].cancel()


def slow_for(game_type: int) -> Fault:
    """The hub takes long over everything of one game type."""

    def fault(_verb: str, told: dict[str, Any]) -> float | None:
        said = json.dumps(told)
        return 2.0 if f"draw-{game_type}-" in said or f'"gameType": {game_type},' in said else None

    return fault


@virtual
async def test_a_slow_draw_delays_no_other_game_type(scene: Scene) -> None:
    scene.hub.fault = slow_for(KENO)
    scene.start(KENO, WHEEL)
    await scene.until(lambda: len(scene.hub.of(WHEEL, 3)) >= 3)
    assert len(scene.hub.of(KENO, 3)) <= 2


@virtual
async def test_debts_of_one_draw_do_not_hold_up_the_next(scene: Scene) -> None:
    scene.hub.fault = lambda verb, _: UNKNOWN if verb == "pay-out" else None
    scene.start(WHEEL)
    await scene.phase(WHEEL, "betting")
    bet = await scene.bet(WHEEL, "grey")
    await scene.until(lambda: len(scene.hub.of(WHEEL, 3)) >= 2)
    assert scene.state(WHEEL, bet.bet) == "win", "it is still owed, draws later"
    scene.hub.fault = lambda _verb, _body: None
    await scene.until(lambda: scene.hub.bets[bet.bet]["end"] == "settled")


@virtual
async def test_a_player_leaves_the_crash_game_at_the_multiplier_shown(scene: Scene) -> None:
    """Some draws crash at once; the first that does not is left."""
    scene.start(CRASH, schedule=QUICK)
    table = scene.studio.draws.tables[CRASH]
    while True:
        await scene.phase(CRASH, "betting")
        leaves, stays = await scene.bet(CRASH, "stays"), await scene.bet(CRASH, "stays")
        with pytest.raises(BetRejected, match="while the multiplier rises"):
            table.leave(leaves.bet)
        draw = await scene.until(lambda: table.draw if table.draw and table.draw.phase.value != "betting" else None)
        try:
            left = await scene.until(lambda name=leaves.bet: _left(table, name))
        except BetRejected:
            await scene.until(lambda edition=draw.edition: table.draw is None or table.draw.edition != edition)
            continue
        break
    with pytest.raises(BetRejected, match="only a bet that stays"):
        table.leave(leaves.bet)
    await scene.until(lambda: scene.hub.bets[leaves.bet]["end"] and scene.hub.bets[stays.bet]["end"])
    (last,) = [d for d in scene.hub.of(CRASH, 2) if d["gameEdition"] == leaves.edition and "results" in d]
    assert (
        scene.hub.bets[leaves.bet]["win"]
        == MINOR * Crash().multiplier(left.choice, tuple(last["results"])) // 100
        > MINOR
    )
    assert scene.hub.bets[stays.bet]["win"] == 0


def _left(table: Any, name: str) -> Any:
    """Leave as soon as the multiplier has risen; None before. Raises BetRejected after the crash."""
    try:
        return table.leave(name)
    except BetRejected as problem:
        if "not risen" in str(problem):
            return None
        raise


@pytest.mark.parametrize("draws", [100, pytest.param(1000, marks=pytest.mark.slow)])
@virtual
@pytest.mark.slow
async def test_the_money_of_many_draws_balances_to_the_cent(scene: Scene, draws: int) -> None:
    """Faults come and go; at the end each bet has ended once, and each win is what the published results say."""
    odd = iter(range(10**9))

    def fault(verb: str, _told: dict[str, Any]) -> Told | float | None:
        turn = next(odd)
        if verb == "draws":
            return UNKNOWN if turn % 5 == 0 else None
        return (UNKNOWN if turn % 3 else 4.0) if turn % 4 == 0 else None

    scene.hub.fault = fault
    scene.folder = None
    scene.start(*BETS, schedule=Schedule(0, 100, 1200, 200, 200, grace_ms=1000, pace=20))
    placed: list[Any] = []

    async def play(game_type: int) -> None:
        while scene.hub.finished < draws:
            with contextlib.suppress(BetRejected):
                placed.append(await scene.bet(game_type, BETS[game_type]))
            await asyncio.sleep(0.1)

    await asyncio.gather(*map(play, BETS))
    scene.hub.fault = lambda _verb, _body: None
    tables = scene.studio.draws.tables
    await scene.until(lambda: all(b.state.ended for table in tables.values() for b in table.records.bets.values()))
    results = {(d["gameType"], d["gameEdition"]): tuple(d["results"]) for d in scene.hub.announced if "results" in d}
    paid = 0
    for bet in placed:
        known = scene.hub.bets.get(bet.bet, {"end": "never taken", "win": None})
        if known["end"] == "settled":
            multiplier = tables[bet.game_type].game.multiplier(bet.choice, results[bet.game_type, bet.edition])
            assert known["win"] == MINOR * multiplier // 100
            paid += 1
    assert {bet["end"] for bet in scene.hub.bets.values()} == {"settled", "returned"}, "no stake is left without an end"
    assert paid == sum(bet["end"] == "settled" for bet in scene.hub.bets.values()) > draws // 4
    assert all(holds(draw) for draw in scene.hub.announced if "seed" in draw["proof"])


# --- the controls over HTTP -------------------------------------------------------------------------------------


async def _control(scene: Scene, path: str, document: dict[str, Any] | None = None) -> Any:
    scene.wire.mount("http://studio.test", scene.studio.app)
    body = b"" if document is None else json.dumps(document).encode()
    method = "GET" if document is None else "POST"
    answer = await scene.wire.send(
        WireRequest(method, f"http://studio.test/_sandbox/{path}", {}, body, max_bytes=10**6)
    )
    return json.loads(answer.body)


@virtual
async def test_another_process_can_run_draws_and_bet_on_them(scene: Scene) -> None:
    told = await _control(scene, "draws/start", {"folder": str(scene.folder), "pace": 5})
    assert told == {"gameTypes": [3, 23, 24, 25]}
    assert (
        "no such session"
        in (await _control(scene, "draws/bet", {"session": "x", "choice": "1", "stake": "1"}))["refused"]
    )
    game = {"session": "s-lantern-tumble", "choice": "1", "stake": "1"}
    assert "no draws" in (await _control(scene, "draws/bet", game))["refused"]
    assert "no such bet" in (await _control(scene, "draws/leave", {"gameType": 25, "bet": "x"}))["refused"]
    assert "game type 7" in (await _control(scene, "draws/cancel", {"gameType": 7}))["refused"]
    bet: dict[str, Any] = {}
    while "bet" not in bet:
        await asyncio.sleep(0.1)
        await scene.phase(WHEEL, "betting")
        bet = await _control(scene, "draws/bet", {"session": "s-harbour-lights", "choice": "grey", "stake": "1.00"})
    assert (bet["stake"], bet["code"], bet["state"]) == ("1.00", 1, "taken")

    async def of_the_wheel() -> dict[str, Any]:
        (wheel,) = [game for game in (await _control(scene, "draws"))["games"] if game["gameType"] == WHEEL]
        return dict(wheel)

    mine: list[dict[str, Any]] = []
    while not mine:
        await asyncio.sleep(0.1)
        shown = await of_the_wheel()
        running = shown["draw"]
        assert running is None or running["phase"] in ("results", "finished") or "seed" not in running["proof"]
        mine = [draw for draw in shown["ended"] if any(one["bet"] == bet["bet"] for one in draw["bets"])]
    assert holds(mine[0])


def test_draws_begin_at_multiples_of_their_interval() -> None:
    keno = SCHEDULES[KENO]
    assert keno.next_start(1_760_000_000_001) % keno.every_ms == 0
    assert keno.next_start(60_000 - keno.rest_ms) == 60_000
    assert keno.next_start(60_000 - keno.rest_ms + 1) == 120_000
    assert SCHEDULES[CRASH].next_start(5) == 5 + SCHEDULES[CRASH].rest_ms
    faster = keno.faster(10)
    assert (faster.every_ms, faster.betting_ms, faster.grace_ms, faster.pace) == (6000, 3800, 8000, 10)


def test_every_schedule_leaves_time_for_its_phases() -> None:
    for schedule in SCHEDULES.values():
        needed = schedule.betting_ms + schedule.action_ms + schedule.results_ms
        assert not schedule.every_ms or needed + schedule.rest_ms <= schedule.every_ms
