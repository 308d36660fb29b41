"""`croupier audit`: exit code 0 if the books are in order, 1 with the violations if not."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli
from tests.views.world import World, everything


def test_books_in_order(cli: Cli) -> None:
    stories = everything_of(cli)
    report = cli.json("audit")
    assert report["holds"] is True
    assert report["ledger_totals"] == {"EUR": "0.00"}
    assert [i["name"] for i in report["invariants"]][:3] == ["I1", "I2", "I3"]
    assert report["invariants"][1]["checked"] is False
    assert stories > 20
    shown = cli.ok("audit").out
    assert "Violations: none" in shown
    assert "BROKEN" not in shown
    assert "not shown by rows" not in shown
    assert max(map(len, shown.splitlines())) < 200
    assert "not shown by rows" in cli.ok("audit", "--all").out


def test_what_the_continuous_auditor_found_last_is_shown_without_a_check(cli: Cli) -> None:
    """Exit code 1 is what a monitoring script looks at."""
    held = cli.json("audit", "--last")
    assert (held["holds"], held["invariants"]) == (True, [])
    assert "Last checks: none" in cli.ok("audit", "--last").out
    cli.world(lambda w: w.break_by(
        "insert into audit_results (invariant, at_ms, took_ms, subjects) values ('I1', 1760000000000, 5, 7);"
        " insert into audit_violations (invariant, subject_id, about, what, first_ms, last_ms)"
        " values ('I1', 9, '', 'an entry moves nothing', 1, 1)"
    ))  # fmt: skip
    try:
        said = cli("audit", "--last", "--json")
        assert (said.code, said.json()["holds"]) == (1, False)
        (check,) = said.json()["invariants"]
        assert (check["invariant"], check["subjects"], check["violations"]) == ("I1", 7, 1)
        said = cli("audit", "--last")
        assert (said.code, "BROKEN" in said.out) == (1, True)
    finally:
        cli.world(lambda w: w.break_by("delete from audit_violations; delete from audit_results"))
    assert "--last" in cli.complaint("audit", "--last", "--all", code=2)


def everything_of(cli: Cli) -> int:
    """Write a bet or cashback in every state, under ids of this home's own."""

    async def write(world: World) -> int:
        world._next = cli._subjects
        stories = everything(world)
        cli._subjects = world._next
        await world.keep(*stories.values())
        return len(stories)

    return cli.world(write)


@pytest.mark.slow
def test_a_violation_is_named_and_fails(cli: Cli) -> None:
    story = cli.story()
    cli.keep(story.on())
    cli.world(lambda w: w.break_by(f"update bets set state = 'refused' where bet_id = {story.subject_id}"))
    try:
        said = cli("audit", "--json")
        assert said.code == 1
        assert said.err == ""
        assert said.json()["holds"] is False
        broken = {i["name"] for i in said.json()["invariants"] if i["violations"]}
        assert {"I3", "I11", "I13"} <= broken
        said = cli("audit")
        assert said.code == 1
        assert "BROKEN" in said.out
        assert str(story.subject_id) in said.out
    finally:
        cli.world(lambda w: w.break_by(f"update bets set state = 'on' where bet_id = {story.subject_id}"))
