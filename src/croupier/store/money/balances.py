"""A player's last reported balance, moved by the payments accepted since.

Owns: the base (the balance that the casino reported last), the sum on top of it, the decided but unbooked amount of one
bet, and the balance stored with an answer. Never: decides anything about a bet: the balance only informs. Amounts are minor units. Spec: money.md 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import NamedTuple

from croupier.core.payment import Payment
from croupier.store.db import Db
from croupier.store.read_batcher import ReadBatcher

# The casino withholds tax: the wallet receives the amount less the tax (money.md 7.1).
_MOVED = """sum((p.amount - coalesce(p.tax, 0))
        * case when p.kind in ('stake', 'payout_return', 'cashback_cancel') then -1 else 1 end)"""
# A payment that is older than the base and accepted after it had ended otherwise meanwhile: a stake that expired and
# turned up. The casino's word may or may not have held it, so that nothing is known until the casino is asked anew.
# What is ahead is seen in the same snapshot as what was accepted: a win is counted once, owed or paid.
# Less than nothing: the casino took a stake out of a win whose acceptance it has not told yet. Its own word is needed then.
# Sums are numeric: one that no bigint holds must not stop the commit that it is told with.
SUM = f"""
    select b.base_ms, b.amount + since.moved as amount, k.net - booked.moved as ahead
    from balances b cross join lateral (
        select coalesce({_MOVED}, 0) as moved, coalesce(bool_or(p.created_ms < b.base_ms), false) as late
        from payments p where p.player_id = b.player_id and p.decided_ms >= b.base_ms and p.state = 'accepted'
    ) since
    cross join lateral (
        select coalesce({_MOVED}, 0) as moved from payments p where p.subject_id = k.bet_id and p.state = 'accepted'
    ) booked
    where not since.late and b.player_id = k.player_id and b.amount + since.moved + k.net - booked.moved >= 0"""
"""The balance of row `k` of a query: `k.player_id`, `k.bet_id`, and `k.net`, the bet's total effect on the wallet."""
_KNOWN = f"""
select k.player_id, k.bet_id, k.net, now.base_ms, now.amount, now.ahead
from unnest($1::bigint[], $2::bigint[], $3::bigint[]) k(player_id, bet_id, net) cross join lateral ({SUM}) now"""

# A reported balance is a base only if its order to every other payment of the player is known (decision 0060). It holds
# a payment that was decided before our request, and not one that was created after its answer had arrived.
BASE = """
insert into balances (player_id, amount, base_ms)
select k.player_id, k.amount, k.asked_ms
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])
    k(player_id, amount, asked_ms, heard_ms, subject_id, kind)
where not exists (
    select from payments p where p.player_id = k.player_id and (p.decided_ms is null or p.decided_ms >= k.asked_ms)
    and p.created_ms <= k.heard_ms and (p.subject_id, p.kind) is distinct from (k.subject_id, k.kind))
on conflict (player_id) do update set amount = excluded.amount, base_ms = excluded.base_ms
where balances.base_ms <= excluded.base_ms returning player_id"""

# The balance now, stored with the first answer to the verb, in one statement: the usual case of an answer.
_TELL = f"""
update bets b set {{column}} = coalesce(b.{{column}}, k.amount + k.ahead) from ({_KNOWN}) k
where b.bet_id = k.bet_id returning k.player_id, k.bet_id, k.net, k.base_ms, b.{{column}} as told"""

_STORE = """
update bets b set {column} = i.amount from unnest($1::bigint[], $2::bigint[]) i(bet_id, amount)
where b.bet_id = i.bet_id and b.{column} is null returning b.bet_id, b.{column} as amount"""
NEVER_MS = 2**62
_VERBS = ("pay_in", "pay_out", "refund")


@dataclass(frozen=True, slots=True)
class KnownBalance:
    """A balance in minor units and when the casino was last asked for its base."""

    player_id: int
    base_ms: int
    amount: int
    ahead: int = 0
    """The amount of the bet that is decided and not booked by the casino yet: a win owed, a stake being returned."""


@dataclass(frozen=True, slots=True)
class StoredBalance:
    """The balance of an answer in minor units, as it is stored with it, and when the casino was asked for its base."""

    amount: int
    base_ms: int


_Key = tuple[int, int, int]
"""Player, bet, and the bet's total effect on the wallet."""


