"""A reader that sums all accounts ten times a second, on a connection and in a thread of its own, during all faults.

Owns: one statement, which sees one moment: per currency all accounts add up to zero, nothing that cannot be owed is
negative, and what stands in each account is what bets and payments say of the same moment. Never: writes.
"""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, field

import asyncpg

EVERY_S = 0.1
CONNECT_S = 5.0

LOOK = """
with moved as (
    select target as account, currency, amount from ledger
    union all select source, currency, -amount from ledger),
accounts as (select split_part(account, '/', 1) as kind, currency, account, sum(amount) as balance from moved group by 1, 2, 3),
kinds as (select kind, sum(balance) as balance, min(balance) as least from accounts group by 1),
facts(kind, balance) as (
    select 'open-bets', coalesce(sum(stake), 0) from bets where state in ('on', 'unclaimed')
    union all
    select 'wallets', coalesce(sum(case
        when kind in ('stake', 'payout_return', 'cashback_cancel') then -amount else amount end), 0)
        from payments where state = 'accepted'
    union all
    select 'suspense', coalesce(sum(case p.kind when 'stake' then p.amount else -p.amount end), 0)
        from payments p join bets b on b.bet_id = p.subject_id
        where p.state = 'accepted' and p.kind in ('stake', 'bet_return') and not b.was_on
    union all
    select 'owed', coalesce(sum(amount), 0) from (
        select p.amount from payments p left join bets b on b.bet_id = p.subject_id
        where p.state in ('created', 'sent', 'parked')
        and (p.kind in ('payout', 'jackpot', 'cashback') or (p.kind = 'bet_return' and b.was_on))
        union all
        select b.stake from bets b where b.state = 'returned' and b.was_on
        and not exists (select from payments r where r.subject_id = b.bet_id and r.kind = 'bet_return')) gives)
select 'all accounts of ' || currency || ' add up to ' || sum(amount) as wrong from moved group by currency having sum(amount) <> 0
union all
select account || ' holds ' || balance from accounts where kind in ('owed', 'open-bets') and balance < 0
union all
select f.kind || ' holds ' || coalesce(k.balance, 0) || ', bets and payments say ' || f.balance
    from facts f left join kinds k using (kind) where coalesce(k.balance, 0) <> f.balance"""


@dataclass(slots=True)
class Reader:
    """Sums the accounts from `start` to `stop`."""

    dsn: str
    looks: int = 0
    away: int = 0
    """Number of queries without an answer: the database was dead or stopped at that moment."""
    wrong: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Start reading."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._read()), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._stop.set()
        assert self._thread is not None
        self._thread.join(30)

    async def _read(self) -> None:
        connection: asyncpg.Connection | None = None
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                if connection is None or connection.is_closed():
                    connection = await asyncpg.connect(self.dsn, timeout=CONNECT_S, command_timeout=CONNECT_S)
                rows = await connection.fetch(LOOK)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                self.away += 1
                if connection is not None:
                    connection.terminate()
                    connection = None
            else:
                self.looks += 1
                self.slowest_s = max(self.slowest_s, time.monotonic() - began)
                self.wrong += [row["wrong"] for row in rows]
            await asyncio.sleep(max(EVERY_S - (time.monotonic() - began), 0.0))
        if connection is not None:
            connection.terminate()
