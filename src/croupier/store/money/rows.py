"""The mapping of the core's records to the tables: one list of columns per record, for both directions.

Owns: the mapping. The group commit's SQL and its arrays are made from these lists, so that a column is named once.
Never: runs SQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Any

from croupier.core.bet import Bet, BetState, Closing, Origin
from croupier.core.cashback import Cashback, CashbackState
from croupier.core.payment import Call, Payment, PaymentState, Step
from croupier.core.readings import PaymentKind


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name (also the record's field), its SQL type, and whether a decision may change it."""

    name: str
    sql: str
    changes: bool = False
    enum: Callable[[str], Enum] | None = None


def _columns(*specs: tuple[Any, ...]) -> tuple[Column, ...]:
    return tuple(Column(*spec) for spec in specs)


BET = _columns(
    ("bet_id", "bigint"),
    ("casino_id", "bigint"),
    ("provider_id", "bigint"),
    ("player_id", "bigint"),
    ("player_ref", "text"),
    ("bet_ref", "text"),
    ("round_ref", "text"),
    ("session_id", "text"),
    ("game_id", "bigint"),
    ("origin", "text", False, Origin),
    ("currency", "text"),
    ("stake", "bigint"),
    ("created_ms", "bigint"),
    ("state", "text", True, BetState),
    ("version", "bigint", True),
    ("win", "bigint", True),
    ("waiting_until_ms", "bigint", True),
    ("was_on", "boolean", True),
    ("tag_id", "bigint"),
    ("closing", "text", True, Closing),
    ("pay_in_answer", "text", True),
    ("pay_out_answer", "text", True),
    ("refund_answer", "text", True),
    ("ended_ms", "bigint", True),
)
BET_BALANCES = ("pay_in_balance", "pay_out_balance", "refund_balance")
"""Read with a bet; written only with the first answer (store.money.balances)."""

CASHBACK = _columns(
    ("cashback_id", "bigint"),
    ("casino_id", "bigint"),
    ("player_id", "bigint"),
    ("player_ref", "text"),
    ("currency", "text"),
    ("amount", "bigint"),
    ("ref", "text"),
    ("created_ms", "bigint"),
    ("state", "text", True, CashbackState),
    ("version", "bigint", True),
    ("tag_id", "bigint"),
)
PAYMENT = _columns(
    ("subject_id", "bigint"),
    ("kind", "text", False, PaymentKind),
    ("amount", "bigint"),
    ("tax", "bigint"),
    ("created_ms", "bigint"),
    ("state", "text", True, PaymentState),
    ("partner_tx", "text", True),
    ("code", "bigint", True),
    ("reason", "text", True),
    ("message", "text", True),
    ("heard", "text", True),
    ("decided_ms", "bigint", True),
    ("unanswered", "boolean", True),
)
CALL = _columns(
    ("slot", "text"),
    ("step", "text", True, Step),
    ("due_ms", "bigint", True),
    ("failures", "integer", True),
    ("acked", "boolean", True),
    ("crashes", "integer", True),
    ("fence", "bigint", True),
    ("lease_owner", "text", True),
    ("lease_until_ms", "bigint", True),
)


def row_writer(columns: Sequence[Column]) -> Callable[[object], tuple[Any, ...]]:
    """Return a function that gives a record's values in the order of the columns, enums as their stored text."""
    return attrgetter(*(c.name if c.enum is None else f"{c.name}.value" for c in columns))


def from_row(row: Mapping[str, Any], columns: Sequence[Column]) -> dict[str, Any]:
    """Return the record's fields from a row, stored texts as enums."""
    return {c.name: row[c.name] if c.enum is None else c.enum(row[c.name]) for c in columns}


def _payments(text: str) -> dict[PaymentKind, Payment]:
    found = [Payment(**from_row(row, PAYMENT)) for row in json.loads(text or "[]")]
    return {p.kind: p for p in found}


def _calls(text: str) -> dict[str, Call]:
    found = [Call(**from_row(row, CALL)) for row in json.loads(text or "[]")]
    return {c.slot: c for c in found}


def read_bet(row: Mapping[str, Any]) -> Bet:
    """Return the bet of a row of BET_QUERY."""
    fields = from_row(row, BET)
    balances: dict[str, Any] = {name: None if row[name] is None else int(row[name]) for name in BET_BALANCES}
    return Bet(**fields, **balances, payments=_payments(row["payments"]), calls=_calls(row["calls"]))


def read_cashback(row: Mapping[str, Any]) -> Cashback:
    """Return the cashback of a row of CASHBACK_QUERY."""
    fields = from_row(row, CASHBACK)
    return Cashback(**fields, payments=_payments(row["payments"]), calls=_calls(row["calls"]))


def _parts(subject: str) -> str:
    return f"""
    (select json_agg(p order by p.kind) from payments p where p.subject_id = {subject})::text as payments,
    (select json_agg(c order by c.slot) from calls c where c.subject_id = {subject})::text as calls"""


BET_QUERY = f"select b.*, {_parts('b.bet_id')} from bets b"
"""Query of whole bets, one row each; a condition or a join on `b` follows."""
CASHBACK_QUERY = f"select b.*, {_parts('b.cashback_id')} from cashbacks b"
"""Query of whole cashbacks, one row each; a condition or a join on `b` follows."""
