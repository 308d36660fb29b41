"""`croupier sandbox`: one side in the foreground, made known to the hub of this home and the same one next time."""

from __future__ import annotations

import json
import signal
import socket
import stat
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.conftest import Cli, Zygote, end
from tests.conftest import make_home, remove_home

pytestmark = pytest.mark.slow


def test_a_casino_joins_and_joins_again_as_the_same_one(cli: Cli) -> None:
    names = []
    for _ in range(2):
        process = cli.start("sandbox", "casino", "--join", "--json")
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        (row,) = [row for row in cli.json("casino", "list") if row["url"] == told["url"]]
        names.append((row["PartnerClientId"], row["name"]))
        assert end(process, signal.SIGINT).code == 0
    assert names[0] == names[1]
    assert stat.S_IMODE((cli.home / "sandbox-casino.json").stat().st_mode) == 0o600


def test_one_that_joins_while_another_runs_has_a_row_of_its_own(cli: Cli) -> None:
    """It took over the row of the first, whose players then had another's wallets; and gets its own again next time."""
    told = []
    for _ in range(2):
        processes = [cli.start("sandbox", "casino", "--join", "--json") for _ in range(2)]
        urls = [json.loads(process.stdout.readline())["url"] for process in processes if process.stdout]
        rows = {row["url"]: row["PartnerClientId"] for row in cli.json("casino", "list")}
        told.append({rows[url] for url in urls})
        for process in processes:
            assert end(process).code == 0
    assert len(told[0]) == 2
    assert told[0] == told[1]


def test_a_studio_brings_its_games(cli: Cli, studio: dict[str, Any]) -> None:
    assert studio["name"].startswith("Sandbox studio")
    launched = cli.ok("session", "open", "--casino", "Aurora", "--player", "bo", "--currency", "EUR",
                      "--game", f"{studio['name']}/lantern-tumble")  # fmt: skip
    assert studio["url"] in launched.out


@pytest.fixture
def alone(zygote: Zygote) -> Iterator[Cli]:
    """The command in a home of this test alone."""
    home = make_home()
    yield Cli(home, zygote)
    remove_home(home)


def test_a_studio_whose_secret_was_changed_joins_again(alone: Cli) -> None:
    for _ in range(2):
        process = alone.start("sandbox", "studio", "--join", "--json")
        assert process.stderr is not None
        told = process.stderr.readline()
        assert "joined the hub" in told, told
        end(process)
        name = told.partition(" joined")[0]
        alone.ok("provider", "secret", "rotate", name, "--keep-old", "0")


def test_one_that_does_not_join_only_prints_its_url(cli: Cli) -> None:
    before = cli.json("provider", "list")
    process = cli.start("sandbox", "studio")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    assert cli.json("provider", "list") == before
    assert end(process).code == 0


def test_a_port_that_is_taken_is_told(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        complaint = cli.complaint("sandbox", "casino", "--port", str(taken.getsockname()[1]))
    assert "choose another with --port" in complaint


def test_where_private_peers_are_refused_a_sandbox_cannot_join(cli: Cli) -> None:
    complaint = cli.complaint("sandbox", "casino", "--join", CROUPIER_ALLOW_PRIVATE_PEERS=None)
    assert "CROUPIER_ALLOW_PRIVATE_PEERS=1" in complaint


def test_a_studio_with_draws_takes_over_their_game_types_and_announces(alone: Cli) -> None:
    """No hub serves here: the draws stay announced on the studio's own page until one does."""
    process = alone.start("sandbox", "studio", "--join", "--draws", "--pace", "20", "--json")
    assert process.stdout is not None
    url = json.loads(process.stdout.readline())["url"]
    (row,) = alone.json("provider", "list")
    assert alone.json("provider", "show", row["name"])["game_types"] == [3, 23, 24, 25]
    with urllib.request.urlopen(f"{url}/_sandbox/draws") as answer:
        games = json.load(answer)["games"]
    assert [game["draw"]["phase"] for game in games] == ["awaiting"] * 4
    assert all("seed" not in game["draw"]["proof"] for game in games)
    assert end(process).code == 0
    assert sorted(path.name for path in (alone.home / "draws").iterdir()) == [
        "draws-23.jsonl", "draws-24.jsonl", "draws-25.jsonl", "draws-3.jsonl", "lock",
    ]  # fmt: skip