class _Report(NamedTuple):
    """A balance that a casino reported, in minor units, with the instants of its query and the payment that it came with."""

    player_id: int
    amount: int
    asked_ms: int
    heard_ms: int
    subject_id: int | None
    kind: str | None


class Balances:
    """Balances of players of real money."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._known: ReadBatcher[_Key, KnownBalance] = ReadBatcher(self._read)
        self._bases: ReadBatcher[_Report, None] = ReadBatcher(self._take_bases)
        self._stores = {verb: ReadBatcher(self._store_of(verb)) for verb in _VERBS}
        self._tells = {verb: ReadBatcher(partial(self._tell, verb)) for verb in _VERBS}

    async def known(self, player_id: int, bet_id: int = 0, net: int = 0) -> KnownBalance | None:
        """Return the current balance, or None if the casino never reported one.

        With a bet, also its amount ahead: `net` is the bet's total effect on the wallet (`Bet.net`).
        """
        return await self._known.one((player_id, bet_id, net))

    async def base(
        self,
        player_id: int,
        amount: int,
        asked_ms: int,
        *,
        heard_ms: int | None = None,
        told_with: Payment | None = None,
    ) -> None:
        """Make the balance that the casino reported the base if no payment was open between request and answer.

        `asked_ms` and `heard_ms` are the instants of the request and of its answer (None: just now). `told_with`: the payment whose outcome
        the balance came with. It alone may be open, so `amount` excludes it.
        """
        payment = (None, None) if told_with is None else (told_with.subject_id, told_with.kind.value)
        await self._bases.one(
            _Report(player_id, amount, asked_ms, NEVER_MS if heard_ms is None else heard_ms, *payment)
        )

    async def tell(self, player_id: int, bet_id: int, net: int, *, verb: str) -> StoredBalance | None:
        """Return the current balance with the bet's amount ahead, and store it with the bet's first answer to `verb`.

        None if no balance is known; nothing is stored then.
        """
        return await self._tells[verb].one((player_id, bet_id, net))

    async def keep(self, bet_id: int, verb: str, amount: int) -> int:
        """Store the balance of the first answer to `verb` and return the stored one."""
        first = await self._stores[verb].one((bet_id, amount))
        if first is not None:
            return amount
        row = await self._db.fetchrow(f"select {verb}_balance as amount from bets where bet_id = $1", bet_id)
        return amount if row is None or row["amount"] is None else int(row["amount"])

    async def _read(self, keys: Sequence[_Key]) -> dict[_Key, KnownBalance]:
        rows = await self._db.batch_fetch(_KNOWN, *(list(column) for column in zip(*keys, strict=True)))
        return {
            (row["player_id"], row["bet_id"], row["net"]): KnownBalance(
                row["player_id"], row["base_ms"], int(row["amount"]), int(row["ahead"])
            )
            for row in rows
        }

    async def _take_bases(self, reports: Sequence[_Report]) -> dict[_Report, None]:
        left = list(reports)
        while left:
            # One statement cannot write a row twice, and all processes lock rows in the order of players.
            first: dict[int, _Report] = {}
            for report in left:
                first.setdefault(report.player_id, report)
            ordered = [first[player_id] for player_id in sorted(first)]
            await self._db.batch_fetch(BASE, *(list(column) for column in zip(*ordered, strict=True)))
            left = [report for report in left if first[report.player_id] is not report]
        return {}

    async def _tell(self, verb: str, keys: Sequence[_Key]) -> dict[_Key, StoredBalance]:
        # In the order in which a group commit locks known bets.
        ordered = sorted(keys, key=itemgetter(1))
        sql = _TELL.format(column=f"{verb}_balance")
        rows = await self._db.batch_fetch(sql, *(list(column) for column in zip(*ordered, strict=True)))
        return {
            (row["player_id"], row["bet_id"], row["net"]): StoredBalance(int(row["told"]), row["base_ms"])
            for row in rows
        }

    def _store_of(self, verb: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
        sql = _STORE.format(column=f"{verb}_balance")

        async def store(keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bool]:
            ordered = sorted(keys)
            rows = await self._db.batch_fetch(sql, [k[0] for k in ordered], [k[1] for k in ordered])
            # Two amounts for one bet may be among them: one of them was written, and the other caller must read it.
            return {(row["bet_id"], row["amount"]): True for row in rows}

        return store
