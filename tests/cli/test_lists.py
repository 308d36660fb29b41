"""`bet list`, `payment list`, `session list`, `player show`, `trace` by what a person knows, and the forms of every list."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
import typer.main

from croupier.cli import app
from croupier.cli.index import COMMANDS
from tests.cli.conftest import Cli
from tests.core.samples import K

pytestmark = pytest.mark.slow


def walk(command: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every command of the program with its words."""
    inside = getattr(command, "commands", None)
    if path and not inside:
        return [(path, command)]
    names = COMMANDS if not path else inside
    found = [] if not path or not command.invoke_without_command else [(path, command)]
    for name in names:
        below = command.get_command(None, name)
        found += walk(below, (*path, name))
    return found


def everything() -> list[tuple[tuple[str, ...], Any]]:
    return walk(typer.main.get_command(app.app))


LISTS = ("casino list", "casino keys list", "provider list", "game list", "game diff", "game-type list", "player list", "session list", "bet list",
         "payment list", "keys list", "jackpot list", "notify list", "ggr", "incidents", "reconcile list",
         "account list", "account uses", "proposal list")  # fmt: skip
NEEDED = {"player list": ("--casino", "Aurora"), "ggr": ("--from", "2020-01-01", "--to", "2030-01-01")}


def test_every_list_command_is_known_here_and_has_both_forms() -> None:
    found = {
        " ".join(path): {option for one in command.params for option in one.opts} for path, command in everything()
    }
    assert {name for name in found if name.split()[-1] == "list"} <= set(LISTS)
    for name in LISTS:
        assert {"--json", "--csv"} <= found[name], name


@pytest.mark.parametrize("name", LISTS)
def test_every_list_is_csv_and_tabs_for_programs(cli: Cli, name: str) -> None:
    story = cli.story()
    story.settled(paid=False).exists(K.PAYOUT, amount="1.00")
    cli.keep(story)
    words = (*name.split(), *NEEDED.get(name, ()))
    said = cli(*words, "--csv")
    assert said.code in (0, 3), said.err
    rows = list(csv.reader(io.StringIO(said.out)))
    assert rows
    assert len({len(row) for row in rows}) == 1
    assert not any(frame in cli(*words).out for frame in "━─│")


def one(cli: Cli) -> int:
    story = cli.story()
    story.settled()
    cli.keep(story)
    return story.subject_id


def test_bets_are_found_and_paged_newest_first(cli: Cli) -> None:
    made = [one(cli) for _ in range(3)]
    found = cli.json("bet", "list", "--casino", "Aurora", "--player", "ann", "--limit", "2")
    assert [row["bet_id"] for row in found["rows"]] == made[:0:-1]
    rest = cli.json("bet", "list", "--player", "ann", "--limit", "1", "--after", found["after"])
    assert [row["bet_id"] for row in rest["rows"]] == made[:1]
    shown = cli.ok(
        "bet",
        "list",
        "--limit",
        "1",
        "--state",
        "settled",
        "--currency",
        "EUR",
        "--at-least",
        "10",
        "--at-most",
        "10.00",
    )
    assert shown.out.splitlines()[0].split("\t")[:3] == ["bet_id", "casino", "player"]
    assert shown.out.splitlines()[1].split("\t")[:3] == [str(made[-1]), "Aurora", "ann"]
    assert f"--after {made[-1]}" in shown.err
    assert cli.json("bet", "list", "--casino", "Borealis")["rows"] == []


def test_payments_and_sessions_are_found_and_paged(cli: Cli) -> None:
    bet_id = one(cli)
    found = cli.json("payment", "list", "--game", "Fable/g-1", "--limit", "1")
    assert [row["payment"] for row in found["rows"]] == [f"{bet_id}:stake"]
    rest = cli.json("payment", "list", "--provider", "Fable", "--limit", "1", "--after", found["after"])
    assert [row["payment"] for row in rest["rows"]] == [f"{bet_id}:payout"]
    sessions = cli.json("session", "list", "--player", "ann", "--state", "open")["rows"]
    assert "s-1" in {row["session_id"] for row in sessions}
    shown = cli.json("player", "show", "--casino", "Aurora", "--player", "ann")
    assert shown["bets"][0]["bet_id"] == bet_id
    assert "Last bets" in cli.ok("player", "show", "--casino", "Aurora", "--player", "ann").out


def test_a_bet_is_traced_by_what_a_person_knows(cli: Cli) -> None:
    bet_id = one(cli)
    assert cli.json("trace", "--last", "ann", "--casino", "Aurora")["subject"]["subject_id"] == bet_id
    (stake,) = cli.json("payment", "list", "--kind", "stake", "--limit", "1")["rows"]
    mine = f"own-{bet_id}"
    cli.world(
        lambda world: world.break_by(
            f"update payments set partner_tx = '{mine}' where subject_id = {bet_id} and kind = 'stake';"
        )
    )
    assert stake["payment"] == f"{bet_id}:stake"
    assert cli.json("trace", "--transaction", mine)["subject"]["subject_id"] == bet_id
    cli.world(lambda world: world.break_by(f"update bets set round_ref = '{mine}' where bet_id = {bet_id}"))
    assert cli.json("trace", "--round", mine)["subject"]["subject_id"] == bet_id
    other = one(cli)
    cli.world(lambda world: world.break_by(f"update bets set round_ref = '{mine}' where bet_id = {other}"))
    said = cli.complaint("trace", "--round", mine)
    assert f"{other} (player ann at Aurora, settled)" in said
    assert str(bet_id) in said


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (("trace",), "give one of BETID", 2),
        (("trace", "5", "--last", "ann"), "give one of BETID", 2),
        (("trace", "--last", "nobody"), "there is no bet of player", 1),
        (("trace", "--round", "nothing"), "there is no bet of round", 1),
        (("trace", "--transaction", "nothing"), "no casino accepted a payment", 1),
        (("bet", "list", "--state", "odd"), "--state must be one of: asked", 2),
        (("bet", "list", "--at-least", "1"), "--currency is missing", 2),
        (("bet", "list", "--at-least", "x", "--currency", "EUR"), "--at-least", 2),
        (("bet", "list", "--from", "soon"), "a day such as 2025-11-01", 2),
        (("bet", "list", "--from", "2025-11-02", "--to", "2025-11-01"), "must be after --from", 2),
        (("bet", "list", "--after", "x"), "--after is the cursor", 2),
        (("payment", "list", "--after", "5:x"), "--after is the cursor", 2),
        (("payment", "list", "--kind", "odd"), "--kind must be one of", 2),
        (("bet", "list", "--player", "nobody"), "there is no player", 1),
        (("bet", "list", "--limit", "0"), "--limit", 2),
    ],
)
def test_what_cannot_be_asked_is_told(cli: Cli, words: tuple[str, ...], says: str, code: int) -> None:
    assert says in cli.complaint(*words, code=code)
