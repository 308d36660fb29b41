"""What a newcomer meets in the first hour says what happened, to what, and what to do."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from croupier.cli.sentences import sentence
from croupier.store.db import DbDown, DbUnfit
from tests.cli.conftest import Cli


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("casin", "list"), 2, ("No such command 'casin'", "did you mean casino? See `croupier --help`.")),
        (("casino", "lst"), 2, ("No such command 'lst'", "'list'")),
        (("serve", "--port", "80x"), 2, ("'--port'", "must be a whole number")),
        (("demo", "--rounds", "0"), 2, ("'--rounds'", "must be at least 1")),
        (("serve", "--workers", "65"), 2, ("'--workers'", "must be at most 64")),
        (("casino", "add", "A", "--url", "casino.example", "--currency", "EUR"), 2, ("--url", "https://")),
    ],
)
def test_a_wrong_word_or_value(nowhere: Cli, words: tuple[str, ...], code: int, says: tuple[str, ...]) -> None:
    complaint = nowhere.complaint(*words, code=code)
    assert [one for one in says if one not in complaint] == []
    assert not nowhere.home.exists()


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("casino add Aurora --url http://127.0.0.1:9001 --currency EUR", ("'Aurora' already", "another name")),
        ("casino add B --url http://127.0.0.1:9001 --currency XXZ", ("'XXZ'", "such as EUR")),
        ("casino show Auro", ("no casino 'Auro'", "`croupier casino list`")),
        ("casino set Aurora batch", ("'batch'", "such as enabled=false")),
        ("provider sync Kite", ("no provider 'Kite'", "`croupier provider list`")),
        ("session open --casino Aurora --player a --currency EUR --game x", ("no game 'x'", "`croupier game list`")),
        ("cashback cancel 5", ("no cashback 5", "`croupier cashback pay`")),
    ],
)
def test_an_unknown_name(cli: Cli, words: str, says: tuple[str, ...]) -> None:
    complaint = cli.complaint(*words.split())
    assert [one for one in says if one not in complaint] == []


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_in_use(cli: Cli, taken: int) -> None:
    complaint = cli.complaint("serve", "--port", str(taken))
    assert f"127.0.0.1:{taken}" in complaint
    assert "choose another with --port" in complaint


def test_a_provider_that_does_not_run_is_named_with_its_address(cli: Cli) -> None:
    said = cli.complaint("provider", "sync", "Fable")
    assert "provider Fable gave no games from http://" in said
    assert "see that it runs" in said


def test_a_sandbox_that_may_not_join_says_what_to_set_and_where(nowhere: Cli) -> None:
    said = nowhere.complaint("sandbox", "casino", "--join", CROUPIER_ALLOW_PRIVATE_PEERS=None)
    assert "--url" not in said, "nobody gave one"
    assert "CROUPIER_ALLOW_PRIVATE_PEERS=1, here and where `croupier serve` runs" in said


def test_a_wrong_password_is_no_database_that_is_away() -> None:
    refused = sentence(DbUnfit('password authentication failed for user "hub"'))
    assert "away" not in refused
    assert "password" in refused.partition("check")[2]
    assert "away" in sentence(DbDown("cannot connect"))
