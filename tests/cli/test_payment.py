"""`croupier payment`: what a person decides stands in the books beside the name."""

from __future__ import annotations

import getpass

import pytest

from tests.cli.conftest import Cli
from tests.core.samples import K
from tests.views.world import Kept

WHY = ("--reason", "asked the casino")


def parked(cli: Cli) -> Kept:
    story = cli.story()
    story.settled(paid=False).exists(K.PAYOUT, amount="1.00")
    cli.keep(story)
    return story


@pytest.mark.slow
def test_a_parked_payment_is_accepted_by_name(cli: Cli) -> None:
    story = parked(cli)
    done = cli.json("payment", "accept", f"{story.subject_id}:payout", *WHY, "--author", "mia")
    assert (done["payment"], done["state"]) == (f"{story.subject_id}:payout", "accepted")
    last = cli.json("trace", str(story.subject_id))["moments"][-1]
    assert (last["event"], last["author"], last["detail"]["reason"]) == ("accepted_by_person", "mia", WHY[1])
    assert [(e["source"], e["target"]) for e in last["entries"]] == [("owed/11", "wallets/11")]
    assert "it cannot be accepted" in cli.complaint("payment", "accept", f"{story.subject_id}:payout", *WHY)


def test_giving_up_is_a_correction_by_the_user_of_this_machine(cli: Cli) -> None:
    story = parked(cli)
    said = cli.ok("payment", "give-up", f"{story.subject_id}:payout", *WHY)
    assert "is refused" in said.out
    (entry,) = cli.json("trace", str(story.subject_id))["moments"][-1]["entries"]
    assert (entry["why"], entry["author"], entry["amount"]) == ("correction", getpass.getuser(), "25.00")


def test_a_retry_is_due_at_once_for_the_hub_that_serves(cli: Cli) -> None:
    story = parked(cli)
    said = cli.ok("payment", "retry", f"Fable:b-{story.subject_id}:payout", *WHY)
    assert f"No hub serves {cli.home}" in said.err
    (call,) = cli.json("trace", str(story.subject_id))["calls"]
    assert (call["slot"], call["step"], call["lease_owner"]) == ("payout", "make", None)


def test_a_kind_may_be_written_with_a_hyphen(cli: Cli) -> None:
    story = cli.story()
    story.on().refund()
    cli.keep(story)
    assert cli.json("payment", "accept", f"{story.subject_id}:bet-return", *WHY)["kind"] == "bet_return"


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("which", "says"),
    [
        ("5", "names no payment"),
        ("5:prize", "names no payment"),
        ("5:payout", "there is no bet or cashback '5'"),
        ("{bet}:jackpot", "`croupier trace {bet}`"),
        ("{bet}:cashback", "`croupier trace {bet}`"),
    ],
)
def test_what_is_no_payment_is_told(cli: Cli, which: str, says: str) -> None:
    story = parked(cli)
    bet = str(story.subject_id)
    complaint = cli.complaint("payment", "retry", which.replace("{bet}", bet), *WHY)
    assert says.replace("{bet}", bet) in complaint


def test_a_reason_is_asked_for(cli: Cli) -> None:
    assert "Missing option '--reason'" in cli.complaint("payment", "retry", "5:payout", code=2)
