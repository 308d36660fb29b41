"""Logs: one event per line on standard error, as JSON or as text for people, with secrets removed.

Owns: the set-up, and the last processing of every line, of the hub and of libraries alike. Never: decides what is
logged. No other module writes to standard error or sets up logging.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from croupier.kit.clock import SystemClock
from croupier.kit.log_limit import WINDOW_S, Limit
from croupier.kit.tracing import current_ids

GONE = "[scrubbed]"
LONGEST_TEXT = 2000
LONGEST_TRACEBACK = 20_000
_MAX_DEPTH = 6

_SECRET_KEY = re.compile(
    r"secret|token|passw(or)?d|authorization|xsign|cookie|apikey|privatekey|sealingkey|\bpem\b|\bjwt\b"
)
_SECRET_TEXT = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), GONE),
    (re.compile(r"eyJ[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){1,4}"), GONE),
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), rf"\1 {GONE}"),
    (re.compile(r"(://[^/\s:@]*):[^/\s@]+@"), rf"\1:{GONE}@"),
    (
        re.compile(
            r"""((?:secret|token|passw(?:or)?d|authorization|x[-_]?sign|cookie|(?:api|private)[-_]?key)['"]?\s*[:=]\s*)"""
            r"""(?!\[scrubbed\])(?:"[^"]*"|'[^']*'|[^\s"'&,;})\]]+)""",
            re.IGNORECASE,
        ),
        rf"\1{GONE}",
    ),
)


def configure(level: str = "info", *, as_json: bool = False) -> None:
    """Set up logging for this process. `level` is a name of the standard levels, in either case.

    Raises ValueError for an unknown level. May be called again.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"unknown log level {level!r}")
    _lines.begin()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _limited,
            _named,
            _traced,
            *_shared(),
            *_last(as_json=as_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_to_stderr,
        # A logger made at import, before this call, must not keep the old set-up.
        cache_logger_on_first_use=False,
    )
    _take_over_libraries(number, as_json=as_json)


def get(name: str) -> FilteringBoundLogger:
    """Return the logger of this name. `get(__name__).info("casino.disabled", casino=7)`: an event name, then its facts."""
    if not structlog.is_configured():
        configure()
    return cast("FilteringBoundLogger", structlog.get_logger(logger_name=name))


def suppressed_lines() -> dict[str, int]:
    """Return the number of suppressed lines since the last call, by event."""
    return _lines.limit.take_totals()


def scrub(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Remove secrets from keys and texts of an event; a structlog processor."""
    return {key: _bounded(key, _clean(key, value, 0)) for key, value in event.items()}


def scrub_text(text: str) -> str:
    """Return the text without tokens, keys and passwords."""
    for pattern, instead in _SECRET_TEXT:
        text = pattern.sub(instead, text)
    return text


def _bounded(key: str, value: object) -> object:
    """Shorten a long text. Of a traceback the end is kept, because it tells most."""
    if not isinstance(value, str):
        return value
    if key == "exception":
        return value[-LONGEST_TRACEBACK:]
    return value if len(value) <= LONGEST_TEXT else f"{value[:LONGEST_TEXT]}... ({len(value)} characters)"


class _Lines:
    """The rate limit of this process, and the timer that reports suppressed lines."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start with an empty limit."""
        self.limit = Limit(SystemClock().monotonic_s)
        self._waiting = False

    def passes(self, kind: str, name: str) -> bool:
        """Return whether this line is written. Suppressed lines are reported after the window, if an event loop runs."""
        self.tell()
        if self.limit.passes(kind, name):
            return True
        if not self._waiting:
            try:
                asyncio.get_running_loop().call_later(WINDOW_S, self._later)
                self._waiting = True
            except RuntimeError:  # no loop: the next line of any kind triggers the report
                pass
        return False

    def _later(self) -> None:
        self._waiting = False
        self.tell()

    def tell(self) -> None:
        """Log one line for each kind with suppressed lines in a window that is over."""
        for kind, count in self.limit.over():
            log = get("log")
            log.warning("log.held_back", kind=kind, more=count, seconds=WINDOW_S)


