"""Traces of one process: spans, the context that travels in `traceparent`, and how the trace of a bet is found again.

A bet that came without a trace gets one whose ids are derived from its number, so every process of the hub finds it. A bet
that came with a provider's trace stays in it. Its context is kept in memory that the workers of a host share; where it is
not found, the derived trace goes on and the provider's request links to it (decision 0097).

Owns: spans and their contexts. Never: sends a span (otlp), or loads a library: a hub without traces imports only this.
"""

from __future__ import annotations

import hashlib
import mmap
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, Protocol

from croupier.kit.chance import Chance
from croupier.kit.clock import Clock

Kind = Literal["server", "client", "internal"]
Attributes = Mapping[str, str | int | bool]

HEADER: Final = "traceparent"
SUBJECT: Final = "croupier.bet_id"
"""The attribute by which all spans of one bet or cashback are found, in whichever trace they are."""
_HEADER_NAME: Final = HEADER.encode()
_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_LOW_64: Final = 2**64 - 1
_WHOLE_SHARE: Final = 10_000


class SpanContext(NamedTuple):
    """The place of a span, as it travels between processes."""

    trace_id: int
    span_id: int
    sampled: bool


@dataclass(slots=True)
class Span:
    """One piece of work. Instants are seconds of the monotonic clock."""

    name: str
    kind: Kind
    context: SpanContext
    parent_id: int
    start_s: float
    end_s: float = 0.0
    remote: SpanContext | None = None
    """The context that came with the request."""
    attributes: dict[str, str | int | bool] = field(default_factory=dict)
    links: list[SpanContext] = field(default_factory=list)
    failed: bool = False


_current: ContextVar[Span | None] = ContextVar("croupier_span", default=None)


def current_ids() -> tuple[str, str] | None:
    """Return the trace id and the span id of the work under way as hex, or None."""
    span = _current.get()
    return None if span is None else (f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}")


