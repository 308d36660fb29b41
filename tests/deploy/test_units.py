"""The systemd units are read by systemd itself where it is, and give the hub the time that its stop takes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from croupier.apps.serve import END_S
from tests.deploy.surface import ROOT, SETTINGS

FOLDER = ROOT / "deploy" / "systemd"
UNITS = sorted(path for path in FOLDER.iterdir() if path.suffix in {".service", ".timer"})
HUB = (FOLDER / "croupier.service").read_text("utf-8")


def value(name: str) -> str:
    [found] = re.findall(rf"^{name}=(.*)$", HUB, re.MULTILINE)
    return str(found)


def test_the_stop_is_orderly() -> None:
    assert value("KillSignal") == "SIGTERM"
    assert value("KillMode") == "mixed"
    assert int(value("TimeoutStopSec")) > END_S


def test_the_hub_may_do_no_more_than_it_must() -> None:
    """No root, no right beyond a user's, nothing to write but its own folder."""
    assert value("User") == "croupier"
    assert value("CapabilityBoundingSet") == ""
    assert value("ProtectSystem") == "strict"
    assert value("SystemCallArchitectures") == "native"
    for name in (
        "NoNewPrivileges",
        "ProtectHome",
        "PrivateTmp",
        "PrivateDevices",
        "ProtectKernelTunables",
        "RestrictNamespaces",
    ):
        assert value(name) == "yes", name
    assert "ReadWritePaths" not in HUB
    assert value("StateDirectoryMode") == "0700"
    assert value("UMask") == "0077"


def test_every_setting_is_one_of_the_hub() -> None:
    text = (FOLDER / "croupier.env").read_text("utf-8") + HUB + (FOLDER.parent / "README.md").read_text("utf-8")
    assert set(re.findall(r"\b(CROUPIER_[A-Z_]+)=", text)) <= SETTINGS


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: str(unit.name))
def test_systemd_itself_reads_the_unit(unit: Path, tmp_path: Path) -> None:
    """The program's path is replaced by one that exists: nothing is installed here."""
    for each in UNITS:
        (tmp_path / each.name).write_text(
            each.read_text("utf-8").replace("/opt/croupier/.venv/bin/croupier", "/bin/true")
        )
    name = unit.name.replace("@.", "@audit.")
    shutil.copy(tmp_path / unit.name, tmp_path / name) if name != unit.name else None
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in told.stderr.splitlines() if "croupier" in line] == []
    assert told.returncode == 0, told.stderr
