"""One bet is one trace, from the pay-in over commit and make to the accept and the answer, in whichever worker each runs.

A real hub with two workers, its own PostgreSQL, hand-made peers over HTTP, and a collector that takes OTLP over HTTP.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

import croupier
from croupier.apps.wiring import open_hub
from croupier.apps.world import start_hub, stop
from croupier.kit.config import load
from tests.conftest import make_home, remove_home
from tests.journeys.by_hand import Told, compact
from tests.journeys.peers import Server, acknowledge
from tests.journeys.stage import Facts, Stage, Table, fresh
from tests.kit.collector import Collector, collector, facts

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
STARTS = 200
"""Bets until one had its accept in the other worker. The kernel chooses, so few are enough and none is certain."""


class Place:
    """The hub with its collector and its log."""

    def __init__(self, stage: Stage, seen: Collector, log: Path) -> None:
        self.stage = stage
        self.seen = seen
        self.log = log

    async def table(self, **casino: Any) -> Table:
        return await self.stage.table(await self.stage.new_casino(**casino), await self.stage.new_studio(hold_s=10.0))

    async def pay_in(self, table: Table, bet: str, traceparent: str | None = None) -> Told:
        body = compact({"betId": bet, "gameRoundId": "r-1", "betAmount": "1.00"})
        more = {} if traceparent is None else {"traceparent": traceparent}
        headers = {**table.line.signed(body), **more}
        return await table.line.send("POST", f"/v1/sessions/{table.session}/bets/pay-in", body, headers=headers)

    async def spans(self, table: Table, bet: str, *names: str) -> dict[str, Any]:
        """The spans of the bet by name, once all of these came."""
        row = await table.row(bet)
        assert row is not None
        found: dict[str, Any] = {}

        def there() -> bool:
            found.update({span.name: span for span in self.seen.of_bet(row["bet_id"])})
            return set(names) <= set(found)

        await self.stage.until(there, 15.0, lambda: f"only {sorted(found)}")
        return found

    def worker_of(self, span: Any) -> str:
        for request in self.seen.requests:
            for resource in request.resource_spans:
                if any(span is one for scope in resource.scope_spans for one in scope.spans):
                    named = {one.key: one.value.string_value for one in resource.resource.attributes}
                    return named["service.instance.id"]
        raise AssertionError("the span is in no message")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place() -> AsyncIterator[Place]:
    home = make_home()
    path = os.pathsep.join([str(Path(croupier.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    async with AsyncExitStack() as stack:
        stack.callback(remove_home, home)
        seen = stack.enter_context(collector())
        own = {
            "CROUPIER_HOME": str(home),
            "CROUPIER_ALLOW_PRIVATE_PEERS": "1",
            "CROUPIER_OTEL_ENDPOINT": seen.url,
            "CROUPIER_LOG_JSON": "1",
        }
        around = {name: value for name, value in os.environ.items() if not name.startswith("CROUPIER_")}
        hub, url = await start_hub({**around, **own, "PYTHONPATH": path}, 2, log=home / "hub.log")
        stack.push_async_callback(stop, [hub])
        desk = await stack.enter_async_context(open_hub(load(own)))
        await desk.store.keys.load()
        # A connection per request, so that the kernel chooses a worker for each.
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)))
        peers = Server(http, url)
        await peers.start()
        stack.push_async_callback(peers.stop)
        yield Place(Stage(Facts(str(home), url, "", "", 0, 0), desk, http, peers), seen, home / "hub.log")


WHOLE = ("provider pay-in", "casino make", "casino payments/accept")


async def test_a_bet_is_one_trace_in_whichever_worker_each_part_runs(place: Place) -> None:
    table = await place.table()
    for _ in range(STARTS):
        bet = fresh("bet")
        assert (await place.pay_in(table, bet)).outcome == (200, 1)
        spans = await place.spans(table, bet, *WHOLE)
        assert len({spans[name].trace_id for name in WHOLE}) == 1
        pay_in = spans["provider pay-in"]
        assert pay_in.parent_span_id == b""
        assert {spans[name].parent_span_id for name in WHOLE[1:]} == {pay_in.span_id}
        if len({place.worker_of(spans[name]) for name in WHOLE}) > 1:
            return
    raise AssertionError("all parts of all bets ran in one worker")


async def test_a_providers_trace_goes_on_to_the_accept_in_another_worker(place: Place) -> None:
    table = await place.table()
    for number in range(STARTS):
        bet, trace = fresh("bet"), f"{number + 1:032x}"
        assert (await place.pay_in(table, bet, f"00-{trace}-{PARENT}-01")).outcome == (200, 1)
        spans = await place.spans(table, bet, *WHOLE)
        assert {spans[name].trace_id.hex() for name in WHOLE} == {trace}
        pay_in = spans["provider pay-in"]
        assert pay_in.parent_span_id.hex() == PARENT
        assert {spans[name].parent_span_id for name in WHOLE[1:]} == {pay_in.span_id}
        if len({place.worker_of(spans[name]) for name in WHOLE}) > 1:
            return
    raise AssertionError("all parts of all bets ran in one worker")


async def test_the_commits_are_in_the_trace(place: Place) -> None:
    table = await place.table()
    bet = fresh("bet")
    assert (await place.pay_in(table, bet)).outcome == (200, 1)
    spans = await place.spans(table, bet, *WHOLE)
    trace = spans["provider pay-in"].trace_id

    def parents() -> set[bytes]:
        return {span.parent_span_id for span in place.seen.spans if span.name == "commit" and span.trace_id == trace}

    needed = {spans["provider pay-in"].span_id, spans["casino payments/accept"].span_id}
    await place.stage.until(lambda: needed <= parents(), 10.0)
    assert facts(spans["provider pay-in"])["http.response.status_code"] == 200
    assert facts(spans["casino make"])["croupier.casino_id"] == table.casino.line.client_id


async def test_what_a_provider_does_not_sample_is_not_recorded(place: Place) -> None:
    table = await place.table()
    quiet, loud = fresh("bet"), fresh("bet")
    assert (await place.pay_in(table, quiet, f"00-{TRACE}-{PARENT}-00")).outcome == (200, 1)
    assert (await place.pay_in(table, loud)).outcome == (200, 1)
    await place.spans(table, loud, *WHOLE)
    row = await table.row(quiet)
    assert row is not None
    assert place.seen.of_bet(row["bet_id"]) == []


async def test_a_list_is_a_span_in_the_trace_of_each_bet(place: Place) -> None:
    table = await place.table()
    for _ in range(20):
        bets = [fresh("bet") for _ in range(24)]
        told = await asyncio.gather(*(place.pay_in(table, bet) for bet in bets))
        assert {one.outcome for one in told} == {(200, 1)}
        lists = [heard.data for heard in table.casino.heard if heard.path == "payments/make-list"]
        if lists:
            break
    ids = [made["BetId"] for made in lists[0]]

    def listed() -> list[Any]:
        return [span for one in ids for span in place.seen.of_bet(one) if span.name == "casino make list"]

    await place.stage.until(lambda: len(listed()) == len(ids), 10.0)
    assert len({span.trace_id for span in listed()}) == len(ids)
    assert {facts(span)["croupier.list_size"] for span in listed()} == {len(ids)}


async def test_a_casino_is_told_the_trace_only_if_its_row_allows_it(place: Place) -> None:
    silent, told = await place.table(), await place.table(trace_header=True)
    bet = fresh("bet")
    for table in (silent, told):
        assert (await place.pay_in(table, bet, f"00-{TRACE}-{PARENT}-01")).outcome == (200, 1)
    spans = await place.spans(told, bet, *WHOLE)
    make = spans["casino make"]
    heard = [one.traceparent for one in told.casino.heard if one.path == "payments/make"]
    assert heard == [f"00-{TRACE}-{make.span_id.hex()}-01"]
    assert {one.traceparent for one in silent.casino.heard} == {None}


def lines_of(log: Path, holds: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [line for line in found if holds(line)]


async def test_log_lines_carry_the_trace(place: Place) -> None:
    table = await place.table()

    async def rubbish(_casino: object, _heard: object) -> object:
        return aiohttp.web.Response(text="?", status=502)

    table.casino.says["payments/make"] = rubbish
    told = asyncio.create_task(place.pay_in(table, fresh("bet"), f"00-{TRACE[::-1]}-{PARENT}-01"))

    def said() -> bool:
        lines = lines_of(place.log, lambda line: line["event"] == "casino.unknown")
        return any(line.get("trace_id") == TRACE[::-1] and len(line["span_id"]) == 16 for line in lines)

    await place.stage.until(said, 10.0)
    (made,) = table.casino.made(-1)[:1]
    await table.casino.line.accept(made)
    assert (await told).outcome == (200, 1)


async def test_a_collector_that_hangs_delays_no_payment_and_spans_are_counted(place: Place) -> None:
    """Spans pile up behind a message that hangs; bets go on, and the metric says what became of the spans."""
    table = await place.table()
    place.seen.go_on.clear()
    place.seen.asked.clear()
    try:
        bet = fresh("bet")
        while not place.seen.asked.is_set():
            bet = fresh("bet")
            assert (await place.pay_in(table, bet)).outcome == (200, 1)
        told = await asyncio.gather(*(place.pay_in(table, fresh("bet")) for _ in range(50)))
        assert {one.outcome for one in told} == {(200, 1)}
    finally:
        place.seen.go_on.set()
    await place.spans(table, bet, *WHOLE)

    async def counted() -> bool:
        metrics = (await table.line.send("GET", "/metrics", headers={})).raw.decode()
        return 'croupier_spans_total{result="sent"}' in metrics

    await place.stage.until(counted, 10.0)


async def test_a_payout_without_a_trace_joins_its_bets(place: Place) -> None:
    table = await place.table()
    table.casino.says["payments/make"] = acknowledge
    bet = fresh("bet")
    told = asyncio.create_task(place.pay_in(table, bet))
    await table.casino.line.accept(await table.make(-1))
    assert (await told).outcome == (200, 1)
    assert (await table.line.pay_out(table.session, bet, "2.00")).outcome == (200, 1)
    spans = await place.spans(table, bet, *WHOLE[:2], "provider pay-out")
    assert spans["provider pay-out"].trace_id == spans["provider pay-in"].trace_id
    await table.casino.line.accept(await table.make(1))
