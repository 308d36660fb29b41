"""Demo money: a virtual balance per session, and demo bets that follow the rules of real ones.

Owns: the rows of `demo_balances` and `demo_bets`. Never: a casino, the ledger, a real bet: a demo betId and a real one
may be spelled alike and never meet. Spec: provider.md 3.4 (demo) and provider.md 4.1 (what a repeat must match).

A bet is `on`, then `settled` or `returned`; `refused` for want of funds. A refund that came first is a row that was
`returned` from its birth. Everything of one betId happens one after the other, under a lock of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from croupier.core.bet import Origin
from croupier.core.bet_requests import Asked
from croupier.core.commands import Answer
from croupier.core.money import exponent
from croupier.core.refusals import Refusal
from croupier.core.session import Session
from croupier.kit.clock import Clock
from croupier.store.db import Db, Row, Tx

START: Final = 1000
"""What a session begins with, in major units of its currency."""
CEILING: Final = 10**18
"""More than this nobody wins, so that a sum always fits its column."""

ON, SETTLED, REFUSED, RETURNED = "on", "settled", "refused", "returned"

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
_SET_BALANCE = "update demo_balances set amount = $2 where session_id = $1"


@dataclass(frozen=True, slots=True)
class DemoBet:
    """One demo bet. Amounts are minor units; the money is that of the session that made it."""

    provider_id: int
    bet_ref: str
    session_id: str
    casino_id: int
    player_id: int
    round_ref: str
    origin: Origin
    stake: int
    win: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What a request does: the answer's refusal, the bet as it is then, and the money that moves to its session."""

    refusal: Refusal | None = None
    bet: DemoBet | None = None
    """None: nothing changes."""
    moved: int = 0


_CONFLICT = Judged(Refusal.CONFLICT)


class DemoMoney:
    """Virtual balances and the bets made with them."""

    def __init__(self, db: Db, clock: Clock, start: int = START) -> None:
        self._db = db
        self._clock = clock
        self._start = start

    async def balance(self, session: Session) -> int:
        """What the session has, minor units."""
        async with self._begun(session) as tx:
            return await _balance(tx, session.session_id)

    async def pay_in(self, session: Session, bet_ref: str, asked: Asked, refuse_new: Refusal | None = None) -> Answer:
        """Take a stake, and with a win in `asked` settle at once (pay-in-out).

        `refuse_new` is what the session's life and limits say of a new bet; a known betId is never judged by it.
        """
        async with self._begun(session) as tx:
            bet = await _locked(tx, session, bet_ref)
            if bet is not None:
                judged = _pay_in_again(bet, asked)
            elif refuse_new is not None:
                judged = Judged(refuse_new)
            else:
                balance = await _balance(tx, session.session_id, lock=True)
                judged = _pay_in(_born(session, bet_ref, asked), balance)
            return await self._write(tx, session, judged)

    async def pay_out(self, session: Session, bet_ref: str, asked: Asked) -> Answer:
        """Settle a bet with `asked.win`, once; without a bet it is a jackpot's win, if the game may have one."""
        async with self._begun(session) as tx:
            bet = await _locked(tx, session, bet_ref)
            judged = _jackpot(session, bet_ref, asked) if bet is None else _pay_out(bet, asked)
            return await self._write(tx, session, judged)

    async def refund(self, session: Session, bet_ref: str) -> Answer:
        """Undo a bet; of an unknown betId remember that it is not to come."""
        async with self._begun(session) as tx:
            bet = await _locked(tx, session, bet_ref)
            judged = Judged(bet=_tombstone(session, bet_ref)) if bet is None else _refund(bet, session)
            return await self._write(tx, session, judged)

    @asynccontextmanager
    async def _begun(self, session: Session) -> AsyncIterator[Tx]:
        """A transaction in which the session has a balance. It is begun outside: nobody has to wait for it."""
        await self._db.execute(_BEGIN, session.session_id, self._start * 10 ** exponent(session.currency))
        async with self._db.transaction() as tx:
            yield tx

    async def _write(self, tx: Tx, session: Session, judged: Judged) -> Answer:
        if judged.bet is not None:
            await _keep(tx, judged.bet, self._clock.now_ms())
            await _move(tx, judged.bet.session_id, judged.moved)
        return Answer(judged.refusal, await _balance(tx, session.session_id), session.currency)


