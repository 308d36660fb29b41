"""`croupier doctor`: what is wrong and what to do, exit code 1 only if something is."""

from __future__ import annotations

import datetime as dt
import signal
from pathlib import Path
from typing import Any

import pytest

from croupier.cli.doctor import _queue
from croupier.kit.clock import SystemClock
from croupier.store.oversight.incidents import Incidents
from croupier.views.health import Health, Queue
from tests.cli.conftest import Cli, end
from tests.kit.authority import BEGIN, Authority


def results(report: Any) -> dict[str, str]:
    return {check["name"]: check["result"] for check in report["checks"]}


@pytest.mark.slow
def test_a_home_in_order(cli: Cli, studio: dict[str, Any]) -> None:
    process = cli.start("serve", "--port", "0")
    try:
        assert process.stderr is not None
        assert "listens on" in process.stderr.readline()
        while "worker.ready" not in process.stderr.readline():
            pass
        report = cli.json("doctor")
        assert "PostgreSQL" in cli.ok("doctor").out
    finally:
        end(process)
    found = results(report)
    assert report["healthy"] is True
    assert found["hub"] == "ok"
    assert {found[name] for name in ("settings", "key file", "database", "schema", "clock")} == {"ok"}
    assert found[f"provider {studio['name']}"] == "ok"
    assert found["casino Aurora"] == "look", "http://casino.test does not answer"


@pytest.mark.one_in(2)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.slow
def test_a_hub_that_was_ended_is_not_healthy(cli: Cli, number: signal.Signals) -> None:
    process = cli.start("serve", "--port", "0")
    assert process.stderr is not None
    while "worker.ready" not in process.stderr.readline():
        pass
    end(process, number)
    said = cli("doctor", "--json")
    assert said.code == 1
    assert said.json()["healthy"] is False
    (hub,) = [check for check in said.json()["checks"] if check["name"] == "hub"]
    assert hub["result"] == "wrong"
    assert "`croupier serve`" in hub["says"]


def test_a_key_that_others_may_read_is_wrong(cli: Cli) -> None:
    key = cli.home / "key"
    cli.ok("casino", "list")
    key.chmod(0o644)
    try:
        said = cli("doctor", "--json")
        assert said.code == 1
        assert results(said.json())["key file"] == "wrong"
        assert "chmod 600" in said.out
        assert "chmod 600" in cli.complaint("casino", "list")
    finally:
        key.chmod(0o600)


def test_a_key_that_is_gone_is_wrong_and_no_other_is_made(cli: Cli) -> None:
    key, aside = cli.home / "key", cli.home / "key.aside"
    key.rename(aside)
    try:
        assert "put it back" in cli.complaint("casino", "list")
        said = cli("doctor", "--json")
        assert said.code == 1
        assert results(said.json())["key file"] == "wrong"
        assert not key.exists()
    finally:
        aside.rename(key)


def test_wrong_settings_and_an_absent_database_are_findings(nowhere: Cli) -> None:
    said = nowhere("doctor", "--json", CROUPIER_PORT="x", CROUPIER_WORKERS="0")
    assert said.code == 1
    assert [check["result"] for check in said.json()["checks"]] == ["wrong", "wrong"]
    said = nowhere("doctor", "--json", CROUPIER_DATABASE_URL="postgresql://a:hush@127.0.0.1:1/x")
    assert said.code == 1
    assert results(said.json())["database"] == "wrong"
    assert "hush" not in said.out


@pytest.mark.slow
def test_a_queue_that_nobody_works_on_is_told(cli: Cli) -> None:
    story = cli.story()
    cli.keep(story.opened())
    (check,) = [check for check in cli("doctor", "--json").json()["checks"] if check["name"] == "queue"]
    assert check["result"] == "look"
    assert "nobody makes them" in check["says"]


def test_a_casino_that_answers_with_anothers_credentials_is_named(cli: Cli) -> None:
    note = "token for client 4 verified as 3: the address of casino 4 answers with the credentials of casino 3"
    cli.world(lambda world: Incidents(world.db, SystemClock()).raise_new(0, "mixed_up", note))
    (check,) = [check for check in cli("doctor", "--json").json()["checks"] if check["name"] == "casinos"]
    assert (check["result"], check["says"]) == ("look", note)


@pytest.mark.parametrize(
    ("calls", "serving", "result", "says"),
    [(1, 0, "look", "1 call, 0 due"), (1, 1, "ok", "1 call, 0 due"), (0, 0, "ok", "0 calls"), (2, 2, "ok", "2 calls")],
)
def test_whatever_waits_while_no_hub_serves_is_to_be_looked_at(
    calls: int, serving: int, result: str, says: str
) -> None:
    queue = Queue(calls=calls, due=0, leased=0, crashed=0, oldest_due_s=0.0)
    hub, waiting, people = _queue(Health("up", (), queue, (), open_incidents=1, parked_payments=2), serving)
    assert (waiting.result, waiting.says.startswith(says)) == (result, True)
    assert people.says.startswith("1 open incident, 2 parked payments")
    assert hub.says.startswith({0: "no process serves", 1: "1 process serves", 2: "2 processes serve"}[serving])


def test_a_client_certificate_is_judged_by_what_lies_there_now(cli: Cli, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    name = "Doge Palace"
    cli.ok("casino", "add", name, "--url", "https://127.0.0.1:1/hub", "--currency", "EUR")

    def said() -> list[tuple[str, str]]:
        found = cli("doctor", "--json").json()["checks"]
        return [(check["result"], check["says"]) for check in found if check["name"] == f"casino {name}"]

    cert, key = authority.certificate("hub")
    cli.ok("casino", "set", name, f"client_cert={cert}", f"client_key={key}", f"ca={authority.ca}")
    reached, until = said()
    assert reached[0] == "look", "nobody listens there"
    assert until[0] == "ok"
    assert f"the client certificate {cert} expires in" in until[1]
    authority.certificate("hub", end=dt.datetime.now(dt.UTC) + dt.timedelta(days=3, hours=1))
    assert said()[1] == ("look", f"the client certificate {cert} expires in 3 days: put a new one there")
    authority.certificate("hub", end=BEGIN + dt.timedelta(days=1))
    (expired,) = said()
    assert expired == (
        "wrong",
        f"nothing can be sent to https://127.0.0.1:1/hub: the client certificate {cert} has expired: put a new one there",
    )
    cli.ok("casino", "disable", name)
    assert said() == [expired], "what is owed is sent there all the same"
    key.unlink()
    ((result, why),) = said()
    assert (result, f"{key} cannot be read" in why) == ("wrong", True)
    cli.world(lambda world: world.db.execute("delete from casinos where name = $1", name))
