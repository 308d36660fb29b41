"""deploy/patroni: a failover that this file allows loses nothing that was answered. tests/apps/test_standby.py proves the mechanism."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

PATRONI = Path(__file__).parents[2] / "deploy/patroni/patroni.yaml"


def test_a_commit_waits_for_a_standby_and_only_a_whole_one_takes_over() -> None:
    shared: dict[str, Any] = yaml.safe_load(PATRONI.read_text())["bootstrap"]["dcs"]
    assert (shared["synchronous_mode"], shared["synchronous_mode_strict"]) == (True, True)
    assert shared["maximum_lag_on_failover"] == 0
    assert shared["postgresql"]["parameters"]["synchronous_commit"] == "on"


def test_an_old_primary_is_stopped_before_a_new_one_begins() -> None:
    assert yaml.safe_load(PATRONI.read_text())["watchdog"]["mode"] == "required"


def test_no_password_stands_in_the_file_and_no_connection_goes_without_tls() -> None:
    told = yaml.safe_load(PATRONI.read_text())["postgresql"]
    assert all("password" not in account for account in told["authentication"].values())
    assert all(rule.startswith("hostssl ") and rule.endswith(" scram-sha-256") for rule in told["pg_hba"])


def test_the_database_holds_every_text() -> None:
    assert {"encoding": "UTF8"} in yaml.safe_load(PATRONI.read_text())["bootstrap"]["initdb"]
