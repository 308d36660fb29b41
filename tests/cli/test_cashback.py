"""`croupier cashback`: one payment per ref, cancelled by name."""

from __future__ import annotations

import getpass

import pytest

from tests.cli.conftest import Cli

PAY = ("cashback", "pay", "--casino", "Aurora", "--player", "dora", "--currency", "EUR")


@pytest.mark.slow
def test_the_same_ref_pays_once(cli: Cli) -> None:
    first = cli.json(*PAY, "--amount", "12.50", "--ref", "week 1")
    assert (first["amount"], first["currency"], first["ref"], first["state"]) == ("12.50", "EUR", "week 1", "owed")
    assert cli.json(*PAY, "--amount", "12.5", "--ref", "week 1") == first
    assert "use another --ref" in cli.complaint(*PAY, "--amount", "13", "--ref", "week 1")
    trace = cli.json("trace", str(first["CashbackId"]))
    assert [e["amount"] for m in trace["moments"] for e in m["entries"]] == ["12.50"]
    assert [c["slot"] for c in trace["calls"]] == ["cashback"], "left for the hub that serves"
    assert trace["calls"][0]["lease_owner"] is None


def test_without_a_ref_one_is_made_and_told_before_it_counts(cli: Cli) -> None:
    said = cli.ok(*PAY, "--amount", "1", "--json")
    ref = said.json()["ref"]
    assert f"--ref {ref}" in said.err
    (decided,) = cli.json("trace", str(said.json()["CashbackId"]))["moments"]
    assert decided["detail"]["asked_by"] == getpass.getuser(), "the person who paid is in the trace"
    assert cli.json(*PAY, "--amount", "1", "--ref", ref) == said.json()


@pytest.mark.slow
def test_a_cancel_is_signed_and_may_be_asked_for_again(cli: Cli) -> None:
    paid = cli.ok(*PAY, "--amount", "2", "--json")
    assert f"No hub serves {cli.home}: the cashback is not sent to the casino" in paid.err, "it waits, and that is said"
    number = str(paid.json()["CashbackId"])
    assert cli.json("cashback", "cancel", number, "--author", "mia")["state"] == "cancel_wanted"
    assert cli.json("cashback", "cancel", number)["state"] == "cancel_wanted"
    moments = cli.json("trace", number)["moments"]
    assert [(m["event"], m["author"]) for m in moments] == [("cashback_decided", None), ("cancelled_by_person", "mia")]


@pytest.mark.parametrize(
    ("amount", "says"),
    [("0", "more than 0"), ("1.005", "more decimals"), ("-1", "digits"), ("1e3", "digits"), ("١", "digits")],
)
@pytest.mark.one_in(4)
def test_an_amount_outside_the_grammar_is_refused(cli: Cli, amount: str, says: str) -> None:
    complaint = cli.complaint(*PAY, f"--amount={amount}", code=2)
    assert complaint.startswith("--amount ")
    assert says in complaint


@pytest.mark.slow
def test_what_cannot_be_paid_is_told(cli: Cli) -> None:
    cli.ok(*PAY, "--amount", "1")
    other = [word if word != "EUR" else "XXX" for word in PAY]
    assert "currency 'XXX' is not known" in cli.complaint(*other, "--amount", "1")
    other = [word if word != "EUR" else "JPY" for word in PAY]
    assert "does not play in JPY" in cli.complaint(*other, "--amount", "1", "--ref", "in yen")
    assert "1 to 128 characters" in cli.complaint(*PAY, "--amount", "1", "--ref", "", code=2)
    assert "there is no cashback week 1: `croupier cashback pay`" in cli.complaint("cashback", "cancel", "week 1")
    assert "there is no cashback 7" in cli.complaint("cashback", "cancel", "7")


@pytest.mark.parametrize(
    "ref", ["week 9 ", " week 9", "week 9\n", "week\t9", "week 9\u200b", "week\xa09", "week 9\x85"]
)
@pytest.mark.one_in(4)
def test_a_ref_that_differs_only_in_what_nobody_sees_does_not_pay_again(cli: Cli, ref: str) -> None:
    complaint = cli.complaint(*PAY, "--amount", "3", "--ref", ref, code=2)
    assert complaint.startswith("--ref must not ")
    other = [word if word != "dora" else f"dora{ref[-1]}" for word in PAY]
    if ref[-1] != "9":
        assert "--player must not " in cli.complaint(*other, "--amount", "3", code=2)


@pytest.mark.slow
def test_a_disabled_casino_pays_none(cli: Cli) -> None:
    cli.ok("casino", "disable", "Aurora")
    try:
        assert "is disabled" in cli.complaint(*PAY, "--amount", "1", "--ref", "closed")
    finally:
        cli.ok("casino", "set", "Aurora", "enabled=true")
