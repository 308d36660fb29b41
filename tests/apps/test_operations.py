"""The OpenAPI document says exactly what is served: every route, every code of the tables, every schema sound."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from croupier.apps.hub_app import hub_app
from croupier.apps.operations import all_operations, openapi
from croupier.casinos.betcore_v2 import codec as casino_codec
from croupier.casinos.betcore_v2 import messages as casino_messages
from croupier.core import money
from croupier.core.counterparty import Casino
from croupier.core.refusals import Refusal
from croupier.feed.sockets import PATHS
from croupier.kit.config import load
from croupier.providers.betcore_v1 import codec as provider_codec
from croupier.providers.betcore_v1 import outcomes
from tests.flows.desk import Desk

DOCUMENT: dict[str, Any] = json.loads(json.dumps(openapi()))
CASINO = Casino(1, "Corner Bet", "betcore_v2", "https://casino.test", ("EUR",))


def served() -> list[tuple[str, str]]:
    """Method and path of every route of the app, but those of SignalR, which is no REST, those of the frame's files, the documentation, the admin API, which has a document of its own, and preflights."""
    nobody: Any = None  # routes are made without a look at the hub
    every: list[Any] = hub_app(nobody, load({})).routes
    routes = [
        route
        for route in every
        if not route.path.startswith((*PATHS, "/assets/", "/frame", "/docs", "/admin-api/")) and route.path != "/"
    ]
    return sorted((method, route.path) for route in routes for method in route.methods - {"HEAD", "OPTIONS"})


def stated() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and what the document says of it."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def within(document: object) -> Iterator[dict[str, Any]]:
    """Every object in it, at any depth."""
    if isinstance(document, dict):
        yield document
    for inner in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        yield from within(inner)


def judge_of(schema: dict[str, Any]) -> Any:
    """A validator of one schema, the components at hand."""
    return jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def body_of(name: str) -> Any:
    (operation,) = [o for _, _, o in stated() if o["operationId"] == name]
    return judge_of(operation["requestBody"]["content"]["application/json"]["schema"])


def test_every_route_is_in_the_document_and_nothing_else() -> None:
    assert sorted((method, path) for method, path, _ in stated()) == served()
    assert len(all_operations()) == len(served())


def test_every_operation_has_a_name_of_its_own_its_source_and_its_proof() -> None:
    operations = [operation for _, _, operation in stated()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all(operation["description"].startswith("Contract: ") for operation in operations)
    schemes = DOCUMENT["components"]["securitySchemes"]
    for method, path, operation in stated():
        proofs = operation["security"]
        assert {scheme for proof in proofs for scheme in proof} <= set(schemes)
        open_to_all = {} in proofs
        guarded = path.startswith(("/v1", "/mis-api", "/partnersmediator-service", "/casino-api"))
        entry = path.endswith(("/auth/token", "/auth/jwks")) or (method, path) == (
            "POST",
            "/casino-api/v1/frame/session",
        )
        wanted = not guarded or entry
        assert open_to_all == wanted, (method, path)


def test_every_reference_leads_to_a_schema_and_every_schema_is_sound() -> None:
    references = {found["$ref"] for found in within(DOCUMENT) if "$ref" in found}
    names = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert references
    assert references == names, "a schema that nothing points at is read by nobody"
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)
        judge_of(schema)


def test_every_refusal_and_fault_stands_beside_its_status_somewhere() -> None:
    """What the table can say and the document cannot would be news to a provider."""
    told = {
        (int(status), code)
        for _, path, operation in stated()
        if path.startswith("/v1/")
        for status, answer in operation["responses"].items()
        for code in answer["content"]["application/json"]["schema"]["allOf"][1]["properties"]["_responseCode"]["enum"]
    }
    rows = [outcomes.SUCCESS, *(outcomes.REFUSALS[refusal] for refusal in Refusal)]
    rows += [row for fault, row in outcomes.FAULTS.items() if fault is not outcomes.RequestFault.WRONG_METHOD]
    assert told == {(row.status, row.code) for row in rows}


AMOUNTS = ["1", "0", "0.01", "12.50", "1" * 15, "1.12345678"]
NO_AMOUNTS = ["", "-1", "+1", "1.", ".5", "1e3", "1,5", " 1", "1" * 16, "1.123456789", "NaN", "\u0661"]


@pytest.mark.parametrize("amount", [*AMOUNTS, *NO_AMOUNTS])
def test_an_amount_of_the_document_is_an_amount_of_the_reader(amount: str) -> None:
    body = {"betId": "b", "gameRoundId": "r", "betAmount": amount}
    assert body_of("pay-in").is_valid(body) == money.is_amount(amount) == (amount in AMOUNTS)


@pytest.mark.parametrize("name", ["pay-in", "pay-out", "pay-in-out", "refund"])
def test_what_the_document_requires_the_reader_requires(name: str) -> None:
    whole = {"betId": "b", "gameRoundId": "r", "betAmount": "1", "winAmount": "2"}
    read: Any = getattr(provider_codec, f"read_{name.replace('-', '_')}")
    for left_out in [None, *whole]:
        body = {field: value for field, value in whole.items() if field != left_out}
        try:
            read(1, "s-1", json.dumps(body).encode())
            readable = True
        except provider_codec.BadField:
            readable = False
        assert body_of(name).is_valid(body) == readable, left_out


@pytest.mark.parametrize("code", [200, 103804, 102823])
@pytest.mark.parametrize("subject", [casino_messages.BETS, casino_messages.CASHBACKS])
def test_what_the_document_requires_of_an_accept_the_reader_requires(
    code: int, subject: casino_messages.Subject
) -> None:
    bets = subject is casino_messages.BETS
    judge = body_of("payments/accept" if bets else "cashback-payments/accept")
    value = {
        subject.id_name: 5, "PartnerUserId": "p", "PartnerTransactionId": "t", "TransactionType": 1, "Amount": "1.00",
    }  # fmt: skip
    for left_out in [None, "ErrorCode", "Message", "Value", *value]:
        fields = {name: stated for name, stated in value.items() if name != left_out}
        body = {"ErrorCode": code, "Message": "said", "Value": fields}
        body.pop(left_out or "", None)
        try:
            casino_codec.read_accept(json.dumps(body).encode(), CASINO, subject)
            readable = True
        except casino_codec.BadField:
            readable = False
        assert judge.is_valid(body) == readable, left_out


async def test_the_document_is_served(desk: Desk) -> None:
    answer = await desk.call("GET", "/openapi.json")
    assert answer.status == 200
    assert json.loads(answer.body) == DOCUMENT