_lines = _Lines()
_NEVER_HELD = "log.held_back"


def _limited(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    name = str(event.get("event", ""))[:100]
    whose = [f"{who} {event[who]}" for who in ("casino", "provider") if isinstance(event.get(who), str | int)]
    if name != _NEVER_HELD and not _lines.passes(" ".join([name, *whose])[:200], name):
        raise structlog.DropEvent
    return event


class _OfLibraries(logging.Filter):
    """The log limit for libraries. Their texts vary without bound, so records are counted by logger and level."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is written."""
        kind = f"{record.name} {record.levelname.lower()}"
        return _lines.passes(kind, record.name)


def _clean(key: str, value: object, depth: int) -> object:
    if value is None:
        return None
    if _is_secret(key) or depth > _MAX_DEPTH:
        return GONE
    if isinstance(value, Mapping):
        return {scrub_text(str(name)): _clean(str(name), inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", inner, depth + 1) for inner in value]
    return _clean_leaf(value)


def _clean_leaf(value: object) -> object:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    return scrub_text(value if isinstance(value, str) else repr(value))


def _named(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if "logger_name" in event:  # structlog reserves the key `logger`
        event["logger"] = event.pop("logger_name")
    return event


def _traced(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the trace and the span that the line belongs to, if there are traces."""
    ids = current_ids()
    if ids is not None:
        event["trace_id"], event["span_id"] = ids
    return event


def _is_secret(key: str) -> bool:
    return bool(key) and _SECRET_KEY.search(key.lower().replace("-", "").replace("_", "")) is not None


def _shared() -> list[Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _last(*, as_json: bool) -> list[Processor]:
    """Return the last processors. Secrets are removed after tracebacks have become text."""
    render: Processor = (
        structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), pad_event_to=30, exception_formatter=structlog.dev.plain_traceback
        )
    )
    return [structlog.processors.format_exc_info, scrub, render]


_TOLD_BY_US = ("asyncpg.pool",)
"""Libraries that log a traceback for every failed connection; the hub logs one line of its own."""


def _take_over_libraries(number: int, *, as_json: bool) -> None:
    handler = logging.StreamHandler(_Stderr())
    handler.addFilter(_OfLibraries())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_shared()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_last(as_json=as_json)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.INFO))
    for name in _TOLD_BY_US:
        logging.getLogger(name).setLevel(logging.ERROR)


class _Stderr:
    """The current standard error, not the one at set-up: tests and the CLI replace it."""

    def msg(self, line: str) -> None:
        """Write one line."""
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - the only module that writes to standard error

    debug = info = warning = error = critical = log = exception = fatal = warn = msg

    def write(self, text: str) -> int:
        """Write text, for the standard library's handler."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Flush, for the standard library's handler."""
        sys.stderr.flush()


def _to_stderr(*_: object) -> _Stderr:
    return _Stderr()


def silence() -> None:
    """Turn logging off for this process. For simulations, whose hub would log every injected fault."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger(asyncio.__name__).setLevel(logging.CRITICAL)


@contextmanager
def overheard(hear: Callable[[str, BaseException], None]) -> Iterator[None]:
    """Call `hear` with the event and the exception of each error that is logged with one; write nothing meanwhile.

    For simulations, in which no error but the injected ones may occur.
    """

    def pick(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        error = event.get("exc_info")
        error = sys.exc_info()[1] if error is True else error
        if isinstance(error, BaseException):
            hear(str(event["event"]), error)
        raise structlog.DropEvent

    before = structlog.get_config() if structlog.is_configured() else None
    structlog.configure(processors=[pick], wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield
    finally:
        if before is None:
            structlog.reset_defaults()
        else:
            structlog.configure(**before)
