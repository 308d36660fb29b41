"""The compose file names files that exist and settings that the hub has, opens few ports, and holds no secret."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.surface import ROOT, SETTINGS
from tools.without_embedded import LEFT_OUT, without

FOLDER = ROOT / "deploy" / "compose"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
CONTAINERFILE = (ROOT / "deploy" / "container" / "Containerfile").read_text("utf-8")


def test_only_the_proxy_is_reached_from_outside() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {"proxy": ["80:80", "443:443"], "grafana": ["127.0.0.1:3000:3000"]}
    assert SERVICES["database"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_every_image_has_a_version() -> None:
    assert [service["image"] for service in SERVICES.values() if not re.search(r":v?\d+\.\d+", service["image"])] == []


def test_every_file_that_it_mounts_is_here() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", []) if mount.startswith(".")]
    assert mounts
    assert [mount for mount in mounts if not (FOLDER / mount.split(":")[0]).exists()] == []


@pytest.mark.parametrize("service", ["hub", "migrate"])
def test_the_hub_gets_settings_that_it_has_and_a_root_that_it_cannot_write(service: str) -> None:
    assert set(SERVICES[service]["environment"]) <= SETTINGS
    assert SERVICES[service]["read_only"] is True
    assert SERVICES[service]["cap_drop"] == ["ALL"]


def test_the_hub_starts_when_the_schema_is_there_and_stops_in_order() -> None:
    assert SERVICES["hub"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert SERVICES["hub"]["stop_grace_period"] == "20s"


def test_secrets_are_made_once_and_are_not_under_version_control(tmp_path: Path) -> None:
    script = tmp_path / "make_secrets.sh"
    script.write_bytes((FOLDER / "make_secrets.sh").read_bytes())
    for _ in range(2):
        subprocess.run(["sh", str(script)], check=True, capture_output=True)
        made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
        if _ == 0:
            first = made
    assert made == first
    assert set(made) == set(COMPOSE["secrets"])
    assert len(made["database_password"]) == 48
    assert made["database_url"] == f"postgresql://croupier:{made['database_password']}@database/croupier"
    assert "secrets/" in (FOLDER / ".gitignore").read_text().splitlines()


def test_the_image_runs_as_nobody_special_and_is_watched() -> None:
    assert "USER 10001:10001" in CONTAINERFILE
    assert "HEALTHCHECK" in CONTAINERFILE
    assert "--require-hashes" in CONTAINERFILE
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", CONTAINERFILE, re.MULTILINE)
    assert [name for line in copied for name in line.split() if not (ROOT / name).exists()] == []
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {name for line in copied for name in line.split()} <= kept


def test_the_lock_without_the_embedded_server_lacks_nothing_else() -> None:
    lock = (ROOT / "requirements.txt").read_text("utf-8")
    names = re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)
    assert LEFT_OUT in names
    assert re.findall(r"^([\w.-]+)==", without(lock), re.MULTILINE) == [name for name in names if name != LEFT_OUT]
    assert all(line.startswith((" ", "#")) or "==" in line for line in without(lock).splitlines())