def with_context(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers with the context of the work under way, if there is one."""
    span = _current.get()
    return headers if span is None else {**headers, HEADER: to_header(span.context)}


def to_header(context: SpanContext) -> str:
    """Return the context as the value of `traceparent` (W3C Trace Context, version 00)."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.sampled:02x}"


def from_header(value: str) -> SpanContext | None:
    """Return the context of a `traceparent`, or None if it has none that can be used."""
    found = _PARENT.fullmatch(value.strip(" \t"))
    if found is None or found[1] == "ff" or (found[1] == "00" and found[5]):
        return None
    context = SpanContext(int(found[2], 16), int(found[3], 16), sampled=bool(int(found[4], 16) & 1))
    return context if context.trace_id and context.span_id else None


def came_with(headers: Iterable[tuple[bytes, bytes]]) -> SpanContext | None:
    """Return the context of a request from its headers (names in lower case). Two headers are none."""
    values = [value for name, value in headers if name == _HEADER_NAME]
    return from_header(values[0].decode("latin-1")) if len(values) == 1 else None


class KeptContexts:
    """The contexts of the last bets that came with one, in memory that this process shares with the forks it makes.

    Each bet has one place, which it shares with the bets `places` before and after it: the last one stays. Nothing is locked.
    A place that two processes write at once fails its check and counts as empty.
    """

    _ENTRY = struct.Struct("<6Q")

    def __init__(self, places: int = 65_536) -> None:
        self._places = places
        self._memory = mmap.mmap(-1, places * self._ENTRY.size)

    def keep(self, subject_id: int, context: SpanContext) -> None:
        """Keep the context of this bet."""
        high, low = context.trace_id >> 64, context.trace_id & _LOW_64
        entry = (subject_id, high, low, context.span_id, int(context.sampled))
        self._ENTRY.pack_into(self._memory, self._offset(subject_id), *entry, _check(entry))

    def find(self, subject_id: int) -> SpanContext | None:
        """Return the context of this bet, or None."""
        *entry, check = self._ENTRY.unpack_from(self._memory, self._offset(subject_id))
        kept, high, low, span_id, sampled = entry
        if kept != subject_id or check != _check(entry):
            return None
        return SpanContext(high << 64 | low, span_id, bool(sampled))

    def _offset(self, subject_id: int) -> int:
        return subject_id % self._places * self._ENTRY.size


def _check(entry: Sequence[int]) -> int:
    check = len(entry)
    for word in entry:
        check = (check * 31 ^ word) & _LOW_64
    return check


_kept: list[KeptContexts] = []


def share_contexts() -> None:
    """Let the processes that this one forks from now on find the contexts of each other's bets."""
    _kept[:] = [KeptContexts()]


class SpanSink(Protocol):
    """Takes the spans of a process."""

    def put(self, span: Span) -> None:
        """Take a span that has ended. Never waits."""
        ...

    def take_counts(self) -> dict[str, int]:
        """Return how many spans were sent and dropped since the last call, by result."""
        ...


class Tracer:
    """Makes the spans of one process and passes each to `sink` at its end.

    `hub` is the name of the hub, which the derived ids depend on. `share_bp` is the share of traces to record that nobody
    else decided about, in hundredths of a percent.
    """

    def __init__(self, clock: Clock, chance: Chance, sink: SpanSink, *, hub: str, share_bp: int = _WHOLE_SHARE) -> None:
        self.sink = sink
        self._clock = clock
        self._chance = chance
        self._key = hub.encode()
        self._share_bp = share_bp
        self._kept = _kept[0] if _kept else KeptContexts()

    @contextmanager
    def request(
        self, name: str, headers: Iterable[tuple[bytes, bytes]], *, started_s: float, attributes: Attributes
    ) -> Iterator[Span]:
        """Trace the answer to a request, in the caller's trace if it came with one."""
        remote = came_with(headers)
        if remote is None:
            trace_id = int(self._chance.hex(16), 16) or 1
            context, parent_id = SpanContext(trace_id, self._new_id(), self._samples(trace_id)), 0
        else:
            context, parent_id = SpanContext(remote.trace_id, self._new_id(), remote.sampled), remote.span_id
        span = Span(name, "server", context, parent_id, started_s, remote=remote, attributes=dict(attributes))
        with self._under(span):
            yield span

    @contextmanager
    def step(self, name: str, attributes: Attributes) -> Iterator[None]:
        """Trace a part of the work under way. Work that belongs to no request is not traced."""
        whole = _current.get()
        if whole is None:
            yield
            return
        trace_id, parent_id, sampled = whole.context
        context = SpanContext(trace_id, self._new_id(), sampled)
        span = Span(name, "internal", context, parent_id, self._clock.monotonic_s(), attributes=dict(attributes))
        with self._under(span):
            yield

    @contextmanager
    def call(self, name: str, subject_ids: Sequence[int], *, attributes: Attributes) -> Iterator[Span]:
        """Trace a call for these bets: one span in the trace of each, all alike. The peer is told the context of the first."""
        started_s = self._clock.monotonic_s()
        spans = []
        for subject_id in subject_ids:
            trace_id, parent_id, sampled = self.context_of(subject_id)
            context = SpanContext(trace_id, self._new_id(), sampled)
            spans.append(Span(name, "client", context, parent_id, started_s, attributes={SUBJECT: subject_id}))
        first = spans[0]
        first.attributes.update(attributes)
        try:
            with self._under(first):
                yield first
        finally:
            for span in spans[1:]:
                span.failed, span.attributes = first.failed, first.attributes | span.attributes
                self._end(span)

    def opened(self, subject_id: int) -> None:
        """Note that the request under way opened this bet, so that its trace is the trace of the bet."""
        span = _current.get()
        if span is None:
            return
        span.attributes[SUBJECT] = subject_id
        derived = self._derived(subject_id)
        if span.remote is None:
            # Nothing of the request has ended yet, so all of it moves to the trace that every process can derive.
            span.context, span.parent_id = derived, 0
        else:
            self._kept.keep(subject_id, span.context)
            span.links.append(derived)

    def about(self, subject_id: int, *, leads: bool = False) -> None:
        """Note that the request under way is about this bet. A request without a trace of its own joins the bet's.

        One with its own stays there and links to the bet's. If it `leads`, what the hub does for the bet next is part of its trace.
        """
        span = _current.get()
        if span is None:
            return
        span.attributes[SUBJECT] = subject_id
        known = self.context_of(subject_id)
        if span.remote is None:
            self._join(span, known)
            return
        if span.remote.trace_id != known.trace_id:
            span.links.append(known)
        if leads:
            self._kept.keep(subject_id, span.context)

    def reported(self, subject_id: int) -> None:
        """Note that the request under way reports what became of a payment of this bet: it belongs to the bet's trace.

        If the casino has a trace of its own, the span links to it.
        """
        span = _current.get()
        if span is None:
            return
        span.attributes[SUBJECT] = subject_id
        known = self.context_of(subject_id)
        if span.remote is not None and span.remote.trace_id != known.trace_id:
            span.links.append(span.remote)
        if span.remote is None or span.remote.trace_id != known.trace_id:
            self._join(span, known)

    def context_of(self, subject_id: int) -> SpanContext:
        """Return the context under which work for this bet is traced."""
        return self._kept.find(subject_id) or self._derived(subject_id)

    @staticmethod
    def outside() -> Context:
        """Return a context for a task that outlives the request under way, and belongs to no trace of its own."""
        context = copy_context()
        context.run(_current.set, None)
        return context

    @staticmethod
    def _join(span: Span, known: SpanContext) -> None:
        span.context = SpanContext(known.trace_id, span.context.span_id, known.sampled)
        span.parent_id = known.span_id

    def _derived(self, subject_id: int) -> SpanContext:
        digest = hashlib.blake2b(b"%d" % subject_id, digest_size=24, key=self._key[:64]).digest()
        trace_id = int.from_bytes(digest[:16]) or 1
        return SpanContext(trace_id, int.from_bytes(digest[16:]) or 1, self._samples(trace_id))

    def _samples(self, trace_id: int) -> bool:
        return trace_id % _WHOLE_SHARE < self._share_bp

    def _new_id(self) -> int:
        return int(self._chance.hex(8), 16) or 1

    @contextmanager
    def _under(self, span: Span) -> Iterator[None]:
        before = _current.set(span)
        try:
            yield
        except BaseException:
            span.failed = True
            raise
        finally:
            _current.reset(before)
            self._end(span)

    def _end(self, span: Span) -> None:
        span.end_s = self._clock.monotonic_s()
        if span.context.sampled:
            self.sink.put(span)
