"""The plain page of a draw game: it shows the draw, takes a bet, tells results with their proof, and says that the money is demo money."""

from __future__ import annotations

import asyncio
import re
import shlex
from urllib.parse import urlencode

import pytest

from croupier.cli import app
from croupier.kit.wire import WireRequest
from croupier.sandbox.studio_games import LaunchedSession
from tests.sandbox.draws.hub_of_draws import QUICK, Scene, virtual

WHEEL, CRASH = 24, 25
STUDIO = "http://studio.test"


async def page(scene: Scene, session: str, what: str = "", form: dict[str, str] | None = None) -> tuple[int, str]:
    scene.wire.mount(STUDIO, scene.studio.app)
    body = b"" if form is None else urlencode(form).encode()
    method = "POST" if what else "GET"
    address = f"{STUDIO}/play/{session}{what or '?plain'}"
    answer = await scene.wire.send(WireRequest(method, address, {}, body, max_bytes=10**6))
    return answer.status, answer.body.decode()


@virtual
async def test_a_player_bets_on_the_page_and_verifies_the_result(scene: Scene) -> None:
    scene.start(WHEEL)
    await scene.phase(WHEEL, "betting")
    _, before = await page(scene, "s-harbour-lights")
    assert "DEMO MONEY" in before
    assert re.search(r"Commitment <code>[0-9a-f]{64}</code>", before)
    assert "96.00 %" in before
    assert "seed" not in before
    _, said = await page(scene, "s-harbour-lights", "/draw", {"choice": "grey", "stake": "1.00"})
    assert "taken (code 1)" in said
    (bet,) = scene.hub.bets
    await scene.until(lambda: scene.hub.of(WHEEL, 3))
    _, after = await page(scene, "s-harbour-lights")
    assert bet in after
    (command,) = re.findall(r"<code>croupier (verify-draw .*?)</code>", after)
    assert app.run(shlex.split(command.replace("&#x27;", "'"))) == 0


@virtual
async def test_a_bet_that_is_not_taken_is_told_in_words_and_escaped(scene: Scene) -> None:
    scene.start(WHEEL)
    await scene.phase(WHEEL, "betting")
    for choice, stake in (("<script>", "1"), ("grey", "0"), ("", "1"), ("grey", "1" * 500)):
        status, said = await page(scene, "s-harbour-lights", "/draw", {"choice": choice, "stake": stake})
        assert status == 200
        assert "The bet was not taken" in said
        assert "<script" not in said
    assert not scene.hub.heard["pay-in"]


@virtual
async def test_a_player_leaves_only_the_own_bet(scene: Scene) -> None:
    scene.start(CRASH)
    scene.studio.sessions["other"] = LaunchedSession(
        "other", "heron-crash", "Heron Crash", "bo", "EUR", "en", "0.10", "100.00", demo=False
    )
    table = scene.studio.draws.tables[CRASH]
    while True:
        await scene.phase(CRASH, "betting")
        bet = await scene.bet(CRASH, "stays")
        await scene.until(lambda: table.draw and table.draw.phase.value != "betting")
        await asyncio.sleep(0.1)
        _, shown = await page(scene, "s-heron-crash")
        if f"leave?bet={bet.bet}" in shown:
            break
    _, said = await page(scene, "other", f"/leave?bet={bet.bet}")
    assert "no such bet of this session" in said
    assert table.records.bets[bet.bet].choice == "stays"
    _, said = await page(scene, "s-heron-crash", f"/leave?bet={bet.bet}")
    assert re.search(r"Left at 1\.[0-9]{2}\.", said), said


@virtual
async def test_a_draw_game_without_draws_takes_no_bet_of_another_kind(scene: Scene) -> None:
    """Its old page would play a round that no draw decides."""
    _, shown = await page(scene, "s-harbour-lights")
    assert "No draws run" in shown
    assert (await page(scene, "s-harbour-lights", "/bet?stake=1"))[0] == 404
    assert (await page(scene, "s-lantern-tumble", "/draw", {"choice": "grey", "stake": "1"}))[0] == 404
    assert (await page(scene, "nobody", "/draw", {"choice": "grey", "stake": "1"}))[0] == 404
    _, said = await page(scene, "s-harbour-lights", "/draw", {"choice": "grey", "stake": "1"})
    assert "No draws run" in said
    assert not scene.hub.heard["pay-in"]


@pytest.mark.parametrize("phase", ["awaiting", "action"])
@virtual
async def test_the_page_refreshes_itself_only_while_nobody_types(scene: Scene, phase: str) -> None:
    scene.start(WHEEL, schedule=QUICK)
    await scene.phase(WHEEL, phase)
    assert 'http-equiv="refresh"' in (await page(scene, "s-harbour-lights"))[1]
    await scene.phase(WHEEL, "betting")
    shown = (await page(scene, "s-harbour-lights"))[1]
    assert 'http-equiv="refresh"' not in shown
    assert "<input" in shown
