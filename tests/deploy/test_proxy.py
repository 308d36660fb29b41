"""The proxies pass what peers may reach, in full and without a log of tokens, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.surface import PUBLIC, ROOT

FOLDER = ROOT / "deploy" / "proxy"
CADDY, NGINX = (FOLDER / "Caddyfile").read_text("utf-8"), (FOLDER / "nginx.conf").read_text("utf-8")


def test_caddy_passes_what_is_public() -> None:
    passed = " ".join(re.findall(r"@\w+ path (.+)", CADDY)).split()
    assert {path.removesuffix("/*") for path in passed} == PUBLIC
    assert "delete token" in CADDY
    assert "delete access_token" in CADDY


def test_nginx_passes_what_is_public() -> None:
    groups = re.findall(r"location ~ \^/\(([^)]+)\)/", NGINX)
    assert {f"/{name}" for group in groups for name in group.split("|")} | {"/"} == PUBLIC
    assert "location ~ ^/(frame|docs)?$ {" in NGINX
    assert "$request_uri" not in NGINX.split("server {")[2]
    assert "$args" not in NGINX


def test_no_proxy_repeats_a_call() -> None:
    assert "lb_try_duration 0s" in CADDY
    assert "proxy_next_upstream off" in NGINX


@pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not here (Debian: caddy)")
def test_caddy_itself_reads_the_file() -> None:
    environment = {"HUB_DOMAIN": "hub.example.com", "PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": "/tmp"}
    subprocess.run(["caddy", "adapt", "--config", str(FOLDER / "Caddyfile")], check=True, env=environment)


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not here (Debian: nginx-light)")
@pytest.mark.slow
def test_nginx_itself_reads_the_file(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=hub.example.com", "-days", "1"]
    subprocess.run([*make, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    for upstream in (_UPSTREAM.search(NGINX), _UPSTREAM.search((ROOT / "deploy" / "README.md").read_text("utf-8"))):
        assert upstream is not None
        _read_by_nginx(_UPSTREAM.sub(lambda _, new=upstream[0]: new, NGINX), tmp_path, key=key, certificate=certificate)


_UPSTREAM = re.compile(r"upstream croupier \{.*?\n\}", re.DOTALL)
"""The servers behind the proxy: one in the file, two in the example of two hosts."""


def _read_by_nginx(text: str, tmp_path: Path, *, key: Path, certificate: Path) -> None:
    mine = text.replace("/etc/ssl/certs/hub.example.com.pem", str(certificate))
    mine = mine.replace("/etc/ssl/private/hub.example.com.key", str(key)).replace("/var/log/nginx", str(tmp_path))
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\nevents {{}}\nhttp {{\n{mine}\n}}\n")
    subprocess.run(["nginx", "-t", "-c", str(whole)], check=True)
