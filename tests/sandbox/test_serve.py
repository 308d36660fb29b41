"""A sandbox side as its own process: it tells its address, takes credentials, and ends when it should."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

import croupier
from croupier.kit.clock import SystemClock
from croupier.kit.http import HttpWire
from croupier.kit.wire import PeerError, WireRequest
from tests.sandbox.fake_hub import CLIENT_ID, SECRET, FakeHub

SOURCE = str(Path(croupier.__file__).parents[1])


@contextlib.asynccontextmanager
async def _side(*arguments: str, hub_url: str = "http://127.0.0.1:9") -> AsyncIterator[tuple[Process, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "croupier.sandbox.serve", *arguments, "--hub", hub_url,
        stdin=PIPE, stdout=PIPE, env={**os.environ, "PYTHONPATH": SOURCE},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        told = json.loads(await process.stdout.readline())
        assert told["kind"] == arguments[0]
        yield process, told["url"]
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _ask(method: str, url: str, document: object = None) -> tuple[int, Any]:
    wire = HttpWire(allow_private=True)
    try:
        body = b"" if document is None else json.dumps(document).encode()
        answer = await wire.send(WireRequest(method, url, {}, body))
        return answer.status, json.loads(answer.body)
    finally:
        await wire.close()


@pytest.mark.slow
async def test_a_casino_tells_its_address_takes_credentials_later_and_ends_on_sigterm() -> None:
    async with _side("casino", "--currency", "USD") as (process, url):
        given = {"PartnerClientId": 7, "Secret": "s"}
        assert await _ask("POST", f"{url}/_sandbox/credentials", given) == (200, {"PartnerClientId": 7})
        assert (await _ask("GET", f"{url}/_sandbox/state"))[1] == {"running": 0, "PartnerClientId": 7}
        assert (await _ask("POST", f"{url}/_sandbox/balance", {"player": "a", "balance": "5"}))[1]["currency"] == "USD"
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


@pytest.mark.slow
async def test_a_studio_reads_its_credentials_and_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    credentials = tmp_path / "studio.json"
    credentials.write_text(json.dumps({"CounterpartyId": "c-1", "Secret": "s"}))
    async with _side("studio", "--credentials", str(credentials)) as (process, url):
        assert (await _ask("GET", f"{url}/v1/games"))[0] == 401
        assert process.stdin is not None
        process.stdin.close()
        assert await process.wait() == 0


@contextlib.asynccontextmanager
async def _hub_on_loopback(wire: HttpWire) -> AsyncIterator[tuple[FakeHub, str]]:
    hub = FakeHub(wire, SystemClock())
    server = uvicorn.Server(uvicorn.Config(hub.app, lifespan="off", log_level="critical"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield hub, f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


@pytest.mark.slow
async def test_faults_are_faults_on_a_real_connection_too() -> None:
    wire = HttpWire(allow_private=True)
    async with _hub_on_loopback(wire) as (hub, hub_url), _side("casino", hub_url=hub_url) as (_, url):
        hub.url = url
        await _ask("POST", f"{url}/_sandbox/credentials", {"PartnerClientId": CLIENT_ID, "Secret": SECRET})
        assert (await hub.call("users/data", {"PartnerUserId": "anna"}))["Value"] == {"Balance": "1000"}
        for words in ("lost:cut", "lost", "rubbish:huge", "rubbish:drip"):
            await _ask("POST", f"{url}/_sandbox/behaviour", {"behaviour": words, "path": "users/data"})
            with pytest.raises(PeerError):
                await hub.raw("users/data", hub.envelope({"PartnerUserId": "anna"}), 1.2)
        await _ask("POST", f"{url}/_sandbox/behaviour", {"behaviour": "rubbish:redirect", "path": "users/data"})
        assert (await hub.raw("users/data", hub.envelope({"PartnerUserId": "anna"}))).status == 307
    await wire.close()
