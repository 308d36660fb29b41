"""Errors for programs: with `--json` one line of JSON on standard error, with a code that docs/OPERATIONS.md lists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from croupier.admin_api.errors import CommandError
from croupier.cli.sentences import CODES, code_of
from croupier.kit.config import BadSettings
from croupier.kit.otlp import OtelMissing
from croupier.kit.seal import SealBroken
from croupier.store.db import DbConflict, DbDown, DbUnfit
from croupier.store.parties.counterparties import NameTaken
from tests.cli.conftest import Cli

PAGE = Path(__file__).parents[2] / "docs" / "OPERATIONS.md"


def error_of(said: Any) -> dict[str, str]:
    (line,) = said.err.splitlines()
    told = json.loads(line)
    assert list(told) == ["error"]
    assert sorted(told["error"]) == ["code", "message"]
    error: dict[str, str] = told["error"]
    return error


def test_a_wrong_word_is_usage(nowhere: Cli) -> None:
    said = nowhere("casino", "lst", "--json")
    assert (said.code, said.out) == (2, "")
    error = error_of(said)
    assert error["code"] == "usage"
    assert "--help" in error["message"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("casino", "show", "nobody", "--json"), "not_found"),
        (("incidents", "close", "999999999", "--reason", "r", "--author", "bea", "--json"), "not_found"),
        (("trace", "12345", "--json"), "not_found"),
        (("jackpot", "show", "nobody", "--json"), "not_found"),
    ],
)
def test_a_command_that_cannot_be_done_says_why_by_a_code(cli: Cli, words: tuple[str, ...], code: str) -> None:
    said = cli(*words)
    assert (said.code, said.out) == (1, "")
    assert error_of(said)["code"] == code
    plain = cli(*(word for word in words if word != "--json"))
    assert plain.err.startswith("croupier: ")


def test_settings_that_are_wrong(nowhere: Cli) -> None:
    said = nowhere("casino", "list", "--json", CROUPIER_PORT="x")
    assert error_of(said)["code"] == "settings"


def test_the_first_code_that_fits_is_the_errors() -> None:
    assert code_of(OtelMissing("x")) == "settings"
    assert code_of(DbUnfit("x")) == code_of(DbDown("x")) == "database"
    assert code_of(DbConflict("x")) == "busy"
    assert code_of(NameTaken("casino", "x")) == "name_taken"
    assert code_of(BadSettings(["x"])) == "settings"
    assert code_of(SealBroken("x")) == "key"
    assert code_of(CommandError("x")) == "refused"
    assert code_of(FileNotFoundError(2, "no", "x")) == "file"
    assert code_of(ZeroDivisionError()) == "bug"


def test_the_page_lists_every_code() -> None:
    section = PAGE.read_text().partition("## Errors of commands")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)) == CODES
