"""`croupier incidents`: four lists, and the word that somebody has looked."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli
from tests.core.samples import K
from tests.views.world import Kept


def parked(cli: Cli) -> Kept:
    story = cli.story()
    story.settled(paid=False).exists(K.PAYOUT, amount="1.00")
    cli.keep(story)
    return story


@pytest.mark.slow
def test_everything_to_look_at_is_in_one_value(cli: Cli) -> None:
    hurt, on = parked(cli), cli.story()
    on.on()
    paying = cli.story()
    paying.settled(paid=False)
    cli.keep(on, paying)
    found = cli.review()
    assert set(found) == {"incidents", "incomplete", "parked", "unknown"}
    assert hurt.subject_id in {i["subject_id"] for i in found["incidents"]}
    assert on.subject_id in {g["bet_id"] for g in found["incomplete"]}
    assert f"{hurt.subject_id}:payout" in {p["payment"] for p in found["parked"]}
    assert f"{paying.subject_id}:payout" in {p["payment"] for p in found["unknown"]}
    said = cli("incidents")
    assert said.code == 3, "an incident is open"
    shown = said.out
    assert all(str(s.subject_id) in shown for s in (hurt, on, paying))
    assert cli.review("--open-for", "1e9")["incomplete"] == []


@pytest.mark.slow
def test_an_incident_is_closed_by_name_and_with_a_reason(cli: Cli) -> None:
    story = parked(cli)
    mine = [i["incident_id"] for i in cli.review()["incidents"] if i["subject_id"] == story.subject_id]
    assert len(mine) == 1
    cli.ok("incidents", "close", str(mine[0]), "--reason", "asked the casino", "--author", "mia")
    assert story.subject_id not in {i["subject_id"] for i in cli.review()["incidents"]}
    (line,) = cli.json("trace", str(story.subject_id))["incidents"]
    assert (line["closed_by"], line["close_note"]) == ("mia", "asked the casino")
    assert "no open incident" in cli.complaint("incidents", "close", str(mine[0]), "--reason", "again")


def test_a_time_that_no_row_can_hold_is_wrong_usage(cli: Cli) -> None:
    assert "--open-for" in cli.complaint("incidents", "--open-for", "1e300", code=2)
    assert "--keep-old" in cli.complaint("provider", "secret", "rotate", "Fable", "--keep-old", "1e300", code=2)


def test_nothing_a_peer_said_can_steer_a_terminal(cli: Cli) -> None:
    cli.world(
        lambda world: world.db.execute(
            "insert into incidents (subject_id, name, note, first_ms, last_ms) values (0, 'odd', $1, 1, 1)",
            "\x1b[2J[red]gone[/red]\r\n",
        )
    )
    shown = cli("incidents").out
    assert "\x1b" not in shown
    assert "[red]gone[/red]" in shown


@pytest.mark.slow
def test_many_incidents_are_closed_at_once_and_a_dry_run_closes_none(cli: Cli) -> None:
    """After a bad night a hundred incidents have one cause: nobody types a hundred ids."""
    stories = [parked(cli) for _ in range(3)]
    mine = {s.subject_id for s in stories}
    ids = sorted(i["incident_id"] for i in cli.review()["incidents"] if i["subject_id"] in mine)
    why = ("--reason", "the casino booked them", "--author", "mia")
    dry = cli.json("incidents", "close", *map(str, ids), "--dry-run", *why)
    assert dry == {"closed": [], "chosen": ids, "dry_run": True}
    assert str(ids[2]) in cli.ok("incidents", "close", *map(str, ids), "--dry-run", *why).out
    words = cli.complaint("incidents", "close", str(ids[0]), "999999999", *why)
    assert "no open incident 999999999" in words
    assert {i["incident_id"] for i in cli.review()["incidents"]} >= set(ids), "nothing is closed by half"
    assert cli.json("incidents", "close", *map(str, ids[:2]), *why)["closed"] == ids[:2]
    other = cli.json("incidents", "close", "--name", "parked", "--casino", "Borealis", *why)
    assert ids[2] not in other["closed"], "it is Aurora's"
    early = cli.json("incidents", "close", "--name", "parked", "--before", "1999-01-01", *why)
    assert early["closed"] == []
    assert ids[2] in cli.json("incidents", "close", "--name", "parked", "--casino", "Aurora", *why)["closed"]
    assert not mine & {i["subject_id"] for i in cli.review()["incidents"]}


def test_a_choice_is_either_ids_or_filters(cli: Cli) -> None:
    for command in ("incidents", "reconcile"):
        for words in ((), ("7", "--name", "parked")):
            assert "give ids, or" in cli.complaint(command, "close", *words, "--reason", "r", code=2)
        assert "--before" in cli.complaint(command, "close", "--before", "soon", "--reason", "r", code=2)
