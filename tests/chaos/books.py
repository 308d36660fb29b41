"""The comparison at rest of three records: the casinos' books, the hub's rows, and the answers to providers.

Owns: that comparison, in words of its own: it reads rows and books and knows no rule of the hub's code. Never: what an
invariant over the hub's own rows says (`croupier audit` is asked beside it). Spec: money.md 5.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from croupier.views.audit.auditor import audit
from tests.chaos.ground import Ground, Side

NUMBERS = {"stake": -1, "payout": 1, "bet_return": 2, "payout_return": -2, "jackpot": 4}
CASHBACK_NUMBERS = {"cashback": 1, "cashback_cancel": -1}
TAKES = frozenset({-1, -2})
KEPT = frozenset({"settled", "undoing", "disputed", "returned"})
OVER = frozenset({"settled", "returned", "refused", "expired", "cancelled", "tombstone", "paid"})
CONFIRMED = frozenset({"on", *KEPT})

UNDECIDED = """
select (select count(*) from payments where state in ('created', 'sent'))
    + (select count(*) from bets where state in ('asked', 'unwanted', 'unclaimed', 'undoing'))
    + (select count(*) from cashbacks where state in ('owed', 'cancel_wanted', 'taking_back'))
    + (select count(*) from calls c where not exists (
        select from payments p where p.subject_id = c.subject_id and p.kind = 'stake' and p.state = 'expired'
        and c.slot = 'stake'))"""
"""Payments without an end yet. The late query of an expired stake may still be open."""


@dataclass(slots=True)
class BetRecord:
    """The provider's record of one bet. Amounts are minor units, None in a list is a missing answer."""

    bet: str
    studio: int
    casino: int
    player: str
    stake: int = 0
    win: int | None = None
    pay_in: list[int | None] = field(default_factory=list)
    pay_out: list[int | None] = field(default_factory=list)
    refund: list[int | None] = field(default_factory=list)
    jackpot: bool = False


@dataclass(slots=True)
class CashbackRecord:
    """The record of one cashback by the person who paid it."""

    ref: str
    casino: int
    amount: int
    cancelled: bool = False


@dataclass(slots=True)
class BooksReport:
    """The result of the comparison. `lost` and `doubled` count payments, `undecided` those without an outcome."""

    bets: int = 0
    cashbacks: int = 0
    payments: int = 0
    lost: int = 0
    doubled: int = 0
    undecided: int = 0
    incidents: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Return whether there is no violation."""
        return not (self.violations or self.lost or self.doubled or self.undecided)

    def wrong(self, text: str, **counts: int) -> None:
        """Record a violation."""
        self.violations.append(text)
        for name, n in counts.items():
            setattr(self, name, getattr(self, name) + n)


Key = tuple[int, bool, int, int]
"""Casino id, whether it is a cashback, its number, TransactionType."""


async def compare(ground: Ground, told: list[BetRecord], cashbacks: list[CashbackRecord]) -> BooksReport:
    """Compare all bets and cashbacks of this ground."""
    verdict = BooksReport()
    booked = await _booked(ground)
    for key, amounts in booked.items():
        if len(amounts) > 1:
            verdict.wrong(f"type {key[3]} of {key[2]} is {len(amounts)} times in the casino's book", doubled=1)
    bets = await _hub_bets(ground)
    seen = await _payments(ground, booked, verdict)
    for key in booked.keys() - seen:
        verdict.wrong(f"type {key[3]} of {key[2]} is in the casino's book and not in the hub", doubled=1)
    for one in told:
        _bet(one, bets.pop((one.studio, one.bet), None), booked, verdict)
    for _, bet in bets:
        verdict.wrong(f"{bet} is in the hub and nobody asked for it")
    await _cashbacks(ground, cashbacks, verdict)
    await _hub_alone(ground, verdict)
    verdict.bets, verdict.cashbacks = len(told), len(cashbacks)
    return verdict


# --- the three records ----------------------------------------------------------------------------------------


async def _booked(ground: Ground) -> dict[Key, list[int]]:
    """Return all bookings of all casinos: the amounts by key."""
    found: dict[Key, list[int]] = {}
    for casino in ground.casinos:
        for player in (await ground.ask(f"{casino.url}/_sandbox/wallet"))["players"]:
            wallet = await ground.ask(f"{casino.url}/_sandbox/wallet/{player}")
            for booking in wallet["bookings"]:
                cashback = "CashbackId" in booking
                number = int(booking["CashbackId" if cashback else "BetId"])
                key = (_id(casino), cashback, number, int(booking["TransactionType"]))
                found.setdefault(key, []).append(minor(booking["Amount"]))
    return found


def _id(side: Side) -> int:
    row: Any = side.row
    return int(row.casino_id if side.kind == "casino" else row.provider_id)


async def _hub_bets(ground: Ground) -> dict[tuple[int, str], Any]:
    """Return the hub's bets by studio and betId."""
    numbers = {_id(studio): n for n, studio in enumerate(ground.studios)}
    rows = await ground.desk.store.db.fetch("select * from bets")
    return {(numbers[row["provider_id"]], row["bet_ref"]): row for row in rows}


