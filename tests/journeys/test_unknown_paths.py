"""Unknown paths and methods: answered in the style of the half they are under."""

import pytest

from tests.journeys.by_hand import ask
from tests.journeys.stage import Stage

PROVIDER = [
    ("GET", "/v1", 404), ("GET", "/v1/", 404), ("GET", "/v1/nothing", 404), ("POST", "/v1/sessions", 404),
    ("GET", "/v1/sessions/x", 404), ("POST", "/v1/sessions/x/bets", 404), ("POST", "/v1/sessions/x/bets/pay-up", 404),
    ("POST", "/v1/sessions/x/bets/pay-in/", 404), ("GET", "/v1/sessions/x/balance/", 404),
    ("POST", "/v1/sessions/a%2Fb/bets/pay-in", 404), ("GET", "/v1/sessions//balance", 404),
    ("POST", "/v1/sessions/x/balance", 405), ("GET", "/v1/sessions/x/bets/pay-in", 405),
    ("PUT", "/v1/sessions/x/bets/pay-out", 405), ("DELETE", "/v1/sessions/x/bets/refund", 405),
    ("PATCH", "/v1/sessions/x/bets/pay-in-out", 405),
]  # fmt: skip
CASINO = [
    ("GET", "/mis-api/api/v2", 404), ("GET", "/mis-api/api/v2/", 404), ("POST", "/mis-api/api/v2/auth", 404),
    ("POST", "/mis-api/api/v2/payments/make", 404), ("POST", "/mis-api/api/v2/auth/token/", 404),
    ("GET", "/mis-api/api/v2/auth/jwks/", 404), ("POST", "/mis-api/api/v2/payments/accept/1", 404),
    ("GET", "/mis-api/api/v2/auth/token", 405), ("POST", "/mis-api/api/v2/auth/jwks", 405),
    ("PUT", "/mis-api/api/v2/payments/accept", 405), ("GET", "/mis-api/api/v2/cashback-payments/accept", 405),
    ("DELETE", "/mis-api/api/v2/auth/verify", 405),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "status"), PROVIDER)
async def test_under_the_provider_half_it_is_6(stage: Stage, method: str, path: str, status: int) -> None:
    told = await ask(stage.http, method, f"{stage.facts.hub_url}{path}")
    assert told.outcome == (status, 6)
    assert told.headers["content-type"] == "application/json"
    assert "location" not in told.headers


@pytest.mark.parametrize(("method", "path", "status"), CASINO)
async def test_under_the_casino_half_it_is_103752(stage: Stage, method: str, path: str, status: int) -> None:
    told = await ask(stage.http, method, f"{stage.facts.hub_url}{path}")
    assert told.outcome == (status, 103752)
    assert set(told.said) == {"ErrorCode", "Message"}
    assert "location" not in told.headers


@pytest.mark.parametrize("path", ["/", "/nothing", "/v2/sessions", "/mis-api", "/../etc/passwd", "/_sandbox/log"])
async def test_elsewhere_it_is_a_plain_404(stage: Stage, path: str) -> None:
    told = await ask(stage.http, "GET", f"{stage.facts.hub_url}{path}")
    assert told.status == 404
    assert b"Traceback" not in told.raw


async def test_the_hubs_own_pages_are_there(stage: Stage) -> None:
    for path in ("/livez", "/readyz", "/metrics", "/version"):
        assert (await ask(stage.http, "GET", f"{stage.facts.hub_url}{path}")).status == 200
