"""The books of one archived bet or cashback, checked from its own rows without a database.

Owns: what its payments, entries and events must be, given each other; the sums by account. It shares nothing with the code that
writes them, nor with the auditor's SQL. Never: reads a file. Spec: money.md 5 and 6, decision 0100.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

Rows: TypeAlias = Mapping[str, Any]
Sums: TypeAlias = dict[str, dict[str, int]]
"""Minor units by currency and account."""

TAKES: Final = frozenset({"stake", "payout_return", "cashback_cancel"})
"""The kinds of payment that take money from the wallet; every other gives."""
EMPTY: Final = ("open-bets", "owed", "suspense")
DECIDED: Final = frozenset({"accepted", "refused", "expired"})


def problems(kept: Rows) -> Iterator[str]:
    """Yield what does not fit in the rows of one bet or cashback. Raises KeyError, TypeError for rows of another form."""
    subject = kept["subject"]
    head = kept.get("bet") or kept["cashback"]
    if head.get("bet_id", head.get("cashback_id")) != subject:
        yield "its row is of another subject"
    for table in ("payments", "ledger", "events", "numbers"):
        if any(row["subject_id"] != subject for row in kept[table]):
            yield f"a row of {table} belongs to another subject"
    yield from _story(kept, head)
    yield from _entries(kept, head)
    yield from _payments(kept)
    yield from _ends(kept, head)


def add_up(kept: Rows, sums: Sums) -> None:
    """Add the entries of one bet or cashback to the sums."""
    for entry in kept["ledger"]:
        accounts = sums.setdefault(entry["currency"], {})
        accounts[entry["target"]] = accounts.get(entry["target"], 0) + entry["amount"]
        accounts[entry["source"]] = accounts.get(entry["source"], 0) - entry["amount"]


def _story(kept: Rows, head: Rows) -> Iterator[str]:
    events = kept["events"]
    versions = [event["version"] for event in events]
    if not events or versions[0] != 0 or versions != sorted(set(versions)):
        yield f"its story does not go on from 0: {versions[:20]}"
    elif events[-1]["state"] != head["state"] or versions[-1] > head["version"]:
        yield f"it is {head['state']}, and its story ends with {events[-1]['state']}"


def _entries(kept: Rows, head: Rows) -> Iterator[str]:
    told = {event["version"]: (event["at_ms"], event["author"]) for event in kept["events"]}
    for entry in kept["ledger"]:
        name = f"entry {entry['entry_id']}"
        if type(entry["amount"]) is not int or entry["amount"] <= 0 or entry["source"] == entry["target"]:
            yield f"{name} moves nothing"
        if entry["currency"] != head["currency"]:
            yield f"{name} is in {entry['currency']}, its subject in {head['currency']}"
        if told.get(entry["version"]) != (entry["at_ms"], entry["author"]):
            yield f"{name} belongs to no event"


def _payments(kept: Rows) -> Iterator[str]:
    moved = _net(kept, "wallets")
    paid = 0
    for payment in kept["payments"]:
        if payment["state"] not in DECIDED or payment["decided_ms"] is None:
            yield f"its {payment['kind']} is {payment['state']}, without an outcome"
        if payment["state"] == "accepted":
            paid += -payment["amount"] if payment["kind"] in TAKES else payment["amount"]
    if moved != paid:
        yield f"accepted payments moved {paid} into the wallet, the ledger says {moved}"


def _ends(kept: Rows, head: Rows) -> Iterator[str]:
    for account in EMPTY:
        if _net(kept, account):
            yield f"{_net(kept, account)} is left in {account}"
    given_up = any(
        entry["source"].startswith("owed/") and entry["target"].startswith("ggr/") for entry in kept["ledger"]
    )
    if "bet" not in kept or given_up:
        return
    due = head["stake"] - head["win"] if head["state"] == "settled" and head["origin"] != "jackpot" else 0
    if _net(kept, "ggr") != due:
        yield f"{head['state']} with a stake of {head['stake']} and a win of {head['win']}, and {_net(kept, 'ggr')} in ggr"


def _net(kept: Rows, kind: str) -> int:
    """Return what the entries leave in the accounts of this kind."""
    net: dict[str, int] = defaultdict(int)
    for entry in kept["ledger"]:
        net[entry["target"].split("/")[0]] += entry["amount"]
        net[entry["source"].split("/")[0]] -= entry["amount"]
    return net[kind]
