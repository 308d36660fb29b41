"""`croupier verify-draw`: from the options, a file, standard input and a hub; its exit codes and its words."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from croupier.cli.verify_draw import EXAMPLE
from tests.cli.conftest import Cli

DRAWS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "draws" / "draws.json").read_text("utf-8")
)["draws"]
DRAW = DRAWS[0]
SECRET = "casino-secret"


def options(of: dict[str, Any], **changes: str) -> list[str]:
    told = {
        "draw": f"{of['gameType']}/{of['gameEdition']}",
        "seed": of["proof"]["seed"],
        "commitment": of["proof"]["commitment"],
        "results": ",".join(map(str, of["results"])),
        **changes,
    }
    return ["verify-draw", *(word for name, value in told.items() for word in (f"--{name}", value))]


@pytest.mark.parametrize("draw", DRAWS[:12:3], ids=lambda d: str(d["gameType"]))
def test_a_draw_that_holds_ends_with_0(nowhere: Cli, draw: dict[str, Any]) -> None:
    assert "It holds" in nowhere.ok(*options(draw)).out
    assert not nowhere.home.exists()


def test_the_example_of_the_help_holds(nowhere: Cli) -> None:
    assert "It holds" in nowhere.ok(*EXAMPLE.split()[2:]).out
    assert EXAMPLE.split()[-1] in nowhere.ok("verify-draw", "--help").out


@pytest.mark.parametrize(
    "changes", [{"results": "1,2"}, {"draw": "23/7"}, {"seed": "00" * 32}, {"commitment": "11" * 32}]
)
def test_a_draw_that_does_not_hold_ends_with_1(nowhere: Cli, changes: dict[str, str]) -> None:
    said = nowhere(*options(DRAW, **changes), "--json")
    assert (said.code, said.json()["holds"]) == (1, False)
    assert said.json()["problems"]


@pytest.mark.parametrize(
    "words", [["verify-draw"], options(DRAW, draw="23"), options(DRAW)[:-4], ["verify-draw", "http://127.0.0.1:1"]]
)
def test_wrong_usage_ends_with_2(nowhere: Cli, words: list[str]) -> None:
    assert "--draw" in nowhere.complaint(*words, code=2)


def test_a_file_and_standard_input_are_read(nowhere: Cli, tmp_path: Path) -> None:
    file = tmp_path / "draw.json"
    file.write_text(json.dumps(DRAW), "utf-8")
    assert nowhere.ok("verify-draw", str(file), "--json").json()["recomputed"] == DRAW["results"]
    assert nowhere("verify-draw", "-", typed=json.dumps(DRAW)).code == 0
    file.write_text("{", "utf-8")
    assert "no JSON" in nowhere.complaint("verify-draw", str(file))
    assert "nothing.json" in nowhere.complaint("verify-draw", str(tmp_path / "nothing.json"))


def test_a_draw_without_its_seed_cannot_be_verified(nowhere: Cli, tmp_path: Path) -> None:
    file = tmp_path / "draw.json"
    file.write_text(json.dumps({**DRAW, "proof": {**DRAW["proof"], "seed": None}}), "utf-8")
    assert "not published yet" in nowhere.complaint("verify-draw", str(file))


class Hub(BaseHTTPRequestHandler):
    """The two calls of the feed that the command makes."""

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        good = self.path.endswith("/api/v2/auth/token") and told == {"PartnerClientId": 7, "Secret": SECRET}
        value = {"AccessToken": "bearer-1"} if good else None
        self._answer(200 if good else 401, {"ErrorCode": 200 if good else 103754, "Message": "", "Value": value})

    def do_GET(self) -> None:
        assert self.headers["Authorization"] == "Bearer bearer-1"
        known = self.path.endswith(f"/games/info?GameType={DRAW['gameType']}&GameEdition={DRAW['gameEdition']}")
        short = {"t": DRAW["gameType"], "ge": DRAW["gameEdition"], "res": DRAW["results"], "proof": DRAW["proof"]}
        self._answer(200, {"ErrorCode": 200 if known else 404, "Message": "", "Value": short if known else None})

    def _answer(self, status: int, told: object) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_hub_is_asked_with_the_casinos_credentials(nowhere: Cli, hub: str, tmp_path: Path) -> None:
    keys, wrong = tmp_path / "casino.json", tmp_path / "wrong.json"
    keys.write_text(json.dumps({"PartnerClientId": 7, "Secret": SECRET}), "utf-8")
    wrong.write_text(json.dumps({"PartnerClientId": 7, "Secret": "other"}), "utf-8")
    name = f"{DRAW['gameType']}/{DRAW['gameEdition']}"
    assert "It holds" in nowhere.ok("verify-draw", hub, "--draw", name, "--credentials", str(keys)).out
    assert "404" in nowhere.complaint("verify-draw", hub, "--draw", "23/99", "--credentials", str(keys))
    refused = nowhere.complaint("verify-draw", hub, "--draw", name, "--credentials", str(wrong))
    assert "401" in refused
    assert "other" not in refused
