"""Commands against a running hub (CROUPIER_HUB_URL): they print what they print on the hub's own machine, and the books name the account."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Cli, end
from tests.cli.test_payment import parked

pytestmark = pytest.mark.slow

WHY = ("--reason", "asked the casino")


@pytest.fixture(scope="module")
def served(cli: Cli) -> Iterator[str]:
    """The address of a hub that serves this home."""
    process = cli.start("serve", "--port", "0")
    assert process.stderr is not None
    told = re.search(r"listens on (http://\S+)", process.stderr.readline())
    assert told is not None
    yield told[1]
    assert end(process).code == 0


def account(cli: Cli, name: str, *words: str) -> str:
    return str(cli.json("account", "add", name, *words)["Secret"])


@pytest.fixture(scope="module")
def remote(cli: Cli, served: str) -> dict[str, str]:
    """The settings of an administrator at another machine: no home, no database."""
    token = account(cli, "remote-1", "--role", "administer")
    return {"CROUPIER_HOME": "/nonexistent", "CROUPIER_HUB_URL": served, "CROUPIER_TOKEN": token}


@pytest.mark.parametrize(
    "words",
    [
        ("bet", "list"),
        ("payment", "list"),
        ("session", "list"),
        ("reconcile", "list"),
        ("proposal", "list"),
        ("account", "list"),
        ("ggr", "--from", "2000-01-01", "--to", "2100-01-01"),
        ("why", "Fable/g-1", "--casino", "Aurora"),
        ("casino", "list"),
        ("casino", "show", "Aurora"),
        ("casino", "keys", "list"),
        ("provider", "list"),
        ("provider", "show", "Fable"),
        ("player", "list", "--casino", "Aurora"),
        ("player", "show", "--casino", "Aurora", "--player", "ann"),
        ("game", "list"),
        ("game", "diff"),
        ("game-type", "list"),
        ("jackpot", "list"),
        ("notify", "list"),
        ("recover", "status"),
        ("audit", "--last"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["table", "json"])
def test_a_list_is_the_same_from_another_machine(
    cli: Cli, remote: dict[str, str], words: tuple[str, ...], form: tuple[str, ...]
) -> None:
    before, there, after = cli(*words, *form), cli(*words, *form, **remote), cli(*words, *form)
    # The hub works on: what changed meanwhile is either as it was or as it is now.
    assert (there.code, there.out, there.err) in [(here.code, here.out, here.err) for here in (before, after)]
    assert there.out


def test_the_open_incidents_are_the_same_from_another_machine(cli: Cli, remote: dict[str, str]) -> None:
    """The serving hub goes on with the payments beside them, so their next times differ."""
    here, there = cli("incidents", "--json"), cli("incidents", "--json", **remote)
    assert (there.code, there.json()["incidents"]) == (here.code, here.json()["incidents"])


def test_a_decision_from_another_machine_carries_the_name_of_the_account(cli: Cli, remote: dict[str, str]) -> None:
    story = parked(cli)
    payment = f"{story.subject_id}:payout"
    done = cli.ok("payment", "give-up", payment, *WHY, "--json", **remote).json()
    assert (done["payment"], done["state"]) == (payment, "refused")
    # The serving hub goes on with the bet meanwhile.
    told = cli.ok("trace", str(story.subject_id), "--json", **remote).json()
    assert ("given_up_by_person", "remote-1") in [(one["event"], one["author"]) for one in told["moments"]]
    used = cli.json("account", "uses", "--name", "remote-1")
    assert used[1]["command"] == "payment give-up"
    assert payment in used[1]["parameters"]


def test_the_author_is_the_account(cli: Cli, remote: dict[str, str]) -> None:
    said = cli.complaint("payment", "retry", "1:stake", *WHY, "--author", "mia", code=2, **remote)
    assert said.startswith("--author is your account at the hub")


def test_errors_are_those_of_the_hub(cli: Cli, remote: dict[str, str]) -> None:
    words = ("trace", "404404")
    assert cli.complaint(*words, **remote) == cli.complaint(*words)
    refused = cli(*words, "--json", **remote)
    assert (refused.code, refused.err) == (1, cli(*words, "--json").err)
    wrong = ("bet", "list", "--casino", "Aurora", "--at-least", "x", "--currency", "EUR")
    assert cli.complaint(*wrong, code=2, **remote) == cli.complaint(*wrong, code=2)


def test_a_role_and_a_scope_bind_from_another_machine(cli: Cli, remote: dict[str, str]) -> None:
    eve = remote | {"CROUPIER_TOKEN": account(cli, "eve-1", "--role", "look", "--casino", "Borealis")}
    assert cli.ok("bet", "list", "--json", **eve).json()["rows"] == []
    assert "there is no casino 'Aurora'" in cli.complaint("bet", "list", "--casino", "Aurora", **eve)
    assert "needs the role decide" in cli.complaint("bet", "return", "1", *WHY, **eve)
    assert "needs the role administer" in cli.complaint("account", "list", **eve)
    assert "casinos 12" in cli.ok("account", "list").out


def test_what_needs_the_machine_says_so(cli: Cli, remote: dict[str, str]) -> None:
    for words in (("audit",), ("reconcile", "--open"), ("jackpot", "verify", "x")):
        assert "works only on the machine of the hub" in cli.complaint(*words, **remote)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"CROUPIER_TOKEN": None}, "put its token into CROUPIER_TOKEN"),
        ({"CROUPIER_TOKEN": "cra_wrong"}, "the token is of no open account"),
        (
            {"CROUPIER_HUB_URL": "http://hub.example", "CROUPIER_ALLOW_PRIVATE_PEERS": None},
            "must begin with https://: anybody on the way could read your token",
        ),
    ],
)
def test_what_is_missing_is_told(cli: Cli, remote: dict[str, str], changes: dict[str, str | None], says: str) -> None:
    assert says in cli.complaint("bet", "list", **(remote | changes))  # type: ignore[arg-type]


def test_a_hub_that_is_away_is_told(cli: Cli, remote: dict[str, str]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = remote | {"CROUPIER_HUB_URL": f"http://127.0.0.1:{nobody.getsockname()[1]}"}
        said = cli.complaint("bet", "list", **away)
        assert "the hub at CROUPIER_HUB_URL did not answer" in said
        assert "It may have been done" not in said
