"""The group commit's one statement, made from the column lists.

A statement has only those groups of rows that are not empty: a group commit of one decision seldom has all of them, and
PostgreSQL pays for every part of a statement, empty or not.

The decisions are passed as arrays, one for each column, as literals (store.array_literal). The heads are written first: new subjects by `on conflict do nothing`, known ones
by `where version = the version that was read`. Every other row is joined to the heads that really changed,
so a decision that lost its race writes nothing at all and is missing from the result.

Owns: the SQL text and the order of its parameters. Never: runs it (group commit). Spec: decision 0004.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from croupier.store.incident_notes import AGAIN
from croupier.store.money.balances import SUM
from croupier.store.money.rows import BET, BET_BALANCES, CALL, CASHBACK, PAYMENT, Column

N = Column("n", "integer")
ENTRY = (
    Column("subject_id", "bigint"),
    Column("source", "text"),
    Column("target", "text"),
    Column("amount", "bigint"),
    Column("currency", "text"),
    Column("why", "text"),
    Column("author", "text"),
    Column("version", "bigint"),
    Column("at_ms", "bigint"),
)
EVENT = (
    Column("subject_id", "bigint"),
    Column("version", "bigint"),
    Column("at_ms", "bigint"),
    Column("event", "text"),
    Column("state", "text"),
    Column("detail", "text"),
    Column("author", "text"),
    Column("process", "text"),
    Column("mark", "text"),
)
INCIDENT = (
    Column("subject_id", "bigint"),
    Column("name", "text"),
    Column("note", "text"),
    Column("first_ms", "bigint"),
    Column("last_ms", "bigint"),
)
TELLS = (Column("tells", "text"), Column("net", "bigint"))
"""The verb whose answer gets the balance, and the bet's total effect on the wallet; null where none gets it."""
GONE = (Column("subject_id", "bigint"), Column("slot", "text"))
NUMBER = (
    Column("casino_id", "bigint"),
    Column("partner_tx", "text"),
    Column("subject_id", "bigint"),
    Column("kind", "text"),
)

_NOT_HELD = """(m.n in (
        select i.n from number_in i join partner_transactions t using (casino_id, partner_tx))) is not true"""
WON = "(i.n in (select h.n from heads h)) is true"
"""A hashed lookup; as a plain `in` it would become a join, and the pinned plans make that quadratic."""


_HELD = """
with keys as materialized (select k.key from unnest($1::bigint[]) k(key)),
h as materialized (select {key} as key from {table} where {key} = any($1::bigint[]) for update skip locked),
c as materialized (select subject_id, slot from calls where subject_id = any($1::bigint[]) for update skip locked),
p as materialized (select subject_id, kind from payments where subject_id = any($1::bigint[]) for update skip locked)
select k.key from keys k
where exists (select from {table} t where t.{key} = k.key and not exists (select from h where h.key = k.key))
or exists (select from calls t where t.subject_id = k.key
    and not exists (select from c where c.subject_id = k.key and c.slot = t.slot))
or exists (select from payments t where t.subject_id = k.key
    and not exists (select from p where p.subject_id = k.key and p.kind = t.kind))"""


@dataclass(frozen=True, slots=True)
class Group:
    """One group of rows, passed as arrays: a name and its columns, `n` (the decision) first."""

    name: str
    columns: tuple[Column, ...]


class GroupCommitSql:
    """The statements for one kind of subject: `groups` are all groups of rows, in the order of their parameters."""

    def __init__(self, table: str, key: str, *, head: Sequence[Column], unique: str, tells: bool = False) -> None:
        self.groups = _groups(head, TELLS if tells else ())
        self.tells = tells
        """Whether an answer with a balance may belong to a decision about such a subject."""
        self._table = table
        self._key = key
        self._head = head
        self._unique = unique
        self.contended = tuple(unique.split(", "))
        """Names of the head's fields that are unique among births."""
        self.held = _HELD.format(table=table, key=key)
        """SQL that returns which of the subjects `$1::bigint[]` have a row that another session holds now, without waiting."""
        self._texts: dict[tuple[str, ...], str] = {}

    def text(self, names: tuple[str, ...]) -> str:
        """Return the statement for group commits whose rows are in exactly these groups; names in the order of `groups`."""
        known = self._texts.get(names)
        return known if known is not None else self._texts.setdefault(names, self._make(names))

    def written(self, text: str, arrays: Sequence[object]) -> dict[str, list[dict[str, Any]]] | None:
        """Return the rows that a statement of this kind writes, by group; None for another statement. For the simulator."""
        names = next((names for names, known in self._texts.items() if known == text), None)
        if names is None:
            return None
        columns: Iterator[Any] = iter(arrays)
        rows: dict[str, list[dict[str, Any]]] = {}
        for group in (g for g in self.groups if g.name in names):
            fields = {column.name: next(columns) for column in group.columns}
            rows[group.name] = [dict(zip(fields, values, strict=True)) for values in zip(*fields.values(), strict=True)]
        return rows

    def _make(self, names: tuple[str, ...]) -> str:
        sources = _sources([g for g in self.groups if g.name in names])
        parts = [*_heads(self, names), *(text for name, text in _dependents().items() if name in names)]
        return ",\n".join([sources, *parts]) + "\nselect n, told, base_ms from heads"

    @property
    def shape(self) -> tuple[str, str, Sequence[Column], str]:
        """Return table, key, the head's columns, and the columns unique among births."""
        return self._table, self._key, self._head, self._unique


