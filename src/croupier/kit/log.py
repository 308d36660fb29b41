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

GONE = "[scrubbed]"
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
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _named, *_shared(), *_last(as_json=as_json)],
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


def scrub(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The processor that takes secrets out, whatever key or text they hide in."""
    return {key: _clean(key, value, 0) for key, value in event.items()}


def scrub_text(text: str) -> str:
    """The text without tokens, keys and passwords."""
    for pattern, instead in _SECRET_TEXT:
        text = pattern.sub(instead, text)
    return text


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
