"""Logs: one event a line on standard error, JSON for machines or short lines for people, secrets scrubbed.

Owns: the set-up, and the last look at every line before it leaves (ours and those of libraries alike). Never: what is
logged. Nothing else in the hub may write to standard error or set up logging.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Mapping
from typing import cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from croupier.kit.clock import SystemClock
from croupier.kit.log_limit import WINDOW_S, Limit

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
        processors=[structlog.contextvars.merge_contextvars, _limited, _named, *_shared(), *_last(as_json=as_json)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_to_stderr,
        # A logger made at import, before this call, must not keep the old set-up.
        cache_logger_on_first_use=False,
    )
    _take_over_libraries(number, as_json=as_json)


def get(name: str) -> FilteringBoundLogger:
    """The logger of this name. `get(__name__).info("casino.disabled", casino=7)`: an event name, then its facts."""
    if not structlog.is_configured():
        configure()
    return cast("FilteringBoundLogger", structlog.get_logger(logger_name=name))


def held_back() -> dict[str, int]:
    """How many lines were held back since this was asked last, by event: too many of one kind came at once."""
    return _lines.limit.take_totals()


def scrub(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The processor that takes secrets out, whatever key or text they hide in."""
    return {key: _bounded(key, _clean(key, value, 0)) for key, value in event.items()}


def scrub_text(text: str) -> str:
    """The text without tokens, keys and passwords."""
    for pattern, instead in _SECRET_TEXT:
        text = pattern.sub(instead, text)
    return text


def _bounded(key: str, value: object) -> object:
    """What a peer has said is no reason for a line without end; of a traceback the end tells most."""
    if not isinstance(value, str):
        return value
    if key == "exception":
        return value[-LONGEST_TRACEBACK:]
    return value if len(value) <= LONGEST_TEXT else f"{value[:LONGEST_TEXT]}... ({len(value)} characters)"


class _Lines:
    """What was written by this process lately, and the timer that tells what was not."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Remember nothing."""
        self.limit = Limit(SystemClock().monotonic_s)
        self._waiting = False

    def passes(self, kind: str, name: str) -> bool:
        """Whether this line is written. What was held back is told at the end of its time, if a loop runs."""
        self.tell()
        if self.limit.passes(kind, name):
            return True
        if not self._waiting:
            try:
                asyncio.get_running_loop().call_later(WINDOW_S, self._later)
                self._waiting = True
            except RuntimeError:  # no loop: the next line of any kind tells it
                pass
        return False

    def _later(self) -> None:
        self._waiting = False
        self.tell()

    def tell(self) -> None:
        """One line for each kind that was held back in a time that is over."""
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
    """The same bound for what libraries log: their texts are without end, so they count by logger and level."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
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
    if "logger_name" in event:  # `logger` itself is a word that structlog keeps for itself
        event["logger"] = event.pop("logger_name")
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
    """From a traceback to a line; the scrubbing sits where everything is text already."""
    render: Processor = (
        structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), pad_event_to=30, exception_formatter=structlog.dev.plain_traceback
        )
    )
    return [structlog.processors.format_exc_info, scrub, render]


_TOLD_BY_US = ("asyncpg.pool",)
"""Libraries that tell with a traceback, again and again, what one line of ours tells: the database is away."""


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
    """Standard error as it is now, not as it was at set-up: tests and the CLI replace it."""

    def msg(self, line: str) -> None:
        """Write one line."""
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - the one place that may

    debug = info = warning = error = critical = log = exception = fatal = warn = msg

    def write(self, text: str) -> int:
        """As a stream, for the standard library's handler."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """As a stream."""
        sys.stderr.flush()


def _to_stderr(*_: object) -> _Stderr:
    return _Stderr()


def silence() -> None:
    """Nothing is logged by this process any more. For simulations: the hub inside complains of all that is done to it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger(asyncio.__name__).setLevel(logging.CRITICAL)
