"""The invariants that are checked during a run: at every commit, and at every answer to a provider.

It reads each written row and keeps a model of its own. Its tables share nothing with the rules:
money.md 2, 5 and 6 are written down here again. Owns: this second implementation. Never: compares with a casino's book
(judge), nor queries the database (the hub's auditor does, at rest).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from croupier.flows.advance import Contended
from croupier.kit.wire import PeerError
from croupier.simulator.claims import Claims
from croupier.simulator.dials import USUAL_HOLD_S
from croupier.store.db import DbError
from croupier.store.money.group_commit import Broken

GRACE_S = 0.25
"""I16: the tolerance of an answer after the hold time."""
AT_ONCE_S = 0.5
"""So soon after its acceptance a bet may still be told 99: the answer was under way."""
_CODE = re.compile(rb'"_responseCode":([0-9]+)[,}]')
MOVES = frozenset(
    {
        ("created", "sent"), ("created", "accepted"), ("created", "refused"), ("created", "expired"),
        ("created", "parked"), ("sent", "accepted"), ("sent", "refused"), ("sent", "expired"), ("sent", "parked"),
        ("expired", "accepted"), ("refused", "accepted"), ("refused", "created"), ("parked", "accepted"),
        ("parked", "refused"),
    }
)  # fmt: skip
"""The transitions of a payment that money.md 2.1 allows; a success is permanent."""
DECIDES = {"settled": "pay-out", "refunded": "refund", "tombstone": "refund"}
"""Event of a bet to the request that it decides."""
BY_PERSON = "_by_person"
"""Ends the name of an event that a person decided."""
UNDECIDED = ("created", "sent")
TOLD_ON = ("on", "settled", "undoing", "disputed", "returned")
"""States of a bet that was, or may have been, on."""
NEVER_BELOW_ZERO = ("open-bets", "owed")

INJECTED = (DbError, PeerError, Broken, Contended)
"""Errors that faults of the network and the database cause."""

Rows = dict[str, list[dict[str, Any]]]


class Watch:
    """Checks every row that is written in a world."""

    def __init__(self) -> None:
        self.violations: list[str] = []
        self.lateness_s = 0.0
        """Delay of a deadline that the grid of time may cause, in seconds."""
        self.tries_of: Callable[[int], int] = lambda _: 0
        """The most tries that can have failed, per bet or cashback: calls to its casino, and refusals that it resent."""
        self.hold_s = USUAL_HOLD_S
        """Hold time of every provider."""
        self.now_s: Callable[[], float] = float
        """The virtual time."""
        self.steady = False
        """No process of this world ends or pauses, no commit is lost, and the hub's limits are told apart: then only a request
        itself can lose its answer."""
        self.on: dict[tuple[int, str], float] = {}
        """Bets whose acceptance is committed, so that a provider may receive success; and since when, in virtual seconds."""
        self.said_on: set[tuple[int, str]] = set()
        """Bets for which some hub process answered success, whether or not the provider received it."""
        self.names: dict[int, str] = {}
        """Ids to names that are the same in every run of the seed."""
        self.claims = Claims()
        """The times at which bets stood unclaimed."""
        self._bets: dict[int, tuple[int, str]] = {}
        self._decided_s: dict[tuple[tuple[int, str], str], float] = {}
        self._payments: dict[int, dict[str, dict[str, Any]]] = {}
        self._slots: dict[int, set[str]] = {}
        self._accounts: Counter[str] = Counter()

    def landed(self, rows: Rows) -> None:
        """Check I1, I8, I9, I10, I11, I13 and I15 for the rows of one group commit."""
        for row in rows.get("pay", ()):
            self._moved(row)
        self._refused_in_doubt(rows)
        for row in rows.get("gone", ()):
            self._slots[row["subject_id"]].discard(row["slot"])
        for row in rows.get("call", ()):
            if row["failures"] > self.tries_of(row["subject_id"]):
                self._wrong(
                    "I17",
                    f"{self.names[row['subject_id']]} {row['slot']} failed {row['failures']} times, and was sent less",
                )
            self._slots.setdefault(row["subject_id"], set()).add(row["slot"])
        for row in rows.get("entry", ()):
            self._booked(row)
        for row in (*rows.get("born", ()), *rows.get("moved", ())):
            self._stands(row)
            self.claims.stands(row, self.now_s())
        for row in rows.get("event", ()):
            if row["event"] in DECIDES and row["subject_id"] in self._bets:
                self._decided_s.setdefault((self._bets[row["subject_id"]], DECIDES[row["event"]]), self.now_s())
            if self.claims.ended_early(row, self.lateness_s):
                self._wrong("I3", f"{self.names[row['subject_id']]} was given back before its claim time was over")

    def _refused_in_doubt(self, rows: Rows) -> None:
        """I2: a cashback cannot be queried, so after an unanswered try only a person ends it as refused."""
        by_person = {row["subject_id"] for row in rows.get("event", ()) if row["event"].endswith(BY_PERSON)}
        for row in rows.get("pay", ()):
            doubtful = row["kind"] == "cashback" and row["state"] == "refused" and row["unanswered"]
            if doubtful and row["subject_id"] not in by_person:
                self._wrong(
                    "I2", f"{self.names[row['subject_id']]} was refused, and an earlier try of it went unanswered"
                )

    def answered(self, path: str, seconds: float) -> None:
        """I16: check that a provider was answered in time."""
        if path.startswith("/v1/sessions/") and seconds > self.hold_s + GRACE_S + self.lateness_s:
            self._wrong("I16", f"{path} was answered after {seconds:.2f} s")

    def said(self, path: str, asked: bytes, answer: bytes) -> None:
        """Record a pay-in that was answered with success. I6: check that none is told "unknown" long after its decision.

        The path names the session and so its provider (people).
        """
        told = _CODE.search(answer)
        if told is None or told[1] not in (b"1", b"99"):
            return
        bet, verb = (
            (int(path.split("/")[3].split("-", maxsplit=1)[0]), json.loads(asked)["betId"]),
            path.rsplit("/", maxsplit=1)[-1],
        )
        paid_in = verb in ("pay-in", "pay-in-out")
        if told[1] == b"1" and paid_in:
            self.said_on.add(bet)
        elif told[1] == b"99" and self.steady:
            since_s = self.on.get(bet) if paid_in else self._decided_s.get((bet, verb))
            late_s = 0.0 if since_s is None else self.now_s() - since_s
            if late_s > AT_ONCE_S + self.lateness_s:
                self._wrong("I6", f"{bet[1]} was told 99 to its {verb}, which had been decided for {late_s:.2f} s")

    def failed(self, event: str, error: BaseException) -> None:
        """Record an error of the hub that no fault of the simulator explains."""
        if not isinstance(error, INJECTED):
            self._wrong("bug", f"{event}: {type(error).__name__}: {error}")

    def told_yes(self, provider_id: int, ref: str) -> None:
        """I6: check a success that a provider receives."""
        if (provider_id, ref) not in self.on:
            self._wrong("I6", f"{ref} was told yes before its acceptance was committed")

    def _moved(self, row: dict[str, Any]) -> None:
        payments, name = self._payments.setdefault(row["subject_id"], {}), self.names[row["subject_id"]]
        old = payments.get(row["kind"])
        payments[row["kind"]] = row
        if type(row["amount"]) is not int:
            self._wrong("I15", f"{name} {row['kind']} has the amount {row['amount']!r}")
        if old is None:
            if row["state"] != "created":
                self._wrong("I11", f"{name} {row['kind']} was born {row['state']}")
        elif old["state"] != row["state"] and (old["state"], row["state"]) not in MOVES:
            self._wrong("I11", f"{name} {row['kind']} went from {old['state']} to {row['state']}")
        if old is not None and (old["amount"], old["tax"]) != (row["amount"], row["tax"]):
            self._wrong("I9", f"{name} {row['kind']} changed its amount")

    def _booked(self, row: dict[str, Any]) -> None:
        name, amount = self.names[row["subject_id"]], row["amount"]
        if type(amount) is not int or amount <= 0 or row["source"] == row["target"]:
            self._wrong("I1", f"{name} books {amount!r} from {row['source']} to {row['target']}")
            return
        self._accounts[row["source"]] -= amount
        self._accounts[row["target"]] += amount
        if row["source"].startswith(NEVER_BELOW_ZERO) and self._accounts[row["source"]] < 0:
            self._wrong("I13", f"{name} takes {row['source']} to {self._accounts[row['source']]}")

    def _stands(self, row: dict[str, Any]) -> None:
        subject_id = row.get("bet_id") or row.get("cashback_id") or 0
        name, payments = self.names[subject_id], self._payments.get(subject_id, {})
        for kind, payment in payments.items():
            if payment["state"] in UNDECIDED and kind not in self._slots.get(subject_id, ()):
                self._wrong("I10", f"{name} {kind} has no next action")
        states = {kind: payment["state"] for kind, payment in payments.items()}
        if "bet_ref" in row:
            self._bet(row, states)
        elif "cashback_cancel" in states:
            self._cancel(name, states["cashback"], states["cashback_cancel"])

    def _cancel(self, name: str, paid: str, cancel: str) -> None:
        """Allow a take-back of a refused cashback, in case a copy was booked (decision 0028)."""
        if paid not in ("accepted", "refused") or (paid == "refused" and cancel == "accepted"):
            self._wrong("I8", f"{name} is taken back ({cancel}) and its cashback is {paid}")

    def _bet(self, row: dict[str, Any], states: dict[str, str]) -> None:
        name, state, stake = row["bet_ref"], row["state"], states.get("stake")
        self._bets[row["bet_id"]] = row["provider_id"], name
        if state in TOLD_ON and stake == "accepted":
            self.on.setdefault((row["provider_id"], name), self.now_s())
        if "payout" in states and stake != "accepted":
            self._wrong("I8", f"{name} has a payout and its stake is {stake}")
        if state == "tombstone" and states:
            self._wrong("I8", f"{name} is a tombstone with payments")
        if state in ("refused", "expired") and stake == "accepted":
            self._wrong("I7", f"{name} is {state} and its stake was accepted")

    def _wrong(self, invariant: str, text: str) -> None:
        self.violations.append(f"{invariant}: {text}")
