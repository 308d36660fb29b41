"""The common part of casinos and providers: finding one, changing it, closing it, rotating its secret.

Owns: the operations, errors and column checks that both tables share. Never: whether a peer's address is allowed, which
depends on the hub's settings (kit.addresses; the caller checks a URL there before it saves it).
"""

from __future__ import annotations

import re
import shlex
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from croupier.core.money import UnknownCurrency, exponent
from croupier.kit import names
from croupier.kit.chance import Chance
from croupier.kit.clock import Clock
from croupier.kit.seal import Sealer
from croupier.store.db import Db, DbViolation, Row, Tx
from croupier.store.parties.profiles import BadProfile
from croupier.store.parties.switchings import Switching, note_switchings
from croupier.store.storable import id_of, storable_id, storable_text

P = TypeVar("P")

_LIKE_AN_ID = re.compile(r"[0-9]+|\{?[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?", re.ASCII | re.IGNORECASE)
"""A number, or a GUID in any spelling."""
SECRET_BYTES = 32
"""A secret is 64 hex digits."""


class NameTaken(Exception):
    """Another counterparty of this kind has the name."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(
            f"there is a {kind} named {name!r} already: choose another name, or see it with `croupier {kind} show`; if its "
            f"secret is lost, `croupier {kind} secret rotate {shlex.quote(name)} --json` makes a new one"
        )
        self.name = name


class CounterpartyUnknown(LookupError):
    """There is no such casino or provider."""

    def __init__(self, kind: str, key: object) -> None:
        super().__init__(f"there is no {kind} {key!s:.60}")


class NameAmbiguous(LookupError):
    """The name matches several of them; `choices` names each unambiguously."""

    def __init__(self, kind: str, text: str, choices: Sequence[str]) -> None:
        super().__init__(f"{text:.80} may be {kind} {' or '.join(choices)}: say which")
        self.choices = tuple(choices)


class StillNeeded(Exception):
    """The row cannot be deleted; the text says why and what to do instead."""


class Undecided(Exception):
    """The counterparty cannot be closed without force: money is in flight. The text says what would stay undecided."""

    def __init__(self, kind: str, name: str, counts: Mapping[str, int]) -> None:
        waiting = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        super().__init__(
            f"{kind} {name} has something undecided ({waiting}), and what it says of that would be refused: disable it "
            "and wait until all is decided, or close it with --force"
        )


def check_columns(changes: Mapping[str, Any]) -> None:
    """Check name, url, currencies and enabled where they are given. Raises BadProfile with every problem."""
    problems = [problem for name, value in changes.items() if (problem := _CHECKS[name](value)) is not None]
    if problems:
        raise BadProfile(problems)


def _name_problem(name: object) -> str | None:
    if not isinstance(name, str):
        return "name must be text"
    problem = names.problem_of(name)
    if problem is not None:
        return f"name {problem}"
    # A name is accepted wherever an id is, so a name must not read as an id.
    return "name must not be a number or a GUID: that is how ids look" if _LIKE_AN_ID.fullmatch(name) else None


def _url_problem(url: object) -> str | None:
    if not isinstance(url, str) or not url.startswith(("http://", "https://")) or not storable_text(url):
        return "url must begin with http:// or https://"
    return None


def _currencies_problem(currencies: object) -> str | None:
    if isinstance(currencies, str) or not isinstance(currencies, Sequence) or not currencies:
        return "currencies must name at least one"
    if len(set(currencies)) != len(currencies):
        return "currencies must be different"
    try:
        for currency in currencies:
            exponent(currency)
    except UnknownCurrency as unknown:
        return f"{unknown}: {unknown.todo}"
    return None


def _enabled_problem(enabled: object) -> str | None:
    return None if isinstance(enabled, bool) else "enabled must be true or false"


_SWITCHES = ("enabled", "currencies")
"""Columns whose change is noted with its author."""
_CHECKS = {"name": _name_problem, "url": _url_problem, "currencies": _currencies_problem, "enabled": _enabled_problem}
COLUMNS = frozenset(_CHECKS)
"""The columns that `change` may change besides quirks."""


@dataclass(frozen=True, slots=True)
class CounterpartyKind(Generic[P]):
    """The differences of one kind of counterparty. Its SQL takes the id as $1."""

    name: str
    """`casino`: its table is `casinos`, its id `casino_id`."""
    columns: str
    """The tables that a record is read from."""
    record: Callable[[Mapping[str, Any]], P]
    found_by: str
    """The condition for rows that the id $1 or the text $2 may mean."""
    counts: str
    """The query that counts its undecided items by name."""
    settable: frozenset[str] = COLUMNS
    """The columns that `change` may change."""

    @property
    def select(self) -> str:
        """Return the query of its records, to be followed by a condition."""
        return f"select {self.columns} from {self.name}s"


@dataclass(frozen=True, slots=True)
class Changes:
    """The requested changes, by the place where they are stored."""

    columns: Mapping[str, Any]
    quirks: Mapping[str, Any]


class Counterparties(ABC, Generic[P]):
    """The counterparties of one kind."""

    def __init__(self, kind: CounterpartyKind[P], db: Db, sealer: Sealer, *, clock: Clock, chance: Chance) -> None:
        self._kind = kind
        self._db = db
        self._sealer = sealer
        self._clock = clock
        self._chance = chance

    async def find(self, id_or_name: int | str) -> P | None:
        """Return the one of this id or name (a provider: or counterparty id), as it is now. Raises NameAmbiguous.

        An old name may equal the id of another one: today's rule for names did not always hold.
        """
        kind, text = self._kind, str(id_or_name)
        if not storable_text(text):
            return None
        rows = await self._db.fetch(f"{kind.select} where {kind.found_by} order by {kind.name}_id", id_of(text), text)
        if len(rows) > 1:
            choices = [f"{row[f'{kind.name}_id']} ({row['name']})" for row in rows]
            raise NameAmbiguous(kind.name, text, choices)
        return kind.record(rows[0]) if rows else None

    async def all(self) -> list[P]:
        """Return every one, oldest first."""
        rows = await self._db.fetch(f"{self._kind.select} order by {self._kind.name}_id")
        return [self._kind.record(row) for row in rows]

    async def change(self, party_id: int, changes: Mapping[str, Any]) -> P:
        """Change name, url, enabled, a casino's currencies, or quirks; see `profiles.write_profile`.

        Raises BadProfile, NameTaken, CounterpartyUnknown; then nothing is changed.
        """
        columns = {name: value for name, value in changes.items() if name in self._kind.settable}
        check_columns(columns)
        quirks = {name: value for name, value in changes.items() if name not in columns}
        try:
            async with self._db.transaction() as tx:
                changed = self._kind.record(await self._write(tx, party_id, Changes(columns, quirks)))
                told = {name: str(columns[name]).lower() for name in _SWITCHES if name in columns}
                await self._note(tx, party_id, told)
        except DbViolation as refused:
            if refused.constraint == f"{self._kind.name}s_name_key":
                raise NameTaken(self._kind.name, columns["name"]) from None
            raise
        finally:
            self._forget()
        return changed

    async def enable(self, party_id: int) -> P:
        """Allow launches and bets again. Raises CounterpartyUnknown."""
        return await self.change(party_id, {"enabled": True})

    async def disable(self, party_id: int) -> P:
        """Stop launches, new bets and new cashbacks; those under way go on. Raises CounterpartyUnknown."""
        return await self.change(party_id, {"enabled": False})

    async def close(self, party_id: int, *, force: bool = False) -> None:
        """Reject every token and signature of it from now on. Payments owed to a casino are still made.

        Raises Undecided without `force` while something of it is undecided, CounterpartyUnknown.
        """
        async with self._db.transaction() as tx:
            row = await self._locked(tx, party_id, "name")
            counts = await tx.fetchrow(self._kind.counts, party_id)
            if not force and counts is not None and any(counts.values()):
                raise Undecided(self._kind.name, row["name"], dict(counts))
            await tx.execute(
                f"update {self._kind.name}s set closed_ms = coalesce(closed_ms, $2) where {self._kind.name}_id = $1",
                party_id,
                self._clock.now_ms(),
            )
            await self._note(tx, party_id, {"closed": "true"})
        self._forget()

    async def open(self, party_id: int) -> None:
        """Accept its tokens and signatures again; `enabled` stays as it was. Raises CounterpartyUnknown."""
        async with self._db.transaction() as tx:
            await self._locked(tx, party_id, f"{self._kind.name}_id")
            await tx.execute(
                f"update {self._kind.name}s set closed_ms = null where {self._kind.name}_id = $1", party_id
            )
            await self._note(tx, party_id, {"closed": "false"})
        self._forget()

    async def rotate_secret(self, party_id: int, keep_old_s: float = 86400) -> str:
        """Return a new secret, never shown again; the previous one stays valid beside it for so long.

        0: not at all, and the access tokens issued to a casino until now end too, because they may be stolen.
        Raises CounterpartyUnknown.
        """
        secret = self._chance.hex(SECRET_BYTES)
        now_ms = self._clock.now_ms()
        async with self._db.transaction() as tx:
            row = await self._locked(tx, party_id, "secret")
            kept = keep_old_s > 0
            before = await self._sealer.opened(row["secret"], self._place(party_id)) if kept else b""
            old = await self._sealer.sealed(before, self._old_place(party_id)) if kept else None
            until_ms = now_ms + round(keep_old_s * 1000) if kept else None
            sealed = await self._sealer.sealed(secret.encode(), self._place(party_id))
            await tx.execute(
                f"update {self._kind.name}s set secret = $2, old_secret = $3, old_secret_until_ms = $4"
                f" where {self._kind.name}_id = $1",
                party_id, sealed, old, until_ms,
            )  # fmt: skip
            if not kept:
                await self._end_tokens(tx, party_id, now_ms)
        self._forget()
        return secret

    async def _note(self, tx: Tx, party_id: int, told: Mapping[str, str]) -> None:
        """Note who set these switches."""
        made = [Switching(self._kind.name, party_id, name, value) for name, value in told.items()]
        await note_switchings(tx, made, self._clock.now_ms())

    async def _end_tokens(self, tx: Tx, party_id: int, now_ms: int) -> None:
        """Revoke the access tokens that the old secret was exchanged for."""

    async def _locked(self, tx: Tx, party_id: int, columns: str) -> Row:
        """Return the row, locked until the transaction ends. Raises CounterpartyUnknown."""
        row = None
        if storable_id(party_id):
            row = await tx.fetchrow(
                f"select {columns} from {self._kind.name}s where {self._kind.name}_id = $1 for update", party_id
            )
        if row is None:
            raise CounterpartyUnknown(self._kind.name, party_id)
        return row

    @abstractmethod
    async def _write(self, tx: Tx, party_id: int, changes: Changes) -> Row:
        """Write the changes of one and return the new row."""

    @abstractmethod
    def _forget(self) -> None:
        """Drop the cached rows."""

    def _place(self, party_id: int) -> str:
        return f"{self._kind.name}s.secret.{party_id}"

    def _old_place(self, party_id: int) -> str:
        return f"{self._kind.name}s.old_secret.{party_id}"
