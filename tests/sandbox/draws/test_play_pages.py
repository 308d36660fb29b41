"""The page of a draw game with scripts: what it reads and sends, its files, and that its check recomputes what the studio drew."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from croupier.kit.chance import SeededChance
from croupier.kit.wire import WireRequest
from croupier.sandbox.draws.catalogue import DRAW_GAMES
from croupier.sandbox.draws.crash import multiplier_after
from croupier.sandbox.draws.fairness import commitment
from croupier.sandbox.draws.play_pages import HERE
from croupier.sandbox.draws.verify import results_of
from tests.sandbox.draws.hub_of_draws import Scene, virtual

WHEEL, CRASH = 24, 25
STUDIO = "http://studio.test"
NODE = shutil.which("node")
SEEDS = 60
SCRIPTS = {path.name: path.read_text("utf-8") for path in HERE.glob("*.js")}


async def ask(scene: Scene, path: str, body: object = None) -> tuple[int, Any]:
    scene.wire.mount(STUDIO, scene.studio.app)
    sent = b"" if body is None else json.dumps(body).encode()
    method = "GET" if body is None else "POST"
    answer = await scene.wire.send(WireRequest(method, STUDIO + path, {}, sent, max_bytes=10**6))
    kind = answer.headers.get("content-type", "")
    return answer.status, json.loads(answer.body) if "json" in kind else answer.body.decode()


@virtual
async def test_a_bet_is_taken_shown_and_settled(scene: Scene) -> None:
    scene.start(WHEEL)
    await scene.phase(WHEEL, "betting")
    play = "/play/s-harbour-lights"
    _, before = await ask(scene, f"{play}/state")
    assert before["draw"]["phase"] == "betting"
    assert "seed" not in before["draw"]["proof"]
    assert "results" not in before["draw"]
    _, told = await ask(scene, f"{play}/bets", {"choice": "grey", "stake": "1.00"})
    assert (told["state"], told["code"]) == ("taken", 1)
    _, after = await ask(scene, f"{play}/state")
    assert [bet["choice"] for bet in after["bets"]] == ["grey"]
    await scene.until(lambda: scene.hub.of(WHEEL, 3))
    _, over = await ask(scene, f"{play}/state")
    assert over["ended"][0]["proof"]["seed"]
    assert [bet["bet"] for bet in over["ended"][0]["bets"]] == [told["bet"]]


@virtual
async def test_nobody_sees_or_leaves_the_bet_of_another_session(scene: Scene) -> None:
    scene.start(WHEEL)
    await scene.phase(WHEEL, "betting")
    _, told = await ask(scene, "/play/s-harbour-lights/bets", {"choice": "grey", "stake": "1.00"})
    bets = scene.studio.draws.table(WHEEL).records.bets
    assert told["bet"] in bets
    assert (await ask(scene, "/play/unknown/state"))[0] == 404
    assert (await ask(scene, "/play/unknown/bets", {"choice": "grey", "stake": "1"}))[0] == 404
    _, refused = await ask(scene, "/play/s-harbour-lights/bets/leave", {"bet": "d-another"})
    assert "no such bet" in refused["refused"]


@virtual
async def test_what_is_no_bet_is_told_in_words(scene: Scene) -> None:
    scene.start(WHEEL)
    await scene.phase(WHEEL, "betting")
    for choice, stake in (("<script>", "1"), ("grey", "0"), ("grey", "1000000"), ("grey", "x")):
        status, told = await ask(scene, "/play/s-harbour-lights/bets", {"choice": choice, "stake": stake})
        assert status == 200
        assert told["refused"]
    for odd in (
        [],
        {},
        {"choice": 1, "stake": "1"},
        {"choice": "g" * 5000, "stake": "1"},
    ):
        status, told = await ask(scene, "/play/s-harbour-lights/bets", odd)
        assert status == 400, (odd, told)
    assert not scene.hub.heard["pay-in"]


@virtual
async def test_the_page_and_its_files_are_its_own(scene: Scene) -> None:
    scene.start(WHEEL)
    status, page = await ask(scene, "/play/s-harbour-lights")
    assert status == 200
    assert set(re.findall(r'(?:src|href)="(/[^"]*)"', page)) == {"/play-files/play.js", "/play-files/play.css"}
    for path in HERE.iterdir():
        assert (await ask(scene, f"/play-files/{path.name}"))[0] == (404 if path.suffix == ".html" else 200)
    assert (await ask(scene, "/play-files/..%2ffairness.py"))[0] == 404


def test_no_script_writes_markup_and_every_language_has_every_word() -> None:
    for name, text in SCRIPTS.items():
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|document\.cookie|localStorage", text
        ), name
    words = SCRIPTS["words.js"]
    english, german = (
        set(re.findall(r'[{,]\s*"?([\w ]+?)"?: "', words.split(f"const {name} = ")[1].split("};")[0]))
        for name in ("EN", "DE")
    )
    assert english == german
    assert len(english) > 60


@pytest.mark.skipif(NODE is None, reason="Node is not installed (Debian: apt install nodejs)")
@pytest.mark.slow
def test_the_browsers_check_recomputes_every_draw() -> None:
    """The same seeds through the page's script and through the studio's own code give the same results and commitments."""
    chance = SeededChance("fairness")
    draws = [
        (chance.hex(32), game_type, edition) for edition in range(SEEDS) for game_type in DRAW_GAMES
    ]  # fmt: skip
    script = (
        f"import {{ resultsOf, multiplierAfter }} from '{(HERE / 'rules.js').as_uri()}';"
        f"import {{ commitmentOf }} from '{(HERE / 'fairness.js').as_uri()}';"
        "const draws = JSON.parse(process.argv[1]);"
        "console.log(JSON.stringify([draws.map(([s, t, e]) => [commitmentOf(s), resultsOf(s, t, e)]),"
        " [0, 1, 1999, 2000, 40999, 50000].map(multiplierAfter)]));"
    )
    told = _node(script, json.dumps(draws))
    assert told[0] == [
        [commitment(bytes.fromhex(seed)), list(results_of(bytes.fromhex(seed), game_type, edition))]
        for seed, game_type, edition in draws
    ]
    assert told[1] == [multiplier_after(ms) for ms in (0, 1, 1999, 2000, 40999, 50000)]


def _node(script: str, argument: str) -> Any:
    assert NODE is not None
    done = subprocess.run(
        [NODE, "--no-warnings", "--experimental-default-type=module", "--input-type=module", "-e", script, argument],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_the_page_folder_is_whole() -> None:
    assert {path.name for path in Path(HERE).iterdir()} == {
        "play.html", "play.css", "play.js", "boards.js", "rules.js", "fairness.js", "words.js",
    }  # fmt: skip
