"""`croupier provider`: secrets once, ids or names, typed settings, games."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Cli

URL = "http://127.0.0.1:9"


@pytest.mark.slow
def test_a_new_provider_gets_its_credentials_once(cli: Cli) -> None:
    credentials = cli.json("provider", "add", "Single", "--url", "http://127.0.0.1:9")
    assert set(credentials) == {"CounterpartyId", "Secret"}
    shown = cli.json("provider", "show", credentials["CounterpartyId"])
    assert (shown["name"], shown["hold_s"]) == ("Single", 6.0)
    assert credentials["Secret"] not in cli.ok("provider", "list").out + cli.ok("provider", "show", "Single").out


def test_a_rotated_secret_is_another_one_shown_once(cli: Cli) -> None:
    first = cli.json("provider", "add", "Turning", "--url", "http://127.0.0.1:9")
    second = cli.json("provider", "secret", "rotate", "Turning", "--keep-old", "0")
    assert second["CounterpartyId"] == first["CounterpartyId"]
    assert second["Secret"] != first["Secret"]
    said = cli.ok("provider", "secret", "rotate", first["CounterpartyId"])
    assert "not shown again" in said.err


@pytest.mark.slow
def test_settings_are_set_typed(cli: Cli) -> None:
    changed = cli.json(
        "provider", "set", "Fable", "hold_s=4.5", "claim_s=10", "game_types=7,8", "url=http://127.0.0.1:8"
    )
    assert (changed["hold_s"], changed["claim_s"], changed["game_types"]) == (4.5, 10.0, [7, 8])
    assert changed["url"] == "http://127.0.0.1:8"
    assert "tax_bp is a setting of a casino" in cli.complaint("provider", "set", "22", "tax_bp=1")
    assert "hold_s must be" in cli.complaint("provider", "set", "22", "hold_s=0")
    back = cli.json("provider", "set", "cp", "hold_s=default", "claim_s=default", "game_types=default")
    assert (back["hold_s"], back["game_types"]) == (6.0, [])


def test_disabling_is_shown_and_undone(cli: Cli) -> None:
    assert cli.json("provider", "disable", "Fable")["enabled"] is False
    assert cli.json("provider", "set", "Fable", "enabled=on")["enabled"] is True


def test_what_cannot_be_is_refused(cli: Cli) -> None:
    assert "already" in cli.complaint("provider", "add", "Fable", "--url", "http://127.0.0.1:9")
    named = cli.complaint("provider", "add", "New", "--url", "http://me@studio.example", code=2)
    assert "--url must not hold a user name" in named
    assert "`croupier provider list`" in cli.complaint("provider", "show", "Nobody")


def test_games_are_fetched_from_a_studio(cli: Cli, studio: dict[str, Any]) -> None:
    again = cli.json("provider", "sync", studio["name"])
    assert again == {"CounterpartyId": studio["CounterpartyId"], "new": 0, "changed": 0, "vanished": 0, "waiting": 0}
    assert "0 new" in cli.ok("provider", "sync", str(studio["provider_id"])).out


def test_a_provider_that_does_not_answer_is_told_as_that(cli: Cli) -> None:
    cli.ok("provider", "add", "Silent", "--url", "http://127.0.0.1:9")
    assert "provider Silent gave no games from http://127.0.0.1:9 (" in cli.complaint("provider", "sync", "Silent")


@pytest.mark.slow
def test_a_provider_is_closed_and_opened(cli: Cli) -> None:
    cli.ok("provider", "add", "Gone", "--url", "http://127.0.0.1:9")
    closed = cli.json("provider", "close", "Gone")
    assert (closed["enabled"], closed["closed"]) == (True, True)
    assert cli.json("provider", "open", "Gone")["closed"] is False
    assert cli.json("provider", "disable", "Gone")["enabled"] is False
    assert cli.json("provider", "enable", "Gone")["enabled"] is True
    assert set(cli.json("provider", "secret", "rotate", "Gone", "--now")) == {"CounterpartyId", "Secret"}
