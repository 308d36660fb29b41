"""`croupier account` and `croupier proposal`: a person proposes, another approves, and the books name both."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli
from tests.cli.test_payment import parked

WHY = ("--reason", "asked the casino")


def token(cli: Cli, name: str, role: str = "decide") -> str:
    made = cli.json("account", "add", name, "--role", role)
    assert (made["Name"], made["Role"]) == (name, role)
    return str(made["Secret"])


@pytest.mark.slow
def test_with_four_eyes_a_payment_is_given_up_by_two_persons(cli: Cli) -> None:
    story, mia, ben = parked(cli), token(cli, "mia-4"), token(cli, "ben-4")
    payment = f"{story.subject_id}:payout"
    words = ("payment", "give-up", payment, *WHY)
    two = {"CROUPIER_FOUR_EYES": "1"}
    assert "needs your account" in cli.complaint(*words, **two)
    assert "no open account" in cli.complaint(*words, **two, CROUPIER_TOKEN="cra_nonsense")
    said = cli.ok(*words, **two, CROUPIER_TOKEN=mia).out
    assert "waits for a second person" in said
    (waiting,) = [p for p in cli.json("proposal", "list") if payment in p["command"]]
    number = str(waiting["proposal_id"])
    assert (waiting["command"], waiting["made_by"]) == (f"payment give-up {payment}", "mia-4")
    assert "mia-4 proposed it" in cli.complaint("proposal", "approve", number, CROUPIER_TOKEN=mia)
    done = cli.ok("proposal", "approve", number, CROUPIER_TOKEN=ben)
    assert f"Proposal {number} is done" in done.out
    assert f"No hub serves {cli.home}" in done.err
    last = cli.json("trace", str(story.subject_id))["moments"][-1]
    assert (last["event"], last["author"]) == ("given_up_by_person", "mia-4, approved by ben-4")
    assert number in cli.ok("proposal", "list", "--all").out
    assert number not in [str(p["proposal_id"]) for p in cli.json("proposal", "list")]


@pytest.mark.slow
def test_whoever_has_an_account_signs_with_it_on_the_machine_of_the_hub_too(cli: Cli) -> None:
    """The name in the books is no free text then, and the role counts."""
    looks, mia = token(cli, "lea-6", "look"), token(cli, "mia-6")
    story = parked(cli)
    words = ("payment", "give-up", f"{story.subject_id}:payout", *WHY)
    assert "this needs the role decide" in cli.complaint(*words, CROUPIER_TOKEN=looks)
    free = cli.complaint(*words, "--author", "somebody", CROUPIER_TOKEN=mia, code=2)
    assert "is your account while CROUPIER_TOKEN is set" in free
    cli.ok(*words, CROUPIER_TOKEN=mia)
    last = cli.json("trace", str(story.subject_id))["moments"][-1]
    assert (last["event"], last["author"]) == ("given_up_by_person", "mia-6")


@pytest.mark.slow
def test_on_request_one_act_waits_for_a_second_person(cli: Cli) -> None:
    story, mia, ben = cli.story(), token(cli, "mia-5"), token(cli, "ben-5")
    story.on()
    cli.keep(story)
    asked = ("bet", "settle", str(story.subject_id), "--win", "2.00", "--propose", "--json", *WHY)
    proposal = cli.ok(*asked, CROUPIER_TOKEN=mia).json()["proposal"]
    refused = cli.ok("proposal", "refuse", str(proposal["proposal_id"]), "--reason", "no", CROUPIER_TOKEN=ben)
    assert "is refused: no" in refused.out
    cli.ok("bet", "settle", str(story.subject_id), "--win", "2.00", *WHY)


@pytest.mark.slow
def test_accounts_are_added_listed_renewed_and_closed(cli: Cli) -> None:
    first = token(cli, "zoe", "look")
    assert "there is an account 'zoe' already" in cli.complaint("account", "add", "zoe", "--role", "look")
    assert "--role" in cli.complaint("account", "add", "yan", "--role", "boss", code=2)
    assert cli.json("account", "token", "zoe")["Secret"] != first
    assert "role look: this needs the role decide" in cli.complaint(
        "proposal", "approve", "1", CROUPIER_TOKEN=cli.json("account", "token", "zoe")["Secret"]
    )
    cli.ok("account", "close", "zoe")
    assert "no open account 'zoe'" in cli.complaint("account", "close", "zoe")
    assert {(a["name"], a["closed_ms"] is None) for a in cli.json("account", "list")} >= {("zoe", False)}


def test_a_win_above_the_limits_is_said_twice(cli: Cli) -> None:
    story = cli.story()
    story.on()
    cli.keep(story)
    words = ("bet", "settle", str(story.subject_id), "--win", "250000.00", *WHY)
    assert "if it is right, give --above-limits too" in cli.complaint(*words)
    assert "settled" in cli.ok(*words, "--above-limits").out
