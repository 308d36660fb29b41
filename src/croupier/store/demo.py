"""Demo money: a virtual balance per session, and the bets made with it.

Owns: the rows of `demo_balances` and `demo_bets`. Never: the rules (core.demo_bets), a casino, the ledger, a real bet:
a demo betId and a real one may be equal and never conflict. Spec: provider.md 3.4 (demo).

All operations on one betId run one after the other, under an advisory lock.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from croupier.core import demo_bets
from croupier.core.bet import BetState, Origin
from croupier.core.bet_requests import RequestContents
from croupier.core.commands import Answer
from croupier.core.demo_bets import START, DemoBet, Judged
from croupier.core.money import exponent
from croupier.core.refusals import Refusal
from croupier.core.session import Session
from croupier.kit.clock import Clock
from croupier.store.db import Db, Row, Tx

_LOCK = "select pg_advisory_xact_lock(hashtextextended('demo/' || $1::bigint || '/' || $2::text, 0))"
_BET = """
select b.provider_id, b.bet_ref, b.session_id, b.round_ref, b.origin, b.stake, b.win, b.state,
    s.casino_id, s.player_id
from demo_bets b join sessions s using (session_id) where b.provider_id = $1 and b.bet_ref = $2"""
_KEEP = """
insert into demo_bets (provider_id, bet_ref, session_id, round_ref, origin, stake, win, state, created_ms)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (provider_id, bet_ref) do update set win = excluded.win, state = excluded.state"""
_BEGIN = "insert into demo_balances (session_id, amount) values ($1, $2) on conflict do nothing"
_BALANCE = "select amount from demo_balances where session_id = $1"
# Only demo sessions have such a balance, and those that have ended long ago are deleted: the table stays small.
_OLD = """
select b.session_id from demo_balances b join sessions s using (session_id)
where s.expires_ms < $1 limit $2 for update of b skip locked"""
_DELETES = (
    "delete from demo_bets where session_id = any($1::text[])",
    "delete from demo_balances where session_id = any($1::text[])",
    "delete from sessions where session_id = any($1::text[]) and demo",
)
_SET_BALANCE = "update demo_balances set amount = $2 where session_id = $1"


class DemoMoney:
    """Virtual balances and the bets made with them."""

    def __init__(self, db: Db, clock: Clock, start: int = START) -> None:
        self._db = db
        self._clock = clock
        self._start = start

    async def balance(self, session: Session) -> int:
        """Return the session's balance in minor units."""
        async with self._begun(session) as tx:
            return await _balance(tx, session.session_id)

    async def pay_in(
        self, session: Session, bet_ref: str, asked: RequestContents, *, refuse_new: Refusal | None = None
    ) -> Answer:
        """Take a stake, and with a win in `asked` settle at once (pay-in-out).

        `refuse_new` is the refusal of a new bet by the session's state and limits; a known betId is never refused by it.
        """
        async with self._begun(session) as tx:
            bet = await _locked(tx, session, bet_ref)
            if bet is not None:
                judged = demo_bets.pay_in(bet, asked)
            elif refuse_new is not None:
                judged = Judged(refuse_new)
            else:
                balance = await _balance(tx, session.session_id, lock=True)
                judged = demo_bets.open_bet(session, bet_ref, asked, balance=balance)
            return await self._write(tx, session, judged)

    async def pay_out(self, session: Session, bet_ref: str, asked: RequestContents) -> Answer:
        """Settle a bet with `asked.win`, once. Without a bet it is a jackpot win, if the game allows one."""
        async with self._begun(session) as tx:
            bet = await _locked(tx, session, bet_ref)
            judged = demo_bets.open_jackpot(session, bet_ref, asked) if bet is None else demo_bets.pay_out(bet, asked)
            return await self._write(tx, session, judged)

    async def refund(self, session: Session, bet_ref: str) -> Answer:
        """Refund a bet. An unknown betId is recorded, so that a later bet with it is refused."""
        async with self._begun(session) as tx:
            bet = await _locked(tx, session, bet_ref)
            if bet is None:
                judged = demo_bets.open_tombstone(session, bet_ref)
            else:
                judged = demo_bets.refund(bet, session.casino_id, session.player_id)
            return await self._write(tx, session, judged)

    async def forget(self, before_ms: int, most: int) -> int:
        """Delete up to so many demo sessions that expired before this time, with balance and bets; return how many."""
        async with self._db.transaction() as tx:
            old = [row["session_id"] for row in await tx.fetch(_OLD, before_ms, most)]
            for sql in _DELETES if old else ():
                await tx.execute(sql, old)
            return len(old)

    @asynccontextmanager
    async def _begun(self, session: Session) -> AsyncIterator[Tx]:
        """Open a transaction after the session's balance exists. The balance is created outside it, so nobody waits for it."""
        await self._db.execute(_BEGIN, session.session_id, self._start * 10 ** exponent(session.currency))
        async with self._db.transaction() as tx:
            yield tx

    async def _write(self, tx: Tx, session: Session, judged: Judged) -> Answer:
        if judged.bet is not None:
            await _keep(tx, judged.bet, self._clock.now_ms())
            await _move(tx, judged.bet.session_id, judged.moved)
        return Answer(judged.refusal, await _balance(tx, session.session_id), session.currency)


async def _locked(tx: Tx, session: Session, bet_ref: str) -> DemoBet | None:
    """Return the bet of this betId, locked until the transaction ends."""
    await tx.execute(_LOCK, session.provider_id, bet_ref)
    row = await tx.fetchrow(_BET, session.provider_id, bet_ref)
    return None if row is None else _bet(row)


async def _balance(tx: Tx, session_id: str, *, lock: bool = False) -> int:
    amount: int = await tx.fetchval(_BALANCE + (" for update" if lock else ""), session_id)
    return amount


async def _move(tx: Tx, session_id: str, moved: int) -> None:
    """Move money of the session that made the bet, which may be an earlier one of the same player.

    A transaction locks this one balance, never two.
    """
    if moved:
        before = await _balance(tx, session_id, lock=True)
        await tx.execute(_SET_BALANCE, session_id, demo_bets.balance_after(before, moved))


async def _keep(tx: Tx, bet: DemoBet, now_ms: int) -> None:
    await tx.execute(
        _KEEP, bet.provider_id, bet.bet_ref, bet.session_id, bet.round_ref, bet.origin.value, bet.stake, bet.win,
        bet.state.value, now_ms,
    )  # fmt: skip


def _bet(row: Row) -> DemoBet:
    fields: Mapping[str, object] = {**row, "origin": Origin(row["origin"]), "state": BetState(row["state"])}
    return DemoBet(**fields)  # type: ignore[arg-type] # the columns of _BET are the record's fields