def _groups(head: Sequence[Column], tells: Sequence[Column]) -> tuple[Group, ...]:
    subject = Column("subject_id", "bigint")
    return (
        Group("born", (N, *head)),
        Group("moved", (N, *head, *tells)),
        Group("pay", (N, Column("player_id", "bigint"), *PAYMENT)),
        Group("number", (N, *NUMBER)),
        Group("call", (N, subject, Column("casino_id", "bigint"), *CALL)),
        Group("gone", (N, *GONE)),
        Group("entry", (N, *ENTRY)),
        Group("event", (N, *EVENT)),
        Group("incident", (N, *INCIDENT)),
    )


def _sources(groups: Sequence[Group]) -> str:
    parts, number = [], 0
    for group in groups:
        arrays = []
        for column in group.columns:
            number += 1
            arrays.append(f"${number}::text::{column.sql}[]")
        names = ", ".join(c.name for c in group.columns)
        parts.append(f"{group.name}_in({names}) as not materialized (select * from unnest({', '.join(arrays)}))")
    return "with " + ",\n".join(parts)


def _names(columns: Sequence[Column], prefix: str = "") -> str:
    return ", ".join(prefix + c.name for c in columns)


def _updates(columns: Sequence[Column], prefix: str) -> str:
    return ", ".join(f"{c.name} = {prefix}{c.name}" for c in columns if c.changes)


def _heads(sql: GroupCommitSql, names: tuple[str, ...]) -> list[str]:
    """Return the conditional writes, and `heads`: the decisions that won."""
    table, key, head, unique = sql.shape
    parts, won = [], []
    if "born" in names:
        parts.append(f"""born as (
    insert into {table} ({_names(head)}) select {_names(head)} from born_in
    on conflict ({unique}) do nothing returning {key})""")
        won.append(
            "select i.n, null::numeric as told, null::bigint as base_ms"
            f" from born_in i where (i.{key} in (select {key} from born)) is true"
        )
    if "moved" in names:
        # A casino's id that another payment has is no error: the decision is lost, and made anew with that knowledge.
        held = f" and {_NOT_HELD}" if "number" in names else ""
        stored, joined, told = _balances() if sql.tells else ("", "", "null::numeric, null::bigint")
        parts.append(f"""moved(n, told, base_ms) as (
    update {table} t set {_updates(head, "m.")}{stored} from moved_in m{joined}
    where t.{key} = m.{key} and t.version = m.version - 1{held} returning m.n, {told})""")
        won.append("select n, told, base_ms from moved")
    return [*parts, f"heads as ({' union all '.join(won)})"]


def _balances() -> tuple[str, str, str]:
    """Return what stores the balance with the answer that a decision gives, how it is summed, and what is returned of it.

    The sum is of the snapshot before this group commit: what the decision moves is ahead in it, not yet booked.
    """
    columns = [(name, name.removesuffix("_balance")) for name in BET_BALANCES]
    stored = "".join(
        f", {name} = case when m.tells = '{verb}' then coalesce(t.{name}, now.amount + now.ahead) else t.{name} end"
        for name, verb in columns
    )
    # Without a player there is no balance to look for; a condition on `tells` alone would be tried after the sums.
    joined = f"""
    left join lateral (
        select s.* from (select case when m.tells is not null then m.player_id end as player_id, m.bet_id, m.net) k
        cross join lateral ({SUM}) s
    ) now on true"""
    told = " ".join(f"when '{verb}' then t.{name}" for name, verb in columns)
    return stored, joined, f"case m.tells {told} end, now.base_ms"


def _dependents() -> dict[str, str]:
    """Return the writes for the decisions that won, by group."""
    pay, call = _names(PAYMENT), _names(CALL)
    return {
        "pay": f"""p as (
    insert into payments ({pay}, player_id) select {pay}, player_id from pay_in i where {WON}
    on conflict (subject_id, kind) do update set {_updates(PAYMENT, "excluded.")})""",
        # In the order of the key, so that two group commits with the same ids cannot wait for each other.
        "number": f"""t as (
    insert into partner_transactions ({_names(NUMBER)}) select {_names(NUMBER)} from number_in i where {WON}
    order by casino_id, partner_tx)""",
        "gone": f"""g as (
    delete from calls c using gone_in i where {WON}
    and c.subject_id = i.subject_id and c.slot = i.slot)""",
        "call": f"""c as (
    insert into calls (subject_id, casino_id, {call}) select subject_id, casino_id, {call}
    from call_in i where {WON}
    on conflict (subject_id, slot) do update set {_updates(CALL, "excluded.")})""",
        "entry": f"""l as (
    insert into ledger ({_names(ENTRY)}) select {_names(ENTRY)} from entry_in i where {WON})""",
        "event": f"""e as (
    insert into events ({_names(EVENT)}) select {_names(EVENT)} from event_in i where {WON})""",
        "incident": f"""x as (
    insert into incidents as t ({_names(INCIDENT)}) select {_names(INCIDENT)}
    from incident_in i where {WON}
    {AGAIN})""",
    }


BETS = GroupCommitSql("bets", "bet_id", head=BET, unique="provider_id, bet_ref", tells=True)
CASHBACKS = GroupCommitSql("cashbacks", "cashback_id", head=CASHBACK, unique="casino_id, ref")
