"""A real Prometheus, by the files in deploy/monitoring, scrapes a running hub: dashboards and alerts are answered by it.

The other tests compare names and labels with the code. Here every query is evaluated.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from croupier.apps.world import LocalWorld, local_world
from tests.conftest import make_home, remove_home
from tests.deploy.test_monitoring import ALERTS, FOLDER, PAGES
from tests.sockets import free_port, reachable

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not here (Debian: prometheus)"),
    pytest.mark.asyncio(loop_scope="module"),
]
PATIENCE_S = 60.0
VARIABLE = re.compile(r'=~?"\$(casino|provider|side)"')
"""A choice on a page, as Grafana puts it into a query."""
QUIET = {
    "croupier-casino": {"Circuit breaker", "Not understood in 1 h", "Odd balances in 1 h", "Reconciliation"},
    "croupier-database": {"Database errors per minute", "Log lines held back", "Spans of traces per minute"},
    "croupier-feed": {"Clients", "Pushes per second", "Clients cut off"},
    "croupier-money": {"Money that is not through", "Age of the oldest open payment", "Jackpots", "Findings", "Healed"},
    "croupier-overview": {"Open breakers", "Incidents per hour"},
    "croupier-requests": {"Answers that are no 200", "Refused by a rate limit, of all sides"},
}
"""Panels that show nothing where nothing is wrong, or where there are no pots and no clients of the feed."""


@dataclass
class Watched:
    """A hub that played, and the Prometheus that scrapes it."""

    world: LocalWorld
    http: aiohttp.ClientSession
    url: str

    async def asked(self, path: str, **params: str) -> Any:
        """Return what Prometheus answers under `data`."""
        async with self.http.get(f"{self.url}/api/v1/{path}", params=params) as answer:
            told = await answer.json()
            assert told["status"] == "success", (params, told)
            return told["data"]

    async def rows(self, query: str) -> list[Any]:
        return list((await self.asked("query", query=query))["result"])


def configured(folder: Path, hub: str) -> Path:
    """Write the configuration of this repository for the ports and paths of this test, with a scrape each second."""
    text = (FOLDER / "prometheus.yaml").read_text("utf-8")
    changes = {
        "hub:8080": hub.removeprefix("http://"), "/etc/prometheus/alerts.yaml": str(FOLDER / "alerts.yaml"),
        "scrape_interval: 15s": "scrape_interval: 1s", "evaluation_interval: 15s": "evaluation_interval: 1s",
    }  # fmt: skip
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "prometheus.yaml"
    path.write_text(text)
    return path


async def play(world: LocalWorld) -> None:
    """Some bets that are won, and one that is refunded."""
    launched = await world.launch("anna", "lantern-tumble")
    for n in range(3):
        said = {"session": launched.session_id, "bet": f"b{n}", "round": f"r{n}"}
        assert (await world.call("pay-in", **said, amount="10.00"))[1] == 1
        await world.call("pay-out", **said, win="25.00")
    await world.call("pay-in", session=launched.session_id, bet="back", round="rb", amount="5.00")
    await world.call("refund", session=launched.session_id, bet="back")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched() -> AsyncIterator[Watched]:
    home, folder = make_home(), make_home()
    try:
        async with local_world(home) as world, aiohttp.ClientSession() as http:
            port = free_port()
            process = subprocess.Popen(  # noqa: ASYNC220 - starting is quick
                [
                    "prometheus", f"--config.file={configured(folder, world.hub_url)}",
                    f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
                ]
            )  # fmt: skip
            try:
                await reachable(port)
                await play(world)
                yield Watched(world, http, f"http://127.0.0.1:{port}")
            finally:
                process.terminate()
                process.wait(20)
    finally:
        remove_home(home)
        remove_home(folder)


async def test_the_hub_is_scraped_and_no_alert_fires_of_a_hub_in_order(watched: Watched) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not (
            await watched.rows("sum(croupier_provider_request_seconds_count) > 0 and sum(count_over_time(up[1m])) > 3")
        ):
            await asyncio.sleep(0.5)
    (up,) = await watched.rows('up{job="croupier"}')
    assert up["value"][1] == "1"
    rules = [rule for group in (await watched.asked("rules"))["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == {rule["alert"] for rule in ALERTS}
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}
    assert [rule["name"] for rule in rules if rule["state"] == "firing"] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.stem))
async def test_every_panel_is_answered(watched: Watched, page: Path) -> None:
    """With the variables of the page, as Grafana fills them in.

    A rate needs two scrapes and an auditor's figure its first turn, so a page has a while until it is complete.
    """
    panels = json.loads(page.read_text("utf-8"))["panels"]
    quiet = QUIET.get(page.stem, set())
    began = asyncio.get_running_loop().time()
    while (empty := await panels_without_an_answer(watched, panels)) != quiet:
        assert asyncio.get_running_loop().time() - began < PATIENCE_S, empty ^ quiet
        await asyncio.sleep(0.5)


async def panels_without_an_answer(watched: Watched, panels: list[Any]) -> set[str]:
    empty = set()
    for panel in panels:
        answers = []
        for target in panel["targets"]:
            query = VARIABLE.sub('=~".+"', target["expr"])
            answers += await watched.rows(query)
        if not answers:
            empty.add(panel["title"])
    return empty
