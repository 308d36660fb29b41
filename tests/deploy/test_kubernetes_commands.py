"""The commands for Kubernetes in deploy/README.md run as they stand, and a hub takes the key that they make.

`kubectl` and `helm` are stand-ins that note their words: what they do needs a cluster.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from croupier.apps.wiring import open_hub
from croupier.cli.doctor import _key
from croupier.kit.config import load
from croupier.kit.key_file import KEY_BYTES, KeyFileRefused, read_ring
from tests.deploy.chart import CHART, RELEASE, rendered
from tests.deploy.surface import ROOT

KUBECTL = shutil.which("kubectl")
NOTES = """#!{python}
import json, sys
with open("noted", "a") as notes:
    notes.write(json.dumps(sys.argv) + "\\n")
"""


def commands() -> str:
    """The block of the section."""
    section = (ROOT / "deploy" / "README.md").read_text("utf-8").split("\n## Kubernetes\n", 1)[1].split("\n## ", 1)[0]
    (block,) = re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return str(block)


@pytest.fixture
def done(tmp_path: Path) -> Path:
    """A checkout with nothing but `deploy` in it, after the commands."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("kubectl", "helm"):
        (programs / name).write_text(NOTES.format(python=sys.executable))
        (programs / name).chmod(0o755)
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "deploy").symlink_to(ROOT / "deploy")
    environ = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["bash", "-e", "-c", commands()], cwd=folder, env=environ, check=True, capture_output=True)
    return folder


def noted(folder: Path) -> list[list[str]]:
    """The words of each program that was a stand-in."""
    lines = (folder / "noted").read_text("utf-8").splitlines()
    return [[Path(program).name, *words] for program, *words in map(json.loads, lines)]


def pod() -> dict[str, Any]:
    [hub] = [made for made in rendered() if made["kind"] == "StatefulSet"]
    return dict(hub["spec"]["template"]["spec"])


def test_the_secrets_are_those_that_the_chart_mounts(done: Path) -> None:
    """By their names and by the names of the files in them."""
    database, key, install = noted(done)
    secrets = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))["secrets"]
    assert database[:5] == ["kubectl", "create", "secret", "generic", secrets["database"]]
    assert database[5].startswith("--from-literal=url=postgresql://")
    assert key == ["kubectl", "create", "secret", "generic", secrets["key"], "--from-file=key"]
    assert install[:4] == ["helm", "install", RELEASE, "deploy/helm/croupier"]
    assert (done / install[3] / "Chart.yaml").is_file()
    environ = {each["name"]: each["value"] for each in pod()["containers"][0]["env"]}
    assert environ["CROUPIER_DATABASE_URL_FILE"].endswith("/url")
    assert environ["CROUPIER_KEY_FILE"].endswith("/key")


async def test_a_hub_takes_the_key_and_makes_no_other(done: Path, database_url: str) -> None:
    """It seals a secret with it, and the doctor finds nothing wrong with the file."""
    key = done / "key"
    made = key.read_bytes()
    assert len(made) == KEY_BYTES
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    told = {"CROUPIER_HOME": done / "home", "CROUPIER_KEY_FILE": key, "CROUPIER_DATABASE_URL": database_url}
    settings = load({name: str(value) for name, value in told.items()})
    async with open_hub(settings) as hub:
        provider, secret = await hub.store.providers.add("Fable", "https://studio.example")
        assert secret in await hub.store.providers.secrets(provider.provider_id)
    assert key.read_bytes() == made
    assert _key(settings).result == "ok"


def test_a_pod_gives_the_hub_a_key_file_that_nobody_else_may_read(done: Path, tmp_path: Path) -> None:
    """The mounted secret itself would be refused, because Kubernetes lets a group read it."""
    spec = pod()
    [volume] = [each for each in spec["volumes"] if each["name"] == "given-key"]
    given, taken = tmp_path / "given-key", tmp_path / "key"
    given.mkdir()
    taken.mkdir()
    shutil.copy(done / "key", given / "key")
    (given / "key").chmod(volume["secret"]["defaultMode"])
    with pytest.raises(KeyFileRefused, match="others may read"):
        read_ring(given / "key")
    [first] = spec["initContainers"]
    assert first["securityContext"] == spec["containers"][0]["securityContext"]
    mounts = {mount["mountPath"]: tmp_path / mount["name"] for mount in first["volumeMounts"]}
    words = [
        str(mounts[str(Path(word).parent)] / Path(word).name) if "/" in word else word for word in first["command"]
    ]
    subprocess.run(words, check=True)
    assert read_ring(taken / "key") == read_ring(done / "key")
    assert {"name": "key", "mountPath": "/run/secrets/key", "readOnly": True} in spec["containers"][0]["volumeMounts"]


@pytest.mark.slow
@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not here")
def test_kubectl_takes_its_words(done: Path) -> None:
    """Without a cluster: it makes the objects and sends them nowhere."""
    for program, *words in noted(done):
        if program == "kubectl":
            said = subprocess.run(
                [str(KUBECTL), *words, "--dry-run=client", "--output=yaml"], cwd=done, check=True, capture_output=True
            )
            assert yaml.safe_load(said.stdout)["kind"] == "Secret"
