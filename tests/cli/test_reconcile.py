"""`croupier reconcile`: what is compared, what is listed for the person who looks at night, and what its exit code says."""

from __future__ import annotations

import pytest

from croupier.cli.reconcile import TO_DO
from croupier.core.reconciliation import Difference
from tests.cli.conftest import Cli
from tests.views.world import World

EVIDENCE = (
    '{"hub": {"state": "settled", "currency": "EUR", "payments": [{"kind": "payout", "amount": "25.00",'
    ' "state": "accepted"}]}, "casino": [], "provider": {"pay_in": "ok", "pay_out": "ok", "refund": null}}'
)


def plant(cli: Cli, subject_id: int, name: str = "forgotten", casino_id: int = 12) -> int:
    async def put(world: World) -> int:
        sql = (
            "insert into findings (casino_id, subject_id, about, name, words, evidence, first_ms, last_ms)"
            " values ($1, $2, 'payout', $3, 'accepted as sbx-1', $4, 1, 1) returning finding_id"
        )
        await world.db.execute(
            "insert into incidents (subject_id, name, note, first_ms, last_ms) values ($1, 'difference', 'n', 1, 1)",
            subject_id,
        )
        return int(await world.db.fetchval(sql, casino_id, subject_id, name, EVIDENCE))

    return cli.world(put)


def test_every_difference_has_a_line_that_says_what_to_do() -> None:
    assert set(TO_DO) == set(Difference)


@pytest.mark.slow
def test_an_open_finding_is_shown_with_what_each_side_says_and_fails_the_command(cli: Cli) -> None:
    number = plant(cli, 77_001)
    said = cli("reconcile", "--casino", "Borealis")
    assert said.code == 3
    for words in ("payout: forgotten", "settled: payout 25.00 accepted", "nothing", "pay_in ok, pay_out ok"):
        assert words in said.out
    assert f"forgotten: {TO_DO[Difference.FORGOTTEN]}." in said.out
    found = cli("reconcile", "--casino", "12", "--json")
    assert found.code == 3
    assert cli("reconcile", "list").code == 3
    report = found.json()
    assert (report["holds"], report["open_findings"]) == (False, 1)
    assert report["findings"][0]["evidence"]["provider"]["pay_in"] == "ok"
    assert 77_001 in {i["subject_id"] for i in cli.review()["incidents"]}
    cli.ok("reconcile", "close", str(number), "--reason", "paid by hand", "--author", "mia")
    assert cli.json("reconcile", "--casino", "Borealis")["holds"] is True
    assert 77_001 not in {i["subject_id"] for i in cli.review()["incidents"]}, "its incident is settled too"
    assert "no open finding" in cli.complaint("reconcile", "close", str(number), "--reason", "again")


@pytest.mark.slow
def test_an_incident_stays_open_while_another_finding_of_the_bet_is(cli: Cli) -> None:
    first, second = plant(cli, 77_002), None

    async def put(world: World) -> int:
        sql = (
            "insert into findings (casino_id, subject_id, about, name, words, evidence, first_ms, last_ms)"
            " values (12, 77002, 'stake', 'booked_twice', 'listed 2 times', $1, 1, 1) returning finding_id"
        )
        return int(await world.db.fetchval(sql, EVIDENCE))

    second = cli.world(put)
    cli.ok("reconcile", "close", str(first), "--reason", "one of two")
    assert 77_002 in {i["subject_id"] for i in cli.review()["incidents"]}
    cli.ok("reconcile", "close", str(second), "--reason", "the other")
    assert 77_002 not in {i["subject_id"] for i in cli.review()["incidents"]}


@pytest.mark.slow
def test_many_findings_are_closed_at_once_and_a_dry_run_closes_none(cli: Cli) -> None:
    mine = [plant(cli, 77_100 + n) for n in range(3)]
    why = ("--reason", "the casino corrected them", "--author", "mia")

    def still_open() -> set[int]:
        return {one["finding_id"] for one in cli("reconcile", "list", "--json").json()} & set(mine)

    dry = cli.json("reconcile", "close", *map(str, mine), "--dry-run", *why)
    assert dry == {"closed": [], "chosen": mine, "dry_run": True}
    assert still_open() == set(mine)
    assert cli.json("reconcile", "close", *map(str, mine[:2]), *why)["closed"] == mine[:2]
    assert mine[2] not in cli.json("reconcile", "close", "--casino", "Aurora", *why)["closed"], "it is Borealis's"
    assert cli.json("reconcile", "close", "--casino", "Borealis", "--name", "forgotten", *why)["closed"] == mine[2:]
    assert still_open() == set()


@pytest.mark.slow
def test_a_casino_that_does_not_answer_proves_nothing(cli: Cli) -> None:
    """Aurora's address leads nowhere: nothing is claimed of its bets, and the command says that it is to be run again."""
    stories = [cli.story() for _ in range(4)]
    for story in stories:
        story.settled()
    cli.keep(*stories)
    said = cli("reconcile", "--bet", str(stories[0].subject_id), "--json")
    assert said.code == 1
    report = said.json()
    assert (report["compared"], report["unusable"], report["open_findings"]) == (1, 1, 0)
    assert report["unusable_answers"][0]["BetId"] == stories[0].subject_id
    whole = cli("reconcile", "--casino", "Aurora", "--day", "2025-10-09", "--per-second", "100")
    assert whole.code == 1
    assert "The casino does not answer" in whole.out


@pytest.mark.slow
def test_a_day_counts_the_cashbacks_that_nobody_can_ask_after(cli: Cli) -> None:
    story = cli.story()
    story.cashback()
    cli.keep(story)
    assert "cashback" in cli.complaint("reconcile", "--bet", str(story.subject_id))
    report = cli("reconcile", "--casino", "11", "--day", "2025-10-09", "--json").json()
    assert report["cashbacks_not_comparable"] >= 1
    empty = cli.json("reconcile", "--casino", "11", "--day", "1999-01-01")
    assert (empty["compared"], empty["cashbacks_not_comparable"], empty["holds"]) == (0, 0, True)
    assert "nothing to compare" in cli.ok("reconcile", "--casino", "11", "--day", "1999-01-01").out


def test_options_that_do_not_go_together_are_wrong_usage(cli: Cli) -> None:
    assert "--casino" in cli.complaint("reconcile", "--day", "2025-10-09", code=2)
    assert "--day" in cli.complaint("reconcile", "--casino", "11", "--day", "soon", code=2)
    assert "one of" in cli.complaint("reconcile", "--open", "--bet", "1", code=2)
