"""nginx with TLS, by the file in deploy/proxy, in front of a running hub: its peers get through, and nobody else."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from croupier.apps.wiring import open_hub
from croupier.apps.world import LocalWorld, local_world
from tests.conftest import make_home, remove_home
from tests.deploy.test_proxy import NGINX
from tests.sockets import free_port, reachable

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not here (Debian: nginx-light)"),
    pytest.mark.asyncio(loop_scope="module"),
]
FEED = "/signalrhub-livefeed-service/hubs"


@dataclass
class Front:
    """A hub behind nginx, and a client that trusts its certificate."""

    world: LocalWorld
    client: aiohttp.ClientSession
    url: str
    log: Path

    async def token(self, path: str) -> str:
        """Return a new access token of the sandbox casino."""
        casino = self.world.casino
        assert casino is not None
        async with open_hub(self.world.settings) as desk:
            secret = await desk.store.casinos.rotate_secret(casino.casino_id)
        body = {"PartnerClientId": casino.casino_id, "Secret": secret}
        async with self.client.post(f"{self.url}{path}", json=body) as answer:
            told = await answer.json()
            assert answer.status == 200, told
            return str(told["Value"]["AccessToken"])


def configure(folder: Path, hub_port: int) -> tuple[Path, int]:
    """Write what nginx reads: the file of this repository with the ports and paths of this test."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=hub.example.com", "-days", "1"]
    make += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    port, plain = free_port(), free_port()
    changes = {
        "127.0.0.1:8080": f"127.0.0.1:{hub_port}",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "server_name hub.example.com": "server_name localhost",
        "/etc/ssl/certs/hub.example.com.pem": str(certificate),
        "/etc/ssl/private/hub.example.com.key": str(key),
        "/var/log/nginx/": f"{folder}/",
    }
    mine = NGINX
    for old, new in changes.items():
        assert old in mine, old
        mine = mine.replace(old, new)
    whole = folder / "nginx.conf"
    spools = "\n".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole.write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\nhttp {{\n{spools}\n{mine}\n}}\n"
    )
    return whole, port


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def front() -> AsyncIterator[Front]:
    home, folder = make_home(), make_home()
    try:
        async with local_world(home) as world:
            whole, port = configure(folder, int(world.hub_url.rpartition(":")[2]))
            nginx = subprocess.Popen(["nginx", "-c", str(whole)])  # noqa: ASYNC220 - starting is quick
            trust = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
            try:
                async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as client:
                    await reachable(port)
                    yield Front(world, client, f"https://localhost:{port}", folder / "croupier.log")
            finally:
                nginx.terminate()
                nginx.wait(10)
    finally:
        remove_home(home)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz", "/openapi.json", "/version", "/v1"])
async def test_what_is_the_operators_is_not_reached(front: Front, path: str) -> None:
    async with front.client.get(f"{front.url}{path}") as answer:
        assert answer.status == 404


async def test_a_casino_gets_a_token_and_the_keys(front: Front) -> None:
    token = await front.token("/mis-api/api/v2/auth/token")
    headers = {"Authorization": f"Bearer {token}"}
    async with front.client.get(f"{front.url}/mis-api/api/v2/auth/jwks", headers=headers) as answer:
        assert answer.status == 200
        assert (await answer.json())["keys"]


async def test_a_provider_that_does_not_sign_is_refused_by_the_hub_itself(front: Front) -> None:
    async with front.client.post(f"{front.url}/v1/sessions/x/bets/pay-in", data=b"{}") as answer:
        assert answer.status == 401
        assert "_responseCode" in await answer.json()


async def test_the_live_feed_goes_through_and_its_token_is_in_no_log(front: Front) -> None:
    token = await front.token("/partnersmediator-service/api/v2/auth/token")
    async with front.client.ws_connect(f"{front.url}{FEED}?access_token={token}") as socket_:
        await socket_.send_str(json.dumps({"protocol": "json", "version": 1}) + "\x1e")
        assert (await socket_.receive_str(timeout=10)).startswith("{}\x1e")
    # nginx writes the line when the connection has ended, a moment after the client saw it end.
    for _ in range(200):
        if FEED in front.log.read_text():
            break
        await asyncio.sleep(0.05)
    assert FEED in front.log.read_text()
    assert token not in front.log.read_text()
    assert "access_token" not in front.log.read_text()


async def test_a_body_above_the_limit_ends_at_the_proxy(front: Front) -> None:
    async with front.client.post(f"{front.url}/v1/sessions/x/bets/pay-in", data=io.BytesIO(b" " * 1_100_000)) as answer:
        assert answer.status == 413


async def test_a_browser_gets_the_embeddable_client(front: Front) -> None:
    async with front.client.get(f"{front.url}/assets/frame.js") as answer:
        assert answer.status == 200
        assert "javascript" in answer.headers["Content-Type"]