def _pay_in(bet: DemoBet, balance: int) -> Judged:
    if bet.stake > balance:
        return Judged(Refusal.NOT_ENOUGH_FUNDS, replace(bet, state=REFUSED))
    if bet.win is None:
        return Judged(bet=bet, moved=-bet.stake)
    return Judged(bet=replace(bet, state=SETTLED), moved=bet.win - bet.stake)


def _pay_in_again(bet: DemoBet, asked: Asked) -> Judged:
    origin = Origin.PAY_IN if asked.win is None else Origin.PAY_IN_OUT
    win = bet.win if origin is Origin.PAY_IN_OUT else None
    mine = (bet.casino_id, bet.player_id, bet.round_ref, bet.origin, bet.stake, win)
    if mine != (asked.casino_id, asked.player_id, asked.round_ref, origin, asked.stake, asked.win):
        return _CONFLICT
    if bet.state == REFUSED:
        return Judged(Refusal.NOT_ENOUGH_FUNDS)
    return _CONFLICT if bet.state == RETURNED else Judged()


def _pay_out(bet: DemoBet, asked: Asked) -> Judged:
    assert asked.win is not None
    mine = (bet.casino_id, bet.player_id, bet.round_ref)
    if bet.origin is Origin.PAY_IN_OUT or mine != (asked.casino_id, asked.player_id, asked.round_ref):
        return _CONFLICT
    if bet.state == SETTLED:
        return Judged() if bet.win == asked.win else _CONFLICT
    if bet.state != ON:
        return _CONFLICT
    return Judged(bet=replace(bet, win=asked.win, state=SETTLED), moved=asked.win)


def _jackpot(session: Session, bet_ref: str, asked: Asked) -> Judged:
    assert asked.win is not None
    if not session.jackpot_wins:
        return Judged(Refusal.BET_UNKNOWN)
    born = replace(_born(session, bet_ref, asked), origin=Origin.JACKPOT, state=SETTLED)
    return Judged(bet=born, moved=asked.win)


def _refund(bet: DemoBet, session: Session) -> Judged:
    mine = (bet.casino_id, bet.player_id)
    if mine != (session.casino_id, session.player_id) or bet.origin is Origin.JACKPOT:
        return _CONFLICT
    back = {ON: bet.stake, SETTLED: bet.stake - (bet.win or 0)}.get(bet.state, 0)
    return Judged(bet=replace(bet, state=RETURNED), moved=back)


def _born(session: Session, bet_ref: str, asked: Asked) -> DemoBet:
    return DemoBet(
        provider_id=session.provider_id,
        bet_ref=bet_ref,
        session_id=session.session_id,
        casino_id=session.casino_id,
        player_id=session.player_id,
        round_ref=asked.round_ref,
        origin=Origin.PAY_IN if asked.win is None else Origin.PAY_IN_OUT,
        stake=asked.stake or 0,
        win=asked.win,
        state=ON,
    )


def _tombstone(session: Session, bet_ref: str) -> DemoBet:
    nothing = Asked(session.casino_id, session.player_id, "")
    return replace(_born(session, bet_ref, nothing), origin=Origin.TOMBSTONE, state=RETURNED)


async def _locked(tx: Tx, session: Session, bet_ref: str) -> DemoBet | None:
    """The bet of this betId, and nobody else's hands on it until the transaction ends."""
    await tx.execute(_LOCK, session.provider_id, bet_ref)
    row = await tx.fetchrow(_BET, session.provider_id, bet_ref)
    return None if row is None else _bet(row)


async def _balance(tx: Tx, session_id: str, *, lock: bool = False) -> int:
    amount: int = await tx.fetchval(_BALANCE + (" for update" if lock else ""), session_id)
    return amount


async def _move(tx: Tx, session_id: str, moved: int) -> None:
    """Move money of the session that made the bet, which may be an earlier one of the same player.

    A transaction locks this one balance, never two. A refund takes back what is left of a win that was played away.
    """
    if moved:
        before = await _balance(tx, session_id, lock=True)
        await tx.execute(_SET_BALANCE, session_id, min(max(before + moved, 0), CEILING))


async def _keep(tx: Tx, bet: DemoBet, now_ms: int) -> None:
    await tx.execute(
        _KEEP, bet.provider_id, bet.bet_ref, bet.session_id, bet.round_ref, bet.origin.value, bet.stake, bet.win,
        bet.state, now_ms,
    )  # fmt: skip


def _bet(row: Row) -> DemoBet:
    fields: Mapping[str, object] = {**row, "origin": Origin(row["origin"])}
    return DemoBet(**fields)  # type: ignore[arg-type] # the columns of _BET are the record's fields
