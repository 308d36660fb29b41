"""The ids of traces, the context that travels between processes, and which trace a request belongs to."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from croupier.kit import tracing
from croupier.kit.chance import SeededChance
from croupier.kit.clock import SystemClock
from croupier.kit.tracing import (
    KeptContexts,
    Span,
    SpanContext,
    Tracer,
    came_with,
    from_header,
    to_header,
    with_context,
)

THEIRS = SpanContext(0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7, sampled=True)
WORDS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
BET = 4711


class Kept:
    """Keeps the spans that ended."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def put(self, span: Span) -> None:
        self.spans.append(span)

    def take_counts(self) -> dict[str, int]:
        return {}


def tracer(seed: int = 1, **more: Any) -> tuple[Tracer, list[Span]]:
    kept = Kept()
    return Tracer(SystemClock(), SeededChance(seed), kept, **{"hub": "croupier", **more}), kept.spans


def request(made: Tracer, *words: str) -> Any:
    headers = [(b"traceparent", one.encode()) for one in words]
    return made.request("provider pay-in", headers, started_s=0.0, attributes={})


def test_a_context_travels_as_the_standard_says() -> None:
    assert from_header(WORDS) == THEIRS
    assert to_header(THEIRS) == WORDS


@pytest.mark.parametrize(
    "words",
    [
        "", "rubbish", WORDS.upper(), WORDS + "-00", "ff" + WORDS[2:], WORDS[:-1], "00-" + "0" * 32 + WORDS[35:],
        WORDS[:36] + "0" * 16 + "-01", WORDS + "\n", WORDS.replace("-", "_"),
    ],
)  # fmt: skip
def test_a_context_that_cannot_be_read_is_none(words: str) -> None:
    assert from_header(words) is None


def test_a_later_version_may_say_more() -> None:
    assert from_header("01" + WORDS[2:] + "-more") == THEIRS


def test_two_contexts_are_none() -> None:
    assert came_with([(b"traceparent", WORDS.encode())]) == THEIRS
    assert came_with([(b"traceparent", WORDS.encode())] * 2) is None


def test_a_bet_without_a_trace_gets_one_that_every_process_derives() -> None:
    """The pay-in runs in one process, the call and the accept in others: all three are one trace."""
    (one, spans), (two, _), (three, _) = tracer(1), tracer(2), tracer(3)
    with request(one):
        one.opened(BET)
    with two.call("casino make", [BET], attributes={}) as call:
        pass
    with request(three) as accept:
        three.reported(BET)
    pay_in = spans[0]
    assert pay_in.context.trace_id == call.context.trace_id == accept.context.trace_id
    assert call.parent_id == accept.parent_id == pay_in.context.span_id
    assert pay_in.parent_id == 0
    assert len({pay_in.context.span_id, call.context.span_id, accept.context.span_id}) == 3


def test_another_hub_derives_other_ids() -> None:
    (one, _), (two, _) = tracer(hub="one"), tracer(hub="two")
    assert one.context_of(BET).trace_id != two.context_of(BET).trace_id
    assert one.context_of(BET).trace_id != one.context_of(BET + 1).trace_id


def test_a_providers_trace_goes_on_in_every_process_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_kept", [KeptContexts()])
    (one, spans), (two, _) = tracer(1), tracer(2)
    with request(one, WORDS):
        one.opened(BET)
    with two.call("casino make", [BET], attributes={}) as call:
        pass
    assert spans[0].context.trace_id == call.context.trace_id == THEIRS.trace_id
    assert spans[0].parent_id == THEIRS.span_id
    assert call.parent_id == spans[0].context.span_id


def test_where_a_providers_trace_is_not_known_the_bets_own_goes_on_and_is_linked() -> None:
    """A worker of another host accepts: it shares no memory with the one that took the pay-in."""
    (one, spans), (far, _) = tracer(1), tracer(2)
    with request(one, WORDS):
        one.opened(BET)
    with request(far) as accept:
        far.reported(BET)
    assert accept.context.trace_id != THEIRS.trace_id
    assert [link.trace_id for link in spans[0].links] == [accept.context.trace_id]
    assert accept.parent_id == spans[0].links[0].span_id