async def _payments(ground: Ground, booked: dict[Key, list[int]], verdict: BooksReport) -> set[Key]:
    """Compare every payment of the hub with the casino's book; return the keys that the hub knows."""
    rows = await ground.desk.store.db.fetch(
        "select p.*, coalesce(b.casino_id, c.casino_id) as casino_id from payments p"
        " left join bets b on b.bet_id = p.subject_id left join cashbacks c on c.cashback_id = p.subject_id"
    )
    verdict.payments = len(rows)
    seen = set()
    for row in rows:
        cashback = row["kind"] in CASHBACK_NUMBERS
        number = CASHBACK_NUMBERS[row["kind"]] if cashback else NUMBERS[row["kind"]]
        key = (row["casino_id"], cashback, row["subject_id"], number)
        seen.add(key)
        _payment(row, booked.get(key), verdict)
    return seen


def _payment(row: Any, booked: list[int] | None, verdict: BooksReport) -> None:
    name = f"{row['kind']} of {row['subject_id']}"
    if row["state"] in ("created", "sent", "parked"):
        verdict.wrong(f"{name} has no outcome: {row['state']}", undecided=1)
    if row["state"] == "accepted" and not booked:
        verdict.wrong(f"{name} is accepted and not in the casino's book", lost=1)
    if row["state"] in ("refused", "expired") and booked:
        verdict.wrong(f"{name} is {row['state']} and in the casino's book", doubled=1)
    if booked and booked[0] != row["amount"]:
        verdict.wrong(f"{name} is {row['amount']} in the hub and {booked[0]} at the casino")


# --- bet by bet -----------------------------------------------------------------------------------------------


def _bet(told: BetRecord, row: Any, booked: dict[Key, list[int]], verdict: BooksReport) -> None:
    said = [*told.pay_in, *told.pay_out, *told.refund]
    if row is None:
        if 1 in said:
            verdict.wrong(f"{told.bet} was answered 1 and the hub does not have it", lost=1)
        return
    state = row["state"]
    refunded = 1 in told.refund
    if 1 in told.pay_in and state not in CONFIRMED:
        verdict.wrong(f"{told.bet} was taken in towards its provider and is {state}", lost=1)
    if 1 in told.pay_out and state not in KEPT:
        verdict.wrong(f"{told.bet} was paid out towards its provider and is {state}", lost=1)
    if 1 in told.pay_out and not refunded and row["win"] != told.win:
        verdict.wrong(f"{told.bet} was told a win of {told.win} and has {row['win']}")
    if refunded and state in ("on", "settled", "unclaimed"):
        verdict.wrong(f"{told.bet} was refunded towards its provider and is {state}", lost=1)
    if state not in OVER and not (state == "on" and 1 not in told.pay_out and not refunded):
        verdict.wrong(f"{told.bet} stands {state}", undecided=1)
    _net(told, row, booked, verdict)


def _net(told: BetRecord, row: Any, booked: dict[Key, list[int]], verdict: BooksReport) -> None:
    """Check that the net amount in the casino's book matches the records of provider and hub."""
    mine = {k[3]: v for k, v in booked.items() if not k[1] and k[2] == row["bet_id"]}
    net = sum(sum(amounts) * (-1 if kind in TAKES else 1) for kind, amounts in mine.items())
    expected = {"on": -row["stake"], "settled": (row["win"] or 0) - row["stake"]}.get(row["state"], 0)
    definite = {code for code in told.pay_in if code not in (None, 99, 1)}
    if definite and 1 not in told.pay_in and 1 not in told.pay_out and expected:
        verdict.wrong(f"{told.bet} was refused towards its provider ({sorted(definite)}) and is {row['state']}")
    if net != expected:
        worse = "doubled" if abs(net) > abs(expected) else "lost"
        verdict.wrong(f"{told.bet} {row['state']}: the casino moved {net}, it should be {expected}", **{worse: 1})


async def _cashbacks(ground: Ground, told: list[CashbackRecord], verdict: BooksReport) -> None:
    rows = {row["ref"]: row for row in await ground.desk.store.db.fetch("select ref, state, amount from cashbacks")}
    for one in told:
        row = rows.pop(one.ref, None)
        wanted = "cancelled" if one.cancelled else "paid"
        if row is None or (row["state"], row["amount"]) != (wanted, one.amount):
            verdict.wrong(f"cashback {one.ref} should be {wanted} and is {row and row['state']}", lost=1)
    for ref in rows:
        verdict.wrong(f"cashback {ref} is in the hub and nobody paid it")


async def _hub_alone(ground: Ground, verdict: BooksReport) -> None:
    """Check the auditor, the incidents, and the complaints of the sandbox."""
    for finding in await audit(ground.desk.store.db):
        for violation in finding.violations:
            verdict.wrong(f"audit {finding.name}: {violation.subject_id} {violation.what}")
    for row in await ground.desk.store.db.fetch("select name, note from incidents"):
        verdict.incidents[row["name"]] += 1
        if row["name"] in ("invariant", "parked", "contradiction", "poisoned_call"):
            verdict.wrong(f"incident {row['name']}: {row['note']}")
    for side in ground.sides:
        for complaint in (await ground.ask(f"{side.url}/_sandbox/log?since=999999999"))["complaints"]:
            verdict.wrong(f"a {side.kind} complains: {complaint}")


def minor(text: str) -> int:
    """Return a decimal text in euros as minor units, exactly."""
    whole, _, cents = text.lstrip("-").partition(".")
    amount = int(whole) * 100 + int((cents + "00")[:2])
    return -amount if text.startswith("-") else amount
