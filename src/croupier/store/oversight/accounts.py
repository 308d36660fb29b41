"""Accounts of persons, each known by a token of which only a digest is stored.

Owns: the rows of `accounts`. Never: what a role may do (core.account). Spec: decision 0101.
"""

from __future__ import annotations

import hashlib

from croupier.core.account import Account, Role, Scope
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.store.db import Db, Row

_COLUMNS = "account_id, name, role, created_ms, created_by, closed_ms, closed_by, casino_ids, provider_ids"
_ADD = f"""
insert into accounts (name, role, token_digest, created_ms, created_by, casino_ids, provider_ids)
values ($1, $2, $3, $4, $5, $6::bigint[], $7::bigint[])
on conflict (name) do nothing returning {_COLUMNS}"""
_BY_TOKEN = f"select {_COLUMNS} from accounts where token_digest = $1 and closed_ms is null"
_ALL = f"select {_COLUMNS} from accounts order by name"
_CLOSE = f"""
update accounts set closed_ms = $2, closed_by = $3 where name = $1 and closed_ms is null returning {_COLUMNS}"""
_RENEW = f"update accounts set token_digest = $2 where name = $1 and closed_ms is null returning {_COLUMNS}"

WHOLE_HUB = Scope()

PREFIX = "cra_"
"""The beginning of each token, by which a search for leaked secrets finds one."""


class AccountNameTaken(Exception):
    """There is an account of that name, open or closed. A name is never given again: the books name persons by it."""


class Accounts:
    """The stored accounts."""

    def __init__(self, db: Db, clock: Clock, chance: Chance) -> None:
        self._db = db
        self._clock = clock
        self._chance = chance

    async def add(self, name: str, role: Role, by: str, *, scope: Scope = WHOLE_HUB) -> tuple[Account, str]:
        """Add an account; return it and its token, which nothing can show again. Raises AccountNameTaken."""
        token = self._new_token()
        ids = [None if one is None else sorted(one) for one in (scope.casino_ids, scope.provider_ids)]
        row = await self._db.fetchrow(_ADD, name, role.value, _digest(token), self._clock.now_ms(), by, *ids)
        if row is None:
            raise AccountNameTaken(
                f"there is an account {name!r} already; `croupier account token` gives it a new token"
            )
        return _account(row), token

    async def by_token(self, token: str) -> Account | None:
        """Return the open account of this token."""
        row = await self._db.fetchrow(_BY_TOKEN, _digest(token))
        return None if row is None else _account(row)

    async def all(self) -> list[Account]:
        """Return every account, closed ones too, by name."""
        return [_account(row) for row in await self._db.fetch(_ALL)]

    async def close(self, name: str, by: str) -> Account | None:
        """Close an account for good: its token is refused from now on. None if no open account has the name."""
        row = await self._db.fetchrow(_CLOSE, name, self._clock.now_ms(), by)
        return None if row is None else _account(row)

    async def renew(self, name: str) -> tuple[Account, str] | None:
        """Give an account a new token; the old one is refused from now on. None if no open account has the name."""
        token = self._new_token()
        row = await self._db.fetchrow(_RENEW, name, _digest(token))
        return None if row is None else (_account(row), token)

    def _new_token(self) -> str:
        return PREFIX + self._chance.hex(32)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _account(row: Row) -> Account:
    ids = {name: None if row[name] is None else tuple(row[name]) for name in ("casino_ids", "provider_ids")}
    return Account(**{**row, **ids, "role": Role(row["role"])})
