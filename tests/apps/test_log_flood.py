"""What strangers send writes no line for each: the log stays readable, and the numbers tell how much it was."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from croupier.kit import log
from croupier.kit.log_limit import LINES
from tests.flows.desk import Desk

ACCEPT = "/mis-api/api/v2/payments/accept"
FLOOD = 3 * LINES


@pytest.fixture(autouse=True)
def set_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log.configure("info", as_json=True)
    log.suppressed_lines()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/sessions/s-2/balance", b""),
        ("POST", "/v1/sessions/s-2/bets/pay-in", b"{" * 1000),
        ("POST", "/mis-api/api/v2/auth/token", b'{"PartnerClientId": 1, "Secret": "x"}'),
        ("POST", "/mis-api/api/v2/auth/token", b"rubbish"),
        ("POST", ACCEPT, b"rubbish"),
        ("GET", "/v1/nothing", b""),
        ("DELETE", "/livez", b""),
    ],
)
async def test_a_flood_of_strangers_writes_a_bounded_log(
    desk: Desk, capsys: pytest.CaptureFixture[str], method: str, path: str, body: bytes
) -> None:
    await desk.hub.store.keys.load()
    for number in range(FLOOD):
        await desk.call(method, path, body, Authorization=f"Bearer eyJ.{number}.x")
    said = capsys.readouterr().err
    assert said.count("\n") <= LINES
    told = (await desk.call("GET", "/metrics")).body.decode()
    held = sum(
        float(line.split()[-1]) for line in told.splitlines() if line.startswith("croupier_log_held_back_total{")
    )
    assert held in (0, FLOOD - LINES)
    assert (held > 0) == ("unauthorized" in said or "unreadable" in said)
