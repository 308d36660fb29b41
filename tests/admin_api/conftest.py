"""A hub that serves its admin API on a real socket over real rows, two casinos and two providers, and persons who ask."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from croupier.admin_api.command import ROOT
from croupier.core.account import Role, Scope
from croupier.store.db import Db
from croupier.store.oversight.admin_uses import AdminUse
from croupier.views.casino_books import TOP
from tests.casino_api.conftest import Answer, House, open_house


@dataclass
class Office:
    """The hub, and ways for persons to ask."""

    house: House
    other: House
    """The same hub as its second casino sees it."""
    people: int = 0

    async def person(self, role: Role = Role.ADMINISTER, scope: Scope | None = None) -> str:
        """A new account's token."""
        self.people += 1
        accounts = self.house.hub.store.accounts
        return (await accounts.add(f"person-{self.people}", role, "tests", scope=scope or Scope()))[1]

    async def of_casino(self, role: Role = Role.DECIDE) -> str:
        """The token of somebody who sees the first casino alone."""
        return await self.person(role, Scope(frozenset({self.house.casino.casino_id})))

    async def ask(self, token: str | None, call: str, body: Any = None, **headers: str) -> Answer:
        """One request: `call` is method and path."""
        method, _, path = call.partition(" ")
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            told.setdefault("Authorization", f"Bearer {token}")
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if raw is not None:
            told.setdefault("Content-Type", "application/json")
        async with self.house.http.request(method, f"{self.house.url}{ROOT}/{path}", data=raw, headers=told) as answer:
            text = await answer.text()
            return Answer(answer.status, answer.headers, json.loads(text) if text else None)

    async def good(self, token: str, call: str, body: Any = None) -> Any:
        """What a good answer says."""
        answer = await self.ask(token, call, body)
        assert answer.status == 200, answer.body
        return answer.body

    async def uses(self) -> list[AdminUse]:
        """What was recorded, newest first."""
        return await self.house.hub.store.admin_uses.newest(TOP, 100)

    async def bet(self, of: House | None = None, win: int | None = None) -> int:
        """A bet at the first casino, or at the one that is given."""
        at = of or self.house
        opened = await at.open()
        return await at.play(opened["sessionId"], f"b-{opened['sessionId']}", win=win)


@pytest.fixture
async def office(db: Db) -> AsyncIterator[Office]:
    async with open_house(db) as house:
        yield Office(house, await house.another())
