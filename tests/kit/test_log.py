"""Logs: where lines go, how they look, and that no secret leaves in any of them."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from croupier.kit import jwt, log
from croupier.kit.chance import SystemChance
from croupier.kit.clock import SystemClock
from croupier.kit.tracing import Span, Tracer

TOKEN = jwt.sign(jwt.new_key("ES256", "k"), {"exp": 1, "data": "x"})


@pytest.fixture(autouse=True)
def set_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def scrubbed(**event: Any) -> dict[str, Any]:
    return dict(log.scrub(None, "info", event))


class Nowhere:
    """Takes spans and keeps none."""

    def put(self, span: Span) -> None:
        pass

    def take_counts(self) -> dict[str, int]:
        return {}


@pytest.mark.parametrize("as_json", [True, False])
def test_a_line_says_which_trace_it_belongs_to(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", as_json=as_json)
    made = Tracer(SystemClock(), SystemChance(), Nowhere(), hub="croupier")
    came = [(b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
    with made.request("provider pay-in", came, started_s=0.0, attributes={}) as span:
        log.get("croupier.flows").info("provider.limit")
    log.get("croupier.flows").info("worker.ready")
    inside, outside = capsys.readouterr().err.splitlines()
    assert "4bf92f3577b34da6a3ce929d0e0e4736" in inside
    assert f"{span.context.span_id:016x}" in inside
    assert "trace_id" not in outside


def test_json_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", as_json=True)
    log.get("croupier.flows").info("casino.disabled", casino=7, reason='say "so"\n')
    out, err = capsys.readouterr()
    line = json.loads(err)
    assert out == ""
    assert err.count("\n") == 1
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "casino.disabled",
        "casino": 7,
        "reason": 'say "so"\n',
        "level": "info",
        "logger": "croupier.flows",
    }


def test_short_lines_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", as_json=False)
    log.get("x").warning("line.full", casino=7)
    out, err = capsys.readouterr()
    assert out == ""
    assert "line.full" in err
    assert "casino=7" in err
    assert "\x1b" not in err


def test_a_logger_made_before_the_set_up_follows_it(capsys: pytest.CaptureFixture[str]) -> None:
    early = log.get("early")
    early.info("first")
    log.configure("warning", as_json=True)
    early.info("hidden")
    early.warning("shown", Secret="s3cr3t")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert json.loads(lines[1])["Secret"] == log.GONE


@pytest.mark.parametrize("as_json", [True, False])
def test_lines_of_libraries_and_tracebacks_are_scrubbed_too(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", as_json=as_json)
    try:
        int(f"bad token {TOKEN}")
    except ValueError:
        log.get("ours").exception("crash")
        logging.getLogger("uvicorn.error").exception("GET /x?access_token=%s", TOKEN)
    err = capsys.readouterr().err
    assert TOKEN not in err
    assert err.count("Traceback") == 2
    assert err.count("ValueError: invalid literal") == 2


def test_libraries_never_log_details_even_at_debug(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("debug", as_json=True)
    logging.getLogger("aiohttp.client").debug("a body")
    log.get("ours").debug("a detail")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["a detail"]


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="loud"):
        log.configure("loud")


@pytest.mark.parametrize(
    "key",
    [
        "secret",
        "Secret",
        "client_secret",
        "token",
        "AccessToken",
        "access_token",
        "RefreshToken",
        "refreshtoken",
        "Authorization",
        "x-sign",
        "X-Sign",
        "x_sign",
        "password",
        "Cookie",
        "private_key",
        "api-key",
    ],
)
def test_a_key_named_like_a_secret_loses_its_value_at_any_depth(key: str) -> None:
    assert scrubbed(**{key: "v4lue"}) == {key: log.GONE}
    assert scrubbed(a={"b": [{key: ["v4lue"]}]}) == {"a": {"b": [{key: log.GONE}]}}
    assert "v4lue" not in log.scrub_text(json.dumps({"a": {key: "v4lue"}}))


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (f"token was {TOKEN}", TOKEN),
        (f'body "{TOKEN}"', TOKEN.split(".")[2]),
        ("Authorization: Bearer abc.def-123", "abc.def-123"),
        ("authorization=Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("https://x.test/hub?access_token=abc123&id=1", "abc123"),
        ('{"PartnerClientId":1,"Secret":"hunter2"}', "hunter2"),
        ("{'Secret': 'hunter2', 'a': 1}", "hunter2"),
        ("X-Sign: 242272a3", "242272a3"),
        ("postgresql://croupier:hunter2@db/croupier", "hunter2"),
        ("-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----", "MIGH"),
        ("-----BEGIN EC PRIVATE KEY-----\nMIGH", "MIGH"),
    ],
    ids=lambda value: "value" if "." in value or len(value) > 40 else value,  # tokens are random, names are not
)
def test_a_secret_inside_a_text_is_taken_out(text: str, hidden: str) -> None:
    assert hidden not in log.scrub_text(text)
    assert log.GONE in log.scrub_text(text)
    assert hidden not in str(scrubbed(event=text, problem=ValueError(text), nested=[(text,)]))


@pytest.mark.parametrize("text", ["casino.disabled", "the bearer is missing", "betId b-1001", "http://127.0.0.1:80/x"])
def test_plain_text_stays(text: str) -> None:
    assert log.scrub_text(text) == text


def test_numbers_and_short_facts_stay_and_bytes_are_counted() -> None:
    event = {"casino": 7, "ok": True, "none": None, "s": 1.5, "ids": [1, "b"]}
    assert scrubbed(**event, body=b"12345") == {**event, "body": "<5 bytes>"}


@pytest.mark.slow
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5) | st.just(TOKEN),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    )
)
def test_a_token_is_found_wherever_it_is(value: Any) -> None:
    assert TOKEN not in repr(scrubbed(value=value))


# --- errors that are overheard


def test_an_error_with_an_exception_is_overheard_and_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("debug", as_json=True)
    ours, heard, odd = log.get("ours"), [], ValueError("odd")
    with log.overheard(lambda event, error: heard.append((event, error))):
        ours.info("worker.ready")
        ours.warning("line.full", exc_info=odd)
        ours.error("casino.silent", problem="no answer")
        ours.error("loop.failed", exc_info=odd)
        try:
            raise odd
        except ValueError:
            ours.exception("crash")
    assert heard == [("loop.failed", odd), ("crash", odd)]
    assert capsys.readouterr() == ("", "")


def test_errors_are_overheard_although_logging_is_off() -> None:
    log.silence()
    heard = []
    with log.overheard(lambda event, _error: heard.append(event)):
        log.get("ours").error("loop.failed", exc_info=ValueError("odd"))
    assert heard == ["loop.failed"]


def test_after_overhearing_the_set_up_is_what_it_was_even_after_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", as_json=True)
    before, heard = structlog.get_config(), []
    with pytest.raises(KeyError), log.overheard(lambda event, _error: heard.append(event)):
        raise KeyError
    assert structlog.get_config() == before
    log.get("ours").error("loop.failed", exc_info=ValueError("odd"))
    assert json.loads(capsys.readouterr().err)["event"] == "loop.failed"
    assert heard == []
