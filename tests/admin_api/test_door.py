"""Who is let in: tokens, roles, addresses and rates; and what an unreadable request is told."""

from __future__ import annotations

import pytest

from croupier.admin_api.command import ROOT
from croupier.admin_api.table import COMMANDS
from croupier.core.account import Role, Scope
from croupier.store.db import Db
from tests.admin_api.conftest import Office
from tests.casino_api.conftest import open_house

NOBODY = (401, "not_signed_in")


@pytest.mark.parametrize("token", [None, "cra_nonsense", "x" * 4000])
async def test_without_the_token_of_an_open_account_nothing_is_told(office: Office, token: str | None) -> None:
    answer = await office.ask(token, "GET bets")
    assert answer.code == NOBODY
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert await office.uses() == []


async def test_a_closed_account_and_an_old_token_are_refused_at_once(office: Office) -> None:
    old, accounts = await office.person(), office.house.hub.store.accounts
    assert (await office.ask(old, "GET bets")).status == 200
    renewed = await accounts.renew("person-1")
    assert renewed is not None
    assert (await office.ask(old, "GET bets")).code == NOBODY
    assert (await office.ask(renewed[1], "GET bets")).status == 200
    await accounts.close("person-1", "tests")
    assert (await office.ask(renewed[1], "GET bets")).code == NOBODY


async def test_a_role_allows_what_it_includes_and_no_more(office: Office) -> None:
    """Every command is tried with the role below its own: it is refused before anything is looked for."""
    order = list(Role)
    tokens = {role: await office.person(role) for role in order}
    tried = 0
    for command in COMMANDS.values():
        if command.role is Role.LOOK:
            continue
        below = order[order.index(command.role) - 1]
        path = command.path.replace("{", "").replace("}", "")
        if "number" in command.in_path or "proposal_id" in command.in_path:
            path = path.replace("number", "1").replace("proposal_id", "1")
        answer = await office.ask(tokens[below], f"{command.method} {path}", {} if command.method == "POST" else None)
        assert answer.status in (400, 403), (command.words, answer.body)
        tried += answer.status == 403
    assert tried > 3
    answer = await office.ask(tokens[Role.OPERATE], "POST bets/1/return", {"reason": "asked"})
    assert answer.code == (403, "not_allowed")
    assert "person-2 has the role operate: `bet return` needs the role decide" in answer.body["detail"]


async def test_every_command_about_the_whole_hub_refuses_an_account_with_a_scope(office: Office) -> None:
    token = await office.person(Role.ADMINISTER, Scope(frozenset({office.house.casino.casino_id})))
    for call in ("GET accounts", "GET accounts/uses"):
        answer = await office.ask(token, call)
        assert answer.code == (403, "not_allowed")
        assert "sees some casinos or providers only" in answer.body["detail"]


@pytest.mark.parametrize(("where", "status"), [("127.0.0.0/8", 200), ("192.0.2.0/24", 403), ("none", 403)])
async def test_only_the_addresses_of_the_setting_are_let_in(db: Db, where: str, status: int) -> None:
    async with open_house(db, admin_from=where) as house:
        office = Office(house, house)
        assert (await office.ask(await office.person(), "GET bets")).status == status


async def test_an_account_has_a_rate_and_so_have_wrong_tokens(db: Db) -> None:
    async with open_house(db, admin_per_s=2) as house:
        office = Office(house, house)
        busy, calm = await office.person(), await office.person()
        said = [await office.ask(busy, "GET proposals") for _ in range(8)]
        assert {answer.status for answer in said} == {200, 429}
        assert said[-1].code == (429, "too_many_requests")
        assert int(said[-1].headers["Retry-After"]) >= 1
        assert (await office.ask(calm, "GET proposals")).status == 200
        wrong = [(await office.ask("cra_guess", "GET bets")).status for _ in range(12)]
        assert wrong[0] == 401
        assert wrong[-1] == 429


@pytest.mark.parametrize(
    ("call", "body", "status", "code", "field"),
    [
        ("GET bets?limit=0", None, 400, "usage", "limit"),
        ("GET bets?limit=1001", None, 400, "usage", "limit"),
        ("GET bets?limit=many", None, 400, "usage", "limit"),
        ("GET bets?colour=red", None, 400, "usage", "colour"),
        ("GET bets?state=lost", None, 400, "usage", "state"),
        ("GET bets?at_least=3", None, 400, "usage", "currency"),
        ("GET bets?casino=a&casino=b", None, 400, "usage", "casino"),
        ("GET trace", None, 400, "usage", "bet"),
        ("GET ggr?from=2025-11-02&to=2025-11-01", None, 400, "usage", "to"),
        ("POST incidents/close", {"reason": "r"}, 400, "usage", "ids"),
        ("POST incidents/close", {"ids": [1]}, 400, "usage", "reason"),
        ("POST incidents/close", {"ids": [1], "reason": " "}, 400, "usage", "reason"),
        ("POST incidents/close", {"ids": ["x"], "reason": "r"}, 400, "usage", "ids"),
        ("POST incidents/close", b"{", 400, "usage", None),
        ("POST incidents/close", b'{"reason":"' + b"x" * 70_000 + b'"}', 413, "too_large", None),
        ("POST bets/1/return", {"bet": "2", "reason": "r"}, 400, "usage", "bet"),
        ("GET nonsense", None, 404, "not_found", None),
        ("DELETE bets", None, 405, "method_not_allowed", None),
        ("GET bets?casino=Nowhere", None, 404, "not_found", None),
        ("GET bets?currency=XXX&at_least=3", None, 409, "refused", None),
    ],
)
async def test_what_cannot_be_done_names_its_cause(
    office: Office, call: str, body: object, status: int, code: str, field: str | None
) -> None:
    answer = await office.ask(await office.person(), call, body)
    assert answer.code == (status, code), answer.body
    assert answer.body.get("field") == field
    assert answer.body["detail"]


async def test_a_body_must_be_declared_as_json(office: Office) -> None:
    answer = await office.ask(await office.person(), "POST incidents/close", b"{}", Content_Type="text/plain")
    assert answer.code == (415, "wrong_type")


async def test_the_document_describes_every_command(office: Office) -> None:
    answer = await office.ask(None, "GET openapi.json")
    described = {(path, method.upper()) for path, calls in answer.body["paths"].items() for method in calls}
    assert described == {(f"{ROOT}/{one.path}", one.method) for one in COMMANDS.values()}