def test_a_fork_shares_the_kept_contexts() -> None:
    kept = KeptContexts()
    pid = os.fork()
    if not pid:
        kept.keep(BET, THEIRS)
        os._exit(0)
    os.waitpid(pid, 0)
    assert kept.find(BET) == THEIRS


def test_a_place_holds_one_bet_and_a_torn_one_is_empty() -> None:
    kept = KeptContexts(places=8)
    kept.keep(3, THEIRS)
    assert kept.find(11) is None
    kept.keep(11, THEIRS._replace(sampled=False))
    assert kept.find(3) is None
    assert kept.find(11) == THEIRS._replace(sampled=False)
    kept._memory[3 * KeptContexts._ENTRY.size + 9] ^= 1
    assert kept.find(11) is None
    assert kept.find(0) is None


def test_a_payout_leads_to_its_own_payments() -> None:
    one, spans = tracer()
    with request(one):
        one.opened(BET)
    with request(one, WORDS):
        one.about(BET, leads=True)
    assert spans[1].links == [spans[0].context]
    assert one.context_of(BET).trace_id == THEIRS.trace_id


def test_a_repeat_without_a_trace_joins_the_bets() -> None:
    one, spans = tracer()
    with request(one):
        one.opened(BET)
    with request(one):
        one.about(BET)
    assert spans[1].context.trace_id == spans[0].context.trace_id
    assert spans[1].parent_id == spans[0].context.span_id


def test_a_casino_with_a_trace_of_its_own_is_linked() -> None:
    one, spans = tracer()
    with request(one, WORDS):
        one.reported(BET)
    assert spans[0].context.trace_id == one.context_of(BET).trace_id
    assert spans[0].links == [THEIRS]


def test_a_casino_that_passes_the_context_on_is_the_parent() -> None:
    one, spans = tracer()
    with one.call("casino make", [BET], attributes={}) as call:
        told = with_context({})["traceparent"]
    with request(one, told):
        one.reported(BET)
    assert spans[1].context.trace_id == call.context.trace_id
    assert spans[1].parent_id == call.context.span_id
    assert spans[1].links == []


def test_a_list_is_a_span_in_the_trace_of_each_bet_and_tells_the_first() -> None:
    one, spans = tracer()
    with one.call("casino make list", [1, 2, 3], attributes={"croupier.casino_id": 7}) as call:
        call.attributes["croupier.reading"] = "Received"
        call.failed = True
        assert from_header(with_context({})["traceparent"]) == call.context
    assert [span.attributes["croupier.bet_id"] for span in spans] == [1, 2, 3]
    assert all(span.attributes["croupier.reading"] == "Received" and span.failed for span in spans)
    assert len({span.context.trace_id for span in spans}) == 3


@pytest.mark.parametrize("share_bp", [0, 10_000])
def test_the_share_decides_where_no_provider_did(share_bp: int) -> None:
    one, spans = tracer(share_bp=share_bp)
    with request(one):
        one.opened(BET)
    with request(one, WORDS), one.step("commit", {}):
        pass
    with request(one, WORDS[:-1] + "0"), one.step("commit", {}):
        pass
    assert [span.name for span in spans] == ["provider pay-in"] * (share_bp > 0) + ["commit", "provider pay-in"]


def test_a_part_of_the_records_is_the_same_part_in_every_process() -> None:
    (one, _), (two, _) = tracer(1, share_bp=2500), tracer(2, share_bp=2500)
    recorded = [bet for bet in range(4000) if one.context_of(bet).sampled]
    assert recorded == [bet for bet in range(4000) if two.context_of(bet).sampled]
    assert 800 < len(recorded) < 1200


async def test_work_that_outlives_a_request_is_in_no_trace_of_it() -> None:
    one, spans = tracer()

    async def work() -> None:
        with one.step("commit", {}):
            assert tracing.current_ids() is None

    with request(one):
        await asyncio.get_running_loop().create_task(work(), context=Tracer.outside())
    assert [span.name for span in spans] == ["provider pay-in"]


def test_without_a_trace_nothing_is_added() -> None:
    headers = {"a": "b"}
    assert with_context(headers) is headers
    assert tracing.current_ids() is None


def test_a_request_that_fails_says_so() -> None:
    one, spans = tracer()
    with pytest.raises(KeyError), request(one):
        raise KeyError
    assert spans[0].failed
    assert tracing.current_ids() is None
