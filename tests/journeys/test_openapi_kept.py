"""Schemathesis calls the running hub by its own OpenAPI document: what comes back is what the document says.

Bodies are drawn from the schemas and against them, signed and with a bearer as the contract wants it, so that they reach
the flows; a 5xx is only what the document knows, and of a provider's call only 99. Each operation has a bounded share.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import UndefinedStatusCode

from croupier.apps.operations import all_operations, openapi
from croupier.casino_api import door as casino_api_door
from croupier.casinos.betcore_v2 import signing
from croupier.feed.rest import messages as feed_messages
from tests.journeys.by_hand import HandProvider, ask, compact
from tests.journeys.stage import Stage

pytestmark = pytest.mark.slow

EXAMPLES = 20
"""Of each operation, from its schemas and against them."""
CHECKS = [
    schemathesis.checks.status_code_conformance,
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.response_headers_conformance,
    schemathesis.checks.response_schema_conformance,
]
NAMES = [operation.name for operation in all_operations()]


@dataclass
class Caller:
    """The sandbox casino and studio, who may ask."""

    hub_url: str
    line: HandProvider
    bearer: str
    feed_bearer: str
    session: str
    http: requests.Session
    player_bearer: str = ""

    def bearer_for(self, path: str) -> str:
        """The token that the operation takes."""
        if path.startswith(f"{casino_api_door.ROOT}/frame/"):
            return self.player_bearer
        return self.feed_bearer if path.startswith(feed_messages.ROOT) else self.bearer

    def send(self, case: Any) -> requests.Response:
        """One call as it was drawn, proved as the contract wants it."""
        told = {
            name: value for name, value in case.as_transport_kwargs(base_url=self.hub_url).items() if value is not None
        }
        told.pop("timeout", None)
        made = self.http.prepare_request(requests.Request(**told))
        body = made.body.encode() if isinstance(made.body, str) else made.body or b""
        if case.operation.path.startswith("/v1/"):
            made.headers.update(self.line.signed(body))
        elif not case.operation.path.endswith("/auth/token"):
            made.headers["Authorization"] = f"Bearer {self.bearer_for(case.operation.path)}"
        return self.http.send(made, timeout=20, allow_redirects=False)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def caller_of(stage: Stage) -> Caller:
    store = stage.desk.store
    provider = next(p for p in await store.providers.all() if p.provider_id == stage.facts.provider_id)
    (secret,) = await store.providers.secrets(provider.provider_id)
    line = HandProvider(stage.http, stage.facts.hub_url, provider.provider_id, provider.counterparty_id, secret)
    now_s, key = stage.desk.clock.now_ms() // 1000, store.keys.token_key()
    bearer, feed_bearer = (
        signing.issue_token(key, stage.facts.casino_id, scope, issuer="croupier", now_s=now_s)
        for scope in (signing.SCOPE, feed_messages.SCOPE)
    )
    session = (await stage.seat()).session
    player_bearer = await guest_of(stage)
    return Caller(stage.facts.hub_url, line, bearer, feed_bearer, session, requests.Session(), player_bearer)


async def guest_of(stage: Stage) -> str:
    """A guest's token for the frame."""
    body = compact({"clientId": stage.facts.casino_id})
    url = f"{stage.facts.hub_url}{casino_api_door.ROOT}/frame/session"
    while True:
        told = await ask(stage.http, "POST", url, body, {"Content-Type": "application/json"})
        if told.said.get("code") != "too_many_requests":  # all tests come from one address
            return str(told.said["accessToken"])
        await asyncio.sleep(0.2)


def operation_of(name: str) -> Any:
    schema = schemathesis.openapi.from_dict(openapi())
    (found,) = [o.ok() for o in schema.get_all_operations() if o.ok().definition.raw["operationId"] == name]
    return found


def name_of(operation: Any) -> str:
    return str(operation.definition.raw["operationId"])


def modes_of(operation: Any) -> Iterator[GenerationMode]:
    yield GenerationMode.POSITIVE
    if operation.body or operation.path_parameters:
        yield GenerationMode.NEGATIVE


def keeps_the_document(caller: Caller, operation: Any, mode: GenerationMode, statuses: set[int]) -> None:
    """Draw, send and check; raises what does not hold."""

    @settings(
        max_examples=EXAMPLES, database=None, derandomize=True, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(operation.as_strategy(generation_mode=mode), st.integers(0, 3))
    def one(case: Any, luck: int) -> None:
        if luck and "session_id" in (case.path_parameters or {}):
            case.path_parameters["session_id"] = caller.session
        if luck and "day" in (case.path_parameters or {}):
            case.path_parameters["day"] = "2026-01-31"
        if luck and mode is GenerationMode.POSITIVE and name_of(operation) == "casino-api/post/sessions":
            # What no schema can say: a currency of the casino, and pages of its origins.
            case.body = {**case.body, "currency": "EUR", "lobbyUrl": None, "exitUrl": None, "limits": None}
        answer = caller.send(case)
        statuses.add(answer.status_code)
        case.validate_response(Response.from_requests(answer, verify=False), checks=CHECKS)
        if answer.status_code >= 500:
            assert answer.status_code in (503, 504)
            assert json.loads(answer.content)["_responseCode"] == 99

    one()


async def test_what_comes_back_is_what_the_document_says(stage: Stage, name: str) -> None:
    caller = await caller_of(stage)
    statuses: set[int] = set()

    def all_modes() -> None:
        operation = operation_of(name)
        for mode in modes_of(operation):
            keeps_the_document(caller, operation, mode, statuses)

    await asyncio.to_thread(all_modes)
    assert statuses - {400, 413, 415}, "some come through to where the work is done"
    assert 401 not in statuses or name.endswith(("auth/token", "post/frame/session")), "every other call is believed"


async def test_an_answer_that_the_document_does_not_know_is_seen(stage: Stage) -> None:
    """Or the test above would hold nothing: the document without its 404 of a session."""
    caller = await caller_of(stage)
    told: Any = json.loads(json.dumps(openapi()))
    del told["paths"]["/v1/sessions/{session_id}/balance"]["get"]["responses"]["404"]
    (operation,) = [
        o.ok() for o in schemathesis.openapi.from_dict(told).get_all_operations()
        if o.ok().definition.raw["operationId"] == "balance"
    ]  # fmt: skip
    with pytest.raises(FailureGroup) as caught:
        await asyncio.to_thread(keeps_the_document, caller, operation, GenerationMode.POSITIVE, set())
    assert {type(problem) for problem in caught.value.exceptions} == {UndefinedStatusCode}
